"""Any order of verbs, crashes and openings against a model that a person can check: names and lists of frames."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from faults.place import frame
from faults.steps import Crash, CrashAt, watched
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import memstore as ms
from memstore.errors import AlreadyExists, NotFound

NAMES = st.sampled_from(["garden", "museum", "street"])
COUNTS = st.integers(1, 3)


@dataclass
class Model:
    """What a database ought to hold."""

    worlds: dict[str, list[int]] = field(default_factory=dict)
    deleted: dict[str, list[list[int]]] = field(default_factory=dict)
    archive: list[int] | None = None
    next_frame: int = 0

    def draw(self, count: int) -> list[int]:
        self.next_frame += count
        return list(range(self.next_frame - count, self.next_frame))


class Places(RuleBasedStateMachine):
    """A database and its model, moved in step."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="memstore-stateful-"))
        self.db = ms.open(self.folder / "db")
        self.model = Model()

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            shutil.rmtree(self.folder)

    # Worlds

    @rule(name=NAMES)
    def create(self, name: str) -> None:
        if name in self.model.worlds:
            with pytest.raises(AlreadyExists, match="exists already"):
                self.db.create_world(name)
        else:
            self.db.create_world(name)
            self.model.worlds[name] = []

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if name not in self.model.worlds:
            with pytest.raises(NotFound, match="there is no world"):
                self.db.delete_world(name)
        else:
            self.db.delete_world(name)
            self.model.deleted.setdefault(name, []).append(self.model.worlds.pop(name))

    @rule(name=NAMES)
    def undelete(self, name: str) -> None:
        if not self.model.deleted.get(name):
            with pytest.raises(NotFound, match="was deleted in the last 7 days"):
                self.db.undelete_world(name)
        elif name in self.model.worlds:
            with pytest.raises(AlreadyExists, match="exists already"):
                self.db.undelete_world(name)
        else:
            self.db.undelete_world(name)
            self.model.worlds[name] = self.model.deleted[name].pop()

    # Frames

    def some_world(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model.worlds)))

    @precondition(lambda self: self.model.worlds)
    @rule(data=st.data(), first=COUNTS, second=st.integers(0, 2))
    def ingest(self, data: st.DataObject, first: int, second: int) -> None:
        name = self.some_world(data)
        with self.db.world(name).ingest() as ingest:
            for i in (numbers := self.model.draw(first)):
                ingest.add(frame(i))
            ingest.flush()
            for i in (more := self.model.draw(second)):
                ingest.add(frame(i))
        assert ingest.acknowledged == first + second
        self.model.worlds[name] += numbers + more

    @precondition(lambda self: self.model.worlds)
    @rule(data=st.data(), count=COUNTS, flushed=st.booleans())
    def discard(self, data: st.DataObject, count: int, flushed: bool) -> None:
        with self.db.world(self.some_world(data)).ingest() as ingest:
            for i in self.model.draw(count):
                ingest.add(frame(i))
            if flushed:
                ingest.flush()
            ingest.discard()

    @precondition(lambda self: self.model.worlds)
    @rule(data=st.data(), count=COUNTS)
    def fail_in_the_block(self, data: st.DataObject, count: int) -> None:
        name, numbers = self.some_world(data), self.model.draw(count)
        with pytest.raises(RuntimeError, match="the camera fell"), self.db.world(name).ingest() as ingest:
            for i in numbers:
                ingest.add(frame(i))
            raise RuntimeError("the camera fell")
        self.model.worlds[name] += numbers

    # Files

    @precondition(lambda self: self.model.worlds)
    @rule(data=st.data())
    def export_one(self, data: st.DataObject) -> None:
        name = self.some_world(data)
        (self.folder / "archive").unlink(missing_ok=True)
        self.db.export_world(name, self.folder / "archive")
        self.model.archive = list(self.model.worlds[name])

    @precondition(lambda self: self.model.archive is not None)
    @rule(name=NAMES)
    def import_one(self, name: str) -> None:
        if name in self.model.worlds:
            with pytest.raises(AlreadyExists, match="exists already"):
                self.db.import_world(self.folder / "archive", name)
        else:
            self.db.import_world(self.folder / "archive", name)
            self.model.worlds[name] = list(self.model.archive or [])

    # Faults and upkeep

    @rule()
    def reopen(self) -> None:
        self.db.close()
        self.db = ms.open(self.folder / "db")

    @precondition(lambda self: self.model.worlds)
    @rule(data=st.data(), step=st.integers(1, 120), count=COUNTS)
    def crash(self, data: st.DataObject, step: int, count: int) -> None:
        name, numbers = self.some_world(data), self.model.draw(count)
        try:
            with watched(CrashAt(step)), self.db.world(name).ingest() as ingest:
                for i in numbers:
                    ingest.add(frame(i))
        except Crash:
            pass
        self.reopen()
        if self.db.world(name).describe().frame_count > self.frame_counts.get(name, 0):
            self.model.worlds[name] += numbers

    @rule(grace_s=st.sampled_from([0.0, 3600.0]))
    def collect(self, grace_s: float) -> None:
        self.db.collect(grace_s=grace_s)

    @rule()
    def repair(self) -> None:
        assert self.db.verify(repair=True).problems == ()
        assert self.db.verify().unreferenced_segments == 0

    @invariant()
    def the_database_is_as_the_model_says(self) -> None:
        if not hasattr(self, "db"):
            return
        worlds = self.db.worlds()
        self.frame_counts = {world.name: world.frame_count for world in worlds}
        assert set(self.frame_counts) == set(self.model.worlds)
        for name, numbers in self.model.worlds.items():
            found = [one.caption for one in self.db.world(name).frames()]
            assert found == [f"frame {i}" for i in numbers]
        if self.model.worlds:
            name = max(self.model.worlds)
            ordinals = [one.ordinal for one in self.db.world(name).frames()]
            assert ordinals == sorted(set(ordinals))


CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def test_a_database_does_what_its_model_does() -> None:
    run_state_machine_as_test(
        Places,
        settings=settings(
            max_examples=4, stateful_step_count=14, deadline=None, suppress_health_check=CALM, derandomize=True
        ),
    )


@pytest.mark.nightly
def test_a_database_does_what_its_model_does_for_long() -> None:
    run_state_machine_as_test(
        Places,
        settings=settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=CALM),
    )
