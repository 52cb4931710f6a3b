import numpy as np
import pytest

from memstore.camera import Camera
from memstore.doom.raycast import cast
from memstore.doom.wad import UNITS_PER_METRE, VOID, DoomMap, sectors_at

STEP = 0.1
"""Length of the oracle's steps along a ray, map units."""


def small_map(seed: int) -> DoomMap:
    """A hall (sector 0), a yard under the sky (1) and a lower room (2) in a row, then a grate before a niche (3)."""
    chance = np.random.default_rng(seed)
    heights = np.stack([chance.integers(-24, 12, 4), chance.integers(60, 140, 4)], axis=1).astype(float)
    walls = np.array([0.0, 130, 300, 420, 500]) + chance.integers(-20, 20, 5)
    tilt = chance.integers(-30, 30, 5)
    lower, upper = np.stack([walls + tilt, np.full(5, -100.0)], 1), np.stack([walls - tilt, np.full(5, 100.0)], 1)
    lines, front, back = [], [], []
    for i in range(5):  # from south to north: the east is on the right hand
        lines.append([*lower[i], *upper[i]])
        front.append(i if i < 4 else VOID)
        back.append(i - 1 if i else VOID)
    for i in range(4):
        lines += [[*upper[i], *upper[i + 1]], [*lower[i + 1], *lower[i]]]
        front += [i, i]
        back += [VOID, VOID]
    fenced = np.zeros(len(lines), bool)
    fenced[3] = True
    sky = np.array([False, True, False, False])
    return DoomMap(np.array(lines, float), np.array(front), np.array(back), fenced, heights, sky)


def march(doom_map: DoomMap, camera: Camera, row: int, column: int) -> float:
    """The slow obvious twin: small steps along the ray until one ends under a floor, over a ceiling or outside."""
    ray = camera.camera_to_world[:3, :3] @ [
        (column + 0.5 - camera.cx) / camera.fx,
        (row + 0.5 - camera.cy) / camera.fy,
        1,
    ]
    eye = camera.center * UNITS_PER_METRE
    z = np.arange(STEP, 900, STEP)
    first = first_stop(doom_map, eye + z[:, None] * ray)
    z = np.concatenate([z[:first], np.linspace(z[first] - STEP, z[first], 1001)])  # the last step again, finer
    points = eye + z[:, None] * ray
    first = first_stop(doom_map, points)
    sector = sectors_of(doom_map, points)
    here, before, over = sector[first], sector[first - 1], points[first, 2] > doom_map.heights[sector[first], 1]
    if 3 in sector[:first]:
        return 0.0
    through_sky = doom_map.sky[before] and here != VOID and doom_map.sky[here]
    return np.inf if over and through_sky else float(z[first])


def first_stop(doom_map: DoomMap, points: np.ndarray) -> int:
    sector = sectors_of(doom_map, points)
    floor, ceiling = doom_map.heights[sector].T
    return int(np.argmax((sector == VOID) | (points[:, 2] < floor) | (points[:, 2] > ceiling)))


def sectors_of(doom_map: DoomMap, points: np.ndarray) -> np.ndarray:
    """The sector under each point: how many of the five cross walls lie to its west, counted."""
    x1, y1, x2, y2 = doom_map.lines[:5].T
    crossing = x1 + (points[:, 1:2] - y1) / (y2 - y1) * (x2 - x1)
    passed = (crossing <= points[:, :1]).sum(axis=1)
    return np.where((passed > 0) & (passed < 5) & (np.abs(points[:, 1]) < 100), passed - 1, VOID)


def level_camera(x: float, y: float, z: float, angle: float) -> Camera:
    sin, cos = np.sin(angle), np.cos(angle)
    matrix = np.eye(4)
    matrix[:3, :3] = [[sin, 0, cos], [-cos, 0, sin], [0, -1, 0]]
    matrix[:3, 3] = np.array([x, y, z]) / UNITS_PER_METRE
    return Camera(16, 19.2, 12, 10, 24, 20, matrix)


@pytest.mark.parametrize("seed", range(3))
def test_cast_depth_is_what_small_steps_along_every_ray_find(seed: int) -> None:
    doom_map = small_map(seed)
    camera = level_camera(60, 7, 35, np.random.default_rng(seed).uniform(-0.9, 0.9))
    depth = cast(doom_map, doom_map.heights, camera).depth_m * UNITS_PER_METRE
    expected = np.array([[march(doom_map, camera, row, column) for column in range(24)] for row in range(20)])
    assert np.array_equal(np.isposinf(depth), np.isposinf(expected))
    assert np.array_equal(depth == 0, expected == 0)
    measured = np.isfinite(expected) & (expected > 0)
    assert measured.mean() > 0.5
    assert np.abs(depth[measured] - expected[measured]).max() < STEP / 100


def test_a_closed_door_hides_what_lies_behind_it() -> None:
    doom_map = small_map(0)
    shut = doom_map.heights.copy()
    shut[1] = shut[1, 0]
    surfaces = cast(doom_map, shut, level_camera(60, 7, 35, 0.0))
    assert not np.isposinf(surfaces.depth_m).any()
    assert set(np.unique(surfaces.owner)) <= {VOID, 0, 1}


def test_sectors_are_found_on_both_sides_of_slanted_lines() -> None:
    doom_map = small_map(1)
    xs, ys = np.linspace(-60, 560, 83), np.linspace(-120, 120, 41)
    expected = [sectors_of(doom_map, np.stack([xs, np.full_like(xs, y)], axis=1)) for y in ys]
    assert np.array_equal(sectors_at(doom_map, xs, ys), expected)
