"""Collect removes what nothing reaches, all of it, and nothing else; stopped half-way, it is run again."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from faults.place import assert_holds, frame, walk_in
from faults.steps import Crash, CrashAt, count_steps, watched

import memstore as ms
from memstore.errors import NotFound, ReadOnly
from memstore.storage.registry import UNDELETE_WINDOW_S, Registry
from memstore.storage.sealed import read_sealed, write_sealed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with ms.open(tmp_path / "db") as db:
        for name in ("garden", "museum"):
            walk_in(db.create_world(name), range(4))
    return tmp_path / "db"


def forget(root: Path, name: str) -> None:
    """Moves a world's deletion back beyond the time in which it could be brought back."""
    with ms.open(root) as db:
        world_id = db.world(name).describe().world_id
        db.delete_world(name)
    path = root / "worlds" / world_id / "world.json"
    record = read_sealed(path)
    write_sealed(path, {**record, "deleted_s": time.time() - UNDELETE_WINDOW_S - 1})


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and "tables" not in path.parts}


def test_a_sound_database_has_nothing_to_collect(root: Path) -> None:
    with ms.open(root) as db:
        before = files(root)
        collected = db.collect(grace_s=0)
        assert (collected.worlds, collected.segments, collected.objects, collected.leftovers) == (0, 0, 0, 0)
        assert collected.bytes_freed == 0
        assert files(root) == before | {"writer.lock"}


def test_a_deleted_world_is_kept_while_it_can_be_brought_back(root: Path) -> None:
    with ms.open(root) as db:
        db.delete_world("museum")
        assert db.collect(grace_s=0).segments == 0
        assert_holds(db.undelete_world("museum"), list(range(4)))


def test_a_world_deleted_long_ago_goes_with_all_that_only_it_had(root: Path) -> None:
    forget(root, "museum")
    with ms.open(root) as db:
        with pytest.raises(NotFound, match="was deleted in the last 7 days"):
            db.undelete_world("museum")
        assert db.worlds(deleted=True) == []
        collected = db.collect(grace_s=0)
        assert (collected.worlds, collected.segments) == (1, 2)
        assert collected.bytes_freed > 4 * 64 * 48 * 3
        assert db.collect(grace_s=0).objects == 0
        assert db.verify().clean
        assert_holds(db.world("garden"), list(range(4)))
        # Its empty first list of layers is the garden's too.
        assert len(list(db.store.objects.names())) == db.verify().objects


def test_what_was_discarded_stays_in_the_history_and_is_kept(root: Path) -> None:
    with ms.open(root) as db:
        museum = db.world("museum")
        with museum.ingest() as ingest:
            ingest.add(frame(9))
            ingest.flush()
            then = museum.head
            ingest.discard()
        assert db.collect(grace_s=0).segments == 0
        assert [one.caption for one in museum.at(then).frames(4)] == ["frame 9"]


def test_unfinished_files_and_dead_leases_go_after_the_grace(root: Path) -> None:
    unfinished = root / "objects" / ".half.1234.unfinished"
    unfinished.write_bytes(b"half")
    dead = root / "leases" / "dead.json"
    write_sealed(dead, {"commit": "0" * 32, "holder": "nobody"})
    os.utime(dead, (time.time() - 120, time.time() - 120))
    dead_bytes = dead.stat().st_size
    with ms.open(root) as db:
        assert db.collect().leftovers == 0
        collected = db.collect(grace_s=0)
        assert (collected.leftovers, collected.bytes_freed) == (2, 4 + dead_bytes)
    assert not unfinished.exists()
    assert not dead.exists()


def test_a_lease_on_its_way_is_left_to_its_reader(root: Path) -> None:
    on_its_way = root / "leases" / ".new.json.1234.unfinished"
    on_its_way.write_bytes(b"half")
    with ms.open(root) as db:
        assert db.collect(grace_s=0).leftovers == 0
        os.utime(on_its_way, (time.time() - 120, time.time() - 120))
        assert db.collect(grace_s=0).leftovers == 1


def test_a_collection_that_was_cut_off_is_gone_on_with(root: Path, tmp_path: Path) -> None:
    forget(root, "museum")
    with ms.open(root) as db:
        db.create_world("other")
        db.delete_world("other")
    twin = shutil.copytree(root, tmp_path / "twin")
    with ms.open(twin) as db:
        steps = count_steps(lambda: db.collect(grace_s=0))
        wanted = len(files(twin))
    for step in range(1, steps, max(1, steps // 12)):
        copy = shutil.copytree(root, tmp_path / f"copy-{step}")
        with ms.open(copy) as db, watched(CrashAt(step)), pytest.raises(Crash):
            db.collect(grace_s=0)
        with ms.open(copy) as db:
            assert_holds(db.world("garden"), list(range(4)))
            assert db.verify(repair=True).clean
            assert db.describe().segment_count == 2
            assert_holds(db.world("garden"), list(range(4)))
        assert len(files(copy)) <= wanted + 2, step


def test_only_a_writer_collects(root: Path) -> None:
    with ms.open(root, read_only=True) as db, pytest.raises(ReadOnly, match="open for reading only"):
        db.collect()


def test_a_record_is_forgotten_only_after_its_window(root: Path) -> None:
    with ms.open(root) as db:
        (record, _) = db.registry.records()
    assert not Registry.is_forgotten(record)
    assert not Registry.is_forgotten(replace(record, deleted_s=time.time() - UNDELETE_WINDOW_S + 60))
    assert Registry.is_forgotten(replace(record, deleted_s=time.time() - UNDELETE_WINDOW_S - 60))
