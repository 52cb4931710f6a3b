"""Spots: where in a place the demo edits, and from where that is looked at.

Those of the bundled clips were chosen by eye. In a clip of somebody's own, every spot is what the middle of a frame
shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from memstore.camera import Camera
from memstore.demo.remember import Place
from memstore.errors import InvalidInput, Reason
from memstore.shape import Box
from memstore.world import World

REACH = 0.3
"""In a clip of somebody's own: side of the box around what is seen, as a share of its distance."""


@dataclass(frozen=True)
class Spot:
    """A part of a place."""

    view: int
    """Frame of the clip from which it is looked at."""
    box: Box
    """What holds it, in the world, metres."""
    beside: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far it is to where there is room for another, metres."""
    grain_m: float = 0.3
    """Radius of the largest patches that show it alone: larger ones were seen from afar and show more, metres."""


@dataclass(frozen=True)
class Spots:
    """The spots of one place."""

    thing: Spot
    """Something that can be moved."""
    wall: Spot
    """Something that hides what is behind it."""
    doorway: Spot
    """Something that closes a way on."""
    arrival: int
    """Frame in which somebody arrives here who comes from elsewhere."""
    sky: int
    """Frame that shows much of what is above."""


CHOSEN: Mapping[str, Spots] = {
    "freedoom-indoor": Spots(
        thing=Spot(76, Box((-45.2, 51.9, 0.03), (2.7, 1.7, 1.04)), beside=(0.0, 0.0, 1.04)),
        wall=Spot(136, Box((-30.0, 44.5, 1.0), (1.2, 9.0, 4.6))),
        doorway=Spot(56, Box((-54.2, 45.0, 1.2), (3.8, 6.4, 3.8))),
        arrival=0,
        sky=0,
    ),
    "freedoom-outdoor": Spots(
        thing=Spot(80, Box((-48.4, 1.0, 4.3), (1.6, 1.6, 3.2)), beside=(3.4, 0.0, 0.0)),
        wall=Spot(96, Box((-22.5, -6.0, 5.9), (20.0, 36.0, 8.6))),
        doorway=Spot(96, Box((-28.0, -10.5, 5.0), (4.0, 6.0, 5.0))),
        arrival=8,
        sky=112,
    ),
}


def spots_of(place: Place, world: World) -> Spots:
    """Returns the spots of a place, chosen or found.

    Raises:
        InvalidInput: memory shows nothing in the middle of any frame.
    """
    chosen = CHOSEN.get(place.world)
    if chosen is not None:
        return chosen
    found = [spot for i in range(0, len(place.clip), 4) if (spot := _found(world, i, place.clip[i].camera))]
    if not found:
        raise InvalidInput(
            f"memory shows nothing in the middle of any view of {place.clip.path}, so there is nothing to edit.",
            reason=Reason.INVALID_CLIP,
        )
    thing, wall, doorway = (found[round(i)] for i in np.linspace(0, len(found) - 1, 3))
    return Spots(thing, wall, doorway, arrival=found[0].view, sky=found[-1].view)


def _found(world: World, view: int, camera: Camera) -> Spot | None:
    picked = world.pick(camera, camera.width / 2, camera.height * 0.6)
    if picked is None or not np.isfinite(picked.depth_m):
        return None
    side = REACH * picked.depth_m
    x, y, z = (1.2 * side * camera.camera_to_world[:3, 0]).tolist()
    return Spot(view, Box(picked.position, (side, side, side)), (x, y, z), grain_m=side)
