"""The four ways to reach a database."""

import asyncio
import inspect
import threading
from contextlib import contextmanager

import pytest

import memstore
import memstore_client
from memstore.service import BackgroundServer, ServerOptions
from memstore_client import aio

OPTIONS = ServerOptions(heartbeat_s=0.2, watch_interval_s=0.01, part_bytes=20_000, max_page_size=3)


@contextmanager
def running_loop():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="caller's loop")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Awaited:
    """An object of the asynchronous client, with every `await` done for the caller."""

    def __init__(self, inner, loop):
        self._inner = inner
        self._loop = loop

    @property
    def head(self):
        return self._result(self._inner.head())

    def __getattr__(self, name):
        value = getattr(self._inner, name)
        if not callable(value):
            return value
        return lambda *given, **options: self._result(value(*given, **options))

    def __enter__(self):
        return self._result(self._inner.__aenter__())

    def __exit__(self, kind, error, trace):
        return self._result(self._inner.__aexit__(kind, error, trace))

    def __repr__(self):
        return repr(self._inner)

    def _result(self, value):
        if inspect.isasyncgen(value):
            return self._values(value)
        if inspect.isawaitable(value):
            value = asyncio.run_coroutine_threadsafe(_coroutine(value), self._loop).result()
        return Awaited(value, self._loop) if type(value).__module__.startswith("memstore_client.aio") else value

    def _values(self, generator):
        end = object()
        try:
            while (value := self._result(anext(generator, end))) is not end:
                yield value
        finally:
            self._result(generator.aclose())


async def _coroutine(awaitable):
    return await awaitable


@pytest.fixture(params=["embedded", "tcp", "unix", "aio"])
def database(request, tmp_path):
    """An empty database: embedded, or served and reached over TCP, a Unix socket, or by the asynchronous client."""
    with memstore.open(tmp_path / "db") as embedded:
        if request.param == "embedded":
            yield embedded
            return
        listen = f"unix:{tmp_path}/memstore.sock" if request.param == "unix" else "127.0.0.1:0"
        with BackgroundServer(embedded, [listen], options=OPTIONS) as server:
            if request.param == "aio":
                with running_loop() as loop:
                    connecting = aio.connect(server.address)
                    remote = asyncio.run_coroutine_threadsafe(connecting, loop).result()
                    with Awaited(remote, loop) as database:
                        yield database
            else:
                with memstore_client.connect(server.address) as database:
                    yield database
