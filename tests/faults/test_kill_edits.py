"""kill -9 at any step of any edit: every acknowledged edit is there, none is half there, and a retry happens once."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from faults.edits import ACTS, State, assert_same_state, begin, edit_until_killed, perform, request_of, state_of
from faults.steps import count_steps
from faults.test_kill import assert_killed

import memstore as ms

NEVER = 0


@dataclass(frozen=True)
class Twin:
    """The row of acts, carried out without a fault."""

    template: Path
    states: list[State]
    """After no act, after the first, and so on."""
    step_count: int
    """Steps of all acts together."""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    folder = tmp_path_factory.mktemp("twin")
    begin(folder / "template")
    shutil.copytree(folder / "template", folder / "db")
    states: list[State] = []

    def act() -> None:
        with ms.open(folder / "db") as db:
            states.append(state_of(db))
            for i in range(len(ACTS)):
                perform(db, i)
                states.append(state_of(db))

    return Twin(folder / "template", states, count_steps(act))


def killed_row(processes: ForkServerContext, twin: Twin, root: Path, step: int, after_s: float = 0) -> int:
    """Returns how many acts had been acknowledged when their process was killed, at a step or after some time."""
    told, tells = processes.Pipe(duplex=False)
    child = processes.Process(target=edit_until_killed, args=(str(twin.template), str(root), tells, step))
    child.start()
    tells.close()
    acknowledged = 0
    try:
        if step == NEVER:
            told.recv()
            time.sleep(after_s)
            child.kill()
        while True:
            acknowledged = told.recv()
    except EOFError:
        assert_killed(child)
    return acknowledged


def assert_nothing_is_half_there(twin: Twin, root: Path, acknowledged: int) -> None:
    with ms.open(root) as db:
        found = state_of(db)
        wanted = twin.states[acknowledged : acknowledged + 2]  # the last may be durable though nobody was told so
        matching = [state for state in wanted if _is(found, state)]
        assert matching, f"after {acknowledged} acts neither their state nor the next one's is there"
        assert db.verify().problems == ()


def assert_goes_on_to_the_end(twin: Twin, root: Path) -> None:
    """Sends every act again, those that were carried out too: each happens once."""
    with ms.open(root) as db:
        for i in range(len(ACTS)):
            perform(db, i)
        assert_same_state(state_of(db), twin.states[-1])
        requests = [step.request_id for step in db.world("museum").log() if step.request_id]
        assert len(requests) == len(set(requests))
        elsewhere = ("tag", "branch", "edit a branch")
        assert {request_of(i) for i, verb in enumerate(ACTS) if verb not in elsewhere} == set(requests)
        repaired = db.verify(repair=True)
        assert repaired.problems == ()
        assert db.verify().unreferenced_segments == 0
        assert not list(root.rglob("*.unfinished"))


def _is(found: State, wanted: State) -> bool:
    try:
        assert_same_state(found, wanted)
    except AssertionError:
        return False
    return True


def shares(count: int) -> list[float]:
    """Returns `count` places, spread over the row of acts, one drawn from each stretch."""
    draw = random.Random(count)
    return [(i + draw.random()) / count for i in range(count)]


def check(processes: ForkServerContext, twin: Twin, root: Path, share: float) -> None:
    step = 1 + int(share * twin.step_count)
    assert_nothing_is_half_there(twin, root, killed_row(processes, twin, root, step))
    assert_goes_on_to_the_end(twin, root)


def test_every_act_of_the_row_changes_what_is_there(twin: Twin) -> None:
    same = [verb for verb, one, two in zip(ACTS, twin.states, twin.states[1:], strict=False) if _is(one, two)]
    assert same == []
    assert twin.step_count > 4 * len(ACTS)


@pytest.mark.parametrize("share", shares(14))
def test_edits_killed_at_a_step_keep_what_they_acknowledged(
    processes: ForkServerContext, twin: Twin, tmp_path: Path, share: float
) -> None:
    check(processes, twin, tmp_path / "db", share)


@pytest.mark.parametrize("after_ms", [0, 10, 30, 90, 150, 250])
def test_edits_killed_at_a_moment_keep_what_they_acknowledged(
    processes: ForkServerContext, twin: Twin, tmp_path: Path, after_ms: int
) -> None:
    root = tmp_path / "db"
    assert_nothing_is_half_there(twin, root, killed_row(processes, twin, root, NEVER, after_ms / 1000))
    assert_goes_on_to_the_end(twin, root)


@pytest.mark.nightly
@pytest.mark.parametrize("share", shares(200))
def test_edits_killed_at_any_step_keep_what_they_acknowledged(
    processes: ForkServerContext, twin: Twin, tmp_path: Path, share: float
) -> None:
    check(processes, twin, tmp_path / "db", share)


def test_edits_killed_again_and_again_are_each_carried_out_once(
    processes: ForkServerContext, twin: Twin, tmp_path: Path
) -> None:
    root = tmp_path / "db"
    counts = [killed_row(processes, twin, root, int(share * twin.step_count)) for share in (0.3, 0.4, 0.2)]
    assert counts[0] > 0
    assert_nothing_is_half_there(twin, root, max(counts))  # the last may have died while it set things right
    assert_goes_on_to_the_end(twin, root)
