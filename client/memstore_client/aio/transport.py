"""The asynchronous transport, on gRPC's own asynchronous stack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import grpc
import grpc.aio

from memstore.errors import FailedPrecondition, MemstoreError, Reason
from memstore_client.answering import Answer
from memstore_client.backoff import Backoff
from memstore_client.failure import error_of, too_late
from memstore_client.reading import Reading
from memstore_client.requests import Call, Page
from memstore_client.rpc import Rpc
from memstore_client.target import Target

T = TypeVar("T")
END: Any = grpc.aio.EOF  # pyright: ignore[reportAttributeAccessIssue]: the stubs lack it
"""What a read of an ended stream returns."""


class Transport:
    """Carries calls to one server; belongs to the event loop that first uses it."""

    def __init__(self, target: Target) -> None:
        """Prepares to call `target`."""
        self.target = target
        self._channel: grpc.aio.Channel | None = None
        self._closed = False

    def __getstate__(self) -> Target:
        return self.target

    def __setstate__(self, target: Target) -> None:
        self.__init__(target)

    async def unary(self, call: Call[T], timeout_s: float | None) -> T:
        """Returns the answer to a call."""
        given_s = call.timeout_s(self.target.options) if timeout_s is None else timeout_s
        method: Any = self.channel.unary_unary(call.rpc.path, _serialized, call.rpc.response.FromString)
        try:
            response = await method(call.request, timeout=given_s, metadata=self.target.metadata)
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure, self.target.address, call.rpc.name, given_s) from failure
        return call.read(response)

    async def pages(self, call: Callable[[str], Call[Page[T]]], timeout_s: float | None) -> list[T]:
        """Returns the entries of all pages of a list; `call` asks for the page of a token."""
        found, token = list[T](), ""
        while True:
            page = await self.unary(call(token), timeout_s)
            found.extend(page.entries)
            if not (token := page.next_token):
                return found

    async def answer(self, asked: Answer[T], timeout_s: float | None) -> T:
        """Returns the one value that a stream brings."""
        given_s = asked.patience_s if timeout_s is None else timeout_s
        (value,) = [value async for value in self.stream(asked, timeout_s=given_s)]
        return value

    async def stream(
        self,
        reading: Reading[T],
        *,
        timeout_s: float | None = None,
        idle_s: float | None = None,
        until_quiet_s: float | None = None,
    ) -> AsyncGenerator[T, None]:
        """Yields what a stream brings, opening it again where it was cut off; arguments as in the synchronous one."""
        backoff = Backoff(self.target.options)
        while True:
            try:
                async with aclosing(self._opened(reading, timeout_s, idle_s, until_quiet_s, backoff)) as values:
                    async for value in values:
                        yield value
            except MemstoreError as error:
                if not reading.begun:
                    raise
                await asyncio.sleep(backoff.wait_after(error))
            else:
                return

    async def _opened(
        self,
        reading: Reading[T],
        timeout_s: float | None,
        idle_s: float | None,
        until_quiet_s: float | None,
        backoff: Backoff,
    ) -> AsyncGenerator[T, None]:
        method: Any = self.channel.unary_stream(reading.rpc.path, _serialized, reading.rpc.response.FromString)
        call = method(reading.request(), timeout=timeout_s, metadata=self.target.metadata)
        quiet_at = _from_now(until_quiet_s)
        try:
            while True:
                response = await self._next(call, reading.rpc, idle_s, quiet_at)
                if response is END:
                    reading.end()
                if response is END or response is None:
                    return
                backoff.progressed()
                for value in reading.feed(response):
                    yield value
                    quiet_at = _from_now(until_quiet_s)
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure, self.target.address, reading.rpc.name, timeout_s) from failure
        finally:
            call.cancel()

    async def _next(self, call: Any, rpc: Rpc, idle_s: float | None, quiet_at: float | None) -> Any:
        """Returns the next response, or `None` once it is quiet for long enough."""
        idle_at = _from_now(idle_s)
        times = [at for at in (idle_at, quiet_at) if at is not None]
        try:
            async with asyncio.timeout_at(min(times, default=None)):
                return await call.read()
        except TimeoutError:
            if quiet_at is not None and quiet_at == min(times):
                return None
            raise too_late(self.target.address, rpc.name, idle_s) from None

    def both_ways(self, rpc: Rpc) -> Any:
        """Returns gRPC's call of a method that streams both ways."""
        method: Any = self.channel.stream_stream(rpc.path, _serialized, rpc.response.FromString)
        return method(metadata=self.target.metadata)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The channel, opened when first needed."""
        if self._closed:
            raise FailedPrecondition(
                f"the connection to {self.target.address} was closed; connect again.", reason=Reason.CLOSED
            )
        if self._channel is None:
            self._channel = self._open()
        return self._channel

    def _open(self) -> grpc.aio.Channel:
        target = self.target
        if target.credentials is None:
            return grpc.aio.insecure_channel(target.address, target.channel_options)
        return grpc.aio.secure_channel(target.address, target.credentials, target.channel_options)

    async def close(self) -> None:
        """Closes the channel. Idempotent."""
        channel, self._channel, self._closed = self._channel, None, True
        if channel is not None:
            await channel.close()


def _from_now(seconds: float | None) -> float | None:
    return None if seconds is None else asyncio.get_running_loop().time() + seconds


def _serialized(message: Any) -> bytes:
    return message.SerializeToString()
