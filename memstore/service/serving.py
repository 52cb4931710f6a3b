"""Serving from the command line: until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from memstore.database import open_database
from memstore.errors import InvalidInput
from memstore.service.options import ServerOptions, TlsFiles
from memstore.service.server import DEFAULT_LISTEN, Server

TOKEN_VARIABLE = "MEMSTORE_TOKEN"


def serve(
    root: str | os.PathLike[str],
    listen: Sequence[str] = DEFAULT_LISTEN,
    *,
    token_file: str | os.PathLike[str] | None = None,
    tls: TlsFiles | None = None,
    insecure: bool = False,
    read_only: bool = False,
    options: ServerOptions | None = None,
    on_ready: Callable[[list[str]], None] | None = None,
) -> None:
    """Serves the database below `root` until a signal comes; the first one lets calls end, the second does not.

    Args:
        root: folder of the database.
        listen: addresses: `host:port`, `[v6]:port` or `unix:/path`.
        token_file: file with the token that callers must show; without it, the variable MEMSTORE_TOKEN is read.
        tls: certificate and key.
        insecure: allow addresses that other machines reach without token or TLS.
        read_only: serve for reading only.
        options: limits and times.
        on_ready: called with the addresses once the server listens.
    """
    token = read_token(token_file)
    with open_database(root, read_only=read_only) as database:
        server = Server(database, listen, token=token, tls=tls, insecure=insecure, options=options)
        asyncio.run(_serve_until_signalled(server, on_ready))


def read_token(token_file: str | os.PathLike[str] | None) -> str | None:
    """Returns the token of a file, else that of MEMSTORE_TOKEN, else `None`.

    Raises:
        InvalidInput: the file cannot be read, or is empty.
    """
    if token_file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        token = Path(token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the token file {token_file} cannot be read: {error}.", field="token_file") from error
    if not token:
        raise InvalidInput(f"the token file {token_file} is empty; write a token into it.", field="token_file")
    return token


async def _serve_until_signalled(server: Server, on_ready: Callable[[list[str]], None] | None) -> None:
    await server.start()
    stops: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: stops.append(loop.create_task(server.stop(now=bool(stops)))))
    if on_ready is not None:
        on_ready(server.addresses)
    await server.wait()
    await asyncio.gather(*stops)
