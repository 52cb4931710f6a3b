"""`memstore edit`: one verb each, or a script of many; every call is one commit, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from memstore.cli.carry_out import EditOptions, carry_out
from memstore.cli.moving import MoveOptions
from memstore.cli.place import AnyDatabase, AnyWorld, OtherWorld, WorldName, world_of
from memstore.cli.script import naming_steps, read_script
from memstore.cli.selection import SelectionOptions
from memstore.cli.spread import spread
from memstore.operation import (
    Concatenate,
    Delete,
    Duplicate,
    HideLayers,
    Invert,
    NameLayer,
    Relocate,
    Restore,
    ShowLayers,
    Side,
)
from memstore.transform import Transform

app = typer.Typer(
    help="""Delete, copy, move, turn over and name what is in a world.

    \b
    memstore select museum --sphere 1,0,2,0.6 --picture chair.png     look first
    memstore edit name museum chair --sphere 1,0,2,0.6
    memstore edit relocate museum --layer chair --move 0,0,1.5 --preview --picture moved.png
    memstore undo museum
    """,
    no_args_is_help=True,
)

LayerNames = Annotated[list[str], typer.Argument(metavar="LAYER...", help="Names or ids of layers.")]
NewName = Annotated[str, typer.Option(help="Name of the layer that it becomes.", show_default=False)]
AllowEmpty = Annotated[bool, typer.Option("--allow-empty", help="Nothing there is fine.")]


def _verb(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a function with groups of options the command `name`."""

    def register(command: Callable[..., None]) -> Callable[..., None]:
        return app.command(name)(spread(command))

    return register


@_verb("delete")
def delete(world: WorldName, meant: SelectionOptions, options: EditOptions, allow_empty: AllowEmpty = False) -> None:
    """Hide what is meant.

    \b
    Examples:
      memstore edit delete museum --box 0,0,0,1,1,1
      memstore edit delete museum --layer chair --half-space 0,0,1,0.5 --preview --picture out.png
    """
    carry_out(world, lambda _, place: [Delete(meant.selection(place), allow_empty)], options)


@_verb("duplicate")
def duplicate(
    world: WorldName,
    meant: SelectionOptions,
    where: MoveOptions,
    options: EditOptions,
    copies: Annotated[int, typer.Option(min=1, help="How many, each moved on from the one before.")] = 1,
    name: NewName = "",
    allow_empty: AllowEmpty = False,
) -> None:
    """Show what is meant again elsewhere.

    \b
    Example:
      memstore edit duplicate museum --layer chair --move 0,0.8,0 --copies 5
    """

    def operations(_: AnyDatabase, place: AnyWorld) -> Sequence[Duplicate]:
        placements = _in_a_row(where.transform(place.describe().up), copies)
        return [Duplicate(meant.selection(place), placements, where.about(), name, allow_empty)]

    carry_out(world, operations, options)


@_verb("relocate")
def relocate(
    world: WorldName,
    meant: SelectionOptions,
    where: MoveOptions,
    options: EditOptions,
    name: NewName = "",
    allow_empty: AllowEmpty = False,
) -> None:
    """Move, turn and scale what is meant.

    \b
    Examples:
      memstore edit relocate museum --layer chair --turn 90
      memstore edit relocate museum --sphere 1,0,2,0.6 --move 0,0,1.5 --name chair
    """

    def operations(_: AnyDatabase, place: AnyWorld) -> Sequence[Relocate]:
        transform = where.transform(place.describe().up)
        return [Relocate(meant.selection(place), transform, where.about(), name, allow_empty)]

    carry_out(world, operations, options)


@_verb("invert")
def invert(
    world: WorldName,
    meant: SelectionOptions,
    options: EditOptions,
    height: Annotated[
        float | None, typer.Option(metavar="METRES", help="Height of the axis; the top of what is meant by default.")
    ] = None,
    axis: Annotated[int, typer.Option(min=0, max=1, help="Which of the two horizontal axes it is turned about.")] = 0,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it where it is, too.")] = False,
    name: NewName = "",
    allow_empty: AllowEmpty = False,
) -> None:
    """Turn what is meant upside down, so that it hangs in the sky.

    \b
    Example:
      memstore edit invert city --kind observed --height 30 --keep
    """
    carry_out(world, lambda _, place: [Invert(meant.selection(place), height, axis, keep, name, allow_empty)], options)


@_verb("name")
def name_layer(
    world: WorldName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the layer.")],
    meant: SelectionOptions,
    options: EditOptions,
    allow_empty: AllowEmpty = False,
) -> None:
    """Make what is meant a layer of its own; a whole layer is renamed.

    \b
    Example:
      memstore edit name museum chair --sphere 1,0,2,0.6
    """
    carry_out(world, lambda _, place: [NameLayer(meant.selection(place), name, allow_empty)], options)


@_verb("show")
def show(world: WorldName, layers: LayerNames, options: EditOptions) -> None:
    """Show layers that were hidden."""
    carry_out(world, lambda *_: [ShowLayers(tuple(layers))], options)


@_verb("hide")
def hide(world: WorldName, layers: LayerNames, options: EditOptions) -> None:
    """Hide whole layers."""
    carry_out(world, lambda *_: [HideLayers(tuple(layers))], options)


@_verb("restore")
def restore(world: WorldName, meant: SelectionOptions, options: EditOptions, allow_empty: AllowEmpty = False) -> None:
    """Show again what was deleted or forgotten, where it was.

    \b
    Example:
      memstore edit restore museum --box 0,0,0,1,1,1
    """
    carry_out(world, lambda _, place: [Restore(meant.selection(place), allow_empty)], options)


@_verb("concatenate")
def concatenate(
    world: WorldName,
    other: OtherWorld,
    options: EditOptions,
    side: Annotated[Side, typer.Option(help="Where it goes.")] = "+x",
    gap: Annotated[float, typer.Option(metavar="METRES", help="Distance between the two.")] = 1.0,
    sky: Annotated[bool, typer.Option("--sky", help="Bring its sky too.")] = False,
    name: Annotated[str, typer.Option(help="What its layers' names begin with; its own by default.")] = "",
) -> None:
    """Show another world beside this one.

    \b
    Example:
      memstore edit concatenate museum garden --side=-y --gap 2
    """

    def operations(database: AnyDatabase, _: AnyWorld) -> Sequence[Concatenate]:
        there = world_of(database, other)
        return [Concatenate(there.name, side, gap, there.branch_name, there.head, sky, name)]

    carry_out(world, operations, options)


@_verb("script")
def script(
    world: WorldName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The script; - for what comes in.")],
    options: EditOptions,
) -> None:
    """Carry out a list of operations in JSON, all or none.

    Each is written as the message `Operation` of the service, as in: \\[{"relocate": {"selection": {"layers": {"names":
    \\["chair"]}}, "transform": {"translation": {"z": 1.5}}}}]

    \b
    Example:
      memstore edit script museum rearrange.json --preview --picture out.png
    """
    operations = read_script(file)
    with naming_steps(file):
        carry_out(world, lambda *_: operations, options)


def _in_a_row(step: Transform, count: int) -> tuple[Transform, ...]:
    found = [step]
    while len(found) < count:
        found.append(step @ found[-1])
    return tuple(found)
