"""Requests of the history service, as values ready for any transport."""

from __future__ import annotations

from memstore.camera import Camera
from memstore.compared import Blamed, BranchSummary, Diff, DroppedHead, MergeReport, Policy
from memstore.summary import CommitSummary
from memstore.v1 import history_service_pb2 as pb
from memstore.wire.compared import (
    blamed_from_message,
    branch_from_message,
    diff_from_message,
    dropped_from_message,
    merge_from_message,
)
from memstore.wire.names import WorldName
from memstore.wire.values import camera_to_message
from memstore_client.answering import Answer, Flattening, Limits, OnProgress
from memstore_client.edit_requests import commit_of
from memstore_client.options import TransportOptions
from memstore_client.requests import MAX_PAGE, Call, Page, new_request_id, nothing_of, sendable
from memstore_client.rpc import RPCS


def get_commit(world: WorldName, revision: str) -> Call[CommitSummary]:
    """Says what one step was."""
    request = sendable(lambda: pb.GetCommitRequest(world=str(world), revision=revision))
    return Call(RPCS["GetCommit"], request, "metadata", commit_of)


def revert(world: WorldName, revision: str, author: str, message: str, request_id: str) -> Call[CommitSummary]:
    """Takes one step back."""
    named = request_id or new_request_id()
    request = sendable(
        lambda: pb.RevertRequest(world=str(world), revision=revision, author=author, message=message, request_id=named)
    )
    return Call(RPCS["Revert"], request, "edit", commit_of)


def create_branch(world: WorldName, name: str, revision: str, request_id: str) -> Call[BranchSummary]:
    """Begins a branch."""
    named = request_id or new_request_id()
    request = sendable(
        lambda: pb.CreateBranchRequest(world=str(world), branch_id=name, revision=revision, request_id=named)
    )
    return Call(RPCS["CreateBranch"], request, "edit", lambda response: branch_from_message(response.branch))


def list_branches(world: WorldName, token: str) -> Call[Page[BranchSummary]]:
    """Lists branches, a page at a time."""
    request = pb.ListBranchesRequest(world=str(world), page_size=MAX_PAGE, page_token=token)
    return Call(RPCS["ListBranches"], request, "metadata", _branches)


def delete_branch(world: WorldName, name: str, request_id: str) -> Call[None]:
    """Removes a branch."""
    named = request_id or new_request_id()
    request = sendable(lambda: pb.DeleteBranchRequest(world=str(world), branch_id=name, request_id=named))
    return Call(RPCS["DeleteBranch"], request, "edit", nothing_of)


def create_tag(world: WorldName, name: str, revision: str, request_id: str) -> Call[BranchSummary]:
    """Names a commit."""
    named = request_id or new_request_id()
    request = sendable(lambda: pb.CreateTagRequest(world=str(world), tag_id=name, revision=revision, request_id=named))
    return Call(RPCS["CreateTag"], request, "edit", lambda response: branch_from_message(response.tag))


def list_tags(world: WorldName, token: str) -> Call[Page[BranchSummary]]:
    """Lists tags, a page at a time."""
    request = pb.ListTagsRequest(world=str(world), page_size=MAX_PAGE, page_token=token)
    return Call(RPCS["ListTags"], request, "metadata", _tags)


def delete_tag(world: WorldName, name: str, request_id: str) -> Call[None]:
    """Removes a tag."""
    named = request_id or new_request_id()
    request = sendable(lambda: pb.DeleteTagRequest(world=str(world), tag_id=name, request_id=named))
    return Call(RPCS["DeleteTag"], request, "edit", nothing_of)


def diff_commits(
    world: WorldName,
    before: str,
    after: str,
    camera: Camera | None,
    patches: bool,
    limits: Limits,
    options: TransportOptions,
) -> Answer[Diff]:
    """Says how two commits differ."""
    request = sendable(
        lambda: pb.DiffCommitsRequest(
            world=str(world),
            before=before,
            after=after,
            camera=None if camera is None else camera_to_message(camera),
            patches=patches,
        )
    )
    return Answer(RPCS["DiffCommits"], request, diff_from_message, limits, options.query_timeout_s)


def blame_patch(world: WorldName, commit: str, camera: Camera, u: float, v: float) -> Call[Blamed | None]:
    """Says which steps put a patch there."""
    request = sendable(
        lambda: pb.BlamePatchRequest(world=str(world), commit=commit, camera=camera_to_message(camera), u=u, v=v)
    )
    return Call(RPCS["BlamePatch"], request, "query", _blamed)


def merge_branch(
    world: WorldName,
    commit: str,
    target: str,
    policy: Policy,
    trial: bool,
    author: str,
    message: str,
    request_id: str,
) -> Call[MergeReport]:
    """Merges one branch into another."""
    request = sendable(
        lambda: pb.MergeBranchRequest(
            world=str(world),
            commit=commit,
            target=target,
            policy=policy,
            validate_only=trial,
            author=author,
            message=message,
            request_id=request_id or new_request_id(),
        )
    )
    return Call(RPCS["MergeBranch"], request, "edit", merge_from_message)


def reset_branch(world: WorldName, revision: str, expected_head: str, request_id: str) -> Call[CommitSummary]:
    """Moves a branch."""
    named = request_id or new_request_id()
    request = sendable(
        lambda: pb.ResetBranchRequest(
            world=str(world), revision=revision, expected_head=expected_head, request_id=named
        )
    )
    return Call(RPCS["ResetBranch"], request, "edit", commit_of)


def list_dropped_heads(world: WorldName, token: str) -> Call[Page[DroppedHead]]:
    """Lists heads that were left, a page at a time."""
    request = pb.ListDroppedHeadsRequest(world=str(world), page_size=MAX_PAGE, page_token=token)
    return Call(RPCS["ListDroppedHeads"], request, "metadata", _dropped)


def flatten_branch(
    world: WorldName, author: str, message: str, request_id: str, everything: bool, on_progress: OnProgress | None
) -> Flattening:
    """Flattens a branch."""
    named = request_id or new_request_id()
    request = sendable(
        lambda: pb.FlattenBranchRequest(
            world=str(world), author=author, message=message, request_id=named, everything=everything
        )
    )
    return Flattening(request, on_progress)


def _branches(response: pb.ListBranchesResponse) -> Page[BranchSummary]:
    return Page(tuple(branch_from_message(branch) for branch in response.branches), response.next_page_token)


def _tags(response: pb.ListTagsResponse) -> Page[BranchSummary]:
    return Page(tuple(branch_from_message(tag) for tag in response.tags), response.next_page_token)


def _dropped(response: pb.ListDroppedHeadsResponse) -> Page[DroppedHead]:
    return Page(tuple(dropped_from_message(head) for head in response.heads), response.next_page_token)


def _blamed(response: pb.BlamePatchResponse) -> Blamed | None:
    return blamed_from_message(response.blamed) if response.HasField("blamed") else None
