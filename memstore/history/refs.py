"""Branches and tags of a world: made, listed and removed. Branches and tags share their names."""

from __future__ import annotations

from memstore.compared import BranchSummary, DroppedHead
from memstore.errors import AlreadyExists, Conflict, FailedPrecondition, NotFound, Reason
from memstore.history.branch import Branch
from memstore.history.steps import step_of
from memstore.storage.commits import MAIN, Refs
from memstore.summary import CommitSummary


def open_branch(branch: Branch, name: str, made_at: str = "", request_id: str = "") -> Branch:
    """Returns the branch of that name; one that is to be made begins at the commit `made_at`.

    Raises:
        NotFound: there is no such branch; the message names the nearest.
        AlreadyExists: it is to be made, and a branch or tag bears the name, unless this very request made it.
    """
    if not made_at:
        branch.heads.read(name)
        return branch.named(name)
    with branch.store.writing():
        if not branch.heads.was_made_by(name, request_id):
            _require_free(branch, name)
            branch.heads.create(name, made_at, request_id)
    return branch.named(name)


def branches(branch: Branch) -> list[BranchSummary]:
    """Returns the branches of a world by name."""
    return _listed(branch.heads)


def tags(branch: Branch) -> list[BranchSummary]:
    """Returns the tags of a world by name."""
    return _listed(branch.tags)


def tag(branch: Branch, name: str, commit_id: str, request_id: str) -> BranchSummary:
    """Names a commit for good and returns its tag.

    Raises:
        AlreadyExists: a branch or tag bears the name, unless this very request made it.
    """
    with branch.store.writing():
        if not branch.tags.was_made_by(name, request_id):
            _require_free(branch, name)
            branch.tags.create(name, commit_id, request_id)
        return BranchSummary(name, branch.tags.read(name))


def delete_branch(branch: Branch, name: str, request_id: str) -> None:
    """Removes a branch; its head is kept for 30 days.

    Raises:
        FailedPrecondition: it is the main branch.
        NotFound: there is no such branch, unless this very request removed it.
    """
    if name == MAIN:
        raise FailedPrecondition(f"branch {MAIN!r} cannot be deleted: every world has it. Delete the world instead.")
    _delete(branch, branch.heads, name, request_id)


def delete_tag(branch: Branch, name: str, request_id: str) -> None:
    """Removes a tag; the commit that it named is kept for 30 days.

    Raises:
        NotFound: there is no such tag, unless this very request removed it.
    """
    _delete(branch, branch.tags, name, request_id)


def reset(branch: Branch, commit_id: str, expected_head: str, request_id: str) -> CommitSummary:
    """Moves a branch to a commit of its world; the head that it leaves is kept for 30 days.

    Raises:
        Conflict: the branch is not at `expected_head`.
    """
    with branch.store.writing():
        head = branch.head()
        if branch.dropped.left_by(branch.name, request_id) is None:
            _require_head(branch, head, expected_head)
            if head != commit_id:
                branch.dropped.add(branch.name, head, request_id)
                branch.heads.move(branch.name, head, commit_id)
                branch.store.announce()
    return step_of(branch.store.commits, commit_id).summary()


def dropped(branch: Branch) -> list[DroppedHead]:
    """Returns the heads that resets and removals left in the last 30 days, newest first."""
    return [DroppedHead(one.branch, one.commit, one.time_s) for one in branch.dropped.kept()]


def _delete(branch: Branch, refs: Refs, name: str, request_id: str) -> None:
    with branch.store.writing():
        if branch.dropped.left_by(name, request_id) is not None:
            return
        branch.dropped.add(name, refs.read(name), request_id)
        refs.remove(name)


def _listed(refs: Refs) -> list[BranchSummary]:
    found = list[BranchSummary]()
    for name in refs.names():
        try:
            found.append(BranchSummary(name, refs.read(name)))
        except NotFound:  # removed while we looked
            continue
    return found


def _require_free(branch: Branch, name: str) -> None:
    for word, refs in (("branch", branch.heads), ("tag", branch.tags)):
        if name in refs.names():
            raise AlreadyExists(
                f"{word} {name!r} exists already in world {branch.record.name!r}; choose another name, or delete it "
                "first.",
                name=name,
            )


def _require_head(branch: Branch, head: str, expected: str) -> None:
    if expected and head != expected:
        raise Conflict(
            f"branch {branch.name!r} was expected at {expected}, but is at {head}; look again and retry.",
            reason=Reason.HEAD_MOVED,
            expected=expected,
            actual=head,
        )
