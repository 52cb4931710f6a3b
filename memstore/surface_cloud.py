"""Surface clouds: what a world shows of its surfaces, as points with normals and the eyes that saw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from memstore.patch import decode_normal
from memstore.segment import NEVER_HIDDEN, Entry, Scene
from memstore.shape import Shape
from memstore.transform import Transform

SPACING_M = 0.25
"""Distance between points: two worlds of 120 frames keep some 20,000 of 60,000 each, and fit to millimetres."""
_CELL_BITS = 20
"""Bits of a cell's place along an axis: cells of 0.25 m repeat after 262 km."""


@dataclass(frozen=True, eq=False)
class SurfaceCloud:
    """m points of surfaces: where they are, which way they face, and from where they were seen."""

    points: Float64[np.ndarray, "m 3"]
    """Points of surfaces, metres, world."""
    normals: Float64[np.ndarray, "m 3"]
    """Unit normals towards the side that was seen, world."""
    eyes: Float64[np.ndarray, "m 3"]
    """The centre of the camera that saw each point, metres, world: from there to the point all was free."""

    def __len__(self) -> int:
        return len(self.points)

    def placed(self, placement: Transform) -> SurfaceCloud:
        """Returns the cloud carried along by `placement`."""
        normals = self.normals @ placement.rotation.T
        return SurfaceCloud(placement.apply(self.points), normals, placement.apply(self.eyes))

    def part(self, kept: Bool[np.ndarray, "m"] | Int64[np.ndarray, "k"]) -> SurfaceCloud:
        """Returns the points chosen by a mask or by their places."""
        return SurfaceCloud(self.points[kept], self.normals[kept], self.eyes[kept])

    def spaced(self, spacing_m: float) -> SurfaceCloud:
        """Returns the first point of every cell of that size and every facing."""
        _, first = np.unique(cells(self, spacing_m), return_index=True)
        return self.part(np.sort(first))


def surface_cloud(scene: Scene, region: Shape | None = None, *, spacing_m: float = SPACING_M) -> SurfaceCloud:
    """Returns the surfaces that a scene shows as of now: in every cell, for every facing, the centre of one patch.

    The smallest patch of a cell speaks for it, as it was seen from nearest. Sky is left out. What an edit moved brings
    its eyes along.

    Args:
        scene: what a commit of a world shows.
        region: keeps only the patches whose centres lie in it; `None` keeps all.
        spacing_m: side of the cells, metres.
    """
    parts = [_shown(entry, region) for entry in scene.entries if not entry.sky]
    empty = SurfaceCloud(*np.empty((3, 0, 3)))
    clouds = [empty, *(cloud for cloud, _ in parts)]
    cloud = SurfaceCloud(
        np.concatenate([each.points for each in clouds]),
        np.concatenate([each.normals for each in clouds]),
        np.concatenate([each.eyes for each in clouds]),
    )
    by_size = np.argsort(np.concatenate([np.empty(0), *(radius for _, radius in parts)]), kind="stable")
    return cloud.part(by_size).spaced(spacing_m)


def cells(cloud: SurfaceCloud, side_m: float) -> Int64[np.ndarray, "m"]:
    """Returns a number for the cell that each point lies in together with the axis, and its sign, that it faces most.

    >>> up = np.array([[0.0, 0.0, 1.0], [0.0, 0.1, 1.0], [0.0, 0.1, -1.0]])
    >>> number = cells(SurfaceCloud(np.full((3, 3), 0.4), up, np.zeros((3, 3))), side_m=1.0)
    >>> (number == number[0]).tolist()
    [True, True, False]
    """
    axis = np.abs(cloud.normals).argmax(axis=1)
    outward = np.take_along_axis(cloud.normals, axis[:, None], axis=1)[:, 0] > 0
    x, y, z = (np.floor(cloud.points / side_m).astype(np.int64) & (2**_CELL_BITS - 1)).T
    return ((x << _CELL_BITS | y) << _CELL_BITS | z) * 6 + 2 * axis + outward


def _shown(entry: Entry, region: Shape | None) -> tuple[SurfaceCloud, Float64[np.ndarray, "m"]]:
    """Returns the surface patches that an entry shows, in the world, with their radii in metres."""
    patches, placement = entry.segment.patches, entry.placement
    rows = np.arange(patches.surface_count)
    if entry.hidden_from is not None:
        rows = rows[entry.hidden_from[rows] == NEVER_HIDDEN]
    points = placement.apply(patches.origin + patches.center[rows].astype(np.float64))
    if region is not None:
        inside = region.contains(points)
        rows, points = rows[inside], points[inside]
    normals = decode_normal(patches.normal[rows]).astype(np.float64) @ placement.rotation.T
    eyes = placement.apply(entry.segment.frames.camera_to_world[:, :3, 3])[patches.frame[rows]]
    return SurfaceCloud(points, normals, eyes), placement.scale * patches.radius[rows].astype(np.float64)
