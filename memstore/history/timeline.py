"""The half of a world that speaks of time: what happened, and how to go back, part and meet again."""

from __future__ import annotations

from itertools import islice

from memstore.compared import Blamed, BranchSummary, Diff, DroppedHead, MergeReport, Policy
from memstore.draft import Draft
from memstore.errors import ReadOnly
from memstore.history import refs
from memstore.history.blame import blame_instance
from memstore.history.branch import Branch, Change
from memstore.history.diff import layer_diffs
from memstore.history.merging import merge_into
from memstore.history.revision import resolve
from memstore.history.steps import step_of
from memstore.history.undo import redo, revert, undo
from memstore.showing import Showing
from memstore.summary import CommitSummary


class Timeline:
    """The history verbs of one branch, live, or pinned to a commit. `World` adds the place to them."""

    def __init__(self, branch: Branch, showing: Showing, pinned: str | None) -> None:
        """Holds a branch; `pinned` fixes the commit that is read."""
        self._branch = branch
        self._showing = showing
        self._pinned = pinned

    @property
    def branch_name(self) -> str:
        """The branch that this handle follows."""
        return self._branch.name

    @property
    def head(self) -> str:
        """The commit that is read: the branch's newest, or the pinned one."""
        return self._pinned or self._branch.head()

    def log(self, limit: int = 50) -> list[CommitSummary]:
        """Returns the newest steps, newest first; an ingest is one step."""
        return list(islice(self._branch.steps(self.head), limit))

    def show(self, commit: str = "") -> CommitSummary:
        """Returns what the step of a commit did, as far as that commit.

        Args:
            commit: a commit id, the beginning of one (4 digits or more), a tag or a branch; "" for this one.

        Raises:
            NotFound: nothing of this world is meant.
        """
        return step_of(self._branch.store.commits, self._resolved(commit)).summary()

    def undo(self, *, author: str = "", anyone: bool = False, message: str = "", request_id: str = "") -> CommitSummary:
        """Takes the newest step of `author` back, and leaves what others did since; an ingest is one step.

        Args:
            author: whose step, and who takes it back.
            anyone: take the newest step back, whoever took it.
            message: why, for the log.
            request_id: a repeated request takes nothing more back.

        Raises:
            FailedPrecondition: there is nothing to take back among the last 1,000 steps.
            Conflict: what others did since overlaps with it; the message names both commits.
        """
        change = self._change("undo", message, author, request_id)
        return undo(self._branch, self._showing, change, anyone=anyone)

    def redo(self, *, author: str = "", anyone: bool = False, message: str = "", request_id: str = "") -> CommitSummary:
        """Takes the newest undo of `author` back, unless they did something new since. Arguments as `undo`.

        Raises:
            FailedPrecondition: there is no undo to take back.
            Conflict: what others did since overlaps with it.
        """
        change = self._change("redo", message, author, request_id)
        return redo(self._branch, self._showing, change, anyone=anyone)

    def revert(self, commit: str, *, author: str = "", message: str = "", request_id: str = "") -> CommitSummary:
        """Takes the step of a commit back, whoever took it and however old, and leaves what came since.

        Raises:
            FailedPrecondition: it is no step of this branch, made the world, or was taken back already.
            Conflict: what came since overlaps with it.
        """
        change = self._change("revert", message, author, request_id)
        return revert(self._branch, self._showing, self._resolved(commit), change)

    def blame_instance(self, layer_id: str, patch_id: int) -> Blamed:
        """Returns who put an instance of a patch where it is shown.

        Raises:
            NotFound: that layer does not show that patch here.
        """
        return blame_instance(self._branch, self._showing, self.head, layer_id, patch_id)

    def merge_into(
        self,
        target: str,
        *,
        policy: Policy = "fail",
        trial: bool = False,
        author: str = "",
        message: str = "",
        request_id: str = "",
    ) -> MergeReport:
        """Merges what this branch did into another: one commit there, undone as one step. Disjoint work merges clean.

        Args:
            target: the branch that is merged into.
            policy: `fail` refuses on conflicts; `ours` settles them as the target has it, `theirs` as this branch has.
            trial: write nothing, and list the conflicts whatever the policy.
            author: who, for the log and for undo.
            message: why, for the log.
            request_id: a repeated request merges once.

        Raises:
            Conflict: the two disagree, and the policy is `fail`.
            NotFound: there is no branch `target`.
        """
        change = Change("merge", message or f"{self.branch_name} into {target}", author, request_id)
        branch = self._branch.named(target)
        return merge_into(branch, self._showing, self.head, change, policy=policy, trial=trial)

    def branches(self) -> list[BranchSummary]:
        """Returns the branches of this world, by name."""
        return refs.branches(self._branch)

    def delete_branch(self, name: str, *, request_id: str = "") -> None:
        """Removes a branch, durable on return; `dropped` remembers its head for 30 days.

        Raises:
            NotFound: there is no such branch.
            FailedPrecondition: it is the main branch.
        """
        refs.delete_branch(self._branch, name, request_id)

    def tags(self) -> list[BranchSummary]:
        """Returns the tags of this world, by name."""
        return refs.tags(self._branch)

    def tag(self, name: str, commit: str = "", *, request_id: str = "") -> BranchSummary:
        """Names a commit for good, durable on return; to move a tag, delete it first.

        Args:
            name: lower-case letters, digits and '-', a letter first; no branch or tag bears it.
            commit: the revision that is named, "" for this one.
            request_id: a repeated request finds the tag that its first try made.

        Raises:
            AlreadyExists: the name is taken.
        """
        return refs.tag(self._branch, name, self._resolved(commit), request_id)

    def delete_tag(self, name: str, *, request_id: str = "") -> None:
        """Removes a tag, durable on return; `dropped` remembers its commit for 30 days.

        Raises:
            NotFound: there is no such tag.
        """
        refs.delete_tag(self._branch, name, request_id)

    def reset(self, commit: str, *, expected_head: str = "", request_id: str = "") -> CommitSummary:
        """Moves the branch to a commit of this world and returns it; `dropped` remembers the old head for 30 days.

        Raises:
            Conflict: the branch is not at `expected_head`.
        """
        self._require_live("reset")
        return refs.reset(self._branch, self._resolved(commit), expected_head, request_id)

    def dropped(self) -> list[DroppedHead]:
        """Returns the heads that resets and removals left in the last 30 days, newest first."""
        return refs.dropped(self._branch)

    def _difference(self, before: str, after: str) -> Diff:
        """Returns how commits differ, with patch ids and without pictures."""
        first, second = self._resolved(before), self._resolved(after)
        was, now = (Draft(self._showing, self._showing.layers(commit)) for commit in (first, second))
        return Diff(first, second, layer_diffs(was, now, patches=True))

    def _resolved(self, revision: str) -> str:
        return resolve(self._branch, revision) if revision else self.head

    def _change(self, operation: str, message: str, author: str, request_id: str) -> Change:
        self._require_live("change")
        return Change(operation, message, author, request_id)

    def _require_live(self, verb: str) -> None:
        if self._pinned:
            raise ReadOnly(f"{self._branch.record.name!r} is pinned at {self._pinned}; {verb} the live world.")
