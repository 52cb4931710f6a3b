"""The forward z-buffer: samples of depth fall on a grid of cells, and one sample wins each cell.

1. A sample covers the cells whose centres lie within its reach: one cell when the target is no finer than the source,
   up to `MAX_SPREAD` cells a side when it is magnified, so that no cracks open between neighbours.
2. The nearest sample of a cell sets its depth. Samples that agree with that depth show the same surface.
3. Among those the smallest `order` wins, then the sample that fell nearest to the cell's centre, then the first.

Depth is compared as inverse depth: it is linear across the image of a plane, and sky is simply 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

MAX_SPREAD = 4.0
"""Most cells that one sample covers along a side: beyond this magnification holes open, and are masked as holes."""
DEPTH_TOLERANCE = 0.02
"""Share of the depth by which two samples of one surface may differ, beside their own slope."""
DISTANCE_BITS, INDEX_BITS = 11, 32


@dataclass(frozen=True, eq=False)
class Splats:
    """m samples as they fall on a target grid; cell (column i, row j) spans [i, i + 1] x [j, j + 1]."""

    x: Float32[np.ndarray, "m"]
    """Where the sample falls, cells from the left."""
    y: Float32[np.ndarray, "m"]
    """Where the sample falls, cells from the top."""
    inverse_depth: Float32[np.ndarray, "m"]
    """One over the planar depth in the target, 1/m; 0 is sky."""
    slope: Float32[np.ndarray, "m"]
    """How far the inverse depth of the sample's own surface changes over one cell, 1/m."""
    reach_x: Float32[np.ndarray, "m"]
    """Half the width that the sample covers, cells."""
    reach_y: Float32[np.ndarray, "m"]
    """Half the height that the sample covers, cells."""
    order: Int64[np.ndarray, "m"]
    """Who comes first where depths agree: the smallest, from 0 to 2**20 - 1."""

    def __len__(self) -> int:
        return len(self.x)


def z_buffer(splats: Splats, width: int, height: int) -> Int64[np.ndarray, "height width"]:
    """Returns the index of the sample that wins each cell, -1 where nothing falls. The result is deterministic."""
    sample, cell, distance = _covered(splats, width, height)
    inverse_depth = splats.inverse_depth[sample]
    nearest = np.zeros(width * height, np.float32)
    np.maximum.at(nearest, cell, inverse_depth)
    agrees = inverse_depth + splats.slope[sample] >= nearest[cell] * (1 - DEPTH_TOLERANCE)
    sample, cell, distance = sample[agrees], cell[agrees], distance[agrees]
    key = (splats.order[sample] << (DISTANCE_BITS + INDEX_BITS)) | (distance << INDEX_BITS) | sample
    none = np.iinfo(np.int64).max
    best = np.full(width * height, none)
    np.minimum.at(best, cell, key)
    return np.where(best == none, -1, best & (2**INDEX_BITS - 1)).reshape(height, width)


def _covered(
    splats: Splats, width: int, height: int
) -> tuple[Int64[np.ndarray, "k"], Int32[np.ndarray, "k"], Int64[np.ndarray, "k"]]:
    """Returns each (sample, cell) pair and how far the cell's centre is from the sample, in 1/512 cells."""
    left, columns = _span(splats.x, splats.reach_x, width)
    top, rows = _span(splats.y, splats.reach_y, height)
    counts = columns * rows
    sample = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(sample), dtype=np.int32) - (np.cumsum(counts, dtype=np.int32) - counts)[sample]
    down, right = np.divmod(step, columns[sample])
    column, row = left[sample] + right, top[sample] + down
    off_x = np.abs(column - splats.x[sample] + np.float32(0.5))
    off_y = np.abs(row - splats.y[sample] + np.float32(0.5))
    return sample, row * width + column, (np.maximum(off_x, off_y) * 512).astype(np.int64)


def _span(
    middle: Float32[np.ndarray, "m"], reach: Float32[np.ndarray, "m"], size: int
) -> tuple[Int32[np.ndarray, "m"], Int32[np.ndarray, "m"]]:
    """Returns the first cell and the number of cells whose centres lie in [middle - reach, middle + reach)."""
    reach = np.clip(reach, 0.5, MAX_SPREAD / 2)
    first = np.clip(np.ceil(middle - reach - 0.5), 0, size)
    end = np.clip(np.ceil(middle + reach - 0.5), 0, size)
    return first.astype(np.int32), (end - first).astype(np.int32)
