"""HistoryService: the steps that a world has taken, its branches and tags, and how they differ and join."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, get_args

from memstore.compared import BranchSummary, Policy
from memstore.database import Database
from memstore.edited import EditReport
from memstore.service.edits import looking
from memstore.service.finding import find_world
from memstore.service.job import OnProgress, Progress, followed
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.service.paging import page_of, page_size, place_of, token_of
from memstore.service.parts import in_parts
from memstore.service.worlds import checked_request_id
from memstore.v1 import history_service_pb2 as pb
from memstore.v1.history_service_pb2_grpc import HistoryServiceServicer
from memstore.wire.arrays import Outgoing
from memstore.wire.compared import (
    blamed_to_message,
    branch_to_message,
    diff_to_message,
    dropped_to_message,
    merge_to_message,
    tag_to_message,
)
from memstore.wire.edited import camera_of, edit_report_to_message
from memstore.wire.fields import word
from memstore.wire.summary import commit_to_message
from memstore.world import World


class History(HistoryServiceServicer):
    """Serves the history of worlds."""

    def __init__(self, database: Database, offload: Offload, options: ServerOptions) -> None:
        """Serves `database`; its work is done by `offload`."""
        self._database = database
        self._offload = offload
        self._options = options

    async def ListCommits(self, request: pb.ListCommitsRequest, context: Any) -> pb.ListCommitsResponse:
        """Lists steps, newest first; all pages are of the commit of the first."""
        return await self._offload.run(lambda: self._page(request))

    async def GetCommit(self, request: pb.GetCommitRequest, context: Any) -> pb.GetCommitResponse:
        """Says what one step was."""
        shown = await self._offload.run(lambda: self._world(request).show(request.revision))
        return pb.GetCommitResponse(commit=commit_to_message(shown))

    async def Revert(self, request: pb.RevertRequest, context: Any) -> pb.RevertResponse:
        """Takes one step back."""

        def revert() -> pb.RevertResponse:
            made = self._world(request).revert(request.revision, **_about(request))
            return pb.RevertResponse(commit=commit_to_message(made))

        return await self._offload.run(revert)

    async def CreateBranch(self, request: pb.CreateBranchRequest, context: Any) -> pb.CreateBranchResponse:
        """Begins a branch."""

        request_id = checked_request_id(request.request_id)

        def create() -> pb.CreateBranchResponse:
            world, name = self._world(request), request.branch_id
            branch = world.branch(name, create=True, at=request.revision, request_id=request_id)
            made = BranchSummary(branch.branch_name, branch.head)
            return pb.CreateBranchResponse(branch=branch_to_message(made))

        return await self._offload.run(create)

    async def ListBranches(self, request: pb.ListBranchesRequest, context: Any) -> pb.ListBranchesResponse:
        """Lists branches, by name."""
        branches = await self._offload.run(lambda: self._world(request).branches())
        page, token = self._by_name(branches, request)
        return pb.ListBranchesResponse(branches=[branch_to_message(one) for one in page], next_page_token=token)

    async def DeleteBranch(self, request: pb.DeleteBranchRequest, context: Any) -> pb.DeleteBranchResponse:
        """Removes a branch."""
        request_id = checked_request_id(request.request_id)
        await self._offload.run(lambda: self._world(request).delete_branch(request.branch_id, request_id=request_id))
        return pb.DeleteBranchResponse()

    async def CreateTag(self, request: pb.CreateTagRequest, context: Any) -> pb.CreateTagResponse:
        """Names a commit."""
        request_id = checked_request_id(request.request_id)

        def create() -> pb.CreateTagResponse:
            made = self._world(request).tag(request.tag_id, request.revision, request_id=request_id)
            return pb.CreateTagResponse(tag=tag_to_message(made))

        return await self._offload.run(create)

    async def ListTags(self, request: pb.ListTagsRequest, context: Any) -> pb.ListTagsResponse:
        """Lists tags, by name."""
        tags = await self._offload.run(lambda: self._world(request).tags())
        page, token = self._by_name(tags, request)
        return pb.ListTagsResponse(tags=[tag_to_message(one) for one in page], next_page_token=token)

    async def DeleteTag(self, request: pb.DeleteTagRequest, context: Any) -> pb.DeleteTagResponse:
        """Removes a tag."""
        request_id = checked_request_id(request.request_id)
        await self._offload.run(lambda: self._world(request).delete_tag(request.tag_id, request_id=request_id))
        return pb.DeleteTagResponse()

    async def DiffCommits(self, request: pb.DiffCommitsRequest, context: Any) -> AsyncIterator[pb.DiffCommitsResponse]:
        """Says how two commits differ."""
        async for part in in_parts(await self._offload.run(lambda: self._compared(request))):
            yield part

    async def BlamePatch(self, request: pb.BlamePatchRequest, context: Any) -> pb.BlamePatchResponse:
        """Says which steps put a patch there."""
        camera = looking(request)

        def blame() -> pb.BlamePatchResponse:
            world = find_world(self._database, request.world, request.commit)
            blamed = world.blame(camera, request.u, request.v)
            return pb.BlamePatchResponse(blamed=None if blamed is None else blamed_to_message(blamed))

        return await self._offload.run(blame)

    async def MergeBranch(self, request: pb.MergeBranchRequest, context: Any) -> pb.MergeBranchResponse:
        """Merges one branch into another, or lists what they disagree on."""
        policy = word(request.policy or get_args(Policy)[0], Policy, "policy")

        def merge() -> pb.MergeBranchResponse:
            world, trial = find_world(self._database, request.world, request.commit), request.validate_only
            return merge_to_message(world.merge_into(request.target, policy=policy, trial=trial, **_about(request)))

        return await self._offload.run(merge)

    async def ResetBranch(self, request: pb.ResetBranchRequest, context: Any) -> pb.ResetBranchResponse:
        """Moves a branch."""
        request_id = checked_request_id(request.request_id)

        def reset() -> pb.ResetBranchResponse:
            world = self._world(request)
            head = world.reset(request.revision, expected_head=request.expected_head, request_id=request_id)
            return pb.ResetBranchResponse(commit=commit_to_message(head))

        return await self._offload.run(reset)

    async def ListDroppedHeads(self, request: pb.ListDroppedHeadsRequest, context: Any) -> pb.ListDroppedHeadsResponse:
        """Lists heads that were left, newest first."""
        heads = await self._offload.run(lambda: self._world(request).dropped())
        size = page_size(request.page_size, self._options)
        page, token = page_of(
            heads, lambda head: (-head.time_s, head.branch, head.commit), request.page_token, (float, str, str), size
        )
        return pb.ListDroppedHeadsResponse(heads=[dropped_to_message(head) for head in page], next_page_token=token)

    async def FlattenBranch(
        self, request: pb.FlattenBranchRequest, context: Any
    ) -> AsyncIterator[pb.FlattenBranchResponse]:
        """Flattens a branch, telling how far it has come."""
        about = _about(request)

        def flatten(on_progress: OnProgress) -> EditReport:
            return self._world(request).flatten(**about, everything=request.everything, on_progress=on_progress)

        news = followed(self._offload, flatten, self._options.heartbeat_s)
        async with aclosing(news):
            async for event in news:
                if isinstance(event, Progress):
                    yield pb.FlattenBranchResponse(progress=pb.Progress(**vars(event)))
                else:
                    response = pb.FlattenBranchResponse()
                    edit_report_to_message(response.report, event, Outgoing())
                    yield response

    def _world(self, request: Any) -> World:
        return find_world(self._database, request.world)

    def _page(self, request: pb.ListCommitsRequest) -> pb.ListCommitsResponse:
        place = place_of(request.page_token, (str, int))
        commit, start = (request.commit, 0) if place is None else (str(place[0]), int(place[1]))
        world = find_world(self._database, request.world, commit)
        head = world.head
        end = start + page_size(request.page_size, self._options)
        steps = world.at(head).log(limit=end + 1)
        return pb.ListCommitsResponse(
            commits=[commit_to_message(step) for step in steps[start:end]],
            next_page_token=token_of(head, end) if len(steps) > end else "",
        )

    def _by_name(
        self, entries: list[BranchSummary], request: pb.ListBranchesRequest | pb.ListTagsRequest
    ) -> tuple[list[BranchSummary], str]:
        size = page_size(request.page_size, self._options)
        return page_of(entries, lambda entry: (entry.name,), request.page_token, (str,), size)

    def _compared(self, request: pb.DiffCommitsRequest) -> tuple[pb.DiffCommitsResponse, Outgoing]:
        world = self._world(request)
        diff = world.diff(request.before, request.after, camera=camera_of(request), patches=request.patches)
        response, out = pb.DiffCommitsResponse(), Outgoing(self._options.part_bytes)
        diff_to_message(response.diff, diff, out)
        return response, out


def _about(request: Any) -> dict[str, Any]:
    return {
        "author": request.author,
        "message": request.message,
        "request_id": checked_request_id(request.request_id),
    }
