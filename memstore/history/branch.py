"""A branch of a world: its head, its history, and the one way to move it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from memstore.history.steps import steps
from memstore.layer import Layer
from memstore.storage.commits import Commit, Refs
from memstore.storage.dropped import DroppedHeads
from memstore.storage.registry import Registry, WorldRecord
from memstore.storage.store import Store
from memstore.summary import CommitSummary

REQUEST_WINDOW_S = 24 * 3600.0
"""How long a request id is remembered: a retry comes within minutes."""
TICK_S = 1e-6
"""Least time between a commit and its parents: a parent is always older, however the clock is set."""


@dataclass(frozen=True)
class Change:
    """What a commit is to record beside the new layers."""

    operation: str
    """What is done."""
    message: str = ""
    """Why, in the author's words."""
    author: str = ""
    """Who does it."""
    request_id: str = ""
    """The request that asks for it."""
    step_id: str = ""
    """Commits of one step share it; "" for a step of one commit."""
    takes_back: str = ""
    """The step that this takes back."""
    frame_count: int = 0
    """Frames added."""


class Branch:
    """One branch of one world, live: every read sees the newest head."""

    def __init__(self, store: Store, registry: Registry, record: WorldRecord, name: str) -> None:
        """Follows the branch `name` of the world in `record`."""
        self.store = store
        self.registry = registry
        self.record = record
        self.name = name
        self.heads: Refs = registry.heads(record.world_id)
        self.tags: Refs = registry.tags(record.world_id)
        self.dropped: DroppedHeads = registry.dropped(record.world_id)

    def head(self) -> str:
        """Returns the commit id of the head."""
        return self.heads.read(self.name)

    def named(self, name: str) -> Branch:
        """Returns the branch of that name of the same world, whether there is one or not."""
        return Branch(self.store, self.registry, self.record, name)

    def advance(self, head: str, layers: tuple[Layer, ...], change: Change, joins: tuple[str, ...] = ()) -> str:
        """Commits new layers on top of `head` and moves the branch there, durable on return.

        The caller holds `store.writing()` and has made everything durable that the layers name. Ordinals of frames are
        never used again: the next frame comes after those of `head` and of the commits that this one `joins`.

        Raises:
            Conflict: the branch is no longer at `head`.
        """
        before = self.store.commits.read(head)
        parents = [before, *(self.store.commits.read(joined) for joined in joins)]
        after = Commit(
            world_id=self.record.world_id,
            parents=(head, *joins),
            layers=self.store.commits.stage_layers(before, layers),
            frame_end=max(parent.frame_end for parent in parents) + change.frame_count,
            time_s=max(time.time(), *(parent.time_s + TICK_S for parent in parents)),
            **vars(replace(change, step_id=change.step_id or uuid.uuid4().hex)),
        )
        commit_id = self.store.commits.write(after)
        self.heads.move(self.name, head, commit_id)
        self.store.announce()
        return commit_id

    def requested(self, request_id: str) -> list[Commit]:
        """Returns the commits of the last 24 hours that a request made, newest first; none for "".

        An ingest that was taken back does not count: it begins anew under the same name.
        """
        return [commit for _, commit in self._requested(request_id)]

    def done(self, request_id: str) -> CommitSummary | None:
        """Returns what an earlier try of a request did in the last 24 hours; `None` for nothing, and for ""."""
        return next((commit.summary(commit_id) for commit_id, commit in self._requested(request_id)), None)

    def steps(self, commit_id: str) -> Iterator[CommitSummary]:
        """Yields the history from a commit back to the first; commits of one step are one."""
        return (step.summary() for step in steps(self.store.commits, commit_id))

    def _requested(self, request_id: str) -> Iterator[tuple[str, Commit]]:
        if not request_id:
            return
        oldest = time.time() - REQUEST_WINDOW_S
        recent = takewhile(lambda pair: pair[1].time_s >= oldest, self.store.commits.walk(self.head()))
        taken_back = set[str]()
        for commit_id, commit in recent:
            stands = commit.step(commit_id) not in taken_back
            if stands:
                taken_back |= {commit.takes_back} - {""}
            if commit.request_id == request_id and (stands or commit.operation != "ingest"):
                yield commit_id, commit
