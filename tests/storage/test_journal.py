"""Young objects: durable by one record, seen by every process, and in files of their own before their journal goes."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path
from unittest import mock

import pytest

from memstore.errors import NotFound, ResourceLimit
from memstore.storage import journal as journals
from memstore.storage.journal import Journal
from memstore.storage.objects import Objects, name_of


def commit(objects: Objects, *contents: bytes) -> list[str]:
    """Stages and flushes objects of one commit."""
    names = [objects.put(content) for content in contents]
    objects.flush()
    return names


def the_journal(root: Path) -> Path:
    (path,) = root.glob("journal-*")
    return path


def test_a_commit_of_many_objects_waits_for_the_disk_once(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    commit(objects, b"the first makes the journal")
    with mock.patch.object(os, "fsync", wraps=os.fsync) as fsync:
        commit(objects, *(f"object {i}".encode() for i in range(200)))
    assert fsync.call_count == 1


def test_another_process_sees_what_was_flushed_since_it_looked(tmp_path: Path) -> None:
    writer, reader = Objects(tmp_path), Objects(tmp_path)
    for content in (b"a wall", b"a door", b"a chair"):
        (name,) = commit(writer, content)
        assert reader.get(name) == content
        assert name in set(reader.names())
    writer.settle()
    (name,) = commit(writer, b"a table")
    assert reader.get(name) == b"a table"
    assert len(set(reader.names())) == 4


def test_settling_leaves_files_alone(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    names = commit(objects, b"a wall", b"a door")
    assert not objects.path(names[0]).exists()
    objects.settle()
    assert [objects.path(name).read_bytes() for name in names] == [b"a wall", b"a door"]
    assert not list(tmp_path.glob("journal-*"))


@pytest.mark.parametrize("lost", [1, 9, 30])
def test_a_torn_record_counts_for_nothing_and_those_before_it_stay(tmp_path: Path, lost: int) -> None:
    objects = Objects(tmp_path)
    (kept,), (torn,) = commit(objects, b"a wall"), commit(objects, b"a door")
    path = the_journal(tmp_path)
    path.write_bytes(path.read_bytes()[:-lost])
    after = Objects(tmp_path)
    assert after.get(kept) == b"a wall"
    with pytest.raises(NotFound, match=f"object {torn} is missing"):
        after.get(torn)
    after.settle()
    assert list(after.names()) == [kept]


def test_a_record_that_changed_on_disk_is_set_aside_and_costs_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objects = Objects(tmp_path)
    (bad,), (good,) = commit(objects, b"a wall"), commit(objects, b"a door")
    path = the_journal(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"a wall", b"a Wall"))
    after = Objects(tmp_path)
    assert after.get(good) == b"a door"
    with pytest.raises(NotFound, match=f"object {bad} is missing"):
        after.get(bad)
    with caplog.at_level(logging.WARNING, "memstore"):
        after.settle()
    assert "set aside as damaged-journal" in caplog.text
    assert Objects(tmp_path).get(good) == b"a door"


def test_an_object_goes_on_in_another_journal_after_the_disk_was_full(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    (first,) = commit(objects, b"a wall")
    objects.put(b"a door")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with mock.patch.object(os, "fsync", side_effect=full), pytest.raises(ResourceLimit, match="no room to write"):
        objects.flush()
    objects.abandon()
    (second,) = commit(objects, b"a chair")
    assert len(list(tmp_path.glob("journal-*"))) <= 2
    after = Objects(tmp_path)
    assert (after.get(first), after.get(second)) == (b"a wall", b"a chair")


def test_a_long_journal_is_settled_behind_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "LONG_OBJECTS", 3)
    objects = Objects(tmp_path)
    names = [name for i in range(20) for name in commit(objects, f"object {i}".encode())]
    objects.settle()
    assert sorted(objects.names()) == sorted(names)
    assert all(objects.get(name) == f"object {i}".encode() for i, name in enumerate(names))
    assert not list(tmp_path.glob("journal-*"))


def test_a_crash_while_settling_leaves_every_object(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    names = commit(objects, *(f"object {i}".encode() for i in range(10)))
    with mock.patch.object(Path, "replace", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        objects.settle()
    after = Objects(tmp_path)
    assert [after.get(name) for name in names] == [f"object {i}".encode() for i in range(10)]


def test_a_journal_reads_back_what_it_took(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal-1")
    contents = {name_of(content): content for content in (b"", b"x", bytes(100_000))}
    journal.append(contents)
    journal.append({name_of(b"last"): b"last"})
    assert Journal(journal.path).contents == {**contents, name_of(b"last"): b"last"}
