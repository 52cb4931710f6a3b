"""History on the command line, over a folder and over a server."""

import pytest

FLOOR, CEILING = ("--half-space", "0,0,-1,1.4"), ("--half-space", "0,0,1,1.4")


@pytest.fixture
def museum(memstore, place, clip, monkeypatch) -> str:
    """A place whose world `museum` has taken four frames in and lost its floor, by ann."""
    monkeypatch.setenv("MEMSTORE_AUTHOR", "ann")
    monkeypatch.setenv("MEMSTORE_DB", place)
    assert memstore("ingest", clip, "museum", "--stop", 4).code == 0
    assert memstore("edit", "delete", "museum", *FLOOR, "-m", "no floor").code == 0
    return place


def patches(memstore, world="museum"):
    return sum(layer["patch_count"] for layer in memstore("layers", world, "--json").json)


def log(memstore, world="museum"):
    return memstore("log", world, "--json").json


def test_undo_and_redo_are_told_and_marked_in_the_log(memstore, museum):
    without_floor = patches(memstore)
    assert "no floor" in memstore("undo", "museum").out
    assert patches(memstore) > without_floor
    marked = memstore("log", "museum").out.splitlines()
    assert "(taken back) no floor" in marked[2]
    assert [step["stands"] for step in log(memstore)] == [True, False, True, True]
    assert memstore("redo", "museum", "--json").json["operation"] == "redo"
    assert patches(memstore) == without_floor
    assert [step["stands"] for step in log(memstore)] == [True, False, True, True, True]


def test_undo_takes_back_the_steps_of_its_author(memstore, museum):
    told = memstore("undo", "museum", "--author", "bob", "--json")
    assert (told.code, told.json["error"]["reason"]) == (6, "NOTHING_TO_UNDO")
    assert memstore("undo", "museum", "--author", "bob", "--anyone").code == 0


def test_a_step_is_shown_and_reverted_by_the_first_digits_of_its_commit(memstore, museum):
    commit = log(memstore)[0]["commit"]
    memstore("edit", "delete", "museum", *CEILING)
    assert memstore("show", "museum", commit[:8], "--json").json["message"] == "no floor"
    assert "no floor" in memstore("show", "museum", commit[:8]).out
    reverted = memstore("revert", "museum", commit[:8], "--json").json
    assert reverted["takes_back"]
    assert memstore("show", "museum", "nosuch").code == 3


def test_a_branch_goes_its_own_way_and_is_merged(memstore, museum):
    before = patches(memstore)
    assert memstore("branch", "create", "museum", "night").code == 0
    memstore("edit", "delete", "museum@night", *CEILING, "-m", "no ceiling")
    assert patches(memstore) == before > patches(memstore, "museum@night")
    assert [branch["name"] for branch in memstore("branch", "list", "museum", "--json").json] == ["main", "night"]
    trial = memstore("merge", "museum@night", "main", "--trial")
    assert "Nothing is written" in trial.out
    assert patches(memstore) == before
    merged = memstore("merge", "museum@night", "main", "--json").json
    assert (merged["conflicts"], merged["commit"]) == ([], log(memstore)[0]["commit"])
    assert patches(memstore) == patches(memstore, "museum@night")
    assert memstore("branch", "delete", "museum", "night").code == 0
    assert [head["branch"] for head in memstore("dropped", "museum", "--json").json] == ["night"]


def test_what_two_branches_disagree_on_is_listed(memstore, museum):
    memstore("edit", "name", "museum", "ceiling", *CEILING)
    memstore("branch", "create", "museum", "night")
    memstore("edit", "relocate", "museum", "--layer", "ceiling", "--move", "0,0,1")
    memstore("edit", "relocate", "museum@night", "--layer", "ceiling", "--move", "0,0,2")
    refused = memstore("merge", "museum@night", "main", "--json")
    assert (refused.code, refused.json["error"]["reason"]) == (5, "MERGE_CONFLICT")
    conflicts = memstore("merge", "museum@night", "main", "--trial", "--json").json["conflicts"]
    assert [(conflict["kind"], conflict["layer"]) for conflict in conflicts] == [("placement", "ceiling")]
    assert "1 conflict" in memstore("merge", "museum@night", "main", "--trial").out
    assert memstore("merge", "museum@night", "main", "--policy", "theirs").code == 0


def test_a_tag_stays_and_can_be_looked_at_and_returned_to(memstore, museum, tmp_path):
    memstore("tag", "create", "museum", "v1")
    head = log(memstore)[0]["commit"]
    assert memstore("tag", "list", "museum", "--json").json == [{"name": "v1", "commit": head}]
    before = patches(memstore)
    memstore("edit", "delete", "museum", "--kind", "observed", *CEILING)
    assert patches(memstore, "museum@v1") == before
    assert memstore("retrieve", "museum@v1", "--at-frame", 1, "--out", tmp_path / "then.png").code == 0
    assert memstore("edit", "delete", "museum@v1", "--everything").code == 6
    assert memstore("reset", "museum", "v1", "--json").json["commit"] == head
    assert patches(memstore) == before
    assert len(memstore("dropped", "museum", "--json").json) == 1
    assert memstore("tag", "delete", "museum", "v1").code == 0
    assert "has no tag" in memstore("tag", "list", "museum").out


def test_a_difference_is_told_by_layer_and_drawn(memstore, museum, tmp_path):
    before = log(memstore)[1]["commit"]
    picture = tmp_path / "diff.png"
    told = memstore("diff", "museum", before[:8], "--picture", picture, "--json").json
    assert [(layer["name"], layer["change"]) for layer in told["layers"]] == [("observed", "changed")]
    assert told["layers"][0]["hidden_count"] > 0
    assert picture.is_file()
    assert "observed" in memstore("diff", "museum", before, "main").out
    assert "show the same" in memstore("diff", "museum", "main").out


def test_blame_names_the_steps_behind_a_pixel(memstore, museum):
    memstore("edit", "relocate", "museum", "--seen-by", 1, "--move", "0,0,0.01", "-m", "a nudge")
    told = memstore("blame", "museum", "--at-frame", 1, "--pixel", "32,24", "--json").json
    assert told["observed_by"]["operation"] == "ingest"
    assert told["placed_by"]["message"] == "a nudge"
    assert "a nudge" in memstore("blame", "museum", "--at-frame", 1, "--pixel", "32,24").out


def test_flatten_keeps_what_is_shown(memstore, museum):
    before = patches(memstore)
    told = memstore("flatten", "museum", "--json").json
    assert told["patches_after"] == before
    assert patches(memstore) == before
    assert memstore("verify").code in (0, 11)


def test_a_revision_that_is_not_there_exits_with_3_and_names_what_is(memstore, museum):
    told = memstore("log", "museum@nihgt")
    assert told.code == 3
    assert "main" in told.err
