"""Footprints: what each candidate patch covers, carried into the target camera.

A patch covers the square of its token as its own source camera saw it, on its own plane: no more than was looked at.
With `ray` = (x / z, y / z, 1) of a target pixel, the plane lies at inverse depth w = plane @ ray, so the point there is
ray / w, and in the source image, counted in tokens, that is

    source tokens <- target camera:  K [A | b] (ray / w, 1), along (A + b plane^T) @ ray

with rigid [A | b], in metres of the world: a homography for each patch, from one 3 x 4 matrix for each source frame.
Sky has no plane: zeros in its place leave A, which is how directions are carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float64, Int16, Int32, Int64, UInt16
from numba import njit

from memstore.arrays import bare
from memstore.camera import Camera
from memstore.frustum import CarriedCamera
from memstore.index import Candidates
from memstore.segment import Entry, Scene


@dataclass(frozen=True)
class Footprints:
    """n candidates in camera axes, metres of the world. Of sky: unit directions and sines of angular radii."""

    center: Float64[np.ndarray, "n 3"]
    """Centre."""
    radius: Float64[np.ndarray, "n"]
    """Radius of the sphere that bounds it."""
    normal: Int16[np.ndarray, "n 2"]
    """Normal in the axes of the segment, packed: most candidates are hidden before theirs is needed."""
    token: UInt16[np.ndarray, "n 2"]
    """Column and row of its token in the source image."""
    parts: UInt16[np.ndarray, "n"]
    """Which parts of that token it fills, as `Patches.parts`."""
    sky: Bool[np.ndarray, "n"]
    """Which are sky."""
    view: Int32[np.ndarray, "n"]
    """Which of `rotations` and `sources` it belongs to."""
    rotations: Float64[np.ndarray, "v 3 3"]
    """camera <- segment, for each source frame."""
    sources: Float64[np.ndarray, "v 3 4"]
    """source tokens <- camera, for each source frame; the last column counts for surfaces alone."""

    @classmethod
    def of(cls, scene: Scene, camera: Camera, candidates: Candidates) -> Footprints:
        """Carries every candidate into the camera's axes."""
        runs = [(scene.entries[position], run) for position, run in candidates.runs()]
        first = np.cumsum([0, *(len(entry.segment.frames) for entry, _ in runs)]).tolist()
        footprints = cls._empty(len(candidates), first[-1])
        for (entry, run), start in zip(runs, first[:-1], strict=True):
            footprints._fill(entry, camera, candidates.row[run], run, start)
        return footprints

    @classmethod
    def _empty(cls, count: int, views: int) -> Footprints:
        return cls(
            center=np.empty((count, 3)),
            radius=np.empty(count),
            normal=np.empty((count, 2), np.int16),
            token=np.empty((count, 2), np.uint16),
            parts=np.empty(count, np.uint16),
            sky=np.empty(count, np.bool_),
            view=np.empty(count, np.int32),
            rotations=np.empty((views, 3, 3)),
            sources=np.empty((views, 3, 4)),
        )

    def _fill(self, entry: Entry, camera: Camera, rows: Any, run: slice, start: int) -> None:
        """Carries the rows of one entry to `run`, and its source frames to `start` and on."""
        segment, patches, frames = entry.segment, entry.segment.patches, entry.segment.frames
        carried = CarriedCamera.of(camera, entry.placement, patches.origin, sky=entry.sky)
        rigid = carried.matrix, carried.rotation, carried.offset
        self.sky[run] = entry.sky
        _carry_sources(
            rigid,
            bare(patches.origin),
            (bare(frames.intrinsics), bare(frames.camera_to_world), frames.width / segment.token_columns),
            (self.rotations[start:], self.sources[start:]),
        )
        _carry_patches(
            rigid,
            carried.scale,
            bare(rows),
            segment.columns[:6],
            (segment.token_columns, start),
            (self.center[run], self.radius[run], self.normal[run], self.view[run], self.token[run], self.parts[run]),
        )

    def take(self, positions: Int64[np.ndarray, "k"]) -> Footprints:
        """Returns the footprints at these positions."""
        return Footprints(
            center=self.center[positions],
            radius=self.radius[positions],
            normal=self.normal[positions],
            token=self.token[positions],
            parts=self.parts[positions],
            sky=self.sky[positions],
            view=self.view[positions],
            rotations=self.rotations,
            sources=self.sources,
        )


@njit(cache=True, nogil=True)
@no_type_check
def _carry_sources(rigid: Any, origin: Any, frames: Any, out: Any) -> None:
    matrix, rotation, offset = rigid
    intrinsics, poses, token_px = frames
    rotations, sources = out
    axes, eye = np.empty((3, 3)), np.empty(3)  # the source camera in the target's axes
    for f in range(len(poses)):
        rotations[f] = rotation
        for i in range(3):
            eye[i] = offset[i]
            for j in range(3):
                eye[i] += matrix[i, j] * (poses[f, j, 3] - origin[j])
                axes[i, j] = 0.0
                for k in range(3):
                    axes[i, j] += rotation[i, k] * poses[f, k, j]
        fx, fy, cx, cy = intrinsics[f]
        for j in range(3):
            sources[f, 0, j] = (fx * axes[j, 0] + cx * axes[j, 2]) / token_px
            sources[f, 1, j] = (fy * axes[j, 1] + cy * axes[j, 2]) / token_px
            sources[f, 2, j] = axes[j, 2]
        for i in range(3):
            sources[f, i, 3] = -(sources[f, i, 0] * eye[0] + sources[f, i, 1] * eye[1] + sources[f, i, 2] * eye[2])


@njit(cache=True, nogil=True)
@no_type_check
def _carry_patches(rigid: Any, scale: float, rows: Any, patches: Any, grid: Any, out: Any) -> None:
    matrix, _, offset = rigid
    points, radii, normals, frames, cells, filled = patches
    columns, start = grid
    center, radius, normal, view, token, parts = out
    for i in range(len(rows)):
        row = rows[i]
        x, y, z = points[row, 0], points[row, 1], points[row, 2]
        for axis in range(3):
            center[i, axis] = matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] * z + offset[axis]
        radius[i] = scale * radii[row]
        normal[i, 0], normal[i, 1] = normals[row, 0], normals[row, 1]
        view[i] = start + frames[row]
        token[i, 0], token[i, 1] = cells[row] % columns, cells[row] // columns
        parts[i] = filled[row]
