"""Resolve: a selection becomes instances of patches.

1. Every layer that is shown gives its entries, placed; of each, the rows shown as of now are the universe.
2. The tree of the selection is answered an entry at a time, as one truth value a row; `None` says that no row is meant,
   so that what a shape does not reach costs one box test.
3. A shape's planes cull the blocks of a segment; the centres of the rest, placed in the world, are asked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt32, UInt64

from memstore.draft import Draft
from memstore.errors import InvalidInput, Reason
from memstore.extent import placed_extent
from memstore.frustum import Frustum
from memstore.index import OUTSIDE, sides
from memstore.layer import Layer
from memstore.patch import split_ids
from memstore.segment import NEVER_HIDDEN, Entry
from memstore.selection import (
    And,
    Everything,
    Finer,
    Frames,
    Kinds,
    Layers,
    Made,
    Not,
    Or,
    Ordinals,
    PatchIds,
    Selection,
)
from memstore.shape import Box, HalfSpace, Shape, Sphere, ViewFrustum
from memstore.summary import Bounds

Truth = Bool[np.ndarray, "n"] | None
"""Per row of an entry whether it is meant; `None` for no row."""


@dataclass(frozen=True, eq=False)
class Hits:
    """The rows of one entry that a selection means."""

    layer: Layer
    """The layer that shows them."""
    entry: Entry
    """The entry, placed."""
    rows: UInt32[np.ndarray, "n"]
    """Rows of the entry's segment, increasing, at least one."""

    def centers(self) -> Float64[np.ndarray, "n 3"]:
        """Returns the patches' centres in the world, metres; of sky, directions."""
        return _centers(self.entry, self.rows)

    def ids(self) -> UInt64[np.ndarray, "n"]:
        """Returns the patches' ids."""
        return self.entry.segment.ids(self.rows)


@dataclass(frozen=True, eq=False)
class Instances:
    """Instances of patches: what a selection means."""

    hits: tuple[Hits, ...]
    """By entry."""

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(len(hits.rows) for hits in self.hits)

    def by_layer(self) -> Mapping[str, Mapping[int, UInt32[np.ndarray, "k"]]]:
        """Returns rows by layer id and by the segment that they are patches of."""
        return self._by_layer

    @cached_property
    def _by_layer(self) -> Mapping[str, Mapping[int, UInt32[np.ndarray, "k"]]]:
        found: dict[str, dict[int, UInt32[np.ndarray, "k"]]] = {}
        for hits in self.hits:
            found.setdefault(hits.layer.layer_id, {}).update(_by_segment(hits))
        return found

    def counts(self) -> Mapping[str, int]:
        """Returns how many instances of each layer they are, by layer id."""
        found: dict[str, int] = {}
        for hits in self.hits:
            found[hits.layer.layer_id] = found.get(hits.layer.layer_id, 0) + len(hits.rows)
        return found

    def bounds(self) -> Bounds | None:
        """Returns a box around the surfaces' spheres, `None` where there are none."""
        boxes = [placed_extent(h.entry.segment.patches, h.rows, h.entry.placement) for h in self._surfaces()]
        if not boxes:
            return None
        low, high = np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)
        return Bounds(tuple(low.tolist()), tuple(high.tolist()))

    def centroid(self) -> Float64[np.ndarray, "3"]:
        """Returns the mean of the surfaces' centres, metres; the origin where there are none."""
        surfaces = list(self._surfaces())
        count = sum(len(hits.rows) for hits in surfaces)
        return sum((hits.centers().sum(axis=0) for hits in surfaces), np.zeros(3)) / max(count, 1)

    def _surfaces(self) -> Iterator[Hits]:
        return (hits for hits in self.hits if not hits.entry.sky)


def resolve(selection: Selection, draft: Draft, made: Sequence[frozenset[str]] = ()) -> Instances:
    """Returns what a selection means in a draft.

    Args:
        selection: the question.
        draft: what is shown.
        made: ids of the layers that each earlier operation made, for `Made`.

    Raises:
        NotFound: it names a layer that is not there.
        InvalidInput: it names an operation that has not run.
    """
    shown = ((layer, entry) for layer in draft.layers if layer.visible for entry in draft.placed(layer.layer_id))
    return resolve_entries(selection, draft, shown, made)


def resolve_entries(
    selection: Selection, draft: Draft, entries: Iterator[tuple[Layer, Entry]], made: Sequence[frozenset[str]] = ()
) -> Instances:
    """Returns what a selection means of some entries alone. Errors as `resolve`."""
    question = _Question(draft, made)
    question.check(selection)
    found: list[Hits] = []
    for layer, entry in entries:
        truth = question.answer(selection, layer, entry)
        if truth is not None and len(rows := np.flatnonzero(truth)):
            found.append(Hits(layer, entry, rows.astype(np.uint32)))
    return Instances(tuple(found))


class _Question:
    """Answers the tree of a selection for one entry at a time."""

    def __init__(self, draft: Draft, made: Sequence[frozenset[str]]) -> None:
        self._draft = draft
        self._made = made
        self._around = cache(_around)

    def check(self, selection: Selection) -> None:
        """Refuses names of layers and operations that are not there."""
        match selection:
            case And(parts) | Or(parts):
                for part in parts:
                    self.check(part)
            case Not(part):
                self.check(part)
            case Layers(names):
                for name in names:
                    self._draft.find(name)
            case PatchIds(_, layer) if layer:
                self._draft.find(layer)
            case Made(operation) if operation >= len(self._made):
                raise InvalidInput(
                    f"operation {operation} of this edit was selected, but only {len(self._made)} came before.",
                    field="operation",
                )
            case _:
                pass

    def answer(self, selection: Selection, layer: Layer, entry: Entry) -> Truth:
        """Returns which shown rows of an entry are meant."""
        match selection:
            case And(parts):
                return reduce(_both, (self.answer(part, layer, entry) for part in parts))
            case Or(parts):
                return reduce(_either, (self.answer(part, layer, entry) for part in parts))
            case Not(part):
                meant = self.answer(part, layer, entry)
                return _universe(entry) if meant is None else _universe(entry) & ~meant
            case _:
                return self._leaf(selection, layer, entry)

    def _leaf(self, selection: Selection, layer: Layer, entry: Entry) -> Truth:
        match selection:
            case Everything():
                return _universe(entry)
            case Layers(names):
                return _universe(entry) if layer.name in names or layer.layer_id in names else None
            case Kinds(kinds):
                return _universe(entry) if layer.kind in kinds else None
            case Made(operation):
                return _universe(entry) if layer.layer_id in self._made[operation] else None
            case PatchIds(ids, wanted):
                return _of_ids(entry, ids) if not wanted or wanted in (layer.name, layer.layer_id) else None
            case Frames(ordinals):
                return _of_frames(entry, np.isin(_ordinals(entry), ordinals))
            case Finer(radius_m):
                return None if entry.sky else _of_size(entry, radius_m)
            case Ordinals(start, stop):
                return _of_frames(entry, (_ordinals(entry) >= start) & (_ordinals(entry) < stop))
            case Box() | Sphere() | HalfSpace() | ViewFrustum():
                return None if entry.sky else _of_shape(entry, selection, self._around(selection))
            case _:
                raise InvalidInput(f"{type(selection).__name__} cannot be resolved here.", field="selection")


def require_some(instances: Instances, selection: Selection, draft: Draft) -> Instances:
    """Returns the instances.

    Raises:
        InvalidInput: there are none; the message names the nearest patch and the bounds.
    """
    if instances.count:
        return instances
    everything = resolve(Everything(), draft)
    bounds = everything.bounds()
    if bounds is None:
        raise InvalidInput("nothing is selected: the world shows no surface.", reason=Reason.EMPTY_SELECTION)
    low, high = (", ".join(f"{x:.2f}" for x in corner) for corner in (bounds.low, bounds.high))
    raise InvalidInput(
        f"{_named(selection)} selects nothing{_nearest(selection, everything)}; the world reaches from ({low}) to "
        f"({high}) m. Select more, use what an earlier operation of this edit returned if it moved what you mean, or "
        "pass allow_empty=True.",
        reason=Reason.EMPTY_SELECTION,
        field="selection",
    )


def _nearest(selection: Selection, everything: Instances) -> str:
    """Returns where the patch nearest to a box or a ball is, in words; "" for other selections."""
    if not isinstance(selection, Box | Sphere):
        return ""
    best, where = np.inf, np.zeros(3)
    for hits in everything.hits:
        centers = hits.centers()
        distance = np.linalg.norm(centers - selection.center, axis=1)
        if not hits.entry.sky and distance.min() < best:
            best, where = float(distance.min()), centers[distance.argmin()]
    x, y, z = where
    return f"; the nearest patch is {best:.2f} m from its centre, at ({x:.2f}, {y:.2f}, {z:.2f})"


def _named(selection: Selection) -> str:
    match selection:
        case Box(center, size_m):
            return f"the box of {tuple(round(s, 2) for s in size_m)} m at {tuple(round(c, 2) for c in center)}"
        case Sphere(center, radius_m):
            return f"the ball of {radius_m:g} m at {tuple(round(c, 2) for c in center)}"
        case _:
            return f"the selection ({type(selection).__name__})"


def _universe(entry: Entry) -> Bool[np.ndarray, "n"]:
    """Returns the rows that an entry shows as of now."""
    split, count = entry.segment.patches.surface_count, len(entry.segment.patches)
    shown = np.zeros(count, np.bool_)
    part = np.s_[split:] if entry.sky else np.s_[:split]
    shown[part] = True if entry.hidden_from is None else entry.hidden_from[part] == NEVER_HIDDEN
    return shown


def _of_ids(entry: Entry, ids: UInt64[np.ndarray, "k"]) -> Truth:
    segment = entry.segment
    if segment.homes is not None and segment.homes.ids is not None:
        homes = segment.homes.ids
        at = np.minimum(np.searchsorted(ids, homes), max(len(ids) - 1, 0))
        return _universe(entry) & (ids[at] == homes) if len(ids) else None
    first, last = np.searchsorted(ids, np.array([segment.ordinal, segment.ordinal + 1], np.uint64) << np.uint64(32))
    rows = split_ids(ids[first:last])[1]
    meant = np.zeros(len(segment.patches), np.bool_)
    meant[rows[rows < len(meant)]] = True
    return meant & _universe(entry) if len(rows) else None


def _ordinals(entry: Entry) -> Int64[np.ndarray, "f"]:
    return entry.segment.frames.ordinal + entry.ordinal_offset


def _of_frames(entry: Entry, wanted: Bool[np.ndarray, "f"]) -> Truth:
    return _universe(entry) & wanted[entry.segment.patches.frame] if wanted.any() else None


def _of_size(entry: Entry, radius_m: float) -> Truth:
    return _universe(entry) & (entry.placement.scale * entry.segment.patches.radius <= radius_m)


def _of_shape(entry: Entry, shape: Shape, around: Frustum) -> Truth:
    blocks, columns = entry.segment.blocks, entry.segment.columns
    planes = around.carried(entry.placement, entry.segment.patches.origin)
    box = entry.low - entry.segment.patches.origin, entry.high - entry.segment.patches.origin
    if sides(planes, box[0][None], box[1][None])[0] == OUTSIDE:
        return None
    surfaces = blocks.surface_blocks
    touched = np.flatnonzero(sides(planes, columns.low[:surfaces], columns.high[:surfaces]) != OUTSIDE)
    runs = [np.arange(blocks.start[b], blocks.start[b + 1], dtype=np.uint32) for b in touched.tolist()]
    if not runs:
        return None
    rows = np.concatenate(runs)
    meant = np.zeros(len(entry.segment.patches), np.bool_)
    meant[rows[shape.contains(_centers(entry, rows))]] = True
    return meant & _universe(entry)


def _around(shape: Shape) -> Frustum:
    """Returns half-spaces that hold a shape, and little else."""
    match shape:
        case Box(center, size_m, rotation):
            half = np.array(size_m) / 2
            return Frustum(np.vstack([rotation.T, -rotation.T]), np.concatenate([half, half]), np.array(center))
        case Sphere(center, radius_m):
            return Frustum(np.vstack([np.eye(3), -np.eye(3)]), np.full(6, radius_m), np.array(center))
        case HalfSpace(normal, offset_m):
            return Frustum(np.array([normal]), np.zeros(1), offset_m * np.array(normal))
        case ViewFrustum(camera, near_m, far_m):
            return Frustum.of(camera, near_m, far_m)


def _centers(entry: Entry, rows: UInt32[np.ndarray, "n"]) -> Float64[np.ndarray, "n 3"]:
    patches = entry.segment.patches
    center = patches.center[rows].astype(np.float64)
    if entry.sky:
        return center @ entry.placement.rotation.T
    return entry.placement.apply(center + patches.origin)


def _by_segment(hits: Hits) -> Mapping[int, UInt32[np.ndarray, "k"]]:
    segment = hits.entry.segment
    if segment.homes is None or segment.homes.ids is None:
        return {segment.ordinal: hits.rows}
    ordinals, rows = split_ids(np.sort(hits.ids()))
    segments, first = np.unique(ordinals, return_index=True)
    return dict(zip(segments.tolist(), np.split(rows, first[1:]), strict=True))


def _both(one: Truth, other: Truth) -> Truth:
    return None if one is None or other is None else one & other


def _either(one: Truth, other: Truth) -> Truth:
    if one is None or other is None:
        return other if one is None else one
    return one | other
