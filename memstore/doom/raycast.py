"""Exact depth of a Doom map: every pixel's ray followed through the sectors (the engine's own depth has 22 cm steps).

The camera stands level, as Doom's does, so a column of pixels is a vertical plane:
1. the lines that the column's plane meets are sorted by distance;
2. between two lines the ray column runs through one sector, whose ceiling closes the rows above and whose floor the
   rows below;
3. at a line, a step up or down closes rows with a wall, and a line without a far side closes all that are left.
Distances along the view axis are planar z, so a wall has one depth a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float32, Float64, Int64
from numba import njit

from memstore.camera import Camera
from memstore.doom.wad import UNITS_PER_METRE, VOID, DoomMap

NEAREST = 1e-6
"""Lines nearer than this are behind the camera or run through it, map units."""


@dataclass(frozen=True, eq=False)
class Surfaces:
    """What the map alone, without its sprites, shows to a camera."""

    depth_m: Float32[np.ndarray, "h w"]
    """Planar z in metres; +inf is sky, 0 is behind a see-through texture or outside the map."""
    owner: Int64[np.ndarray, "h w"]
    """The sector that puts the surface where it is (its floor, its ceiling, the step at its edge); `VOID` for none."""


def cast(doom_map: DoomMap, heights: Float64[np.ndarray, "s 2"], camera: Camera) -> Surfaces:
    """Returns what a level camera sees of a map through the centre of each pixel.

    Args:
        doom_map: lines and sectors.
        heights: floors and ceilings of this moment, map units: doors and lifts move.
        camera: level, that is with world up along -y; in metres.
    """
    depth = np.zeros((camera.height, camera.width), np.float32)
    owner = np.full((camera.height, camera.width), VOID, np.int64)
    x, y, z = camera.center * UNITS_PER_METRE
    lens = (camera.fx, camera.fy, camera.cx, camera.cy)
    ahead_x, ahead_y = camera.camera_to_world[:2, 2]
    _cast(
        doom_map.lines, doom_map.front, doom_map.back, doom_map.fenced, heights, doom_map.sky,
        (x, y, z), (ahead_x, ahead_y), lens, depth, owner,
    )  # fmt: skip
    return Surfaces(depth / np.float32(UNITS_PER_METRE), owner)


@njit(cache=True)
@no_type_check
def _cast(
    lines: Any,
    front: Any,
    back: Any,
    fenced: Any,
    heights: Any,
    sky: Any,
    eye: Any,
    ahead: Any,
    lens: Any,
    depth: Any,
    owner: Any,
) -> None:
    """Fills `depth` (map units) and `owner` column by column."""
    height, width = depth.shape
    fx, fy, cx, cy = lens
    distance, met = np.empty(len(lines)), np.empty(len(lines), np.int64)
    for column in range(width):
        slope = (column + 0.5 - cx) / fx
        count = _meet(lines, eye, ahead[0] + slope * ahead[1], ahead[1] - slope * ahead[0], distance, met)
        top, bottom, fence = 0, height, False  # rows [top, bottom) are still open
        for k in np.argsort(distance[:count]):
            line, t = met[k], distance[k]
            near, far = _sides(lines[line], front[line], back[line], eye)
            if near == VOID:  # seen from outside the map
                continue
            fence = fence or (near == far and fenced[line])
            if near == far:
                continue
            # The ceiling and the floor of the near sector, up to this line.
            ceiling, floor = heights[near, 1] - eye[2], heights[near, 0] - eye[2]
            first, end = _opening(ceiling, floor, t, fy, cy, top, bottom)
            if not fence:
                _paint_ceiling(depth, owner, column, top, first, ceiling, fy, cy, near, sky[near])
                _paint_flat(depth, owner, column, end, bottom, floor, fy, cy, near)
            top, bottom = first, end
            if far == VOID:
                if not fence:
                    _paint_wall(depth, owner, column, top, bottom, t, VOID)
                break
            # The steps to the far sector: its ceiling hangs lower, its floor stands higher.
            first, end = _opening(heights[far, 1] - eye[2], heights[far, 0] - eye[2], t, fy, cy, top, bottom)
            if not fence:
                open_above = sky[near] and sky[far]  # sky hides the step between two parts of itself
                _paint_wall(depth, owner, column, top, first, np.inf if open_above else t, VOID if open_above else far)
                _paint_wall(depth, owner, column, end, bottom, t, far)
            top, bottom, fence = first, end, fence or fenced[line]
            if top >= bottom:
                break


@njit(cache=True)
@no_type_check
def _meet(lines: Any, eye: Any, ray_x: float, ray_y: float, distance: Any, met: Any) -> int:
    """Returns how many lines a ray meets, with each one's planar z in `distance` and number in `met`."""
    count = 0
    for i in range(len(lines)):
        from_x, from_y = lines[i, 0] - eye[0], lines[i, 1] - eye[1]
        along_x, along_y = lines[i, 2] - lines[i, 0], lines[i, 3] - lines[i, 1]
        cross = ray_x * along_y - ray_y * along_x
        if cross == 0.0:
            continue
        share = (from_x * ray_y - from_y * ray_x) / cross
        t = (from_x * along_y - from_y * along_x) / cross
        if 0.0 <= share <= 1.0 and t > NEAREST:
            distance[count], met[count] = t, i
            count += 1
    return count


@njit(cache=True)
@no_type_check
def _sides(line: Any, front: int, back: int, eye: Any) -> tuple[int, int]:
    """Returns the sectors on the eye's side of a line and on its other side."""
    side = (line[2] - line[0]) * (eye[1] - line[1]) - (line[3] - line[1]) * (eye[0] - line[0])
    return (front, back) if side < 0 else (back, front)


@njit(cache=True)
@no_type_check
def _opening(ceiling: float, floor: float, t: float, fy: float, cy: float, top: int, bottom: int) -> tuple[int, int]:
    """Returns the rows [first, end) of [top, bottom) whose centres pass between two heights at distance t."""
    first = min(max(np.ceil(cy - fy * ceiling / t - 0.5), top), bottom)
    end = min(max(np.floor(cy - fy * floor / t + 0.5), first), bottom)
    return int(first), int(end)


@njit(cache=True)
@no_type_check
def _paint_ceiling(
    depth: Any, owner: Any, column: int, first: int, end: int, rise: float, fy: float, cy: float, sector: int, sky: bool
) -> None:
    if sky:
        _paint_wall(depth, owner, column, first, end, np.inf, VOID)
    else:
        _paint_flat(depth, owner, column, first, end, rise, fy, cy, sector)


@njit(cache=True)
@no_type_check
def _paint_flat(
    depth: Any, owner: Any, column: int, first: int, end: int, rise: float, fy: float, cy: float, sector: int
) -> None:
    for row in range(first, end):
        depth[row, column] = fy * rise / (cy - row - 0.5)
        owner[row, column] = sector


@njit(cache=True)
@no_type_check
def _paint_wall(depth: Any, owner: Any, column: int, first: int, end: int, t: float, sector: int) -> None:
    for row in range(first, end):
        depth[row, column] = t
        owner[row, column] = sector
