"""The running game: ViZDoom, showing nothing but the place and its creatures (the only file that imports it)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import numpy as np
from jaxtyping import Float64

from memstore.doom.shot import Screen, Shot, Sprite
from memstore.errors import FailedPrecondition, InvalidInput, Reason

try:
    import vizdoom
except ImportError as error:
    raise FailedPrecondition(
        "walks through Doom need ViZDoom, which is not installed; pip install 'memstore[doom]'.",
        reason=Reason.MISSING_EXTRA,
    ) from error

SKILL = 3
CONSOLE = "+viz_nocheat 0 +sv_cheats 1 +r_drawplayersprites 0 +cl_bob 0 +movebob 0"
SURFACE_LABELS = frozenset({"Wall", "Floor", "Ceiling", "Floor/Ceil", "Self", "DoomPlayer"})
"""Labels that name no sprite: parts of the map, and the player."""
SOLID = frozenset({"Obstacle", "Decoration", "LightSource", "Vegetation", "Explosive", "Hazard"})
"""Kinds of things that a body could run into, barrels among them."""
EYE = [
    vizdoom.GameVariable.CAMERA_POSITION_X,
    vizdoom.GameVariable.CAMERA_POSITION_Y,
    vizdoom.GameVariable.CAMERA_POSITION_Z,
    vizdoom.GameVariable.CAMERA_ANGLE,
]
CONTROLS = [vizdoom.Button.MOVE_FORWARD_BACKWARD_DELTA, vizdoom.Button.TURN_LEFT_RIGHT_DELTA, vizdoom.Button.USE]


class Game:
    """A game in which an unseen, untouchable player walks; close it, or use it in a `with` block."""

    def __init__(self, wad: Path, map_name: str, screen: Screen, seed: int, *, monsters: bool) -> None:
        """Starts the engine; the same arguments and the same moves give the same pictures in every process."""
        self._game = vizdoom.DoomGame()
        self._scratch = TemporaryDirectory(prefix="memstore-doom-")
        self._game.set_doom_config_path(str(Path(self._scratch.name) / "vizdoom.ini"))  # else it is left where we are
        self._litter = Path.cwd() / "_vizdoom"  # an empty folder that the engine makes wherever it starts
        self._choose(wad, map_name, screen, seed, monsters)
        self._hide_overlays()
        try:
            self._game.init()
        except vizdoom.ViZDoomErrorException as error:
            raise FailedPrecondition(f"ViZDoom cannot start {map_name} of {wad}: {error}.", map=map_name) from error
        for cheat in ("god", "noclip"):  # summoned creatures would block the way
            self.command(cheat)

    def _choose(self, wad: Path, map_name: str, screen: Screen, seed: int, monsters: bool) -> None:
        game = self._game
        game.set_doom_game_path(str(wad))
        game.set_doom_map(map_name.lower())
        game.set_doom_skill(SKILL)
        game.set_seed(seed)
        game.set_screen_resolution(getattr(vizdoom.ScreenResolution, screen.name))
        game.set_screen_format(vizdoom.ScreenFormat.RGB24)
        game.set_mode(vizdoom.Mode.PLAYER)
        game.set_episode_timeout(0)
        game.set_available_game_variables(EYE)
        game.set_available_buttons(CONTROLS)
        game.add_game_args(CONSOLE if monsters else f"{CONSOLE} -nomonsters")

    def _hide_overlays(self) -> None:
        game = self._game
        for hide in (
            game.set_render_hud,
            game.set_render_weapon,
            game.set_render_crosshair,
            game.set_render_particles,
            game.set_render_messages,
            game.set_render_screen_flashes,
            game.set_window_visible,
            game.set_sound_enabled,
        ):
            hide(False)
        game.set_labels_buffer_enabled(True)
        game.set_objects_info_enabled(True)
        game.set_sectors_info_enabled(True)

    def look(self) -> Shot:
        """Returns what is seen now."""
        state = self._game.get_state()
        assert state.game_variables is not None, "asked for in _choose"
        assert state.labels_buffer is not None, "asked for in _hide_overlays"
        assert state.sectors is not None, "asked for in _hide_overlays"
        x, y, z, angle = state.game_variables
        return Shot(
            rgb=state.screen_buffer.copy(),
            labels=state.labels_buffer.copy(),
            sprites=tuple(
                Sprite(
                    label.value,
                    label.object_name,
                    label.object_category,
                    (label.object_position_x, label.object_position_y),
                )
                for label in state.labels or ()
                if label.object_name not in SURFACE_LABELS
            ),
            heights=np.array([[s.floor_height, s.ceiling_height] for s in state.sectors], np.float64),
            eye=(x, y, z),
            angle=angle,
            tic=state.tic,
        )

    def things(self) -> Float64[np.ndarray, "n 2"]:
        """Returns where things stand that a body could run into and that stay there, map units."""
        solid = [o for o in self._game.get_state().objects if o.category in SOLID]
        return np.array([[o.position_x, o.position_y] for o in solid], np.float64).reshape(-1, 2)

    def move(self, forward: float = 0.0, turn_left: float = 0.0, *, use: bool = False, tics: int = 1) -> None:
        """Plays some tics, each with a push ahead and a turn in degrees, with a hand on whatever is in front.

        Raises:
            FailedPrecondition: the hand touched the exit.
        """
        self._game.make_action([forward, -turn_left, float(use)], tics)
        if self._game.is_episode_finished():
            raise FailedPrecondition("the walk touched the exit of its map and the game ended; choose another seed.")

    def command(self, text: str) -> None:
        """Types a console command, which takes hold with the next tic."""
        self._game.send_game_command(text)

    def close(self) -> None:
        """Ends the engine."""
        self._game.close()
        self._scratch.cleanup()
        with suppress(OSError):  # it was there before and holds something
            self._litter.rmdir()

    def __enter__(self) -> Game:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def find_wad(name: str) -> Path:
    """Returns the file itself, or the WAD of that name that ViZDoom brings along."""
    bundled = Path(vizdoom.__file__).parent / name
    return bundled if bundled.is_file() else Path(name)


def screen_for(width: int, height: int, samples: int) -> Screen:
    """Returns the screen mode that a picture shows most of, with at least `samples` screen pixels a side of its pixels.

    Raises:
        InvalidInput: no mode is large enough.
    """
    fits = [
        Screen(name, across, down, side)
        for name, across, down in _modes()
        for side in range(samples, samples + 3)
        if side * width <= across and side * height <= down
    ]
    if min(width, height, samples) < 1 or not fits:
        _, across, down = max(_modes(), key=lambda mode: mode[1])
        raise InvalidInput(
            f"a walk of {width}x{height} pixels with {samples} samples a side cannot be rendered: pictures times "
            f"samples may have up to {across}x{down} pixels.",
            width=width,
            height=height,
            samples=samples,
        )
    shown = {screen: screen.samples**2 * width * height / (screen.width * screen.height) for screen in fits}
    return max(fits, key=lambda screen: (round(shown[screen], 6), -screen.samples))


def _modes() -> list[tuple[str, int, int]]:
    """Returns name, width and height of every mode but those of 5:4, which have another field of view."""
    names = [name for name in dir(vizdoom.ScreenResolution) if name.startswith("RES_")]
    sizes = [(name, *map(int, name.removeprefix("RES_").split("X"))) for name in names]
    return [(name, width, height) for name, width, height in sizes if width * 4 > height * 5]
