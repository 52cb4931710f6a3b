"""`memstore merge`: what was done on one branch goes into another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from memstore.cli.diff import layers_in_words
from memstore.cli.log import SHORT
from memstore.cli.output import answer, listing
from memstore.cli.place import PlaceOptions, open_place, world_of
from memstore.cli.signing import SignOptions
from memstore.cli.spread import spread
from memstore.compared import MergeConflict, MergeReport, Policy


@spread
def merge(
    theirs: Annotated[str, typer.Argument(metavar="WORLD@BRANCH", help="The branch that is merged.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="The branch that it is merged into.")],
    sign: SignOptions,
    place: PlaceOptions,
    policy: Annotated[
        Policy, typer.Option(help="About conflicts: refuse, keep INTO's state, or take that of the other.")
    ] = "fail",
    trial: Annotated[bool, typer.Option("--trial", help="Write nothing; list conflicts and changes.")] = False,
) -> None:
    """Merge a branch into another one of its world.

    \b
    Examples:
      memstore merge museum@night main --trial
      memstore merge museum@night main -m "the night shift is done"
    """
    with open_place(place.db, read_only=trial) as database:
        done = world_of(database, theirs).merge_into(
            into,
            policy=policy,
            trial=trial,
            author=sign.signature,
            message=sign.message,
            request_id=sign.request_id,
        )
    answer(done, _words(done, theirs, into, trial=trial), as_json=place.as_json)


def _words(done: MergeReport, theirs: str, into: str, *, trial: bool) -> RenderableType:
    if not (done.layers or done.conflicts or done.commit):
        return f"{into} holds all that {theirs} does."
    parts: list[RenderableType] = []
    if done.conflicts:
        parts += [f"[yellow]{_count(done.conflicts)}[/]", conflicts_in_words(done.conflicts), ""]
    if done.layers:
        parts += [f"[bold]what {'would change' if trial else 'changed'} in {into}[/]", layers_in_words(done.layers)]
    parts.append("Nothing is written." if trial else f"{into} is at {done.commit[:SHORT]}.")
    return Group(*parts)


def _count(conflicts: tuple[MergeConflict, ...]) -> str:
    return "1 conflict" if len(conflicts) == 1 else f"{len(conflicts):,} conflicts"


def conflicts_in_words(conflicts: Iterable[MergeConflict]) -> RenderableType:
    """Returns what the sides of a merge disagree on, one a line."""
    rows = [(each.kind, each.layer or "-", each.patch_count, each.message) for each in conflicts]
    return listing(("about", "layer", "patches", "what each side did"), rows, "")
