"""Frames into a world on a server, from synchronous code."""

from __future__ import annotations

import time
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Literal

import grpc

from memstore.errors import Internal, MemstoreError
from memstore.frame import Frame
from memstore.v1 import memory_service_pb2 as pb
from memstore_client.backoff import Backoff
from memstore_client.failure import error_of, too_late
from memstore_client.sending import IngestSession, Question
from memstore_client.transport import IdleLimit, Transport


class RemoteIngest:
    """Takes frames into a world. Use it as a context manager; leaving it commits what still waits.

    A server that goes away and comes back within `TransportOptions.resume_s` is not noticed. A frame that the server
    refuses is reported by a later call, at the latest when the block ends; the frames before it are kept.
    """

    def __init__(self, transport: Transport, session: IngestSession, timeout_s: float | None) -> None:
        """Begins the ingest on the server; `RemoteWorld.ingest` is the door."""
        self._transport = transport
        self._session = session
        options = transport.target.options
        self._idle_s = options.idle_timeout_s if timeout_s is None else timeout_s
        self._queue: SimpleQueue[pb.IngestFramesRequest | None] = SimpleQueue()
        self._call: Any = None
        self._idle: IdleLimit | None = None
        self._closed = False
        self._settle()

    @property
    def resume_from(self) -> int:
        """Frames that this request had made durable before: give the next one first."""
        return self._session.resume_from

    @property
    def acknowledged(self) -> int:
        """Frames of this ingest that are known to be durable."""
        return self._session.acknowledged

    @property
    def first_ordinal(self) -> int | None:
        """Ordinal of the first frame taken in, once it is known to be durable."""
        return self._session.first_ordinal

    def add(self, frame: Frame) -> None:
        """Sends a frame, and waits while too many are on the way.

        Raises:
            InvalidInput: its image cannot be cut into patches.
            ResourceLimit: it is larger than the server takes.
        """
        self._session.add(frame)
        self._settle()

    def flush(self) -> int:
        """Makes all frames durable and returns how many of this ingest are."""
        self._ask("flush")
        return self.acknowledged

    def discard(self) -> None:
        """Takes the whole ingest back, frames of an earlier try under the same request too."""
        self._ask("discard")
        self._close()

    def __enter__(self) -> RemoteIngest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        try:
            if not self._closed and (error is None or isinstance(error, Exception)):
                self._finish(error)
        finally:
            self._close()
        return False

    def __repr__(self) -> str:
        return f"RemoteIngest({self._transport.target.address!r}, {self.acknowledged} frames durable)"

    def _finish(self, error: Exception | None) -> None:
        try:
            self._ask("finish")
        except MemstoreError as failure:
            if error is None:
                raise
            error.add_note(f"frames added before this could not be saved either: {failure}")

    def _ask(self, question: Question) -> None:
        self._session.ask(question)
        self._settle()

    def _settle(self) -> None:
        """Sends what may be sent and reads answers until the session is settled."""
        backoff = Backoff(self._transport.target.options)
        while True:
            try:
                self._send()
                if self._session.settled:
                    return
                self._session.receive(self._next_response())
                backoff.progressed()
            except MemstoreError as error:
                self._break_off()
                if self._closed:
                    raise
                wait_s = self._wait_after(error, backoff)
                self._session.interrupted()
                time.sleep(wait_s)

    def _wait_after(self, error: MemstoreError, backoff: Backoff) -> float:
        try:
            return backoff.wait_after(error)
        except MemstoreError:
            self._close()
            raise

    def _send(self) -> None:
        if self._call is None:
            self._queue = SimpleQueue()
            self._call = self._transport.both_ways(self._session.rpc, iter(self._queue.get, None))
            self._idle = IdleLimit(self._idle_s, self._call.cancel)
        for message in self._session.messages():
            self._queue.put(message)

    def _next_response(self) -> pb.IngestFramesResponse:
        idle = self._idle
        assert idle is not None
        idle.begin()
        try:
            return next(self._call)
        except StopIteration:
            raise Internal("the server ended an ingest without saying why.") from None
        except grpc.RpcError as failure:
            if idle.expired:
                raise too_late(self._transport.target.address, self._session.rpc.name, self._idle_s) from failure
            raise error_of(failure, self._transport.target.address, self._session.rpc.name) from failure
        finally:
            idle.pause()

    def _close(self) -> None:
        self._closed = self._session.ended = True
        self._break_off()

    def _break_off(self) -> None:
        if self._call is not None and self._idle is not None:
            self._idle.stop()
            self._queue.put(None)
            self._call.cancel()
        self._call = self._idle = None
