"""Walking: pictures of memory alone, along a smoothed way that nobody took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from memstore.camera import Camera
from memstore.cli.place import AnyWorld
from memstore.demo.look import QUERY
from memstore.demo.path import distance_to_nearest_m, smooth_path
from memstore.demo.report import Walk
from memstore.drawing.ramp import HOLE_COLOR

ENLARGED = 2
"""Film pixels along a side of a picture's pixel."""


@dataclass
class Stroll:
    """A walk through a world; iterate it for its pictures, then ask it for the report."""

    world: AnyWorld
    """Where it goes."""
    recorded: Sequence[Camera]
    """The cameras in memory."""
    pictures: int
    """How many pictures to take."""
    known: list[float] = field(default_factory=list[float])
    """Share of the pixels that memory drew, of each picture taken so far."""

    @classmethod
    def through(cls, world: AnyWorld, pictures: int) -> Stroll:
        """Plans a walk along the whole way that the world remembers."""
        return cls(world, [frame.camera for frame in world.frames()], pictures)

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        for camera in smooth_path(self.recorded, self.pictures):
            mosaic = self.world.retrieve(camera, QUERY)
            self.known.append(float(mosaic.image_mask().mean()))
            yield enlarged(mosaic.image(holes=HOLE_COLOR))

    def report(self) -> Walk:
        """Returns what the walk was like."""
        distances = distance_to_nearest_m(smooth_path(self.recorded, self.pictures), self.recorded)
        return Walk(len(self.known), float(np.mean(self.known)), float(np.median(distances)))


def enlarged(picture: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "big_h big_w 3"]:
    """Returns a picture large enough for people."""
    height, width, _ = picture.shape
    size = (width * ENLARGED, height * ENLARGED)
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))
