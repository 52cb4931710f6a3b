"""Showing: what layers show, as scenes ready to search.

A layer that shows much of a segment becomes an entry with a mask; what it shows of segments of which it shows little is
gathered into one entry (`gather.py`), so that a hundred small objects cost what they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from jaxtyping import UInt32

from memstore.extent import Extent
from memstore.gather import Share, gather, groups
from memstore.kept import Kept
from memstore.layer import Layer, LayerSegment, Mask
from memstore.segment import NEVER_HIDDEN, Entry, Scene, Segment
from memstore.storage.masks import read_pack
from memstore.storage.store import Store
from memstore.transform import Transform

CACHED_LISTS = 4_096
MASK_BYTES = 1 << 27
HIDDEN_BYTES = 1 << 28
"""What the caches of parts, of layers and of scenes may hold each, beside the newest: a state of 10M scattered patches
takes 40 MB, and states share what did not change."""
SPARSE = 8
"""A layer that shows less than this part of a segment has it gathered (an eighth: below, blocks are mostly empty)."""

GATHERED_BYTES = 48
"""Memory of a gathered patch, about."""
Piece = Entry | Share | None
"""What a part shows: much of its segment, a share of it, or nothing."""


class Showing:
    """Reads layers, their lists and their masks, each once."""

    def __init__(self, store: Store) -> None:
        """Reads from `store`."""
        self.store = store
        self._lists = Kept[str, tuple[LayerSegment, ...]](CACHED_LISTS)
        self._masks = Kept[str, Mask](MASK_BYTES, _mask_bytes)
        self._pieces = Kept[tuple[LayerSegment, bool], Piece](HIDDEN_BYTES, _piece_bytes)
        self._layers = Kept[tuple[str, bool], tuple[Entry, ...]](HIDDEN_BYTES, _bytes_of)
        self._placed = Kept[tuple[str, bool, Transform, int], tuple[Entry, ...]](HIDDEN_BYTES, _bytes_of)
        self._scenes = Kept[str, Scene](HIDDEN_BYTES, lambda scene: _bytes_of(scene.entries))

    def layers(self, commit_id: str) -> tuple[Layer, ...]:
        """Returns the layers of a commit, in order."""
        return self.store.commits.layers(self.store.commits.read(commit_id))

    def parts(self, root: str) -> tuple[LayerSegment, ...]:
        """Returns the list of what a layer shows of each segment, by the list's name."""
        return self._lists.get(root, lambda: self._read_parts(root))

    def mask(self, part: LayerSegment) -> Mask | None:
        """Returns the mask of a part, `None` where all of its kind is shown."""
        name = part.mask
        return None if name is None else self._masks.get(name, lambda: self._read_mask(name))

    def shown_count(self, commit_id: str) -> int:
        """Returns how many instances of patches a commit shows, without opening its segments."""
        layers = [layer for layer in self.layers(commit_id) if layer.visible]
        return sum(part.shown_count for layer in layers for part in self.parts(layer.segments))

    def scene(self, commit_id: str) -> Scene:
        """Returns all that a commit shows."""
        return self._scenes.get(commit_id, lambda: self._read_scene(commit_id))

    def pieces(self, layer: Layer) -> tuple[Entry, ...]:
        """Returns what a layer shows, as entries that are not placed yet (see `placed`)."""
        sky = layer.kind == "sky"
        return self._layers.get((layer.segments, sky), lambda: self.entries(self.parts(layer.segments), sky=sky))

    def placed(self, layer: Layer) -> tuple[Entry, ...]:
        """Returns what a layer shows, as entries where the layer puts them, in a scene of it alone."""
        key = layer.segments, layer.kind == "sky", layer.placement, layer.ordinal_offset
        return self._placed.get(key, lambda: tuple(placed(piece, 0, layer) for piece in self.pieces(layer)))

    def entries(
        self, parts: Iterable[LayerSegment], *, sky: bool, drafted: Mapping[str, Mask] = MappingProxyType({})
    ) -> tuple[Entry, ...]:
        """Returns what parts of a layer show, as entries that are not placed yet; sparse ones are gathered.

        Args:
            parts: of one layer.
            sky: whether they show the segments' sky, or their surfaces.
            drafted: masks that are not stored yet, by name.
        """
        pieces = [self._drafted_or_stored(part, drafted.get(part.mask or ""), sky) for part in parts]
        whole = [piece for piece in pieces if isinstance(piece, Entry)]
        sparse = [piece for piece in pieces if isinstance(piece, Share)]
        return (*whole, *(_gathered(run, sky) for run in groups(sparse)))

    def keep(self, masks: Mapping[str, Mask], lists: Mapping[str, tuple[LayerSegment, ...]]) -> None:
        """Remembers masks and lists of parts that were staged just now, by name: they need not be read back."""
        for name, mask in masks.items():
            self._masks.put(name, mask)
        for root, parts in lists.items():
            self._lists.put(root, parts)

    def _drafted_or_stored(self, part: LayerSegment, drafted: Mask | None, sky: bool) -> Piece:
        if drafted is not None:
            return self._piece(part, drafted, sky)
        return self._pieces.get((part, sky), lambda: self._piece(part, self.mask(part), sky))

    def _piece(self, part: LayerSegment, mask: Mask | None, sky: bool) -> Piece:
        segment = self.store.segments.open(part.segment)
        low, high = np.array(part.low), np.array(part.high)
        if mask is None:
            return _entry(segment, None, low, high, sky)
        count, split = len(segment.patches), segment.patches.surface_count
        first, last = (split, count) if sky else (0, split)
        rows, hidden = mask.rows_shown(count)
        start, stop = np.searchsorted(rows, np.array([first, last])).tolist()
        ever = start + np.flatnonzero(hidden[start:stop])
        if len(ever) * SPARSE >= last - first:
            return _entry(segment, mask.hidden_from(count), low, high, sky)
        return Share(segment, rows[ever], hidden[ever]) if len(ever) else None

    def _read_parts(self, root: str) -> tuple[LayerSegment, ...]:
        return tuple(LayerSegment.from_json(item) for item in self.store.lists.items(root))

    def _read_mask(self, name: str) -> Mask:
        masks = read_pack(self.store.objects, name)
        self.keep(masks, {})
        return masks[name]

    def _read_scene(self, commit_id: str) -> Scene:
        return scene_of([(layer, self.pieces(layer)) for layer in self.layers(commit_id) if layer.visible])


def scene_of(layers: Sequence[tuple[Layer, tuple[Entry, ...]]]) -> Scene:
    """Returns the scene of layers with what they show."""
    entries = (placed(entry, i, layer) for i, (layer, pieces) in enumerate(layers) for entry in pieces)
    return Scene(tuple(entries), tuple(layer.layer_id for layer, _ in layers))


def placed(entry: Entry, position: int, layer: Layer) -> Entry:
    """Returns an entry of the layer at some place in the scene, where the layer puts it."""
    return replace(entry, layer=position, placement=layer.placement, ordinal_offset=layer.ordinal_offset)


def _gathered(shares: list[Share], sky: bool) -> Entry:
    segment, hidden = gather(shares, sky=sky)
    extent = Extent.of(segment.patches, hidden, sky)
    kept = None if (hidden == NEVER_HIDDEN).all() else hidden
    return _entry(segment, kept, extent.low, extent.high, sky)


def _entry(
    segment: Segment, hidden: UInt32[np.ndarray, "n"] | None, low: np.ndarray, high: np.ndarray, sky: bool
) -> Entry:
    return Entry(0, segment, Transform.identity(), sky, low, high, hidden)


_PIECE_BYTES = 1_024
"""What a piece takes beside its rows, about."""


def _mask_bytes(mask: Mask) -> int:
    """Returns the memory of a mask, at most about: two bytes a row."""
    return _PIECE_BYTES + 2 * (len(mask.rows) + sum(len(rows) for _, rows in mask.retired))


def _piece_bytes(piece: Piece) -> int:
    """Returns the memory of a piece that it does not share with its segment."""
    match piece:
        case Entry():
            return _bytes_of((piece,))
        case Share():
            return _PIECE_BYTES + piece.rows.nbytes + piece.hidden_from.nbytes
        case None:
            return _PIECE_BYTES


def _bytes_of(entries: Sequence[Entry]) -> int:
    hidden = sum(entry.hidden_from.nbytes for entry in entries if entry.hidden_from is not None)
    gathered = sum(GATHERED_BYTES * len(e.segment.patches) for e in entries if _is_in_memory(e.segment))
    return _PIECE_BYTES * len(entries) + hidden + gathered


def _is_in_memory(segment: Segment) -> bool:
    """Whether a segment was gathered in memory; one that a flatten wrote is a mapped file."""
    return segment.homes is not None and segment.homes.ids is not None
