"""Cameras: projection, places and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput, Reason
from memstore.transform import Transform

CAMERA = Camera(70, 55, 37, 22, 64, 48, look_at((0.5, -1, 1.2), (3, 2, 0.4)))
AHEAD = Camera(50, 40, 32, 24, 64, 48, np.eye(4))


def pixels(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(-20, 90, (count, 2)), rng.uniform(0.1, 50, count)


def test_projection_is_the_matrix_product_of_the_docstring():
    points = CAMERA.unproject(*pixels())
    image_from_world = CAMERA.intrinsics @ CAMERA.world_to_camera[:3]
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ image_from_world.T
    uv, depth = CAMERA.project(points)
    np.testing.assert_allclose(uv, homogeneous[:, :2] / homogeneous[:, 2:], atol=1e-9)
    np.testing.assert_allclose(depth, homogeneous[:, 2], atol=1e-9)


def test_unprojected_pixels_project_to_themselves():
    uv, depth = pixels()
    again, depth_again = CAMERA.project(CAMERA.unproject(uv, depth))
    np.testing.assert_allclose(again, uv, atol=1e-8)
    np.testing.assert_allclose(depth_again, depth, rtol=1e-9)


def test_the_image_starts_at_the_outer_corner_of_its_first_pixel():
    uv, depth = AHEAD.project(np.array([[0.0, 0.0, 2.0], [1.0, 0.0, 2.0], [0.0, 1.0, 2.0]]))
    np.testing.assert_allclose(uv, [[32, 24], [57, 24], [32, 44]])  # x to the right, y down
    assert depth.tolist() == [2, 2, 2]


def test_points_behind_the_camera_have_no_pixel():
    uv, depth = AHEAD.project(np.array([[0.0, 0.0, -2.0], [0.0, 0.0, 0.0]]))
    assert np.isnan(uv).all()
    assert depth.tolist() == [-2, 0]


def test_projection_keeps_leading_axes():
    points = np.random.default_rng(0).uniform(1, 2, (4, 5, 3))
    uv, depth = AHEAD.project(points)
    assert (uv.shape, depth.shape) == ((4, 5, 2), (4, 5))
    np.testing.assert_allclose(AHEAD.unproject(uv, depth), points)


def test_world_to_camera_is_the_inverse_of_what_is_stored():
    np.testing.assert_allclose(CAMERA.world_to_camera @ CAMERA.camera_to_world, np.eye(4), atol=1e-12)


@given(st.floats(-4, 4), st.tuples(*[st.floats(-9, 9)] * 3), st.floats(0.1, 10))
def test_a_placed_camera_sees_placed_points_at_the_same_pixels(angle, shift, scale):
    placement = Transform(Transform.rotate((1, 2, -3), angle).rotation, np.array(shift), scale)
    points = CAMERA.unproject(*pixels())
    uv, depth = CAMERA.project(points)
    placed_uv, placed_depth = CAMERA.placed(placement).project(placement.apply(points))
    np.testing.assert_allclose(placed_uv, uv, atol=1e-5)
    np.testing.assert_allclose(placed_depth, placement.scale * depth, rtol=1e-9, atol=1e-9)


def test_a_resized_camera_sees_the_same_at_another_resolution():
    points = CAMERA.unproject(*pixels())
    resized = CAMERA.resized(128, 24)
    assert (resized.width, resized.height) == (128, 24)
    np.testing.assert_allclose(resized.project(points)[0], CAMERA.project(points)[0] * [2, 0.5], atol=1e-8)


def test_a_cropped_camera_sees_the_part_from_its_corner():
    points = CAMERA.unproject(*pixels())
    cropped = CAMERA.cropped(10, 4, 32, 16)
    assert (cropped.width, cropped.height) == (32, 16)
    np.testing.assert_allclose(cropped.project(points)[0], CAMERA.project(points)[0] - [10, 4], atol=1e-9)


def test_a_field_of_view_spans_the_width():
    camera = Camera.from_fov(64, 48, 90, degrees=True)
    uv, _ = camera.project(np.array([[-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]))
    np.testing.assert_allclose(uv, [[0, 24], [64, 24]], atol=1e-9)
    assert camera.fx == camera.fy
    assert Camera.from_fov(64, 48, np.pi / 2) == camera


def test_a_camera_moves_to_another_place_and_keeps_its_lens():
    moved = CAMERA.at(np.eye(4))
    assert moved == Camera(70, 55, 37, 22, 64, 48, np.eye(4))


def test_look_at_looks_there_with_up_at_the_top():
    eye, target = np.array([1.0, 2, 3]), np.array([4.0, -1, 2])
    camera = Camera(50, 50, 32, 24, 64, 48, look_at(eye, target))
    uv, depth = camera.project(np.stack([target, target + np.array([0, 0, 0.5])]))
    np.testing.assert_allclose(uv[0], [32, 24], atol=1e-9)
    assert depth[0] == pytest.approx(np.linalg.norm(target - eye))
    assert uv[1, 0] == pytest.approx(32)
    assert uv[1, 1] < 24
    np.testing.assert_allclose(camera.forward, (target - eye) / np.linalg.norm(target - eye))
    np.testing.assert_array_equal(camera.center, eye)


@pytest.mark.parametrize("target", [(1, 2, 3), (1, 2, 9), (1, 2, float("nan"))])
def test_look_at_needs_a_direction_that_is_not_up(target):
    with pytest.raises(InvalidInput, match="look_at needs a target away from the eye and not along up"):
        look_at((1, 2, 3), target)


def test_equal_cameras_are_equal_and_hash_alike():
    signed = replace(AHEAD, camera_to_world=np.where(np.eye(4) == 0, -0.0, 1.0))
    assert signed == AHEAD
    assert hash(signed) == hash(AHEAD)
    assert replace(AHEAD, fx=51) != AHEAD
    assert AHEAD.placed(Transform.translate(0, 0, 1)) != AHEAD
    assert AHEAD != "a camera"


def test_a_camera_keeps_plain_numbers_and_cannot_be_changed():
    camera = Camera(np.float32(50), np.int64(40), 32, 24, np.int32(64), np.uint8(48), np.eye(4, dtype=np.float32))
    assert camera == AHEAD
    assert (type(camera.fx), type(camera.width)) == (float, int)
    with pytest.raises(ValueError, match="read-only"):
        camera.camera_to_world[0, 3] = 1


def test_a_camera_tells_lens_and_place():
    assert repr(AHEAD) == "Camera(64x48, fov_x=65.2 deg, center=(0.00, 0.00, 0.00))"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fx": 0.0}, "fx must be finite and positive pixels, got 0.0"),
        ({"fy": -1.0}, "fy must be finite and positive pixels, got -1.0"),
        ({"fx": float("nan")}, "fx must be finite and positive pixels, got nan"),
        ({"cx": float("inf")}, "cx must be finite pixels, got inf"),
        ({"width": 0}, "width must be a whole number of pixels from 1 to 65535, got 0"),
        ({"height": 65_536}, "height must be a whole number of pixels from 1 to 65535, got 65536"),
        ({"camera_to_world": np.full((4, 4), np.nan)}, "camera_to_world must be finite with last row 0 0 0 1"),
        ({"camera_to_world": np.diag([1.0, 1, 1, 2])}, "camera_to_world must be finite with last row 0 0 0 1"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(change, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        replace(AHEAD, **change)
    assert caught.value.reason is Reason.INVALID_CAMERA


def test_a_mirrored_or_scaled_place_is_refused():
    with pytest.raises(InvalidInput, match=r"camera_to_world\[:3, :3\] is mirrored .* flip one axis at the door"):
        AHEAD.at(np.diag([1.0, -1, 1, 1]))
    with pytest.raises(InvalidInput, match=r"camera_to_world\[:3, :3\] must have orthonormal columns"):
        AHEAD.at(np.diag([2.0, 2, 2, 1]))


@pytest.mark.parametrize("fov", [0, 180, -5, float("nan")])
def test_a_field_of_view_that_is_none_is_refused(fov):
    with pytest.raises(InvalidInput, match="fov_x must lie between 0 and 180 degrees, got"):
        Camera.from_fov(64, 48, fov, degrees=True)
