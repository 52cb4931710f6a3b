"""Similarities against plain matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memstore.errors import InvalidInput
from memstore.transform import Transform, check_rotation

COORDINATE = st.floats(-100, 100)
VECTOR = st.tuples(COORDINATE, COORDINATE, COORDINATE)
AXIS = VECTOR.filter(lambda axis: np.linalg.norm(axis) > 1e-3)
POINTS = np.random.default_rng(0).normal(size=(7, 3))


PARTS = st.tuples(AXIS, st.floats(-10, 10), VECTOR, st.floats(0.01, 100))


def similarity(parts: tuple) -> Transform:
    """Built inside the tests: what checks the annotations draws random numbers, which no strategy may."""
    axis, angle, shift, scale = parts
    return Transform(Transform.rotate(axis, angle).rotation, np.array(shift), scale)


def by_matrix(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return (np.column_stack([points, np.ones(len(points))]) @ matrix.T)[:, :3]


@given(PARTS)
def test_applying_is_multiplying_by_the_matrix(parts):
    transform = similarity(parts)
    np.testing.assert_allclose(transform.apply(POINTS), by_matrix(transform.matrix, POINTS), atol=1e-9)


@given(PARTS, PARTS)
def test_a_product_is_one_after_the_other(first, second):
    a, b = similarity(first), similarity(second)
    np.testing.assert_allclose((a @ b).matrix, a.matrix @ b.matrix, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose((a @ b).apply(POINTS), a.apply(b.apply(POINTS)), rtol=1e-9, atol=1e-7)


@given(PARTS)
def test_the_inverse_takes_everything_back(parts):
    transform = similarity(parts)
    np.testing.assert_allclose(transform.inverse().apply(transform.apply(POINTS)), POINTS, atol=1e-9)
    np.testing.assert_allclose(transform.inverse().matrix, np.linalg.inv(transform.matrix), rtol=1e-6, atol=1e-9)


@given(PARTS)
def test_a_transform_comes_back_from_its_matrix(parts):
    transform = similarity(parts)
    again = Transform.from_matrix(transform.matrix)
    np.testing.assert_allclose(again.matrix, transform.matrix, rtol=1e-9, atol=1e-9)
    assert again.scale == pytest.approx(transform.scale)


@given(PARTS, VECTOR)
def test_a_transform_about_a_pivot_turns_and_scales_around_it(parts, pivot):
    transform = similarity(parts)
    around = transform.about(pivot)
    expected = transform.scale * (POINTS - pivot) @ transform.rotation.T + pivot + transform.translation
    np.testing.assert_allclose(around.apply(POINTS), expected, atol=1e-8)


@given(AXIS, st.floats(-7, 7))
def test_a_rotation_keeps_its_axis_and_turns_by_its_angle(axis, angle):
    turn = Transform.rotate(axis, angle)
    np.testing.assert_allclose(turn.apply([axis]), [axis], atol=1e-9 * np.linalg.norm(axis))
    np.testing.assert_allclose(np.trace(turn.rotation), 1 + 2 * np.cos(angle), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(turn.rotation), 1, atol=1e-9)


def test_rotations_are_right_handed():
    x, y, z = np.eye(3)
    np.testing.assert_allclose(Transform.rotate_z(90, degrees=True).apply([tuple(x)]), [y], atol=1e-15)
    np.testing.assert_allclose(Transform.rotate_x(np.pi / 2).apply([tuple(y)]), [z], atol=1e-15)
    np.testing.assert_allclose(Transform.rotate_y(90, degrees=True).apply([tuple(z)]), [x], atol=1e-15)


def test_the_simplest_transforms_do_what_they_say():
    assert Transform.identity().is_identity
    assert not Transform.translate(0, 0, 1e-9).is_identity
    np.testing.assert_array_equal(Transform.translate(1, 2, 3).apply(POINTS), POINTS + np.array([1, 2, 3]))
    np.testing.assert_array_equal(Transform.scaling(3).apply(POINTS), 3 * POINTS)
    assert Transform.translate(1, 2, 3).apply(np.zeros((2, 4, 3))).shape == (2, 4, 3)


def test_long_chains_of_rotations_stay_rotations():
    turn, chain = Transform.rotate((1, 2, 3), 0.1), Transform.identity()
    for _ in range(1_000):
        chain = turn @ chain
    np.testing.assert_allclose(chain.rotation @ chain.rotation.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(chain.rotation, Transform.rotate((1, 2, 3), 100).rotation, atol=1e-9)


def test_equal_transforms_are_equal_and_hash_alike():
    plain = Transform.translate(1, 0, 0)
    signed = Transform(np.where(np.eye(3) == 0, -0.0, 1.0), np.array([1, -0.0, -0.0]))
    assert plain == signed
    assert hash(plain) == hash(signed)
    assert plain != Transform.translate(1, 0, 1)
    assert plain != Transform(np.eye(3), np.array([1.0, 0, 0]), 2)
    assert plain != "a transform"


def test_a_transform_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Transform.identity().rotation[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        Transform.identity().translation[0] = 2


def test_a_transform_tells_what_it_does():
    turned = Transform.translate(1, 2, 3) @ Transform.rotate_z(30, degrees=True)
    assert repr(turned) == "Transform(translation=(1, 2, 3), rotation=30 deg, scale=1)"


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_scale_is_refused(scale):
    with pytest.raises(InvalidInput, match="scale must be positive and finite, got"):
        Transform.scaling(scale)


def test_a_translation_must_be_finite():
    with pytest.raises(InvalidInput, match=r"translation must be finite, got \[0.0, nan, 0.0\]"):
        Transform.translate(0, float("nan"), 0)


@pytest.mark.parametrize("axis", [(0, 0, 0), (float("nan"), 0, 1), (float("inf"), 0, 0)])
def test_an_axis_must_point_somewhere(axis):
    with pytest.raises(InvalidInput, match="axis must be a finite vector that is not zero"):
        Transform.rotate(axis, 1)


def test_an_axis_has_three_numbers():
    with pytest.raises(InvalidInput, match=r"axis must have shape \(3\), got \(2,\)"):
        Transform.rotate((0, 1), 1)


@pytest.mark.parametrize(
    ("rotation", "message"),
    [
        (np.diag([1.0, 1, -1]), "turn is mirrored"),
        (np.diag([1.0, 1, 1.01]), "turn must have orthonormal columns within 0.0001, found an error of 0.0201"),
        (np.full((3, 3), np.nan), "turn must be finite"),
        (np.eye(4), r"turn must have shape \(3, 3\), got \(4, 4\)"),
    ],
)
def test_a_matrix_that_is_no_rotation_is_refused_by_name(rotation, message):
    with pytest.raises(InvalidInput, match=message):
        check_rotation(rotation, "turn")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.diag([1.0, 1, -1, 1]), "matrix must keep handedness .* got -1"),
        (np.diag([1.0, 0, 1, 1]), "matrix must keep handedness .* got 0"),
        (np.diag([1.0, 2, 1, 1]), "rotation must have orthonormal columns"),
        (np.diag([1.0, 1, 1, 2]), "matrix must be finite with last row 0 0 0 1"),
        (np.full((4, 4), np.inf), "matrix must be finite with last row 0 0 0 1"),
    ],
)
def test_a_matrix_that_is_no_similarity_is_refused(matrix, message):
    with pytest.raises(InvalidInput, match=message):
        Transform.from_matrix(matrix)
