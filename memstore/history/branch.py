"""A branch of a world: its head, its history, and the one way to move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, takewhile

from memstore.layer import Layer
from memstore.storage.commits import Commit, Refs
from memstore.storage.registry import Registry, WorldRecord
from memstore.storage.store import Store
from memstore.summary import CommitSummary

REQUEST_WINDOW_S = 24 * 3600.0
"""How long a request id is remembered: a retry comes within minutes."""


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
    """Commits of one step share it."""
    takes_back: str = ""
    """The step that this takes back."""
    frame_count: int = 0
    """Frames added."""


class Branch:
    """One branch of one world, live: every read sees the newest head."""

    def __init__(self, store: Store, registry: Registry, record: WorldRecord, name: str) -> None:
        """Follows the branch `name` of the world in `record`."""
        self.store = store
        self.record = record
        self.name = name
        self.heads: Refs = registry.heads(record.world_id)

    def head(self) -> str:
        """Returns the commit id of the head."""
        return self.heads.read(self.name)

    def advance(self, head: str, layers: tuple[Layer, ...], change: Change) -> str:
        """Commits new layers on top of `head` and moves the branch there, durable on return.

        The caller holds `store.writing()` and has made everything durable that the layers name.

        Raises:
            Conflict: the branch is no longer at `head`.
        """
        before = self.store.commits.read(head)
        after = Commit(
            world_id=self.record.world_id,
            parents=(head,),
            layers=self.store.commits.stage_layers(before, layers),
            frame_end=before.frame_end + change.frame_count,
            **vars(change),
        )
        commit_id = self.store.commits.write(after)
        self.heads.move(self.name, head, commit_id)
        self.store.announce()
        return commit_id

    def requested(self, request_id: str) -> list[Commit]:
        """Returns the commits of the last 24 hours that a request made, newest first; none for "".

        Commits that were taken back since do not count.
        """
        if not request_id:
            return []
        oldest = time.time() - REQUEST_WINDOW_S
        recent = takewhile(lambda pair: pair[1].time_s >= oldest, self.store.commits.walk(self.head()))
        found, taken_back = list[Commit](), set[str]()
        for _, commit in recent:
            taken_back |= {commit.takes_back} - {""}
            if commit.request_id == request_id and commit.step_id not in taken_back:
                found.append(commit)
        return found

    def steps(self, commit_id: str) -> Iterator[CommitSummary]:
        """Yields the history from a commit back to the first; commits of one step are one."""
        walk = self.store.commits.walk(commit_id)
        for _, run in groupby(walk, key=lambda pair: pair[1].step_id or pair[0]):
            commits = list(run)
            newest_id, newest = commits[0]
            whole = replace(
                newest, parents=commits[-1][1].parents, frame_count=sum(commit.frame_count for _, commit in commits)
            )
            yield whole.summary(newest_id)
