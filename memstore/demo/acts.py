"""Acts: what the demo does to the places it remembers, a commit each, and from where that is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from memstore.camera import Camera
from memstore.clip import Clip
from memstore.database import Database
from memstore.demo.remember import Place
from memstore.demo.spots import Spot, Spots, spots_of
from memstore.editing import Edit
from memstore.selection import Finer, Selection
from memstore.shape import HalfSpace, Sphere
from memstore.transform import Transform
from memstore.world import World

AUTHOR = "demo"
HALVES = "first-half", "second-half"
"""Worlds of one walk that was recorded in two parts."""
OVERLAP = 0.4, 0.6
"""Shares of the clip between which both parts were recorded."""
ASTRAY_M, ASTRAY_DEGREES = (0.5, -0.4, 0.1), 8.0
"""How far the second part is wrong about where it is: a shift, and a turn about up at its first camera."""


AROUND_M, OVERHEAD_M, SKYWARD_DEGREES = 30.0, 5.0, 12.0
"""How much of a place is turned over, around the eye; the height of the line about which, above the eye; and how far
the eye looks up at it."""


@dataclass(frozen=True, eq=False)
class Act:
    """One edit, to be seen."""

    name: str
    """What it is called in the report."""
    caption: str
    """What it does, for people."""
    world: World
    """The world that is edited."""
    camera: Camera
    """Where it is seen from."""
    perform: Callable[[Edit], object]
    """The edit."""


def acts(database: Database, here: Place, there: Place) -> Iterator[Act]:
    """Yields the acts in order; each is to be performed before the next is asked for.

    Args:
        database: holds the worlds of both places.
        here: the first place.
        there: the last place, which may be the first.
    """
    world, other = database.world(here.world), database.world(there.world)
    spots, others = spots_of(here, world), spots_of(there, other)
    yield _copied(world, here.clip, spots.thing)
    yield _deleted(other, there.clip, others.wall)
    yield _relocated(other, there.clip, others.thing)
    if other.name != world.name:
        yield _stitched(world, here.clip, spots.doorway, other, there.clip[others.arrival].camera)
    yield _turned_over(other, there.clip, others)
    yield _fitted(database, here.clip)


def _copied(world: World, clip: Clip, spot: Spot) -> Act:
    def perform(edit: Edit) -> object:
        thing = edit.select(_thing(spot), name="thing")
        return edit.duplicate(thing, Transform.translate(*spot.beside))

    return Act("duplicate", "an object, copied", world, clip[spot.view].camera, perform)


def _thing(spot: Spot) -> Selection:
    """Returns what a spot's box holds, without patches that reach far beyond it."""
    return spot.box & Finer(spot.grain_m)


def _deleted(world: World, clip: Clip, spot: Spot) -> Act:
    return Act(
        "delete", "what stands in the way, deleted", world, clip[spot.view].camera, lambda edit: edit.delete(spot.box)
    )


def _relocated(world: World, clip: Clip, spot: Spot) -> Act:

    def perform(edit: Edit) -> object:
        edit.relocate(_thing(spot), _moved(spot.beside, 1.5), pivot=_foot(spot, world.up), name="thing")
        left = edit.select(spot.box, allow_empty=True)
        return edit.delete(left)  # what was seen of it from afar

    return Act("relocate", "an object, moved and made half as tall again", world, clip[spot.view].camera, perform)


def _stitched(world: World, clip: Clip, doorway: Spot, other: World, arrival: Camera) -> Act:
    camera = clip[doorway.view].camera
    ahead = np.array(doorway.box.center) - camera.center
    ahead["xyz".index(world.up[1])] = 0.0
    into = HalfSpace.through(doorway.box.center, tuple((-ahead).tolist()))

    def perform(edit: Edit) -> object:
        edit.delete(doorway.box)
        joined = edit.stitch(other, _transform(camera) @ _transform(arrival).inverse())
        return edit.delete(joined.selection & into)  # what would stand on this side of the doorway

    return Act("stitch", "the second place, stitched through a doorway", world, camera, perform)


def _turned_over(world: World, clip: Clip, spots: Spots) -> Act:
    camera = clip[spots.sky].camera
    vertical = "xyz".index(world.up[1])
    eye_m = float(camera.center[vertical]) * (1 if world.up[0] == "+" else -1)
    around = Sphere(camera.center, AROUND_M)
    return Act(
        "invert",
        "the place itself, turned over into its sky",
        world,
        camera.at(camera.camera_to_world @ _tilted_up(SKYWARD_DEGREES)),
        lambda edit: edit.invert(around, height_m=eye_m + OVERHEAD_M, keep=True, name="in-the-sky"),
    )


def _fitted(database: Database, clip: Clip) -> Act:
    """Records a walk in two parts, the second astray, and returns the act that joins them by what both saw."""
    first, last = (round(share * len(clip)) for share in OVERLAP)
    whole, astray = Transform.identity(), astray_from(clip)
    world = _recorded(database, HALVES[0], clip, range(last), whole)
    other = _recorded(database, HALVES[1], clip, range(first, len(clip)), astray)
    return Act(
        "stitch-aligned",
        "a second part of the walk, 8 degrees astray, fitted to the first",
        world,
        clip[last + (len(clip) - last) // 8].camera,
        lambda edit: edit.stitch(other, align="boundary"),
    )


def astray_from(clip: Clip) -> Transform:
    """Returns how the second part of a walk is wrong: its world <- the true world."""
    pivot = clip[round(OVERLAP[0] * len(clip))].camera.center
    return Transform.translate(*ASTRAY_M) @ Transform.rotate_z(ASTRAY_DEGREES, degrees=True).about(pivot)


def _recorded(database: Database, name: str, clip: Clip, part: range, placement: Transform) -> World:
    world = database.create_world(name)
    with world.ingest(message=f"frames {part.start} to {part.stop - 1}", author=AUTHOR) as ingest:
        for i in part:
            frame = clip[i]
            ingest.add(replace(frame, camera=frame.camera.placed(placement)))
    return world


def _moved(shift: tuple[float, float, float], scale: float) -> Transform:
    return Transform(np.eye(3), np.array(shift), scale)


def _foot(spot: Spot, up: str) -> tuple[float, float, float]:
    """Returns the middle of the bottom of a spot's box."""
    foot, vertical = list(spot.box.center), "xyz".index(up[1])
    foot[vertical] -= (1 if up[0] == "+" else -1) * spot.box.size_m[vertical] / 2
    return foot[0], foot[1], foot[2]


def _tilted_up(degrees: float) -> Float64[np.ndarray, "4 4"]:
    """Returns camera <- camera that looks up."""
    turned = np.eye(4)
    turned[:3, :3] = Transform.rotate_x(degrees, degrees=True).rotation
    return turned


def _transform(camera: Camera) -> Transform:
    """Returns world <- camera."""
    return Transform(camera.camera_to_world[:3, :3], camera.camera_to_world[:3, 3])
