"""WorldService: making, naming, removing and watching worlds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from memstore.database import Database
from memstore.errors import InvalidInput
from memstore.service.drain import Drain
from memstore.service.finding import find_world
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.service.paging import page_size, place_of, token_of
from memstore.summary import HeadMoved
from memstore.v1 import world_service_pb2 as pb
from memstore.v1.world_service_pb2_grpc import WorldServiceServicer
from memstore.wire.fields import under
from memstore.wire.names import WorldName
from memstore.wire.summary import moved_to_message, world_to_message
from memstore.wire.values import spec_from_message
from memstore.world import World

MAX_REQUEST_ID_BYTES = 128


class Worlds(WorldServiceServicer):
    """Serves the worlds of a database."""

    def __init__(self, database: Database, offload: Offload, drain: Drain, options: ServerOptions) -> None:
        """Serves `database`; its work is done by `offload`."""
        self._database = database
        self._offload = offload
        self._drain = drain
        self._options = options

    async def CreateWorld(self, request: pb.CreateWorldRequest, context: Any) -> pb.CreateWorldResponse:
        """Makes a world."""
        with under("latents"):
            latents = spec_from_message(request.latents) if request.HasField("latents") else None

        def create() -> World:
            return self._database.create_world(
                request.world_id,
                latents,
                up=request.up or "+z",
                exist_ok=request.exist_ok,
                request_id=checked_request_id(request.request_id),
            )

        return pb.CreateWorldResponse(world=await self._offload.run(lambda: world_to_message(create().describe())))

    async def GetWorld(self, request: pb.GetWorldRequest, context: Any) -> pb.GetWorldResponse:
        """Says how a world stands."""

        def describe() -> pb.World:
            return world_to_message(find_world(self._database, request.name, request.commit, field="name").describe())

        return pb.GetWorldResponse(world=await self._offload.run(describe))

    async def ListWorlds(self, request: pb.ListWorldsRequest, context: Any) -> pb.ListWorldsResponse:
        """Lists worlds, oldest first."""
        after = place_of(request.page_token, (float, str))
        size = page_size(request.page_size, self._options)
        worlds = await self._offload.run(lambda: self._database.worlds(deleted=request.deleted))
        rest = [world for world in worlds if after is None or [world.created_s, world.world_id] > after]
        last = rest[size - 1] if len(rest) > size else None
        return pb.ListWorldsResponse(
            worlds=[world_to_message(world) for world in rest[:size]],
            next_page_token=token_of(last.created_s, last.world_id) if last else "",
        )

    async def DeleteWorld(self, request: pb.DeleteWorldRequest, context: Any) -> pb.DeleteWorldResponse:
        """Deletes a world."""
        name = WorldName.parse(request.name)
        await self._offload.run(lambda: self._database.delete_world(name.world))
        return pb.DeleteWorldResponse()

    async def UndeleteWorld(self, request: pb.UndeleteWorldRequest, context: Any) -> pb.UndeleteWorldResponse:
        """Brings a world back."""
        name = WorldName.parse(request.name)
        await self._offload.run(lambda: self._database.undelete_world(name.world))
        return pb.UndeleteWorldResponse()

    async def WatchHead(self, request: pb.WatchHeadRequest, context: Any) -> AsyncIterator[pb.WatchHeadResponse]:
        """Tells of new heads, those since `resume_token` first, and sends heartbeats in between."""
        world = await self._offload.run(lambda: find_world(self._database, request.name, field="name"))
        seen = await self._offload.run(lambda: world.head)
        if request.resume_token:
            seen = (await self._offload.run(lambda: world.at(request.resume_token))).head
        yield self._heartbeat(seen)
        while True:
            head = await self._next_head(world, seen)
            if head == seen:
                yield self._heartbeat(seen)
            else:
                moved = HeadMoved(world.name, world.branch_name, head, seen)
                yield pb.WatchHeadResponse(moved=moved_to_message(moved), resume_token=head)
            seen = head

    async def _next_head(self, world: World, seen: str) -> str:
        """Returns the head once it is another than `seen`, or `seen` when it is time for a heartbeat."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._options.heartbeat_s
        while (head := await self._offload.run(lambda: world.head)) == seen and loop.time() < until:
            await _pause(self._drain.begun, self._options.watch_interval_s)
            if self._drain.begun.is_set():
                raise self._drain.leaving()
        return head

    def _heartbeat(self, seen: str) -> pb.WatchHeadResponse:
        beat = pb.Heartbeat(next_within_s=self._options.heartbeat_s)
        return pb.WatchHeadResponse(heartbeat=beat, resume_token=seen)


def checked_request_id(request_id: str) -> str:
    """Returns a request id that is short enough to be kept.

    Raises:
        InvalidInput: it is longer than 128 bytes.
    """
    if len(request_id.encode()) > MAX_REQUEST_ID_BYTES:
        raise InvalidInput(
            f"request_id must have at most {MAX_REQUEST_ID_BYTES} bytes, got {len(request_id.encode())}.",
            field="request_id",
        )
    return request_id


async def _pause(unless: asyncio.Event, for_s: float) -> None:
    try:
        async with asyncio.timeout(for_s):
            await unless.wait()
    except TimeoutError:
        return
