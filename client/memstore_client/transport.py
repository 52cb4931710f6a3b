"""The synchronous transport, on gRPC's own synchronous stack."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from memstore.errors import FailedPrecondition, MemstoreError, Reason
from memstore_client.answering import Answer
from memstore_client.backoff import Backoff
from memstore_client.failure import error_of, too_late
from memstore_client.reading import Reading
from memstore_client.requests import Call, Page
from memstore_client.rpc import Rpc
from memstore_client.target import Target

T = TypeVar("T")
_INHERITED: list[grpc.Channel] = []
"""Channels of a parent process: never closed here, since closing would wait for threads that a fork does not copy."""


class Transport:
    """Carries calls to one server. Opens its channel when first needed, and anew in a forked process."""

    def __init__(self, target: Target) -> None:
        """Prepares to call `target`."""
        self.target = target
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._pid = os.getpid()
        self._closed = False

    def __getstate__(self) -> Target:
        return self.target

    def __setstate__(self, target: Target) -> None:
        self.__init__(target)

    def unary(self, call: Call[T], timeout_s: float | None) -> T:
        """Returns the answer to a call."""
        given_s = call.timeout_s(self.target.options) if timeout_s is None else timeout_s
        method = self.channel.unary_unary(
            call.rpc.path, request_serializer=_serialized, response_deserializer=call.rpc.response.FromString
        )
        try:
            response = method(call.request, timeout=given_s, metadata=self.target.metadata)
        except grpc.RpcError as failure:
            raise error_of(failure, self.target.address, call.rpc.name, given_s) from failure
        return call.read(response)

    def pages(self, call: Callable[[str], Call[Page[T]]], timeout_s: float | None) -> list[T]:
        """Returns the entries of all pages of a list; `call` asks for the page of a token."""
        found, token = list[T](), ""
        while True:
            page = self.unary(call(token), timeout_s)
            found.extend(page.entries)
            if not (token := page.next_token):
                return found

    def answer(self, asked: Answer[T], timeout_s: float | None) -> T:
        """Returns the one value that a stream brings."""
        (value,) = self.stream(asked, timeout_s=asked.patience_s if timeout_s is None else timeout_s)
        return value

    def stream(
        self,
        reading: Reading[T],
        *,
        timeout_s: float | None = None,
        idle_s: float | None = None,
        until_quiet_s: float | None = None,
    ) -> Iterator[T]:
        """Yields what a stream brings, opening it again where it was cut off.

        Args:
            reading: what is read.
            timeout_s: how long the whole stream may take, `None` for any time.
            idle_s: how long it may bring nothing at all, `None` for any time.
            until_quiet_s: ends the stream in peace when it has brought no value for so long.
        """
        backoff = Backoff(self.target.options)
        while True:
            try:
                yield from self._opened(reading, timeout_s, idle_s, until_quiet_s, backoff)
            except MemstoreError as error:
                if not reading.begun:
                    raise
                time.sleep(backoff.wait_after(error))
            else:
                return

    def _opened(
        self,
        reading: Reading[T],
        timeout_s: float | None,
        idle_s: float | None,
        until_quiet_s: float | None,
        backoff: Backoff,
    ) -> Iterator[T]:
        method = self.channel.unary_stream(
            reading.rpc.path, request_serializer=_serialized, response_deserializer=reading.rpc.response.FromString
        )
        call: Any = method(reading.request(), timeout=timeout_s, metadata=self.target.metadata)
        idle, quiet = IdleLimit(idle_s, call.cancel), IdleLimit(until_quiet_s, call.cancel)
        try:
            for response in call:
                backoff.progressed()
                for value in reading.feed(response):
                    idle.pause()
                    quiet.pause()
                    yield value
                    quiet.begin()
                idle.begin()
            reading.end()
        except grpc.RpcError as failure:
            if quiet.expired:
                return
            if idle.expired:
                raise too_late(self.target.address, reading.rpc.name, idle_s) from failure
            raise error_of(failure, self.target.address, reading.rpc.name, timeout_s) from failure
        finally:
            idle.stop()
            quiet.stop()
            call.cancel()

    def both_ways(self, rpc: Rpc, requests: Iterator[Message]) -> Any:
        """Returns gRPC's call of a method that streams both ways."""
        method = self.channel.stream_stream(
            rpc.path, request_serializer=_serialized, response_deserializer=rpc.response.FromString
        )
        return method(requests, metadata=self.target.metadata)

    @property
    def channel(self) -> grpc.Channel:
        """The channel of this process."""
        with self._lock if self._pid == os.getpid() else self._left_to_parent():
            if self._closed:
                raise FailedPrecondition(
                    f"the connection to {self.target.address} was closed; connect again.", reason=Reason.CLOSED
                )
            if self._channel is None:
                self._channel = self._open()
            return self._channel

    def _open(self) -> grpc.Channel:
        target = self.target
        if target.credentials is None:
            return grpc.insecure_channel(target.address, target.channel_options)
        return grpc.secure_channel(target.address, target.credentials, target.channel_options)

    def _left_to_parent(self) -> threading.Lock:
        """Forgets the channel of the parent process and returns a new lock."""
        if self._channel is not None:
            _INHERITED.append(self._channel)
        self._channel, self._pid, self._lock = None, os.getpid(), threading.Lock()
        return self._lock

    def close(self) -> None:
        """Closes the channel. Idempotent."""
        if self._channel is not None and self._pid == os.getpid():
            self._channel.close()
        self._channel, self._closed = None, True


class IdleLimit:
    """Calls `expire` once when nothing came for `limit_s` although it was waited for; a thread of its own watches."""

    def __init__(self, limit_s: float | None, expire: Callable[[], object]) -> None:
        """Begins to watch, unless there is no limit."""
        self.expired = False
        """Whether the time ran out."""
        self._limit_s = limit_s or 0.0
        self._expire = expire
        self._since: float | None = time.monotonic()
        self._stopped = threading.Event()
        if limit_s is not None:
            threading.Thread(target=self._watch, name="memstore-idle-limit", daemon=True).start()

    def begin(self) -> None:
        """Begins the time anew."""
        self._since = time.monotonic()

    def pause(self) -> None:
        """Stops the clock until `begin`: the caller is busy with other things."""
        self._since = None

    def stop(self) -> None:
        """Ends the watch."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(self._left_s()):
            if self._left_s() <= 0:
                self.expired = True
                self._expire()
                return

    def _left_s(self) -> float:
        since = self._since
        return self._limit_s if since is None else since + self._limit_s - time.monotonic()


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()
