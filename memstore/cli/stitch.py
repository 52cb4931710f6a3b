"""`memstore stitch`: another world is joined to this one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from memstore.cli.carry_out import EditOptions, carry_out
from memstore.cli.moving import TurnOptions
from memstore.cli.numbers import vector
from memstore.cli.place import AnyDatabase, AnyWorld, OtherWorld, WorldName, world_of
from memstore.cli.selection import box_of
from memstore.cli.spread import spread
from memstore.operation import Align, Stitch


@spread
def stitch(
    world: WorldName,
    other: OtherWorld,
    turned: TurnOptions,
    options: EditOptions,
    at: Annotated[str, typer.Option(metavar="X,Y,Z", help="Where its origin goes, metres; or a guess.")] = "0,0,0",
    align: Annotated[
        Align, typer.Option(help="boundary: take that for a guess, and fit what both worlds know.")
    ] = "none",
    region: Annotated[
        str | None, typer.Option(metavar="X,Y,Z,SX,SY,SZ", help="Fit only in this box: centre and edges, metres.")
    ] = None,
    sky: Annotated[bool, typer.Option("--sky", help="Bring its sky too.")] = False,
    name: Annotated[
        str, typer.Option(help="What its layers' names begin with; its own by default.", show_default=False)
    ] = "",
) -> None:
    """Join another world to this one; nothing is copied.

    \b
    Examples:
      memstore stitch museum garden --at 4,0,0
      memstore stitch museum garden@v1 --at 4,0,0 --turn 90 --align boundary --preview --picture out.png
    """

    def operations(database: AnyDatabase, place: AnyWorld) -> Sequence[Stitch]:
        there = world_of(database, other)
        guess = turned.placed(place.describe().up, vector(at, "--at"))
        fitted = None if region is None else box_of(region, "--region")
        return [Stitch(there.name, guess, align, fitted, there.branch_name, there.head, sky, name)]

    carry_out(world, operations, options)
