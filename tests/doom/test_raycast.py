import numpy as np
import pytest

from memstore.camera import Camera
from memstore.doom.raycast import cast
from memstore.doom.wad import UNITS_PER_METRE, VOID, DoomMap, sectors_at

STEP = 0.05
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
    z = np.arange(STEP, 700, STEP)
    points = eye + z[:, None] * ray
    sector = np.array([sector_of(doom_map, point) for point in points[::1]])
    floor, ceiling = doom_map.heights[sector].T
    over = points[:, 2] > ceiling
    stopped = (sector == VOID) | (points[:, 2] < floor) | over
    first = int(np.argmax(stopped))
    if 3 in sector[:first] or (sector[first] == 3 and first and sector[first - 1] != 3):
        return 0.0
    before = sector[first - 1] if first else sector[first]
    under_sky = doom_map.sky[before] and (doom_map.sky[sector[first]] or points[first, 2] > doom_map.heights[before, 1])
    if over[first] and sector[first] == before and doom_map.sky[before]:
        return np.inf
    if sector[first] == VOID and points[first, 2] > doom_map.heights[before, 1] and under_sky:
        return np.inf
    return float(z[first])


def sector_of(doom_map: DoomMap, point: np.ndarray) -> int:
    if abs(point[1]) >= 100:
        return VOID
    x1, y1, x2, y2 = doom_map.lines[:5].T
    crossing = x1 + (point[1] - y1) / (y2 - y1) * (x2 - x1)
    passed = int((crossing <= point[0]).sum())
    return passed - 1 if 0 < passed < 5 else VOID


def level_camera(x: float, y: float, z: float, angle: float) -> Camera:
    sin, cos = np.sin(angle), np.cos(angle)
    matrix = np.eye(4)
    matrix[:3, :3] = [[sin, 0, cos], [-cos, 0, sin], [0, -1, 0]]
    matrix[:3, 3] = np.array([x, y, z]) / UNITS_PER_METRE
    return Camera(16, 19.2, 12, 10, 24, 20, matrix)


@pytest.mark.parametrize("seed", range(4))
def test_cast_depth_is_what_small_steps_along_every_ray_find(seed: int) -> None:
    doom_map = small_map(seed)
    camera = level_camera(60, 7, 35, np.random.default_rng(seed).uniform(-0.9, 0.9))
    depth = cast(doom_map, doom_map.heights, camera).depth_m * UNITS_PER_METRE
    expected = np.array([[march(doom_map, camera, row, column) for column in range(24)] for row in range(20)])
    assert np.array_equal(np.isposinf(depth), np.isposinf(expected))
    assert np.array_equal(depth == 0, expected == 0)
    measured = np.isfinite(expected) & (expected > 0)
    assert measured.mean() > 0.5
    assert np.abs(depth - expected)[measured].max() < 3 * STEP


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
    expected = [[sector_of(doom_map, np.array([x, y])) for x in xs] for y in ys]
    assert np.array_equal(sectors_at(doom_map, xs, ys), expected)
