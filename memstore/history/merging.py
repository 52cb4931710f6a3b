"""Merging: what one branch did is taken into another, as one step that can be undone."""

from __future__ import annotations

from dataclasses import dataclass

from memstore.compared import MergeConflict, MergeReport, Policy
from memstore.draft import Draft
from memstore.errors import Conflict, FailedPrecondition, InvalidInput, Reason
from memstore.history.branch import Branch, Change
from memstore.history.diff import layer_diffs
from memstore.history.meeting import common_ancestor, since
from memstore.history.merge import merge3
from memstore.showing import Showing
from memstore.storage.commits import Commits


@dataclass(frozen=True, eq=False)
class Merge:
    """A merge worked out, and not written."""

    draft: Draft
    """What the branch that is merged into becomes."""
    report: MergeReport
    """What that changes, and what the sides disagree on."""

    @property
    def is_due(self) -> bool:
        """Whether there is anything to merge."""
        return self.report.theirs != self.report.base


def merge_into(
    target: Branch, showing: Showing, theirs: str, change: Change, *, policy: Policy, trial: bool
) -> MergeReport:
    """Merges a commit into a branch and returns what that did, or with `trial`, would do.

    A merge is one commit with two parents, the branch's head first, even where the branch did nothing of its own: so it
    is one step, and undone as one. Frames that both sides took in since they parted share their ordinals; the next
    frame comes after all of them.

    Raises:
        Conflict: the sides disagree, and the policy is `fail`.
        FailedPrecondition: the two have no commit in common.
    """
    if policy not in ("fail", "ours", "theirs"):
        raise InvalidInput(f"policy must be fail, ours or theirs, got {policy!r}.", field="policy")
    if trial:
        return work_out(showing, target.head(), theirs, policy).report
    with target.store.writing():
        if earlier := target.done(change.request_id):
            ours, theirs = earlier.parents
            return work_out(showing, ours, theirs, policy, commit=earlier.commit).report
        head = target.head()
        merge = work_out(showing, head, theirs, policy)
        if not merge.is_due:
            return merge.report
        if merge.report.conflicts and policy == "fail":
            raise _refused(target.name, merge.report)
        made = target.advance(head, merge.draft.stage(), change, joins=(theirs,))
        return _named(merge.report, made)


def work_out(showing: Showing, ours: str, theirs: str, policy: Policy, *, commit: str = "") -> Merge:
    """Returns the merge of two commits; writes nothing.

    Raises:
        FailedPrecondition: the two have no commit in common.
    """
    commits = showing.store.commits
    base = common_ancestor(commits, ours, theirs)
    if base is None:
        raise FailedPrecondition(
            f"commits {ours} and {theirs} have no commit in common, so they cannot be merged; stitch one world "
            "onto the other instead.",
            reason=Reason.UNRELATED_WORLDS,
            ours=ours,
            theirs=theirs,
        )
    draft, conflicts = _merged(showing, base, ours, theirs, policy)
    before = Draft(showing, showing.layers(ours))
    diffs = layer_diffs(before, before if conflicts and policy == "fail" else draft)
    return Merge(draft, MergeReport(commit, base, ours, theirs, conflicts, diffs))


def _merged(
    showing: Showing, base: str, ours: str, theirs: str, policy: Policy
) -> tuple[Draft, tuple[MergeConflict, ...]]:
    commits = showing.store.commits
    layers = [showing.layers(commit) for commit in (base, ours, theirs)]
    if layers[0] in layers[1:]:
        return merge3(showing, layers[0], layers[1], layers[2], policy)
    flat = [_flattened(commits, side, base) for side in (ours, theirs)]
    if not any(flat):
        return merge3(showing, layers[0], layers[1], layers[2], policy)
    who = "both sides were" if all(flat) else "this side was" if flat[0] else "the other side was"
    message = f"{who} flattened, which gives patches other ids, while both sides changed; take one side whole"
    return Draft(showing, layers[2 if policy == "theirs" else 1]), (MergeConflict("flatten", "", "", message),)


def _flattened(commits: Commits, head: str, base: str) -> bool:
    """Whether a branch was flattened since `base`, and the flatten stands."""
    taken_back = set[str]()
    for commit_id, commit in since(commits, head, base):
        if commit.step(commit_id) in taken_back:
            continue
        if commit.operation == "flatten":
            return True
        taken_back |= {commit.takes_back} - {""}
    return False


def _refused(target: str, report: MergeReport) -> Conflict:
    first = report.conflicts[0]
    return Conflict(
        f"merging {report.theirs[:10]} into {target!r} meets {len(report.conflicts)} conflicts, the first: "
        f"{first.message}. Nothing was merged: try it with trial=True to list them, then choose policy 'ours' or "
        "'theirs'.",
        reason=Reason.MERGE_CONFLICT,
        count=len(report.conflicts),
        layer=first.layer,
        kind=first.kind,
        ours=report.ours,
        theirs=report.theirs,
    )


def _named(report: MergeReport, commit: str) -> MergeReport:
    return MergeReport(commit, report.base, report.ours, report.theirs, report.conflicts, report.layers)
