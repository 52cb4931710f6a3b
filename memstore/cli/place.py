"""Where the database is: a folder, opened in this process, or the address of a server. The verbs are the same."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

import typer

from memstore.camera import Camera
from memstore.errors import NotImplementedHere
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.summary import Bounds, CommitSummary, DatabaseSummary, WorldSummary

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


@runtime_checkable
class AnyIngest(Protocol):
    """An ingest, embedded or remote."""

    @property
    def resume_from(self) -> int:
        """Frames that an earlier try of this request made durable."""
        ...

    @property
    def acknowledged(self) -> int:
        """Frames that this ingest made durable."""
        ...

    @property
    def first_ordinal(self) -> int | None:
        """Ordinal of the first of them."""
        ...

    def add(self, frame: Frame) -> None:
        """Takes a frame in."""
        ...


@runtime_checkable
class AnyWorld(Protocol):
    """A world, embedded or remote: what the commands ask of it."""

    @property
    def name(self) -> str:
        """The world's name."""
        ...

    def describe(self) -> WorldSummary:
        """Returns the world as it stands."""
        ...

    def ingest(self, *, message: str = "", author: str = "", request_id: str = "") -> AbstractContextManager[AnyIngest]:
        """Opens an ingest."""
        ...

    def retrieve(self, camera: Camera, query: Query | None = None) -> Mosaic:
        """Returns what a camera sees."""
        ...

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        """Yields the frames as they went in."""
        ...

    def bounds(self) -> Bounds | None:
        """Returns a box around everything but the sky."""
        ...

    def log(self, limit: int = 50) -> list[CommitSummary]:
        """Returns the newest steps."""
        ...


@runtime_checkable
class AnyDatabase(Protocol):
    """A database, embedded or remote: what the commands ask of it."""

    def create_world(
        self, name: str, latents: LatentSpec | None = None, *, up: str = "+z", exist_ok: bool = False
    ) -> AnyWorld:
        """Makes a world."""
        ...

    def world(self, name: str) -> AnyWorld:
        """Returns the world of that name."""
        ...

    def worlds(self, *, deleted: bool = False) -> list[WorldSummary]:
        """Returns the worlds."""
        ...

    def delete_world(self, name: str) -> None:
        """Deletes a world."""
        ...

    def undelete_world(self, name: str) -> AnyWorld:
        """Brings a world back."""
        ...

    def describe(self) -> DatabaseSummary:
        """Returns the database as it stands."""
        ...


def is_address(place: str) -> bool:
    """Whether `place` names a server rather than a folder.

    >>> [is_address(place) for place in ("localhost:7070", "unix:/run/memstore.sock", "./worlds")]
    [True, True, False]
    """
    return place.startswith("unix:") or re.fullmatch(r"[^/\\]+:\d{1,5}", place) is not None


@contextmanager
def open_place(place: str, *, read_only: bool = False, create: bool = False) -> Generator[AnyDatabase]:
    """Yields the database in a folder, or the one behind an address, and closes it.

    Raises:
        NotFound: there is no database in the folder, and none may be made.
        Unavailable: nobody answers at the address.
    """
    if is_address(place):
        from memstore_client import connect

        with connect(place) as remote:
            yield remote
        return
    from memstore.database import open_database  # the engine: a second to load, and only embedded needs it

    with open_database(Path(place), read_only=read_only, create=create) as embedded:
        yield embedded


def folder_of(place: str, command: str) -> Path:
    """Returns the folder of a database, for commands that work on its files.

    Raises:
        NotImplementedHere: `place` is the address of a server.
    """
    if is_address(place):
        raise NotImplementedHere(
            f"memstore {command} works on the files of a database, and {place} is a server; run it on that machine "
            "with --db FOLDER."
        )
    return Path(place)
