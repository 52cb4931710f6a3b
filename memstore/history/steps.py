"""Steps: the history of a branch as people count it. Commits that share a step id are one step.

    create <- ingest 1 <- edit <- ingest 1 <- undo           commits, oldest first
    create <- edit <- ingest <- undo                         steps: an ingest stands where it ended

A step stands unless a newer step that stands takes it back: so a redo, which takes the undo back, makes it stand again.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from memstore.storage.commits import Commit, Commits
from memstore.summary import CommitSummary

INGEST_SPAN_COMMITS = 1000
"""How far apart two commits of one ingest may lie: others commit between them."""
_Named = tuple[str, Commit]


@dataclass(frozen=True)
class Step:
    """One step: what one call did."""

    commits: tuple[tuple[str, Commit], ...]
    """Commit ids and commits, newest first; they need not follow each other."""

    @property
    def name(self) -> str:
        """What other steps take it back by."""
        return self.newest.step(self.commit_id)

    @property
    def commit_id(self) -> str:
        """Id of its newest commit."""
        return self.commits[0][0]

    @property
    def newest(self) -> Commit:
        """Its newest commit."""
        return self.commits[0][1]

    @property
    def oldest(self) -> Commit:
        """Its oldest commit."""
        return self.commits[-1][1]

    def runs(self) -> Iterator[tuple[Commit, Commit]]:
        """Yields the (newest, oldest) commit of every stretch of commits that follow each other, newest first."""
        newest = oldest = self.newest
        for commit_id, commit in self.commits[1:]:
            if oldest.parents[0] != commit_id:
                yield newest, oldest
                newest = commit
            oldest = commit
        yield newest, oldest

    def holds(self, commit_id: str) -> bool:
        """Whether a commit belongs to it."""
        return any(name == commit_id for name, _ in self.commits)

    def summary(self) -> CommitSummary:
        """Returns what people and programs see of it."""
        frame_count = sum(commit.frame_count for _, commit in self.commits)
        return replace(self.newest, parents=self.oldest.parents, frame_count=frame_count).summary(self.commit_id)

    def __str__(self) -> str:
        said = f": {self.newest.message}" if self.newest.message else ""
        return f"{self.newest.operation} {self.commit_id[:10]}{said}"


def steps(commits: Commits, commit_id: str) -> Iterator[Step]:
    """Yields the steps from a commit back to the first, newest first."""
    walk = commits.walk(commit_id)
    ahead = deque[_Named]()
    ingests: defaultdict[str, list[_Named]] = defaultdict(list)
    told = set[str]()

    def read_on(count: int) -> None:
        for name, commit in islice(walk, count):
            ahead.append((name, commit))
            if commit.operation == "ingest":
                ingests[commit.step_id].append((name, commit))

    read_on(1)
    while ahead:
        name, commit = ahead.popleft()
        if commit.operation == "ingest" and commit.step_id:
            read_on(INGEST_SPAN_COMMITS - len(ahead))
            if commit.step_id not in told:
                told.add(commit.step_id)
                yield Step(tuple(ingests[commit.step_id]))
        else:
            yield Step(((name, commit),))
        if not ahead:
            read_on(1)


def standing(commits: Commits, commit_id: str) -> Iterator[tuple[Step, bool]]:
    """Yields the steps from a commit back to the first, and whether each still stands."""
    taken_back = set[str]()
    for step in steps(commits, commit_id):
        stands = step.name not in taken_back
        if stands and step.newest.takes_back:
            taken_back.add(step.newest.takes_back)
        yield step, stands


def step_of(commits: Commits, commit_id: str) -> Step:
    """Returns the step that a commit belongs to, as it was with that commit: later commits of it are left out."""
    return next(steps(commits, commit_id))
