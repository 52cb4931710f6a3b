"""Where the database is: a folder, opened in this process, or the address of a server. The verbs are the same."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from memstore.errors import NotImplementedHere

if TYPE_CHECKING:
    from memstore.database import Database

TOKEN_VARIABLE = "MEMSTORE_TOKEN"

Place = Annotated[
    str,
    typer.Option(
        "--db",
        envvar="MEMSTORE_DB",
        metavar="PATH_OR_ADDRESS",
        help="The database: a folder, or a server as host:port or unix:/path (its token in MEMSTORE_TOKEN).",
    ),
]
DEFAULT_PLACE = "./worlds"


def is_address(place: str) -> bool:
    """Whether `place` names a server rather than a folder.

    >>> [is_address(place) for place in ("localhost:7070", "unix:/run/memstore.sock", "./worlds")]
    [True, True, False]
    """
    return place.startswith(("unix:", "dns:", "ipv4:", "ipv6:")) or re.fullmatch(r"[^/\\]+:\d{1,5}", place) is not None


def open_place(place: str, *, read_only: bool = False, create: bool = False) -> Database:
    """Opens the database at a folder, or connects to the one behind an address.

    Raises:
        NotFound: there is no database in the folder, and none may be made.
        Unavailable: nobody answers at the address.
    """
    if is_address(place):
        import memstore_client

        # Remote and embedded have the same verbs, values and errors; the contract tests hold them to it.
        return cast("Database", memstore_client.connect(place, token=os.environ.get(TOKEN_VARIABLE)))
    from memstore import open as open_database

    return open_database(Path(place), read_only=read_only, create=create)


def folder_of(place: str, command: str) -> Path:
    """Returns the folder of a database, for commands that work beside its files.

    Raises:
        NotImplementedHere: `place` is the address of a server.
    """
    if is_address(place):
        raise NotImplementedHere(
            f"memstore {command} works on the files of a database, and {place} is a server; run it on that machine "
            "with --db FOLDER."
        )
    return Path(place)
