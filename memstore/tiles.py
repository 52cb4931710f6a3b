"""Tiles of source frames: what a warp reads, be it one whole frame or thousands of patches of many frames.

A tile keeps two grids over the same pixels: latent cells and depth samples. Reading at a float place takes the four
nearest entries of the source frame, over the borders of tiles where the neighbour is there too; an entry of a missing
neighbour is replaced by the nearest one of the tile that the reader came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32, Int64, Shaped


@dataclass(frozen=True, eq=False)
class Tiles:
    """n equal rectangles cut from s source frames."""

    latents: Shaped[np.ndarray, "n th tw c"]
    """Latent cells of each tile."""
    depth_m: Float32[np.ndarray, "n dh dw"]
    """Depth samples of each tile, planar metres of the source; +inf is sky, NaN or 0 is unmeasured."""
    source: Int32[np.ndarray, "n"]
    """Source frame of each tile."""
    cell: Int64[np.ndarray, "n 2"]
    """Row and column of the tile in its frame's grid of tiles."""
    order: Int64[np.ndarray, "n"]
    """Which tile to show where several show one surface: the smallest, from 0 to 2**20 - 1."""
    stride: int
    """Pixels a latent cell."""
    depth_stride: int
    """Pixels a depth sample; divides `stride`."""

    def __len__(self) -> int:
        return len(self.source)

    @property
    def samples_per_tile(self) -> int:
        """Depth samples of one tile."""
        return self.depth_m.shape[1] * self.depth_m.shape[2]

    @cached_property
    def inverse_depth(self) -> Float32[np.ndarray, "n dh dw"]:
        """One over the depth of each sample, 1/m; 0 is sky, NaN is unmeasured."""
        return inverse(self.depth_m).astype(np.float32)

    @cached_property
    def sample_uv(self) -> tuple[Float64[np.ndarray, "n dw"], Float64[np.ndarray, "n dh"]]:
        """Source pixels (u of each column, v of each row) of the depth samples, the centres of their squares."""
        pitch = self.depth_stride
        height, width = self.depth_m.shape[1:]
        u = (self.cell[:, 1, None] * width + np.arange(width) + 0.5) * pitch
        v = (self.cell[:, 0, None] * height + np.arange(height) + 0.5) * pitch
        return u, v

    @cached_property
    def _tile_at(self) -> Int32[np.ndarray, "s rows_and_2 cols_and_2"]:
        """One more than the tile at each place of each source's grid, 0 where there is none and all around."""
        rows, columns = self.cell.max(axis=0, initial=-1) + 1
        tile_at = np.zeros((self.source.max(initial=-1) + 1, rows + 2, columns + 2), np.int32)
        tile_at[self.source, self.cell[:, 0] + 1, self.cell[:, 1] + 1] = np.arange(1, len(self) + 1)
        return tile_at

    def latent_taps(self, uv: Float[np.ndarray, "m 2"], home: Int64[np.ndarray, "m"]) -> Taps:
        """Returns the four latent cells around source pixels; `home` is the tile that each reader came from."""
        return self._taps(uv / self.stride - 0.5, home, self.latents.shape[1:3])

    def depth_taps(self, uv: Float[np.ndarray, "m 2"], home: Int64[np.ndarray, "m"]) -> Taps:
        """Returns the four depth samples around source pixels; `home` is the tile that each reader came from."""
        return self._taps(uv / self.depth_stride - 0.5, home, self.depth_m.shape[1:])

    def _taps(self, at: Float64[np.ndarray, "m 2"], home: Int64[np.ndarray, "m"], side: tuple[int, ...]) -> Taps:
        low = np.floor(at)
        right, down = (at - low).T
        column, row = (axis.astype(np.int64) + np.array([[0], [1]]) for axis in low.T)
        tile_row, tile_column = row // side[0], column // side[1]
        tile = self._tile(self.source[home], tile_row, tile_column)
        index = tile * (side[0] * side[1]) + ((row % side[0]) * side[1])[:, None] + column % side[1]
        below, beside, place = np.nonzero(tile < 0)
        lost = home[place]
        nearest_row = np.clip(row[below, place] - self.cell[lost, 0] * side[0], 0, side[0] - 1)
        nearest_column = np.clip(column[beside, place] - self.cell[lost, 1] * side[1], 0, side[1] - 1)
        index[below, beside, place] = (lost * side[0] + nearest_row) * side[1] + nearest_column
        weight = np.stack([(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down])
        return Taps(index.reshape(4, -1), weight)

    def _tile(
        self, source: Int32[np.ndarray, "m"], row: Int64[np.ndarray, "2 m"], column: Int64[np.ndarray, "2 m"]
    ) -> Int64[np.ndarray, "2 2 m"]:
        """Returns the tile at two rows by two columns of each source's grid, -1 where there is none."""
        _, rows, columns = self._tile_at.shape
        row, column = np.clip(row + 1, 0, rows - 1), np.clip(column + 1, 0, columns - 1)
        place = ((source * rows + row) * columns)[:, None] + column
        return self._tile_at.ravel()[place].astype(np.int64) - 1


@dataclass(frozen=True, eq=False)
class Taps:
    """The four entries around each of m places: top left, top right, bottom left, bottom right."""

    index: Int64[np.ndarray, "4 m"]
    """Place of the entry in the tiles' grid, flattened."""
    weight: Float64[np.ndarray, "4 m"]
    """Bilinear weight; the four of a place sum to 1."""

    def entries(self, grid: Float[np.ndarray, "n side_h side_w"]) -> Float[np.ndarray, "4 m"]:
        """Returns the four entries of each place."""
        return grid.ravel()[self.index]

    def blend(self, grid: Shaped[np.ndarray, "n side_h side_w c"]) -> Float32[np.ndarray, "m c"]:
        """Returns the bilinear blend of the four entries of each place."""
        cells = grid.reshape(-1, grid.shape[-1])
        weight = self.weight.astype(np.float32)[..., None]
        blend = weight[0] * cells[self.index[0]].astype(np.float32)
        for tap in range(1, 4):
            blend += weight[tap] * cells[self.index[tap]]
        return blend


def inverse(depth_m: Float[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n"]:
    """Returns one over depth: 0 for sky, NaN where nothing was measured."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(depth_m > 0, 1 / np.asarray(depth_m, np.float64), np.nan)
