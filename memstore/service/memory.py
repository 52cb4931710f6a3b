"""MemoryService: frames come in, mosaics, frames and patches go out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import numpy as np

from memstore.camera import Camera
from memstore.database import Database
from memstore.frame import Frame
from memstore.ingest import Ingest
from memstore.query import Query
from memstore.service.drain import Drain
from memstore.service.finding import find_world
from memstore.service.intake import Intake, Seats, started
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.service.worlds import checked_request_id
from memstore.v1 import memory_service_pb2 as pb
from memstore.v1.memory_service_pb2_grpc import MemoryServiceServicer
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.fields import require, under
from memstore.wire.frame import frame_to_message
from memstore.wire.mosaic import mosaic_to_message, stored_to_message
from memstore.wire.values import bounds_to_message, cameras_from_messages, query_from_message
from memstore.world import World

R = TypeVar("R", pb.RetrieveResponse, pb.FramesResponse, pb.GetPatchesResponse)


class Memory(MemoryServiceServicer):
    """Serves the memory of worlds."""

    def __init__(self, database: Database, offload: Offload, drain: Drain, options: ServerOptions) -> None:
        """Serves `database`; its work is done by `offload`."""
        self._database = database
        self._offload = offload
        self._drain = drain
        self._options = options
        self._seats = Seats()

    async def IngestFrames(
        self, request_iterator: AsyncIterator[pb.IngestFramesRequest], context: Any
    ) -> AsyncIterator[pb.IngestFramesResponse]:
        """Takes frames in, acknowledging what is durable."""
        start = await started(request_iterator)
        async with self._seats.take(start.world, checked_request_id(start.request_id)) as leave:
            ingest = await self._offload.run(lambda: self._ingest(start))
            intake = Intake(ingest, request_iterator, self._offload, self._drain, self._options)
            async with aclosing(intake.responses(leave)) as responses:
                async for response in responses:
                    yield response

    async def Retrieve(self, request: pb.RetrieveRequest, context: Any) -> AsyncIterator[pb.RetrieveResponse]:
        """Yields one mosaic a camera, all of one commit."""
        cameras, query = cameras_from_messages(request.cameras), _query(request)
        answers = self._mosaics(request, cameras, query)
        while (answer := await self._offload.run(lambda: next(answers, None))) is not None:
            first, out = answer
            yield first
            for rest in out.rest():
                yield pb.RetrieveResponse(rest=rest)

    async def Frames(self, request: pb.FramesRequest, context: Any) -> AsyncIterator[pb.FramesResponse]:
        """Yields the commit that is read, then its frames."""
        world = await self._offload.run(lambda: self._pinned(request.world, request.commit))
        stop = request.stop if request.HasField("stop") else None
        as_of = request.as_of if request.HasField("as_of") else None
        frames = world.frames(request.start, stop, as_of=as_of)
        yield pb.FramesResponse(reading=pb.Reading(commit=world.head))
        while (next_one := await self._offload.run(lambda: self._next_frame(frames))) is not None:
            first, out = next_one
            yield first
            for rest in out.rest():
                yield pb.FramesResponse(rest=rest)

    async def GetPatches(self, request: pb.GetPatchesRequest, context: Any) -> AsyncIterator[pb.GetPatchesResponse]:
        """Yields patches by id."""
        require(request, "ids")
        ids = Incoming(request, limit_bytes=self._options.max_message_bytes).array("ids", np.uint64, (None,))

        def read() -> tuple[pb.GetPatchesResponse, Outgoing]:
            stored = find_world(self._database, request.world, request.commit).patches(ids)
            return _filled(
                pb.GetPatchesResponse(), self._outgoing(), lambda r, out: stored_to_message(r.patches, stored, out)
            )

        first, out = await self._offload.run(read)
        yield first
        for rest in out.rest():
            yield pb.GetPatchesResponse(rest=rest)

    async def GetBounds(self, request: pb.GetBoundsRequest, context: Any) -> pb.GetBoundsResponse:
        """Says how far a world reaches."""
        bounds = await self._offload.run(lambda: find_world(self._database, request.world, request.commit).bounds())
        return pb.GetBoundsResponse(bounds=None if bounds is None else bounds_to_message(bounds))

    def _ingest(self, start: pb.IngestFramesRequest.Start) -> Ingest:
        world = find_world(self._database, start.world, field="start.world")
        forgetting = start.forgetting if start.HasField("forgetting") else None
        return world.ingest(
            message=start.message, author=start.author, request_id=start.request_id, forgetting=forgetting
        )

    def _pinned(self, name: str, commit: str) -> World:
        world = find_world(self._database, name, commit)
        return world if commit else world.at(world.head)

    def _mosaics(
        self, request: pb.RetrieveRequest, cameras: Sequence[Camera], query: Query
    ) -> Iterator[tuple[pb.RetrieveResponse, Outgoing]]:
        """Yields one mosaic a camera; nothing is looked up before the first is asked for."""
        world = self._pinned(request.world, request.commit)
        for camera in cameras:
            mosaic = world.retrieve(camera, query)
            yield _filled(
                pb.RetrieveResponse(),
                self._outgoing(),
                lambda r, out, mosaic=mosaic: mosaic_to_message(r.mosaic, mosaic, out),
            )

    def _next_frame(self, frames: Iterator[Frame]) -> tuple[pb.FramesResponse, Outgoing] | None:
        frame = next(frames, None)
        if frame is None:
            return None
        return _filled(pb.FramesResponse(), self._outgoing(), lambda r, out: frame_to_message(r.frame, frame, out))

    def _outgoing(self) -> Outgoing:
        return Outgoing(self._options.part_bytes)


def _filled(response: R, out: Outgoing, fill: Callable[[R, Outgoing], None]) -> tuple[R, Outgoing]:
    fill(response, out)
    return response, out


def _query(request: pb.RetrieveRequest) -> Query:
    with under("query"):
        return query_from_message(request.query)
