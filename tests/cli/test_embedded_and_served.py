"""The same commands over a folder and over a server."""

import json

import numpy as np
import pytest
from PIL import Image

from memstore import Camera


@pytest.fixture
def museum(memstore, place, clip) -> str:
    """A place whose world `museum` has taken the clip in, every 8th frame left out."""
    assert memstore("ingest", clip, "museum", "--db", place, "--hold-out", 8).code == 0
    return place


def test_a_world_is_made_listed_deleted_and_brought_back(memstore, place):
    assert memstore("world", "create", "garden", "--db", place, "--json").json["name"] == "garden"
    assert [world["name"] for world in memstore("world", "list", "--db", place, "--json").json] == ["museum", "garden"]
    assert memstore("world", "delete", "garden", "--db", place).code == 0
    assert [world["name"] for world in memstore("world", "list", "--db", place, "--json").json] == ["museum"]
    deleted = memstore("world", "list", "--deleted", "--db", place, "--json").json
    assert [world["name"] for world in deleted] == ["garden"]
    assert "garden is back" in memstore("world", "undelete", "garden", "--db", place).out


def test_a_world_of_a_taken_name_exits_with_4(memstore, place):
    answer = memstore("world", "create", "museum", "--db", place)
    assert answer.code == 4
    assert "museum" in answer.err
    assert memstore("world", "create", "museum", "--exist-ok", "--db", place).code == 0


def test_a_misspelt_world_exits_with_3_and_names_the_nearest(memstore, place):
    answer = memstore("world", "show", "musuem", "--db", place)
    assert answer.code == 3
    assert answer.out == ""
    assert "museum" in answer.err
    assert "Traceback" not in answer.err


def test_an_error_is_one_json_document(memstore, place):
    answer = memstore("world", "show", "musuem", "--db", place, "--json")
    assert answer.code == 3
    assert answer.json["error"]["kind"] == "NotFound"
    assert answer.json["error"]["reason"] == "WORLD_NOT_FOUND"
    assert "museum" in answer.json["error"]["message"]


def test_ingest_takes_a_clip_in_and_leaves_every_eighth_frame_out(memstore, place, clip):
    answer = memstore("ingest", clip, "museum", "--db", place, "--hold-out", 8, "-m", "first walk", "--json").json
    assert (answer["frames"], answer["held_out"], answer["world_frames"], answer["first_ordinal"]) == (14, 2, 14, 0)
    newest = memstore("world", "show", "museum", "--db", place, "--json").json["log"][0]
    assert (newest["operation"], newest["message"], newest["frame_count"]) == ("ingest", "first walk", 14)


def test_a_second_ingest_goes_on_where_the_first_ended(memstore, place, clip):
    memstore("ingest", clip, "museum", "--db", place, "--stop", 6)
    answer = memstore("ingest", clip, "museum", "--db", place, "--start", 6, "--json").json
    assert (answer["frames"], answer["first_ordinal"], answer["world_frames"]) == (10, 6, 16)


def test_an_ingest_that_is_run_again_under_its_request_id_adds_nothing(memstore, place, clip):
    words = ("ingest", clip, "museum", "--db", place, "--request-id", "walk-1", "--json")
    assert memstore(*words).json["frames"] == 16
    again = memstore(*words).json
    assert (again["frames"], again["resumed_from"], again["world_frames"]) == (0, 16, 16)


def test_ingest_makes_a_world_only_when_told_to(memstore, place, clip):
    assert memstore("ingest", clip, "attic", "--db", place).code == 3
    assert memstore("ingest", clip, "attic", "--create", "--db", place, "--json").json["world"] == "attic"


def test_retrieve_draws_the_memory_and_its_coverage(memstore, museum, tmp_path):
    picture = tmp_path / "new" / "view.png"
    answer = memstore("retrieve", "museum", "--db", museum, "--at-frame", 3, "--out", picture, "--json").json
    assert answer["patches"] > 0
    assert 0 < answer["coverage_mean"] <= 1
    assert 3 in answer["source_frames"]
    with Image.open(picture) as image:
        assert image.width > 2 * 64


def test_retrieve_looks_from_a_camera_in_a_file(memstore, museum, tmp_path, walk):
    camera = walk(16)[5].camera
    assert _retrieved_from(memstore, museum, tmp_path, camera) == _retrieved_at_frame_5(memstore, museum, tmp_path)


def _retrieved_from(memstore, place, tmp_path, camera: Camera) -> bytes:
    path = tmp_path / "camera.json"
    numbers = {name: getattr(camera, name) for name in ("fx", "fy", "cx", "cy", "width", "height")}
    path.write_text(json.dumps({**numbers, "camera_to_world": camera.camera_to_world.tolist()}))
    out = tmp_path / "file.png"
    assert memstore("retrieve", "museum", "--db", place, "--camera", path, "--plain", "--out", out).code == 0
    return np.asarray(Image.open(out)).tobytes()


def _retrieved_at_frame_5(memstore, place, tmp_path) -> bytes:
    out = tmp_path / "frame.png"
    assert memstore("retrieve", "museum", "--db", place, "--at-frame", 5, "--plain", "--out", out).code == 0
    return np.asarray(Image.open(out)).tobytes()


def test_a_frame_that_is_not_there_exits_with_3(memstore, museum):
    answer = memstore("retrieve", "museum", "--db", museum, "--at-frame", 14)
    assert answer.code == 3
    assert "14" in answer.err


@pytest.mark.parametrize("words", [(), ("--at-frame", 1, "--camera", "here.json")])
def test_retrieve_wants_one_place_to_look_from(memstore, museum, words):
    answer = memstore("retrieve", "museum", "--db", museum, *words)
    assert answer.code == 2
    assert "either --at-frame N or --camera FILE" in answer.err


def test_info_says_what_the_database_holds(memstore, museum):
    info = memstore("info", "--db", museum, "--json").json
    assert (info["world_count"], info["segment_count"]) == (1, 1)
    assert info["bytes_on_disk"] > 0
    assert "patches" in memstore("info", "--db", museum).out


def test_words_are_for_people(memstore, museum):
    assert "museum" in memstore("world", "list", "--db", museum).out
    shown = memstore("world", "show", "museum", "--db", museum).out
    assert "14" in shown
    assert "ingest" in shown
