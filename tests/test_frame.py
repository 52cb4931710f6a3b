"""Frames: what goes in, from whom, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from memstore.camera import Camera
from memstore.errors import InvalidInput, Reason
from memstore.frame import Frame

CAMERA = Camera.from_fov(8, 6, 1.0)
DEPTH = np.full((6, 8), 2, np.float32)
RGB = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


class Tensor:
    """An array of another library, which shows itself through DLPack alone."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __dlpack__(self, **options: object) -> object:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


class GraphTensor(Tensor):
    """A tensor that must leave its graph and its device first."""

    def __dlpack__(self, **options: object) -> object:
        raise BufferError("still part of a graph, on another device")

    def detach(self) -> GraphTensor:
        return self

    def cpu(self) -> Tensor:
        return Tensor(self._array)


def test_depth_says_what_is_measured_and_what_is_sky():
    depth = DEPTH.copy()
    depth[0] = (0, -1, np.nan, np.inf, -np.inf, 1e-6, 3, np.inf)
    frame = Frame(CAMERA, depth, RGB)
    assert frame.measured[0].tolist() == [False] * 5 + [True, True, False]
    assert frame.sky[0].tolist() == [False, False, False, True, False, False, False, True]
    assert frame.measured[1:].all()


@pytest.mark.parametrize("library", [Tensor, GraphTensor])
def test_arrays_of_other_libraries_are_read(library):
    frame = Frame(CAMERA, library(DEPTH.copy()), library(RGB.copy()))
    np.testing.assert_array_equal(frame.depth_m, DEPTH)
    np.testing.assert_array_equal(frame.rgb, RGB)


def test_arrays_are_kept_read_only_and_contiguous():
    frame = Frame(CAMERA, np.asfortranarray(DEPTH.astype(np.float64)), RGB, moving=np.zeros((6, 8), np.bool_))
    assert frame.depth_m.dtype == np.float32
    assert frame.depth_m.flags.c_contiguous
    for array in (frame.depth_m, frame.rgb, frame.moving):
        assert not array.flags.writeable
    assert RGB.flags.writeable


def test_an_array_that_fits_is_not_copied():
    assert np.shares_memory(Frame(CAMERA, DEPTH, RGB).rgb, RGB)


def test_latents_may_stand_for_colours():
    frame = Frame(CAMERA, DEPTH, latents=np.zeros((3, 4, 48), np.float16))
    assert frame.rgb is None
    assert frame.latents.dtype == np.float16


def test_metadata_is_kept_apart_from_the_callers():
    given = {"weather": "rain", "speed": 1.5}
    frame = Frame(CAMERA, DEPTH, RGB, metadata=given)
    given["weather"] = "sun"
    assert dict(frame.metadata) == {"weather": "rain", "speed": 1.5}
    with pytest.raises(TypeError, match="does not support item assignment"):
        frame.metadata["weather"] = "sun"


def test_a_cropped_frame_is_the_part_with_its_own_camera():
    moving = np.zeros((6, 8), np.bool_)
    moving[2, 3] = True
    frame = Frame(CAMERA, np.arange(48, dtype=np.float32).reshape(6, 8), RGB, moving=moving, caption="a door")
    part = frame.cropped(2, 1, 4, 3)
    assert part.camera == CAMERA.cropped(2, 1, 4, 3)
    np.testing.assert_array_equal(part.depth_m, frame.depth_m[1:4, 2:6])
    np.testing.assert_array_equal(part.rgb, RGB[1:4, 2:6])
    assert np.argwhere(part.moving).tolist() == [[1, 1]]
    assert part.caption == "a door"


@pytest.mark.parametrize("part", [(-1, 0, 4, 4), (0, -1, 4, 4), (5, 0, 4, 4), (0, 3, 4, 4)])
def test_a_part_outside_the_image_is_refused(part):
    with pytest.raises(InvalidInput, match=r"cannot crop 4x4 at .* out of a frame of 8x6 with colours"):
        Frame(CAMERA, DEPTH, RGB).cropped(*part)


def test_a_part_of_latents_is_refused():
    with pytest.raises(InvalidInput, match="out of a frame of 8x6 without colours"):
        Frame(CAMERA, DEPTH, latents=np.zeros((3, 4, 48), np.float16)).cropped(0, 0, 4, 4)


def test_a_frame_tells_its_size_and_contents():
    depth = DEPTH.copy()
    depth[:3] = 0
    assert repr(Frame(CAMERA, depth, RGB, ordinal=7)) == "Frame(8x6, rgb, 50% measured, ordinal=7)"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth_m": np.ones((8, 6), np.float32)}, r"depth_m must have shape \(6, 8\), got \(8, 6\)"),
        ({"depth_m": np.ones((6, 8), np.complex64)}, "depth_m must be float32, got complex64"),
        ({"depth_m": [[1.0, 2.0], [3.0]]}, "depth_m cannot be read as an array"),
        ({"rgb": np.zeros((6, 8, 4), np.uint8)}, r"rgb must have shape \(6, 8, 3\), got \(6, 8, 4\)"),
        (
            {"rgb": np.zeros((6, 8, 3), np.float32)},
            r"rgb must be uint8, got float32; convert it with .astype\('uint8'\)",
        ),
        ({"rgb": np.full((6, 8, 3), 300, np.uint16)}, "rgb must fit uint8, 0 to 255, got values from 300 to 300"),
        ({"moving": np.zeros((6, 8), np.uint8)}, "moving must be bool, got uint8"),
        ({"rgb": None}, "a frame needs rgb or latents, got neither"),
        ({"time_s": float("nan")}, "time_s must be finite, got nan"),
        ({"latents": np.zeros((3, 4))}, r"latents must have shape \(any, any, any\), got \(3, 4\)"),
    ],
)
def test_fields_that_do_not_fit_are_refused_by_name(fields, message):
    with pytest.raises(InvalidInput, match=message) as caught:
        Frame(**({"camera": CAMERA, "depth_m": DEPTH, "rgb": RGB} | fields))
    assert caught.value.reason is Reason.INVALID_FRAME


def test_wider_integers_that_fit_are_taken():
    assert Frame(CAMERA, DEPTH, RGB.astype(np.uint16)).rgb.dtype == np.uint8


def test_a_frame_survives_pickling():
    frame = Frame(CAMERA, np.ones((6, 8), np.float32), np.zeros((6, 8, 3), np.uint8), metadata={"map": "E1M5"})
    back = pickle.loads(pickle.dumps(frame))
    assert (back.camera, back.metadata) == (frame.camera, {"map": "E1M5"})
    np.testing.assert_array_equal(back.depth_m, frame.depth_m)


@pytest.mark.parametrize("metadata", [{"list": [1]}, {"none": None}, {"nan": float("nan")}, {1: "one"}])
def test_metadata_that_is_no_scalar_is_refused_by_name(metadata):
    with pytest.raises(InvalidInput, match="metadata must be finite scalars by name"):
        Frame(CAMERA, np.ones((6, 8), np.float32), np.zeros((6, 8, 3), np.uint8), metadata=metadata)
