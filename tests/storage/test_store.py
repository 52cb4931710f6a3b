"""A database as a whole: what opens, what does not, and what stays usable beside what is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from faults.place import assert_holds, frame, walk_in
from faults.steps import Crash, CrashAt, count_steps, watched

import memstore as ms
from memstore.errors import AlreadyExists, CorruptData, FailedPrecondition, InvalidInput, NotFound, ReadOnly, Reason
from memstore.storage.store import GATHERED_FORMAT


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", '{"format": 1}', '{"format": {}}'])
def test_a_garbled_memstore_json_is_named(tmp_path: Path, content: str) -> None:
    ms.open(tmp_path).close()
    (tmp_path / "memstore.json").write_text(content)
    with pytest.raises(CorruptData, match=r"memstore\.json is garbled; restore it from a copy") as caught:
        ms.open(tmp_path)
    assert caught.value.details["file"] == str(tmp_path / "memstore.json")


def test_a_newer_format_asks_for_an_upgrade(tmp_path: Path) -> None:
    ms.open(tmp_path).close()
    path = tmp_path / "memstore.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": GATHERED_FORMAT + 1}))
    with pytest.raises(FailedPrecondition, match="format 3, this memstore reads up to 2; upgrade") as caught:
        ms.open(tmp_path)
    assert caught.value.reason is Reason.NEWER_FORMAT


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", "{}"])
def test_a_garbled_world_leaves_the_others_usable(tmp_path: Path, content: str) -> None:
    with ms.open(tmp_path) as db:
        for name in ("garden", "museum"):
            walk_in(db.create_world(name), range(2))
        world_id = db.world("museum").describe().world_id
    (tmp_path / "worlds" / world_id / "world.json").write_text(content)
    with ms.open(tmp_path) as db:
        assert [world.name for world in db.worlds()] == ["garden"]
        walk_in(db.world("garden"), range(2, 4))
        assert_holds(db.world("garden"), list(range(4)))
        with pytest.raises(CorruptData, match=r"no readable world is named 'museum', and .*world\.json is garbled"):
            db.world("museum")


@pytest.mark.parametrize("kind", ["file", "folder of a file"])
def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    path = tmp_path / "notes.txt" / ("db" if "folder" in kind else "")
    with pytest.raises(FailedPrecondition, match=r"is no memstore database: .*notes\.txt is a file; choose") as caught:
        ms.open(path)
    assert caught.value.reason is Reason.NOT_A_DATABASE


def test_nothing_is_made_where_nothing_may_be(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no database"):
        ms.open(tmp_path / "db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_closed_database_writes_no_more_and_says_so(tmp_path: Path) -> None:
    db = ms.open(tmp_path)
    world = db.create_world("museum")
    ingest = world.ingest()
    ingest.add(frame(0))
    db.close()
    db.close()
    for change in (lambda: db.create_world("garden"), lambda: db.delete_world("museum"), db.collect, ingest.flush):
        with pytest.raises(ReadOnly, match="was closed; open it again") as caught:
            change()
        assert caught.value.reason is Reason.CLOSED
    assert ingest.waiting == 1


@pytest.mark.parametrize("name", ["", "Museum", "1st", "a b", "../x", "a" * 64, "café"])
def test_a_bad_name_is_refused_with_the_rule(tmp_path: Path, name: str) -> None:
    with ms.open(tmp_path) as db:
        with pytest.raises(InvalidInput, match="use a lower-case letter, then up to 62") as caught:
            db.create_world(name)
        assert caught.value.reason is Reason.INVALID_NAME
        assert db.worlds() == []


def test_many_worlds_keep_apart(tmp_path: Path) -> None:
    names = [f"world-{i}" for i in range(24)]
    with ms.open(tmp_path) as db:
        for i, name in enumerate(names):
            world = db.create_world(name)
            if i % 8 == 0:
                walk_in(world, range(i, i + 2))
    with ms.open(tmp_path) as db:
        assert [world.name for world in db.worlds()] == names
        assert db.describe().world_count == 24
        assert db.describe().segment_count == 3
        for i in (0, 8, 16):
            assert_holds(db.world(names[i]), [i, i + 1])
        assert db.world(names[1]).describe().patch_count == 0
        with pytest.raises(AlreadyExists, match="'world-3' exists already"):
            db.create_world("world-3")


def test_a_creation_that_is_cut_off_anywhere_is_done_again(tmp_path: Path) -> None:
    steps = count_steps(lambda: ms.open(tmp_path / "whole").close())
    for step in range(1, steps + 1):
        root = tmp_path / f"cut-{step}"
        with watched(CrashAt(step)), pytest.raises(Crash):
            ms.open(root)
        with ms.open(root) as db:
            walk_in(db.create_world("museum"), range(2))
            assert_holds(db.world("museum"), [0, 1])
            assert db.verify(repair=True).clean


def test_an_empty_folder_becomes_a_database(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with ms.open(tmp_path / "empty") as db:
        assert db.worlds() == []
        assert "0 worlds" in repr(db)
    with ms.open(tmp_path / "empty", read_only=True) as db:
        assert db.describe().segment_count == 0
