"""The verbs of a world on a server that read and shape its history, for `async` code."""

from __future__ import annotations

from memstore.camera import Camera
from memstore.compared import Blamed, BranchSummary, Diff, DroppedHead, MergeReport, Policy
from memstore.edited import EditReport
from memstore.summary import CommitSummary
from memstore_client import history_requests
from memstore_client.aio.transport import Transport
from memstore_client.answering import OnProgress
from memstore_client.view import WorldView


class RemoteHistory(WorldView):
    """History: the verbs of `memstore.world.World`, awaited."""

    _transport: Transport

    async def show(self, commit: str = "", *, timeout_s: float | None = None) -> CommitSummary:
        """Returns the step of a commit: an id, a prefix of it that only one has, a tag or a branch; "" for this one.

        Raises:
            NotFound: the world has no such commit.
        """
        return await self._transport.unary(history_requests.get_commit(self._name, commit or self._pinned), timeout_s)

    async def revert(
        self,
        commit: str,
        *,
        author: str = "",
        message: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> CommitSummary:
        """Takes the step of a commit back, however old, and leaves what came since.

        Raises:
            Conflict: later steps changed the same.
        """
        call = history_requests.revert(self._live("change"), commit, author, message, request_id)
        return await self._transport.unary(call, timeout_s)

    async def branches(self, *, timeout_s: float | None = None) -> list[BranchSummary]:
        """Returns the branches, by name."""
        return await self._transport.pages(lambda token: history_requests.list_branches(self._name, token), timeout_s)

    async def delete_branch(self, name: str, *, request_id: str = "", timeout_s: float | None = None) -> None:
        """Removes a branch; its head is kept for 30 days.

        Raises:
            NotFound: there is no such branch.
        """
        await self._transport.unary(history_requests.delete_branch(self._name, name, request_id), timeout_s)

    async def tag(
        self, name: str, commit: str = "", *, request_id: str = "", timeout_s: float | None = None
    ) -> BranchSummary:
        """Names a commit for good: this head, or another revision.

        Raises:
            AlreadyExists: the name is taken.
        """
        call = history_requests.create_tag(self._name, name, commit or self._pinned, request_id)
        return await self._transport.unary(call, timeout_s)

    async def tags(self, *, timeout_s: float | None = None) -> list[BranchSummary]:
        """Returns the tags, by name."""
        return await self._transport.pages(lambda token: history_requests.list_tags(self._name, token), timeout_s)

    async def delete_tag(self, name: str, *, request_id: str = "", timeout_s: float | None = None) -> None:
        """Removes a tag.

        Raises:
            NotFound: there is no such tag.
        """
        await self._transport.unary(history_requests.delete_tag(self._name, name, request_id), timeout_s)

    async def diff(
        self,
        before: str,
        after: str = "",
        *,
        camera: Camera | None = None,
        patches: bool = False,
        timeout_s: float | None = None,
    ) -> Diff:
        """Returns how one revision differs from another, this head by default, with pictures.

        Args:
            before: revision of the state before.
            after: revision of the state after; "" for this head.
            camera: where the pictures are taken from; chosen where it is not given.
            patches: whether to list the ids of patches.
            timeout_s: how long the answer may take.
        """
        asked = history_requests.diff_commits(
            self._name, before, after or self._pinned, camera, patches, self._limits, self._target.options
        )
        return await self._transport.answer(asked, timeout_s)

    async def blame(self, camera: Camera, u: float, v: float, *, timeout_s: float | None = None) -> Blamed | None:
        """Returns the steps that put the patch there that a pixel shows, `None` where memory shows nothing."""
        call = history_requests.blame_patch(self._name, self._pinned, camera, u, v)
        return await self._transport.unary(call, timeout_s)

    async def merge_into(
        self,
        target: str,
        *,
        policy: Policy = "fail",
        trial: bool = False,
        author: str = "",
        message: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> MergeReport:
        """Merges what this branch did into another: one commit there, undone as one step. Disjoint work merges clean.

        Args:
            target: name of the branch that it is merged into.
            policy: what to do about conflicts: refuse, keep the target's state, or take this branch's.
            trial: write nothing, and list the conflicts.
            author: who, for the log and for undo.
            message: why, for the log.
            request_id: name of this merge; sent again, it is carried out once.
            timeout_s: how long the answer may take.

        Raises:
            Conflict: the two sides disagree, and the policy is `fail`.
        """
        call = history_requests.merge_branch(
            self._name, self._pinned, target, policy, trial, author, message, request_id
        )
        return await self._transport.unary(call, timeout_s)

    async def reset(
        self, commit: str, *, expected_head: str = "", request_id: str = "", timeout_s: float | None = None
    ) -> CommitSummary:
        """Moves the branch to a revision; the head it leaves is kept for 30 days.

        Raises:
            Conflict: the head is not `expected_head`.
        """
        call = history_requests.reset_branch(self._live("reset"), commit, expected_head, request_id)
        return await self._transport.unary(call, timeout_s)

    async def dropped(self, *, timeout_s: float | None = None) -> list[DroppedHead]:
        """Returns the heads that resets and removed branches left, newest first."""
        return await self._transport.pages(
            lambda token: history_requests.list_dropped_heads(self._name, token), timeout_s
        )

    async def flatten(
        self,
        *,
        author: str = "",
        message: str = "",
        request_id: str = "",
        everything: bool = False,
        on_progress: OnProgress | None = None,
        timeout_s: float | None = None,
    ) -> EditReport:
        """Rewrites what many edits have scattered into fresh segments, so that it is found faster; all looks the same.

        Args:
            author: who, for the log and for undo.
            message: why, for the log.
            request_id: name of this work; sent again, it is carried out once.
            everything: rewrite all that the branch shows, scattered or not.
            on_progress: called with what is done, how much there is, and the stage.
            timeout_s: how long the server may say nothing.
        """
        name = self._live("flatten")
        asked = history_requests.flatten_branch(name, author, message, request_id, everything, on_progress)
        idle_s = self._silence_s() if timeout_s is None else timeout_s
        (report,) = [report async for report in self._transport.stream(asked, idle_s=idle_s)]
        return report
