"""Search: from a camera to candidate patches, never missing one. Pure arrays, no reading or writing.

1. `arrange` puts the patches of a segment in Morton order and bounds every 256 of them by a box, once, at ingest.
2. `search` tests the boxes of a scene's entries, then the boxes of their blocks, then the patches' own spheres, all
   against the planes of the frustum carried into each segment. A block that lies wholly inside spares its patches.
3. What edits, retirement, `as_of` and `before` hide is left out on the way.

Candidates come in an order of their own (surfaces before sky, then layer, segment, row), whatever the order of
`Scene.entries`. Patches that turn their back are candidates too: a wall hides what is behind it from either side.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt32, UInt64
from numba import njit

from memstore.arrays import bare
from memstore.camera import Camera
from memstore.frustum import Frustum
from memstore.patch import Patches
from memstore.query import Query
from memstore.segment import NEVER_HIDDEN, Blocks, Entry, Scene
from memstore.transform import Transform

BLOCK_ROWS = 256
MORTON_BITS = 21
SLACK = 1e-12
"""Share of the terms of a box test by which it may err towards keeping: far above float64 rounding."""
OUTSIDE, TOUCHES, INSIDE = 0, 1, 2
_ALL_FRAMES = np.empty(0, np.bool_)
_NOTHING_HIDDEN = np.empty(0, np.uint32)


@dataclass(frozen=True)
class Candidates:
    """n instances of patches, by entry and row."""

    entry: UInt32[np.ndarray, "n"]
    """Position in the scene's entries."""
    row: UInt32[np.ndarray, "n"]
    """Row in the entry's segment."""

    def __len__(self) -> int:
        return len(self.row)

    def runs(self) -> Iterator[tuple[int, slice]]:
        """Yields (entry, slice) for every stretch of instances of one entry."""
        if len(self):
            cuts = [0, *(np.flatnonzero(np.diff(self.entry)) + 1).tolist(), len(self)]
            for first, last in pairwise(cuts):
                yield int(self.entry[first]), slice(first, last)

    def take(self, positions: Int64[np.ndarray, "k"]) -> Candidates:
        """Returns the instances at these positions."""
        return Candidates(self.entry[positions], self.row[positions])


def arrange(patches: Patches) -> tuple[Patches, Blocks]:
    """Returns the patches in Morton order, surfaces before sky, and the blocks that bound them."""
    order = order_of(patches)
    arranged = replace(
        patches,
        center=patches.center[order],
        radius=patches.radius[order],
        normal=patches.normal[order],
        frame=patches.frame[order],
        cell=patches.cell[order],
        color=patches.color[order],
        parts=patches.parts[order],
    )
    return arranged, _blocks(arranged)


def order_of(patches: Patches) -> Int64[np.ndarray, "n"]:
    """Returns the rows in Morton order, surfaces before sky."""
    split = patches.surface_count
    surfaces, sky = morton(patches.center[:split]), morton(patches.center[split:])
    return np.concatenate([np.argsort(surfaces, kind="stable"), split + np.argsort(sky, kind="stable")])


def morton(points: Float32[np.ndarray, "n 3"]) -> UInt64[np.ndarray, "n"]:
    """Returns each point's place along a Z-order curve through the cube around all of them.

    >>> morton(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)).argsort().tolist()
    [0, 1, 2]
    """
    if not len(points):
        return np.empty(0, np.uint64)
    corner = points.min(axis=0).astype(np.float64)
    side = float((points.max(axis=0) - corner).max()) or 1.0
    cells = ((points - corner) / side * (2**MORTON_BITS - 1)).astype(np.uint64)
    return _spread(cells[:, 0]) | _spread(cells[:, 1]) << np.uint64(1) | _spread(cells[:, 2]) << np.uint64(2)


def _spread(cells: UInt64[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    """Returns 21-bit numbers with two zero bits between every two bits."""
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        cells = (cells | cells << np.uint64(shift)) & np.uint64(mask)
    return cells


def _blocks(patches: Patches) -> Blocks:
    split, count = patches.surface_count, len(patches)
    first = np.concatenate([np.arange(0, split, BLOCK_ROWS), np.arange(split, count, BLOCK_ROWS)])
    center, radius = patches.center.astype(np.float64), patches.radius.astype(np.float64)[:, None]
    return Blocks(
        start=np.append(first, count).astype(np.uint32),
        low=np.nextafter(np.minimum.reduceat(center - radius, first).astype(np.float32), np.float32(-np.inf)),
        high=np.nextafter(np.maximum.reduceat(center + radius, first).astype(np.float32), np.float32(np.inf)),
        surface_blocks=-(-split // BLOCK_ROWS),
    )


@dataclass(frozen=True)
class Directory:
    """The entries of a scene in search's own order, with the boxes of what they show in the world."""

    order: Int64[np.ndarray, "e"]
    """Positions in the scene's entries, surfaces before sky, then by layer and segment; empty ones are left out."""
    low: Float64[np.ndarray, "e 3"]
    """Smallest corner of each placed box, metres; of sky, of directions turned into the world."""
    high: Float64[np.ndarray, "e 3"]
    """Largest corner of that box."""
    surfaces: int
    """Entries before this show surfaces, entries from here on show sky."""

    @classmethod
    def of(cls, scene: Scene) -> Directory:
        """Reads the entries of a scene."""
        full = [i for i, entry in enumerate(scene.entries) if (entry.low <= entry.high).all()]
        order = sorted(full, key=lambda i: _rank(scene.entries[i]))
        boxes = np.array([_placed_box(scene.entries[i]) for i in order], np.float64).reshape(-1, 2, 3)
        surfaces = sum(not scene.entries[i].sky for i in order)
        return cls(np.array(order, np.int64), boxes[:, 0].copy(), boxes[:, 1].copy(), surfaces)

    def touching(self, frustum: Frustum) -> Int64[np.ndarray, "k"]:
        """Returns the positions of entries whose boxes touch the frustum, in order."""
        world, split = Transform.identity(), self.surfaces
        surfaces = sides(frustum.carried(world, np.zeros(3)), self.low[:split], self.high[:split])
        sky = sides(frustum.carried_directions(world), self.low[split:], self.high[split:])
        return self.order[np.concatenate([surfaces, sky]) != OUTSIDE]


def _rank(entry: Entry) -> tuple[bool, int, int]:
    return entry.sky, entry.layer, entry.segment.ordinal


def _placed_box(entry: Entry) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    placement = entry.placement
    middle, half = (entry.low + entry.high) / 2, (entry.high - entry.low) / 2
    turned = np.abs(placement.rotation) @ half
    if entry.sky:
        middle = placement.rotation @ middle
        return middle - turned, middle + turned
    middle = placement.apply(middle)
    return middle - placement.scale * turned, middle + placement.scale * turned


_directories: dict[int, Directory] = {}


def _directory(scene: Scene) -> Directory:
    """Returns the directory of a scene, made at its first search and kept for as long as the scene lives."""
    found = _directories.get(id(scene))
    if found is None:
        found = _directories[id(scene)] = Directory.of(scene)
        weakref.finalize(scene, _directories.pop, id(scene), None)
    return found


def search(scene: Scene, camera: Camera, query: Query) -> Candidates:
    """Returns every patch that is shown and whose sphere touches the frustum, and no other.

    Order: surfaces before sky, then layer, segment, row.
    """
    frustum = Frustum.of(camera, query.near_m, query.far_m)
    rows = {i: _touching_rows(scene.entries[i], frustum, query) for i in _directory(scene).touching(frustum).tolist()}
    if not rows:
        return Candidates(np.empty(0, np.uint32), np.empty(0, np.uint32))
    entry = np.repeat(np.fromiter(rows, np.uint32, len(rows)), [len(found) for found in rows.values()])
    return Candidates(entry, np.concatenate(list(rows.values())))


def _touching_rows(entry: Entry, frustum: Frustum, query: Query) -> UInt32[np.ndarray, "k"]:
    patches, blocks, columns = entry.segment.patches, entry.segment.blocks, entry.segment.columns
    if entry.sky:
        planes, scale, part = frustum.carried_directions(entry.placement), 1.0, np.s_[blocks.surface_blocks :]
        most = len(patches) - patches.surface_count
    else:
        planes, scale = frustum.carried(entry.placement, patches.origin), entry.placement.scale
        part, most = np.s_[: blocks.surface_blocks], patches.surface_count
    rows = np.empty(most, np.uint32)
    count = _search_blocks(
        planes,
        scale,
        columns.start[:-1][part],
        columns.start[1:][part],
        columns.low[part],
        columns.high[part],
        columns.center,
        columns.radius,
        columns.frame,
        bare(_known_frames(entry, query)),
        bare(_NOTHING_HIDDEN if entry.hidden_from is None else entry.hidden_from),
        -1 if query.as_of is None else max(0, query.as_of - entry.ordinal_offset),
        rows,
    )
    return rows[:count].copy()


def _known_frames(entry: Entry, query: Query) -> Bool[np.ndarray, "f"]:
    """Returns which frames `as_of` and `before` let through; empty for all."""
    if query.as_of is None and query.before is None:
        return _ALL_FRAMES
    ordinal = entry.segment.frames.ordinal + entry.ordinal_offset
    known = np.ones(len(ordinal), np.bool_)
    if query.as_of is not None:
        known &= ordinal <= query.as_of
    if query.before is not None:
        known &= ordinal < query.before
    return known


# Kernels call no kernel of another file: numba's cache would not see that the other file changed.


@njit(cache=True, nogil=True)
@no_type_check
def _side(planes: Any, low: Any, high: Any) -> int:
    """OUTSIDE when the box lies wholly outside some plane, INSIDE when wholly inside all, else TOUCHES."""
    side = INSIDE
    for k in range(len(planes)):
        distance, reach, size = planes[k, 3], 0.0, abs(planes[k, 3])
        for axis in range(3):
            lowest, highest = np.float64(low[axis]), np.float64(high[axis])
            distance += planes[k, axis] * (lowest + highest) / 2
            reach += abs(planes[k, axis]) * (highest - lowest) / 2
            size += abs(planes[k, axis]) * max(abs(lowest), abs(highest))
        if distance + reach < -SLACK * size:
            return OUTSIDE
        if distance - reach < SLACK * size:
            side = TOUCHES
    return side


@njit(cache=True, nogil=True)
@no_type_check
def sides(planes: Any, low: Any, high: Any) -> Any:
    """Returns for each box whether it lies OUTSIDE some plane, INSIDE all, or TOUCHES."""
    found = np.empty(len(low), np.uint8)
    for i in range(len(low)):
        found[i] = _side(planes, low[i], high[i])
    return found


@njit(cache=True, nogil=True)
@no_type_check
def _search_blocks(
    planes: Any,
    scale: float,
    start: Any,
    stop: Any,
    low: Any,
    high: Any,
    center: Any,
    radius: Any,
    frame: Any,
    known: Any,
    hidden_from: Any,
    as_of: int,
    rows: Any,
) -> int:
    """Writes to `rows` what is shown and touches every plane; returns how many that are."""
    count = 0
    for b in range(len(start)):
        side = _side(planes, low[b], high[b])
        if side == OUTSIDE:
            continue
        for row in range(start[b], stop[b]):
            if len(known) and not known[frame[row]]:
                continue
            if len(hidden_from) and _is_hidden(hidden_from[row], as_of):
                continue
            if side == INSIDE or _sphere_touches(planes, center[row], scale * radius[row]):
                rows[count] = row
                count += 1
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _is_hidden(hidden_from: int, as_of: int) -> bool:
    """Hidden for good by an edit (0), or retired, unless the memory is seen as of an earlier frame."""
    if hidden_from == NEVER_HIDDEN:
        return False
    return hidden_from == 0 or as_of < 0 or as_of >= hidden_from


@njit(cache=True, nogil=True)
@no_type_check
def _sphere_touches(planes: Any, center: Any, radius: float) -> bool:
    for k in range(len(planes)):
        distance = planes[k, 0] * center[0] + planes[k, 1] * center[1] + planes[k, 2] * center[2] + planes[k, 3]
        if distance < -radius:
            return False
    return True
