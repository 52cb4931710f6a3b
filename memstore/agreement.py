"""Agreement: how well two surface clouds that lie in one world fit each other, told without the fitter's own figures.

All is told from both sides.

- A *partner* of a point is a point of the other cloud that faces the same way, and whose plane is at most 5 cm away.
- **Overlap** is the share of points with a partner among those within 0.5 m of the other cloud.
- **Agreement** is the overlap along each of the three main directions of the normals, where a point counts by how much
  it faces along it; the worst direction counts. Any two floors agree when one is set upon the other, and most points
  are on floors; walls agree only in the same place.
- **Contradiction** is the share of the lines of sight that pass through a surface of the other cloud, from 0.3 m before
  it to 0.3 m behind it, among these and those that end at a partner.
- **Spread** is the standard deviation left in each degree of freedom, if all partners of one facing in a cell of 1 m
  are together one measurement of distance with an error of 2 cm (or of the residual, where that is larger).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.spatial import KDTree

from memstore.surface_cloud import SurfaceCloud, cells

NEAR_M, PARTNER_M = 0.5, 0.05
"""Within what distance a point should have a partner, and how far off the partner's plane may be."""
SAME_FACING = 0.9
"""Cosine of the largest angle between the normals of partners: 26 degrees."""
TRIED = 6
"""Nearest points among which a partner is looked for."""
CELL_M, NOISE_M = 1.0, 0.02
"""Size and error of one measurement: the errors of neighbours are alike, as where a step or a door moved a wall."""
MIN_FACING = 2.0
"""Fewest measurements that face along a direction (their sum of squared cosines) for its overlap to say anything."""
UNKNOWN = 1e-9
"""Information in a degree of freedom that nothing constrains: a spread of some 600 m or rad."""
RAYS = 3_000
"""Lines of sight that are followed from each side, evenly over the cloud: their share is known to 1 %."""
STEP_M, LIMIT_M = 0.25, 15.0
"""Steps along a line of sight, and how far from the eye it is followed."""
DISC_M, DEPTH_M = 0.2, 0.3
"""How near a point a line has to pass, and how far in front of the surface there it must begin, and behind it end."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """How well two clouds fit each other."""

    overlap: float
    """Share of the points near the other cloud with a partner, 0 to 1, of the side that has fewer."""
    worst: float
    """Overlap along the direction where it is smallest, 0 to 1."""
    worst_direction: Float64[np.ndarray, "3"]
    """Unit vector of that direction."""
    contradiction: float
    """Share of the lines of sight that pass through the other cloud, 0 to 1."""
    residual_m: float
    """Median distance of points from their partners' planes, metres; infinite without partners."""
    center: Float64[np.ndarray, "3"]
    """Mean of the points with partners, metres."""
    covariance: Float64[np.ndarray, "6 6"]
    """Of turns about x, y, z through `center`, radians, and shifts along x, y, z, metres."""

    def widest_shift(self) -> tuple[float, Float64[np.ndarray, "3"]]:
        """Returns the largest standard deviation of a shift, metres, and its direction."""
        return _widest(self.covariance[3:, 3:])

    def widest_turn(self) -> tuple[float, Float64[np.ndarray, "3"]]:
        """Returns the largest standard deviation of a turn, radians, and its axis."""
        return _widest(self.covariance[:3, :3])


@dataclass(frozen=True, eq=False)
class Side:
    """A cloud that can be asked for what lies near a place."""

    cloud: SurfaceCloud
    """Its points."""
    tree: KDTree
    """The same, to search."""

    @classmethod
    def of(cls, cloud: SurfaceCloud) -> Side:
        """Returns a cloud made ready."""
        return cls(cloud, KDTree(cloud.points))


def agreement(one: Side, two: Side) -> Agreement:
    """Returns how well two clouds of at least one point each fit each other."""
    of_two, of_one = _partners(one, two.cloud), _partners(two, one.cloud)
    near = _joined(one.cloud.part(of_one.near), two.cloud.part(of_two.near))
    distance = np.concatenate([of_one.distance_m[of_one.near], of_two.distance_m[of_two.near]])
    weight = _weights(near)
    partnered = distance <= PARTNER_M
    worst, direction = _worst(near.normals, weight, partnered)
    residual = float(np.median(distance[partnered])) if partnered.any() else np.inf
    joint = near.part(partnered)
    center = joint.points.mean(axis=0) if len(joint) else np.zeros(3)
    return Agreement(
        overlap=min(of_one.overlap, of_two.overlap),
        worst=worst,
        worst_direction=direction,
        contradiction=_contradiction(one, two, of_one, of_two),
        residual_m=residual,
        center=center,
        covariance=_covariance(joint, weight[partnered], center, max(NOISE_M, residual)),
    )


@dataclass(frozen=True, eq=False)
class _Partners:
    """What the points of one cloud found in the other."""

    near: Bool[np.ndarray, "m"]
    """Whether anything is near."""
    distance_m: Float64[np.ndarray, "m"]
    """Distance from the partner's plane; more than `PARTNER_M`, or infinite, without a partner."""

    @property
    def overlap(self) -> float:
        """Share of those near the other cloud that have a partner."""
        return float((self.distance_m[self.near] <= PARTNER_M).mean()) if self.near.any() else 0.0


def _partners(side: Side, cloud: SurfaceCloud) -> _Partners:
    """Looks for the partners of `cloud` in `side`."""
    distance, place = side.tree.query(cloud.points, k=TRIED, distance_upper_bound=NEAR_M)
    found = np.isfinite(distance)
    place[~found] = 0
    normals, points = side.cloud.normals[place], side.cloud.points[place]
    same = found & (np.einsum("mki,mi->mk", normals, cloud.normals) > SAME_FACING)
    off_plane = np.abs(np.einsum("mki,mki->mk", normals, points - cloud.points[:, None]))
    return _Partners(found[:, 0], np.where(same, off_plane, np.inf).min(axis=1))


def _joined(one: SurfaceCloud, two: SurfaceCloud) -> SurfaceCloud:
    return SurfaceCloud(
        np.concatenate([one.points, two.points]),
        np.concatenate([one.normals, two.normals]),
        np.concatenate([one.eyes, two.eyes]),
    )


def _weights(cloud: SurfaceCloud) -> Float64[np.ndarray, "m"]:
    """Returns what part each point has in the measurement of its cell."""
    _, cell, count = np.unique(cells(cloud, CELL_M), return_inverse=True, return_counts=True)
    return 1 / count[cell]


def _worst(
    normals: Float64[np.ndarray, "m 3"], weight: Float64[np.ndarray, "m"], partnered: Bool[np.ndarray, "m"]
) -> tuple[float, Float64[np.ndarray, "3"]]:
    """Returns the smallest overlap along a main direction of the normals that enough faces, and that direction."""
    _, directions = np.linalg.eigh(normals.T @ normals)
    facing = (normals @ directions) ** 2
    share = facing[partnered].sum(axis=0) / np.maximum(facing.sum(axis=0), UNKNOWN)
    share[(facing * weight[:, None]).sum(axis=0) < MIN_FACING] = np.inf
    worst = int(share.argmin())
    return float(share[worst]) if np.isfinite(share[worst]) else 0.0, directions[:, worst]


def _covariance(
    joint: SurfaceCloud, weight: Float64[np.ndarray, "m"], center: Float64[np.ndarray, "3"], noise_m: float
) -> Float64[np.ndarray, "6 6"]:
    """Returns the covariance of the motion that distances from the planes of `joint` leave open."""
    slope = np.concatenate([np.cross(joint.points - center, joint.normals), joint.normals], axis=1)
    information = (slope * weight[:, None]).T @ slope / noise_m**2 if len(joint) else np.zeros((6, 6))
    return np.linalg.inv(information + UNKNOWN / NOISE_M**2 * np.eye(6))


def _widest(covariance: Float64[np.ndarray, "3 3"]) -> tuple[float, Float64[np.ndarray, "3"]]:
    variance, directions = np.linalg.eigh(covariance)
    return float(np.sqrt(max(variance[-1], 0.0))), directions[:, -1]


def _contradiction(one: Side, two: Side, of_one: _Partners, of_two: _Partners) -> float:
    """Returns the share of lines of sight that pass through the other cloud."""
    through, confirmed = 0, 0
    for seen, other, partners in ((one, two, of_one), (two, one, of_two)):
        rays = np.unique(np.linspace(0, len(seen.cloud) - 1, min(RAYS, len(seen.cloud))).astype(np.int64))
        crossing = _passes_through(seen.cloud.part(rays), other)
        through += int(crossing.sum())
        confirmed += int((~crossing & (partners.distance_m[rays] <= PARTNER_M)).sum())
    return through / max(through + confirmed, 1)


def _passes_through(seen: SurfaceCloud, other: Side) -> Bool[np.ndarray, "m"]:
    """Returns which lines from eye to point pass through a surface of the other cloud."""
    line = seen.points - seen.eyes
    length = np.linalg.norm(line, axis=1)
    steps = np.ceil(np.minimum(length, LIMIT_M) / STEP_M).astype(np.int64)
    ray = np.repeat(np.arange(len(seen)), steps)
    along_m = (np.arange(len(ray)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) * STEP_M
    places = seen.eyes[ray] + line[ray] * (along_m / length[ray])[:, None]
    distance, nearest = other.tree.query(places, distance_upper_bound=np.hypot(STEP_M / 2, DISC_M))
    ray, nearest = ray[np.isfinite(distance)], nearest[np.isfinite(distance)]
    point, normal = other.cloud.points[nearest], other.cloud.normals[nearest]
    before = np.einsum("mi,mi->m", seen.eyes[ray] - point, normal)
    after = np.einsum("mi,mi->m", seen.points[ray] - point, normal)
    passing = (before > DEPTH_M) & (after < -DEPTH_M)
    ray, point, share = ray[passing], point[passing], (before / np.where(passing, before - after, 1))[passing]
    on_disc = np.linalg.norm(seen.eyes[ray] + line[ray] * share[:, None] - point, axis=1) < DISC_M
    crossing = np.zeros(len(seen), np.bool_)
    crossing[ray[on_disc]] = True
    return crossing
