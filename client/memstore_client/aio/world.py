"""A world on a server, for `async` code: the verbs of the embedded one, awaited."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, overload

import numpy as np
from jaxtyping import Integer

from memstore.camera import Camera
from memstore.frame import Frame
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.stored import StoredPatches
from memstore.summary import Bounds, CommitSummary, HeadMoved, WorldSummary
from memstore_client import history_requests, requests
from memstore_client.aio.edits import RemoteEdits
from memstore_client.aio.history import RemoteHistory
from memstore_client.aio.ingest import RemoteIngest
from memstore_client.aio.transport import Transport
from memstore_client.reading import Watching
from memstore_client.requests import ServerInfo


class RemoteWorld(RemoteEdits, RemoteHistory):
    """One branch of a world, live, or pinned to a commit by `at`."""

    def __init__(self, transport: Transport, server: ServerInfo, summary: WorldSummary, pinned: str = "") -> None:
        """Speaks through `transport`; `RemoteDatabase.world` is the door."""
        super().__init__(transport.target, server, summary, pinned)
        self._transport = transport

    async def head(self, *, timeout_s: float | None = None) -> str:
        """Returns the commit that is read: the branch's newest, or the pinned one."""
        return self._pinned or (await self.describe(timeout_s=timeout_s)).head

    async def describe(self, *, timeout_s: float | None = None) -> WorldSummary:
        """Returns the world as it stands."""
        self._summary = await self._transport.unary(requests.get_world(self._name, self._pinned), timeout_s)
        return self._summary

    async def at(self, commit: str, *, timeout_s: float | None = None) -> RemoteWorld:
        """Returns this world pinned to a commit of it; reading only."""
        summary = await self._transport.unary(requests.get_world(self._name, commit), timeout_s)
        return RemoteWorld(self._transport, self._server, summary, summary.head)

    async def branch(
        self, name: str, *, create: bool = False, at: str = "", request_id: str = "", timeout_s: float | None = None
    ) -> RemoteWorld:
        """Returns this world on another branch.

        Args:
            name: the branch.
            create: begin the branch, at this head or at the revision `at`.
            at: with `create`: where it begins.
            request_id: with `create`: a repeated request finds the branch that its first try made.
            timeout_s: how long each of two answers may take.

        Raises:
            NotFound: there is no such branch.
            AlreadyExists: with `create`: the name is taken.
        """
        if create:
            call = history_requests.create_branch(self._name, name, at or self._pinned, request_id)
            await self._transport.unary(call, timeout_s)
        summary = await self._transport.unary(requests.get_world(self._branch_called(name)), timeout_s)
        return RemoteWorld(self._transport, self._server, summary)

    def ingest(
        self,
        *,
        message: str = "",
        author: str = "",
        request_id: str = "",
        forgetting: bool | None = None,
        timeout_s: float | None = None,
    ) -> RemoteIngest:
        """Opens an ingest, to be used with `async with`; arguments of the synchronous one."""
        self._live("ingest into")
        return RemoteIngest(self._transport, self._session(message, author, request_id, forgetting), timeout_s)

    @overload
    async def retrieve(
        self, camera: Camera, query: Query | None = None, *, timeout_s: float | None = None, **options: Any
    ) -> Mosaic: ...
    @overload
    async def retrieve(
        self, camera: Sequence[Camera], query: Query | None = None, *, timeout_s: float | None = None, **options: Any
    ) -> list[Mosaic]: ...
    async def retrieve(
        self,
        camera: Camera | Sequence[Camera],
        query: Query | None = None,
        *,
        timeout_s: float | None = None,
        **options: Any,
    ) -> Mosaic | list[Mosaic]:
        """Returns what a camera sees of the memory; for a list of cameras, one mosaic each, of one commit."""
        asked = self._retrieving(camera, Query.of(query, options))
        if asked is None:
            return []
        mosaics = [one async for one in self._transport.stream(asked, timeout_s=self._query_s(timeout_s))]
        return mosaics[0] if isinstance(camera, Camera) else mosaics

    def frames(
        self, start: int = 0, stop: int | None = None, *, as_of: int | None = None, timeout_s: float | None = None
    ) -> AsyncGenerator[Frame, None]:
        """Yields the frames of ordinal `start` to before `stop`, as they went in, one at a time."""
        return self._transport.stream(self._reading_frames(start, stop, as_of), idle_s=self._idle_s(timeout_s))

    async def patches(self, ids: Integer[np.ndarray, "n"], *, timeout_s: float | None = None) -> StoredPatches:
        """Returns patches by id, as they were observed; all or nothing."""
        asked = self._reading_patches(ids)
        (stored,) = [one async for one in self._transport.stream(asked, timeout_s=self._query_s(timeout_s))]
        return stored

    async def bounds(self, *, timeout_s: float | None = None) -> Bounds | None:
        """Returns a box around everything that is shown but the sky, or `None` when nothing is."""
        return await self._transport.unary(requests.get_bounds(self._name, self._pinned), timeout_s)

    async def log(self, limit: int = 50, *, timeout_s: float | None = None) -> list[CommitSummary]:
        """Returns the newest steps, newest first; an ingest is one step."""
        found, token = list[CommitSummary](), ""
        while len(found) < limit:
            call = requests.list_commits(self._name, self._pinned, limit - len(found), token)
            page = await self._transport.unary(call, timeout_s)
            found.extend(page.entries)
            if not (token := page.next_token):
                break
        return found

    def watch(self, *, timeout_s: float | None = None) -> AsyncGenerator[HeadMoved, None]:
        """Yields every new head of the branch, by whichever process; ends when none came for `timeout_s`."""
        return self._transport.stream(Watching(self._name), idle_s=self._silence_s(), until_quiet_s=timeout_s)
