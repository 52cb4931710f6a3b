"""Transforms on a command line: how far a thing is moved, turned and scaled, and about what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from memstore.cli.numbers import vector
from memstore.errors import InvalidInput
from memstore.operation import Pivot
from memstore.transform import Transform

_PANEL = "Where it goes"
Axis = Literal["x", "y", "z"]


@dataclass(frozen=True)
class TurnOptions:
    """Options that say how a thing is turned and scaled."""

    turn: Annotated[
        float,
        typer.Option(
            metavar="DEGREES", help="Turn it, right-handed, about up.", show_default=False, rich_help_panel=_PANEL
        ),
    ] = 0.0
    """Degrees."""
    turn_about: Annotated[
        Axis | None, typer.Option(help="Turn it about this axis instead.", rich_help_panel=_PANEL)
    ] = None
    """The axis, `None` for up."""
    scale: Annotated[
        float,
        typer.Option(
            metavar="TIMES", help="Make it so many times as large.", show_default=False, rich_help_panel=_PANEL
        ),
    ] = 1.0
    """Scale, positive."""

    def placed(self, up: str, moved: tuple[float, float, float]) -> Transform:
        """Returns the transform that scales, turns, and then moves.

        Args:
            up: the world's up axis, such as "+z".
            moved: how far it moves, metres.
        """
        axis = up if self.turn_about is None else f"+{self.turn_about}"
        sign = -1.0 if axis[0] == "-" else 1.0
        x, y, z = (sign * (name == axis[1]) for name in "xyz")
        turned = Transform.rotate((x, y, z), self.turn, degrees=True)
        return Transform.translate(*moved) @ turned @ Transform.scaling(self.scale)


@dataclass(frozen=True)
class MoveOptions(TurnOptions):
    """Options that say where a thing goes."""

    move: Annotated[
        str | None, typer.Option(metavar="DX,DY,DZ", help="Move it so far, metres.", rich_help_panel=_PANEL)
    ] = None
    """How far."""
    pivot: Annotated[
        str,
        typer.Option(
            metavar="PIVOT", help="Turn and scale about: centroid, origin, or a point X,Y,Z.", rich_help_panel=_PANEL
        ),
    ] = "centroid"
    """About what it is turned and scaled."""

    def transform(self, up: str) -> Transform:
        """Returns where it goes, seen from where it is.

        Args:
            up: the world's up axis, such as "+z".

        Raises:
            InvalidInput: nothing would change.
        """
        found = self.placed(up, (0.0, 0.0, 0.0) if self.move is None else vector(self.move, "--move"))
        if found.is_identity:
            raise InvalidInput("say where it goes: --move DX,DY,DZ, --turn DEGREES or --scale S.", field="move")
        return found

    def about(self) -> Pivot:
        """Returns what it is turned and scaled about. Errors as `vector`."""
        match self.pivot:
            case "centroid" | "origin":
                return self.pivot
            case point:
                return vector(point, "--pivot")
