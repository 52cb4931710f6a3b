"""A full disk: said in words that help, with the earlier state intact and the same ingest ready to go on."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.place import assert_holds, frame, walk_in
from faults.steps import TAKES_ROOM, FullDisk, watched

import memstore as ms
from memstore.errors import Reason, ResourceLimit

STEPS_OF_A_FLUSH = 79
"""Steps of one segment that need room."""


def check_a_disk_that_fills_up_at(root: Path, step: int) -> None:
    with ms.open(root) as db:
        world = db.create_world("museum")
        walk_in(world, range(2))
        with world.ingest() as ingest:
            for i in (2, 3):
                ingest.add(frame(i))
            disk = FullDisk(step)
            with watched(disk), pytest.raises(ResourceLimit, match=r"no room to write .* free some space") as caught:
                ingest.flush()
            assert caught.value.reason is Reason.DISK_FULL
            assert (ingest.acknowledged, ingest.waiting) == (0, 2)
            with ms.open(root, read_only=True) as reader:
                seen = [one.caption for one in reader.world("museum").frames()]
            assert seen[:2] == ["frame 0", "frame 1"]
            ingest.add(frame(4))
        assert ingest.acknowledged == 3
        assert_holds(world, list(range(5)))
    with ms.open(root) as db:
        assert db.verify(repair=True).problems == ()
        assert_holds(db.world("museum"), list(range(5)))


draw = random.Random(1)
CHOSEN = sorted({*draw.sample(range(1, STEPS_OF_A_FLUSH), 10), *range(STEPS_OF_A_FLUSH - 3, STEPS_OF_A_FLUSH + 1)})


@pytest.mark.parametrize("step", CHOSEN)
def test_an_ingest_goes_on_when_a_full_disk_has_space_again(tmp_path: Path, step: int) -> None:
    check_a_disk_that_fills_up_at(tmp_path / "db", step)


@pytest.mark.nightly
@pytest.mark.parametrize("step", range(1, STEPS_OF_A_FLUSH + 1))
def test_an_ingest_goes_on_whichever_step_found_the_disk_full(tmp_path: Path, step: int) -> None:
    check_a_disk_that_fills_up_at(tmp_path / "db", step)


def test_the_steps_that_need_room_are_as_many_as_the_tests_above_try(tmp_path: Path) -> None:
    taken: list[str] = []
    with ms.open(tmp_path / "db") as db:
        world = db.create_world("museum")
        walk_in(world, range(2))
        with watched(taken.append):
            walk_in(world, range(2, 4))
    assert sum(name in TAKES_ROOM for name in taken) == STEPS_OF_A_FLUSH


@pytest.mark.parametrize("step", [50, STEPS_OF_A_FLUSH])
def test_an_ingest_that_a_full_disk_cut_off_can_be_discarded(tmp_path: Path, step: int) -> None:
    with ms.open(tmp_path / "db") as db:
        world = db.create_world("museum")
        walk_in(world, range(2))
        with world.ingest() as ingest:
            ingest.add(frame(2))
            with watched(FullDisk(step)), pytest.raises(ResourceLimit, match="no room to write"):
                ingest.flush()
            ingest.discard()
        assert_holds(world, [0, 1])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "small"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_real_disk_that_fills_up_keeps_what_was_acknowledged(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1 << 20))
    root = small_disk / "db"
    db = ms.open(root)
    world = db.create_world("museum")
    ingest = world.ingest()
    with pytest.raises(ResourceLimit, match="no room to write") as caught:
        for i in range(1_000):
            ingest.add(frame(i))
            if ingest.waiting == 4:
                ingest.flush()
    assert caught.value.reason is Reason.DISK_FULL
    acknowledged, waiting = ingest.acknowledged, ingest.waiting
    assert acknowledged > 0
    with ms.open(root, read_only=True) as reader:
        assert_holds(reader.world("museum"), list(range(acknowledged)))
    ballast.unlink()
    assert ingest.flush() == acknowledged + waiting
    assert_holds(world, list(range(acknowledged + waiting)))
    assert db.verify(repair=True).problems == ()
    db.close()
