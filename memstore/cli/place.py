"""Where the database is: a folder, opened in this process, or the address of a server. The verbs are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol, runtime_checkable

import typer

from memstore.camera import Camera
from memstore.cli.output import AsJson
from memstore.compared import Blamed, BranchSummary, Diff, DroppedHead, MergeReport, Policy
from memstore.edited import EditReport, LayerSummary, Picked, SelectionReport
from memstore.editing import Edit
from memstore.errors import InvalidInput, NotFound, NotImplementedHere
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.selection import Selection
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


@dataclass(frozen=True)
class PlaceOptions:
    """Options that say where the database is and how to answer."""

    db: Place = DEFAULT_PLACE
    """The database."""
    as_json: AsJson = False
    """Whether to answer in JSON."""


WorldName = Annotated[
    str, typer.Argument(metavar="WORLD", help="Name of the world; as NAME@REVISION on a branch, or at a tag or commit.")
]
REVISION_HELP = "A commit id or its first digits, a tag or a branch."
Revision = Annotated[str, typer.Argument(metavar="REVISION", help=REVISION_HELP)]
OtherWorld = Annotated[str, typer.Argument(metavar="OTHER", help="The other world, as NAME or NAME@REVISION.")]
OnProgress = Callable[[int, int, str], None]
"""Called with what is done, how much there is, and the stage."""


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

    @property
    def branch_name(self) -> str:
        """The branch that the handle follows."""
        ...

    @property
    def head(self) -> str:
        """The commit that is read."""
        ...

    def describe(self) -> WorldSummary:
        """Returns the world as it stands."""
        ...

    def at(self, commit: str) -> AnyWorld:
        """Returns the world pinned to a revision."""
        ...

    def branch(self, name: str, *, create: bool = False, at: str = "") -> AnyWorld:
        """Returns the world on another branch."""
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

    def edit(
        self,
        message: str = "",
        *,
        author: str = "",
        request_id: str = "",
        expected_head: str = "",
        max_affected: int | None = None,
    ) -> Edit:
        """Opens an edit."""
        ...

    def layers(self) -> list[LayerSummary]:
        """Returns the layers."""
        ...

    def select(
        self, selection: Selection, *, camera: Camera | None = None, allow_empty: bool = False
    ) -> SelectionReport:
        """Returns what a selection means."""
        ...

    def pick(self, camera: Camera, u: float, v: float) -> Picked | None:
        """Returns the patch that a pixel shows."""
        ...

    def show(self, commit: str = "") -> CommitSummary:
        """Returns the step of a revision."""
        ...

    def undo(self, *, author: str = "", anyone: bool = False, message: str = "", request_id: str = "") -> CommitSummary:
        """Takes a step back."""
        ...

    def redo(self, *, author: str = "", anyone: bool = False, message: str = "", request_id: str = "") -> CommitSummary:
        """Takes an undo back."""
        ...

    def revert(self, commit: str, *, author: str = "", message: str = "", request_id: str = "") -> CommitSummary:
        """Takes the step of a revision back."""
        ...

    def branches(self) -> list[BranchSummary]:
        """Returns the branches."""
        ...

    def delete_branch(self, name: str, *, request_id: str = "") -> None:
        """Removes a branch."""
        ...

    def tag(self, name: str, commit: str = "", *, request_id: str = "") -> BranchSummary:
        """Names a revision for good."""
        ...

    def tags(self) -> list[BranchSummary]:
        """Returns the tags."""
        ...

    def delete_tag(self, name: str, *, request_id: str = "") -> None:
        """Removes a tag."""
        ...

    def diff(self, before: str, after: str = "", *, camera: Camera | None = None, patches: bool = False) -> Diff:
        """Returns how two revisions differ."""
        ...

    def blame(self, camera: Camera, u: float, v: float) -> Blamed | None:
        """Returns the steps that put the patch there that a pixel shows."""
        ...

    def merge_into(
        self,
        target: str,
        *,
        policy: Policy = "fail",
        trial: bool = False,
        author: str = "",
        message: str = "",
        request_id: str = "",
    ) -> MergeReport:
        """Merges this branch into another."""
        ...

    def reset(self, commit: str, *, expected_head: str = "", request_id: str = "") -> CommitSummary:
        """Moves the branch to a revision."""
        ...

    def dropped(self) -> list[DroppedHead]:
        """Returns the heads that were left."""
        ...

    def flatten(
        self, *, author: str = "", message: str = "", request_id: str = "", on_progress: OnProgress | None = None
    ) -> EditReport:
        """Writes the rows of a branch anew."""
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


def world_of(database: AnyDatabase, name: str) -> AnyWorld:
    """Returns the world `name`, or `name@revision`: on that branch, or pinned to that tag or commit.

    Raises:
        NotFound: there is no such world or revision.
    """
    world_name, _, revision = name.partition("@")
    world = database.world(world_name)
    if not revision:
        return world
    try:
        return world.branch(revision)
    except (NotFound, InvalidInput):  # no branch, or none that could be: a commit id may begin with a digit
        return world.at(revision)


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
