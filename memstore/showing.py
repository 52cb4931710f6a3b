"""Showing: what layers show, as scenes ready to search.

A layer that shows much of a segment becomes an entry with a mask; what it shows of segments of which it shows little is
gathered into one entry (`gather.py`), so that a hundred small objects cost what they hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import UInt32

from memstore.gather import Share, gather, groups
from memstore.index import Extent
from memstore.layer import Layer, LayerSegment, Mask
from memstore.segment import NEVER_HIDDEN, Entry, Scene, Segment
from memstore.storage.masks import read_mask
from memstore.storage.store import Store
from memstore.transform import Transform

CACHED_SCENES = 8
CACHED_LISTS = 4_096
CACHED_MASKS = 4_096
CACHED_HIDDEN = 512
CACHED_LAYERS = 1_024
SPARSE = 8
"""A layer that shows less than this part of a segment has it gathered (an eighth: below, blocks are mostly empty)."""

MaskOf = Callable[[LayerSegment], Mask | None]


class Showing:
    """Reads layers, their lists and their masks, each once."""

    def __init__(self, store: Store) -> None:
        """Reads from `store`."""
        self.store = store
        self.parts = lru_cache(CACHED_LISTS)(self._read_parts)
        self.scene = lru_cache(CACHED_SCENES)(self._read_scene)
        self._mask = lru_cache(CACHED_MASKS)(lambda name: read_mask(store.objects, name))
        self._hidden = lru_cache(CACHED_HIDDEN)(lambda name, row_count: self._mask(name).hidden_from(row_count))
        self._pieces = lru_cache(CACHED_LAYERS)(self._read_pieces)

    def layers(self, commit_id: str) -> tuple[Layer, ...]:
        """Returns the layers of a commit, in order."""
        return self.store.commits.layers(self.store.commits.read(commit_id))

    def mask(self, part: LayerSegment) -> Mask | None:
        """Returns the mask of a part, `None` where all of its kind is shown."""
        return None if part.mask is None else self._mask(part.mask)

    def shown_count(self, commit_id: str) -> int:
        """Returns how many instances of patches a commit shows, without opening its segments."""
        layers = [layer for layer in self.layers(commit_id) if layer.visible]
        return sum(part.shown_count for layer in layers for part in self.parts(layer.segments))

    def pieces(self, layer: Layer) -> tuple[Entry, ...]:
        """Returns what a layer shows, as entries that are not placed yet (see `placed`)."""
        return self._pieces(layer.segments, layer.kind == "sky")

    def entries(self, parts: Iterable[LayerSegment], *, sky: bool, mask_of: MaskOf | None = None) -> tuple[Entry, ...]:
        """Returns what parts of a layer show, as entries that are not placed yet; sparse ones are gathered."""
        whole: list[Entry] = []
        sparse: list[Share] = []
        for part in parts:
            segment = self.store.segments.open(part.segment)
            hidden = self._hidden_from(part, segment, mask_of)
            rows = None if hidden is None else _sparse_rows(hidden, segment, sky)
            if rows is None:
                whole.append(_entry(segment, hidden, np.array(part.low), np.array(part.high), sky))
            elif hidden is not None and len(rows):
                sparse.append(Share(segment, rows, hidden[rows]))
        return (*whole, *(_gathered(run, sky) for run in groups(sparse)))

    def _hidden_from(
        self, part: LayerSegment, segment: Segment, mask_of: MaskOf | None
    ) -> UInt32[np.ndarray, "n"] | None:
        if part.mask is None:
            return None
        if mask_of is None:
            return self._hidden(part.mask, len(segment.patches))
        mask = mask_of(part)
        return None if mask is None else mask.hidden_from(len(segment.patches))

    def _read_parts(self, root: str) -> tuple[LayerSegment, ...]:
        return tuple(LayerSegment.from_json(item) for item in self.store.lists.items(root))

    def _read_pieces(self, root: str, sky: bool) -> tuple[Entry, ...]:
        return self.entries(self.parts(root), sky=sky)

    def _read_scene(self, commit_id: str) -> Scene:
        return scene_of([(layer, self.pieces(layer)) for layer in self.layers(commit_id) if layer.visible])


def scene_of(layers: Sequence[tuple[Layer, tuple[Entry, ...]]]) -> Scene:
    """Returns the scene of layers with what they show."""
    entries = (placed(entry, i, layer) for i, (layer, pieces) in enumerate(layers) for entry in pieces)
    return Scene(tuple(entries), tuple(layer.layer_id for layer, _ in layers))


def placed(entry: Entry, position: int, layer: Layer) -> Entry:
    """Returns an entry of the layer at some place in the scene, where the layer puts it."""
    return replace(entry, layer=position, placement=layer.placement, ordinal_offset=layer.ordinal_offset)


def _sparse_rows(hidden: UInt32[np.ndarray, "n"], segment: Segment, sky: bool) -> UInt32[np.ndarray, "k"] | None:
    """Returns the rows ever shown, if they are few; `None` if they are many."""
    split = segment.patches.surface_count
    first, last = (split, len(hidden)) if sky else (0, split)
    rows = first + np.flatnonzero(hidden[first:last])
    return rows.astype(np.uint32) if len(rows) * SPARSE < last - first else None


def _gathered(shares: list[Share], sky: bool) -> Entry:
    segment, hidden = gather(shares, sky=sky)
    extent = Extent.of(segment.patches, hidden, sky)
    kept = None if (hidden == NEVER_HIDDEN).all() else hidden
    return _entry(segment, kept, extent.low, extent.high, sky)


def _entry(
    segment: Segment, hidden: UInt32[np.ndarray, "n"] | None, low: np.ndarray, high: np.ndarray, sky: bool
) -> Entry:
    return Entry(0, segment, Transform.identity(), sky, low, high, hidden)
