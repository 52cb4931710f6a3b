import numpy as np
import pytest
from PIL import Image

from memstore import read_clip


def test_show_says_what_a_clip_holds(memstore, clip):
    found = memstore("clip", "show", clip, "--json").json
    assert (found["frames"], found["width"], found["height"], found["format"]) == (16, 64, 48, "nerfstudio")
    assert found["measured"] == 1
    assert found["duration_s"] == pytest.approx(1.5)
    assert found["path_m"] == pytest.approx(15 * 2 * np.sin(np.pi / 16), rel=1e-3)


def test_show_draws_some_frames(memstore, clip, tmp_path):
    assert memstore("clip", "show", clip, "--out", tmp_path / "sheet.png").code == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.height > 6 * 48


def test_convert_writes_another_format(memstore, clip, tmp_path):
    words = ("clip", "convert", clip, tmp_path / "tum", "--to", "tum", "--start", 2, "--stop", 12, "--step", 2)
    assert memstore(*words, "--json").json["frames"] == 5
    assert np.array_equal(read_clip(tmp_path / "tum")[1].rgb, read_clip(clip)[4].rgb)


def test_convert_leaves_a_full_folder_alone(memstore, clip, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert memstore("clip", "convert", clip, tmp_path).code == 4
    assert memstore("clip", "convert", clip, tmp_path, "--overwrite").code == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_without_a_clip_exits_with_2(memstore, tmp_path):
    answer = memstore("clip", "show", tmp_path)
    assert answer.code == 2
    assert "no clip was found" in answer.err


def test_a_size_that_is_none_exits_with_2(memstore, tmp_path):
    answer = memstore("clip", "doom", tmp_path / "walk", "--size", "big")
    assert answer.code == 2
    assert "256x160" in answer.err


def test_doom_films_a_walk(memstore, tmp_path):
    pytest.importorskip("vizdoom")
    words = ("clip", "doom", tmp_path / "walk", "--frames", 3, "--size", "128x80", "--monsters", "none", "--json")
    found = memstore(*words).json
    assert (found["frames"], found["width"], found["height"]) == (3, 128, 80)
    assert len(read_clip(tmp_path / "walk")) == 3
