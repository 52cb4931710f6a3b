import numpy as np
import pytest

from memstore.drawing.ramp import (
    COVERAGE_RAMP,
    DEPTH_RAMP,
    ERROR_FULL_SCALE,
    ERROR_RAMP,
    HOLE_COLOR,
    MOVING_COLOR,
    SKY_COLOR,
    coverage_map,
    depth_map,
    error_map,
    mask_map,
)

LUMA = np.array([0.299, 0.587, 0.114])


def _picture(value: int) -> np.ndarray:
    return np.full((2, 3, 3), value, np.uint8)


@pytest.mark.parametrize("ramp", [ERROR_RAMP, COVERAGE_RAMP, DEPTH_RAMP])
def test_ramps_grow_lighter_so_that_they_read_without_colours(ramp):
    luma = ramp(np.linspace(0, 1, 64)[None])[0] @ LUMA
    assert (np.diff(luma) > -1).all()
    assert luma[-1] - luma[0] > 100


def test_values_outside_a_ramp_are_clamped():
    assert np.array_equal(ERROR_RAMP(np.array([[-1.0, 2.0]])), ERROR_RAMP(np.array([[0.0, 1.0]])))


def test_error_is_black_where_pictures_agree_and_light_where_they_do_not():
    known = np.ones((2, 3), bool)
    assert (error_map(_picture(90), _picture(90), known) == 0).all()
    far_off = error_map(_picture(90), _picture(90 + ERROR_FULL_SCALE), known)
    assert (far_off == ERROR_RAMP.colors[-1]).all()


def test_error_does_not_wrap_around_in_eight_bits():
    known = np.ones((2, 3), bool)
    assert np.array_equal(error_map(_picture(10), _picture(60), known), error_map(_picture(60), _picture(10), known))


def test_unknown_pixels_have_the_colour_of_holes():
    known = np.array([[True, False, True], [True, True, True]])
    colors = error_map(_picture(0), _picture(255), known)
    assert tuple(colors[0, 1]) == HOLE_COLOR
    assert tuple(colors[0, 0]) == ERROR_RAMP.colors[-1]


def test_coverage_is_one_flat_square_a_token():
    colors = coverage_map(np.array([[0, 1]], np.float32), 16, 8)
    assert colors.shape == (8, 16, 3)
    assert (colors[:, :8] == COVERAGE_RAMP.colors[0]).all()
    assert (colors[:, 8:] == COVERAGE_RAMP.colors[-1]).all()


def test_depth_tells_near_far_sky_and_unmeasured_apart():
    near, far, sky, nothing, nan = depth_map(np.array([[0.5, 15, np.inf, 0, np.nan]], np.float32))[0]
    assert near @ LUMA > far @ LUMA
    assert tuple(sky) == SKY_COLOR
    assert tuple(nothing) == tuple(nan) == HOLE_COLOR


def test_what_moves_is_marked():
    assert tuple(mask_map(np.array([[False, True]]))[0, 1]) == MOVING_COLOR
