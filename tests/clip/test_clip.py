import errno
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from memstore.camera import Camera
from memstore.clip import read_clip, write_clip
from memstore.clip import sequence as sequence_module
from memstore.errors import AlreadyExists, InvalidInput, NotFound, Reason, ResourceLimit
from memstore.frame import Frame

FORMATS = ["nerfstudio", "tum", "colmap"]
UNIT_M = {"nerfstudio": 1e-3, "tum": 1 / 5000, "colmap": 0.0}
COORDINATES = st.floats(-1e3, 1e3)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def draw_frames(draw) -> list[Frame]:
    """Frames of one lens with any camera, colour, depth up to 13 m, mask, time and label."""
    height, width = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    focal, center = st.floats(0.1, 5e3), st.floats(-50, 50)
    lens = Camera(*draw(st.tuples(focal, focal, center, center)), width, height, np.eye(4))
    times = sorted(draw(st.lists(st.floats(-1e6, 2e9), min_size=1, max_size=3, unique=True)))

    def frame(time_s: float) -> Frame:
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_quat(rng.normal(size=4)).as_matrix()
        matrix[:3, 3] = draw(st.tuples(COORDINATES, COORDINATES, COORDINATES))
        depth_m = rng.uniform(0.001, 13.1, (height, width)).astype(np.float32)
        kind = rng.integers(0, 6, (height, width))
        depth_m[kind == 0], depth_m[kind == 1], depth_m[kind == 2] = np.inf, 0, np.nan
        return Frame(
            camera=lens.at(matrix),
            depth_m=depth_m,
            rgb=rng.integers(0, 256, (height, width, 3), np.uint8),
            time_s=time_s,
            moving=rng.random((height, width)) < 0.5 if draw(st.booleans()) else None,
            caption=draw(TEXT),
            metadata=draw(st.dictionaries(TEXT, TEXT | st.integers() | st.booleans() | COORDINATES, max_size=2)),
        )

    return [frame(time_s) for time_s in times]


def assert_same(found: Frame, wanted: Frame, unit_m: float) -> None:
    np.testing.assert_allclose(found.camera.intrinsics, wanted.camera.intrinsics, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.camera.camera_to_world, wanted.camera.camera_to_world, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.sky, wanted.sky)
    np.testing.assert_array_equal(found.measured, wanted.measured)
    measured = wanted.measured
    error_m = np.abs(found.depth_m[measured].astype(np.float64) - wanted.depth_m[measured])
    assert error_m.max(initial=0) <= unit_m / 2 + 1e-6  # float32 of 13 m is good to half a micrometre
    np.testing.assert_array_equal(found.rgb, wanted.rgb)
    if wanted.moving is None:
        assert found.moving is None
    else:
        np.testing.assert_array_equal(found.moving, wanted.moving)
    assert (found.time_s, found.caption) == (wanted.time_s, wanted.caption)
    assert dict(found.metadata) == dict(wanted.metadata)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(format, data):
    frames = draw_frames(data.draw)
    with TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip", iter(frames), format=format)
        assert (len(clip), clip.format, clip.skipped) == (len(frames), format, 0)
        for found, wanted in zip(clip, frames, strict=True):
            assert_same(found, wanted, UNIT_M[format])


@pytest.mark.parametrize("format", FORMATS)
def test_the_format_is_told_by_the_files(tmp_path, walk, format):
    write_clip(tmp_path, walk, format=format)
    clip = read_clip(tmp_path)
    assert (clip.format, len(clip)) == (format, 5)


@pytest.mark.parametrize("format", FORMATS)
def test_frames_are_read_one_at_a_time_and_only_when_reached(tmp_path, walk, format, monkeypatch):
    write_clip(tmp_path, walk, format=format)
    opened = []
    read_color = sequence_module.read_color
    monkeypatch.setattr(sequence_module, "read_color", lambda path: opened.append(path) or read_color(path))
    clip = read_clip(tmp_path)
    part = clip[1:5:2]
    frames = iter(part)
    assert (len(clip), len(part), len(opened)) == (5, 2, 0)
    next(frames)
    assert len(opened) == 1
    next(frames)
    assert len(opened) == 2
    _ = clip[-1]
    assert [path.stem for path in opened] == ["000001", "000003", "000004"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_broken_third_picture_comes_to_light_after_two_frames(tmp_path, walk, format):
    write_clip(tmp_path, walk, format=format)
    broken = next(path for path in tmp_path.glob("*/000002.png") if path.parent.name in ("images", "rgb"))
    broken.write_bytes(broken.read_bytes()[:60])
    frames = iter(read_clip(tmp_path))
    assert [next(frames).time_s, next(frames).time_s] == [0.0, 0.1]
    with pytest.raises(InvalidInput, match=r"000002\.png cannot be read as a picture: .*; copy it again") as raised:
        next(frames)
    assert raised.value.reason == Reason.INVALID_CLIP


@pytest.mark.parametrize("format", FORMATS)
def test_a_missing_file_is_named_when_it_is_reached(tmp_path, walk, format):
    write_clip(tmp_path, walk, format=format)
    depth = next(path for path in tmp_path.rglob("000001*") if "depth" in str(path.relative_to(tmp_path)))
    depth.unlink()
    clip = read_clip(tmp_path)
    _ = clip[0]
    with pytest.raises(
        InvalidInput, match=r"the depth of a frame should be at .*000001.*: no such file; bring it back"
    ):
        _ = clip[1]


@pytest.mark.parametrize("format", FORMATS)
def test_writing_asks_for_a_frame_only_after_the_one_before_is_on_disk(tmp_path, walk, format):
    def frames():
        for number, frame in enumerate(walk):
            assert len([p for p in tmp_path.glob("*/*.png") if p.parent.name in ("images", "rgb")]) == number
            yield frame

    write_clip(tmp_path, frames(), format=format)


@pytest.mark.parametrize("format", FORMATS)
def test_a_crash_while_writing_leaves_no_clip(tmp_path, walk, format):
    def frames():
        yield from walk[:3]
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        write_clip(tmp_path, frames(), format=format)
    with pytest.raises(InvalidInput, match="no clip was found at"):
        read_clip(tmp_path)


@pytest.mark.parametrize("before", FORMATS)
def test_a_crash_while_overwriting_leaves_no_old_index_to_new_pictures(tmp_path, walk, before):
    write_clip(tmp_path, walk, format=before)

    def frames():
        yield walk[0]
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="the power went"):
        write_clip(tmp_path, frames(), overwrite=True)
    with pytest.raises(InvalidInput, match="no clip was found at"):
        read_clip(tmp_path)


@pytest.mark.parametrize("before", FORMATS)
@pytest.mark.parametrize("after", FORMATS)
def test_overwriting_leaves_one_clip_and_no_label_or_mask_of_the_old_one(tmp_path, walk, before, after):
    write_clip(tmp_path, walk, format=before)
    (tmp_path / "notes.md").write_text("mine")
    plain = [replace(frame, moving=None, caption="", metadata={}) for frame in walk[:2]]
    clip = write_clip(tmp_path, plain, format=after, overwrite=True)
    assert read_clip(tmp_path).format == after
    assert (tmp_path / "notes.md").read_text() == "mine"
    for found, wanted in zip(clip, plain, strict=True):
        assert_same(found, wanted, UNIT_M[after])


def test_a_folder_with_something_in_it_is_not_overwritten_unasked(tmp_path, walk):
    (tmp_path / "notes.md").write_text("mine")
    with pytest.raises(AlreadyExists, match="is not empty; choose another folder, or pass overwrite=True"):
        write_clip(tmp_path, walk)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]


def test_a_file_where_the_folder_should_be_is_refused(tmp_path, walk):
    (tmp_path / "clip").write_text("mine")
    with pytest.raises(InvalidInput, match="should be a folder, but is a file"):
        write_clip(tmp_path / "clip", walk, overwrite=True)


def test_no_frames_are_no_clip(tmp_path):
    with pytest.raises(InvalidInput, match="no frame was given to write to"):
        write_clip(tmp_path / "clip", [])


def test_a_frame_of_latents_alone_cannot_be_written(tmp_path, walk):
    bare = replace(walk[0], rgb=None, latents=np.zeros((1, 1, 3), np.float32))
    with pytest.raises(InvalidInput, match="frame 1 has only latents, and a clip keeps colours; decode it first"):
        write_clip(tmp_path / "clip", [walk[0], bare])


@pytest.mark.parametrize("color", ["webp", "png"])
def test_lossless_colours_are_exact(tmp_path, walk, color):
    clip = write_clip(tmp_path, walk, color=color)
    assert_same(clip[3], walk[3], 1e-3)
    assert (tmp_path / "images" / f"000003.{color}").is_file()


def test_jpeg_colours_are_near(tmp_path, walk):
    smooth = np.broadcast_to(np.linspace(0, 255, 12).astype(np.uint8)[None, :, None], (8, 12, 3))
    clip = write_clip(tmp_path, [replace(walk[0], rgb=smooth)], color="jpg")
    assert np.abs(clip[0].rgb.astype(int) - smooth).max() <= 6


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), "an empty folder"),
        (("rgb.txt", "cat.jpg"), r"cat\.jpg, rgb\.txt; point at the folder"),
        (None, "nothing there"),
    ],
)
def test_a_folder_without_a_clip_says_what_it_holds_and_what_is_known(tmp_path, names, found):
    place = tmp_path / "place"
    if names is not None:
        place.mkdir()
        for name in names:
            (place / name).touch()
    known = r"nerfstudio by transforms\.json; tum by groundtruth\.txt.*; colmap by cameras\.txt and images\.txt"
    with pytest.raises(InvalidInput, match=rf"no clip was found at .*{known}.*Found {found}"):
        read_clip(place)


def test_a_folder_of_two_formats_asks_which(tmp_path, walk):
    write_clip(tmp_path / "a", walk, format="nerfstudio")
    write_clip(tmp_path / "b", walk, format="tum")
    for path in (tmp_path / "b").iterdir():
        path.rename(tmp_path / "a" / path.name)
    with pytest.raises(InvalidInput, match="a clip of nerfstudio and tum at once; say which with format='nerfstudio'"):
        read_clip(tmp_path / "a")
    assert read_clip(tmp_path / "a", format="tum").format == "tum"


def test_a_format_that_is_asked_for_must_be_there(tmp_path, walk):
    write_clip(tmp_path, walk)
    with pytest.raises(InvalidInput, match=r"no clip was found at .*told as tum by .* Found depths/, images/, masks/"):
        read_clip(tmp_path, format="tum")


def test_an_index_without_frames_is_an_error_at_once(tmp_path):
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": []}))
    with pytest.raises(InvalidInput, match="names no frame; write at least one"):
        read_clip(tmp_path)


def test_unknown_names_and_bad_numbers_are_refused(tmp_path, walk):
    with pytest.raises(InvalidInput, match="format must be one of nerfstudio, tum, colmap, got 'mp4'"):
        read_clip.__wrapped__(tmp_path, format="mp4")
    with pytest.raises(InvalidInput, match="color must be one of png, webp, jpg, got 'gif'"):
        write_clip.__wrapped__(tmp_path, walk, color="gif")
    with pytest.raises(InvalidInput, match="depth_unit_m must be a positive number of metres, got -1"):
        write_clip(tmp_path, walk, depth_unit_m=-1.0)
    write_clip(tmp_path, walk)
    with pytest.raises(InvalidInput, match="max_depth_difference_s must be a finite number of seconds of at least 0"):
        read_clip(tmp_path, max_depth_difference_s=-0.1)


def test_slices_are_clips_and_indices_count_from_both_ends(tmp_path, walk):
    clip = write_clip(tmp_path, walk)
    assert [frame.time_s for frame in clip[::-2]] == [0.4, 0.2, 0.0]
    assert len(clip[2:][1:]) == 2
    assert len(clip[7:]) == 0
    assert clip[-2].time_s == 0.3
    with pytest.raises(NotFound, match=r"frame 5 was asked of a clip of 5 frames"):
        _ = clip[5]


def test_a_clip_can_be_converted_frame_by_frame(tmp_path, walk):
    nerfstudio = write_clip(tmp_path / "a", walk)
    tum = write_clip(tmp_path / "b", nerfstudio[1:], format="tum")
    colmap = write_clip(tmp_path / "c", tum, format="colmap")
    for found, wanted in zip(colmap, walk[1:], strict=True):
        assert_same(found, wanted, 1.2e-3)


def test_metadata_of_another_tool_that_is_no_scalar_is_left_alone(tmp_path, walk):
    write_clip(tmp_path, walk[:1])
    index = tmp_path / "transforms.json"
    said = json.loads(index.read_text())
    said["frames"][0]["metadata"] = {"score": float("nan"), "tags": ["a"], "map": "E1M5"}
    index.write_text(json.dumps(said))
    assert dict(read_clip(tmp_path)[0].metadata) == {"map": "E1M5"}


@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_is_named_as_such(tmp_path, walk, format, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceLimit, match="does not fit on the disk; free some space"):
        write_clip(tmp_path / "clip", walk, format=format)
