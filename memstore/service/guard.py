"""What every call passes: the token, the drain, reading of the request, and errors turned into statuses."""

from __future__ import annotations

import asyncio
import hmac
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from memstore.errors import Internal, InvalidInput, MemstoreError, NotAllowed
from memstore.service.drain import Drain
from memstore.wire.errors import STATUS_KEY, error_to_status

_LOG = logging.getLogger("memstore.service")
_OPEN_TO_ALL = "/grpc.health.v1.Health/"
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class Guard(grpc.aio.ServerInterceptor):
    """Wraps every handler but those of the health service."""

    def __init__(self, drain: Drain, token: str | None) -> None:
        """Lets calls in that bear `token`, if there is one, until `drain` begins."""
        self._drain = drain
        self._bearer = f"Bearer {token}".encode() if token else None

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Returns the handler of a method, wrapped."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(_OPEN_TO_ALL):
            return handler
        return self._wrapped(handler, method)

    def _wrapped(self, handler: Any, method: str) -> Any:
        if handler.request_streaming and handler.response_streaming:
            stream = self._stream(handler.stream_stream, handler.request_deserializer, method, many=True)
            return grpc.stream_stream_rpc_method_handler(stream, None, handler.response_serializer)
        if handler.response_streaming:
            stream = self._stream(handler.unary_stream, handler.request_deserializer, method, many=False)
            return grpc.unary_stream_rpc_method_handler(stream, None, handler.response_serializer)
        unary = self._unary(handler.unary_unary, handler.request_deserializer, method)
        return grpc.unary_unary_rpc_method_handler(unary, None, handler.response_serializer)

    def _unary(self, behaviour: Any, read: Callable[[bytes], Any], method: str) -> Any:
        async def call(raw: bytes, context: Any) -> Any:
            try:
                self._require_token(context)
                with self._drain.call():
                    return await behaviour(_read(read, raw, method), context)
            except Exception as error:
                await _abort(context, error, method)

        return call

    def _stream(self, behaviour: Any, read: Callable[[bytes], Any], method: str, *, many: bool) -> Any:
        async def call(raw: Any, context: Any) -> AsyncIterator[Any]:
            try:
                self._require_token(context)
                with self._drain.call():
                    request = _read_all(read, raw, method) if many else _read(read, raw, method)
                    async with aclosing(behaviour(request, context)) as responses:
                        async for response in responses:
                            yield response
            except Exception as error:
                await _abort(context, error, method)

        return call

    def _require_token(self, context: Any) -> None:
        if self._bearer is None:
            return
        given = dict(context.invocation_metadata() or ()).get("authorization", "")
        shown = given if isinstance(given, bytes) else given.encode()
        if not hmac.compare_digest(shown, self._bearer):
            found = "another" if shown else "none"
            raise NotAllowed(
                f"this server asks for a token and the call bore {found}; pass token=... to connect, or set "
                "MEMSTORE_TOKEN."
            )


def _read(read: Callable[[bytes], Any], raw: bytes, method: str) -> Any:
    try:
        return read(raw)
    except DecodeError as error:
        raise InvalidInput(f"the request of {method} cannot be read: {error}.", field="request") from error


async def _read_all(read: Callable[[bytes], Any], raws: AsyncIterator[bytes], method: str) -> AsyncIterator[Any]:
    async for raw in raws:
        yield _read(read, raw, method)


async def _abort(context: Any, error: Exception, method: str) -> None:
    if isinstance(error, grpc.aio.AbortError | asyncio.CancelledError):
        raise error
    if not isinstance(error, MemstoreError):
        error = _unexpected(error, method)
    status = error_to_status(error)
    trailer = (STATUS_KEY, status.SerializeToString())
    await context.abort(_CODES[status.code], status.message, (trailer,))


def _unexpected(error: Exception, method: str) -> Internal:
    """Returns what a caller may know of a bug; the rest goes to the log."""
    number = uuid.uuid4().hex[:12]
    _LOG.error("%s failed, error %s", method, number, exc_info=error)
    return Internal(
        f"{method} failed on the server with {type(error).__name__}; its log tells more under error {number}. This is "
        "a bug: please report it.",
        error=number,
    )
