"""Where to look from, on a command line: a frame of the world, or a camera in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from memstore.camera import Camera
from memstore.cli.camera_file import read_camera
from memstore.cli.numbers import numbers
from memstore.cli.place import AnyWorld
from memstore.errors import InvalidInput, NotFound, Reason

_PANEL = "Where to look from"


@dataclass(frozen=True)
class ViewOptions:
    """Options that say where to look from."""

    at_frame: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Look from where frame N was taken.", rich_help_panel=_PANEL),
    ] = None
    """Ordinal of a frame."""
    camera: Annotated[
        Path | None,
        typer.Option(
            help="Look from the camera in a .json or .npz file: fx fy cx cy width height camera_to_world.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    """File of a camera."""

    def chosen(self, world: AnyWorld) -> Camera | None:
        """Returns the camera that is meant, `None` where none is.

        Raises:
            InvalidInput: two are given, or the file holds no camera.
            NotFound: there is no such frame or file.
        """
        if self.at_frame is not None and self.camera is not None:
            raise InvalidInput("say where to look from: either --at-frame N or --camera FILE.", field="camera")
        if self.camera is not None:
            return read_camera(self.camera)
        return None if self.at_frame is None else camera_of(world, self.at_frame)

    def required(self, world: AnyWorld) -> Camera:
        """Returns the camera that is meant. Errors as `chosen`, and InvalidInput where none is."""
        camera = self.chosen(world)
        if camera is None:
            raise InvalidInput("say where to look from: either --at-frame N or --camera FILE.", field="camera")
        return camera


def camera_of(world: AnyWorld, ordinal: int) -> Camera:
    """Returns the camera of a frame of a world.

    Raises:
        NotFound: there is no such frame.
    """
    for frame in world.frames(ordinal, ordinal + 1):
        return frame.camera
    count = world.describe().frame_count
    raise NotFound(
        f"world {world.name!r} has no frame {ordinal}; it holds {count} frames, counted from 0.",
        reason=Reason.FRAME_NOT_FOUND,
    )


Pixel = Annotated[str, typer.Option(metavar="U,V", help="The pixel: from the left and from the top edge.")]


def pixel_of(words: str) -> tuple[float, float]:
    """Returns a pixel's place in the image. Errors as `numbers`."""
    u, v = numbers(words, 2, "--pixel")
    return u, v
