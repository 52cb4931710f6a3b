"""A draft: the layers of a commit, changed in memory. Nothing is written, and nobody waits, until `stage`."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import UInt32
from pyroaring import BitMap

from memstore.errors import NotFound, Reason
from memstore.extent import Extent
from memstore.layer import Layer, LayerSegment, Mask
from memstore.segment import NEVER_HIDDEN, Entry, Scene
from memstore.showing import Showing, placed, scene_of
from memstore.storage.masks import stage_masks

Parts = Mapping[int, LayerSegment]
"""What a layer shows of each segment, by segment ordinal."""
_DRAFTED = "draft:"


class Draft:
    """Layers in the making, on top of those of a commit."""

    def __init__(self, showing: Showing, layers: Iterable[Layer]) -> None:
        """Starts from `layers`, as `showing` reads them."""
        self.showing = showing
        self._layers = {layer.layer_id: layer for layer in layers}
        self._parts: dict[str, dict[int, LayerSegment]] = {}
        self._masks: dict[str, Mask] = {}
        self._pieces: dict[str, tuple[Entry, ...]] = {}

    def copy(self) -> Draft:
        """Returns a draft that goes its own way from here."""
        twin = Draft(self.showing, self.layers)
        twin._parts, twin._masks, twin._pieces = dict(self._parts), dict(self._masks), dict(self._pieces)
        return twin

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order; lists of segments that changed have no name yet."""
        return tuple(self._layers.values())

    def find(self, name: str) -> Layer:
        """Returns the layer of that name or id.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        found = self._layers.get(name) or next((one for one in self.layers if one.name == name), None)
        if found is None:
            names = [layer.name for layer in self.layers]
            near = difflib.get_close_matches(name, names, n=3) or names[:10]
            raise NotFound(
                f"there is no layer {name!r}; " + (f"there are {', '.join(near)}." if near else "there are none yet."),
                reason=Reason.LAYER_NOT_FOUND,
                layer=name,
            )
        return found

    def free_name(self, wanted: str) -> str:
        """Returns a name that no layer bears: `wanted`, or `wanted` with a number."""
        taken = {layer.name for layer in self.layers}
        if wanted not in taken:
            return wanted
        return next(name for i in range(2, len(taken) + 3) if (name := f"{wanted}-{i}") not in taken)

    def parts(self, layer_id: str) -> Parts:
        """Returns what a layer shows of each segment."""
        if layer_id not in self._parts:
            listed = self.showing.parts(self._layers[layer_id].segments)
            self._parts[layer_id] = {part.segment: part for part in listed}
        return self._parts[layer_id]

    def mask(self, part: LayerSegment) -> Mask | None:
        """Returns the mask of a part, staged or stored; `None` where all of its kind is shown."""
        if part.mask is not None and part.mask in self._masks:
            return self._masks[part.mask]
        return self.showing.mask(part)

    def hidden_from(self, part: LayerSegment) -> UInt32[np.ndarray, "n"]:
        """Returns for each row of a part's segment the frame ordinal from which it is hidden."""
        row_count = len(self.showing.store.segments.open(part.segment).patches)
        mask = self.mask(part)
        return np.full(row_count, NEVER_HIDDEN, np.uint32) if mask is None else mask.hidden_from(row_count)

    def put(self, layer: Layer) -> Layer:
        """Adds a layer, or replaces the one of its id; what it shows stays as it was."""
        self._layers[layer.layer_id] = layer
        return layer

    def add(self, layer: Layer, parts: Iterable[LayerSegment]) -> Layer:
        """Adds a layer, or replaces the one of its id, that shows `parts`."""
        self._layers[layer.layer_id] = layer
        self._changed(layer.layer_id, {part.segment: part for part in parts})
        return layer

    def remove(self, layer_id: str) -> None:
        """Takes a layer away."""
        for kept in (self._layers, self._parts, self._pieces):
            kept.pop(layer_id, None)

    def part(self, segment: int, mask: Mask, *, sky: bool) -> LayerSegment:
        """Returns what a mask shows of a segment's surfaces, or of its sky, as a part of a layer."""
        patches = self.showing.store.segments.open(segment).patches
        extent = Extent.of_rows(patches, *mask.rows_shown(len(patches)), sky)
        name = f"{_DRAFTED}{len(self._masks)}"
        self._masks[name] = mask
        low, high = (tuple(corner.tolist()) for corner in (extent.low, extent.high))
        if extent.low[0] > extent.high[0]:
            low, high = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)  # JSON has no infinity; nothing is shown, so no one looks
        return LayerSegment(segment, extent.shown_count, low, high, name)

    def hide(self, layer_id: str, rows: Mapping[int, BitMap]) -> None:
        """Hides rows of a layer for good, by segment."""
        parts = self.parts(layer_id)
        masks = {segment: self._mask_or_all(parts[segment]).without(gone) for segment, gone in rows.items()}
        self._mask_anew(layer_id, masks)

    def restore(self, layer_id: str, rows: Mapping[int, BitMap]) -> None:
        """Shows hidden rows of a layer again, by segment."""
        parts = self.parts(layer_id)
        masks = {segment: self._mask_or_all(parts[segment]).restored(back) for segment, back in rows.items()}
        self._mask_anew(layer_id, masks)

    def pieces(self, layer_id: str) -> tuple[Entry, ...]:
        """Returns what a layer shows, as entries that are not placed yet."""
        layer = self._layers[layer_id]
        if not self._is_changed(layer_id):
            return self.showing.pieces(layer)
        if layer_id not in self._pieces:
            parts = self._parts[layer_id].values()
            self._pieces[layer_id] = self.showing.entries(parts, sky=layer.kind == "sky", drafted=self._masks)
        return self._pieces[layer_id]

    def placed(self, layer_id: str) -> tuple[Entry, ...]:
        """Returns what a layer shows, as entries where the layer puts them, in a scene of it alone."""
        layer = self._layers[layer_id]
        if not self._is_changed(layer_id):
            return self.showing.placed(layer)
        return tuple(placed(piece, 0, layer) for piece in self.pieces(layer_id))

    def scene(self) -> Scene:
        """Returns all that the draft shows."""
        return scene_of([(layer, self.pieces(layer.layer_id)) for layer in self.layers if layer.visible])

    def shown_count(self) -> int:
        """Returns how many instances of patches the draft shows."""
        return sum(self.layer_count(layer.layer_id) for layer in self.layers if layer.visible)

    def layer_count(self, layer_id: str) -> int:
        """Returns how many patches a layer shows, or would show if it were visible."""
        return sum(part.shown_count for part in self.parts(layer_id).values())

    def stage(self) -> tuple[Layer, ...]:
        """Stages masks and lists among the store's objects and returns the layers; the caller holds the lock."""
        names = self._stage_masks()
        return tuple(self._staged(layer, names) for layer in self.layers)

    def _mask_or_all(self, part: LayerSegment) -> Mask:
        return self.mask(part) or Mask(False, BitMap())

    def _mask_anew(self, layer_id: str, masks: Mapping[int, Mask]) -> None:
        sky = self._layers[layer_id].kind == "sky"
        fresh = {segment: self.part(segment, mask, sky=sky) for segment, mask in masks.items()}
        self._changed(layer_id, {**self.parts(layer_id), **fresh})

    def _changed(self, layer_id: str, parts: dict[int, LayerSegment]) -> None:
        self._parts[layer_id] = parts
        self._pieces.pop(layer_id, None)
        layer = self._layers[layer_id]
        self._layers[layer_id] = replace(layer, segments=_unnamed(layer.segments))

    def _is_changed(self, layer_id: str) -> bool:
        return self._layers[layer_id].segments.startswith(_DRAFTED)

    def _stage_masks(self) -> dict[str, str]:
        """Stages the masks that some part still names, and returns their lasting names."""
        changed = [self._parts[layer.layer_id] for layer in self.layers if self._is_changed(layer.layer_id)]
        named = [part.mask or "" for parts in changed for part in parts.values()]
        wanted = [name for name in dict.fromkeys(named) if name in self._masks]
        staged = stage_masks(self.showing.store.objects, [self._masks[name] for name in wanted])
        self.showing.keep({name: self._masks[drafted] for drafted, name in zip(wanted, staged, strict=True)}, {})
        return dict(zip(wanted, staged, strict=True))

    def _staged(self, layer: Layer, names: Mapping[str, str]) -> Layer:
        if not self._is_changed(layer.layer_id):
            return layer
        drafted = self._parts[layer.layer_id].values()
        parts = [replace(part, mask=name) if (name := names.get(part.mask or "")) else part for part in drafted]
        root = self._stage_list(_named(layer.segments), parts)
        self.showing.keep({}, {root: tuple(parts)})
        return replace(layer, segments=root)

    def _stage_list(self, before: str, parts: list[LayerSegment]) -> str:
        """Stages a list of parts, sharing the nodes of the list that it came from."""
        lists = self.showing.store.lists
        old = self.showing.parts(before) if before else ()
        if [part.segment for part in old] != [part.segment for part in parts]:
            return lists.of(part.to_json() for part in parts)
        changes = {i: new.to_json() for i, (new, was) in enumerate(zip(parts, old, strict=True)) if new != was}
        return lists.replaced(before, changes) if changes else before


def new_layer_id() -> str:
    """Returns an id that no layer has."""
    return uuid.uuid4().hex[:16]


def _unnamed(segments: str) -> str:
    """Marks the name of a list of segments as that of the list which a draft changed."""
    return segments if segments.startswith(_DRAFTED) else _DRAFTED + segments


def _named(segments: str) -> str:
    return segments.removeprefix(_DRAFTED)
