"""Ten reading processes while the writer ingests, discards and collects: what a head or a lease names never fails."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
from pathlib import Path
from unittest import mock

import pytest
from faults.place import assert_holds, frame, walk_in
from faults.steps import Crash

import memstore as ms
from memstore.database import Database
from memstore.storage.commits import Refs
from memstore.storage.sealed import read_sealed, write_sealed

READERS = 10
ROUNDS = 4


def read_on(root: str, number: int, told: Connection, stop: Event) -> None:
    """Reads until told to stop, holding a lease or not, and tells how often, or what went wrong."""
    rounds = 0
    try:
        while not stop.is_set():
            with ms.open(root, read_only=True) as db:
                world = db.world("museum")
                assert db.describe().bytes_on_disk > 0
                if number % 2:
                    with world.pin() as pinned:
                        read_all(pinned)
                        read_all(pinned)
                else:
                    read_all(world.at(world.head))
            rounds += 1
            told.send(rounds)
    except Exception as error:  # whatever it is, the writer is to hear of it
        told.send(f"reader {number}: {error!r} {error.__cause__!r}")


def read_all(world: ms.World) -> None:
    count = world.describe().frame_count
    frames = list(world.frames())
    assert [one.ordinal for one in frames] == sorted(one.ordinal for one in frames)
    assert len(frames) <= count
    for one in frames:
        wanted = frame(dict(one.metadata)["step"])
        assert (one.rgb == wanted.rgb).all()
    assert world.retrieve(frame(0).camera).coverage.mean() > 0.9
    assert world.log()


def forget(db: Database, name: str) -> None:
    """Deletes a world as if eight days ago."""
    path = db.root / "worlds" / db.world(name).describe().world_id / "world.json"
    write_sealed(path, {**read_sealed(path), "deleted_s": time.time() - 8 * 24 * 3600})


def test_readers_go_on_while_the_writer_ingests_discards_and_collects(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    root = tmp_path / "db"
    with ms.open(root) as db:
        museum = db.create_world("museum")
        walk_in(museum, range(2))
        stop = processes.Event()
        tellers = []
        readers = []
        for number in range(READERS):
            told, tells = processes.Pipe(duplex=False)
            readers.append(processes.Process(target=read_on, args=(str(root), number, tells, stop)))
            readers[-1].start()
            tells.close()
            tellers.append(told)
        heard = [told.recv() for told in tellers]
        try:
            removed = 0
            for i in range(ROUNDS):
                walk_in(museum, range(2 * i, 2 * i + 2))
                with museum.ingest() as ingest:
                    ingest.add(frame(i))
                    ingest.flush()
                    ingest.discard()
                other = db.create_world(f"other-{i}")
                walk_in(other, range(2))
                forget(db, other.name)
                removed += db.collect(grace_s=0).segments
        finally:
            stop.set()
        for told in tellers:
            try:
                while True:
                    heard.append(told.recv())
            except EOFError:
                pass
        for reader in readers:
            reader.join()
        assert [word for word in heard if isinstance(word, str)] == []
        assert max(word for word in heard if isinstance(word, int)) > 2
        assert removed == ROUNDS
        assert db.verify().clean


def test_a_lease_keeps_a_forgotten_world_until_it_is_released(tmp_path: Path) -> None:
    with ms.open(tmp_path / "db") as db:
        world = db.create_world("museum")
        walk_in(world, range(4))
        with ms.open(tmp_path / "db", read_only=True) as reader, reader.world("museum").pin() as pinned:
            forget(db, "museum")
            kept = db.collect(grace_s=0)
            assert (kept.worlds, kept.segments, kept.objects) == (1, 0, 0)
            assert_holds(pinned, list(range(4)))
        gone = db.collect(grace_s=0)
        assert gone.segments == 2
        assert gone.objects > 6
        assert db.describe().segment_count == 0


def test_what_a_reader_holds_open_outlives_collection(tmp_path: Path) -> None:
    with ms.open(tmp_path / "db") as db:
        world = db.create_world("museum")
        walk_in(world, range(4))
        with ms.open(tmp_path / "db", read_only=True) as reader:
            mosaic = reader.world("museum").retrieve(frame(0).camera)
            before = mosaic.latents().copy()
            forget(db, "museum")
            assert db.collect(grace_s=0).segments == 2
            assert (mosaic.latents() == before).all()


def test_a_crash_between_segment_and_head_leaves_only_garbage(tmp_path: Path) -> None:
    with ms.open(tmp_path / "db") as db:
        walk_in(db.create_world("museum"), range(2))
        scratch = db.create_world("scratch")
        with mock.patch.object(Refs, "move", side_effect=Crash), pytest.raises(Crash):
            walk_in(scratch, range(2))
    with ms.open(tmp_path / "db") as db:
        found = db.verify()
        assert found.clean
        assert found.unreferenced_segments == 1
        young = db.collect()
        assert (young.segments, young.objects) == (0, 0)
        collected = db.collect(grace_s=0)
        assert collected.segments == 1
        assert collected.objects > 0
        assert collected.bytes_freed > 0
        assert db.verify().unreferenced_segments == 0
        assert_holds(db.world("museum"), [0, 1])
        assert_holds(db.world("scratch"), [])
