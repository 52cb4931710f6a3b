import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from memstore.clip.depth import FARTHEST, SKY, DepthUnit, dense_bytes, depth_steps, read_depth
from memstore.errors import InvalidInput

ADVICE = "pass depth_unit_m={unit:g} or more"


def test_sixteen_bits_keep_sky_holes_and_the_farthest_depth(tmp_path):
    depth_m = np.array([[np.inf, 0, np.nan, -1, 65.534, 0.0001]], np.float32)
    steps = depth_steps(depth_m, 0.001, advice=ADVICE)
    assert steps.tolist() == [[SKY, 0, 0, 0, FARTHEST, 1]]
    Image.fromarray(steps).save(tmp_path / "d.png")
    found = read_depth(tmp_path / "d.png", DepthUnit())
    np.testing.assert_allclose(found, np.float32([[np.inf, 0, 0, 0, 65.534, 0.001]]))


@given(st.floats(0.02, 500), st.sampled_from([0.0002, 0.001, 0.005, 0.01]))
def test_depth_comes_back_within_half_a_step_or_is_refused(depth_m, unit_m):
    depth = np.full((1, 1), depth_m, np.float32)
    if depth_m > unit_m * (FARTHEST + 0.5):
        with pytest.raises(InvalidInput, match="does not fit: 16 bits of"):
            depth_steps(depth, unit_m, advice=ADVICE)
    elif depth_m < unit_m * (FARTHEST + 0.4):
        steps = depth_steps(depth, unit_m, advice=ADVICE)
        assert abs(float(steps[0, 0]) * unit_m - float(depth[0, 0])) <= unit_m / 2 * (1 + 1e-9)


@given(st.floats(66, 1e6))
def test_the_unit_that_the_message_proposes_does_fit(depth_m):
    depth = np.full((2, 2), depth_m, np.float32)
    with pytest.raises(InvalidInput, match="pass depth_unit_m=") as raised:
        depth_steps(depth, 0.001, advice=ADVICE)
    proposed = float(re.search(r"depth_unit_m=(\S+) or", str(raised.value))[1])
    assert depth_steps(depth, proposed, advice=ADVICE).max() > FARTHEST * 0.89


def test_whole_numbers_and_floats_have_their_own_unit(tmp_path):
    unit = DepthUnit(whole_m=0.002, float_m=3.0)
    np.save(tmp_path / "whole.npy", np.array([[500, SKY, 0]], np.uint16))
    np.save(tmp_path / "float.npy", np.array([[0.5, np.inf, np.nan]], np.float64))
    Image.fromarray(np.array([[0.5, np.inf, -2]], np.float32)).save(tmp_path / "float.tiff")
    Image.fromarray(np.array([[500, SKY, 0]], np.uint16)).save(tmp_path / "whole.tif")
    assert read_depth(tmp_path / "whole.npy", unit).tolist() == [[1.0, np.inf, 0.0]]
    assert read_depth(tmp_path / "whole.tif", unit).tolist() == [[1.0, np.inf, 0.0]]
    assert read_depth(tmp_path / "float.npy", unit).tolist() == [[1.5, np.inf, 0.0]]
    assert read_depth(tmp_path / "float.tiff", unit).tolist() == [[1.5, np.inf, 0.0]]


def test_a_third_axis_of_one_channel_is_dropped(tmp_path):
    np.save(tmp_path / "d.npy", np.ones((2, 3, 1), np.float32))
    assert read_depth(tmp_path / "d.npy", DepthUnit()).shape == (2, 3)


def test_colmap_depth_maps_run_along_x_first(tmp_path):
    depth_m = np.arange(1, 7, dtype=np.float32).reshape(2, 3)
    content = dense_bytes(depth_m)
    assert content == b"3&2&1&" + np.array([1, 2, 3, 4, 5, 6], "<f4").tobytes()
    (tmp_path / "d.bin").write_bytes(content)
    np.testing.assert_array_equal(read_depth(tmp_path / "d.bin", DepthUnit()), depth_m)


def test_colmap_depth_below_zero_is_unmeasured(tmp_path):
    (tmp_path / "d.bin").write_bytes(dense_bytes(np.array([[-1, np.nan, np.inf, 2]], np.float32)))
    assert read_depth(tmp_path / "d.bin", DepthUnit()).tolist() == [[0, 0, np.inf, 2]]


@pytest.mark.parametrize("content", [b"", b"3&2&1&short", b"3&2&3&" + bytes(72), b"\x89PNG\r\n", b"9999999999&1&1&"])
def test_a_broken_colmap_depth_map_is_named(tmp_path, content):
    (tmp_path / "d.bin").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"d\.bin should be a COLMAP depth map .*, found \d+ bytes"):
        read_depth(tmp_path / "d.bin", DepthUnit())


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x01\x00", b"not numpy"])
def test_a_broken_npy_is_named(tmp_path, content):
    (tmp_path / "d.npy").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"d\.npy cannot be read as a NumPy array: .*; save it again"):
        read_depth(tmp_path / "d.npy", DepthUnit())


def test_pickles_are_not_loaded(tmp_path):
    np.save(tmp_path / "d.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(InvalidInput, match="cannot be read as a NumPy array"):
        read_depth(tmp_path / "d.npy", DepthUnit())


@pytest.mark.parametrize("pixels", [np.zeros((4, 5), np.uint8), np.zeros((4, 5, 3), np.uint8)])
def test_a_picture_of_depth_is_no_depth(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "d.png")
    with pytest.raises(InvalidInput, match="one channel of 16-bit or float depth, found uint8 of shape"):
        read_depth(tmp_path / "d.png", DepthUnit())
