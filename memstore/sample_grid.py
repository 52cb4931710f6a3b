"""Samples: the points of a target image at which visibility is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from memstore.camera import Camera
from memstore.query import Query

SAMPLES_PER_TOKEN = 4
"""Samples along a side of a token: an eighth of a token is the worst error in the place of an occluding edge."""


@dataclass(frozen=True)
class SampleGrid:
    """The samples over a target image, and what turns camera axes into them."""

    rays_x: Float64[np.ndarray, "w"]
    """x / z of each column of samples."""
    rays_y: Float64[np.ndarray, "h"]
    """y / z of each row of samples."""
    lens: Float64[np.ndarray, "4"]
    """fx, fy, cx, cy in pixels."""
    step_px: float
    """Pixels between two samples; the first lies half a step inside."""
    size_px: tuple[int, int]
    """Width and height of the image."""
    inverse_depths: tuple[float, float]
    """Smallest and largest 1 / depth that counts: of far (0 for none) and near."""

    @classmethod
    def of(cls, camera: Camera, token_px: int, query: Query) -> SampleGrid:
        """Returns the samples of a camera whose image is a multiple of `token_px`."""
        step = token_px / SAMPLES_PER_TOKEN
        columns, rows = (size // token_px * SAMPLES_PER_TOKEN for size in (camera.width, camera.height))
        return cls(
            ((np.arange(columns) + 0.5) * step - camera.cx) / camera.fx,
            ((np.arange(rows) + 0.5) * step - camera.cy) / camera.fy,
            np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
            step,
            (camera.width, camera.height),
            (1 / query.far_m, 1 / query.near_m),
        )
