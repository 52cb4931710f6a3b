"""The options that say what is meant, and where it goes."""

import json
import re

import numpy as np
import pytest

from memstore.cli.moving import MoveOptions
from memstore.cli.numbers import numbers, whole_numbers
from memstore.cli.selection import SelectionOptions
from memstore.errors import InvalidInput, NotFound, Reason
from memstore.selection import Everything, Frames, Kinds, Layers, Ordinals, PatchIds
from memstore.shape import Box, HalfSpace, Sphere, ViewFrustum
from memstore.transform import Transform

QUARTER = Transform.rotate_z(90, degrees=True)


@pytest.fixture
def world(tmp_path, walk):
    """A world of two frames."""
    from memstore.database import open_database

    with open_database(tmp_path / "worlds") as database:
        world = database.create_world("museum")
        with world.ingest() as ingest:
            for frame in walk(2):
                ingest.add(frame)
        yield world


def test_each_option_says_one_selection(world):
    said = {
        Box((1, 2, 3), (4, 5, 6), QUARTER.rotation): SelectionOptions(box=["1,2,3,4,5,6"], box_rotation_z=90),
        Sphere((1, -2, 3), 0.5): SelectionOptions(sphere=["1 -2 3 .5"]),
        HalfSpace((0, 0, 1), 0.5): SelectionOptions(half_space=["0,0,1,0.5"]),
        Layers(("chair", "table")): SelectionOptions(layer=["chair", "table"]),
        Kinds(("sky",)): SelectionOptions(kind="sky"),
        Frames((3, 4, 9)): SelectionOptions(frames="3,4, 9"),
        Ordinals(10, 20): SelectionOptions(ordinals="10:20"),
        PatchIds(np.array([1, 4294967297], np.uint64)): SelectionOptions(ids="4294967297,1"),
        Everything(): SelectionOptions(everything=True),
    }
    for selection, options in said.items():
        assert options.selection(world) == selection


def test_options_are_joined_by_and_or_any_and_turned_round_by_not(world):
    ball, chair = Sphere((0, 0, 0), 1), Layers(("chair",))
    both = SelectionOptions(sphere=["0,0,0,1"], layer=["chair"])
    assert both.selection(world) == ball & chair
    assert SelectionOptions(sphere=["0,0,0,1"], layer=["chair"], any_of=True).selection(world) == ball | chair
    assert SelectionOptions(sphere=["0,0,0,1"], layer=["chair"], all_but=True).selection(world) == ~(ball & chair)


def test_what_a_camera_sees_is_said_by_a_frame_or_by_a_file(world, walk, tmp_path):
    camera = walk(2)[1].camera
    by_frame = SelectionOptions(seen_by="1", near=0.5, far=3).selection(world)
    assert isinstance(by_frame, ViewFrustum)
    np.testing.assert_allclose(by_frame.camera.camera_to_world, camera.camera_to_world)
    assert (by_frame.near_m, by_frame.far_m) == (0.5, 3)
    fields = {name: getattr(camera, name) for name in ("fx", "fy", "cx", "cy", "width", "height")}
    held = {**fields, "camera_to_world": camera.camera_to_world.tolist()}
    for name, document in (("camera.json", held), ("answer.json", {"patch_count": 3, "camera": held})):
        (tmp_path / name).write_text(json.dumps(document))
        by_file = SelectionOptions(seen_by=str(tmp_path / name)).selection(world)
        assert isinstance(by_file, ViewFrustum)
        np.testing.assert_allclose(by_file.camera.camera_to_world, camera.camera_to_world)


def test_a_frame_that_is_not_there_sees_nothing(world):
    with pytest.raises(NotFound, match="has no frame 7; it holds 2 frames"):
        SelectionOptions(seen_by="7").selection(world)


def test_nothing_said_is_an_error_never_everything(world):
    with pytest.raises(InvalidInput, match="nothing is said to be meant; say --box") as refused:
        SelectionOptions(all_but=True).selection(world)
    assert refused.value.reason == Reason.EMPTY_SELECTION


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (SelectionOptions(box=["1,2,3"]), "--box takes 6 numbers"),
        (SelectionOptions(sphere=["1,2,3,x"]), "--sphere takes 4 numbers"),
        (SelectionOptions(half_space=["0,0,nan,1"]), "--half-space takes 4 numbers"),
        (SelectionOptions(frames="3,four"), "--frames takes whole numbers"),
        (SelectionOptions(ordinals="10-20"), "--ordinals takes FROM:TO"),
    ],
)
def test_a_slip_names_its_option(world, options, told):
    with pytest.raises(InvalidInput, match=re.escape(told)):
        options.selection(world)


def test_numbers_stand_between_commas_or_blanks():
    assert numbers(" 1,  2.5 -3", 3, "--move") == (1, 2.5, -3)
    assert whole_numbers("3", "--frames") == (3,)


def test_a_thing_is_scaled_turned_about_up_and_then_moved():
    moved = MoveOptions(move="0,0,1", turn=90, scale=2).transform("+z")
    np.testing.assert_allclose(moved.apply(np.array([[1.0, 0, 0]])), [[0, 2, 1]], atol=1e-12)
    down = MoveOptions(turn=90).transform("-y")
    np.testing.assert_allclose(down.apply(np.array([[1.0, 0, 0]])), [[0, 0, 1]], atol=1e-12)
    about_x = MoveOptions(turn=90, turn_about="x").transform("+z")
    np.testing.assert_allclose(about_x.apply(np.array([[0, 1.0, 0]])), [[0, 0, 1]], atol=1e-12)


def test_a_pivot_is_a_word_or_a_point():
    assert MoveOptions().about() == "centroid"
    assert MoveOptions(pivot="origin").about() == "origin"
    assert MoveOptions(pivot="1,2,3").about() == (1, 2, 3)
    with pytest.raises(InvalidInput, match="--pivot takes 3 numbers"):
        MoveOptions(pivot="middle").about()


def test_a_thing_that_goes_nowhere_is_refused():
    with pytest.raises(InvalidInput, match="say where it goes: --move"):
        MoveOptions().transform("+z")
