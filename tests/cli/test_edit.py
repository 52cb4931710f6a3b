"""Edits on the command line, over a folder and over a server."""

import json

import pytest
from PIL import Image

FLOOR = ("--half-space", "0,0,-1,1.4")
"""The floor of the room, which reaches from -1.5 m to 1.5 m."""


@pytest.fixture
def museum(memstore, place, clip, monkeypatch) -> str:
    """A place whose world `museum` has taken four frames in."""
    monkeypatch.setenv("MEMSTORE_AUTHOR", "ann")
    monkeypatch.setenv("MEMSTORE_DB", place)
    assert memstore("ingest", clip, "museum", "--stop", 4).code == 0
    return place


def shown(memstore, world="museum"):
    return {layer["name"]: layer["patch_count"] for layer in memstore("layers", world, "--json").json}


def test_a_preview_writes_nothing_but_its_picture(memstore, museum, tmp_path):
    before, picture = shown(memstore), tmp_path / "out.png"
    told = memstore("edit", "delete", "museum", *FLOOR, "--preview", "--picture", picture, "--json").json
    assert told["commit"] == ""
    assert told["operations"][0]["hidden_count"] > 0
    assert told["patches_after"] < told["patches_before"]
    assert "before" not in told
    with Image.open(picture) as image:
        assert image.width > image.height
    assert shown(memstore) == before


def test_a_delete_is_one_step_of_its_author_and_comes_back(memstore, museum):
    told = memstore("edit", "delete", "museum", *FLOOR, "-m", "no floor", "--json").json
    step = memstore("log", "museum", "--json").json[0]
    assert (step["commit"], step["operation"]) == (told["commit"], "delete")
    assert (step["message"], step["author"]) == ("no floor", "ann")
    gone = told["operations"][0]["hidden_count"]
    assert memstore("edit", "delete", "museum", *FLOOR).code == 2
    assert memstore("edit", "delete", "museum", *FLOOR, "--allow-empty").code == 0
    restored = memstore("edit", "restore", "museum", *FLOOR, "--json").json
    assert restored["operations"][0]["shown_count"] == gone


def test_a_named_thing_is_copied_moved_hidden_and_shown(memstore, museum):
    assert memstore("edit", "name", "museum", "floor", *FLOOR).code == 0
    copies = ("--move", "0,0,-1", "--copies", 2, "--name", "cellar")
    copied = memstore("edit", "duplicate", "museum", "--layer", "floor", *copies, "--json").json
    depths = [layer["placement"]["translation"][2] for layer in copied["operations"][0]["layers"]]
    assert depths == pytest.approx([-1, -2])
    moved = memstore("edit", "relocate", "museum", "--layer", "floor", "--turn", 90, "--pivot", "origin", "--json").json
    assert moved["operations"][0]["layers"][0]["name"] == "floor"
    memstore("edit", "hide", "museum", "floor", "cellar")
    hidden = [layer["name"] for layer in memstore("layers", "museum", "--json").json if not layer["visible"]]
    assert hidden[:2] == ["floor", "cellar"]
    assert "floor (hidden)" in memstore("layers", "museum").out
    assert memstore("edit", "show", "museum", "floor").code == 0
    assert "floor (hidden)" not in memstore("layers", "museum").out


def test_a_world_is_turned_over_into_the_sky(memstore, museum):
    words = ("edit", "invert", "museum", "--everything", "--height", 3, "--keep", "--name", "above", "--json")
    told = memstore(*words).json
    assert told["patches_after"] > told["patches_before"]
    reaches = memstore("layers", "museum", "--json").json[-1]["bounds"]
    assert reaches["low"][2] > 2


def test_another_world_is_put_beside_this_one_and_stitched_to_it(memstore, museum, clip):
    assert memstore("ingest", clip, "garden", "--create", "--stop", 2).code == 0
    memstore("tag", "create", "garden", "v1")
    south = memstore("world", "show", "museum", "--json").json["bounds"]["low"][1]
    beside = memstore("edit", "concatenate", "museum", "garden@v1", "--side", "-y", "--gap", 2, "--json").json
    assert max(layer["bounds"]["high"][1] for layer in beside["operations"][0]["layers"]) == pytest.approx(south - 2)
    joined = memstore("stitch", "museum", "garden", "--at", "20,0,0", "--turn", 90, "--name", "annex", "--json").json
    layer = joined["operations"][0]["layers"][0]
    assert layer["placement"]["translation"] == [20, 0, 0]
    assert layer["name"].startswith("annex")
    assert joined["operations"][0]["registration"] is None


def test_a_stitch_along_the_boundary_says_how_well_it_fits_or_is_refused(memstore, museum, clip):
    assert memstore("ingest", clip, "again", "--create", "--start", 2, "--stop", 8).code == 0
    told = memstore("stitch", "museum", "again", "--at", "0.1,0,0", "--align", "boundary", "--preview")
    assert told.code in (0, 6)
    assert "registration" in told.out if told.code == 0 else "error" in told.err


def test_a_script_is_carried_out_as_one_step_or_not_at_all(memstore, museum, tmp_path):
    script = tmp_path / "script.json"
    floor = {"halfSpace": {"normal": {"z": -1}, "offsetM": 1.4}}
    steps = [{"name": {"selection": floor, "name": "floor"}}, {"hide": {"names": ["floor"]}}]
    script.write_text(json.dumps([*steps, {"hide": {"names": ["flor"]}}]))
    refused = memstore("edit", "script", "museum", script)
    assert refused.code == 3
    assert "operation 2 of" in refused.err
    assert "floor" not in shown(memstore)
    script.write_text(json.dumps(steps))
    assert len(memstore("edit", "script", "museum", script, "--json").json["operations"]) == 2
    assert memstore("log", "museum", "-n", 1, "--json").json[0]["operation"] == "edit"


def test_care_is_taken(memstore, museum):
    few = memstore("edit", "delete", "museum", "--everything", "--max-affected", 3, "--json")
    assert (few.code, few.json["error"]["reason"]) == (6, "TOO_MANY_AFFECTED")
    old = memstore("log", "museum", "--json").json[-1]["commit"]
    moved = memstore("edit", "delete", "museum", *FLOOR, "--expected-head", old, "--json")
    assert (moved.code, moved.json["error"]["reason"]) == (5, "HEAD_MOVED")


def test_a_request_that_is_run_again_is_carried_out_once(memstore, museum):
    words = ("edit", "delete", "museum", *FLOOR, "--request-id", "once", "--json")
    assert memstore(*words).json["commit"] == memstore(*words).json["commit"]
    assert [step["operation"] for step in memstore("log", "museum", "--json").json] == ["delete", "ingest", "create"]


def test_select_says_what_is_meant_and_draws_it(memstore, museum, tmp_path):
    picture = tmp_path / "floor.png"
    told = memstore("select", "museum", *FLOOR, "--picture", picture, "--json").json
    assert told["patch_count"] > 0
    assert told["bounds"]["low"][2] < -1.4
    assert told["bounds"]["high"][2] < 0
    assert told["layers"][0]["name"] == "observed"
    assert picture.is_file()
    assert "patches" in memstore("select", "museum", "--seen-by", 1, "--far", 4).out


def test_pick_says_which_patch_a_pixel_shows(memstore, museum):
    picked = memstore("pick", "museum", "--at-frame", 1, "--pixel", "32,24", "--json").json
    assert picked["layer"] == "observed"
    alone = memstore("select", "museum", "--ids", picked["patch_id"], "--json").json
    assert alone["patch_count"] == 1
    assert "from frame" in memstore("pick", "museum", "--at-frame", 1, "--pixel", "32,24").out


def test_nothing_said_to_be_meant_exits_with_2(memstore, museum):
    told = memstore("edit", "delete", "museum")
    assert told.code == 2
    assert "--everything" in told.err


def test_a_misspelt_layer_exits_with_3(memstore, museum):
    assert memstore("edit", "hide", "museum", "nosuch").code == 3
