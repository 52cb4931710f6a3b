"""Merge: two states of a world that came from one, made one again. Nothing is written.

Layers are merged by id: each field three-way, what they show by segment and row (`rows.py`). A part of a layer that
only one side changed is taken as it is, so that equal lists of segments are shared and never read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Int64, UInt32
from pyroaring import BitMap

from memstore.compared import ConflictKind, MergeConflict, Policy
from memstore.draft import Draft, Parts
from memstore.history.rows import MergedRows, ThreeWay, merge_segment
from memstore.layer import Layer, LayerSegment, Mask
from memstore.showing import Showing

Layers = tuple[Layer, ...]
_FIELDS: Mapping[str, ConflictKind] = {
    "placement": "placement",
    "ordinal_offset": "placement",
    "name": "name",
    "visible": "visible",
    "kind": "layer",
    "origin": "layer",
    "taken": "layer",
}
_SAID = {"placement": "placed", "name": "named", "visible": "shown or hidden", "layer": "changed"}
_NOTHING: Parts = {}


@dataclass
class _Conflicts:
    """What the sides disagree on, as it is found."""

    names: Mapping[str, str]
    found: dict[tuple[ConflictKind, str], MergeConflict] = field(default_factory=dict)

    def add(self, kind: ConflictKind, layer_id: str, message: str, patch_count: int = 0) -> None:
        before = self.found.get((kind, layer_id))
        count = patch_count + (before.patch_count if before else 0)
        self.found[kind, layer_id] = MergeConflict(kind, layer_id, self.names[layer_id], message, count)


class _Side:
    """One state: its layers by id, and what they show."""

    def __init__(self, showing: Showing, layers: Layers) -> None:
        self.layers = {layer.layer_id: layer for layer in layers}
        self._draft = Draft(showing, layers)

    def root(self, layer_id: str) -> str | None:
        layer = self.layers.get(layer_id)
        return layer.segments if layer else None

    def parts(self, layer_id: str) -> Parts:
        return self._draft.parts(layer_id) if layer_id in self.layers else _NOTHING

    def hidden_from(self, layer_id: str, segment: int, row_count: int) -> UInt32[np.ndarray, "n"]:
        part = self.parts(layer_id).get(segment)
        return np.zeros(row_count, np.uint32) if part is None else self._draft.hidden_from(part)

    def mask(self, layer_id: str, segment: int) -> Mask | None:
        part = self.parts(layer_id).get(segment)
        return Mask(True, BitMap()) if part is None else self._draft.mask(part)


def merge3(
    showing: Showing, base: Layers, ours: Layers, theirs: Layers, policy: Policy = "fail"
) -> tuple[Draft, tuple[MergeConflict, ...]]:
    """Returns what becomes of `ours` when all that changed between `base` and `theirs` is taken in, and the conflicts.

    With the policy `fail`, conflicts leave a draft that is not to be used; with `ours` or `theirs` they are settled.
    """
    if base in (ours, theirs) or ours == theirs:
        return Draft(showing, theirs if base == ours else ours), ()
    return _Merge(showing, base, ours, theirs, policy).run()


class _Merge:
    """One merge at work."""

    def __init__(self, showing: Showing, base: Layers, ours: Layers, theirs: Layers, policy: Policy) -> None:
        self._showing = showing
        self._base, self._ours, self._theirs = (_Side(showing, layers) for layers in (base, ours, theirs))
        self._policy: Policy = policy
        self._names = {layer.layer_id: layer.name for layer in (*base, *theirs, *ours)}
        self._conflicts = _Conflicts(self._names)
        self._draft = Draft(showing, ())
        self._settled: defaultdict[str, dict[int, LayerSegment | None]] = defaultdict(dict)

    def run(self) -> tuple[Draft, tuple[MergeConflict, ...]]:
        self._merge_rows()
        for layer_id in _ordered(self._ours.layers, self._theirs.layers):
            self._merge_layer(layer_id)
        self._number_names()
        return self._draft, tuple(self._conflicts.found.values())

    # What the layers show

    def _merge_rows(self) -> None:
        """Settles what the layers show of the segments of which both sides changed something."""
        ours, theirs = self._changed(self._ours), self._changed(self._theirs)
        for segment in sorted(ours.keys() & theirs.keys()):
            self._merge_segment(segment, ours[segment], theirs[segment])

    def _changed(self, side: _Side) -> dict[int, set[str]]:
        """Returns the ids of the layers of which a side shows a segment differently, by segment."""
        changed: defaultdict[int, set[str]] = defaultdict(set)
        for layer_id in {**self._base.layers, **side.layers}:
            if self._base.root(layer_id) != side.root(layer_id):
                before, after = self._base.parts(layer_id), side.parts(layer_id)
                for segment in before.keys() | after.keys():
                    if before.get(segment) != after.get(segment):
                        changed[segment].add(layer_id)
        return changed

    def _merge_segment(self, segment: int, ours: set[str], theirs: set[str]) -> None:
        changed = sorted(ours | theirs)
        layers = {layer_id: self._three_way(layer_id, segment) for layer_id in changed}
        rows = np.flatnonzero(np.logical_or.reduce([three.changed() for three in layers.values()]))
        few = {layer_id: three.at(rows) for layer_id, three in layers.items()}
        merged = merge_segment(few, lambda: self._base_count(segment, changed)[rows])
        self._note_clashes(merged)
        for layer_id, three in layers.items():
            hidden = three.with_rows(rows, _settle(merged, layer_id, few[layer_id], self._policy))
            if layer_id in ours & theirs or merged.clashing.any():
                self._settled[layer_id][segment] = self._part(layer_id, segment, three, hidden)
            if layer_id in ours & theirs:
                self._note_removal(layer_id, segment, three)

    def _three_way(self, layer_id: str, segment: int) -> ThreeWay:
        patches = self._showing.store.segments.open(segment).patches
        count, split = len(patches), patches.surface_count
        first, stop = (split, count) if self._is_sky(layer_id) else (0, split)
        return ThreeWay(
            base=self._base.hidden_from(layer_id, segment, count),
            ours=self._ours.hidden_from(layer_id, segment, count),
            theirs=self._theirs.hidden_from(layer_id, segment, count),
            first=first,
            stop=stop,
        )

    def _base_count(self, segment: int, changed: Iterable[str]) -> Int64[np.ndarray, "n"]:
        """Returns how many layers show each row, of those that no side changed."""
        same = [name for name in self._base.layers if name not in changed and segment in self._base.parts(name)]
        count = np.zeros(len(self._showing.store.segments.open(segment).patches), np.int64)
        for three in (self._three_way(name, segment) for name in same):
            count += three.shown(three.base)
        return count

    def _note_clashes(self, merged: MergedRows) -> None:
        who = {(True, True): "both sides show", (True, False): "this side shows", (False, True): "the other side shows"}
        for layer_id, count in merged.by_layer.items():
            name = self._names[layer_id]
            self._conflicts.add(
                "patches",
                layer_id,
                f"both sides changed the same patches of {name!r}, and {who[merged.moved_by]} them elsewhere",
                count,
            )

    def _note_removal(self, layer_id: str, segment: int, three: ThreeWay) -> None:
        """Notes a segment that one side took out of a layer while the other newly shows some of it."""
        parts = [side.parts(layer_id).get(segment) for side in (self._base, self._ours, self._theirs)]
        if parts[0] is None or (parts[1] is None) == (parts[2] is None):
            return
        shows = three.ours if parts[2] is None else three.theirs
        if three.shown(shows)[shows > three.base].any():
            self._conflicts.add(
                "layer", layer_id, f"one side removed what the other restored of {self._names[layer_id]!r}"
            )
            if self._policy != "fail":
                self._settled[layer_id][segment] = parts[1] if self._policy == "ours" else parts[2]

    def _part(
        self, layer_id: str, segment: int, three: ThreeWay, hidden: UInt32[np.ndarray, "n"]
    ) -> LayerSegment | None:
        """Returns what is merged as a part of a layer: that of a side where it is the same, `None` for no part."""
        sides = (self._ours, self._theirs)
        if not three.shown(hidden).any() and any(segment not in side.parts(layer_id) for side in sides):
            return None
        for side, same in zip(sides, (three.ours, three.theirs), strict=True):
            if np.array_equal(hidden, same):
                return side.parts(layer_id).get(segment)
        masks = [side.mask(layer_id, segment) for side in (self._base, *sides)]
        limited = [mask.rows for mask in masks if mask is not None and mask.shows]
        domain = limited[0].union(*limited[1:]) if len(limited) == len(masks) else None
        return self._draft.part(segment, Mask.of(hidden, domain), sky=self._is_sky(layer_id))

    # The layers themselves

    def _merge_layer(self, layer_id: str) -> None:
        base, ours, theirs = (side.layers.get(layer_id) for side in (self._base, self._ours, self._theirs))
        if ours is not None and ours is theirs:
            self._keep(ours)
        elif base is not None and (ours is None or theirs is None):
            self._merge_removed(base, ours, theirs)
        elif ours is not None and theirs is not None:
            self._keep(self._fields(base, ours, theirs))
        elif layer := ours or theirs:
            self._keep(layer)

    def _merge_removed(self, base: Layer, ours: Layer | None, theirs: Layer | None) -> None:
        """Takes out what one side removed; what the other added to the layer since stays."""
        left = ours or theirs
        if left is None:
            return
        if _fields_of(left) != _fields_of(base):
            removed, changed = ("this side", "the other") if ours is None else ("the other side", "this side")
            self._conflicts.add("layer", base.layer_id, f"{removed} removed {base.name!r} and {changed} changed it")
            winner = ours if self._policy == "ours" else theirs
            if winner is not None:
                self._draft.put(winner)
            return
        parts = self._parts(base.layer_id)
        if parts:
            self._draft.add(left, parts)

    def _fields(self, base: Layer | None, ours: Layer, theirs: Layer) -> Layer:
        """Returns the merged fields of a layer that both sides have."""
        taken = {}
        for name, kind in _FIELDS.items():
            here, there = getattr(ours, name), getattr(theirs, name)
            before = getattr(base, name) if base else here if here == there else None
            if here not in (before, there) and there != before:
                message = (
                    f"both sides {_SAID[kind]} {ours.name!r} differently: {here} on this side, {there} on the other"
                )
                self._conflicts.add(kind, ours.layer_id, message)
                taken[name] = there if self._policy == "theirs" else here
            else:
                taken[name] = there if here == before else here
        return replace(ours, **taken)

    def _keep(self, layer: Layer) -> None:
        """Takes a layer in, with its merged parts; lists that only one side changed are shared."""
        layer_id = layer.layer_id
        roots = [side.root(layer_id) for side in (self._base, self._ours, self._theirs)]
        if layer_id not in self._settled and (roots[0] in roots[1:] or roots[1] == roots[2]):
            root = (roots[2] if roots[1] == roots[0] else roots[1]) or layer.segments
            self._draft.put(layer if layer.segments == root else replace(layer, segments=root))
        else:
            self._draft.add(layer, self._parts(layer_id))

    def _parts(self, layer_id: str) -> list[LayerSegment]:
        """Returns the merged parts of a layer, by segment."""
        base, ours, theirs = (side.parts(layer_id) for side in (self._base, self._ours, self._theirs))
        settled = self._settled[layer_id]
        merged = list[LayerSegment | None]()
        for segment in sorted(base.keys() | ours.keys() | theirs.keys()):
            is_ours = ours.get(segment) != base.get(segment)
            merged.append(settled.get(segment, ours.get(segment) if is_ours else theirs.get(segment)))
        return [part for part in merged if part is not None]

    def _number_names(self) -> None:
        """Gives another name to layers that bear one which a layer of this side bears."""
        kept = {one.layer_id for one in self._draft.layers if _name_in(self._ours, one.layer_id) == one.name}
        taken = {self._draft.find(layer_id).name for layer_id in kept}
        for layer in [layer for layer in self._draft.layers if layer.layer_id not in kept]:
            if layer.name in taken:
                layer = self._draft.put(replace(layer, name=self._draft.free_name(layer.name)))
            taken.add(layer.name)

    def _is_sky(self, layer_id: str) -> bool:
        layer = next(
            side.layers[layer_id] for side in (self._ours, self._theirs, self._base) if layer_id in side.layers
        )
        return layer.kind == "sky"


def _settle(merged: MergedRows, layer_id: str, three: ThreeWay, policy: Policy) -> UInt32[np.ndarray, "n"]:
    """Returns what a layer hides, the rows that clash as the policy has it."""
    winner = three.theirs if policy == "theirs" else three.ours
    return np.where(merged.clashing, winner, merged.hidden_from[layer_id])


def _ordered(ours: Mapping[str, Layer], theirs: Mapping[str, Layer]) -> list[str]:
    """Returns all layer ids in the order of `ours`, each new one of `theirs` after the one it follows there."""
    order = list(ours)
    previous: str | None = None
    for layer_id in theirs:
        if layer_id not in ours:
            order.insert(0 if previous is None else order.index(previous) + 1, layer_id)
        previous = layer_id
    return order


def _fields_of(layer: Layer) -> tuple[object, ...]:
    return tuple(getattr(layer, name) for name in _FIELDS)


def _name_in(side: _Side, layer_id: str) -> str | None:
    layer = side.layers.get(layer_id)
    return layer.name if layer else None
