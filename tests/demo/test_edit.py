"""The stage that edits, on a clip that is as short as it takes."""

import json

import numpy as np
import pytest
from PIL import Image

from memstore.clip import read_clip, write_clip
from memstore.database import open_database
from memstore.demo.acts import HALVES, astray_from
from memstore.demo.stages import run_demo
from memstore.errors import NotFound


@pytest.fixture(scope="module")
def edited(tmp_path_factory, walk):
    """The folder of a demo that edited one short clip, its clip and its report."""
    out = tmp_path_factory.mktemp("demo")
    frames = walk(24, 128, 96, open_sky=True)
    clip = write_clip(out / "a-room", frames).path
    with open_database(out / "worlds") as database, database.create_world("a-room").ingest() as ingest:
        for frame in frames:
            ingest.add(frame)
    return out, clip, run_demo(out, stage="edit", clips=[clip])


def test_every_edit_changes_something_and_is_undone(edited):
    steps = edited[2].edit.edits
    assert [step.edit for step in steps][:4] == ["duplicate", "delete", "relocate", "invert"]
    assert all(step.affected > 0 and step.bytes_written > 0 for step in steps)
    assert edited[2].edit.undone
    assert edited[2].edit.verified


def test_what_is_written_is_far_less_than_what_is_moved(edited):
    assert all(step.bytes_written < 64 * 1024 for step in edited[2].edit.edits)


def test_the_report_lists_the_edits(edited):
    out, _, report = edited
    told = json.loads((out / "report.json").read_text())
    assert [step["edit"] for step in told["edits"]] == [step.edit for step in report.edit.edits]
    assert told["edit"]["undone"] is True


def test_pictures_show_before_and_after(edited):
    sheet = np.array(Image.open(edited[0] / "edits.png"))
    assert sheet.shape[1] > 2 * 2 * 128
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 50


def test_the_second_half_is_recorded_astray(edited):
    out, clip, _ = edited
    frames = read_clip(clip)
    with open_database(out / "worlds", read_only=True) as database:
        camera = next(database.world(HALVES[1]).frames(0, 1)).camera
    truth = frames[round(0.4 * len(frames))].camera
    assert camera.center == pytest.approx(astray_from(frames).apply(truth.center))


def test_without_worlds_the_stage_says_what_to_do_first(tmp_path, edited):
    with pytest.raises(NotFound, match="there is no database"):
        run_demo(tmp_path, stage="edit", clips=[edited[1]])
