"""One IngestFrames stream: frames within the credit go in, acknowledgements come out.

    start  -> open the engine's ingest, say how many frames of this request are durable
    frame  -> add it, say how far the ingest has come
    flush  -> make durable
    finish -> commit the rest and end; discard -> take all back; abandon, or a caller that vanishes -> drop the rest

When the server leaves, what was received is made durable and acknowledged, and the stream ends with UNAVAILABLE: the
caller goes on at the next server under the same request id.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import TypeAlias

from memstore.errors import Conflict, InvalidInput, MemstoreError
from memstore.ingest import Ingest
from memstore.service.drain import Drain
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.v1 import memory_service_pb2 as pb
from memstore.wire.arrays import Incoming
from memstore.wire.fields import under
from memstore.wire.frame import frame_from_message

Request: TypeAlias = pb.IngestFramesRequest
Response: TypeAlias = pb.IngestFramesResponse


class Seats:
    """Lets one stream at a time carry a request; a new stream of the same request puts the old one out.

    A caller whose connection broke comes back before the server has noticed. Were both streams to run, a segment that
    the old one is still committing would be taken twice.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], tuple[asyncio.Event, asyncio.Event]] = {}

    @asynccontextmanager
    async def take(self, world: str, request_id: str) -> AsyncGenerator[asyncio.Event, None]:
        """Yields an event that says to leave, once no other stream carries the request."""
        key = (world, request_id)
        while request_id and key in self._taken:
            leave, left = self._taken[key]
            leave.set()
            await left.wait()
        leave, left = asyncio.Event(), asyncio.Event()
        if request_id:
            self._taken[key] = (leave, left)
        try:
            yield leave
        finally:
            if request_id:
                del self._taken[key]
            left.set()


class Intake:
    """Carries one stream from its start to its end."""

    def __init__(
        self, ingest: Ingest, requests: AsyncIterator[Request], offload: Offload, drain: Drain, options: ServerOptions
    ) -> None:
        """Takes the frames of `requests` into `ingest`."""
        self._ingest = ingest
        self._requests = requests
        self._offload = offload
        self._drain = drain
        self._options = options
        self._received = ingest.resume_from

    async def responses(self, leave: asyncio.Event) -> AsyncGenerator[Response, None]:
        """Yields the answers to the stream, until it ends, `leave` is set or the server leaves."""
        leaving: list[asyncio.Task[bool]] = [
            asyncio.ensure_future(event.wait()) for event in (leave, self._drain.begun)
        ]
        try:
            yield self._state("CAUSE_STARTED")
            while (request := await self._next(leaving)) is not None:
                async with aclosing(self._answers(request, leaving)) as answers:
                    async for answer in answers:
                        yield answer
                        if answer.cause == Response.CAUSE_ENDED:
                            return
            if self._drain.begun.is_set():
                await self._offload.finish(self._ingest.flush)
                yield self._state("CAUSE_FLUSHED")
                raise self._drain.leaving()
        except MemstoreError as error:
            # As embedded: an error keeps the frames that were added before it.
            await self._offload.finish(lambda error=error: self._ingest.__exit__(type(error), error, None))
            raise
        finally:
            # Whatever else ended the stream, the frames that were not acknowledged are dropped.
            self._ingest.abandon()
            for task in leaving:
                task.cancel()

    async def _answers(self, request: Request, leaving: list[asyncio.Task[bool]]) -> AsyncGenerator[Response, None]:
        """Carries out one step and yields its answer, after signs of life where that takes long."""
        work = asyncio.ensure_future(self._carried_out(request, leaving))
        try:
            while not (await asyncio.wait([work], timeout=self._options.heartbeat_s))[0]:
                yield self._state("CAUSE_WORKING")
            yield self._state(work.result())
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _carried_out(self, request: Request, leaving: list[asyncio.Task[bool]]) -> str:
        """Carries out one step and returns the cause of its answer."""
        ingest = self._ingest
        match request.WhichOneof("step"):
            case "frame":
                await self._add(request, leaving)
                return "CAUSE_TAKEN"
            case "flush":
                await self._offload.finish(ingest.flush)
                return "CAUSE_FLUSHED"
            case "finish":
                await self._offload.finish(lambda: ingest.__exit__(None, None, None))
                return "CAUSE_ENDED"
            case "discard":
                await self._offload.finish(ingest.discard)
                return "CAUSE_ENDED"
            case "abandon":
                return "CAUSE_ENDED"
            case step:
                raise InvalidInput(f"{step or 'an empty message'} is out of place here.", field=step or "step")

    async def _add(self, request: Request, leaving: list[asyncio.Task[bool]]) -> None:
        with under("frame"):
            arrays = Incoming(request.frame, limit_bytes=self._options.max_frame_bytes)
        while arrays.missing:
            more = await self._next(leaving)
            if more is None or more.WhichOneof("step") != "rest":
                raise InvalidInput(f"{arrays.missing} bytes of the frame are missing; send them as rest.", field="rest")
            arrays.extend(more.rest)

        def add() -> None:
            with under("frame"):
                frame = frame_from_message(request.frame, arrays)
            self._ingest.add(frame)

        await self._offload.finish(add)
        self._received += 1

    async def _next(self, leaving: list[asyncio.Task[bool]]) -> Request | None:
        """Returns the next request; `None` when the caller closed its side or the server leaves.

        Raises:
            Conflict: another stream has taken over this request.
        """
        reading = asyncio.ensure_future(_next_of(self._requests))
        try:
            await asyncio.wait([reading, *leaving], return_when=asyncio.FIRST_COMPLETED)
            if leaving[0].done():
                raise Conflict("another stream has taken over this ingest under the same request id.")
            return reading.result() if reading.done() else None
        finally:
            reading.cancel()

    def _state(self, cause: str) -> Response:
        return Response(
            cause=cause,
            acknowledged=self._ingest.resume_from + self._ingest.acknowledged,
            received=self._received,
            credit=self._options.ingest_credit,
            first_ordinal=self._ingest.first_ordinal,
        )


async def started(requests: AsyncIterator[Request]) -> Request.Start:
    """Returns the first message of a stream.

    Raises:
        InvalidInput: it is another one.
    """
    request = await _next_of(requests)
    if request is None or request.WhichOneof("step") != "start":
        raise InvalidInput("the first message of an ingest must be start.", field="start")
    return request.start


async def _next_of(requests: AsyncIterator[Request]) -> Request | None:
    return await anext(requests, None)
