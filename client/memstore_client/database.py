"""A database on a server: the same verbs, values and errors as embedded."""

from __future__ import annotations

from types import TracebackType

from memstore.errors import FailedPrecondition, Reason
from memstore.latent import LatentSpec
from memstore.summary import DatabaseSummary, WorldSummary
from memstore.wire import PROTOCOL_VERSION
from memstore.wire.names import WorldName
from memstore_client import requests
from memstore_client.options import Tls, TransportOptions
from memstore_client.requests import ServerInfo
from memstore_client.target import Target
from memstore_client.transport import Transport
from memstore_client.world import RemoteWorld


def connect(
    address: str,
    *,
    token: str | None = None,
    tls: Tls | bool | None = None,
    timeout_s: float | None = None,
    options: TransportOptions | None = None,
) -> RemoteDatabase:
    """Returns the database that a server keeps, once the server has answered.

    Args:
        address: `host:port`, `[v6]:port` or `unix:/path`.
        token: what the server asks for; MEMSTORE_TOKEN by default.
        tls: `None` encrypts unless the address is of this machine; `Tls` says whom to trust; False speaks plainly.
        timeout_s: how long to wait for the answer, `TransportOptions.connect_timeout_s` by default.
        options: all other dials.

    Raises:
        Unavailable: no server answers there.
        NotAllowed: the token is not the server's.
        FailedPrecondition: server and client are of versions that do not fit.
    """
    transport = Transport(Target.of(address, token, tls, options))
    try:
        server = transport.unary(requests.get_server_info(), timeout_s)
        require_same_protocol(server, address)
    except BaseException:
        transport.close()
        raise
    return RemoteDatabase(transport, server)


def require_same_protocol(server: ServerInfo, address: str) -> None:
    """Raises FailedPrecondition unless the server speaks this client's protocol."""
    if server.protocol_version != PROTOCOL_VERSION:
        older = "server" if server.protocol_version < PROTOCOL_VERSION else "client"
        raise FailedPrecondition(
            f"the server at {address} (memstore {server.server_version}) speaks protocol {server.protocol_version}, "
            f"this client speaks {PROTOCOL_VERSION}; upgrade the {older}.",
            reason=Reason.NEWER_FORMAT if older == "client" else Reason.OLDER_FORMAT,
        )


class RemoteDatabase:
    """The worlds of a server. A context manager; may be pickled and used after a fork."""

    def __init__(self, transport: Transport, server: ServerInfo) -> None:
        """Speaks through `transport`; `connect` is the door."""
        self._transport = transport
        self.server = server
        """What the server is and allows."""

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._transport.target.address

    def create_world(
        self,
        name: str,
        latents: LatentSpec | None = None,
        *,
        up: str = "+z",
        exist_ok: bool = False,
        request_id: str = "",
        timeout_s: float | None = None,
    ) -> RemoteWorld:
        """Makes a world, durable on return; see `memstore.database.Database.create_world`."""
        call = requests.create_world(name, latents, up, exist_ok, request_id)
        return self._world(self._transport.unary(call, timeout_s))

    def world(self, name: str, *, timeout_s: float | None = None) -> RemoteWorld:
        """Returns the world of that name, on its main branch.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        return self._world(self._transport.unary(requests.get_world(WorldName(name)), timeout_s))

    def worlds(self, *, deleted: bool = False, timeout_s: float | None = None) -> list[WorldSummary]:
        """Returns the worlds, oldest first; with `deleted`, those that can be brought back."""
        return self._transport.pages(lambda token: requests.list_worlds(deleted, token), timeout_s)

    def delete_world(self, name: str, *, timeout_s: float | None = None) -> None:
        """Deletes a world, durable on return; `undelete_world` brings it back for seven days."""
        self._transport.unary(requests.delete_world(name), timeout_s)

    def undelete_world(self, name: str, *, timeout_s: float | None = None) -> RemoteWorld:
        """Brings back the world of that name that was deleted last."""
        self._transport.unary(requests.undelete_world(name), timeout_s)
        return self.world(name, timeout_s=timeout_s)

    def describe(self, *, timeout_s: float | None = None) -> DatabaseSummary:
        """Returns the database as it stands."""
        return self._transport.unary(requests.get_database(), timeout_s)

    def close(self) -> None:
        """Ends the connection. Idempotent."""
        self._transport.close()

    def __enter__(self) -> RemoteDatabase:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteDatabase({self.address!r}, memstore {self.server.server_version})"

    def _world(self, summary: WorldSummary) -> RemoteWorld:
        return RemoteWorld(self._transport, self.server, summary)
