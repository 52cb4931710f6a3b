"""Undo, redo and revert: a step is taken back by a commit that does the opposite, so that nothing is ever lost.

The opposite of a step is a three-way merge (`merge.py`): base is the state after the step, theirs the state before it,
ours the present one. Disjoint work that came later stays; where it overlaps the two conflict, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from memstore.compared import MergeConflict
from memstore.errors import Conflict, FailedPrecondition, Reason
from memstore.history.branch import Branch, Change
from memstore.history.merge import Layers, merge3
from memstore.history.steps import Step, standing
from memstore.showing import Showing
from memstore.storage.commits import Commit
from memstore.summary import CommitSummary

UNDO_WINDOW_STEPS = 1000
"""How many steps undo and redo look back; `revert` takes back older ones."""
_NEVER_UNDONE = ("create", "undo", "redo", "discard")
"""Steps that undo passes by: an undo is taken back by redo."""


def undo(branch: Branch, showing: Showing, change: Change, *, anyone: bool) -> CommitSummary:
    """Takes the newest step of `change.author`, or of anyone, back and returns what it did.

    Raises:
        FailedPrecondition: there is no such step.
        Conflict: what came later overlaps with it.
    """
    with branch.store.writing():
        if done := branch.done(change.request_id):
            return done
        window = islice(standing(branch.store.commits, branch.head()), UNDO_WINDOW_STEPS)
        for step, stands in window:
            if stands and step.newest.operation not in _NEVER_UNDONE and _is_by(step, change.author, anyone):
                return _take_back(branch, showing, step, change)
    raise _nothing("undo", branch, change.author, anyone)


def redo(branch: Branch, showing: Showing, change: Change, *, anyone: bool) -> CommitSummary:
    """Takes the newest undo of `change.author`, or of anyone, back, unless they did something new since.

    Raises:
        FailedPrecondition: there is no such undo.
        Conflict: what came later overlaps with it.
    """
    with branch.store.writing():
        if done := branch.done(change.request_id):
            return done
        for step, stands in islice(standing(branch.store.commits, branch.head()), UNDO_WINDOW_STEPS):
            if not _is_by(step, change.author, anyone):
                continue
            if step.newest.operation == "undo" and stands:
                return _take_back(branch, showing, step, change)
            if step.newest.operation not in _NEVER_UNDONE:
                break
    raise _nothing("redo", branch, change.author, anyone)


def revert(branch: Branch, showing: Showing, commit_id: str, change: Change) -> CommitSummary:
    """Takes the step of a commit back, however old, and returns what that did.

    Raises:
        FailedPrecondition: it is the first commit, was taken back already, or is not in the branch's history.
        Conflict: what came later overlaps with it.
    """
    with branch.store.writing():
        if done := branch.done(change.request_id):
            return done
        for step, stands in standing(branch.store.commits, branch.head()):
            if step.holds(commit_id):
                _require_revertible(step, stands)
                return _take_back(branch, showing, step, change)
    raise FailedPrecondition(
        f"commit {commit_id} is no step of branch {branch.name!r}, so it cannot be taken back there; `log` lists the "
        "steps.",
        commit=commit_id,
    )


def _take_back(branch: Branch, showing: Showing, step: Step, change: Change) -> CommitSummary:
    """Commits the opposite of a step; the caller holds the lock."""
    head = branch.head()
    layers = showing.layers(head)
    _require_no_flatten(branch, step, head)
    for newest, oldest in step.runs():
        base, before = (branch.store.commits.layers(commit) for commit in (newest, _parent(branch, oldest)))
        draft, conflicts = merge3(showing, base, layers, before)
        if conflicts:
            raise _overlap(branch, step, head, conflicts[0], len(conflicts))
        layers = draft.stage()
    message = change.message or f"takes back {step}"
    made = branch.advance(head, layers, _taking_back(change, message, step.name))
    return branch.store.commits.read(made).summary(made)


def _taking_back(change: Change, message: str, name: str) -> Change:
    return Change(change.operation, message, change.author, change.request_id, takes_back=name)


def _parent(branch: Branch, commit: Commit) -> Commit:
    return branch.store.commits.read(commit.parents[0])


def _is_by(step: Step, author: str, anyone: bool) -> bool:
    return anyone or step.newest.author == author


def _later(branch: Branch, step: Step, head: str) -> Iterator[tuple[Step, bool]]:
    """Yields the steps that came after a step, newest first, and whether they stand."""
    for later, stands in standing(branch.store.commits, head):
        if later.name == step.name:
            return
        yield later, stands


def _require_no_flatten(branch: Branch, step: Step, head: str) -> None:
    """Refuses to look for patches that a flatten gave other ids.

    Raises:
        Conflict: the branch was flattened after the step, or the step is a flatten that is built upon.
    """
    later = list(_later(branch, step, head))
    flat = next((one for one, stands in later if stands and one.newest.operation == "flatten"), None)
    if flat is None and step.newest.operation == "flatten" and _layers_of(branch, head) != step.newest.layers:
        flat = later[0][0]
    if flat is not None:
        raise Conflict(
            f"{step} cannot be taken back: a flatten gives patches other ids, and {flat} came after it; take that back "
            "first.",
            reason=Reason.UNDO_CONFLICT,
            commit=step.commit_id,
            later=flat.commit_id,
        )


def _layers_of(branch: Branch, commit_id: str) -> str:
    return branch.store.commits.read(commit_id).layers


def _overlap(branch: Branch, step: Step, head: str, conflict: MergeConflict, count: int) -> Conflict:
    later = next((one for one, _ in _later(branch, step, head) if _touches(branch, one, conflict.layer_id)), None)
    named = "later work" if later is None else f"{later}, which came later"
    others = f", and in {count - 1} more places" if count > 1 else ""
    return Conflict(
        f"{step} cannot be taken back: it overlaps with {named}, in layer {conflict.layer!r}{others}; take the later "
        "one back first.",
        reason=Reason.UNDO_CONFLICT,
        commit=step.commit_id,
        later="" if later is None else later.commit_id,
        layer=conflict.layer,
        patch_count=conflict.patch_count,
    )


def _touches(branch: Branch, step: Step, layer_id: str) -> bool:
    """Whether a step changed a layer."""
    commits = branch.store.commits

    def layer_of(commit: Commit) -> Layers:
        return tuple(layer for layer in commits.layers(commit) if layer.layer_id == layer_id)

    return any(layer_of(run[0]) != layer_of(_parent(branch, run[1])) for run in step.runs() if run[1].parents)


def _require_revertible(step: Step, stands: bool) -> None:
    if not step.oldest.parents:
        raise FailedPrecondition(
            f"{step} made the world; there is nothing before it to go back to.",
            reason=Reason.NOTHING_TO_UNDO,
            commit=step.commit_id,
        )
    if not stands:
        raise FailedPrecondition(
            f"{step} was taken back already; `redo`, or revert the step that took it back, to have it again.",
            reason=Reason.NOTHING_TO_UNDO,
            commit=step.commit_id,
        )


def _nothing(verb: str, branch: Branch, author: str, anyone: bool) -> FailedPrecondition:
    of = "anyone" if anyone else repr(author)
    other = "" if anyone else "; the steps of others are taken back with anyone=True, or by `revert`"
    return FailedPrecondition(
        f"there is nothing of {of} to {verb} on branch {branch.name!r} among the last {UNDO_WINDOW_STEPS} "
        f"steps{other}.",
        reason=Reason.NOTHING_TO_UNDO,
        branch=branch.name,
        author=author,
    )
