"""Numbers as colours: how much is covered, how far off, how deep. Ramps grow lighter from low to high."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from PIL import Image

Rgb = UInt8[np.ndarray, "h w 3"]

HOLE_COLOR = (96, 98, 108)
"""sRGB of what nobody knows: unlike black it cannot be taken for a dark room or for no error."""


@dataclass(frozen=True)
class Ramp:
    """Colours from a low to a high value, evenly spaced."""

    colors: tuple[tuple[int, int, int], ...]
    """sRGB, from low to high."""
    low_label: str
    """What the first colour stands for."""
    high_label: str
    """What the last colour stands for."""

    def __call__(self, share: Float[np.ndarray, "h w"]) -> Rgb:
        """Returns the colours of values from 0 to 1; values outside are clamped, NaN has the colour of holes.

        >>> COVERAGE_RAMP(np.array([[0.0, 1.0, np.nan]])).tolist()
        [[[24, 20, 60], [235, 235, 130], [96, 98, 108]]]
        """
        stops = np.linspace(0, 1, len(self.colors))
        clamped = np.clip(np.nan_to_num(share, nan=0.0), 0, 1)
        channels = [np.interp(clamped, stops, channel) for channel in np.array(self.colors, np.float64).T]
        colored = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
        colored[np.isnan(share)] = HOLE_COLOR
        return colored


ERROR_FULL_SCALE = 64
"""Colour difference, in steps of 255, at the high end of the error ramp."""
ERROR_RAMP = Ramp(((0, 0, 0), (60, 16, 100), (170, 40, 90), (240, 110, 40), (255, 225, 130)), "0", "64/255")
COVERAGE_RAMP = Ramp(((24, 20, 60), (30, 90, 130), (50, 165, 130), (235, 235, 130)), "0 %", "100 %")
DEPTH_FULL_SCALE_M = 20.0
"""Depth at the far end of the depth ramp; it is linear in 1/(1 + depth), so that near things keep most of it."""
DEPTH_RAMP = Ramp(((20, 16, 40), (60, 50, 120), (40, 130, 150), (140, 200, 130), (250, 240, 190)), "far", "near")
SKY_COLOR, MOVING_COLOR, STILL_COLOR = (120, 170, 225), (240, 110, 40), (20, 20, 24)


def error_map(truth: Rgb, memory: Rgb, known: Bool[np.ndarray, "h w"]) -> Rgb:
    """Returns the mean difference of the three channels as colours; what is not `known` is a hole."""
    difference = np.abs(truth.astype(np.float32) - memory.astype(np.float32)).mean(axis=-1)
    return ERROR_RAMP(np.where(known, difference / ERROR_FULL_SCALE, np.float32(np.nan)))


def coverage_map(coverage: Float32[np.ndarray, "rows cols"], width: int, height: int) -> Rgb:
    """Returns the covered share of each token as colours at the image's size, one flat square a token."""
    return np.array(Image.fromarray(COVERAGE_RAMP(coverage)).resize((width, height), Image.Resampling.NEAREST))


def depth_map(depth_m: Float32[np.ndarray, "h w"]) -> Rgb:
    """Returns depth as colours, near is light; sky is blue, unmeasured is a hole."""
    measured = np.isfinite(depth_m) & (depth_m > 0)
    nearness = 1 / (1 + np.where(measured, depth_m, np.float32(1)))
    far = 1 / (1 + DEPTH_FULL_SCALE_M)
    colors = DEPTH_RAMP(np.where(measured, (nearness - far) / (1 - far), np.nan))
    colors[np.isposinf(depth_m)] = SKY_COLOR
    return colors


def mask_map(mask: Bool[np.ndarray, "h w"]) -> Rgb:
    """Returns what moves in orange on black."""
    return np.where(mask[..., None], np.array(MOVING_COLOR, np.uint8), np.array(STILL_COLOR, np.uint8))
