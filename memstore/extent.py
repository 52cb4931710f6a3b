"""Extents: how much of a segment is shown, and boxes around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float64, UInt32
from numba import njit

from memstore.arrays import bare
from memstore.patch import Patches
from memstore.segment import NEVER_HIDDEN
from memstore.transform import Transform


def shown_box(
    patches: Patches, rows_shown: Bool[np.ndarray, "n"] | None, sky: bool
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Returns the corners (low, high) of a box around the spheres of what an entry shows, for `Entry.low` and `high`.

    Before placement, metres; of sky, of directions. Where nothing is shown, low is +inf and high is -inf.
    """
    part = np.s_[patches.surface_count :] if sky else np.s_[: patches.surface_count]
    kept = np.s_[:] if rows_shown is None else rows_shown[part]
    center = patches.center[part][kept].astype(np.float64)
    radius = patches.radius[part][kept].astype(np.float64)[:, None]
    origin = np.zeros(3) if sky else patches.origin
    low = (origin + center - radius).min(axis=0, initial=np.inf)
    high = (origin + center + radius).max(axis=0, initial=-np.inf)
    return np.nextafter(low, -np.inf), np.nextafter(high, np.inf)


@dataclass(frozen=True)
class Extent:
    """How much an entry shows, and where."""

    shown_count: int
    """Rows shown as of now."""
    low: Float64[np.ndarray, "3"]
    """Smallest corner of a box around the spheres of all that is shown at any time; +inf where nothing is."""
    high: Float64[np.ndarray, "3"]
    """Largest corner of that box; -inf where nothing is."""

    @classmethod
    def of(cls, patches: Patches, hidden_from: UInt32[np.ndarray, "n"], sky: bool) -> Extent:
        """Measures what `hidden_from` leaves of a segment's surfaces, or of its sky (directions)."""
        return cls.of_rows(patches, np.arange(len(patches), dtype=np.uint32), hidden_from, sky)

    @classmethod
    def of_rows(
        cls, patches: Patches, rows: UInt32[np.ndarray, "k"], hidden_from: UInt32[np.ndarray, "k"], sky: bool
    ) -> Extent:
        """Measures what `hidden_from` leaves of some rows, increasing, of a segment's surfaces, or of its sky."""
        first, last = np.searchsorted(rows, np.array([patches.surface_count, len(patches)])).tolist()
        first, last = (first, last) if sky else (0, first)
        box = np.array([[np.inf] * 3, [-np.inf] * 3])
        count = _extent(bare(patches.center), bare(patches.radius), bare(rows), bare(hidden_from), first, last, box)
        origin = np.zeros(3) if sky else patches.origin
        return cls(count, np.nextafter(origin + box[0], -np.inf), np.nextafter(origin + box[1], np.inf))


def placed_extent(
    patches: Patches, rows: UInt32[np.ndarray, "n"], placement: Transform
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Returns the corners of a box in the world around the spheres of some surface patches of a placed segment."""
    box = np.array([[np.inf] * 3, [-np.inf] * 3])
    turn = placement.scale * placement.rotation
    _widen(bare(patches.center), bare(patches.radius), bare(rows), turn, placement.scale, box)
    shift = placement.apply(patches.origin)
    return box[0] + shift, box[1] + shift


# Kernels call no kernel of another file: numba's cache would not see that the other file changed.


@njit(cache=True, nogil=True)
@no_type_check
def _extent(center: Any, radius: Any, rows: Any, hidden_from: Any, first: int, last: int, box: Any) -> int:
    """Widens `box` by the spheres of rows that are not hidden for good; returns how many are shown as of now."""
    count = 0
    for i in range(first, last):
        if hidden_from[i] == 0:
            continue
        count += hidden_from[i] == NEVER_HIDDEN
        row = rows[i]
        for axis in range(3):
            middle, reach = np.float64(center[row, axis]), np.float64(radius[row])
            box[0, axis] = min(box[0, axis], middle - reach)
            box[1, axis] = max(box[1, axis], middle + reach)
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _widen(center: Any, radius: Any, rows: Any, turn: Any, scale: float, box: Any) -> None:
    """Widens `box` by the spheres of some rows, turned and grown."""
    for row in rows:
        x, y, z = np.float64(center[row, 0]), np.float64(center[row, 1]), np.float64(center[row, 2])
        reach = scale * np.float64(radius[row])
        for axis in range(3):
            middle = turn[axis, 0] * x + turn[axis, 1] * y + turn[axis, 2] * z
            box[0, axis] = min(box[0, axis], middle - reach)
            box[1, axis] = max(box[1, axis], middle + reach)
