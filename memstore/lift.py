"""Lift: the pixels of a posed RGB-D frame become patches in the world.

A patch is one token of the video model: `spec.token_px` square pixels, on the grid of `spec.token_grid`. Samples lie
at pixel centres. For each patch:

1. A patch that touches a `moving` pixel is left out.
2. If at least `min_measured` of its pixels have a finite, positive depth it is a surface; else, if as many are +inf, it
   is sky; else it is left out.
3. The inverse depth of a plane is linear in pixel coordinates, 1/z = (n @ ray) / d, so the plane is a least-squares fit
   of 1/z = a + b u + c v. If nearly all measured pixels lie on it, within `plane_tolerance`, the patch is planar.
4. Otherwise the patch straddles an edge. The pixels near the median depth (the nearer of the two in the middle) are
   its dominant surface; the plane is fitted again to them alone, and any other pixel that lies on it joins them. If
   they are few, or no plane either, the patch faces the image at the median depth.
5. The centre is where the ray of the patch's middle meets the plane. If that lies outside the depths of the surface's
   own pixels, as it can where only a part was measured, it moves to the nearest of these depths.
6. The radius reaches to the farthest corner of the surface's pixels, so that the sphere holds the surface. At its
   corners a pixel follows the slope of the plane, but never to more than twice its own depth.
7. The normal faces the camera. The colour is the mean of the surface's pixels.
8. The patch fills those of the 4 x 4 parts of its token in which at least half of the pixels are the surface's own and
   lie on the plane through the centre, within twice `plane_tolerance`: what a rough patch leaves out hides nothing. A
   part's pixels are those whose centres lie in it; in a token too small for that, the one that its own centre lies in.

A patch of sky is a unit direction in the world, with the sine of the angle to the farthest corner of the patch, and
fills the parts of which half is sky.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float32, Float64, UInt8, UInt16, UInt32
from numba import njit

from memstore.arrays import as_array, read_only
from memstore.camera import Camera
from memstore.errors import InvalidInput, Reason
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.patch import MAX_FRAMES_PER_SEGMENT, PARTS, Patches, encode_normal

NEARLY_ALL = 0.9
"""Share of pixels that must lie on a plane for it to be their surface; depth noise of 1 % puts 5 % outside 2 %."""
ENOUGH = 0.25
"""Share of a patch's pixels that a dominant surface needs for a plane of its own."""
STRETCH = 2.0
"""How much deeper than its own centre the corner of a pixel may lie: a plane seen edge-on has corners at infinity."""
FILLS = 2.0
"""How many times `plane_tolerance` from its patch's plane a pixel may lie and still fill its part of the token."""
GREY = 128
"""Colour of patches that came without colours, as latents alone."""

_LEFT_OUT, _SURFACE, _SKY = 0, 1, 2


@dataclass(frozen=True)
class LiftOptions:
    """The rules by which pixels become patches."""

    min_measured: float = 0.5
    """Share of a patch's pixels that must be measured for a surface, or sky for sky; above 0, at most 1."""
    plane_tolerance: float = 0.02
    """How far from a plane a pixel may lie and still be part of it, as a share of its inverse depth."""
    surface_tolerance: float = 0.1
    """How far from the median a pixel may lie and still be part of the dominant surface, as a share of its inverse
    depth."""

    def __post_init__(self) -> None:
        if not 0 < self.min_measured <= 1:
            raise InvalidInput(
                f"min_measured must be a share above 0 and at most 1, got {self.min_measured}.", field="min_measured"
            )
        for name in ("plane_tolerance", "surface_tolerance"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be a share between 0 and 1, got {getattr(self, name)}.", field=name)


@dataclass(frozen=True, eq=False)
class LiftedPatches:
    """n patches of one frame and one kind, in the order of their cells."""

    center: Float64[np.ndarray, "n 3"]
    """Of surfaces, the centre in the world, metres; of sky, the unit direction in the world."""
    radius: Float32[np.ndarray, "n"]
    """Of surfaces, the radius of a sphere that holds the patch, metres; of sky, the sine of its angular radius."""
    normal: Float32[np.ndarray, "n 3"]
    """Unit normal in the world, towards the camera."""
    cell: UInt32[np.ndarray, "n"]
    """Place in the token grid, row * columns + column."""
    color: UInt8[np.ndarray, "n 3"]
    """Mean sRGB colour of the pixels that the patch shows."""
    parts: UInt16[np.ndarray, "n"]
    """Which parts of its token the patch fills, as `Patches.parts`."""

    def __len__(self) -> int:
        return len(self.cell)


@dataclass(frozen=True, eq=False)
class LiftedFrame:
    """The patches of one frame."""

    surface: LiftedPatches
    """Patches of measured surfaces."""
    sky: LiftedPatches
    """Patches of sky."""

    def __len__(self) -> int:
        return len(self.surface) + len(self.sky)


@dataclass(frozen=True, eq=False)
class _Cells:
    """What the kernel finds out about every cell of a token grid, in camera space."""

    kind: UInt8[np.ndarray, "n"]
    center: Float64[np.ndarray, "n 3"]
    radius: Float64[np.ndarray, "n"]
    normal: Float64[np.ndarray, "n 3"]
    color: UInt8[np.ndarray, "n 3"]
    parts: UInt16[np.ndarray, "n"]

    @classmethod
    def of(cls, count: int) -> _Cells:
        return cls(
            kind=np.full(count, _LEFT_OUT, np.uint8),
            center=np.zeros((count, 3)),
            radius=np.zeros(count),
            normal=np.zeros((count, 3)),
            color=np.zeros((count, 3), np.uint8),
            parts=np.zeros(count, np.uint16),
        )


def lift(frame: Frame, spec: LatentSpec, options: LiftOptions | None = None) -> LiftedFrame:
    """Returns the patches of a frame; of one without any measured depth or sky, none.

    Raises:
        InvalidInput: the image cannot be cut into the spec's patches, or its latents are no colours where the spec says
            that they are.
    """
    camera, side = frame.camera, spec.token_px
    rows, columns = spec.token_grid(camera.width, camera.height)
    rules = options or LiftOptions()
    cells = _Cells.of(rows * columns)
    _lift_cells(
        (frame.depth_m, _colors(frame, spec), _moving(frame)),
        (1 / camera.fx, 1 / camera.fy, camera.cx, camera.cy),
        side,
        (rules.min_measured, rules.plane_tolerance, rules.surface_tolerance),
        (cells.kind, cells.center, cells.radius, cells.normal, cells.color, cells.parts),
    )
    return LiftedFrame(_part(camera, cells, _SURFACE), _part(camera, cells, _SKY))


def gather(lifted: Sequence[LiftedFrame]) -> Patches:
    """Returns the patches of consecutive frames as one: surfaces first, each kind in the order of frames and cells.

    The centres of surfaces become relative to their mean.

    Raises:
        InvalidInput: there are more frames than a segment holds.
    """
    if len(lifted) > MAX_FRAMES_PER_SEGMENT:
        raise InvalidInput(
            f"a segment holds at most {MAX_FRAMES_PER_SEGMENT} frames, got {len(lifted)}; gather them in parts.",
            reason=Reason.INVALID_FRAME,
        )
    parts = [frame.surface for frame in lifted] + [frame.sky for frame in lifted]
    surface_count = sum(len(frame.surface) for frame in lifted)
    center = _joined([part.center for part in parts], np.float64, 3)
    origin = center[:surface_count].mean(axis=0) if surface_count else np.zeros(3)
    center[:surface_count] -= origin
    frames = np.tile(np.arange(len(lifted), dtype=np.uint16), 2)
    return Patches(
        origin=origin,
        center=center.astype(np.float32),
        radius=_joined([part.radius for part in parts], np.float32),
        normal=encode_normal(_joined([part.normal for part in parts], np.float32, 3)),
        frame=np.repeat(frames, [len(part) for part in parts]),
        cell=_joined([part.cell for part in parts], np.uint32),
        color=_joined([part.color for part in parts], np.uint8, 3),
        parts=_joined([part.parts for part in parts], np.uint16),
        surface_count=surface_count,
    )


def _joined(parts: Sequence[np.ndarray], dtype: type, *row: int) -> np.ndarray:
    """Returns the parts in one new array, even if there are none."""
    return np.concatenate([np.empty((0, *row), dtype), *parts])


def _colors(frame: Frame, spec: LatentSpec) -> UInt8[np.ndarray, "h w 3"]:
    """Returns the colours of a frame, from its latents where these are colours themselves, else grey."""
    size = (frame.camera.height, frame.camera.width, 3)
    if frame.rgb is not None:
        return frame.rgb
    if spec.codec == "pixel":
        return as_array(frame.latents, np.uint8, size, "latents", reason=Reason.INVALID_FRAME)
    return read_only(np.full(size, GREY, np.uint8))


def _moving(frame: Frame) -> np.ndarray:
    return read_only(np.zeros(frame.depth_m.shape, np.bool_)) if frame.moving is None else frame.moving


def _part(camera: Camera, cells: _Cells, kind: int) -> LiftedPatches:
    """Returns the patches of one kind, carried from camera space to the world."""
    kept = np.flatnonzero(cells.kind == kind)
    rotation = camera.camera_to_world[:3, :3]  # world <- camera
    turned = cells.center[kept] @ rotation.T
    return LiftedPatches(
        center=turned + camera.center if kind == _SURFACE else turned,
        radius=cells.radius[kept].astype(np.float32),
        normal=(cells.normal[kept] @ rotation.T).astype(np.float32),
        cell=kept.astype(np.uint32),
        color=cells.color[kept],
        parts=cells.parts[kept],
    )


# The kernel. `pixels` holds a row each of du and dv (from the middle of the patch, in pixels) and of inverse depth for
# the measured pixels of one patch; those of its surface come first. `plane` is (a, b, c): 1/z = a + b du + c dv. `lens`
# is (1 / fx, 1 / fy, cx, cy): dividing costs.
# Numba needs plain functions: neither the annotations nor their checks reach them.


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _lift_cells(images: Any, lens: Any, side: Any, rules: Any, cells: Any) -> None:
    """Fills `cells`, row by row."""
    depth, color, moving = images
    min_measured, plane_tolerance, surface_tolerance = rules
    kind, center, radius, normal, colors, parts = cells
    columns, size = depth.shape[1] // side, side * side
    needed = min_measured * size
    pixels, own = np.empty((3, size)), np.empty((side, side), np.bool_)
    for cell in range(len(kind)):
        top, left = cell // columns * side, cell % columns * side
        x, y = (left + side / 2 - lens[2]) * lens[0], (top + side / 2 - lens[3]) * lens[1]
        if moving[top : top + side, left : left + side].any():
            continue
        count = _collect(depth, top, left, side, pixels)
        if count >= needed:
            kind[cell] = _SURFACE
            count, plane = _surface_of(pixels, count, plane_tolerance, surface_tolerance)
            center[cell], normal[cell], radius[cell] = _place(pixels, count, plane, x, y, lens)
            _mean_color(color, top, left, side, pixels, count, colors[cell])
            drawn = _through(plane, center[cell, 2])
            count = _partition(pixels, count, drawn, FILLS * plane_tolerance)
        else:
            count = _collect_sky(depth, top, left, side, pixels)
            if count < needed:
                continue
            kind[cell] = _SKY
            center[cell], normal[cell], radius[cell] = _place_sky(x, y, side / 2 * lens[0], side / 2 * lens[1])
            _mean_color(color, top, left, side, pixels, count, colors[cell])
        parts[cell] = _filled_parts(pixels, count, own)


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _collect(depth: Any, top: Any, left: Any, side: Any, pixels: Any) -> Any:
    """Fills `pixels` with the measured ones and returns how many they are."""
    count = 0
    for row in range(side):
        for column in range(side):
            z = float(depth[top + row, left + column])
            if 0 < z < np.inf:
                pixels[0, count] = column + 0.5 - side / 2
                pixels[1, count] = row + 0.5 - side / 2
                pixels[2, count] = 1 / z
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _collect_sky(depth: Any, top: Any, left: Any, side: Any, pixels: Any) -> Any:
    """Fills `pixels` with those of sky and returns how many they are."""
    count = 0
    for row in range(side):
        for column in range(side):
            if depth[top + row, left + column] == np.inf:
                pixels[0, count] = column + 0.5 - side / 2
                pixels[1, count] = row + 0.5 - side / 2
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _surface_of(pixels: Any, measured: Any, plane_tolerance: Any, surface_tolerance: Any) -> Any:
    """Returns (count, plane) of the patch's surface and brings its pixels to the front."""
    plane = _fit(pixels, measured)
    count = _partition(pixels, measured, plane, plane_tolerance)
    if count >= NEARLY_ALL * measured:
        return count, plane
    facing = (np.sort(pixels[2, :measured])[measured // 2], 0.0, 0.0)
    dominant = _partition(pixels, measured, facing, surface_tolerance)
    if dominant >= ENOUGH * pixels.shape[1]:
        plane = _fit(pixels, dominant)
        if _partition(pixels, dominant, plane, plane_tolerance) >= NEARLY_ALL * dominant:
            return _partition(pixels, measured, plane, plane_tolerance), plane
    return dominant, facing


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _fit(pixels: Any, count: Any) -> Any:
    """Returns the least-squares plane of the first `count` pixels; without a slope where they lie in one line."""
    u, v, w = pixels[0, :count].mean(), pixels[1, :count].mean(), pixels[2, :count].mean()
    uu, uv, vv, uw, vw = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(count):
        du, dv, dw = pixels[0, i] - u, pixels[1, i] - v, pixels[2, i] - w
        uu += du * du
        uv += du * dv
        vv += dv * dv
        uw += du * dw
        vw += dv * dw
    determinant = uu * vv - uv * uv
    if determinant <= 1e-9 * uu * vv:
        return w, 0.0, 0.0
    b, c = (vv * uw - uv * vw) / determinant, (uu * vw - uv * uw) / determinant
    return w - b * u - c * v, b, c


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _partition(pixels: Any, count: Any, plane: Any, tolerance: Any) -> Any:
    """Brings those of the first `count` pixels that lie on the plane to the front and returns how many they are."""
    a, b, c = plane
    on = 0
    for i in range(count):
        du, dv, w = pixels[0, i], pixels[1, i], pixels[2, i]
        if abs(a + b * du + c * dv - w) <= tolerance * w:
            pixels[0, i], pixels[1, i], pixels[2, i] = pixels[0, on], pixels[1, on], pixels[2, on]
            pixels[0, on], pixels[1, on], pixels[2, on] = du, dv, w
            on += 1
    return on


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _place(pixels: Any, count: Any, plane: Any, x: Any, y: Any, lens: Any) -> Any:
    """Returns centre, normal and radius in camera space of the surface of the first `count` pixels.

    (x, y, 1) is the ray through the middle of the patch.
    """
    a, b, c = plane
    per_u, per_v = lens[0], lens[1]
    reach = (abs(b) + abs(c)) / 2
    nearest, farthest = pixels[2, :count].max(), pixels[2, :count].min()
    z = 1 / min(max(a, farthest - reach, farthest / STRETCH), nearest + reach)
    # n / d of the plane n @ point = d: its points lie at n @ point > 0, so -n faces the camera.
    n = np.array((b / per_u, c / per_v, a - b * x / per_u - c * y / per_v))
    squared = 0.0
    for step_u in (-0.5, 0.5):
        for step_v in (-0.5, 0.5):
            corner = (x + step_u * per_u, y + step_v * per_v, b * step_u + c * step_v)
            squared = max(squared, _farthest(pixels, count, corner, (per_u, per_v), (x * z, y * z, z)))
    return np.array((x * z, y * z, z)), n / -np.sqrt((n * n).sum()), np.sqrt(squared)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)  # all is finite here, and a maximum has no order
@no_type_check
def _farthest(pixels: Any, count: Any, corner: Any, per_pixel: Any, center: Any) -> Any:
    """Returns the largest squared distance from the centre to one corner of each of the first `count` pixels."""
    x, y, step_w = corner
    squared = 0.0
    for i in range(count):
        w = pixels[2, i]
        z = 1 / max(w + step_w, w / STRETCH)
        off_x = (x + pixels[0, i] * per_pixel[0]) * z - center[0]
        off_y = (y + pixels[1, i] * per_pixel[1]) * z - center[1]
        squared = max(squared, off_x * off_x + off_y * off_y + (z - center[2]) * (z - center[2]))
    return squared


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _place_sky(x: Any, y: Any, half_x: Any, half_y: Any) -> Any:
    """Returns direction, normal and sine of the angular radius of a patch around the ray (x, y, 1), in camera space."""
    direction = np.array((x, y, 1.0)) / np.sqrt(x * x + y * y + 1)
    radius = 0.0
    for far_x in (x - half_x, x + half_x):
        for far_y in (y - half_y, y + half_y):
            if x * far_x + y * far_y + 1 <= 0:  # beyond a right angle
                return direction, -direction, 1.0
            across = (y - far_y) ** 2 + (far_x - x) ** 2 + (x * far_y - y * far_x) ** 2
            radius = max(radius, across / (far_x * far_x + far_y * far_y + 1))
    return direction, -direction, np.sqrt(radius / (x * x + y * y + 1))


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _mean_color(color: Any, top: Any, left: Any, side: Any, pixels: Any, count: Any, mean: Any) -> None:
    """Writes the mean colour of the first `count` pixels, rounded, to `mean`."""
    red, green, blue = 0, 0, 0
    for i in range(count):
        row, column = top + int(pixels[1, i] + side / 2), left + int(pixels[0, i] + side / 2)
        red += color[row, column, 0]
        green += color[row, column, 1]
        blue += color[row, column, 2]
    mean[0], mean[1], mean[2] = (red + count // 2) // count, (green + count // 2) // count, (blue + count // 2) // count


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _through(plane: Any, z: Any) -> Any:
    """Returns the parallel of a plane whose depth in the middle of the patch is `z`."""
    scale = 1 / (plane[0] * z)
    return plane[0] * scale, plane[1] * scale, plane[2] * scale


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _filled_parts(pixels: Any, count: Any, own: Any) -> Any:
    """Returns the parts of the patch that its first `count` pixels fill, a bit each; overwrites `own`."""
    side = len(own)
    own[:] = False
    for i in range(count):
        own[int(pixels[1, i] + side / 2), int(pixels[0, i] + side / 2)] = True
    parts = 0
    for row in range(PARTS):
        top, bottom = _pixels_of_part(row, side)
        for column in range(PARTS):
            left, right = _pixels_of_part(column, side)
            filled = own[top:bottom, left:right].sum()
            parts |= (2 * filled >= (bottom - top) * (right - left)) << (PARTS * row + column)
    return parts


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _pixels_of_part(part: Any, side: Any) -> Any:
    """Returns first and last + 1 of the pixels along a side whose centres lie in a part, or else of the one there."""
    # Pixel i lies in it from PARTS * (i + 0.5) >= part * side on.
    first, last = (part * side + PARTS // 2 - 1) // PARTS, ((part + 1) * side + PARTS // 2 - 1) // PARTS
    if first < last:
        return first, last
    only = (2 * part + 1) * side // (2 * PARTS)
    return only, only + 1
