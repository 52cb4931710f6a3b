"""Where a walk goes: round trips over the ground of a map that come back by another way.

1. The map is sampled into cells; a cell can be walked where there is headroom, away from walls and things.
2. Neighbouring cells are joined where the floor steps less than a stair; ways near walls cost more.
3. A round goes from home to a far cell along the cheapest way, and back along the cheapest way once the cells of the
   way out cost more. Where the map has a loop the round is one; where it has none, it turns back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.ndimage import binary_dilation, distance_transform_edt, uniform_filter1d
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from memstore.doom.wad import VOID, DoomMap, sectors_at
from memstore.errors import FailedPrecondition

CELL = 16.0
"""Side of a cell, map units: half a metre."""
HEADROOM, STAIR, CLOSED = 56.0, 24.0, 8.0
"""What a player needs above, can step up, and the gap under which a sector is taken for a closed door; map units."""
ELBOW_ROOM, COMFORT = 24.0, 96.0
"""Distance to walls that a walk keeps, and would like to keep; map units."""
WALL_COST, AGAIN_COST = 4.0, 6.0
"""How much dearer a way gets along a wall, and along the way out."""
SHORTEST_REACH = 192.0
"""A round that never gets farther from home than this, map units, is none."""
CANDIDATES = 12
"""Goals that are tried for one round."""
OFF_CENTRE = 0.137
"""Cells are sampled off their centres, as lines lie on whole units."""
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True, eq=False)
class Ground:
    """The walkable part of a map, in cells."""

    origin: Float64[np.ndarray, "2"]
    """South-west corner of cell (0, 0), map units."""
    floor: Float64[np.ndarray, "h w"]
    """Height of the floor of each cell, map units."""
    room: Float64[np.ndarray, "h w"]
    """Distance to the nearest wall, ledge or thing, map units."""

    @property
    def walkable(self) -> Bool[np.ndarray, "h w"]:
        """True where a walk may go."""
        return self.room >= ELBOW_ROOM

    def points(self, cells: Int64[np.ndarray, "n"]) -> Float64[np.ndarray, "n 2"]:
        """Returns the middles of cells given by their flat numbers, map units."""
        rows, columns = np.divmod(cells, self.floor.shape[1])
        return self.origin + (np.stack([columns, rows], axis=1) + 0.5) * CELL


@dataclass(frozen=True, eq=False)
class Round:
    """A way out to a far place and a way home."""

    points: Float64[np.ndarray, "n 2"]
    """The whole way, cell by cell, from home to home; map units."""
    shared: float
    """Share of the way home that runs beside the way out, 0 to 1."""

    @property
    def length(self) -> float:
        """Length of the whole way, map units."""
        return _length(self.points)

    @property
    def reach(self) -> float:
        """How far the way leads from home in a straight line, map units."""
        return float(np.hypot(*(self.points - self.points[0]).T).max())


def survey(doom_map: DoomMap, things: Float64[np.ndarray, "n 2"]) -> Ground:
    """Returns the ground of a map that has things standing in the way at `things`.

    Raises:
        FailedPrecondition: nothing of the map can be walked.
    """
    ends = doom_map.lines.reshape(-1, 2)
    origin, size = ends.min(axis=0) - CELL, np.ceil(np.ptp(ends, axis=0) / CELL).astype(int) + 2
    xs, ys = (origin[axis] + (np.arange(size[axis]) + 0.5 + OFF_CENTRE) * CELL for axis in (0, 1))
    sector = sectors_at(doom_map, xs, ys)
    floor, ceiling = np.where(sector == VOID, 0.0, np.moveaxis(doom_map.heights[sector], -1, 0))
    gap = ceiling - floor
    free = (sector != VOID) & ((gap >= HEADROOM) | (gap < CLOSED))
    for points in (*_barriers(doom_map), things):
        columns, rows = np.clip((points - origin) // CELL, 0, size - 1).astype(int).T
        free[rows, columns] = False
    ground = Ground(origin, floor, np.asarray(distance_transform_edt(free)) * CELL)
    if not ground.walkable.any():
        raise FailedPrecondition("the map has no ground that a player could walk on; choose another map.")
    return ground


def choose_home(ground: Ground, rng: np.random.Generator) -> int:
    """Returns a roomy cell of the largest part of the map that hangs together, by chance."""
    _, part = connected_components(_ways(ground), directed=False)
    largest = (part == np.argmax(np.bincount(part[ground.walkable.ravel()]))) & ground.walkable.ravel()
    roomy = np.flatnonzero(largest & (ground.room.ravel() >= COMFORT))
    return int(rng.choice(roomy if len(roomy) else np.flatnonzero(largest)))


def plan_round(ground: Ground, home: int, length: float, rng: np.random.Generator) -> Round:
    """Returns a round from `home` of about `length` map units: of some goals the one that shares the least way.

    Raises:
        FailedPrecondition: home lies in a closet.
    """
    ways = _ways(ground)
    cost, before = dijkstra(ways, indices=home, return_predecessors=True)
    rounds = [
        _round(ground, ways, _trace(before, home, goal))
        for goal in _goals(ground, before, cost, home, length, rng).tolist()
    ]
    far = [r for r in rounds if r.reach >= SHORTEST_REACH]
    if not far:
        raise FailedPrecondition("the walk has nowhere to go from its home; choose another seed or map.")
    fitting = [r for r in far if r.length <= 1.25 * length] or [min(far, key=lambda r: r.length)]
    return min(fitting, key=lambda r: r.shared)


def endless(ground: Ground, home: int, length: float, rng: np.random.Generator) -> Iterator[Float64[np.ndarray, "2"]]:
    """Yields the points of a walk that never ends: every round is walked twice, so the second sees it all again."""
    while True:
        points = plan_round(ground, home, length, rng).points
        yield from points
        yield from points


def _barriers(doom_map: DoomMap) -> Iterator[Float64[np.ndarray, "n 2"]]:
    """Yields points along every line that cannot be walked across."""
    floors = doom_map.heights[:, 0]
    solid = (doom_map.back == VOID) | (doom_map.front == VOID)
    ledge = np.abs(floors[doom_map.front] - floors[doom_map.back]) > STAIR
    for x1, y1, x2, y2 in doom_map.lines[solid | ledge]:
        share = np.linspace(0, 1, 2 + int(np.hypot(x2 - x1, y2 - y1) / (CELL / 2)))[:, None]
        yield (1 - share) * np.array([x1, y1]) + share * np.array([x2, y2])


def _ways(ground: Ground) -> csr_array:
    """Returns the costs between neighbouring cells as a symmetric sparse matrix."""
    shape = ground.floor.shape
    number = np.arange(ground.floor.size).reshape(shape)
    price = 1 + WALL_COST * np.clip(1 - ground.room / COMFORT, 0, 1)
    rows, columns, costs = [], [], []
    for down, right in STEPS:
        here = np.s_[: shape[0] - down, max(0, -right) : shape[1] - max(0, right)]
        there = np.s_[down:, max(0, right) : shape[1] + min(0, right)]
        joined = ground.walkable[here] & ground.walkable[there]
        joined &= np.abs(ground.floor[here] - ground.floor[there]) <= STAIR
        rows.append(number[here][joined])
        columns.append(number[there][joined])
        costs.append(np.hypot(down, right) * CELL * (price[here] + price[there])[joined] / 2)
    half = csr_array(
        (np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))), (number.size, number.size)
    )
    return csr_array(half + half.T)


def _goals(
    ground: Ground, before: np.ndarray, cost: np.ndarray, home: int, length: float, rng: np.random.Generator
) -> Int64[np.ndarray, "n"]:
    """Returns cells about half of `length` away from home by the way, or the farthest there is."""
    reached = np.flatnonzero(np.isfinite(cost) & (cost > 0))
    some = rng.choice(reached, min(len(reached), 16 * CANDIDATES), replace=False)
    walked = np.array([_length(ground.points(_trace(before, home, goal))) for goal in some.tolist()])
    return some[np.argsort(np.abs(walked - 0.42 * length), kind="stable")][:CANDIDATES]


def _round(ground: Ground, ways: csr_array, out: Int64[np.ndarray, "n"]) -> Round:
    """Returns the way out completed by a way home that shuns it."""
    used = np.zeros(ground.floor.size, bool)
    used[out[len(out) // 8 : -len(out) // 8 or None]] = True
    used = binary_dilation(used.reshape(ground.floor.shape), iterations=6).ravel()
    dearer = ways.copy()
    dearer.data *= np.where(used[dearer.indices], AGAIN_COST, 1.0)
    _, before = dijkstra(dearer, indices=int(out[-1]), return_predecessors=True)
    back = _trace(before, int(out[-1]), int(out[0]))
    cells = np.concatenate([out, back[1:]])
    return Round(_smooth(ground.points(cells)), float(used[back].mean()))


def _trace(before: np.ndarray, first: int, last: int) -> Int64[np.ndarray, "n"]:
    """Returns the cells from `first` to `last` along a tree of predecessors."""
    cells = [last]
    while cells[-1] != first:
        cells.append(before[cells[-1]])
    return np.array(cells[::-1], np.int64)


def _smooth(points: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """Returns a way without the corners of its cells; its ends stay."""
    return uniform_filter1d(points, 5, axis=0, mode="nearest")


def _length(points: Float64[np.ndarray, "n 2"]) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())
