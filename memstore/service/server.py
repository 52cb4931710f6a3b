"""The server: what it serves, where it listens, and how it starts and leaves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from memstore.database import Database
from memstore.errors import FailedPrecondition, InvalidInput
from memstore.service.drain import Drain
from memstore.service.edits import Edits
from memstore.service.guard import Guard
from memstore.service.history import History
from memstore.service.memory import Memory
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions, TlsFiles
from memstore.service.system import System
from memstore.service.worlds import Worlds
from memstore.v1 import (
    edit_service_pb2,
    history_service_pb2,
    memory_service_pb2,
    system_service_pb2,
    world_service_pb2,
)
from memstore.v1.edit_service_pb2_grpc import add_EditServiceServicer_to_server
from memstore.v1.history_service_pb2_grpc import add_HistoryServiceServicer_to_server
from memstore.v1.memory_service_pb2_grpc import add_MemoryServiceServicer_to_server
from memstore.v1.system_service_pb2_grpc import add_SystemServiceServicer_to_server
from memstore.v1.world_service_pb2_grpc import add_WorldServiceServicer_to_server
from memstore.wire.address import Address

DEFAULT_LISTEN = ("127.0.0.1:7070",)
SERVICES = tuple(
    service.full_name
    for module in (world_service_pb2, memory_service_pb2, edit_service_pb2, history_service_pb2, system_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
)
"""Full names of the services of memstore."""


class Server:
    """Serves one database. `start`, `wait` and `stop` belong to one event loop; the database stays the caller's."""

    def __init__(
        self,
        database: Database,
        listen: Sequence[str] = DEFAULT_LISTEN,
        *,
        token: str | None = None,
        tls: TlsFiles | None = None,
        insecure: bool = False,
        options: ServerOptions | None = None,
    ) -> None:
        """Prepares to serve `database`.

        Args:
            database: what is served.
            listen: addresses: `host:port`, `[v6]:port` or `unix:/path`; port 0 takes a free one.
            token: what callers must show; `None` lets everybody in.
            tls: certificate and key; `None` speaks plainly.
            insecure: allow addresses that other machines reach without token or TLS.
            options: limits and times.

        Raises:
            InvalidInput: an address is no good, or is open to others without token and TLS.
        """
        self._wanted = [Address.parse(text) for text in listen]
        _require_safe(self._wanted, token, tls, insecure)
        self._database = database
        self._token = token
        self._tls = tls
        self._options = options or ServerOptions()
        self._hurry = asyncio.Event()
        self._stopped = asyncio.Event()
        self._server: grpc.aio.Server | None = None
        self.addresses: list[str] = []
        """Where the server listens, with the ports that were taken; known after `start`."""

    async def start(self) -> None:
        """Begins to serve.

        Raises:
            FailedPrecondition: an address is taken.
        """
        self._drain = Drain(self._options.retry_after_s)
        self._offload = Offload(self._options.threads, self._options.max_waiting, self._options.retry_after_s)
        self._health = HealthServicer()
        self._server = grpc.aio.server(
            interceptors=[Guard(self._drain, self._token)], options=_channel_options(self._options)
        )
        self._add_services(self._server)
        self.addresses = [self._listen(self._server, address) for address in self._wanted]
        await self._server.start()
        for address in self._wanted:
            if address.path:
                os.chmod(address.path, 0o600)
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        await self._stopped.wait()

    async def stop(self, *, now: bool = False) -> None:
        """Leaves in order, and returns when the last call has ended.

        Health says NOT_SERVING, new calls are turned away, ingests make durable what they have and acknowledge it,
        other calls may go on for `drain_s`. With `now`, or when called again with it, nothing is waited for.
        """
        server = self._running()
        if now:
            self._hurry.set()
        if self._drain.begun.is_set():
            return await self.wait()
        self._drain.begun.set()
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        waits = [asyncio.ensure_future(event.wait()) for event in (self._drain.empty, self._hurry)]
        await asyncio.wait(waits, timeout=self._options.drain_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await server.stop(0)
        await asyncio.to_thread(self._offload.close)
        self._stopped.set()
        return None

    def _running(self) -> grpc.aio.Server:
        if self._server is None:
            raise FailedPrecondition("the server has not been started; call start() first.")
        return self._server

    def _add_services(self, server: grpc.aio.Server) -> None:
        database, offload, drain, options = self._database, self._offload, self._drain, self._options
        add_WorldServiceServicer_to_server(Worlds(database, offload, drain, options), server)
        add_MemoryServiceServicer_to_server(Memory(database, offload, drain, options), server)
        add_EditServiceServicer_to_server(Edits(database, offload, options), server)
        add_HistoryServiceServicer_to_server(History(database, offload, options), server)
        add_SystemServiceServicer_to_server(System(database, offload, options), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (*SERVICES, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)

    def _listen(self, server: grpc.aio.Server, address: Address) -> str:
        try:
            if self._tls is None or address.path:
                port = server.add_insecure_port(str(address))
            else:
                port = server.add_secure_port(str(address), _credentials(self._tls))
        except RuntimeError as error:
            raise FailedPrecondition(
                f"cannot listen on {address}: {error}; choose another address, or end the program that has it.",
                address=str(address),
            ) from error
        return str(address) if address.path else str(Address(address.host, port))

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", *SERVICES):
            await self._health.set(name, status)


def _require_safe(addresses: list[Address], token: str | None, tls: TlsFiles | None, insecure: bool) -> None:
    if not addresses:
        raise InvalidInput("a server needs an address to listen on, got none.", field="listen")
    lacking = [name for name, value in (("token", token), ("tls", tls)) if value is None]
    reachable = [str(address) for address in addresses if not address.is_local]
    if reachable and lacking and not insecure:
        raise InvalidInput(
            f"{', '.join(reachable)} can be reached from other machines, and there is no {' and no '.join(lacking)}; "
            "give both, listen on 127.0.0.1 or a Unix socket, or pass insecure=True on a network that you trust.",
            field="listen",
        )


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials([(_pem(tls.key, "key"), _pem(tls.certificate, "certificate"))])


def _pem(path: Path, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput(f"the TLS {what} {path} cannot be read: {error.strerror}.", field=what) from error


def _channel_options(options: ServerOptions) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Two servers on one port would share its callers without a word.
        ("grpc.so_reuseport", 0),
    ]
