"""An edit of a world on a server: gathered here, worked out there."""

from __future__ import annotations

from dataclasses import replace

from memstore.camera import Camera
from memstore.edited import EditReport, EditRequest, OperationReport, SelectionReport
from memstore.operation import Operation
from memstore.selection import Selection
from memstore.wire.names import WorldName
from memstore_client.answering import Limits
from memstore_client.edit_requests import apply_edits, inspect_selection, preview_edits
from memstore_client.transport import Transport


class RemoteEditSession:
    """The `EditSession` of a world on a server. Its request id makes a commit that is sent again happen once."""

    def __init__(
        self, transport: Transport, world: WorldName, request: EditRequest, limits: Limits, timeout_s: float | None
    ) -> None:
        """Gathers operations for `request`, which is pinned to its `base`."""
        self._transport = transport
        self._world = world
        self._request = request
        self._limits = limits
        self._timeout_s = timeout_s
        self._operations: list[Operation] = []

    def add(self, operation: Operation) -> OperationReport | None:
        """Keeps an operation for later."""
        self._operations.append(operation)

    def inspect(self, selection: Selection, camera: Camera | None, *, allow_empty: bool) -> SelectionReport:
        """Says what a selection means after the operations so far."""
        base, operations, options = self._request.base, self._operations, self._transport.target.options
        asked = inspect_selection(self._world, base, operations, selection, camera, allow_empty, self._limits, options)
        return self._transport.answer(asked, self._timeout_s)

    def preview(self, camera: Camera | None) -> EditReport:
        """Says what the operations so far would do; writes nothing."""
        options = self._transport.target.options
        asked = preview_edits(self._world, self._gathered(), camera, self._limits, options)
        return self._transport.answer(asked, self._timeout_s)

    def commit(self) -> EditReport:
        """Makes one commit of the operations, durable on return."""
        asked = apply_edits(self._world, self._gathered(), self._limits, self._transport.target.options)
        return self._transport.answer(asked, self._timeout_s)

    def _gathered(self) -> EditRequest:
        return replace(self._request, operations=tuple(self._operations))
