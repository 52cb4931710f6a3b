"""The verbs of a world on a server that edit it, for `async` code."""

from __future__ import annotations

from memstore.camera import Camera
from memstore.edited import EditReport, EditRequest, LayerSummary, Picked, SelectionReport
from memstore.editing import NamedWorld, read_chosen, require_here
from memstore.operation import Align
from memstore.selection import Selection
from memstore.shape import Shape
from memstore.summary import CommitSummary
from memstore.transform import Transform
from memstore_client import edit_requests, requests
from memstore_client.aio.editing import AsyncEdit
from memstore_client.aio.transport import Transport
from memstore_client.view import WorldView


class RemoteEdits(WorldView):
    """Editing: the verbs of `memstore.world.World`, awaited."""

    _transport: Transport

    def edit(
        self,
        message: str = "",
        *,
        author: str = "",
        request_id: str = "",
        expected_head: str = "",
        max_affected: int | None = None,
        timeout_s: float | None = None,
    ) -> AsyncEdit:
        """Opens an edit, to be used with `async with`: one commit, or nothing.

        Operations are gathered here; `select`, `preview` and the end of the block ask the server.

        Args:
            message: why, for the log.
            author: who, for the log and for undo.
            request_id: name of this edit; sent again, it is carried out once.
            expected_head: refuse when the head is another commit at the end.
            max_affected: refuse when more instances of patches than this would be hidden, shown or moved.
            timeout_s: how long each question to the server may take.
        """
        name = self._live("edit")
        named = request_id or requests.new_request_id()
        request = EditRequest((), message, author, named, "", expected_head, max_affected)
        return AsyncEdit(self._transport, name, request, self._limits, timeout_s, self._head)

    async def _head(self) -> str:
        return (await self._transport.unary(requests.get_world(self._name), None)).head

    async def stitch(
        self,
        world: str | NamedWorld,
        at: Transform | None = None,
        *,
        align: Align = "none",
        region: Shape | None = None,
        commit: str = "",
        sky: bool = False,
        name: str = "",
        message: str = "",
        author: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> EditReport:
        """Shows another world joined to this one at `at`, in one commit; see `Edit.stitch`."""
        require_here(world, self.place)
        edit = self.edit(message, author=author, request_id=request_id, timeout_s=timeout_s)
        async with edit:
            edit.stitch(world, at, align=align, region=region, commit=commit, sky=sky, name=name)
        assert edit.report is not None
        return edit.report

    async def layers(self, *, timeout_s: float | None = None) -> list[LayerSummary]:
        """Returns the layers."""

        def page(token: str) -> requests.Call[requests.Page[LayerSummary]]:
            return edit_requests.list_layers(self._name, self._pinned, token)

        return await self._transport.pages(page, timeout_s)

    async def select(
        self,
        selection: Selection,
        *,
        camera: Camera | None = None,
        allow_empty: bool = False,
        timeout_s: float | None = None,
    ) -> SelectionReport:
        """Returns what a selection means, with its bounds and a picture.

        Raises:
            InvalidInput: nothing is selected; the message names the nearest patches and the bounds.
        """
        chosen, options = read_chosen(selection)[0], self._target.options
        asked = edit_requests.inspect_selection(
            self._name, self._pinned, (), chosen, camera, allow_empty, self._limits, options
        )
        return await self._transport.answer(asked, timeout_s)

    async def pick(self, camera: Camera, u: float, v: float, *, timeout_s: float | None = None) -> Picked | None:
        """Returns the patch that a pixel shows, `None` where memory shows nothing."""
        return await self._transport.unary(edit_requests.pick_patch(self._name, self._pinned, camera, u, v), timeout_s)

    async def undo(
        self,
        *,
        author: str = "",
        anyone: bool = False,
        message: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> CommitSummary:
        """Takes back the newest step of `author`, or of anyone, that can be; what others did since stays.

        Raises:
            FailedPrecondition: there is nothing to undo.
            Conflict: later steps changed the same.
        """
        call = edit_requests.undo(self._live("change"), author, anyone, message, request_id)
        return await self._transport.unary(call, timeout_s)

    async def redo(
        self,
        *,
        author: str = "",
        anyone: bool = False,
        message: str = "",
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> CommitSummary:
        """Takes the newest undo of `author`, or of anyone, back.

        Raises:
            FailedPrecondition: there is nothing to redo.
        """
        call = edit_requests.redo(self._live("change"), author, anyone, message, request_id)
        return await self._transport.unary(call, timeout_s)
