"""A flattening that dies, or finds the disk full, at any step: the branch is as it was, or flat; nothing between."""

from __future__ import annotations

import os
import random
import shutil
import signal
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from faults.place import assert_holds, walk_in
from faults.steps import TAKES_ROOM, Crash, CrashAt, FullDisk, watched

import memstore as ms
from memstore.draft import Draft, new_layer_id
from memstore.errors import ResourceLimit
from memstore.history.branch import Branch, Change
from memstore.layer import Layer, Mask
from memstore.segment import NEVER_HIDDEN
from memstore.showing import Showing
from memstore.storage.commits import Refs

FRAMES = 6
SEGMENTS = 3
LEAST, MOST = 60, 80
"""Steps that a flattening of two layers takes, all of which need room; the names of its objects decide how many."""


def scatter(db: ms.Database) -> None:
    """Moves every other patch of the museum aside, so that all of it is worth flattening."""
    showing = Showing(db.store)
    branch = Branch(db.store, db.registry, db.registry.find("museum"), "main")
    with db.store.writing():
        draft = Draft(showing, showing.layers(branch.head()))
        layer = draft.find("observed")
        kept, moved = [], []
        for part in draft.parts(layer.layer_id).values():
            odd = np.arange(len(draft.hidden_from(part))) % 2 == 1
            for parts, shown in ((kept, ~odd), (moved, odd)):
                hidden = np.where(shown, NEVER_HIDDEN, 0).astype(np.uint32)
                parts.append(draft.part(part.segment, Mask.of(hidden, None), sky=False))
        draft.add(layer, kept)
        aside = ms.Transform.translate(0.013, 0.017, -0.1)
        draft.add(Layer(new_layer_id(), "moved", "placed", "", layer.layer_id, aside), moved)
        branch.advance(branch.head(), draft.stage(), Change("edit"))


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes a database with a world that is worth flattening."""
    root = tmp_path_factory.mktemp("flatten") / "db"
    with ms.open(root) as db:
        walk_in(db.create_world("museum"), range(FRAMES))
        scatter(db)
    return root


@pytest.fixture
def root(scattered: Path, tmp_path: Path) -> Path:
    return shutil.copytree(scattered, tmp_path / "db")


def shown(world: ms.World) -> list[tuple[str, int, tuple[float, ...]]]:
    """Returns the layers of a world with how much each shows, and where it stands."""
    return [(one.name, one.patch_count, tuple(one.placement.translation.tolist())) for one in world.layers()]


def assert_as_before_or_flat(db: ms.Database, scattered: Path) -> bool:
    """Checks that a world looks as ever, and returns whether it was flattened."""
    world = db.world("museum")
    with ms.open(scattered, read_only=True) as original:
        assert shown(world) == shown(original.world("museum"))
    assert_holds(world, list(range(FRAMES)))
    assert db.verify().clean
    return world.log()[0].operation == "flatten"


def finish(db: ms.Database, scattered: Path) -> None:
    """Flattens what is left of the museum and checks that nothing is lost and nothing too much."""
    db.world("museum").flatten(request_id="night")
    assert assert_as_before_or_flat(db, scattered)
    assert [step.operation for step in db.world("museum").log()].count("flatten") == 1
    assert db.verify(repair=True).problems == ()
    assert db.verify().unreferenced_segments == 0
    assert db.describe().segment_count == SEGMENTS + 2
    assert_holds(db.world("museum"), list(range(FRAMES)))


def crash_at(root: Path, scattered: Path, step: int) -> None:
    crash = pytest.raises(Crash) if step <= LEAST else suppress(Crash)
    with ms.open(root) as db, watched(CrashAt(step)), crash:
        db.world("museum").flatten(request_id="night")
    with ms.open(root, read_only=True) as reader:
        assert_as_before_or_flat(reader, scattered)
    with ms.open(root) as db:
        finish(db, scattered)


def test_the_steps_are_as_many_as_are_tried(root: Path) -> None:
    taken: list[str] = []
    with ms.open(root) as db, watched(taken.append):
        db.world("museum").flatten()
    assert LEAST <= len(taken) <= MOST
    assert set(taken) <= TAKES_ROOM


@pytest.mark.parametrize("step", random.Random(2).sample(range(1, LEAST), 8))
def test_a_flattening_that_crashes_leaves_the_branch_as_it_was_or_flat(root: Path, scattered: Path, step: int) -> None:
    crash_at(root, scattered, step)


def test_a_flattening_that_crashes_before_the_head_moves_leaves_segments_that_collect_removes(
    root: Path, scattered: Path
) -> None:
    with ms.open(root) as db:
        with mock.patch.object(Refs, "move", side_effect=Crash), pytest.raises(Crash):
            db.world("museum").flatten()
        assert not assert_as_before_or_flat(db, scattered)
        assert db.verify().unreferenced_segments == 2
        assert db.collect(grace_s=0).segments == 2
        assert not assert_as_before_or_flat(db, scattered)
        finish(db, scattered)


@pytest.mark.nightly
@pytest.mark.parametrize("step", range(1, MOST + 1))
def test_a_flattening_that_crashes_anywhere_leaves_the_branch_as_it_was_or_flat(
    root: Path, scattered: Path, step: int
) -> None:
    crash_at(root, scattered, step)


def flatten_until_killed(root: str, step: int) -> None:
    """Flattens the museum and dies before its `step`-th step."""
    left = step

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    with watched(count), ms.open(root) as db:
        db.world("museum").flatten(request_id="night")


def kill_at(processes: ForkServerContext, root: Path, scattered: Path, step: int) -> None:
    child = processes.Process(target=flatten_until_killed, args=(str(root), step))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL or step > LEAST
    with ms.open(root) as db:
        assert_as_before_or_flat(db, scattered)
        finish(db, scattered)


@pytest.mark.parametrize("step", [20, LEAST // 2, LEAST - 3])
def test_a_flattening_killed_at_a_step_goes_on_under_its_request_id(
    processes: ForkServerContext, root: Path, scattered: Path, step: int
) -> None:
    kill_at(processes, root, scattered, step)


@pytest.mark.nightly
@pytest.mark.parametrize("step", range(1, MOST + 1))
def test_a_flattening_killed_at_any_step_goes_on_under_its_request_id(
    processes: ForkServerContext, root: Path, scattered: Path, step: int
) -> None:
    kill_at(processes, root, scattered, step)


def fill_the_disk_at(root: Path, scattered: Path, step: int) -> None:
    with ms.open(root) as db:
        refusal = pytest.raises(ResourceLimit, match="no room to write") if step <= LEAST else suppress(ResourceLimit)
        with watched(FullDisk(step)), refusal:
            db.world("museum").flatten(request_id="night")
        assert_as_before_or_flat(db, scattered)
        finish(db, scattered)


@pytest.mark.parametrize("step", random.Random(3).sample(range(20, LEAST), 5))
def test_a_flattening_that_finds_the_disk_full_can_be_done_again(root: Path, scattered: Path, step: int) -> None:
    fill_the_disk_at(root, scattered, step)


@pytest.mark.nightly
@pytest.mark.parametrize("step", range(1, MOST + 1))
def test_a_flattening_that_finds_the_disk_full_anywhere_can_be_done_again(
    root: Path, scattered: Path, step: int
) -> None:
    fill_the_disk_at(root, scattered, step)
