import numpy as np
import pytest

from memstore.camera import Camera, look_at
from memstore.frustum import CarriedCamera, Frustum
from memstore.transform import Transform

CAMERA = Camera(90, 110, 20, 70, 128, 96, look_at((1, 2, 3), (4, -2, 2)))
PLACEMENT = Transform.translate(5, -4, 2) @ Transform.rotate((1, 2, 3), 0.7) @ Transform.scaling(0.1)
ORIGIN = np.array([100.0, -50.0, 20.0])


def _inside(uv, depth, near, far):
    return (uv[:, 0] >= 0) & (uv[:, 0] <= 128) & (uv[:, 1] >= 0) & (uv[:, 1] <= 96) & (depth >= near) & (depth <= far)


@pytest.mark.parametrize("far", [4.0, np.inf])
def test_a_point_is_inside_all_planes_exactly_when_it_projects_into_the_image_between_near_and_far(far):
    points = np.random.default_rng(0).uniform(-6, 6, (20_000, 3)) + CAMERA.center
    frustum = Frustum.of(CAMERA, 0.5, far)
    inside = ((points - frustum.center) @ frustum.normals.T + frustum.offsets >= 0).all(axis=1)
    uv, depth = CAMERA.project(points)
    np.testing.assert_array_equal(inside, _inside(uv, depth, 0.5, far))
    assert 0 < inside.sum() < len(points)


def test_normals_have_unit_length_so_that_distances_are_metres():
    frustum = Frustum.of(CAMERA, 0.5, 4.0)
    np.testing.assert_allclose(np.linalg.norm(frustum.normals, axis=1), 1)


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_carried_planes_measure_world_metres_of_placed_points(scale):
    placement = Transform.scaling(scale) @ PLACEMENT
    points = np.random.default_rng(1).normal(size=(100, 3))
    frustum = Frustum.of(CAMERA, 0.5, 4.0)
    planes = frustum.carried(placement, ORIGIN)
    world = placement.apply(points + ORIGIN)
    expected = (world - frustum.center) @ frustum.normals.T + frustum.offsets
    np.testing.assert_allclose(points @ planes[:, :3].T + planes[:, 3], expected, atol=1e-9)


def test_directions_meet_only_the_sides_and_feel_no_translation_and_no_scale():
    frustum = Frustum.of(CAMERA, 0.5, 4.0)
    moved = frustum.carried_directions(Transform.translate(9, 9, 9) @ PLACEMENT)
    still = frustum.carried_directions(Transform(PLACEMENT.rotation, np.zeros(3)))
    np.testing.assert_allclose(moved, still, atol=1e-12)
    assert moved.shape == (4, 4)
    assert not moved[:, 3].any()


def test_a_carried_camera_sees_a_placed_point_where_the_camera_sees_it():
    points = np.random.default_rng(2).normal(size=(50, 3))
    carried = CarriedCamera.of(CAMERA, PLACEMENT, ORIGIN, sky=False)
    _, depth = CAMERA.project(PLACEMENT.apply(points + ORIGIN))
    np.testing.assert_allclose((points @ carried.matrix.T + carried.offset)[:, 2], depth, atol=1e-9)
    assert carried.scale == PLACEMENT.scale


def test_a_carried_camera_turns_sky_and_nothing_else():
    carried = CarriedCamera.of(CAMERA, PLACEMENT, ORIGIN, sky=True)
    direction = np.array([0.0, 0.6, 0.8])
    turned = CAMERA.camera_to_world[:3, :3].T @ PLACEMENT.rotation @ direction
    np.testing.assert_allclose(carried.matrix @ direction + carried.offset, turned)
    assert carried.scale == 1
