"""Operations are values that refuse nonsense before anything is tried."""

import math

import numpy as np
import pytest

import memstore as ms
from memstore.errors import InvalidInput
from memstore.operation import Concatenate, Delete, Duplicate, Invert, Relocate, Stitch

CHAIR = ms.Layers("chair")
UP = ms.Transform.translate(0, 0, 1)


def test_one_placement_is_as_good_as_a_list():
    assert Duplicate(CHAIR, UP) == Duplicate(CHAIR, [UP]) == Duplicate(CHAIR, (UP,))


def test_equal_operations_are_equal():
    assert Relocate(CHAIR, UP, (1, 2, 3)) == Relocate(ms.Layers("chair"), ms.Transform.translate(0, 0, 1), [1, 2, 3])
    assert Relocate(CHAIR, UP, np.array([1.0, 2.0, 3.0])).pivot == (1.0, 2.0, 3.0)
    assert Delete(CHAIR) != Delete(CHAIR, allow_empty=True)
    assert Stitch("garden").at == ms.Transform.identity()


@pytest.mark.parametrize("pivot", ["middle", "", 3, None, (1, 2), (1, 2, 3, 4), ("a", 1, 2), (math.nan, 0, 0)])
def test_a_bad_pivot_is_refused(pivot):
    for make in (lambda: Relocate(CHAIR, UP, pivot), lambda: Duplicate(CHAIR, (UP,), pivot)):
        with pytest.raises(InvalidInput, match="pivot must be") as caught:
            make()
        assert caught.value.details["field"] == "pivot"


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_an_infinite_pivot_is_refused(value):
    with pytest.raises(InvalidInput, match="pivot must be finite"):
        Relocate(CHAIR, UP, (0, value, 0))


@pytest.mark.parametrize("placements", [(), []])
def test_a_duplicate_without_a_placement_is_refused(placements):
    with pytest.raises(InvalidInput, match="a duplicate needs a placement or more, got none"):
        Duplicate(CHAIR, placements)


@pytest.mark.parametrize("placements", ["up", (UP, None), np.eye(4)])
def test_what_is_no_transform_is_refused(placements):
    with pytest.raises(InvalidInput, match=r"placements: .* is no Transform; use"):
        Duplicate(CHAIR, placements)


@pytest.mark.parametrize("transform", [None, np.eye(4), "up"])
def test_a_relocation_by_what_is_no_transform_is_refused(transform):
    with pytest.raises(InvalidInput, match=r"transform: .* is no Transform"):
        Relocate(CHAIR, transform)
    with pytest.raises(InvalidInput, match=r"at: .* is no Transform"):
        Stitch("garden", transform)


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_a_scale_that_is_not_positive_and_finite_is_refused(scale):
    with pytest.raises(InvalidInput, match="scale must be positive and finite"):
        Relocate(CHAIR, ms.Transform.scaling(scale))


@pytest.mark.parametrize("mirror", [np.diag([1.0, 1.0, -1.0]), -np.eye(3)])
def test_a_reflection_is_refused(mirror):
    with pytest.raises(InvalidInput, match=r"mirrored \(determinant -1\)"):
        Relocate(CHAIR, ms.Transform(mirror, np.zeros(3)))
    matrix = np.eye(4)
    matrix[:3, :3] = mirror
    with pytest.raises(InvalidInput, match="keep handedness"):
        Duplicate(CHAIR, (ms.Transform.from_matrix(matrix),))


@pytest.mark.parametrize("axis", [2, -1, 0.5])
def test_an_axis_that_is_not_horizontal_is_refused(axis):
    with pytest.raises(InvalidInput, match="axis must be 0 or 1"):
        Invert(CHAIR, axis=axis)


@pytest.mark.parametrize("height_m", [math.nan, math.inf])
def test_a_height_that_is_not_finite_is_refused(height_m):
    with pytest.raises(InvalidInput, match="height_m must be finite"):
        Invert(CHAIR, height_m)


@pytest.mark.parametrize("gap_m", [math.nan, math.inf])
def test_a_gap_that_is_not_finite_is_refused(gap_m):
    with pytest.raises(InvalidInput, match="gap_m must be finite"):
        Concatenate("garden", gap_m=gap_m)


@pytest.mark.parametrize("side", ["x", "+w", ""])
def test_an_unknown_side_is_refused(side):
    with pytest.raises(InvalidInput, match=r"side must be one of \+x, -x, \+y, -y, \+z, -z"):
        Concatenate("garden", side)


def test_an_unknown_alignment_is_refused():
    with pytest.raises(InvalidInput, match="align must be one of none, boundary, got 'magic'"):
        Stitch("garden", align="magic")
