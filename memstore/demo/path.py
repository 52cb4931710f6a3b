"""Ways through a place that nobody took: recorded cameras, smoothed and sampled in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation, Slerp

from memstore.camera import Camera

SMOOTHING = 3.0
"""Deviation of the smoothing, recorded frames: hands stop shaking, corners stay corners."""


def smooth_path(cameras: Sequence[Camera], count: int) -> list[Camera]:
    """Returns `count` cameras along a smoothed way, each halfway between neighbours of it rather than at one.

    Args:
        cameras: at least two recorded cameras in order; the first one's lens is used throughout.
        count: how many to return, at least one.
    """
    centers = gaussian_filter1d(np.stack([camera.center for camera in cameras]), SMOOTHING, axis=0, mode="nearest")
    turns = _smooth_turns(np.stack([camera.camera_to_world[:3, :3] for camera in cameras]))
    frames = np.arange(len(cameras))
    # Whole numbers are where frames were recorded: take the halves nearest to an even spacing.
    places = np.floor(np.linspace(0, len(cameras) - 1, count, endpoint=False)) + 0.5
    rotations = Slerp(frames, turns)(places).as_matrix()
    positions = np.stack([np.interp(places, frames, axis) for axis in centers.T], axis=1)
    return [cameras[0].at(_matrix(r, p)) for r, p in zip(rotations, positions, strict=True)]


def distance_to_nearest_m(cameras: Sequence[Camera], recorded: Sequence[Camera]) -> Float64[np.ndarray, "n"]:
    """Returns how far each camera is from the nearest recorded one, metres."""
    places = np.stack([camera.center for camera in cameras])
    known = np.stack([camera.center for camera in recorded])
    return np.linalg.norm(places[:, None] - known[None], axis=-1).min(axis=1)


def _smooth_turns(rotations: Float64[np.ndarray, "f 3 3"]) -> Rotation:
    """Smooths by averaging quaternions, signs aligned: fine for the small turns between neighbours."""
    turns = Rotation.from_matrix(rotations).as_quat()
    flips = np.sign(np.sum(turns[1:] * turns[:-1], axis=1))
    turns[1:] *= np.cumprod(np.where(flips == 0, 1, flips))[:, None]
    return Rotation.from_quat(gaussian_filter1d(turns, SMOOTHING, axis=0, mode="nearest"))


def _matrix(rotation: Float64[np.ndarray, "3 3"], center: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "4 4"]:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, center
    return matrix
