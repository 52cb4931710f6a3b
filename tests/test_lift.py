"""Lifting against scenes whose planes are known exactly, and against a slow twin that follows the rules one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.lift import ENOUGH, FILLS, NEARLY_ALL, STRETCH, LiftedFrame, LiftedPatches, LiftOptions, gather, lift
from memstore.patch import WHOLE, decode_normal

SPEC = LatentSpec.pixel(patch=8)
UNEQUAL = Camera(70, 55, 37, 22, 64, 48, look_at((0.5, -1, 1.2), (3, 2, 0.4)))
"""fx != fy, a principal point off the middle, turned and moved."""


def pixel_centres(camera: Camera) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5), axis=-1)


def unproject(camera: Camera, uv: np.ndarray, depth: np.ndarray | float) -> np.ndarray:
    return camera.unproject(uv, np.asarray(depth))


def depth_of_plane(camera: Camera, point: np.ndarray, normal: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Planar depth at which the rays of pixels meet a plane of the world; sky where they do not."""
    rays = unproject(camera, uv, np.ones(uv.shape[:-1])) - camera.center
    along = rays @ normal
    with np.errstate(divide="ignore"):
        depth = np.dot(normal, point - camera.center) / along
    return np.where(depth > 0, depth, np.inf)


def frame_of(camera: Camera, depth: np.ndarray, **fields: np.ndarray) -> Frame:
    colors = np.random.default_rng(1).integers(0, 256, (camera.height, camera.width, 3), dtype=np.uint8)
    return Frame(camera, depth.astype(np.float32), **({"rgb": colors} | fields))


def middles(camera: Camera, patches: LiftedPatches, side: int) -> np.ndarray:
    row, column = np.divmod(patches.cell.astype(np.int64), camera.width // side)
    return (np.stack([column, row], axis=1) + 0.5) * side


def flat(depth: float, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    return np.full(size, depth)


def one_patch(depth: np.ndarray, options: LiftOptions | None = None, **fields: np.ndarray) -> LiftedFrame:
    """Lifts a frame that is a single patch, seen straight ahead from the origin with a focal length of 10 pixels."""
    return lift(frame_of(Camera(10, 10, 4, 4, 8, 8, np.eye(4)), depth, **fields), SPEC, options)


# Known planes


@pytest.mark.parametrize("normal", [(0, 0, 1), (-1, -1, 0.2), (0.3, -1, 0)])
def test_a_plane_gives_its_centres_normals_and_radii_exactly(normal):
    camera, side = UNEQUAL, SPEC.token_px
    point, unit = np.array([3.0, 2.0, -0.5]), np.array(normal) / np.linalg.norm(normal)
    depth = depth_of_plane(camera, point, unit, pixel_centres(camera))
    surface = lift(frame_of(camera, depth), SPEC).surface
    middle = middles(camera, surface, side)
    center = unproject(camera, middle, depth_of_plane(camera, point, unit, middle))
    steps = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)]) * side
    corners = middle[:, None] + steps
    corner_depth = depth_of_plane(camera, point, unit, corners)
    # Near the plane's horizon a patch is partly sky and its corners run to infinity.
    whole = (corner_depth < 20).all(axis=1)
    assert whole.sum() >= 8
    reach = np.linalg.norm(unproject(camera, corners[whole], corner_depth[whole]) - center[whole, None], axis=2)
    np.testing.assert_allclose(surface.center[whole], center[whole], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(surface.radius[whole], reach.max(axis=1), rtol=1e-4)
    facing = np.sign(np.dot(unit, camera.center - point))
    np.testing.assert_allclose(surface.normal[whole], np.broadcast_to(facing * unit, (whole.sum(), 3)), atol=1e-4)


def test_a_wall_ahead_gives_round_numbers():
    lifted = one_patch(flat(5.0))
    np.testing.assert_allclose(lifted.surface.center, [[0, 0, 5]], atol=1e-6)
    np.testing.assert_allclose(lifted.surface.normal, [[0, 0, -1]], atol=1e-6)
    np.testing.assert_allclose(lifted.surface.radius, [2 * np.sqrt(2)], rtol=1e-6)
    assert lifted.surface.cell.tolist() == [0]
    assert len(lifted.sky) == 0
    assert len(lifted) == 1


def test_a_room_lifts_to_its_walls_and_every_sphere_holds_its_pixels():
    camera = Camera.from_fov(96, 64, 1.4, look_at((1, 2, 1.5), (3, 3.5, 1)))
    uv = pixel_centres(camera)
    walls = [((0, 0, 0), axis) for axis in np.eye(3)] + [((4, 5, 3), axis) for axis in np.eye(3)]
    depth = np.min([depth_of_plane(camera, np.array(point), axis, uv) for point, axis in walls], axis=0)
    lifted = lift(frame_of(camera, depth), SPEC)
    assert len(lifted.surface) == 96
    inside = np.abs(lifted.surface.center - [2, 2.5, 1.5]) <= np.array([2, 2.5, 1.5]) + 1e-4
    assert inside.all()
    along_axes = np.isclose(np.abs(lifted.surface.normal), 1, atol=1e-3).any(axis=1)
    assert along_axes.mean() > 0.7
    for k in np.flatnonzero(along_axes):
        own = uv.reshape(8, 8, 12, 8, 2)[lifted.surface.cell[k] // 12, :, lifted.surface.cell[k] % 12].reshape(-1, 2)
        points = unproject(camera, own, np.min([depth_of_plane(camera, np.array(p), a, own) for p, a in walls], axis=0))
        off_plane = np.abs((points - lifted.surface.center[k]) @ lifted.surface.normal[k])
        distance = np.linalg.norm(points - lifted.surface.center[k], axis=1)
        assert (distance[off_plane < 1e-3] <= lifted.surface.radius[k]).all()


def test_normals_face_the_camera_whatever_the_scene():
    camera = UNEQUAL
    depth = np.random.default_rng(3).uniform(1, 1.3, (48, 64)) + pixel_centres(camera)[..., 0] / 20
    surface = lift(frame_of(camera, depth), SPEC).surface
    assert len(surface) == 48
    assert (np.einsum("ij,ij->i", surface.normal, camera.center - surface.center) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(surface.normal, axis=1), 1, atol=1e-6)


def test_a_turned_camera_turns_the_patches_and_nothing_else():
    depth = np.random.default_rng(4).uniform(2, 2.6, (48, 64))
    depth[:, :10] = np.inf
    at_origin = lift(frame_of(UNEQUAL.at(np.eye(4)), depth), SPEC)
    turned = lift(frame_of(UNEQUAL, depth), SPEC)
    rotation = UNEQUAL.camera_to_world[:3, :3]
    np.testing.assert_allclose(
        turned.surface.center, at_origin.surface.center @ rotation.T + UNEQUAL.center, atol=1e-12
    )
    np.testing.assert_allclose(turned.surface.normal, at_origin.surface.normal @ rotation.T, atol=1e-6)
    np.testing.assert_array_equal(turned.surface.radius, at_origin.surface.radius)
    np.testing.assert_allclose(turned.sky.center, at_origin.sky.center @ rotation.T, atol=1e-12)
    np.testing.assert_array_equal(turned.sky.radius, at_origin.sky.radius)


# Edges, holes and sky


def test_a_patch_across_an_edge_keeps_its_dominant_surface():
    depth = flat(5.0)
    depth[:, :3] = 2.0
    colors = np.zeros((8, 8, 3), np.uint8)
    colors[:, :3] = 200
    colors[:, 3:] = 90
    surface = one_patch(depth, rgb=colors).surface
    np.testing.assert_allclose(surface.center, [[0, 0, 5]], atol=1e-6)
    np.testing.assert_allclose(surface.normal, [[0, 0, -1]], atol=1e-6)
    np.testing.assert_allclose(surface.radius, [2 * np.sqrt(2)], rtol=1e-6)
    assert surface.color.tolist() == [[90, 90, 90]]


def test_the_nearer_surface_wins_where_two_share_a_patch_equally():
    depth = flat(5.0)
    depth[:, :4] = 2.0
    surface = one_patch(depth).surface
    np.testing.assert_allclose(surface.center, [[0, 0, 2]], atol=1e-6)
    np.testing.assert_allclose(surface.radius, [np.hypot(0.8, 0.8)], rtol=1e-6)


def test_a_steep_floor_behind_an_edge_is_taken_whole():
    camera = Camera(10, 10, 4, 4, 8, 8, np.eye(4))
    unit = np.array([0, -1, -0.8]) / np.hypot(1, 0.8)
    depth = depth_of_plane(camera, np.array([0, 0, 6.0]), unit, pixel_centres(camera))
    assert depth.max() / depth.min() > 2  # far more than the tolerance of a surface: pixels must join again
    corners = np.array([(0, 0), (8, 0), (0, 8), (8, 8)], np.float64)
    corner_depth = depth_of_plane(camera, np.array([0, 0, 6.0]), unit, corners)
    depth[5:, 5:] = 2.0
    surface = lift(frame_of(camera, depth), SPEC, LiftOptions(surface_tolerance=0.2)).surface
    np.testing.assert_allclose(surface.center, [[0, 0, 6]], atol=1e-4)
    np.testing.assert_allclose(surface.normal, [unit], atol=1e-4)
    reach = np.linalg.norm(unproject(camera, corners, corner_depth) - [0, 0, 6], axis=1)
    np.testing.assert_allclose(surface.radius, [reach[:3].max()], rtol=1e-4)


def test_a_rough_patch_faces_the_image_at_its_median_depth():
    depth = np.linspace(2, 9, 64)
    np.random.default_rng(0).shuffle(depth)
    surface = one_patch(depth.reshape(8, 8)).surface
    np.testing.assert_allclose(surface.normal, [[0, 0, -1]], atol=1e-6)
    assert surface.center[0, 2] == pytest.approx(np.sort(depth)[31], rel=1e-6)


def test_a_centre_beyond_the_measured_part_moves_to_the_nearest_measured_depth():
    camera = Camera(10, 10, 4, 4, 8, 8, np.eye(4))
    unit = np.array([-1, 0, -0.5]) / np.hypot(1, 0.5)
    depth = depth_of_plane(camera, np.array([0, 0, 6.0]), unit, pixel_centres(camera))
    depth[:, 3:] = 0
    edge = depth_of_plane(camera, np.array([0, 0, 6.0]), unit, np.array([3.0, 4.0]))
    assert abs(edge - 6) > 0.5
    surface = lift(frame_of(camera, depth), SPEC, LiftOptions(min_measured=0.25)).surface
    np.testing.assert_allclose(surface.center, [[0, 0, edge]], rtol=1e-4)
    np.testing.assert_allclose(surface.normal, [unit], atol=1e-3)


def drawn(parts: int) -> list[str]:
    return ["".join("#" if parts >> (4 * row + column) & 1 else "." for column in range(4)) for row in range(4)]


def test_a_patch_fills_the_parts_in_which_half_of_the_pixels_are_its_own():
    depth = flat(5.0)
    depth[:, :3] = 2.0  # half of the second column of parts stays
    depth[5:, 6:] = 0.0
    assert drawn(one_patch(depth).surface.parts[0]) == [".###", ".###", ".###", ".##."]
    assert one_patch(flat(5.0)).surface.parts.tolist() == [WHOLE]


def test_a_rough_patch_fills_only_the_parts_that_lie_on_its_plane():
    depth = np.full((8, 8), 5.0)
    depth[:4] = 5.35  # too far for one plane, near enough for one surface
    depth[0, 0] = 9.0
    assert drawn(one_patch(depth, LiftOptions(plane_tolerance=0.004)).surface.parts[0]) == [
        "....",
        "....",
        "####",
        "####",
    ]


def test_sky_fills_the_parts_that_are_sky():
    depth = flat(np.inf)
    depth[5:] = 3.0
    assert drawn(one_patch(depth).sky.parts[0]) == ["####", "####", "####", "...."]


@pytest.mark.parametrize(("side", "expected"), [(1, ["####"] * 4), (2, ["..##", "..##", "####", "####"])])
def test_tokens_smaller_than_their_parts_fill_those_whose_centres_lie_in_a_pixel_of_the_patch(side, expected):
    depth = np.full((side, side), 5.0)
    if side == 2:
        depth[0, 0] = 0.0
    camera = Camera(10, 10, side / 2, side / 2, side, side, np.eye(4))
    assert drawn(lift(frame_of(camera, depth), LatentSpec.pixel(side)).surface.parts[0]) == expected


@pytest.mark.parametrize("hole", [0.0, np.nan, -np.inf, -3.0, np.inf])
def test_a_surface_needs_its_share_of_measured_pixels(hole):
    depth = flat(5.0)
    depth[4:] = hole
    assert len(one_patch(depth).surface) == 1
    assert len(one_patch(depth, LiftOptions(min_measured=0.51))) == 0
    depth[3, 7] = hole
    assert len(one_patch(depth).surface) == 0
    assert len(one_patch(depth, LiftOptions(min_measured=31 / 64)).surface) == 1


def test_half_sky_and_half_surface_is_surface_and_more_sky_is_sky():
    depth = flat(np.inf)
    depth[:4] = 3.0
    lifted = one_patch(depth)
    assert (len(lifted.surface), len(lifted.sky)) == (1, 0)
    np.testing.assert_allclose(lifted.surface.radius, [np.hypot(1.2, 1.2)], rtol=1e-6)
    depth[0, 0] = np.inf
    lifted = one_patch(depth)
    assert (len(lifted.surface), len(lifted.sky)) == (0, 1)


def test_sky_is_a_direction_with_the_sine_of_its_angle():
    camera = UNEQUAL
    depth = np.full((48, 64), np.inf)
    sky = lift(frame_of(camera, depth), SPEC).sky
    assert sky.cell.tolist() == list(range(48))
    middle = middles(camera, sky, 8)
    for k in range(48):
        rays = unproject(camera, middle[k] + 4 * np.array([(0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)]), np.ones(5))
        rays -= camera.center
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        np.testing.assert_allclose(sky.center[k], rays[0], atol=1e-12)
        np.testing.assert_allclose(sky.radius[k], np.sin(np.arccos(rays[1:] @ rays[0]).max()), rtol=1e-6)
    np.testing.assert_allclose(sky.normal, -sky.center, atol=1e-6)


def test_sky_wider_than_a_right_angle_has_the_largest_sine():
    camera = Camera(2, 2, -20, 4, 8, 8, np.eye(4))
    wide = Camera(0.1, 0.1, 3.9, 4, 8, 8, np.eye(4))
    assert lift(frame_of(camera, flat(np.inf)), SPEC).sky.radius[0] < 0.2
    assert lift(frame_of(wide, flat(np.inf)), SPEC).sky.radius[0] == 1.0


def test_the_colour_of_sky_is_that_of_its_sky_pixels():
    depth = flat(np.inf)
    depth[6:] = 3.0
    colors = np.full((8, 8, 3), 250, np.uint8)
    colors[:6] = (10, 20, 30)
    colors[0] = (16, 26, 36)
    assert one_patch(depth, rgb=colors).sky.color.tolist() == [[11, 21, 31]]


def test_patches_that_touch_a_moving_pixel_are_left_out():
    camera = Camera.from_fov(32, 24, 1.0)
    moving = np.zeros((24, 32), np.bool_)
    moving[7, 8] = True  # the corner of cell 1
    moving[23, 31] = True  # the corner of the last
    depth = np.full((24, 32), 2.0)
    depth[16:] = np.inf
    lifted = lift(frame_of(camera, depth, moving=moving), SPEC)
    assert lifted.surface.cell.tolist() == [0, 2, 3, 4, 5, 6, 7]
    assert lifted.sky.cell.tolist() == [8, 9, 10]


@pytest.mark.parametrize("hole", [0.0, np.nan, -1.0])
def test_a_frame_without_depth_has_no_patches(hole):
    assert len(lift(frame_of(UNEQUAL, np.full((48, 64), hole)), SPEC)) == 0


# Colours


def test_black_frames_lift_like_any_other():
    lifted = one_patch(flat(1.0), rgb=np.zeros((8, 8, 3), np.uint8))
    assert lifted.surface.color.tolist() == [[0, 0, 0]]


def test_latents_that_are_colours_give_the_colour():
    colors = np.random.default_rng(2).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    lifted = one_patch(flat(1.0), rgb=None, latents=colors)
    np.testing.assert_array_equal(lifted.surface.color[0], np.floor(colors.mean(axis=(0, 1)) + 0.5))


def test_other_latents_alone_give_grey():
    spec = LatentSpec.wan22()
    camera = Camera.from_fov(64, 32, 1.0)
    frame = Frame(camera, np.full((32, 64), 2, np.float32), latents=np.zeros((2, 4, 48), np.float16))
    assert lift(frame, spec).surface.color.tolist() == [[128] * 3] * 2


def test_pixel_latents_of_another_size_are_refused():
    with pytest.raises(InvalidInput, match=r"latents must have shape \(8, 8, 3\), got \(4, 4, 3\)"):
        one_patch(flat(1.0), rgb=None, latents=np.zeros((4, 4, 3), np.uint8))


def test_an_image_that_cannot_be_cut_is_refused():
    camera = Camera.from_fov(60, 48, 1.0)
    with pytest.raises(InvalidInput, match=r"60x48 cannot be cut into patches of 8x8 pixels.*56x48"):
        lift(frame_of(camera, np.ones((48, 60))), SPEC)


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(InvalidInput, match="min_measured must be a share above 0 and at most 1"):
        LiftOptions(min_measured=share)
    with pytest.raises(InvalidInput, match="plane_tolerance must be a share between 0 and 1"):
        LiftOptions(plane_tolerance=share)
    with pytest.raises(InvalidInput, match="surface_tolerance must be a share between 0 and 1"):
        LiftOptions(surface_tolerance=share)


# The slow twin


@dataclass
class Lifted:
    """One patch, as the twin sees it."""

    kind: str
    center: np.ndarray
    radius: float
    normal: np.ndarray
    color: np.ndarray
    parts: int


def lift_slowly(frame: Frame, side: int, rules: LiftOptions) -> dict[int, Lifted]:
    """The rules of memstore.lift, one patch at a time, with LAPACK's least squares and Camera's own unprojection."""
    uv, columns = pixel_centres(frame.camera), frame.camera.width // side
    found = {}
    for cell in range(columns * (frame.camera.height // side)):
        row, column = divmod(cell, columns)
        cut = np.s_[row * side : (row + 1) * side, column * side : (column + 1) * side]
        if frame.moving is not None and frame.moving[cut].any():
            continue
        middle, z, own = (np.array([column, row]) + 0.5) * side, frame.depth_m[cut].astype(np.float64), uv[cut]
        colors = frame.rgb[cut]
        measured = np.isfinite(z) & (z > 0)
        if measured.sum() >= rules.min_measured * side**2:
            found[cell] = surface_slowly(
                frame.camera, middle, own[measured], z[measured], colors[measured], side, rules
            )
        elif np.isposinf(z).sum() >= rules.min_measured * side**2:
            found[cell] = sky_slowly(frame.camera, middle, own[np.isposinf(z)], colors[np.isposinf(z)], side)
    return found


def fit_slowly(offset: np.ndarray, w: np.ndarray) -> np.ndarray:
    terms = np.column_stack([np.ones(len(w)), offset])
    if np.linalg.matrix_rank(terms, tol=1e-6) < 3:
        return np.array([w.mean(), 0, 0])
    return np.linalg.lstsq(terms, w, rcond=None)[0]


def on_plane(plane: np.ndarray, offset: np.ndarray, w: np.ndarray, tolerance: float) -> np.ndarray:
    return np.abs(plane[0] + offset @ plane[1:] - w) <= tolerance * w


def surface_slowly(camera, middle, uv, z, colors, side, rules) -> Lifted:
    offset, w = uv - middle, 1 / z
    plane = fit_slowly(offset, w)
    kept = on_plane(plane, offset, w, rules.plane_tolerance)
    if kept.sum() < NEARLY_ALL * len(kept):
        median = np.array([np.sort(w)[len(w) // 2], 0, 0])
        plane, kept = median, on_plane(median, offset, w, rules.surface_tolerance)
        if kept.sum() >= ENOUGH * side**2:
            second = fit_slowly(offset[kept], w[kept])
            if on_plane(second, offset[kept], w[kept], rules.plane_tolerance).sum() >= NEARLY_ALL * kept.sum():
                plane, kept = second, on_plane(second, offset, w, rules.plane_tolerance)
    uv, w, colors = uv[kept], w[kept], colors[kept]
    reach = np.abs(plane[1:]).sum() / 2
    at_center = np.clip(plane[0], max(w.min() - reach, w.min() / STRETCH), w.max() + reach)
    center = unproject(camera, middle, 1 / at_center)
    steps = 0.5 * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
    depths = [1 / np.maximum(w + step @ plane[1:], w / STRETCH) for step in steps]
    corners = [unproject(camera, uv + step, depth) for step, depth in zip(steps, depths, strict=True)]
    radius = np.linalg.norm(np.concatenate(corners) - center, axis=1).max()
    # Three points of the fitted plane, at a pixel's distance around the middle, span its normal.
    small = 1e-3
    at = [unproject(camera, middle + small * s, 1 / (plane[0] + small * s @ plane[1:])) for s in np.eye(3, 2)]
    normal = np.cross(at[0] - at[2], at[1] - at[2])
    normal *= np.sign(normal @ (camera.center - at[2])) / np.linalg.norm(normal)
    color = np.floor(colors.mean(axis=0) + 0.5)
    drawn = on_plane(plane * at_center / plane[0], uv - middle, w, FILLS * rules.plane_tolerance)
    return Lifted("surface", center, radius, normal, color, parts_slowly((uv - middle)[drawn], side))


def sky_slowly(camera, middle, uv, colors, side) -> Lifted:
    steps = side / 2 * np.array([(0, 0), (-1, -1), (-1, 1), (1, -1), (1, 1)])
    rays = unproject(camera, middle + steps, np.ones(5)) - camera.center
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    cosine = min(rays[1:] @ rays[0])
    color = np.floor(colors.mean(axis=0) + 0.5)
    return Lifted("sky", rays[0], np.sqrt(1 - cosine**2), -rays[0], color, parts_slowly(uv - middle, side))


def parts_slowly(offset: np.ndarray, side: int) -> int:
    """Counts, in each part of a token, the pixels there are and those that are the patch's own."""
    own = {(int(v), int(u)) for u, v in offset + side / 2}
    steps, part = np.arange(side) + 0.5, side / 4
    parts = 0
    for bit in range(16):
        row, column = divmod(bit, 4)
        rows, columns = (
            [int(x) for x in steps if k * part <= x < (k + 1) * part] or [int((k + 0.5) * part)] for k in (row, column)
        )
        pixels = [(y, x) for y in rows for x in columns]
        parts |= (sum(pixel in own for pixel in pixels) >= len(pixels) / 2) << bit
    return parts


def messy_frame(seed: int) -> Frame:
    """Planes behind planes with noise, holes of every kind, sky and moving things, seen by any camera."""
    rng = np.random.default_rng(seed)
    size = 48, 32
    matrix = look_at(rng.uniform(-5, 5, 3), rng.uniform(6, 9, 3))
    camera = Camera(*rng.uniform(20, 90, 2), *rng.uniform(10, 30, 2), *size, matrix)
    uv = pixel_centres(camera)
    depth = np.full((32, 48), np.inf)
    for _ in range(rng.integers(1, 5)):
        normal = rng.normal(size=3)
        plane = depth_of_plane(camera, unproject(camera, rng.uniform(0, 32, 2), rng.uniform(1, 8)), normal, uv)
        left, top = rng.integers(0, 40), rng.integers(0, 24)
        part = np.zeros(depth.shape, np.bool_)
        part[top : top + rng.integers(4, 32), left : left + rng.integers(4, 48)] = True
        depth = np.where(part & (plane < 1e3), np.minimum(depth, plane), depth)
    depth *= 1 + rng.choice([0, 0.003, 0.03]) * rng.normal(size=depth.shape)
    for hole in (0, np.nan, np.inf, -1):
        depth[rng.uniform(size=depth.shape) < rng.choice([0, 0.02, 0.3])] = hole
    moving = rng.uniform(size=depth.shape) < rng.choice([0, 0.002])
    return frame_of(camera, depth, moving=moving)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([4, 8, 16]), st.sampled_from([0.1, 0.5, 1.0]))
def test_the_kernel_agrees_with_its_slow_twin(seed, side, min_measured):
    require_twins(messy_frame(seed), side, LiftOptions(min_measured=min_measured))


@pytest.mark.parametrize("side", [1, 2, 3, 6])
def test_the_kernel_agrees_with_its_slow_twin_on_the_smallest_patches(side):
    for seed in range(4):
        require_twins(messy_frame(seed).cropped(8, 4, 12, 12), side, LiftOptions())


def require_twins(frame: Frame, side: int, rules: LiftOptions) -> None:
    lifted, slow = lift(frame, LatentSpec.pixel(side), rules), lift_slowly(frame, side, rules)
    for kind, patches in (("surface", lifted.surface), ("sky", lifted.sky)):
        expected = [cell for cell, patch in slow.items() if patch.kind == kind]
        assert patches.cell.tolist() == expected
        for k, cell in enumerate(expected):
            twin = slow[cell]
            distance = np.linalg.norm(twin.center - frame.camera.center)
            np.testing.assert_allclose(patches.center[k], twin.center, atol=1e-7 * distance, err_msg=f"cell {cell}")
            np.testing.assert_allclose(patches.radius[k], twin.radius, rtol=1e-5, err_msg=f"cell {cell}")
            np.testing.assert_allclose(patches.normal[k], twin.normal, atol=1e-4, err_msg=f"cell {cell}")
            np.testing.assert_array_equal(patches.color[k], twin.color, err_msg=f"cell {cell}")
            assert patches.parts[k] == twin.parts, f"cell {cell}"


def test_the_twin_meets_planes_edges_sky_and_left_out_patches():
    """Without this, the comparison above might compare nothing of interest."""
    rules = LiftOptions()
    frames = [messy_frame(seed) for seed in range(30)]
    kinds = [patch.kind for frame in frames for patch in lift_slowly(frame, 8, rules).values()]
    assert min(kinds.count("surface"), kinds.count("sky"), 30 * 24 - len(kinds)) > 30
    normals = np.concatenate([lift(frame, SPEC).surface.normal @ frame.camera.forward for frame in frames])
    frontal = np.isclose(normals, -1, atol=1e-6)
    assert min(frontal.sum(), (~frontal).sum()) > 30


# Gathering


def test_gathered_patches_are_the_lifted_ones_in_order():
    frames = [messy_frame(seed) for seed in range(6)]
    lifted = [lift(frame, SPEC) for frame in frames]
    patches = gather(lifted)
    assert patches.surface_count == sum(len(each.surface) for each in lifted)
    assert len(patches) == sum(len(each) for each in lifted)
    assert (np.diff(patches.frame[: patches.surface_count].astype(int)) >= 0).all()
    for k, each in enumerate(lifted):
        for part, first in ((each.surface, True), (each.sky, False)):
            rows = np.flatnonzero((patches.frame == k) & ((np.arange(len(patches)) < patches.surface_count) == first))
            center = patches.center[rows].astype(np.float64) + (patches.origin if first else 0)
            np.testing.assert_allclose(center, part.center, atol=1e-4)
            np.testing.assert_array_equal(patches.cell[rows], part.cell)
            np.testing.assert_array_equal(patches.radius[rows], part.radius)
            np.testing.assert_array_equal(patches.color[rows], part.color)
            np.testing.assert_array_equal(patches.parts[rows], part.parts)
            np.testing.assert_allclose(decode_normal(patches.normal[rows]), part.normal, atol=2e-4)


def test_the_origin_is_the_mean_and_keeps_far_places_precise():
    far = np.eye(4)
    far[:3, 3] = (4e6, -7e6, 100)
    patches = gather([lift(frame_of(Camera(10, 10, 8, 4, 16, 8, far), np.full((8, 16), 5.0)), SPEC)])
    np.testing.assert_allclose(patches.origin, [4e6, -7e6, 105], atol=1e-9)
    np.testing.assert_allclose(patches.center, [[-2, 0, 0], [2, 0, 0]], atol=1e-6)


def test_gathering_nothing_gives_no_patches():
    empty = lift(frame_of(UNEQUAL, np.zeros((48, 64))), SPEC)
    for patches in (gather([]), gather([empty, empty])):
        assert len(patches) == 0
        assert patches.surface_count == 0
        assert patches.origin.tolist() == [0, 0, 0]


def test_sky_alone_is_gathered_as_directions():
    sky = lift(frame_of(UNEQUAL, np.full((48, 64), np.inf)), SPEC)
    patches = gather([sky, sky])
    assert patches.surface_count == 0
    assert patches.frame.tolist() == [0] * 48 + [1] * 48
    np.testing.assert_allclose(np.linalg.norm(patches.center, axis=1), 1, atol=1e-6)


def test_more_frames_than_a_segment_holds_are_refused():
    empty = lift(frame_of(UNEQUAL, np.zeros((48, 64))), SPEC)
    with pytest.raises(InvalidInput, match="a segment holds at most 65535 frames, got 65536"):
        gather([empty] * 65_536)
