"""`memstore undo | redo | revert | reset`: going back. Nothing is lost by it: each leaves a step, or a dropped head."""

from __future__ import annotations

from typing import Annotated

import typer

from memstore.cli.log import step_in_words
from memstore.cli.output import answer
from memstore.cli.place import PlaceOptions, Revision, WorldName, open_place, world_of
from memstore.cli.signing import RequestId, SignOptions
from memstore.cli.spread import spread

Anyone = Annotated[bool, typer.Option("--anyone", help="The newest of anyone, not only of the author.")]


@spread
def undo(world: WorldName, sign: SignOptions, place: PlaceOptions, anyone: Anyone = False) -> None:
    """Take back your newest step; what others did since stays.

    \b
    Examples:
      memstore undo museum
      memstore undo museum --anyone
    """
    with open_place(place.db) as database:
        done = world_of(database, world).undo(
            author=sign.signature, anyone=anyone, message=sign.message, request_id=sign.request_id
        )
    answer(done, step_in_words(done), as_json=place.as_json)


@spread
def redo(world: WorldName, sign: SignOptions, place: PlaceOptions, anyone: Anyone = False) -> None:
    """Take back your newest undo."""
    with open_place(place.db) as database:
        done = world_of(database, world).redo(
            author=sign.signature, anyone=anyone, message=sign.message, request_id=sign.request_id
        )
    answer(done, step_in_words(done), as_json=place.as_json)


@spread
def revert(world: WorldName, revision: Revision, sign: SignOptions, place: PlaceOptions) -> None:
    """Take back one step, whoever took it and however old.

    \b
    Example:
      memstore revert museum 3f2a9c
    """
    with open_place(place.db) as database:
        done = world_of(database, world).revert(
            revision, author=sign.signature, message=sign.message, request_id=sign.request_id
        )
    answer(done, step_in_words(done), as_json=place.as_json)


@spread
def reset(
    world: WorldName,
    revision: Revision,
    place: PlaceOptions,
    expected_head: Annotated[
        str, typer.Option(metavar="COMMIT", help="Refuse when the head is another.", show_default=False)
    ] = "",
    request_id: RequestId = "",
) -> None:
    """Move a branch to another commit; the old head is kept.

    For 30 days `memstore dropped` lists the head that it leaves, and `reset` to that brings it back.

    \b
    Example:
      memstore reset museum v1
    """
    with open_place(place.db) as database:
        opened = world_of(database, world)
        done = opened.reset(revision, expected_head=expected_head, request_id=request_id)
        branch = opened.branch_name
    words = f"{world} ({branch}) is at {done.commit[:10]}; memstore dropped {world} lists what it left."
    answer(done, words, as_json=place.as_json)
