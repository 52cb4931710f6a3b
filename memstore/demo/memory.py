"""The stage `memory`: two sessions remember places, a third looks around in them from where nobody stood.

1. Session one, a process of its own, makes the database and takes in the first part of each clip. It exits.
2. Session two, another process, opens it again and takes in the rest. Every 8th frame is held out from both.
3. From where the held-out frames were taken, memory draws what it knows; the frames say how well.
4. A server, a third process, is asked the same: its mosaics are the same, bit for bit.
5. A walk through memory alone, along a smoothed way that nobody took, becomes a film.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from memstore.cli.output import note, working
from memstore.cli.place import AnyDatabase, open_place
from memstore.clip import read_clip
from memstore.database import Database, open_database
from memstore.demo.child import serving
from memstore.demo.look import COLUMNS, Looked, look_around, summed_up
from memstore.demo.remember import HOLD_OUT, SESSIONS, Place, remember
from memstore.demo.report import MemoryReport, WorldReport
from memstore.demo.walk import Stroll
from memstore.drawing.film import write_mp4
from memstore.drawing.sheet import contact_sheet, write_png
from memstore.errors import FailedPrecondition, InvalidInput, NotFound, Reason

WORLDS, SHEET, FILM = "worlds", "contact-sheet.png", "walk.mp4"
FILM_PICTURES = 144
"""Pictures of the walk through one world: six seconds."""
FILM_FRAMES_PER_S = 24


def run_memory(out: Path, clips: Sequence[Path], *, keep: bool = False) -> MemoryReport:
    """Runs the stage, leaving OUT/worlds, OUT/contact-sheet.png and OUT/walk.mp4, and returns what it found.

    Raises:
        InvalidInput: a clip cannot be used, or two clips bear one name.
        NotFound: `keep`, and there is no earlier run.
        FailedPrecondition: OUT/worlds is something else than a database.
    """
    began = time.perf_counter()
    places = _places(clips)
    speeds = _kept(out / WORLDS, places) if keep else _remembered(out / WORLDS, places)
    with open_database(out / WORLDS, read_only=True, create=False) as database:
        with serving(out / WORLDS) as address, open_place(address) as served:
            looked = [_look(place, database, served) for place in places]
        strolls = [Stroll.through(database.world(place.world), FILM_PICTURES) for place in places]
        _draw(out, looked, strolls)
        worlds = [
            _world_report(database, place, speed, seen, stroll)
            for place, speed, seen, stroll in zip(places, speeds, looked, strolls, strict=True)
        ]
        return _report(database, worlds, looked, began)


def _places(clips: Sequence[Path]) -> list[Place]:
    places = [Place.of(read_clip(path)) for path in clips]
    names = [place.world for place in places]
    if len(set(names)) < len(names):
        raise InvalidInput(f"the clips need folders of different names, got {', '.join(names)}.", field="clip")
    return places


def _remembered(root: Path, places: Sequence[Place]) -> list[float | None]:
    """Makes the database anew over two sessions; returns frames a second of each place in the second one."""
    _clear(root)
    speeds: list[float | None] = []
    for session, name in enumerate(SESSIONS):
        note(f"[bold]{name}[/]: a process of its own for each place, gone when it is done")
        speeds = [remember(root, place, session) for place in places]
    return speeds


def _kept(root: Path, places: Sequence[Place]) -> list[float | None]:
    with open_database(root, read_only=True, create=False) as database:
        known = {summary.name for summary in database.worlds()}
    if missing := [place.world for place in places if place.world not in known]:
        raise NotFound(
            f"{root} has no world {', '.join(missing)} of an earlier run; run the demo without --keep first.",
            reason=Reason.WORLD_NOT_FOUND,
        )
    return [None] * len(places)


def _clear(root: Path) -> None:
    """Removes the database of an earlier run, and nothing else."""
    if not root.exists():
        return
    if not (root / "memstore.json").is_file():
        raise FailedPrecondition(
            f"{root} is no database of an earlier run, so it is left alone; choose another --out.",
            reason=Reason.NOT_A_DATABASE,
        )
    shutil.rmtree(root)


def _look(place: Place, database: Database, served: AnyDatabase) -> Looked:
    with working(f"looking around in {place.world}"):
        return look_around(place, database.world(place.world), served.world(place.world))


def _draw(out: Path, looked: Sequence[Looked], strolls: Sequence[Stroll]) -> None:
    rows = list(chain.from_iterable(seen.rows for seen in looked))
    title = f"views that memory never saw (every {HOLD_OUT}th frame is held out); grey is unknown, or moves"
    write_png(out / SHEET, contact_sheet(title, COLUMNS, rows))
    with working("walking through memory"):
        write_mp4(out / FILM, chain.from_iterable(strolls), FILM_FRAMES_PER_S)


def _world_report(database: Database, place: Place, speed: float | None, looked: Looked, stroll: Stroll) -> WorldReport:
    world = database.world(place.world)
    summary = world.describe()
    return WorldReport(
        world=place.world,
        clip=str(place.clip.path),
        frames=summary.frame_count,
        patches=summary.patch_count,
        sessions=sum(step.operation == "ingest" for step in world.log()),
        ingest_frames_per_s=speed,
        retrieve_ms_p50=float(np.median(looked.retrieve_s)) * 1000,
        held_out=summed_up(looked.scores),
        walk=stroll.report(),
        served_equals_embedded=looked.served_equals_embedded,
    )


def _report(database: Database, worlds: Sequence[WorldReport], looked: Sequence[Looked], began: float) -> MemoryReport:
    verified = database.verify().clean
    return MemoryReport(
        frames=sum(world.frames for world in worlds),
        patches=sum(world.patches for world in worlds),
        sessions=sum(world.sessions for world in worlds),
        bytes_on_disk=database.describe().bytes_on_disk,
        held_out=summed_up([score for seen in looked for score in seen.scores]),
        served_equals_embedded=all(world.served_equals_embedded for world in worlds),
        verified=verified,
        seconds=time.perf_counter() - began,
        worlds=tuple(worlds),
    )
