"""`memstore serve`: a database for other programs and machines."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from memstore.cli.output import AsJson, note, print_json
from memstore.errors import InvalidInput

DEFAULT_LISTEN = "127.0.0.1:7070"


def serve(
    root: Annotated[Path, typer.Argument(metavar="ROOT", envvar="MEMSTORE_DB", help="Folder of the database.")],
    listen: Annotated[
        list[str],
        typer.Option(metavar="ADDRESS", help="Where to listen; may be given again. host:port, or unix:/path."),
    ] = [DEFAULT_LISTEN],  # noqa: B006 (typer reads it and makes a list of its own)
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that callers must show; else MEMSTORE_TOKEN.")
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let other machines in without token or TLS: for closed networks.")
    ] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Serve for reading only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a database until SIGTERM or Ctrl-C.

    Calls that run may end; a second signal stops at once.

    \b
    Examples:
      memstore serve ./worlds
      memstore serve ./worlds --listen 127.0.0.1:7070 --listen unix:/tmp/m.sock
    """
    from memstore.service import TlsFiles
    from memstore.service import serve as serve_database

    if (tls_certificate is None) != (tls_key is None):
        raise InvalidInput("TLS needs both --tls-certificate and --tls-key; give both or neither.", field="tls_key")
    tls = TlsFiles(tls_certificate, tls_key) if tls_certificate and tls_key else None

    def tell(addresses: list[str]) -> None:
        if as_json:
            print_json({"root": str(root), "addresses": addresses, "pid": os.getpid()})
        else:
            note(f"[green]serving[/] {root} at {', '.join(addresses)}; stop with Ctrl-C")

    serve_database(root, listen, token_file=token_file, tls=tls, insecure=insecure, read_only=read_only, on_ready=tell)
