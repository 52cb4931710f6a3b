"""What the game shows at one moment, and on what kind of screen.

What the engine does not tell, measured against exact depth: a field of view of 90 degrees is meant for 4:3 and wider
screens see more, so fx = (4/3 height) / 2; pixels are 1.2 times taller than wide, so fy = 1.2 fx; it draws what lies at
the left and lower edge of a pixel, half a pixel off its centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from memstore.camera import Camera
from memstore.doom.wad import UNITS_PER_METRE

PIXEL_STRETCH = 1.2
HALF_PIXEL = 0.5
"""Colours warped over 8 frames of E1M5 differ by 6.42 grey levels with it and by 6.53 without."""


@dataclass(frozen=True)
class Screen:
    """A screen mode, and how a smaller picture is cut out of its middle and averaged down."""

    name: str
    """The engine's name of the mode."""
    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    samples: int
    """Screen pixels a side of one picture pixel."""

    @property
    def camera(self) -> Camera:
        """The lens of the whole screen, at the origin."""
        fx = self.height * 4 / 3 / 2
        cx, cy = self.width / 2 + HALF_PIXEL, self.height / 2 - HALF_PIXEL
        return Camera(fx, PIXEL_STRETCH * fx, cx, cy, self.width, self.height, np.eye(4))


@dataclass(frozen=True)
class Sprite:
    """A thing in view: drawn as a flat picture that always faces the camera."""

    label: int
    """Its value in the labels picture."""
    name: str
    """The engine's class name, such as DoomImp."""
    category: str
    """The engine's kind, such as Monster or Decoration."""
    position: tuple[float, float]
    """Where it stands, map units."""


@dataclass(frozen=True, eq=False)
class Shot:
    """Everything the engine tells of one moment."""

    rgb: UInt8[np.ndarray, "h w 3"]
    """The whole screen."""
    labels: UInt8[np.ndarray, "h w"]
    """Which sprite each screen pixel belongs to, by `Sprite.label`."""
    sprites: tuple[Sprite, ...]
    """The sprites in view."""
    heights: Float64[np.ndarray, "s 2"]
    """Floor and ceiling of every sector now, map units."""
    eye: tuple[float, float, float]
    """Where the camera is, map units."""
    angle: float
    """Where it looks, degrees counter-clockwise from east."""
    tic: int
    """Game time, 35 tics a second."""

    @property
    def camera_to_world(self) -> Float64[np.ndarray, "4 4"]:
        """World <- camera, metres."""
        sin, cos = np.sin(np.deg2rad(self.angle)), np.cos(np.deg2rad(self.angle))
        matrix = np.eye(4)
        matrix[:3, :3] = np.array([[sin, 0, cos], [-cos, 0, sin], [0, -1, 0]])
        matrix[:3, 3] = np.array(self.eye) / UNITS_PER_METRE
        return matrix
