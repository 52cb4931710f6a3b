"""Revisions: the words by which people mean a commit: its id, the beginning of one, a tag or a branch."""

from __future__ import annotations

import re

from memstore.errors import InvalidInput, NotFound, Reason
from memstore.history.branch import Branch
from memstore.storage.commits import nearest

_PREFIX = re.compile(r"[0-9a-f]{4,31}")
_WHOLE = re.compile(r"[0-9a-f]{32}")


def resolve(branch: Branch, revision: str) -> str:
    """Returns the id of the commit of this world that a revision means; "" means the branch's head.

    A revision is a commit id, the name of a branch or tag, or a prefix of at least 4 hex digits that only one commit of
    the world has.

    Raises:
        NotFound: nothing of this world is meant; the message names the nearest.
        InvalidInput: several commits begin so, or the commit belongs to another world.
    """
    if not revision:
        return branch.head()
    if _WHOLE.fullmatch(revision):
        return _whole(branch, revision)
    for refs in (branch.heads, branch.tags):
        if revision in refs.names():
            return refs.read(revision)
    if _PREFIX.fullmatch(revision):
        return _prefixed(branch, revision)
    raise _unknown(branch, revision)


def _whole(branch: Branch, commit_id: str) -> str:
    if branch.store.commits.read(commit_id).world_id != branch.record.world_id:
        raise InvalidInput(f"commit {commit_id} belongs to another world than {branch.record.name!r}.", field="commit")
    return commit_id


def _prefixed(branch: Branch, prefix: str) -> str:
    starting = branch.store.commits.starting(prefix)
    found = [commit_id for commit_id, commit in starting if commit.world_id == branch.record.world_id]
    if not found:
        raise _unknown(branch, prefix)
    if len(found) > 1:
        raise InvalidInput(
            f"{len(found)} commits of {branch.record.name!r} begin with {prefix!r}: {', '.join(found[:5])}; give more "
            "digits.",
            field="commit",
        )
    return found[0]


def _unknown(branch: Branch, revision: str) -> NotFound:
    names = [*branch.heads.names(), *branch.tags.names()]
    return NotFound(
        f"there is no commit, branch or tag {revision!r} in world {branch.record.name!r}; {nearest(revision, names)}, "
        "and `log` lists the commits (4 digits of an id are enough).",
        reason=Reason.COMMIT_NOT_FOUND,
        commit=revision,
    )
