"""Warped RoPE and Warped Latents: how memory that was seen from one camera is laid before another (MosaicMem).

A view maps homogeneous points as image <- world = lift(K) @ (camera <- world), the matrix of PRoPE. Between two views a
pixel and its inverse depth w = 1/z become (u, v, 1, w), and one 4x4 matrix takes them over, sky (w = 0) included:

    (u', v', 1, w') ~ (target <- source) @ (u, v, 1, w),    target <- source = (target <- world) @ (world <- source)

Warped Latents, in the direction that the paper leaves open:

1. forward: every depth sample of the source falls on the target's grid, and a z-buffer keeps one a cell (`splat.py`);
2. back: each covered cell's centre, at that depth, is taken to a float position in the source frame;
3. check: the source's own depth at that position must agree, or the cell is a hole; where it agrees it refines the
   position, which makes slanted planes exact;
4. sample: the source's latents are read bilinearly at that position.

NumPy only: this is the reference, and the SDK runs it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int32, Int64, Shaped

from memstore.arrays import as_array
from memstore.camera import Camera
from memstore.canvas import Canvas
from memstore.errors import InvalidInput
from memstore.splat import DEPTH_TOLERANCE, MAX_SPREAD, Splats, z_buffer
from memstore.tiles import Tiles, inverse

MAX_SLOPE = 0.1
"""Most that a surface's inverse depth may change over one sample, as a share, before it counts as an edge."""
MAX_MINIFIED = 8.0
"""Most samples along a cell's side over which a surface's slope is followed."""
MIN_DEPTH_SHARE = 1e-9
"""Least share of its source depth that a point must lie before the target: nearer is behind."""


def rope_positions(uv: Float[np.ndarray, "n 2"], token_px: int, t: float) -> Float32[np.ndarray, "n 3"]:
    """Returns Warped RoPE positions (t, row, column) of patches whose centres land at pixels `uv`, fractions kept.

    Token i spans pixels [i, i + 1] x token_px, so its centre is half a token in: the half is taken off, and a patch
    seen by its own camera lands on whole numbers, the indices of its token.

    >>> rope_positions(np.array([[16.0, 48.0]]), 32, t=3).tolist()
    [[3.0, 1.0, 0.0]]
    """
    token = np.asarray(uv, np.float64).reshape(-1, 2) / token_px - 0.5
    return np.column_stack([np.full(len(token), t), token[:, 1], token[:, 0]]).astype(np.float32)


def image_from_world(
    intrinsics: Float[np.ndarray, "*s 4"], camera_to_world: Float[np.ndarray, "*s 4 4"]
) -> Float64[np.ndarray, "*s 4 4"]:
    """Returns image <- world = lift(K) @ (camera <- world) of views given by fx, fy, cx, cy and world <- camera."""
    lift = np.zeros((*intrinsics.shape[:-1], 4, 4))
    lift[..., 0, 0], lift[..., 1, 1] = intrinsics[..., 0], intrinsics[..., 1]
    lift[..., 0, 2], lift[..., 1, 2] = intrinsics[..., 2], intrinsics[..., 3]
    lift[..., 2, 2] = lift[..., 3, 3] = 1
    return lift @ np.linalg.inv(camera_to_world)


def target_from_sources(
    target: Camera,
    intrinsics: Float64[np.ndarray, "s 4"],
    camera_to_world: Float64[np.ndarray, "s 4 4"],
    scale: Float64[np.ndarray, "s"],
) -> Float64[np.ndarray, "s 4 4"]:
    """Returns target image <- source image for placed sources, whose depth counts `scale` world metres a metre."""
    own = image_from_world(np.array([target.fx, target.fy, target.cx, target.cy]), target.camera_to_world)
    matrix = own @ np.linalg.inv(image_from_world(intrinsics, camera_to_world))
    matrix[:, :, 3] /= scale[:, None]  # inverse depth of the placed source is 1 / (scale * depth)
    return matrix


def reproject(
    uv: Float[np.ndarray, "*n 2"], depth_m: Float[np.ndarray, "*n"], source: Camera, target: Camera, scale: float = 1.0
) -> tuple[Float64[np.ndarray, "*n 2"], Float64[np.ndarray, "*n"]]:
    """Returns pixel (u', v') and planar depth in the target of source pixels with their depth.

    Args:
        uv: source pixels.
        depth_m: planar depth in the source, metres before `scale`; +inf is a direction and stays at +inf.
        source: the placed source camera.
        target: the target camera.
        scale: world metres a metre of the source's depth.

    Points behind the target and unmeasured depths (NaN, 0) come back as NaN.
    """
    (matrix,) = target_from_sources(target, *_view(source), np.array([scale]))
    points = np.concatenate([uv, np.ones_like(uv[..., :1]), inverse(depth_m)[..., None]], axis=-1) @ matrix.T
    ahead = np.where(points[..., 2] > 0, points[..., 2], np.nan)
    with np.errstate(divide="ignore"):
        return points[..., :2] / ahead[..., None], ahead / points[..., 3]


def warp_frame(
    latents: Shaped[np.ndarray, "h w c"],
    depth_m: Float[np.ndarray, "dh dw"],
    source: Camera,
    target: Camera,
    scale: float = 1.0,
) -> Canvas:
    """Returns the Warped Latents of one whole source frame before a target camera of the same latent stride.

    Args:
        latents: latent map of the source frame; its stride is the source's width over w.
        depth_m: depth samples of the source frame, metres before `scale`, at least one a cell.
        source: the placed source camera.
        target: the target camera.
        scale: world metres a metre of the source's depth.

    Raises:
        InvalidInput: the maps do not divide the images evenly.
    """
    stride, depth_stride = _stride(source, latents.shape, "latents"), _stride(source, depth_m.shape, "depth_m")
    if stride % depth_stride or target.width % stride or target.height % stride:
        raise InvalidInput(
            f"latents of {stride} px a cell need depth samples that divide a cell and a target of whole cells, got "
            f"{depth_stride} px a sample and a target of {target.width}x{target.height}; resize the target camera."
        )
    whole = np.zeros(1, np.int64)
    depth = as_array(depth_m, np.float32, (None, None), "depth_m")
    tiles = Tiles(
        latents[None], depth[None], whole.astype(np.int32), np.zeros((1, 2), np.int64), whole, stride, depth_stride
    )
    matrix = target_from_sources(target, *_view(source), np.array([scale]))
    return warp_tiles(tiles, matrix, target.width // stride, target.height // stride)


def warp_tiles(tiles: Tiles, target_from_source: Float64[np.ndarray, "s 4 4"], width: int, height: int) -> Canvas:
    """Returns the Warped Latents of many tiles on a target grid of width x height cells of `tiles.stride` pixels."""
    samples = _forward(tiles, target_from_source, width, height)
    row, column, won = _winners(samples, tiles.stride // tiles.depth_stride, width, height)
    home = samples.place[won] // tiles.samples_per_tile
    centre = (np.column_stack([column, row]) + 0.5) * tiles.stride
    back = _Back.of(centre, target_from_source, tiles.source[home])
    agrees, inverse_depth = _checked(
        tiles, home, back, samples.splats.inverse_depth[won].astype(np.float64), samples.slope[won]
    )
    uv, _ = back.at(inverse_depth)
    latents = tiles.latent_taps(uv, home).blend(tiles.latents)
    return _canvas((height, width), row[agrees], column[agrees], latents[agrees], inverse_depth[agrees])


def warp_cells(tiles: Tiles, target_from_source: Float64[np.ndarray, "s 4 4"], width: int, height: int) -> Canvas:
    """Returns latent cells copied, each by its own depth, to the target cell in which its centre falls.

    One target cell each and no resampling, as Matrix-Game 3.5 composes its canvas; the depth of a cell is that of its
    middle sample, the nearest surface wins, then the smaller `order`.
    """
    middle = slice(tiles.stride // tiles.depth_stride // 2, None, tiles.stride // tiles.depth_stride)
    centres = replace(tiles, depth_m=tiles.depth_m[:, middle, middle], depth_stride=tiles.stride)
    samples = _forward(centres, target_from_source, width, height)
    nowhere_else = np.zeros(len(samples.splats), np.float32)
    winner = z_buffer(replace(samples.splats, reach_x=nowhere_else, reach_y=nowhere_else), width, height)
    row, column = np.nonzero(winner >= 0)
    won = winner[row, column]
    latents = tiles.latents.reshape(-1, tiles.latents.shape[-1])[samples.place[won]]
    return _canvas((height, width), row, column, latents, samples.splats.inverse_depth[won].astype(np.float64))


@dataclass(frozen=True, eq=False)
class _Samples:
    """The depth samples that fall into the target's image."""

    splats: Splats
    """Where they fall, on the grid of the target's depth samples."""
    place: Int64[np.ndarray, "m"]
    """Place of each in the tiles' depth samples, flattened."""
    slope: Float32[np.ndarray, "m"]
    """How far the source's inverse depth changes over one sample of the same surface, 1/m."""


def _forward(tiles: Tiles, target_from_source: Float64[np.ndarray, "s 4 4"], width: int, height: int) -> _Samples:
    """Projects every depth sample into the target and keeps those that fall into its image."""
    x, y, growth = _projected(tiles, target_from_source)
    ratio, margin = tiles.stride // tiles.depth_stride, MAX_SPREAD / 2
    kept = (x > -margin) & (x < width * ratio + margin) & (y > -margin) & (y < height * ratio + margin)
    place = np.flatnonzero(kept)
    across, down = _step(x).take(place), _step(y).take(place)
    inverse_depth, growth = tiles.inverse_depth.take(place), growth.take(place)
    slope = np.minimum(_step(tiles.inverse_depth).take(place), MAX_SLOPE * inverse_depth)
    minified = 1 / np.clip(np.minimum(across, down), 1 / MAX_MINIFIED, 1)
    splats = Splats(
        x=x.take(place),
        y=y.take(place),
        inverse_depth=growth * inverse_depth,
        slope=growth * np.minimum(slope * minified, MAX_SLOPE * inverse_depth),
        reach_x=across / 2,
        reach_y=down / 2,
        order=tiles.order[place // tiles.samples_per_tile],
    )
    return _Samples(splats, place, slope)


def _projected(
    tiles: Tiles, target_from_source: Float64[np.ndarray, "s 4 4"]
) -> tuple[Float32[np.ndarray, "n dh dw"], ...]:
    """Returns x, y in target samples, and the target's inverse depth per source inverse depth; NaN behind.

    Columns add to what rows and inverse depth give, so nothing of shape (n, dh, dw, 4) is ever built. float32 is
    plenty here: this only chooses who wins a cell, the exact place is found on the way back.
    """
    u, v = tiles.sample_uv
    matrix = target_from_source[tiles.source]
    across = (matrix[:, :3, 0, None] * u[:, None]).astype(np.float32)
    down = (matrix[:, :3, 1, None] * v[:, None] + matrix[:, :3, 2, None]).astype(np.float32)
    push = matrix[:, :3, 3].astype(np.float32)
    x, y, z = (
        across[:, k, None, :] + down[:, k, :, None] + push[:, k, None, None] * tiles.inverse_depth for k in range(3)
    )
    ahead = np.where(z > MIN_DEPTH_SHARE, 1 / z, np.float32(np.nan))
    pixels = ahead / np.float32(tiles.depth_stride)
    return x * pixels, y * pixels, ahead * matrix[:, 3, 3, None, None].astype(np.float32)


def _step(grid: Float32[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n h w"]:
    """Returns how far a quantity changes from a sample to its neighbours, along rows and columns together.

    Of the two neighbours along an axis the nearer one counts, which beside an edge is the one on the sample's own
    surface. Without measured neighbours the change is 0.
    """
    total = np.zeros_like(grid)
    for axes in ((0, 1, 2), (0, 2, 1)):
        lines, sums = grid.transpose(axes), total.transpose(axes)
        change = np.abs(lines[..., 1:] - lines[..., :-1])
        least = np.concatenate([change[..., :1], np.fmin(change[..., 1:], change[..., :-1]), change[..., -1:]], axis=-1)
        if change.shape[-1]:
            sums += np.nan_to_num(least, copy=False)
    return total


def _winners(
    samples: _Samples, ratio: int, width: int, height: int
) -> tuple[Int64[np.ndarray, "m"], Int64[np.ndarray, "m"], Int64[np.ndarray, "m"]]:
    """Returns row, column and winning sample of each covered cell: of its ratio x ratio samples, the most central."""
    fine = z_buffer(samples.splats, width * ratio, height * ratio)
    inside = fine.reshape(height, ratio, width, ratio).swapaxes(1, 2).reshape(height, width, ratio * ratio)
    offset = np.arange(ratio) - (ratio - 1) / 2
    inside = inside[..., np.argsort(np.add.outer(offset**2, offset**2).ravel(), kind="stable")]
    first = np.argmax(inside >= 0, axis=-1)
    winner = np.take_along_axis(inside, first[..., None], axis=-1)[..., 0]
    row, column = np.nonzero(winner >= 0)
    return row, column, winner[row, column]


@dataclass(frozen=True, eq=False)
class _Back:
    """The way from target pixels back to their source frames, for any depth along their rays, and forth again."""

    ray: Float64[np.ndarray, "m 3"]
    """Homogeneous source pixel of the target pixel at infinity."""
    push: Float64[np.ndarray, "m 3"]
    """What one unit of the target's inverse depth adds to it."""
    growth: Float64[np.ndarray, "m"]
    """Source inverse depth per target inverse depth, before division."""
    forth: Float64[np.ndarray, "m 4"]
    """Row of target <- source that gives the target's depth."""

    @classmethod
    def of(
        cls,
        uv: Float64[np.ndarray, "m 2"],
        target_from_source: Float64[np.ndarray, "s 4 4"],
        source: Int32[np.ndarray, "m"],
    ) -> _Back:
        """The way back from target pixels `uv` to the frames `source`."""
        back = np.linalg.inv(target_from_source)
        matrix = back[:, :3].reshape(-1, 12)[source]
        ray = np.stack([matrix[:, k] * uv[:, 0] + matrix[:, k + 1] * uv[:, 1] + matrix[:, k + 2] for k in (0, 4, 8)], 1)
        return cls(ray, matrix[:, 3::4], back[source, 3, 3], target_from_source[source, 2])

    def at(
        self, inverse_depth: Float64[np.ndarray, "m"]
    ) -> tuple[Float64[np.ndarray, "m 2"], Float64[np.ndarray, "m"]]:
        """Returns source pixels and source inverse depths of the points at target inverse depths."""
        point = self.ray + self.push * inverse_depth[:, None]
        ahead = np.maximum(point[:, 2], MIN_DEPTH_SHARE)
        return point[:, :2] / ahead[:, None], self.growth * inverse_depth / ahead

    def target_inverse_depth(
        self, uv: Float64[np.ndarray, "m 2"], inverse_depth: Float64[np.ndarray, "m"]
    ) -> Float64[np.ndarray, "m"]:
        """Returns the target's inverse depth of source pixels at source inverse depths."""
        forth = self.forth
        ahead = forth[:, 0] * uv[:, 0] + forth[:, 1] * uv[:, 1] + forth[:, 2] + forth[:, 3] * inverse_depth
        return inverse_depth / (self.growth * np.maximum(ahead, MIN_DEPTH_SHARE))


def _checked(
    tiles: Tiles,
    home: Int64[np.ndarray, "m"],
    back: _Back,
    inverse_depth: Float64[np.ndarray, "m"],
    slope: Float32[np.ndarray, "m"],
) -> tuple[Bool[np.ndarray, "m"], Float64[np.ndarray, "m"]]:
    """Returns where the source's own depth agrees with the target's, and the target's inverse depth made finer by it.

    The nearest depth sample must agree within `DEPTH_TOLERANCE` and the surface's own slope. The samples of the four
    around that agree are blended: inverse depth is linear over a plane, so the blend is exact there.
    """
    uv, expected = back.at(inverse_depth)
    taps = tiles.depth_taps(uv, home)
    found = taps.entries(tiles.inverse_depth)
    agree = np.abs(found - expected) <= DEPTH_TOLERANCE * expected + slope
    weight = np.where(agree, taps.weight, 0)
    total = weight.sum(axis=0)
    nearest = np.argmax(taps.weight, axis=0)
    agrees = np.take_along_axis(agree, nearest[None], axis=0)[0]
    blended = (weight * np.where(agree, found, 0)).sum(axis=0) / np.where(agrees, total, 1)
    finer = back.target_inverse_depth(uv, blended)
    return agrees, np.where(agrees, finer, inverse_depth)


def _canvas(
    size: tuple[int, int],
    row: Int64[np.ndarray, "m"],
    column: Int64[np.ndarray, "m"],
    latents: Shaped[np.ndarray, "m c"],
    inverse_depth: Float64[np.ndarray, "m"],
) -> Canvas:
    canvas = np.zeros((*size, latents.shape[1]), latents.dtype)
    mask = np.zeros(size, np.bool_)
    depth = np.full(size, np.nan, np.float32)
    canvas[row, column] = latents
    mask[row, column] = True
    with np.errstate(divide="ignore"):
        depth[row, column] = 1 / inverse_depth
    return Canvas(canvas, mask, depth)


def _view(camera: Camera) -> tuple[Float64[np.ndarray, "1 4"], Float64[np.ndarray, "1 4 4"]]:
    return np.array([[camera.fx, camera.fy, camera.cx, camera.cy]]), camera.camera_to_world[None]


def _stride(camera: Camera, shape: tuple[int, ...], name: str) -> int:
    """Returns the pixels a cell of a map over the whole image of a camera."""
    rows, columns = shape[:2]
    stride = camera.width // columns if columns else 0
    if (rows * stride, columns * stride) != (camera.height, camera.width):
        raise InvalidInput(
            f"{name} must divide an image of {camera.width}x{camera.height} evenly, got {columns}x{rows} cells.",
            field=name,
        )
    return stride
