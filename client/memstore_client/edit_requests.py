"""Requests of the edit service, as values ready for any transport."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memstore.camera import Camera
from memstore.edited import EditReport, EditRequest, LayerSummary, Picked, SelectionReport
from memstore.operation import Operation
from memstore.selection import Selection
from memstore.summary import CommitSummary
from memstore.v1 import edit_service_pb2 as pb
from memstore.wire.edited import (
    edit_report_from_message,
    layer_from_message,
    picked_from_message,
    selection_report_from_message,
)
from memstore.wire.names import WorldName
from memstore.wire.operation import operation_to_message
from memstore.wire.selection import selection_to_message
from memstore.wire.summary import commit_from_message
from memstore.wire.values import camera_to_message
from memstore_client.answering import Answer, Limits
from memstore_client.options import TransportOptions
from memstore_client.requests import MAX_PAGE, Call, Page, new_request_id, sendable
from memstore_client.rpc import RPCS


def apply_edits(
    world: WorldName, request: EditRequest, limits: Limits, options: TransportOptions
) -> Answer[EditReport]:
    """Makes one commit of operations."""
    message = sendable(lambda: _edit(world, request))
    return Answer(RPCS["ApplyEdits"], message, edit_report_from_message, limits, options.edit_timeout_s)


def preview_edits(
    world: WorldName, request: EditRequest, camera: Camera | None, limits: Limits, options: TransportOptions
) -> Answer[EditReport]:
    """Says what operations would do."""
    message = sendable(lambda: _edit(world, request))
    message.validate_only = True
    if camera is not None:
        message.camera.CopyFrom(camera_to_message(camera))
    return Answer(RPCS["ApplyEdits"], message, edit_report_from_message, limits, options.edit_timeout_s)


def inspect_selection(
    world: WorldName,
    commit: str,
    operations: Sequence[Operation],
    selection: Selection,
    camera: Camera | None,
    allow_empty: bool,
    limits: Limits,
    options: TransportOptions,
) -> Answer[SelectionReport]:
    """Says what a selection means after some operations."""
    message = sendable(
        lambda: pb.InspectSelectionRequest(
            world=str(world),
            commit=commit,
            operations=[operation_to_message(operation) for operation in operations],
            selection=selection_to_message(selection),
            camera=None if camera is None else camera_to_message(camera),
            allow_empty=allow_empty,
        )
    )
    return Answer(RPCS["InspectSelection"], message, selection_report_from_message, limits, options.query_timeout_s)


def pick_patch(world: WorldName, commit: str, camera: Camera, u: float, v: float) -> Call[Picked | None]:
    """Says which patch a pixel shows."""
    request = sendable(
        lambda: pb.PickPatchRequest(world=str(world), commit=commit, camera=camera_to_message(camera), u=u, v=v)
    )
    return Call(RPCS["PickPatch"], request, "query", _picked)


def list_layers(world: WorldName, commit: str, token: str) -> Call[Page[LayerSummary]]:
    """Lists layers, a page at a time."""
    request = pb.ListLayersRequest(world=str(world), commit=commit, page_size=MAX_PAGE, page_token=token)
    return Call(RPCS["ListLayers"], request, "metadata", _layers)


def undo(world: WorldName, author: str, anyone: bool, message: str, request_id: str) -> Call[CommitSummary]:
    """Takes a step back."""
    fields = _taking_back(world, author, anyone, message, request_id)
    return Call(RPCS["Undo"], sendable(lambda: pb.UndoRequest(**fields)), "edit", commit_of)


def redo(world: WorldName, author: str, anyone: bool, message: str, request_id: str) -> Call[CommitSummary]:
    """Takes an undo back."""
    fields = _taking_back(world, author, anyone, message, request_id)
    return Call(RPCS["Redo"], sendable(lambda: pb.RedoRequest(**fields)), "edit", commit_of)


def commit_of(response: Any) -> CommitSummary:
    """Returns the commit of an answer."""
    return commit_from_message(response.commit)


def _edit(world: WorldName, request: EditRequest) -> pb.ApplyEditsRequest:
    return pb.ApplyEditsRequest(
        world=str(world),
        operations=[operation_to_message(operation) for operation in request.operations],
        message=request.message,
        author=request.author,
        request_id=request.request_id or new_request_id(),
        base=request.base,
        expected_head=request.expected_head,
        max_affected=request.max_affected,
    )


def _taking_back(world: WorldName, author: str, anyone: bool, message: str, request_id: str) -> dict[str, Any]:
    return {
        "world": str(world),
        "author": author,
        "anyone": anyone,
        "message": message,
        "request_id": request_id or new_request_id(),
    }


def _picked(response: pb.PickPatchResponse) -> Picked | None:
    return picked_from_message(response.picked) if response.HasField("picked") else None


def _layers(response: pb.ListLayersResponse) -> Page[LayerSummary]:
    return Page(tuple(layer_from_message(layer) for layer in response.layers), response.next_page_token)
