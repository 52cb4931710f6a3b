"""A database on a server, for `async` code: the verbs of the embedded one, awaited."""

from __future__ import annotations

from types import TracebackType

from memstore.latent import LatentSpec
from memstore.summary import DatabaseSummary, WorldSummary
from memstore.wire.names import WorldName
from memstore_client import requests
from memstore_client.aio.transport import Transport
from memstore_client.aio.world import RemoteWorld
from memstore_client.database import require_same_protocol
from memstore_client.options import Tls, TransportOptions
from memstore_client.requests import ServerInfo
from memstore_client.target import Target


async def connect(
    address: str,
    *,
    token: str | None = None,
    tls: Tls | bool | None = None,
    timeout_s: float | None = None,
    options: TransportOptions | None = None,
) -> RemoteDatabase:
    """Returns the database that a server keeps; arguments and errors of `memstore_client.connect`."""
    transport = Transport(Target.of(address, token, tls, options))
    try:
        server = await transport.unary(requests.get_server_info(), timeout_s)
        require_same_protocol(server, address)
    except BaseException:
        await transport.close()
        raise
    return RemoteDatabase(transport, server)


class RemoteDatabase:
    """The worlds of a server. An asynchronous context manager."""

    def __init__(self, transport: Transport, server: ServerInfo) -> None:
        """Speaks through `transport`; `connect` is the door."""
        self._transport = transport
        self.server = server
        """What the server is and allows."""

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._transport.target.address

    async def create_world(
        self,
        name: str,
        latents: LatentSpec | None = None,
        *,
        up: str = "+z",
        exist_ok: bool = False,
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> RemoteWorld:
        """Makes a world, durable on return."""
        call = requests.create_world(name, latents, up, exist_ok, request_id)
        return self._world(await self._transport.unary(call, timeout_s))

    async def world(self, name: str, *, timeout_s: float | None = None) -> RemoteWorld:
        """Returns the world of that name, on its main branch."""
        return self._world(await self._transport.unary(requests.get_world(WorldName(name)), timeout_s))

    async def worlds(self, *, deleted: bool = False, timeout_s: float | None = None) -> list[WorldSummary]:
        """Returns the worlds, oldest first; with `deleted`, those that can be brought back."""
        return await self._transport.pages(lambda token: requests.list_worlds(deleted, token), timeout_s)

    async def delete_world(self, name: str, *, timeout_s: float | None = None) -> None:
        """Deletes a world, durable on return; `undelete_world` brings it back for seven days."""
        await self._transport.unary(requests.delete_world(name), timeout_s)

    async def undelete_world(self, name: str, *, timeout_s: float | None = None) -> RemoteWorld:
        """Brings back the world of that name that was deleted last."""
        await self._transport.unary(requests.undelete_world(name), timeout_s)
        return await self.world(name, timeout_s=timeout_s)

    async def describe(self, *, timeout_s: float | None = None) -> DatabaseSummary:
        """Returns the database as it stands."""
        return await self._transport.unary(requests.get_database(), timeout_s)

    async def close(self) -> None:
        """Ends the connection. Idempotent."""
        await self._transport.close()

    async def __aenter__(self) -> RemoteDatabase:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"RemoteDatabase({self.address!r}, memstore {self.server.server_version}, async)"

    def _world(self, summary: WorldSummary) -> RemoteWorld:
        return RemoteWorld(self._transport, self.server, summary)
