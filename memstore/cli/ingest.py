"""`memstore ingest`: a clip goes into a world."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from memstore.cli.clip import Format, open_clip
from memstore.cli.output import AsJson, answer, counted
from memstore.cli.place import DEFAULT_PLACE, AnyWorld, Place, WorldName, open_place, world_of
from memstore.cli.signing import SignOptions
from memstore.cli.spread import spread
from memstore.clip import Clip
from memstore.held_out import is_held_out


@dataclass(frozen=True)
class Ingested:
    """What an ingest did."""

    world: str
    """Name of the world."""
    clip: str
    """Where the clip lies."""
    frames: int
    """Frames made durable by this run."""
    resumed_from: int
    """Frames that an earlier run of the same --request-id had made durable."""
    held_out: int
    """Frames left out by --hold-out."""
    first_ordinal: int | None
    """Ordinal of the first frame of this run, `None` if there was nothing left to do."""
    world_frames: int
    """Frames of the world now."""
    world_patches: int
    """Patches of the world now."""
    head: str
    """The world's new head."""
    seconds: float
    """Time from the first frame to the last being durable."""


@spread
def ingest(
    clip: Annotated[Path, typer.Argument(metavar="CLIP", help="Folder of a clip: nerfstudio, TUM RGB-D or COLMAP.")],
    world: WorldName,
    sign: SignOptions,
    db: Place = DEFAULT_PLACE,
    create: Annotated[bool, typer.Option("--create", help="Make the world if there is none of that name.")] = False,
    format: Format = None,
    start: Annotated[int, typer.Option(min=0, help="First frame of the clip to take.")] = 0,
    stop: Annotated[int | None, typer.Option(min=0, help="The frame to stop before; the end by default.")] = None,
    hold_out: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="Leave out every N-th frame of the clip, to be judged by.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take a clip of posed RGB-D pictures into a world.

    Frames are safe as they go in, and what they see through is forgotten: a door that opened leaves no ghost.

    \b
    Examples:
      memstore ingest clip/ museum --create
      memstore ingest clip/ museum --start 100 -m "second walk"
    """
    opened = open_clip(clip, format)
    chosen = _chosen(opened, start, stop, hold_out)
    with open_place(db, create=create) as database:
        place = database.create_world(world, exist_ok=True) if create else world_of(database, world)
        done = _ingest(opened, chosen, place, sign.message or clip.name, sign)
    words = (
        f"[bold]{done.world}[/] took in {done.frames:,} frames in {done.seconds:.1f} s and holds "
        f"{done.world_patches:,} patches of {done.world_frames:,} frames."
    )
    answer(done, words, as_json=as_json)


def _chosen(clip: Clip, start: int, stop: int | None, hold_out: int | None) -> _Chosen:
    wanted = range(len(clip))[start:stop]
    taken = [i for i in wanted if not (hold_out and is_held_out(i, hold_out))]
    return _Chosen(taken, len(wanted) - len(taken))


@dataclass(frozen=True)
class _Chosen:
    """Which frames of a clip to take."""

    taken: list[int]
    """Places in the clip."""
    held_out: int
    """How many of the range are left out."""


def _ingest(clip: Clip, chosen: _Chosen, world: AnyWorld, message: str, sign: SignOptions) -> Ingested:
    began = time.perf_counter()
    with world.ingest(message=message, author=sign.signature, request_id=sign.request_id) as session:
        left = chosen.taken[session.resume_from :]
        for i in counted(left, f"ingesting {clip.path.name}", len(left)):
            session.add(clip[i])
    summary = world.describe()
    return Ingested(
        world=summary.name,
        clip=str(clip.path),
        frames=session.acknowledged,
        resumed_from=session.resume_from,
        held_out=chosen.held_out,
        first_ordinal=session.first_ordinal,
        world_frames=summary.frame_count,
        world_patches=summary.patch_count,
        head=summary.head,
        seconds=time.perf_counter() - began,
    )
