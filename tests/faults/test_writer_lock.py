"""One writer a database: a second is told who the first is, and death frees the lock."""

from __future__ import annotations

import os
import socket
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from faults.place import assert_holds, walk_in

import memstore as ms
from memstore.errors import CorruptData, ReadOnly, Reason


def hold(root: str, told: Connection, numbers: range) -> None:
    """Ingests, tells that it did, and goes on holding the lock."""
    with ms.open(root) as db:
        walk_in(db.create_world("museum", exist_ok=True), numbers)
        told.send("written")
        threading.Event().wait()


def test_a_second_writer_in_another_process_is_told_who_holds_the_lock(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    root = tmp_path / "db"
    told, tells = processes.Pipe(duplex=False)
    first = processes.Process(target=hold, args=(str(root), tells, range(2)))
    first.start()
    assert told.recv() == "written"
    with ms.open(root) as db:
        museum = db.world("museum")
        assert_holds(museum, [0, 1])
        words = rf"written by process {first.pid} on {socket.gethostname()} since .*close it there, wait, or open"
        with pytest.raises(ReadOnly, match=words) as caught:
            walk_in(museum, range(2, 4))
        assert caught.value.reason is Reason.WRITER_EXISTS
        assert caught.value.details["pid"] == first.pid
        for change in (lambda: db.create_world("other"), lambda: db.delete_world("museum"), db.collect):
            with pytest.raises(ReadOnly, match=f"process {first.pid}"):
                change()
        first.kill()
        first.join()
        walk_in(museum, range(2, 4))
        assert_holds(museum, list(range(4)))


def test_closing_lets_the_next_writer_in(tmp_path: Path) -> None:
    with ms.open(tmp_path / "db") as first, ms.open(tmp_path / "db") as second:
        first.create_world("museum")
        with pytest.raises(ReadOnly, match=f"process {os.getpid()}"):
            second.create_world("garden")
        first.close()
        second.create_world("garden")
        assert [world.name for world in second.worlds()] == ["museum", "garden"]


def test_a_writer_that_could_not_recover_neither_writes_nor_keeps_the_lock(tmp_path: Path) -> None:
    root = tmp_path / "db"
    with ms.open(root) as db:
        walk_in(db.create_world("museum"), range(2))
    counter = (root / "segments" / "next").read_bytes()
    (root / "segments" / "next").write_bytes(b"?")
    with ms.open(root) as db:
        for _ in range(2):
            with pytest.raises(CorruptData, match="no new segment can be numbered"):
                db.create_world("garden")
        (root / "segments" / "next").write_bytes(counter)
        with ms.open(root) as other:
            other.create_world("garden")
        walk_in(db.world("museum"), range(2, 4))
        assert_holds(db.world("museum"), list(range(4)))
