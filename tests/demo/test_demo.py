"""The demo itself, on clips that are as short as it takes."""

import json

import av
import numpy as np
import pytest
from PIL import Image

from memstore.cli.output import to_json
from memstore.clip import write_clip
from memstore.database import open_database
from memstore.demo import memory
from memstore.demo.child import run_command
from memstore.demo.remember import Place
from memstore.demo.stages import STAGES, run_demo
from memstore.errors import AlreadyExists, FailedPrecondition, InvalidInput, NotFound

PROMISED = {"frames", "patches", "sessions", "bytes_on_disk", "held_out", "served_equals_embedded", "seconds"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory, walk):
    """The folder of a demo that ran on one short clip, and its report."""
    out = tmp_path_factory.mktemp("demo")
    clip = write_clip(out / "a-room", walk(24, 128, 96, open_sky=True)).path
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "FILM_PICTURES", 8)
        return out, clip, run_demo(out, stage="memory", clips=[clip]).memory


def test_two_sessions_remember_all_but_the_frames_held_out(shown):
    out, _, report = shown
    assert (report.frames, report.sessions, report.held_out.views) == (21, 2, 3)
    with open_database(out / "worlds", read_only=True) as database:
        steps = database.world("a-room").log()
    assert [(step.operation, step.message, step.frame_count) for step in steps] == [
        ("ingest", "second session", 8),
        ("ingest", "first session", 13),
        ("create", "", 0),
    ]


def test_a_server_gives_the_same_mosaics(shown):
    assert shown[2].served_equals_embedded


def test_memory_draws_what_it_never_saw(shown):
    seen = shown[2].held_out
    assert seen.coverage_mean > 0.9
    assert seen.psnr_covered_db_mean > 15  # the room is painted in hard steps, and no two views sample them alike
    assert seen.ssim_covered_mean > 0.6


def test_the_report_is_what_was_found(shown):
    out, _, report = shown
    written = json.loads((out / "report.json").read_text())
    assert written.keys() >= PROMISED
    assert written == to_json(report)
    assert report.verified


def test_the_contact_sheet_begins_with_the_truth(shown):
    out, clip, _ = shown
    with Image.open(out / "contact-sheet.png") as image:
        sheet = np.asarray(image)
    truth = Place.of(memory.read_clip(clip)).clip[7].rgb
    rows, columns = (sheet.shape[axis] - truth.shape[axis] for axis in (0, 1))
    corners = np.argwhere((sheet[: rows + 1, : columns + 1] == truth[0, 0]).all(axis=-1))
    assert any(np.array_equal(sheet[y : y + truth.shape[0], x : x + truth.shape[1]], truth) for y, x in corners)


def test_the_film_shows_a_walk_that_nobody_took(shown):
    out, _, report = shown
    with av.open(str(out / "walk.mp4")) as film:
        pictures = [picture.to_ndarray(format="rgb24") for picture in film.decode(video=0)]
    assert len(pictures) == report.worlds[0].walk.pictures == 8
    assert pictures[0].shape == (192, 256, 3)
    assert not np.array_equal(pictures[0], pictures[-1])
    assert report.worlds[0].walk.nearest_recorded_m > 0


def test_without_the_worlds_of_a_clip_nothing_is_kept(shown, walk, tmp_path):
    out, _, _ = shown
    other = write_clip(tmp_path / "attic", walk(8)).path
    with pytest.raises(NotFound, match="has no world attic of an earlier run"):
        run_demo(out, clips=[other], keep=True)


def test_a_folder_that_is_no_database_is_left_alone(tmp_path, walk):
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "thesis.txt").write_text("mine")
    clip = write_clip(tmp_path / "room", walk(8)).path
    with pytest.raises(FailedPrecondition, match="left alone"):
        run_demo(tmp_path, clips=[clip])
    assert (tmp_path / "worlds" / "thesis.txt").read_text() == "mine"


def test_two_clips_of_one_name_are_refused(tmp_path, walk):
    clips = [write_clip(tmp_path / side / "room", walk(8)).path for side in ("left", "right")]
    with pytest.raises(InvalidInput, match="different names, got room, room"):
        run_demo(tmp_path, clips=clips)


def test_a_clip_needs_a_frame_to_hold_out(tmp_path, walk):
    clip = write_clip(tmp_path / "room", walk(7)).path
    with pytest.raises(InvalidInput, match="has 7 frames"):
        run_demo(tmp_path, clips=[clip])


@pytest.mark.parametrize(
    ("folder", "world"), [("My Flat (2)", "my-flat-2"), ("2024_walk", "place-2024-walk"), ("...", "place")]
)
def test_worlds_are_named_after_folders(tmp_path, walk, folder, world):
    from dataclasses import replace

    from memstore.clip import read_clip

    clip = read_clip(write_clip(tmp_path / "room", walk(8)).path)
    assert Place.of(replace(clip, path=tmp_path / folder)).world == world


def test_an_unknown_stage_names_those_there_are(tmp_path):
    with pytest.raises(InvalidInput, match=f"all or one of {', '.join(STAGES)}"):
        run_demo(tmp_path, stage="nosuch")


def test_errors_of_a_child_are_raised_here(shown):
    out, _, _ = shown
    with pytest.raises(AlreadyExists, match="a-room"):
        run_command("world", "create", "a-room", "--db", str(out / "worlds"))
