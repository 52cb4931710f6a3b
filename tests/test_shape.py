"""Shapes against the plainest arithmetic on single points, in place and carried along."""

from __future__ import annotations

import math

import numpy as np
import pytest

from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput
from memstore.shape import Box, HalfSpace, Shape, Sphere, ViewFrustum
from memstore.transform import Transform

TILTED = Transform.rotate((1, 2, -1), 0.9)
CAMERA = Camera(50, 40, 30, 26, 64, 48, look_at((1, -2, 0.5), (2, 3, 1)))
SHAPES: list[Shape] = [
    Box((1, 0, -1), (2, 3, 1)),
    Box((1, 0, -1), (2, 3, 1), TILTED.rotation),
    Sphere((0.5, 1, 0), 1.7),
    HalfSpace((1, -2, 0.5), 0.4),
    ViewFrustum(CAMERA, 0.7, 4.0),
    ViewFrustum(CAMERA),
]
PLACEMENTS = [
    Transform.identity(),
    Transform.translate(3, -7, 0.2),
    TILTED,
    Transform.scaling(0.1),
    Transform.translate(-2, 0, 5) @ TILTED @ Transform.scaling(10),
]


def scattered(count: int = 4_000) -> np.ndarray:
    return np.random.default_rng(5).uniform(-4, 4, (count, 3))


def is_inside(shape: Shape, point: np.ndarray) -> bool:
    """The oracle: one point at a time, by definition."""
    match shape:
        case Box(center, size, rotation):
            return all(abs(np.dot(point - center, rotation[:, k])) <= size[k] / 2 for k in range(3))
        case Sphere(center, radius):
            return math.dist(point, center) <= radius
        case HalfSpace(normal, offset):
            return float(np.dot(normal, point)) >= offset
        case ViewFrustum(camera, near, far):
            x, y, z, _ = np.linalg.inv(camera.camera_to_world) @ [*point, 1]
            if z <= 0 or not near <= z <= far:
                return False
            u, v = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
            return 0 <= u <= camera.width and 0 <= v <= camera.height


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_contains_what_its_definition_says(shape):
    points = scattered()
    expected = np.array([is_inside(shape, point) for point in points])
    assert 0.01 < expected.mean() < 0.9
    np.testing.assert_array_equal(shape.contains(points), expected)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_carried_shape_contains_the_carried_points(shape, placement):
    points = scattered()
    carried = shape.transformed(placement).contains(placement.apply(points))
    np.testing.assert_array_equal(carried, shape.contains(points))


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_contains_points_that_are_nowhere(shape):
    nowhere = np.full((2, 3), np.nan)
    assert not shape.contains(nowhere).any()
    assert shape.contains(np.empty((0, 3))).shape == (0,)


def test_the_border_belongs_to_the_shape():
    assert Box((0, 0, 0), (2, 4, 6)).contains(np.array([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]])).all()
    assert Sphere((1, 0, 0), 2).contains(np.array([[3.0, 0.0, 0.0]])).all()
    assert HalfSpace((0, 0, 1), 2).contains(np.array([[9.0, 9.0, 2.0]])).all()
    camera = Camera(32, 32, 32, 32, 64, 64, np.eye(4))
    assert ViewFrustum(camera, 1, 2).contains(np.array([[1.0, 1.0, 1.0], [-2.0, 2.0, 2.0]])).all()


def test_a_frustum_holds_nothing_behind_its_camera_nor_its_centre():
    points = np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    camera = Camera.from_fov(64, 64, 90, degrees=True)
    assert ViewFrustum(camera).contains(points).tolist() == [False, False, True]


def test_a_box_between_corners_holds_exactly_what_lies_between():
    box, points = Box.between((-1, 0, 2), (1, 3, 2.5)), scattered()
    expected = ((points >= (-1, 0, 2)) & (points <= (1, 3, 2.5))).all(axis=1)
    assert expected.any()
    np.testing.assert_array_equal(box.contains(points), expected)


def test_a_half_space_through_a_point_has_it_on_its_plane():
    half = HalfSpace.through((1, 2, 3), (0, 3, 4))
    assert half.normal == (0, 0.6, 0.8)
    assert half.offset_m == pytest.approx(3.6)
    assert half.contains(np.array([[1, 2, 3.001], [1, 2, 2.999]])).tolist() == [True, False]


def test_equal_shapes_are_equal_and_hash_alike():
    again = Box((1, 0, -1), (2, 3, 1), TILTED.rotation)
    assert again == SHAPES[1]
    assert hash(again) == hash(SHAPES[1])
    assert again != SHAPES[0]
    assert again != "a box"
    assert Sphere((0, 0, 0), 1) == Sphere((0.0, 0.0, 0.0), 1.0)
    assert len({ViewFrustum(CAMERA), ViewFrustum(CAMERA), Sphere((0, 0, 0), 1)}) == 2


def test_shapes_that_hold_nothing_are_refused():
    with pytest.raises(InvalidInput, match=r"size_m must be three positive lengths in metres, got \(1.0, 0.0, 2.0\)"):
        Box((0, 0, 0), (1, 0, 2))
    with pytest.raises(InvalidInput, match=r"low must lie below high along every axis, got low \[0.0, 5.0"):
        Box.between((0, 5, 0), (1, 4, 1))
    with pytest.raises(InvalidInput, match="radius_m must be a positive number of metres, got -1"):
        Sphere((0, 0, 0), -1)
    with pytest.raises(InvalidInput, match="normal must point somewhere"):
        HalfSpace((0, 0, 0), 1)
    with pytest.raises(InvalidInput, match=r"near_m must be a depth of at least 0 metres, got -0\.5"):
        ViewFrustum(CAMERA, -0.5, 1)
    with pytest.raises(InvalidInput, match=r"far_m must be a depth above near_m \(2.0 m\), got 2"):
        ViewFrustum(CAMERA, 2, 2)
    with pytest.raises(InvalidInput, match="far_m must be a depth above near_m"):
        ViewFrustum(CAMERA, 2, math.nan)


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(InvalidInput, match=r"center must be finite, got \(0.0, nan, 0.0\)"):
        Sphere((0, math.nan, 0), 1)
    with pytest.raises(InvalidInput, match="radius_m must be finite, got inf"):
        Sphere((0, 0, 0), math.inf)
    with pytest.raises(InvalidInput, match="size_m must be finite"):
        Box((0, 0, 0), (1, math.inf, 1))
    with pytest.raises(InvalidInput, match="offset_m must be finite, got nan"):
        HalfSpace((0, 0, 1), math.nan)
    with pytest.raises(InvalidInput, match="near_m must be finite, got inf"):
        ViewFrustum(CAMERA, math.inf)


def test_vectors_may_be_lists_or_arrays():
    assert Sphere([1, 2, 3], 1) == Sphere(np.array([1.0, 2.0, 3.0]), 1) == Sphere((1, 2, 3), 1)
    assert Box(np.zeros(3), [1, 2, 3]).size_m == (1.0, 2.0, 3.0)


def test_what_is_no_number_is_refused_by_name():
    with pytest.raises(InvalidInput, match="center must be three numbers, got 5"):
        Sphere(5, 1)
    with pytest.raises(InvalidInput, match="radius_m must be a number, got 'wide'"):
        Sphere((0, 0, 0), "wide")
    with pytest.raises(InvalidInput, match="far_m must be a number, got None"):
        ViewFrustum(CAMERA, 1, None)


def test_vectors_of_other_lengths_and_mirrored_boxes_are_refused():
    with pytest.raises(InvalidInput, match=r"point must be three numbers, got \(1, 2\)"):
        HalfSpace.through((1, 2), (0, 0, 1))
    with pytest.raises(InvalidInput, match="rotation is mirrored"):
        Box((0, 0, 0), (1, 1, 1), np.diag([1.0, 1.0, -1.0]))
