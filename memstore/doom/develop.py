"""From what the engine tells of a moment to a frame: colours averaged down, exact depth, and what moves.

Colour is the mean of the screen pixels under a picture pixel. Depth is never averaged: it is cast anew through the
centre of every picture pixel, so at an edge it is the depth of one side. A sprite counts where the sample next to that
centre shows it, at the planar z of the thing. The moving mask is the other way round, on the safe side: a pixel moves
if any of its samples does.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from memstore.camera import Camera
from memstore.doom.raycast import cast
from memstore.doom.shot import Screen, Shot, Sprite
from memstore.doom.wad import UNITS_PER_METRE, VOID, DoomMap
from memstore.frame import Frame

TICS_PER_SECOND = 35
NEAREST_SPRITE = 1.0
"""Sprites nearer than this, map units, have no planar z to speak of: their pixels are unmeasured and moving."""
OUTDOORS_SKY = 0.05
"""Share of sky in the picture from which a caption says outdoors."""
STILL = frozenset(
    {
        "Obstacle",
        "Decoration",
        "Weapon",
        "Ammo",
        "Armor",
        "Health",
        "Key",
        "Powerup",
        "LightSource",
        "Vegetation",
        "Gore",
        "Hazard",
    }
)
"""Kinds that never move. All else does: an exploding fireball has no speed and is of kind Explosive."""


def lens_for(screen: Screen, width: int, height: int) -> Camera:
    """Returns the camera of a picture cut from the middle of a screen and averaged down, at the origin."""
    left, top = _margin(screen, width, height)
    cut = screen.camera.cropped(left, top, width * screen.samples, height * screen.samples)
    return cut.resized(width, height)


def develop(shot: Shot, doom_map: DoomMap, screen: Screen, lens: Camera) -> Frame:
    """Returns the frame of a shot, with `time_s` and a caption of what is seen."""
    camera = lens.at(shot.camera_to_world)
    colours, labels = (_samples(picture, screen, lens) for picture in (shot.rgb, shot.labels))
    surfaces = cast(doom_map, shot.heights, camera)
    distance, moves = _sprite_tables(shot)
    centre = distance[labels[:, screen.samples // 2, :, screen.samples // 2]]
    depth_m = np.where(np.isnan(centre), surfaces.depth_m, centre)
    moved = (shot.heights != doom_map.heights).any(axis=1)
    moving = moves[labels].any(axis=(1, 3)) | (moved[surfaces.owner] & (surfaces.owner != VOID))
    return Frame(
        camera,
        depth_m,
        rgb=np.rint(colours.mean(axis=(1, 3))).astype(np.uint8),
        time_s=shot.tic / TICS_PER_SECOND,
        moving=moving,
        caption=_caption(shot.sprites, np.isposinf(depth_m)),
    )


def _margin(screen: Screen, width: int, height: int) -> tuple[int, int]:
    return (screen.width - width * screen.samples) // 2, (screen.height - height * screen.samples) // 2


def _samples(picture: UInt8[np.ndarray, "sh sw *c"], screen: Screen, lens: Camera) -> UInt8[np.ndarray, "h k w k *c"]:
    """Returns the screen pixels under each picture pixel as axes 1 and 3."""
    left, top = _margin(screen, lens.width, lens.height)
    k = screen.samples
    cut = picture[top : top + lens.height * k, left : left + lens.width * k]
    return cut.reshape(lens.height, k, lens.width, k, *picture.shape[2:])


def _sprite_tables(shot: Shot) -> tuple[Float32[np.ndarray, "256"], Bool[np.ndarray, "256"]]:
    """Returns planar z in metres (NaN: no sprite) and whether it moves, for each value of the labels picture."""
    distance, moves = np.full(256, np.nan, np.float32), np.zeros(256, bool)
    ahead: Float64[np.ndarray, "2"] = shot.camera_to_world[:2, 2]
    for sprite in shot.sprites:
        z = float((np.array(sprite.position) - shot.eye[:2]) @ ahead)
        near = z <= NEAREST_SPRITE
        distance[sprite.label] = 0 if near else z / UNITS_PER_METRE
        moves[sprite.label] = near or sprite.category not in STILL
    return distance, moves


def _caption(sprites: tuple[Sprite, ...], sky: Bool[np.ndarray, "h w"]) -> str:
    """Returns a sentence such as `outdoors: doom imp, 2 green torch`."""
    place = "outdoors" if sky.mean() >= OUTDOORS_SKY else "indoors"
    counts = Counter(_spoken(sprite.name) for sprite in sprites)
    seen = ", ".join(name if count == 1 else f"{count} {name}" for name, count in sorted(counts.items()))
    return f"{place}: {seen}" if seen else place


def _spoken(name: str) -> str:
    """Returns a class name as words: DoomImp is a doom imp.

    >>> _spoken("DoomImp")
    'doom imp'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", name).lower()
