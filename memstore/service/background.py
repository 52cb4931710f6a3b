"""A server beside other work: in a thread with an event loop of its own, for notebooks and tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from types import TracebackType

from memstore.database import Database
from memstore.service.options import ServerOptions, TlsFiles
from memstore.service.server import Server


class BackgroundServer:
    """A context manager: serves from entry to exit. The database stays the caller's."""

    def __init__(
        self,
        database: Database,
        listen: Sequence[str] = ("127.0.0.1:0",),
        *,
        token: str | None = None,
        tls: TlsFiles | None = None,
        insecure: bool = False,
        options: ServerOptions | None = None,
    ) -> None:
        """Prepares a `Server` of the same arguments."""
        self._server = Server(database, listen, token=token, tls=tls, insecure=insecure, options=options)
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="memstore-server", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def addresses(self) -> list[str]:
        """Where the server listens."""
        return self._server.addresses

    @property
    def address(self) -> str:
        """The first of the addresses."""
        return self.addresses[0]

    def stop(self, *, now: bool = False) -> None:
        """Stops the server (see `Server.stop`) and returns when it has stopped. Idempotent."""
        if self._loop is not None and self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._server.stop(now=now), self._loop).result()
        self._thread.join()

    def __enter__(self) -> BackgroundServer:
        self._thread.start()
        self._ready.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(now=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.start()
        self._ready.set_result(None)
        await self._server.wait()
