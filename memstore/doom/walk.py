"""Walks through Doom maps as posed RGB-D video: the real game, played along a planned way that comes back.

The player walks through doors, things and creatures, so a frame may be taken inside one; such frames are left out, as
are those with nothing to see but a wall or a creature. Frames are `tics_per_frame` apart but for these gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from memstore.doom.develop import develop, lens_for
from memstore.doom.plan import CLOSED, HEADROOM, choose_home, endless, survey
from memstore.doom.shot import Screen, Shot
from memstore.doom.wad import UNITS_PER_METRE, VOID, DoomMap, read_map, sectors_at
from memstore.errors import FailedPrecondition, InvalidInput
from memstore.frame import Frame

if TYPE_CHECKING:
    from memstore.doom.game import Game

PUSH, SPEED = 10.0, 3.33
"""Push ahead, and the walking pace it settles at, map units a tic: 3.6 m/s."""
LOOK_AHEAD = 80.0
"""How far along the way the player looks, map units: shorter sways, longer cuts corners."""
MAX_TURN = 4.0
"""Fastest turn, degrees a tic."""
WARM_UP_TICS = 35
"""Time for the player to land at home before the first frame."""
FIRST_ROUND = 0.65
"""Share of the frames that the first round takes; in the rest it is walked again."""
SHORTEST_ROUND, LONGEST_ROUND = 20 * UNITS_PER_METRE, 100 * UNITS_PER_METRE
"""Limits of a round, map units: shorter walks do not come back, longer ones make more rounds from the same home."""
MOVING_LIMIT = 0.3
"""Frames with a larger share of moving pixels are left out."""
NEAREST_VIEW_M = 0.8
"""Frames whose median depth is under this show little but a wall and are left out."""
PATIENCE = 10
"""Frames looked at for each one asked, before a walk gives up."""
CAST = ("DoomImp", "Zombieman", "ShotgunGuy", "Demon")
"""The creatures that are summoned."""


class Monsters(StrEnum):
    """What the creatures of the map do."""

    NONE = "none"
    """There are none."""
    IDLE = "idle"
    """They do not notice the player: they stand where they are, and move only in place."""
    HUNTING = "hunting"
    """They come after the player, and shoot."""


@dataclass(frozen=True)
class Walk:
    """What to film."""

    map: str
    """Name of the map in its WAD."""
    wad: str
    """freedoom1.wad or freedoom2.wad, which come with ViZDoom, or a path."""
    frames: int
    """How many frames to give."""
    seed: int
    """Chooses the way and the creatures."""
    width: int
    """Picture width, pixels."""
    height: int
    """Picture height, pixels."""
    tics_per_frame: int
    """Game tics of 1/35 s from frame to frame."""
    monsters: Monsters
    """What the creatures do."""
    summon_every: int | None
    """A creature more every so many tics, `None` for none."""

    def __post_init__(self) -> None:
        for name in ("frames", "tics_per_frame", "summon_every"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise InvalidInput(f"{name} must be at least 1, got {count}.", field=name)
        if self.seed < 0:
            raise InvalidInput(f"seed must be 0 or more, got {self.seed}.", field="seed")

    @property
    def round_length(self) -> float:
        """Length of a round, map units."""
        wished = FIRST_ROUND * self.frames * self.tics_per_frame * SPEED
        return min(max(wished, SHORTEST_ROUND), LONGEST_ROUND)


def render_walk(
    map: str = "MAP01",
    wad: str = "freedoom2.wad",
    *,
    frames: int = 200,
    seed: int = 1,
    width: int = 256,
    height: int = 160,
    samples: int = 2,
    tics_per_frame: int = 3,
    monsters: Monsters | str = Monsters.HUNTING,
    summon_every: int | None = None,
) -> Iterator[Frame]:
    """Returns a stream of the frames of one walk, which leaves a place and comes back to it.

    Depth is exact planar z in metres (32 map units a metre), +inf where there is sky and 0 behind see-through textures;
    `moving` covers creatures, shots, and doors and lifts away from where they rest. Pixels are not square: fy = 1.2 fx.
    The same arguments give the same frames in every process.

    Args:
        map: name of the map, such as MAP01 or E1M1.
        wad: freedoom1.wad or freedoom2.wad, which come with ViZDoom, or a path.
        frames: how many frames to give.
        seed: chooses the way and the creatures.
        width: picture width, pixels.
        height: picture height, pixels.
        samples: least screen pixels a side that are averaged into a pixel. The engine's textures are nearest-neighbour:
            with 4 instead of 2, colours warped over 6 frames of E4M1 differ by 7.3 grey levels instead of 8.6.
        tics_per_frame: game tics of 1/35 s from frame to frame.
        monsters: none, idle or hunting.
        summon_every: summons a creature more every so many tics.

    Raises:
        InvalidInput: a size, a count or `monsters` cannot be used.
        NotFound: no such WAD or map.
        FailedPrecondition: the map cannot be walked, or shows too little on the way; another seed may do.
    """
    if monsters not in list(Monsters):
        raise InvalidInput(f"monsters must be one of {', '.join(Monsters)}, got {monsters!r}.", field="monsters")
    walk = Walk(map.upper(), wad, frames, seed, width, height, tics_per_frame, Monsters(monsters), summon_every)
    from memstore.doom.game import Game, find_wad, screen_for  # ViZDoom: only where a walk is asked for

    screen, path = screen_for(width, height, samples), find_wad(wad)
    game = partial(Game, path, walk.map, screen, seed, monsters=walk.monsters is not Monsters.NONE)
    return _film(walk, read_map(path, walk.map), screen, game)


def _film(walk: Walk, doom_map: DoomMap, screen: Screen, start: Callable[[], Game]) -> Iterator[Frame]:
    labels = {"map": walk.map, "wad": walk.wad, "seed": walk.seed}
    lens = lens_for(screen, walk.width, walk.height)
    with start() as game:
        taken = 0
        for shot in _stroll(game, walk, doom_map):
            if not _stands_free(shot, doom_map):
                continue
            frame = develop(shot, doom_map, screen, lens)
            if _shows_enough(frame):
                yield replace(frame, metadata={**labels, "tic": shot.tic})
                taken += 1
            if taken == walk.frames:
                return
    raise FailedPrecondition(
        f"walk {walk.seed} through {walk.map} gave {taken} of {walk.frames} frames; the others stood in "
        "doors or showed little but walls and creatures. Choose another seed or map.",
        map=walk.map,
        seed=walk.seed,
    )


def _stroll(game: Game, walk: Walk, doom_map: DoomMap) -> Iterator[Shot]:
    """Yields what is seen every `tics_per_frame` tics along the way."""
    ground = survey(doom_map, game.things())
    chance = np.random.default_rng([walk.seed, 0])
    home = choose_home(ground, chance)
    way = _Way(endless(ground, home, walk.round_length, chance))
    _go_home(game, walk, way)
    summoner = np.random.default_rng([walk.seed, 1])
    for number in range(PATIENCE * walk.frames):
        shot = game.look()
        yield shot
        if walk.summon_every and (number * walk.tics_per_frame) % walk.summon_every < walk.tics_per_frame:
            game.command(f"summon {CAST[summoner.integers(len(CAST))]}")
        target = way.ahead_of(shot)
        turn = _turn_to(target, shot)
        push = PUSH * max(0.0, np.cos(np.deg2rad(turn))) ** 4
        turn_a_tic = float(np.clip(turn / 3 / walk.tics_per_frame, -MAX_TURN, MAX_TURN))
        game.move(push, turn_a_tic, use=_at_closed_door(shot, doom_map), tics=walk.tics_per_frame)


def _go_home(game: Game, walk: Walk, way: _Way) -> None:
    """Sets the player at the beginning of the way, looking along it."""
    x, y = way.next_point
    game.command(f"warp {x:.0f} {y:.0f}")
    game.move(tics=WARM_UP_TICS)
    shot = game.look()
    game.move(turn_left=_turn_to(way.ahead_of(shot), shot))
    if walk.monsters is Monsters.IDLE:
        game.command("notarget")
    game.move()


class _Way:
    """The points of a walk, given up as the player passes them."""

    def __init__(self, points: Iterator[Float64[np.ndarray, "2"]]) -> None:
        self._points = points
        self.next_point = next(points)

    def ahead_of(self, shot: Shot) -> Float64[np.ndarray, "2"]:
        """Returns the next point that lies `LOOK_AHEAD` away from the player."""
        while np.hypot(*(self.next_point - shot.eye[:2])) < LOOK_AHEAD:
            self.next_point = next(self._points)
        return self.next_point


def _turn_to(target: Float64[np.ndarray, "2"], shot: Shot) -> float:
    """Returns how far to turn left to face `target`, -180 to 180 degrees."""
    east, north = target - shot.eye[:2]
    return float((np.rad2deg(np.arctan2(north, east)) - shot.angle + 180) % 360 - 180)


def _at_closed_door(shot: Shot, doom_map: DoomMap) -> bool:
    """Whether the place within reach ahead is shut."""
    floor, ceiling = _sector_heights(shot, doom_map, reach=56.0)
    return ceiling - floor < CLOSED


def _stands_free(shot: Shot, doom_map: DoomMap) -> bool:
    """Whether the player stands inside the map, in no door."""
    floor, ceiling = _sector_heights(shot, doom_map, reach=0.0)
    return ceiling - floor >= HEADROOM


def _sector_heights(shot: Shot, doom_map: DoomMap, reach: float) -> tuple[float, float]:
    """Returns floor and ceiling at `reach` map units ahead, a gap without end being none at all outside the map."""
    x, y = shot.eye[:2] + reach * shot.camera_to_world[:2, 2]
    sector = int(sectors_at(doom_map, np.array([x]), np.array([y]))[0, 0])
    if sector == VOID:
        return 0.0, CLOSED
    floor, ceiling = shot.heights[sector]
    return float(floor), float(ceiling)


def _shows_enough(frame: Frame) -> bool:
    """Whether a frame shows more than a wall or a creature."""
    assert frame.moving is not None
    return bool(frame.moving.mean() <= MOVING_LIMIT and np.median(frame.depth_m) >= NEAREST_VIEW_M)
