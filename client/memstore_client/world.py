"""A world on a server: the same verbs, values and errors as embedded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from memstore_client.edits import RemoteEdits
from memstore_client.history import RemoteHistory
from memstore_client.ingest import RemoteIngest
from memstore_client.reading import Watching
from memstore_client.requests import ServerInfo
from memstore_client.transport import Transport


class RemoteWorld(RemoteEdits, RemoteHistory):
    """One branch of a world, live, or pinned to a commit by `at`."""

    def __init__(self, transport: Transport, server: ServerInfo, summary: WorldSummary, pinned: str = "") -> None:
        """Speaks through `transport`; `RemoteDatabase.world` is the door."""
        super().__init__(transport.target, server, summary, pinned)
        self._transport = transport

    @property
    def head(self) -> str:
        """The commit that is read: the branch's newest, or the pinned one."""
        return self._pinned or self.describe().head

    def describe(self, *, timeout_s: float | None = None) -> WorldSummary:
        """Returns the world as it stands."""
        self._summary = self._transport.unary(requests.get_world(self._name, self._pinned), timeout_s)
        return self._summary

    def at(self, commit: str, *, timeout_s: float | None = None) -> RemoteWorld:
        """Returns this world pinned to a commit of it, an id, a prefix, a tag or a branch; reading only.

        Raises:
            NotFound: the world has no such commit.
        """
        summary = self._transport.unary(requests.get_world(self._name, commit), timeout_s)
        return RemoteWorld(self._transport, self._server, summary, summary.head)

    def branch(
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
            self._transport.unary(call, timeout_s)
        summary = self._transport.unary(requests.get_world(self._branch_called(name)), timeout_s)
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
        """Opens an ingest, to be used as a context manager: one step in the log, saved as it goes.

        Args:
            message: why, for the log.
            author: who, for the log and for undo.
            request_id: name of this ingest; one that was cut off goes on under the same name (`resume_from`).
            forgetting: whether stored patches that the frames look through are retired: a door that opened leaves no
                ghost. On by default, for measured depth; give False for frames that a model made.
            timeout_s: how long the server may say nothing when it is waited for.
        """
        self._live("ingest into")
        return RemoteIngest(self._transport, self._session(message, author, request_id, forgetting), timeout_s)

    @overload
    def retrieve(
        self, camera: Camera, query: Query | None = None, *, timeout_s: float | None = None, **options: Any
    ) -> Mosaic: ...
    @overload
    def retrieve(
        self, camera: Sequence[Camera], query: Query | None = None, *, timeout_s: float | None = None, **options: Any
    ) -> list[Mosaic]: ...
    def retrieve(
        self,
        camera: Camera | Sequence[Camera],
        query: Query | None = None,
        *,
        timeout_s: float | None = None,
        **options: Any,
    ) -> Mosaic | list[Mosaic]:
        """Returns what a camera sees of the memory; for a list of cameras, one mosaic each, of one commit.

        Args:
            camera: one camera, or several.
            query: how patches are chosen.
            timeout_s: how long the answer may take.
            **options: fields of `Query`, instead of `query`.

        Raises:
            InvalidInput: an option or a camera is no good.
        """
        asked = self._retrieving(camera, Query.of(query, options))
        if asked is None:
            return []
        mosaics = list(self._transport.stream(asked, timeout_s=self._query_s(timeout_s)))
        return mosaics[0] if isinstance(camera, Camera) else mosaics

    def frames(
        self, start: int = 0, stop: int | None = None, *, as_of: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Frame]:
        """Yields the frames of ordinal `start` to before `stop`, as they went in, one at a time.

        Args:
            start: first ordinal.
            stop: the ordinal to stop before; `None` for all.
            as_of: leave out frames of a later ordinal.
            timeout_s: how long the server may send nothing.
        """
        yield from self._transport.stream(self._reading_frames(start, stop, as_of), idle_s=self._idle_s(timeout_s))

    def patches(self, ids: Integer[np.ndarray, "n"], *, timeout_s: float | None = None) -> StoredPatches:
        """Returns patches by id, as they were observed; all or nothing.

        Raises:
            NotFound: some id names no patch of this world's segments.
        """
        (stored,) = self._transport.stream(self._reading_patches(ids), timeout_s=self._query_s(timeout_s))
        return stored

    def bounds(self, *, timeout_s: float | None = None) -> Bounds | None:
        """Returns a box around everything that is shown but the sky, or `None` when nothing is."""
        return self._transport.unary(requests.get_bounds(self._name, self._pinned), timeout_s)

    def log(self, limit: int = 50, *, timeout_s: float | None = None) -> list[CommitSummary]:
        """Returns the newest steps, newest first; an ingest is one step."""
        found, token = list[CommitSummary](), ""
        while len(found) < limit:
            call = requests.list_commits(self._name, self._pinned, limit - len(found), token)
            page = self._transport.unary(call, timeout_s)
            found.extend(page.entries)
            if not (token := page.next_token):
                break
        return found

    def watch(self, *, timeout_s: float | None = None) -> Iterator[HeadMoved]:
        """Yields every new head of the branch, by whichever process; ends when none came for `timeout_s`.

        A connection that breaks is opened again, and what happened meanwhile is told.
        """
        yield from self._transport.stream(Watching(self._name), idle_s=self._silence_s(), until_quiet_s=timeout_s)
