"""Eight clients edit one served world while a ninth walks through it: nothing acknowledged is lost or done twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from edit.shown import shown

from memstore.errors import Conflict, InvalidInput, Reason
from memstore.selection import Layers, PatchIds
from memstore.transform import Transform
from memstore_client.world import RemoteWorld

CLIENTS = 8
STEP = Transform.translate(0.0, 0.0, 0.25)


@dataclass
class Told:
    """What one client was told."""

    commits: dict[str, str] = field(default_factory=dict)
    """By request id."""
    refused: Counter[Reason] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    """How often each layer was moved one step."""


class Client:
    """One client, its own share of the patches, and what it was told."""

    def __init__(self, number: int, world: RemoteWorld, ids: np.ndarray) -> None:
        self.number, self.world, self.ids, self.told = number, world, ids, Told()

    def carry_out(self, name: str, change: Callable, **options: str) -> bool:
        """Carries out an edit, sometimes twice under its request id; returns whether it was acknowledged."""
        request_id = f"client-{self.number}-{name}"
        for _ in range(2 if len(name) % 3 == 0 else 1):
            try:
                with self.world.edit(name, author=f"client-{self.number}", request_id=request_id, **options) as edit:
                    change(edit)
            except (Conflict, InvalidInput) as refusal:  # `check` allows three reasons
                self.told.refused[refusal.reason] += 1
                return False
            assert self.told.commits.setdefault(request_id, edit.report.commit) == edit.report.commit
        return True

    def work(self, rounds: int) -> Told:
        shared = PatchIds(self.ids[-8:], "ball")
        mine, own = f"layer-{self.number}", self.ids[:-8][self.number :: CLIENTS]
        assert self.carry_out("name", lambda edit: edit.name(PatchIds(own[:20]), mine))
        for i in range(rounds):
            if self.carry_out(f"own-{i}", lambda edit: edit.relocate(Layers(mine), STEP)):
                self.told.moves[mine] += 1
            if self.carry_out(f"ball-{i}", lambda edit: edit.relocate(Layers("ball"), STEP)):
                self.told.moves["ball"] += 1
            self.carry_out(f"delete-{i}", lambda edit, i=i: edit.delete(PatchIds(own[20 + i : 21 + i])))
            verb = "delete" if (i + self.number) % 2 else "restore"
            self.carry_out(f"{verb}-ball-{i}", lambda edit, verb=verb: getattr(edit, verb)(shared))
            head = self.world.head
            self.carry_out(f"pinned-{i}", lambda edit: edit.duplicate(PatchIds(own[:3]), STEP), expected_head=head)
        return self.told


def edit_together(house, walk, rounds: int) -> None:
    house.serve()
    frames = walk(40)
    with house.connect() as first:
        hall = first.create_world("hall")
        with hall.ingest(forgetting=False) as ingest:
            for frame in frames[:8]:
                ingest.add(frame)
        ids = np.sort(shown(house.database.world("hall")).patch_id)
        with hall.edit() as edit:
            edit.name(PatchIds(ids[-20:]), "ball")
        known = np.concatenate([ids[:-20], ids[-8:]])
        clients = [Client(i, house.connect().world("hall"), known) for i in range(CLIENTS)]
        over, walked = threading.Event(), []
        walker = threading.Thread(target=walk_on, args=(house.connect().world("hall"), frames[8:], over, walked))
        walker.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            tales = list(pool.map(lambda client: client.work(rounds), clients))
        over.set()
        walker.join()
        check(hall, tales, walked)
        assert house.database.verify().problems == ()


def walk_on(world: RemoteWorld, frames: list, over: threading.Event, walked: list[int]) -> None:
    while not over.is_set():
        with world.ingest(author="walker", forgetting=False) as ingest:
            ingest.add(frames[len(walked) % len(frames)])
        walked.append(ingest.acknowledged)


def check(hall: RemoteWorld, tales: list[Told], walked: list[int]) -> None:
    """Checks the log and the layers against what the clients were told."""
    told = {request_id: commit for tale in tales for request_id, commit in tale.commits.items()}
    steps = list(hall.log(100_000))
    logged = Counter(step.request_id for step in steps if step.request_id.startswith("client-"))
    assert set(logged) == set(told)
    assert set(logged.values()) == {1}
    assert {step.request_id: step.commit for step in steps if step.request_id in told} == told
    assert sum(step.frame_count for step in steps) == 8 + sum(walked)
    assert hall.describe().frame_count == 8 + sum(walked)
    moves = sum((tale.moves for tale in tales), Counter[str]())
    placements = {layer.name: layer.placement for layer in hall.layers()}
    for name, count in moves.items():
        np.testing.assert_allclose(placements[name].translation, count * STEP.translation, atol=1e-9)
    assert moves["ball"] > 0
    assert all(moves[f"layer-{i}"] > 0 for i in range(CLIENTS))
    refused = sum((tale.refused for tale in tales), Counter[Reason]())
    assert set(refused) <= {Reason.SELECTION_CHANGED, Reason.HEAD_MOVED, Reason.EMPTY_SELECTION}
    assert refused[Reason.HEAD_MOVED] > 0


def test_eight_clients_and_a_walker_lose_nothing(house, walk):
    edit_together(house, walk, rounds=3)


@pytest.mark.nightly
def test_eight_clients_and_a_walker_lose_nothing_for_long(house, walk):
    edit_together(house, walk, rounds=60)
