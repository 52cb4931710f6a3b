"""`memstore branch` and `memstore tag`: names for states of a world, that move on or stay."""

from __future__ import annotations

from typing import Annotated

import typer

from memstore.cli.log import SHORT
from memstore.cli.output import answer, listing
from memstore.cli.place import REVISION_HELP, PlaceOptions, WorldName, open_place, world_of
from memstore.cli.signing import RequestId
from memstore.cli.spread import spread
from memstore.compared import BranchSummary

branch = typer.Typer(help="List, make and delete branches: other ways on.", no_args_is_help=True)
tag = typer.Typer(help="List, make and delete tags: names that stay.", no_args_is_help=True)

Branch = Annotated[str, typer.Argument(metavar="NAME", help="Name of the branch: a-z, 0-9 and -.")]
Tag = Annotated[str, typer.Argument(metavar="NAME", help="Name of the tag: a-z, 0-9 and -.")]
At = Annotated[str, typer.Argument(metavar="[REVISION]", help=f"{REVISION_HELP} The head by default.")]


@branch.command("list")
@spread
def list_branches(world: WorldName, place: PlaceOptions) -> None:
    """List the branches of a world."""
    with open_place(place.db, read_only=True) as database:
        found = world_of(database, world).branches()
    answer(found, listing(("branch", "at"), map(_row, found), ""), as_json=place.as_json)


@branch.command("create")
@spread
def create_branch(world: WorldName, name: Branch, place: PlaceOptions, at: At = "") -> None:
    """Make a branch: it shares all that it came from.

    \b
    Examples:
      memstore branch create museum night
      memstore branch create museum before-the-fire v1
    """
    with open_place(place.db) as database:
        made = world_of(database, world).branch(name, create=True, at=at)
        summary = BranchSummary(name, made.head)
    bare = world.partition("@")[0]
    words = f"Branch {name} begins at {summary.commit[:SHORT]}; it goes by {bare}@{name}."
    answer(summary, words, as_json=place.as_json)


@branch.command("delete")
@spread
def delete_branch(world: WorldName, name: Branch, place: PlaceOptions, request_id: RequestId = "") -> None:
    """Delete a branch; for 30 days `memstore dropped` lists its head."""
    with open_place(place.db) as database:
        world_of(database, world).delete_branch(name, request_id=request_id)
    answer({"deleted": name}, f"Deleted branch {name}; memstore dropped {world} lists its head.", as_json=place.as_json)


@tag.command("list")
@spread
def list_tags(world: WorldName, place: PlaceOptions) -> None:
    """List the tags of a world."""
    with open_place(place.db, read_only=True) as database:
        found = world_of(database, world).tags()
    empty = f"{world} has no tag; make one with: memstore tag create {world} NAME"
    answer(found, listing(("tag", "at"), map(_row, found), empty), as_json=place.as_json)


@tag.command("create")
@spread
def create_tag(world: WorldName, name: Tag, place: PlaceOptions, at: At = "", request_id: RequestId = "") -> None:
    """Name a state for good.

    \b
    Example:
      memstore tag create museum v1
    """
    with open_place(place.db) as database:
        made = world_of(database, world).tag(name, at, request_id=request_id)
    answer(made, f"Tag {name} names {made.commit[:SHORT]}.", as_json=place.as_json)


@tag.command("delete")
@spread
def delete_tag(world: WorldName, name: Tag, place: PlaceOptions, request_id: RequestId = "") -> None:
    """Delete a tag; for 30 days `memstore dropped` lists its commit."""
    with open_place(place.db) as database:
        world_of(database, world).delete_tag(name, request_id=request_id)
    answer({"deleted": name}, f"Deleted tag {name}; memstore dropped {world} lists its commit.", as_json=place.as_json)


def _row(named: BranchSummary) -> tuple[str, str]:
    return named.name, named.commit[:SHORT]
