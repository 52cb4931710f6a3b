"""An edit block for `async` code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Literal

from memstore.camera import Camera
from memstore.edited import EditReport, EditRequest, OperationReport
from memstore.editing import Chosen, Operations, Selected, read_chosen
from memstore.operation import Operation
from memstore.wire.names import WorldName
from memstore_client.aio.transport import Transport
from memstore_client.answering import Limits
from memstore_client.edit_requests import apply_edits, inspect_selection, preview_edits


class AsyncEdit(Operations):
    """One commit, or nothing. Use it with `async with`; an error inside, or `abort`, leaves the world as it was.

    Operations are gathered without waiting; `select`, `preview` and the end of the block ask the server.
    """

    def __init__(
        self,
        transport: Transport,
        world: WorldName,
        request: EditRequest,
        limits: Limits,
        timeout_s: float | None,
        head: Callable[[], Awaitable[str]],
    ) -> None:
        """Prepares the edit; entering pins it to `head`. `RemoteWorld.edit` is the door."""
        super().__init__(str(transport.target.address))
        self._transport = transport
        self._world = world
        self._request = request
        self._limits = limits
        self._timeout_s = timeout_s
        self._head = head
        self.report: EditReport | None = None
        """What the edit did; `None` until the block has ended, and when there was nothing to do."""

    async def select(
        self, chosen: Chosen, *, name: str = "", allow_empty: bool = False, camera: Camera | None = None
    ) -> Selected:
        """Returns a selection with its count, bounds and picture; as in `memstore.editing.Edit`."""
        selection, known, empty = read_chosen(chosen)
        fine, base, options = allow_empty or empty, self._request.base, self._transport.target.options
        asked = inspect_selection(self._world, base, self.operations, selection, camera, fine, self._limits, options)
        return Selected(selection, await self._transport.answer(asked, self._timeout_s), name or known, fine)

    async def preview(self, camera: Camera | None = None) -> EditReport:
        """Returns what the operations so far would do: counts, bounds, pictures before and after. Writes nothing."""
        options = self._transport.target.options
        asked = preview_edits(self._world, self._gathered(), camera, self._limits, options)
        return self._learn(await self._transport.answer(asked, self._timeout_s))

    def abort(self) -> None:
        """Ends the edit without a commit. Idempotent."""
        self._over = True

    def _try(self, operation: Operation) -> OperationReport | None:
        return None

    def _gathered(self) -> EditRequest:
        return replace(self._request, operations=tuple(self.operations))

    async def __aenter__(self) -> AsyncEdit:
        self._request = replace(self._request, base=await self._head())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if error is None and not self._over and self.operations:
            asked = apply_edits(self._world, self._gathered(), self._limits, self._transport.target.options)
            self.report = self._learn(await self._transport.answer(asked, self._timeout_s))
        self._over = True
        return False
