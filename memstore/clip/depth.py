"""Depth maps on disk: whole numbers of a unit, or floats of a unit.

In 16-bit files 0 is unmeasured and 65535 is sky; floats say sky with +inf and unmeasured with 0, NaN or less than 0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped, UInt16

from memstore.clip.image import read_pixels
from memstore.clip.text import invalid_clip
from memstore.errors import InvalidInput, Reason

MILLIMETRE_M = 0.001
SKY = 65_535
"""The 16-bit value of sky."""
FARTHEST = SKY - 1
"""The largest 16-bit value of a measured depth."""


@dataclass(frozen=True)
class DepthUnit:
    """What the numbers of a depth map stand for."""

    whole_m: float = MILLIMETRE_M
    """Metres a step of whole numbers."""
    float_m: float = 1.0
    """Metres that a float of 1.0 stands for."""


def read_depth(path: Path, unit: DepthUnit) -> Float32[np.ndarray, "h w"]:
    """Returns planar depth in metres: finite and positive is measured, +inf is sky, 0 is unmeasured.

    Reads 16-bit PNG and TIFF, float TIFF, .npy, and the .bin of COLMAP's dense reconstruction.
    """
    read = {".npy": _read_npy, ".bin": _read_dense}.get(path.suffix.lower(), read_pixels)
    stored = _single_channel(read(path), path)
    if stored.dtype.kind == "f":
        depth_m = stored.astype(np.float64) * unit.float_m
    else:
        sky = (stored == SKY) & (stored.dtype == np.uint16)
        depth_m = np.where(sky, np.inf, stored * unit.whole_m)
    return np.where(depth_m > 0, depth_m, 0).astype(np.float32)


def depth_steps(depth_m: Float32[np.ndarray, "h w"], unit_m: float, *, advice: str) -> UInt16[np.ndarray, "h w"]:
    """Returns depth as 16-bit numbers of `unit_m`, rounded to the nearest; a measured depth is at least one step.

    Raises:
        InvalidInput: a measured depth does not fit into 16 bits: nothing is cut off in silence.
    """
    measured = np.isfinite(depth_m) & (depth_m > 0)
    steps = np.rint(np.where(measured, depth_m, 0).astype(np.float64) / unit_m)
    if steps.max(initial=0) > FARTHEST:
        far_m = float(depth_m[measured].max())
        raise InvalidInput(
            f"a depth of {far_m:.6g} m does not fit: 16 bits of {unit_m:g} m a step hold up to "
            f"{FARTHEST * unit_m:.6g} m; {advice.format(unit=_rounded_up(far_m / FARTHEST))}.",
            reason=Reason.INVALID_CLIP,
            field="depth_m",
            depth_m=far_m,
        )
    steps = np.where(measured, np.maximum(steps, 1), np.where(np.isposinf(depth_m), SKY, 0))
    return steps.astype(np.uint16)


def dense_bytes(depth_m: Float32[np.ndarray, "h w"]) -> bytes:
    """Returns depth as a depth map of COLMAP's dense reconstruction: `w&h&1&`, then float32 with x running fastest."""
    height, width = depth_m.shape
    kept = np.where(depth_m > 0, depth_m, 0)
    return f"{width}&{height}&1&".encode() + kept.astype("<f4").tobytes()


def _read_dense(path: Path) -> np.ndarray:
    content = _bytes_of(path)
    head = re.match(rb"(\d{1,6})&(\d{1,6})&1&", content)
    width, height = (int(head[1]), int(head[2])) if head else (0, 0)
    if head is None or len(content) - head.end() != 4 * width * height:
        raise invalid_clip(
            f"{path} should be a COLMAP depth map (`width&height&1&` and {width * height} float32), found "
            f"{len(content)} bytes that begin {content[:16]!r}; run COLMAP's dense stereo again.",
            path,
        )
    return np.frombuffer(content, "<f4", offset=head.end()).reshape(height, width)


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise invalid_clip(f"{path} cannot be read as a NumPy array: {error}; save it again.", path) from error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise invalid_clip(f"{path} cannot be read: {error.strerror or error}; copy it again.", path) from error


def _single_channel(stored: Shaped[np.ndarray, "..."], path: Path) -> Shaped[np.ndarray, "h w"]:
    plane = stored[..., 0] if stored.ndim == 3 and stored.shape[-1] == 1 else stored
    whole = plane.dtype.kind in "ui" and plane.dtype.itemsize >= 2
    if plane.ndim != 2 or not (whole or plane.dtype.kind == "f"):
        raise invalid_clip(
            f"{path} should hold one channel of 16-bit or float depth, found {stored.dtype.name} of shape "
            f"{stored.shape}; an 8-bit or coloured map is a picture of depth: use the one it was made from.",
            path,
        )
    return plane


def _rounded_up(unit_m: float) -> float:
    """Returns a unit no smaller than `unit_m`, of two digits."""
    step = 10.0 ** (math.floor(math.log10(unit_m)) - 1)
    return round(math.ceil(unit_m / step) * step, 12)
