import numpy as np
import pytest

from memstore.camera import Camera
from memstore.errors import InvalidInput
from memstore.splat import DEPTH_TOLERANCE, MAX_SPREAD
from memstore.warp import MAX_SLOPE, reproject, rope_positions, warp_frame

EYE = np.array([0.0, -2.0, 1.4])


def psnr(found, wanted, mask):
    error = (found[mask].astype(np.float64) - wanted[mask].astype(np.float64)) ** 2
    return 10 * np.log10(255**2 / error.mean())


def test_a_patch_seen_by_its_own_camera_has_the_position_of_its_token():
    row, column = np.divmod(np.arange(55), 11)
    uv = (np.column_stack([column, row]) + 0.5) * 32
    wanted = np.column_stack([np.full(55, 7), row, column])
    np.testing.assert_array_equal(rope_positions(uv, 32, 7.0), wanted.astype(np.float32))


def test_rope_positions_keep_the_fraction_and_move_smoothly():
    u = np.linspace(10, 70, 601)
    position = rope_positions(np.column_stack([u, np.full(601, 40.0)]), 16, 2.5)
    np.testing.assert_allclose(np.diff(position[:, 2]), 0.1 / 16, atol=1e-6)
    assert (position[:, 0] == 2.5).all()
    assert rope_positions(np.zeros((0, 2)), 16, 0.0).shape == (0, 3)


def test_reprojection_is_unprojection_and_projection(stand):
    rng = np.random.default_rng(0)
    source, target = stand(EYE), stand((0.4, -1.5, 1.0))
    uv, depth = rng.uniform(0, 160, (200, 2)), rng.uniform(0.5, 20, 200)
    found_uv, found_depth = reproject(uv, depth, source, target, scale=0.25)
    wanted_uv, wanted_depth = target.project(source.unproject(uv, depth * 0.25))
    wanted_depth = np.where(wanted_depth > 0, wanted_depth, np.nan)
    np.testing.assert_allclose(found_uv, wanted_uv, rtol=1e-9)
    np.testing.assert_allclose(found_depth, wanted_depth, rtol=1e-9)


def test_reprojection_of_sky_is_a_direction_that_ignores_where_cameras_stand(stand):
    source, target = stand(EYE), stand(EYE + np.array([30, -7, 2]), EYE + np.array([30.5, -4, 2.4]))
    uv = np.array([[100.0, 50.0], [30.0, 120.0]])
    found_uv, depth = reproject(uv, np.full(2, np.inf), source, target)
    direction = source.unproject(uv, np.ones(2)) - source.center
    np.testing.assert_allclose(found_uv, target.project(target.center + direction)[0])
    assert np.isposinf(depth).all()


def test_reprojection_of_unmeasured_depth_and_of_points_behind_is_nan(stand):
    around = stand(EYE, EYE - np.array([0.2, 3.0, -0.2]))
    for depth in (np.nan, 0.0):
        uv, found = reproject(np.array([[5.0, 5.0]]), np.array([depth]), stand(EYE), stand(EYE))
        assert np.isnan(uv).all()
        assert np.isnan(found).all()
    uv, found = reproject(np.array([[128.0, 80.0]]), np.array([2.0]), stand(EYE), around)
    assert np.isnan(uv).all()
    assert np.isnan(found).all()


def test_a_frame_before_its_own_camera_is_the_frame_itself(render_room, stand):
    rgb, depth = render_room(stand(EYE), open_roof=True)
    canvas = warp_frame(rgb, depth, stand(EYE), stand(EYE))
    assert canvas.mask.all()
    np.testing.assert_allclose(canvas.latents, rgb, atol=1e-3)
    np.testing.assert_allclose(canvas.depth_m, depth, rtol=1e-6)


@pytest.mark.parametrize(
    ("move", "quality", "covered"),
    [
        ((0.1, 0, 0), 41, 0.97),
        ((0.3, 0, 0), 38, 0.93),
        ((0.5, 0, 0), 36, 0.88),
        ((0, 0.5, 0), 35, 0.98),
        ((0, -0.3, 0), 42, 0.77),
        ((0.1, 0.3, 0.2), 37, 0.98),
    ],
)
def test_a_moved_view_is_true_to_the_room_where_it_is_covered(render_room, stand, move, quality, covered):
    source, target = stand(EYE), stand(EYE + move)
    canvas = warp_frame(*render_room(source), source, target)
    wanted, depth = render_room(target)
    assert psnr(canvas.latents, wanted, canvas.mask) > quality
    assert canvas.covered > covered
    error = np.abs(canvas.depth_m - depth)[canvas.mask] / depth[canvas.mask]
    assert np.quantile(error, 0.98) < DEPTH_TOLERANCE


def test_what_the_source_never_saw_is_a_hole(render_room, stand):
    source, target = stand(EYE), stand(EYE + np.array([0.5, 0, 0]))
    canvas = warp_frame(*render_room(source), source, target)
    v, u = np.nonzero(np.ones(canvas.mask.shape))
    _, depth = render_room(target)
    back, there = reproject(np.column_stack([u, v]) + 0.5, depth.ravel().astype(np.float64), target, source)
    _, seen = render_room(source)
    inside = (back > 1).all(axis=1) & (back < [source.width - 1, source.height - 1]).all(axis=1)
    at = np.where(inside[:, None], back, 0).astype(int)
    hidden = inside & (there > seen[at[:, 1], at[:, 0]] * 1.2)
    assert hidden.sum() > 300
    assert canvas.mask.ravel()[hidden].mean() < 0.1
    assert (canvas.latents[~canvas.mask] == 0).all()
    assert np.isnan(canvas.depth_m[~canvas.mask]).all()


def test_no_cracks_open_up_to_the_magnification_limit():
    wall, rgb = np.full((48, 64), 4.0, np.float32), np.full((48, 64, 3), 200, np.uint8)
    source = Camera.from_fov(64, 48, 60, degrees=True)
    for nearer in (1.3, 2.0, MAX_SPREAD - 0.2):
        moved = np.eye(4)
        moved[2, 3] = 4.0 - 4.0 / nearer
        canvas = warp_frame(rgb, wall, source, source.at(moved))
        assert canvas.mask.all(), nearer
        np.testing.assert_allclose(canvas.latents, 200, atol=1e-3)


def test_no_cracks_open_when_the_camera_rolls():
    source = Camera.from_fov(64, 64, 60, degrees=True)
    roll = np.eye(4)
    roll[:2, :2] = [[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]]
    canvas = warp_frame(np.full((64, 64, 3), 9, np.uint8), np.full((64, 64), 3.0, np.float32), source, source.at(roll))
    assert canvas.mask[12:-12, 12:-12].all()


def test_a_placement_scale_changes_the_metres_and_not_the_picture(render_room, stand):
    source, target = stand(EYE), stand(EYE + np.array([0.2, 0.1, 0]))
    rgb, depth = render_room(source)
    wanted = warp_frame(rgb, depth, source, target)
    for scale in (0.1, 10.0):
        found = warp_frame(rgb, depth / np.float32(scale), source, target, scale)
        np.testing.assert_array_equal(found.mask, wanted.mask)
        np.testing.assert_allclose(found.latents, wanted.latents, atol=0.05)
        np.testing.assert_allclose(found.depth_m, wanted.depth_m, rtol=1e-4)


def test_a_smooth_move_moves_the_picture_smoothly(render_room, stand):
    source = stand(EYE)
    rgb, depth = render_room(source)
    canvases = [warp_frame(rgb, depth, source, stand(EYE + np.array([step, 0, 0]))) for step in (0.2, 0.2005, 0.201)]
    both = np.logical_and.reduce([canvas.mask for canvas in canvases])
    first, second, third = (canvas.latents[both] for canvas in canvases)
    bend = np.abs(first - 2 * second + third)
    assert np.abs(third - first).mean() > 0.05
    assert np.quantile(bend, 0.99) < 1.0


def test_coarse_latents_with_finer_depth_land_where_they_belong(render_room, stand):
    source, target = stand(EYE), stand(EYE + np.array([0.1, 0.05, 0]))
    rgb, depth = render_room(source)
    wanted, _ = render_room(target)

    def coarse(image):
        return image.reshape(20, 8, 32, 8, -1).mean(axis=(1, 3))

    canvas = warp_frame(coarse(rgb), depth[1::2, 1::2], source, target)
    assert canvas.covered > 0.95
    unmoved = psnr(coarse(rgb), coarse(wanted), canvas.mask)
    assert psnr(canvas.latents, coarse(wanted), canvas.mask) > unmoved + 4


def test_maps_that_do_not_divide_the_image_are_refused(stand):
    camera = stand(EYE)
    with pytest.raises(InvalidInput, match="latents must divide an image of 256x160 evenly, got 30x20"):
        warp_frame(np.zeros((20, 30, 3)), np.ones((160, 256), np.float32), camera, camera)
    with pytest.raises(InvalidInput, match="resize the target camera"):
        warp_frame(np.zeros((20, 32, 3)), np.ones((160, 256), np.float32), camera, camera.resized(250, 160))


# The slow twin: one sample and one cell at a time, in float64, straight from the rules of warp.py.


def warp_by_loops(latents, depth, source, target):
    height, width = depth.shape
    spots = {(r, c): _spot(depth, r, c, source, target) for r in range(height) for c in range(width)}
    out = np.zeros((target.height, target.width, latents.shape[2]))
    mask = np.zeros((target.height, target.width), bool)
    for row in range(target.height):
        for column in range(target.width):
            won = _winner(spots, row, column)
            if won is None:
                continue
            back = _look_back(depth, source, target, row, column, spots[won])
            if back is not None:
                mask[row, column] = True
                out[row, column] = sum(w * latents[r, c] for r, c, w in _four(back, depth.shape))
    return out, mask


def _spot(depth, r, c, source, target):
    (uv,), (z,) = reproject(np.array([[c + 0.5, r + 0.5]]), depth[r : r + 1, c].astype(np.float64), source, target)
    if np.isnan(z):
        return None
    reach, slope = np.zeros(2), 0.0
    for near in (((r, c - 1), (r, c + 1)), ((r - 1, c), (r + 1, c))):
        near = [(i, j) for i, j in near if 0 <= i < depth.shape[0] and 0 <= j < depth.shape[1]]
        at = np.array([[j + 0.5, i + 0.5] for i, j in near])
        there, _ = reproject(at, np.array([float(depth[i, j]) for i, j in near]), source, target)
        reach += np.abs(there - uv).min(axis=0) / 2
        slope += min(abs(1 / float(depth[i, j]) - 1 / float(depth[r, c])) for i, j in near)
    own = 1 / float(depth[r, c])
    growth = 1 / z / own
    minified = 1 / np.clip(2 * reach.min(), 1 / 8, 1)
    slope = min(slope, MAX_SLOPE * own)
    return uv, z, np.clip(reach, 0.5, MAX_SPREAD / 2), slope, growth * min(slope * minified, MAX_SLOPE * own)


def _winner(spots, row, column):
    centre = np.array([column + 0.5, row + 0.5])
    here = {
        at: spot
        for at, spot in spots.items()
        if spot and (spot[0] - spot[2] <= centre).all() and (centre < spot[0] + spot[2]).all()
    }
    if not here:
        return None
    nearest = max(1 / spot[1] for spot in here.values())
    agree = {at: s for at, s in here.items() if 1 / s[1] + s[4] >= nearest * (1 - DEPTH_TOLERANCE)}
    return min(agree, key=lambda at: (int(np.abs(centre - agree[at][0]).max() * 512), at))


def _look_back(depth, source, target, row, column, spot):
    centre = np.array([[column + 0.5, row + 0.5]])
    (uv,), (z,) = reproject(centre, np.array([spot[1]]), target, source)
    four = _four(uv, depth.shape)
    agree = [abs(1 / float(depth[r, c]) - 1 / z) <= DEPTH_TOLERANCE / z + spot[3] for r, c, _ in four]
    if not agree[max(range(4), key=lambda k: four[k][2])]:
        return None
    total = sum(w for (_, _, w), ok in zip(four, agree, strict=True) if ok)
    blend = sum(w / float(depth[r, c]) for (r, c, w), ok in zip(four, agree, strict=True) if ok) / total
    _, finer = reproject(uv[None], np.array([1 / blend]), source, target)
    return reproject(centre, finer, target, source)[0][0]


def _four(uv, shape):
    (left, top), (x, y) = np.floor(uv - 0.5).astype(int), (uv - 0.5) % 1
    weights = ((0, 0, (1 - x) * (1 - y)), (0, 1, x * (1 - y)), (1, 0, (1 - x) * y), (1, 1, x * y))
    return [(np.clip(top + i, 0, shape[0] - 1), np.clip(left + j, 0, shape[1] - 1), w) for i, j, w in weights]


@pytest.mark.parametrize("move", [(0.15, 0.1, 0.05), (0.0, 0.6, 0.0), (-0.2, -0.4, 0.3)])
def test_the_warp_agrees_with_its_loop(render_room, stand, move):
    source = stand(EYE, width=20, height=16)
    target = stand(EYE + move, width=20, height=16)
    rgb, depth = render_room(source)
    latents = rgb / np.float32(255)
    wanted, mask = warp_by_loops(latents, depth, source, target)
    canvas = warp_frame(latents, depth, source, target)
    np.testing.assert_array_equal(canvas.mask, mask)
    assert mask.mean() > 0.5
    np.testing.assert_allclose(canvas.latents, wanted, atol=1e-5)


def test_a_warp_leaves_its_inputs_alone(render_room, stand):
    rgb, depth = render_room(stand(EYE))
    kept = rgb.copy(), depth.copy()
    canvas = warp_frame(rgb, depth, stand(EYE), stand(EYE + np.array([0.1, 0, 0])))
    np.testing.assert_array_equal(rgb, kept[0])
    np.testing.assert_array_equal(depth, kept[1])
    with pytest.raises(ValueError, match="read-only"):
        canvas.latents[0] = 1
