"""EditService: looking at what is meant, changing it, and taking that back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from memstore.camera import Camera
from memstore.database import Database
from memstore.edited import EditRequest
from memstore.errors import InvalidInput
from memstore.service.finding import find_world
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.service.paging import page_size, place_of, token_of
from memstore.service.parts import in_parts
from memstore.service.worlds import checked_request_id
from memstore.v1 import edit_service_pb2 as pb
from memstore.v1.edit_service_pb2_grpc import EditServiceServicer
from memstore.wire.arrays import Outgoing
from memstore.wire.edited import (
    camera_of,
    edit_report_to_message,
    layer_to_message,
    picked_to_message,
    selection_report_to_message,
)
from memstore.wire.fields import require, under
from memstore.wire.operation import operations_from_messages
from memstore.wire.selection import selection_from_message
from memstore.wire.summary import commit_to_message


class Edits(EditServiceServicer):
    """Edits the worlds of a database."""

    def __init__(self, database: Database, offload: Offload, options: ServerOptions) -> None:
        """Serves `database`; its work is done by `offload`."""
        self._database = database
        self._offload = offload
        self._options = options

    async def ApplyEdits(self, request: pb.ApplyEditsRequest, context: Any) -> AsyncIterator[pb.ApplyEditsResponse]:
        """Makes one commit of the operations, or says what they would do."""
        async for part in in_parts(await self._offload.run(lambda: self._applied(request))):
            yield part

    async def InspectSelection(
        self, request: pb.InspectSelectionRequest, context: Any
    ) -> AsyncIterator[pb.InspectSelectionResponse]:
        """Says what a selection means."""
        async for part in in_parts(await self._offload.run(lambda: self._inspected(request))):
            yield part

    async def PickPatch(self, request: pb.PickPatchRequest, context: Any) -> pb.PickPatchResponse:
        """Says which patch a pixel shows."""
        camera = looking(request)

        def pick() -> pb.PickPatchResponse:
            picked = find_world(self._database, request.world, request.commit).pick(camera, request.u, request.v)
            return pb.PickPatchResponse(picked=None if picked is None else picked_to_message(picked))

        return await self._offload.run(pick)

    async def ListLayers(self, request: pb.ListLayersRequest, context: Any) -> pb.ListLayersResponse:
        """Lists layers; all pages are of the commit of the first."""
        return await self._offload.run(lambda: self._layers(request))

    async def Undo(self, request: pb.UndoRequest, context: Any) -> pb.UndoResponse:
        """Takes a step back."""

        def undo() -> pb.UndoResponse:
            world = find_world(self._database, request.world)
            return pb.UndoResponse(commit=commit_to_message(world.undo(**_taking_back(request))))

        return await self._offload.run(undo)

    async def Redo(self, request: pb.RedoRequest, context: Any) -> pb.RedoResponse:
        """Takes an undo back."""

        def redo() -> pb.RedoResponse:
            world = find_world(self._database, request.world)
            return pb.RedoResponse(commit=commit_to_message(world.redo(**_taking_back(request))))

        return await self._offload.run(redo)

    def _applied(self, request: pb.ApplyEditsRequest) -> tuple[pb.ApplyEditsResponse, Outgoing]:
        camera = camera_of(request)
        session = find_world(self._database, request.world).session(edit_request_of(request))
        report = session.preview(camera) if request.validate_only else session.commit()
        response, out = pb.ApplyEditsResponse(), Outgoing(self._options.part_bytes)
        edit_report_to_message(response.report, report, out)
        return response, out

    def _inspected(self, request: pb.InspectSelectionRequest) -> tuple[pb.InspectSelectionResponse, Outgoing]:
        require(request, "selection")
        operations = operations_from_messages(request.operations)
        with under("selection"):
            selection = selection_from_message(request.selection)
        camera, world = camera_of(request), find_world(self._database, request.world)
        session = world.session(EditRequest(operations, base=world.at(request.commit).head))
        report = session.inspect(selection, camera, allow_empty=request.allow_empty)
        response, out = pb.InspectSelectionResponse(), Outgoing(self._options.part_bytes)
        selection_report_to_message(response.report, report, out)
        return response, out

    def _layers(self, request: pb.ListLayersRequest) -> pb.ListLayersResponse:
        place = place_of(request.page_token, (str, int))
        commit, start = (request.commit, 0) if place is None else (str(place[0]), int(place[1]))
        world = find_world(self._database, request.world, commit)
        head = world.head
        end = start + page_size(request.page_size, self._options)
        layers = world.at(head).layers()
        return pb.ListLayersResponse(
            layers=[layer_to_message(layer) for layer in layers[start:end]],
            next_page_token=token_of(head, end) if len(layers) > end else "",
        )


def edit_request_of(request: pb.ApplyEditsRequest) -> EditRequest:
    """Returns what an edit asks for.

    Raises:
        InvalidInput: there are no operations, or an operation or field is no good.
    """
    if not (request.operations or request.validate_only):
        raise InvalidInput("operations is empty; send at least one.", field="operations")
    return EditRequest(
        operations=operations_from_messages(request.operations),
        message=request.message,
        author=request.author,
        request_id=checked_request_id(request.request_id),
        base=request.base,
        expected_head=request.expected_head,
        max_affected=request.max_affected if request.HasField("max_affected") else None,
    )


def looking(request: Any) -> Camera:
    """Returns the camera of a request that must have one.

    Raises:
        InvalidInput: it has none, or a bad one.
    """
    require(request, "camera")
    camera = camera_of(request)
    assert camera is not None
    return camera


def _taking_back(request: pb.UndoRequest | pb.RedoRequest) -> dict[str, Any]:
    return {
        "author": request.author,
        "anyone": request.anyone,
        "message": request.message,
        "request_id": checked_request_id(request.request_id),
    }
