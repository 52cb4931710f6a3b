"""Frames into a world on a server, from `async` code."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Literal

import grpc.aio

from memstore.errors import Internal, MemstoreError
from memstore.frame import Frame
from memstore.v1 import memory_service_pb2 as pb
from memstore_client.aio.transport import END, Transport
from memstore_client.backoff import Backoff
from memstore_client.failure import error_of, too_late
from memstore_client.sending import IngestSession, Question


class RemoteIngest:
    """Takes frames into a world. Use it with `async with`; leaving it commits what still waits.

    A server that goes away and comes back within `TransportOptions.resume_s` is not noticed. A frame that the server
    refuses is reported by a later call, at the latest when the block ends; the frames before it are kept.
    """

    def __init__(self, transport: Transport, session: IngestSession, timeout_s: float | None) -> None:
        """Prepares the ingest; entering begins it. `RemoteWorld.ingest` is the door."""
        self._transport = transport
        self._session = session
        self._idle_s = transport.target.options.idle_timeout_s if timeout_s is None else timeout_s
        self._call: Any = None
        self._closed = False

    @property
    def resume_from(self) -> int:
        """Frames that this request had made durable before: give the next one first. Known once entered."""
        return self._session.resume_from

    @property
    def acknowledged(self) -> int:
        """Frames of this ingest that are known to be durable."""
        return self._session.acknowledged

    @property
    def first_ordinal(self) -> int | None:
        """Ordinal of the first frame taken in, once it is known to be durable."""
        return self._session.first_ordinal

    async def add(self, frame: Frame) -> None:
        """Sends a frame, and waits while too many are on the way.

        Raises:
            InvalidInput: its image cannot be cut into patches.
            ResourceLimit: it is larger than the server takes.
        """
        self._session.add(frame)
        await self._settle()

    async def flush(self) -> int:
        """Makes all frames durable and returns how many of this ingest are."""
        await self._ask("flush")
        return self.acknowledged

    async def discard(self) -> None:
        """Takes the whole ingest back, frames of an earlier try under the same request too."""
        await self._ask("discard")
        self._close()

    async def __aenter__(self) -> RemoteIngest:
        await self._settle()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        try:
            if not self._closed and (error is None or isinstance(error, Exception)):
                await self._finish(error)
        finally:
            self._close()
        return False

    def __repr__(self) -> str:
        return f"RemoteIngest({self._transport.target.address!r}, {self.acknowledged} frames durable, async)"

    async def _finish(self, error: Exception | None) -> None:
        try:
            await self._ask("finish")
        except MemstoreError as failure:
            if error is None:
                raise
            error.add_note(f"frames added before this could not be saved either: {failure}")

    async def _ask(self, question: Question) -> None:
        self._session.ask(question)
        await self._settle()

    async def _settle(self) -> None:
        """Sends what may be sent and reads answers until the session is settled."""
        backoff = Backoff(self._transport.target.options)
        while True:
            try:
                await self._send()
                if self._session.settled:
                    return
                self._session.receive(await self._next_response())
                backoff.progressed()
            except MemstoreError as error:
                self._break_off()
                wait_s = self._wait_after(error, backoff)
                self._session.interrupted()
                await asyncio.sleep(wait_s)

    def _wait_after(self, error: MemstoreError, backoff: Backoff) -> float:
        try:
            return backoff.wait_after(error)
        except MemstoreError:
            self._close()
            raise

    async def _send(self) -> None:
        if self._call is None:
            self._call = self._transport.both_ways(self._session.rpc)
        try:
            for message in self._session.messages():
                await self._call.write(message)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The stream has ended; reading says why, after the last answers.
            while True:
                self._session.receive(await self._next_response())

    async def _next_response(self) -> pb.IngestFramesResponse:
        address, method = self._transport.target.address, self._session.rpc.name
        try:
            async with asyncio.timeout(self._idle_s):
                response = await self._call.read()
        except TimeoutError:
            raise too_late(address, method, self._idle_s) from None
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure, address, method) from failure
        if response is END:
            raise Internal("the server ended an ingest without saying why.")
        return response

    def _close(self) -> None:
        self._closed = self._session.ended = True
        self._break_off()

    def _break_off(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self._call = None
