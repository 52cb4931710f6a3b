import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from memstore.clip import read_clip, write_clip
from memstore.errors import InvalidInput, Reason

LOOKS_ALONG_Y = [[1, 0, 0, 4], [0, 0, -1, 5], [0, 1, 0, 6], [0, 0, 0, 1]]
"""OpenGL camera_to_world of a camera at (4, 5, 6) that looks along +Y with +Z up."""


@pytest.fixture
def folder(tmp_path):
    """A folder of two pictures of 6x4 and their depth, 2 m everywhere."""
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.fromarray(np.full((4, 6, 3), 7, np.uint8)).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(np.full((4, 6), 2000, np.uint16)).save(tmp_path / f"{name}_depth.png")
    return tmp_path


def frame(name="a", **more):
    files = {"file_path": f"images/{name}.png", "depth_file_path": f"{name}_depth.png"}
    return {**files, "transform_matrix": LOOKS_ALONG_Y, **more}


def clip_of(folder, *frames, **top):
    lens = {"fl_x": 5.0, "fl_y": 5.5, "cx": 3.1, "cy": 2.1, "w": 6, "h": 4}
    named = {name: value for name, value in {**lens, **top}.items() if value is not None}
    (folder / "transforms.json").write_text(json.dumps({**named, "frames": list(frames or [frame()])}))
    return read_clip(folder)


def test_axes_turn_from_opengl_to_ours(folder):
    camera = clip_of(folder)[0].camera
    np.testing.assert_array_equal(camera.forward, [0, 1, 0])
    np.testing.assert_array_equal(camera.center, [4, 5, 6])
    uv, depth_m = camera.project(np.array([4.0, 7.0, 7.0]))  # one metre up, two ahead
    assert depth_m == 2
    assert uv[1] < camera.cy
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (5.0, 5.5, 3.1, 2.1)


def test_intrinsics_of_a_frame_stand_before_the_shared_ones(folder):
    first, second = clip_of(folder, frame(), frame("b", fl_x=9.0, cx=1.0))
    assert (first.camera.fx, second.camera.fx, second.camera.fy, second.camera.cx) == (5.0, 9.0, 5.5, 1.0)


def test_a_field_of_view_is_enough(folder):
    none = dict.fromkeys(("fl_x", "fl_y", "cx", "cy", "w", "h"))
    camera = clip_of(folder, **none, camera_angle_x=np.pi / 2)[0].camera
    np.testing.assert_allclose((camera.fx, camera.fy, camera.cx, camera.cy), (3, 3, 3, 2))
    camera = clip_of(folder, **none, camera_angle_x=np.pi / 2, camera_angle_y=np.pi / 2)[0].camera
    np.testing.assert_allclose((camera.fx, camera.fy), (3, 2))


def test_a_path_may_lack_its_extension(folder):
    assert clip_of(folder, frame(file_path="./images/a"))[0].rgb[0, 0].tolist() == [7, 7, 7]


def test_the_json_file_itself_names_a_clip(folder):
    clip_of(folder)
    (folder / "transforms.json").rename(folder / "transforms_train.json")
    assert len(read_clip(folder / "transforms_train.json")) == 1


def test_frames_keep_the_order_of_the_file(folder):
    assert [f.time_s for f in clip_of(folder, frame("b", time=2), frame("a", time=1))] == [2.0, 1.0]


def test_a_matrix_of_three_rows_is_enough(folder):
    camera = clip_of(folder, frame(transform_matrix=LOOKS_ALONG_Y[:3]))[0].camera
    np.testing.assert_array_equal(camera.center, [4, 5, 6])


def test_depth_follows_the_unit_of_the_file_and_of_the_caller(folder):
    assert clip_of(folder)[0].depth_m.max() == 2.0
    assert clip_of(folder, depth_unit_scale_factor=0.002)[0].depth_m.max() == 4.0
    assert read_clip(folder, depth_unit_m=0.01)[0].depth_m.max() == 20.0


def test_float_depth_is_multiplied_too_as_nerfstudio_does(folder):
    np.save(folder / "a.npy", np.full((4, 6), 3.0, np.float32))
    asked = frame(depth_file_path="a.npy")
    assert clip_of(folder, asked, depth_unit_scale_factor=1.0)[0].depth_m.max() == 3.0
    np.testing.assert_allclose(clip_of(folder, asked)[0].depth_m, 0.003)


def test_a_file_that_was_turned_and_scaled_keeps_its_coordinates_and_says_so(folder):
    turned = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0]]
    clip = clip_of(folder, applied_transform=turned, applied_scale=0.5)
    np.testing.assert_array_equal(clip[0].camera.center, [4, 5, 6])
    assert clip[0].depth_m.max() == 1.0
    assert "applied_transform of transforms.json is kept" in clip.notes[0]
    assert "applied_transform" in repr(clip[:1])


def test_black_in_a_mask_is_moving(folder):
    mask = np.full((4, 6), 255, np.uint8)
    mask[1, 2] = 0
    Image.fromarray(mask).save(folder / "m.png")
    moving = clip_of(folder, frame(mask_path="m.png"))[0].moving
    assert np.argwhere(moving).tolist() == [[1, 2]]


def test_a_mask_that_is_named_must_be_there(folder):
    with pytest.raises(InvalidInput, match=r"the mask of a frame should be at .*m\.png: no such file"):
        _ = clip_of(folder, frame(mask_path="m.png"))[0]


def test_coarse_depth_is_sampled_at_the_centres_of_the_pixels(folder):
    Image.fromarray(np.array([[1000, 2000, 3000], [4000, 5000, 6000]], np.uint16)).save(folder / "a_depth.png")
    depth_m = clip_of(folder)[0].depth_m
    np.testing.assert_array_equal(depth_m, np.kron([[1, 2, 3], [4, 5, 6]], np.ones((2, 2))))


def test_depth_of_another_aspect_is_refused(folder):
    Image.fromarray(np.full((6, 4), 1000, np.uint16)).save(folder / "a_depth.png")
    with pytest.raises(InvalidInput, match=r"a_depth\.png should have the aspect of its colours, 6x4, found 4x6"):
        _ = clip_of(folder)[0]


def test_pictures_of_another_size_than_the_intrinsics_are_refused(folder):
    with pytest.raises(InvalidInput, match=r"a\.png should be 12x8 by the intrinsics of the clip, found 6x4"):
        _ = clip_of(folder, w=12, h=8)[0]


def test_what_others_keep_under_our_names_is_left_alone(folder):
    found = clip_of(folder, frame(caption=["a", "b"], metadata={"kept": 1, "dropped": [1, 2]}, extra={"x": 1}))[0]
    assert found.caption == ""
    assert dict(found.metadata) == {"kept": 1}


def test_distortion_of_zero_is_none(folder):
    assert len(clip_of(folder, camera_model="OPENCV", k1=0, k2=0.0, p1=0, p2=0)) == 1


@pytest.mark.parametrize(
    ("top", "found"),
    [
        ({"k1": 0.1, "p2": -0.2}, r"PINHOLE with k1=0\.1, p2=-0\.2"),
        ({"camera_model": "OPENCV_FISHEYE"}, "OPENCV_FISHEYE with a fisheye lens"),
        ({"is_fisheye": True}, "PINHOLE with a fisheye lens"),
    ],
)
def test_distortion_asks_to_undistort_first(folder, top, found):
    with pytest.raises(InvalidInput, match=f"pinhole camera without distortion, found {found}; undistort the pictures"):
        clip_of(folder, **top)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (frame(transform_matrix=None), r"frames\[0\] of .* needs `transform_matrix`"),
        (frame(transform_matrix=[[1, 2], [3]]), "needs `transform_matrix`"),
        (frame(transform_matrix=(2 * np.eye(4)).tolist()), "needs `transform_matrix`: .*orthonormal"),
        (frame(transform_matrix=[[float("nan")] * 4] * 4), "needs `transform_matrix`"),
        (frame(file_path=None), "needs `file_path`: the path of a file"),
        (frame(depth_file_path=None), "memory needs depth: estimate it if it was not measured"),
        (frame(fl_x="wide"), "needs `fl_x`: a finite number, found 'wide'"),
        (frame(w=6.5), "needs `w`: a whole number, found 6.5"),
        (frame(time="noon"), "`time` in .* should be a finite number of seconds, found 'noon'"),
        ("a.png", r"frames\[0\] of .* should be an object, found 'a.png'"),
    ],
)
def test_a_broken_frame_is_named_at_once(folder, broken, message):
    with pytest.raises(InvalidInput, match=message) as raised:
        clip_of(folder, broken)
    assert raised.value.reason == Reason.INVALID_CLIP


def test_no_focal_length_is_named(folder):
    with pytest.raises(InvalidInput, match="needs `fl_x`: the focal length in pixels, or `camera_angle_x` in radians"):
        clip_of(folder, fl_x=None)


def test_a_focal_length_below_zero_is_named_with_its_picture(folder):
    with pytest.raises(InvalidInput, match=r"a\.png has no usable camera: fx must be finite and positive"):
        _ = clip_of(folder, fl_x=-5.0)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"frames": [', "should be JSON, but is not"),
        ("[1, 2]", "an object with a list `frames`"),
        ("[" * 100_000, "should be JSON, but is not"),
        ("\xff", "cannot be read as UTF-8 text"),
    ],
)
def test_a_file_that_is_no_index_is_named(folder, text, message):
    (folder / "transforms.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidInput, match=message):
        read_clip(folder)


def test_depth_that_does_not_fit_is_refused_with_a_unit_that_does(tmp_path, walk):
    far = replace(walk[0], depth_m=np.full((8, 12), 100.0, np.float32))
    with pytest.raises(InvalidInput, match=r"100 m does not fit: .* up to 65\.534 m; pass depth_unit_m=0\.0016"):
        write_clip(tmp_path / "a", [far])
    clip = write_clip(tmp_path / "b", [far], depth_unit_m=0.0016)
    np.testing.assert_allclose(clip[0].depth_m, 100)
    assert json.loads((tmp_path / "b" / "transforms.json").read_text())["depth_unit_scale_factor"] == 0.0016
