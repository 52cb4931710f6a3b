"""Selections on a command line: options that say which patches are meant, the same for every command."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from memstore.cli.camera_file import read_camera
from memstore.cli.numbers import numbers, whole_numbers
from memstore.cli.place import AnyWorld
from memstore.cli.viewpoint import camera_of
from memstore.errors import InvalidInput, Reason
from memstore.selection import Everything, Frames, Kind, Kinds, Layers, Ordinals, PatchIds, Selection
from memstore.shape import Box, HalfSpace, Sphere, ViewFrustum
from memstore.transform import Transform

PANEL = "What is meant"
Words = list[str] | None


@dataclass(frozen=True)
class SelectionOptions:
    """Options that say what is meant: what fits all of them, or with --any what fits one."""

    box: Annotated[
        Words,
        typer.Option(metavar="X,Y,Z,SX,SY,SZ", help="In a box: centre and edges, metres.", rich_help_panel=PANEL),
    ] = None
    """Boxes."""
    box_rotation_z: Annotated[
        float,
        typer.Option(metavar="DEGREES", help="Turn the boxes about z.", show_default=False, rich_help_panel=PANEL),
    ] = 0.0
    """How far the boxes are turned, degrees."""
    sphere: Annotated[
        Words, typer.Option(metavar="X,Y,Z,R", help="In a ball: centre and radius, metres.", rich_help_panel=PANEL)
    ] = None
    """Balls."""
    half_space: Annotated[
        Words,
        typer.Option(
            metavar="NX,NY,NZ,OFFSET",
            help="On one side of a plane: its normal, and its distance from the origin, metres.",
            rich_help_panel=PANEL,
        ),
    ] = None
    """Half-spaces."""
    layer: Annotated[
        Words, typer.Option(metavar="NAME", help="In a layer, by name or id; again for more.", rich_help_panel=PANEL)
    ] = None
    """Layers."""
    kind: Annotated[Kind | None, typer.Option(help="In layers of this kind.", rich_help_panel=PANEL)] = None
    """A kind of layers."""
    frames: Annotated[str | None, typer.Option(metavar="N,N,...", help="From these frames.", rich_help_panel=PANEL)] = (
        None
    )
    """Frame ordinals."""
    ordinals: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", help="From frames FROM to before TO.", rich_help_panel=PANEL),
    ] = None
    """A run of frames."""
    ids: Annotated[
        str | None, typer.Option(metavar="ID,ID,...", help="Patches by id, as pick prints them.", rich_help_panel=PANEL)
    ] = None
    """Patch ids."""
    seen_by: Annotated[
        str | None,
        typer.Option(
            metavar="CAMERA",
            help="Before a camera, hidden or not: the number of a frame, or a .json or .npz file.",
            rich_help_panel=PANEL,
        ),
    ] = None
    """A camera."""
    near: Annotated[
        float,
        typer.Option(
            metavar="METRES", help="With --seen-by: no nearer than this.", show_default=False, rich_help_panel=PANEL
        ),
    ] = 0.0
    """Smallest depth before the camera, metres."""
    far: Annotated[
        float,
        typer.Option(
            metavar="METRES", help="With --seen-by: no farther than this.", show_default=False, rich_help_panel=PANEL
        ),
    ] = math.inf
    """Largest depth before the camera, metres."""
    everything: Annotated[
        bool, typer.Option("--everything", help="All that is shown, sky too.", rich_help_panel=PANEL)
    ] = False
    """Whether all is meant."""
    any_of: Annotated[
        bool, typer.Option("--any", help="What fits one of these options; else all must fit.", rich_help_panel=PANEL)
    ] = False
    """Whether fitting one is enough."""
    all_but: Annotated[
        bool, typer.Option("--not", help="All that is shown but what these options say.", rich_help_panel=PANEL)
    ] = False
    """Whether what does not fit is meant."""

    def selection(self, world: AnyWorld) -> Selection:
        """Returns the selection that the options say, for a world.

        Raises:
            InvalidInput: nothing is said, or not as it should be.
            NotFound: there is no such frame or file.
        """
        parts = [*self._shapes(), *self._lists(), *self._seen(world)]
        if not parts:
            raise InvalidInput(
                "nothing is said to be meant; say --box, --sphere, --layer, --frames, --seen-by ... or --everything.",
                reason=Reason.EMPTY_SELECTION,
                field="selection",
            )
        joined = reduce(lambda a, b: a | b if self.any_of else a & b, parts)
        return ~joined if self.all_but else joined

    def _shapes(self) -> Iterator[Selection]:
        for words in self.box or ():
            yield box_of(words, "--box", self.box_rotation_z)
        for words in self.sphere or ():
            x, y, z, radius = numbers(words, 4, "--sphere")
            yield Sphere((x, y, z), radius)
        for words in self.half_space or ():
            x, y, z, offset = numbers(words, 4, "--half-space")
            yield HalfSpace((x, y, z), offset)

    def _lists(self) -> Iterator[Selection]:
        if self.layer:
            yield Layers(tuple(self.layer))
        if self.kind:
            yield Kinds((self.kind,))
        if self.frames:
            yield Frames(whole_numbers(self.frames, "--frames"))
        if self.ordinals:
            yield _run(self.ordinals)
        if self.ids:
            yield PatchIds(np.array(whole_numbers(self.ids, "--ids")))
        if self.everything:
            yield Everything()

    def _seen(self, world: AnyWorld) -> Iterator[Selection]:
        if self.seen_by:
            a_frame = self.seen_by.isdecimal()
            camera = camera_of(world, int(self.seen_by)) if a_frame else read_camera(Path(self.seen_by))
            yield ViewFrustum(camera, self.near, self.far)


def box_of(words: str, option: str, turned_degrees: float = 0.0) -> Box:
    """Returns the box X,Y,Z,SX,SY,SZ, turned about z. Errors as `numbers`."""
    x, y, z, size_x, size_y, size_z = numbers(words, 6, option)
    turn = Transform.rotate_z(turned_degrees, degrees=True).rotation
    return Box((x, y, z), (size_x, size_y, size_z), turn)


def _run(words: str) -> Ordinals:
    start, colon, stop = words.partition(":")
    if not (colon and start.strip().isdecimal() and stop.strip().isdecimal()):
        raise InvalidInput(f"--ordinals takes FROM:TO, such as 10:20; got {words!r}.", field="--ordinals")
    return Ordinals(int(start), int(stop))
