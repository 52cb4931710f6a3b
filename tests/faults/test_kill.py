"""kill -9 at any step of an ingest: what was acknowledged is there, nothing is half there, and writing goes on."""

from __future__ import annotations

import random
import time
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from faults.place import FLUSH_EVERY, assert_holds, ingest_until_killed, walk_in

import memstore as ms

STEPS_OF_A_WALK = 360
"""Steps from the first on an empty disk to the end of the third segment or so; a segment takes about a hundred."""
NEVER = 0


def killed_ingest(processes: ForkServerContext, root: Path, step: int, after_s: float = 0) -> int:
    """Returns how many frames an ingest had acknowledged when it was killed, at a step or some time after the first."""
    told, tells = processes.Pipe(duplex=False)
    child = processes.Process(target=ingest_until_killed, args=(str(root), tells, step))
    child.start()
    tells.close()
    acknowledged = 0
    try:
        if step == NEVER:
            while not acknowledged:
                acknowledged = told.recv()
            time.sleep(after_s)
            child.kill()
        while True:
            acknowledged = told.recv()
    except EOFError:
        assert_killed(child)
    return acknowledged


def assert_killed(child: BaseProcess) -> None:
    child.join()
    assert child.exitcode == -9


def assert_sound_and_goes_on(root: Path, acknowledged: int) -> None:
    with ms.open(root) as db:
        world = db.create_world("museum", exist_ok=True)
        count = world.describe().frame_count
        # The last segment may be durable though nobody was told so.
        assert count in (acknowledged, acknowledged + FLUSH_EVERY)
        assert_holds(world, list(range(count)))
        walk_in(world, range(count, count + FLUSH_EVERY))
        repaired = db.verify(repair=True)
        assert repaired.problems == ()
        assert db.verify().unreferenced_segments == 0
        assert db.describe().segment_count == count // FLUSH_EVERY + 1
        assert_holds(world, list(range(count + FLUSH_EVERY)))
        assert not list(root.rglob("*.unfinished"))


def steps(count: int) -> list[int]:
    """Returns `count` steps, spread over a walk, one drawn from each stretch."""
    stretch = STEPS_OF_A_WALK / count
    draw = random.Random(count)
    return [int(i * stretch + 1 + draw.random() * (stretch - 1)) for i in range(count)]


@pytest.mark.parametrize("step", steps(14))
def test_an_ingest_killed_at_a_step_keeps_what_it_acknowledged(
    processes: ForkServerContext, tmp_path: Path, step: int
) -> None:
    root = tmp_path / "db"
    assert_sound_and_goes_on(root, killed_ingest(processes, root, step))


@pytest.mark.parametrize("after_ms", [0, 1, 3, 9, 27, 81])
def test_an_ingest_killed_at_a_moment_keeps_what_it_acknowledged(
    processes: ForkServerContext, tmp_path: Path, after_ms: int
) -> None:
    root = tmp_path / "db"
    assert_sound_and_goes_on(root, killed_ingest(processes, root, NEVER, after_ms / 1000))


@pytest.mark.nightly
@pytest.mark.parametrize("step", steps(200))
def test_an_ingest_killed_at_any_step_keeps_what_it_acknowledged(
    processes: ForkServerContext, tmp_path: Path, step: int
) -> None:
    root = tmp_path / "db"
    assert_sound_and_goes_on(root, killed_ingest(processes, root, step))


def test_an_ingest_killed_again_and_again_goes_on_under_its_request_id(
    processes: ForkServerContext, tmp_path: Path
) -> None:
    root = tmp_path / "db"
    counts = [killed_ingest(processes, root, step) for step in (200, 300, 130)]
    assert counts == sorted(counts)
    assert counts[0] > 0
    assert_sound_and_goes_on(root, counts[-1])
