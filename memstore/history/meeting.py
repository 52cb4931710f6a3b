"""Meeting: where two lines of history part, and what each did since.

Commits are visited newest first, each painted with the heads that lead to it. A parent is always older than its child,
so the first commit that both heads lead to is the newest they have in common.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator

from memstore.storage.commits import Commit, Commits

_Painted = tuple[str, Commit, frozenset[str]]


def common_ancestor(commits: Commits, ours: str, theirs: str) -> str | None:
    """Returns the newest commit from which both came; `None` if there is none."""
    heads = frozenset({ours, theirs})
    return next((name for name, _, leading in _painted(commits, *heads) if leading == heads), None)


def since(commits: Commits, head: str, base: str) -> Iterator[tuple[str, Commit]]:
    """Yields the commits that led to `head` and not to `base`, newest first."""
    return ((name, commit) for name, commit, leading in _painted(commits, head, base) if base not in leading)


def _painted(commits: Commits, *heads: str) -> Iterator[_Painted]:
    """Yields commits newest first, with the heads that lead to each, until all that is left came from every head."""
    every = frozenset(heads)
    leading: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    waiting = list[tuple[float, str]]()

    def visit(name: str, by: frozenset[str]) -> None:
        if not by <= leading[name]:
            leading[name] |= by
            heapq.heappush(waiting, (-commits.read(name).time_s, name))

    for head in heads:
        visit(head, frozenset({head}))
    told = dict[str, frozenset[str]]()
    while (waiting and any(leading[name] != every for _, name in waiting)) or not told:
        _, name = heapq.heappop(waiting)
        if told.get(name) != leading[name]:
            told[name] = leading[name]
            commit = commits.read(name)
            yield name, commit, leading[name]
            for parent in commit.parents:
                visit(parent, leading[name])
    yield from ((name, commits.read(name), leading[name]) for _, name in sorted(waiting))
