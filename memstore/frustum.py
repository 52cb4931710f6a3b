"""A camera's frustum as half-spaces, and the same half-spaces carried into the space of a segment.

A placement (s, R, t) is applied to the camera, never to the patches: carried planes and matrices hold the scale, so
that what they give is in metres of the world, whatever the scale of the layer. A sphere touches the frustum when it
touches every half-space; that never misses one, and keeps a few spheres outside near the frustum's edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from memstore.camera import Camera
from memstore.transform import Transform

SIDES = 4
"""Planes through the camera's centre: left, right, top, bottom. They come first."""


@dataclass(frozen=True)
class Frustum:
    """p half-spaces: x is inside where normals @ (x - center) + offsets >= 0 in every row."""

    normals: Float64[np.ndarray, "p 3"]
    """Unit normals in world axes, inwards: left, right, top, bottom, near and, unless it is infinite, far."""
    offsets: Float64[np.ndarray, "p"]
    """Signed distance of the camera's centre from each plane, metres; 0 for the sides."""
    center: Float64[np.ndarray, "3"]
    """The camera's centre in the world, metres."""

    @classmethod
    def of(cls, camera: Camera, near_m: float, far_m: float) -> Frustum:
        """Returns the frustum of the whole image from planar depth `near_m` to `far_m`, metres."""
        inward = np.array(
            [
                [camera.fx, 0, camera.cx],
                [-camera.fx, 0, camera.width - camera.cx],
                [0, camera.fy, camera.cy],
                [0, -camera.fy, camera.height - camera.cy],
                [0, 0, 1],
                [0, 0, -1],
            ]
        )
        offsets = np.array([0.0, 0.0, 0.0, 0.0, -near_m, far_m])
        bounded = np.isfinite(offsets)
        unit = inward / np.linalg.norm(inward, axis=1, keepdims=True)
        # (world <- camera) @ camera axes
        return cls((unit @ camera.camera_to_world[:3, :3].T)[bounded], offsets[bounded], camera.center)

    def carried(self, placement: Transform, origin: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "p 4"]:
        """Returns rows (n, d): a point p, relative to a placed segment's origin, lies n @ p + d world metres inside."""
        shift = self.normals @ (placement.apply(origin) - self.center) + self.offsets
        return np.column_stack([placement.scale * (self.normals @ placement.rotation), shift])

    def carried_directions(self, placement: Transform) -> Float64[np.ndarray, "4 4"]:
        """Returns the sides alone, for directions of a placed sky: no translation, no scale, no near, no far."""
        normals = self.normals[:SIDES] @ placement.rotation
        return np.column_stack([normals, np.zeros(SIDES)])


@dataclass(frozen=True)
class CarriedCamera:
    """camera <- segment: matrix @ p + offset, in metres of the world along the camera's axes."""

    rotation: Float64[np.ndarray, "3 3"]
    """Turns directions of the segment into the camera's axes."""
    offset: Float64[np.ndarray, "3"]
    """The segment's origin seen from the camera, metres; zero for sky."""
    scale: float
    """World metres per metre of the segment; 1 for sky."""

    @classmethod
    def of(cls, camera: Camera, placement: Transform, origin: Float64[np.ndarray, "3"], *, sky: bool) -> CarriedCamera:
        """Carries `camera` into a segment placed in the world; of sky, only the rotation counts."""
        camera_from_world = camera.camera_to_world[:3, :3].T
        rotation = camera_from_world @ placement.rotation
        if sky:
            return cls(rotation, np.zeros(3), 1.0)
        return cls(rotation, camera_from_world @ (placement.apply(origin) - camera.center), placement.scale)

    @property
    def matrix(self) -> Float64[np.ndarray, "3 3"]:
        """The rotation times the scale."""
        return self.scale * self.rotation
