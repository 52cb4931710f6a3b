"""How near memory's picture of a view comes to the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from skimage.metrics import structural_similarity

Rgb = UInt8[np.ndarray, "h w 3"]

ROUNDING_ERROR = 1 / 12
"""Mean squared error that rounding to whole steps makes by itself: what is nearer counts as this near (58.9 dB)."""


@dataclass(frozen=True)
class Score:
    """One view's."""

    coverage: float
    """Share of the view that patches cover, 0 to 1."""
    known: float
    """Share of pixels that memory drew, 0 to 1."""
    psnr_db: float
    """PSNR over the judged pixels, dB; NaN if there are none."""
    ssim: float
    """SSIM over the judged pixels; NaN if there are none."""


def psnr(truth: Rgb, memory: Rgb, judged: Bool[np.ndarray, "h w"]) -> float:
    """Returns the peak signal-to-noise ratio over the judged pixels in dB, NaN if there are none.

    >>> psnr(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8), np.ones((2, 2), bool))
    0.0
    """
    if not judged.any():
        return math.nan
    difference = truth[judged].astype(np.float64) - memory[judged].astype(np.float64)
    return 10 * math.log10(255**2 / max(float((difference**2).mean()), ROUNDING_ERROR))


def ssim(truth: Rgb, memory: Rgb, judged: Bool[np.ndarray, "h w"]) -> float:
    """Returns structural similarity over the judged pixels, NaN if there are none.

    The windows of pixels beside a hole reach into it and lower the mean: it is never flattered.
    """
    if not judged.any():
        return math.nan
    similarity: Any = structural_similarity(truth, memory, channel_axis=2, data_range=255, full=True)[1]
    return float(similarity[judged].mean())
