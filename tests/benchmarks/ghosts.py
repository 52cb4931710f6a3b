"""Share of retrieved patches that are no longer there, with and without forgetting, and what forgetting costs ingest.

Clips are ingested without their `moving` masks, so that creatures and doors become patches. Before each `--every`-th
frame is taken in, its own camera asks for what memory holds as of the frame before. A ghost is a returned patch of a
surface behind whose place the frame truly measured depth, more than 10 % of the patch's depth and its radius beyond it.

- ghost_rate: the share of ghosts among returned surface patches where depth was measured.
- gone_rate: of the patches whose token touched something that moves, the share that forgetting retired by the end.
- wrongly_retired: of those whose token touched nothing that moves, the share that was retired and yet agrees with the
  true depth of some later frame within 2 %. A door that opened and closed again counts here, wrong or not.
- still_retired: of those, the share that was retired at all: what is opened for good counts here as well.
- ingest_fps: frames a second into memory, with forgetting and without.

Options: --clips PATH... (default: the bundled ones), --film MAP... (Freedoom 2 maps to film anew, with creatures and
without; needs ViZDoom), --frames N of a film (default 200), --every N (default 5), --folder PATH.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt32

import memstore as ms
from benchmarks import _measure, _scene
from memstore.database import Database
from memstore.layer import LayerSegment
from memstore.segment import NEVER_HIDDEN, Segment
from memstore.storage.masks import read_mask

BEHIND = 0.1
"""Share of a patch's depth by which the truth must lie behind it, on top of its radius."""
AGREES = 0.02


def run(arguments: list[str]) -> dict[str, object]:
    """Measures and returns figures by clip."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="memstore-bench-") as folder, ms.open(folder) as db:
        list(_scene.frames(_scene.ROUND))  # rendered, and all kernels compiled, before the clock starts
        _ingested(db, "warm", list(_scene.frames(_scene.ROUND)), forgetting=True)
        clips = {f"clip-{i}": path for i, path in enumerate(options.clips)}
        return {
            "machine": _measure.machine(),
            "street": _cost(db, "street", list(_scene.frames(320))),
            **{path.name: measured(db, name, list(ms.read_clip(path)), options.every) for name, path in clips.items()},
            **{name: measured(db, name, film, options.every) for name, film in _films(options.film, options.frames)},
        }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="memstore bench ghosts", description=__doc__)
    bundled = sorted(path.parent for path in (Path(ms.__file__).parent / "clips").glob("*/transforms.json"))
    parser.add_argument("--clips", nargs="*", type=Path, default=bundled)
    parser.add_argument("--film", nargs="*", default=[], metavar="MAP")
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a disk, not a tmpfs")
    return parser.parse_args(arguments)


def _films(maps: Sequence[str], frames: int) -> Iterator[tuple[str, list[ms.Frame]]]:
    from memstore.doom import render_walk

    for name in maps:
        yield f"{name.lower()}-hunted", list(render_walk(name, frames=frames, seed=3, summon_every=110))
        yield f"{name.lower()}-deserted", list(render_walk(name, frames=frames, seed=3, monsters="none"))


def measured(db: Database, name: str, frames: Sequence[ms.Frame], every: int) -> dict[str, float]:
    """Returns the figures of one clip, taken into two worlds of a database."""
    unmasked = [replace(frame, moving=None) for frame in frames]
    kept, kept_fps = _ingested(db, f"{name}-kept", unmasked, forgetting=False)
    forgot, forgot_fps = _ingested(db, f"{name}-forgot", unmasked, forgetting=True)
    return {
        "ghost_rate_without": _ghost_rate(kept, frames, every),
        "ghost_rate": _ghost_rate(forgot, frames, every),
        **vars(_retired(db, forgot, frames)),
        "ingest_fps_without": kept_fps,
        "ingest_fps": forgot_fps,
    }


def _cost(db: Database, name: str, frames: Sequence[ms.Frame]) -> dict[str, object]:
    """Returns frames a second of a place in which nothing moves: the medians of three, taken in turns."""
    rates = np.array(
        [[_ingested(db, f"{name}-{i}-{int(on)}", frames, forgetting=on)[1] for on in (False, True)] for i in range(3)]
    )
    without, with_it = np.median(rates, axis=0).tolist()
    return {"ingest_fps_without": without, "ingest_fps": with_it}


def _ingested(db: Database, name: str, frames: Sequence[ms.Frame], *, forgetting: bool) -> tuple[ms.World, float]:
    """Returns a world of the frames, and how many it took in a second."""
    world = db.create_world(name)
    start = time.perf_counter()
    with world.ingest(forgetting=forgetting) as ingest:
        for frame in frames:
            ingest.add(frame)
    return world, len(frames) / (time.perf_counter() - start)


def _ghost_rate(world: ms.World, frames: Sequence[ms.Frame], every: int) -> float:
    found = np.zeros(2)
    for i in range(every, len(frames), every):
        seen = world.retrieve(frames[i].camera, as_of=i - 1, latents=False)
        truth = _at(frames[i].depth_m, seen.uv)
        known = np.isfinite(seen.depth_m) & np.isfinite(truth) & (truth > 0)
        radius_m = seen.radius_px / frames[i].camera.fx * seen.depth_m
        ghosts = known & (truth > (1 + BEHIND) * seen.depth_m + radius_m)
        found += ghosts.sum(), known.sum()
    return float(found[0] / found[1])


@dataclass(frozen=True)
class Retired:
    """What forgetting did to the patches of a clip."""

    gone_rate: float
    """Share that it retired of those that touched what moves."""
    still_retired: float
    """Share that it retired of those that did not."""
    wrongly_retired: float
    """Share of the latter that some later frame sees in place."""


def _retired(db: Database, world: ms.World, frames: Sequence[ms.Frame]) -> Retired:
    moved, retired, wrong = (np.concatenate(column) for column in zip(*_judged(db, world, frames), strict=True))
    return Retired(_share(retired[moved]), _share(retired[~moved]), _share(wrong[~moved]))


def _judged(db: Database, world: ms.World, frames: Sequence[ms.Frame]) -> Iterator[tuple[Bool[np.ndarray, "n"], ...]]:
    """Yields for each segment which patches touched what moves, which are retired, and which of them wrongly."""
    for layer in db.store.commits.layers(db.store.commits.read(world.head)):
        if layer.kind != "observed":
            continue
        for part in map(LayerSegment.from_json, db.store.lists.items(layer.segments)):
            segment = db.store.segments.open(part.segment)
            count = segment.patches.surface_count
            hidden = np.full(count, NEVER_HIDDEN, np.uint32)
            if part.mask:
                hidden = read_mask(db.store.objects, part.mask).hidden_from(len(segment.patches))[:count]
            yield _moved(segment, frames), hidden != NEVER_HIDDEN, _in_place(segment, hidden, frames)


def _moved(segment: Segment, frames: Sequence[ms.Frame]) -> Bool[np.ndarray, "n"]:
    """Returns which surfaces lie in tokens of their frames that touch what moves."""
    count, side = segment.patches.surface_count, segment.frames.width // segment.token_columns
    tokens = [_tokens(frames[ordinal], side) for ordinal in segment.frames.ordinal.tolist()]
    return np.stack(tokens)[segment.patches.frame[:count], segment.patches.cell[:count]]


def _tokens(frame: ms.Frame, side: int) -> Bool[np.ndarray, "t"]:
    moving = np.zeros(frame.depth_m.shape, np.bool_) if frame.moving is None else frame.moving
    return moving.reshape(frame.camera.height // side, side, -1, side).any(axis=(1, 3)).ravel()


def _in_place(
    segment: Segment, hidden_from: UInt32[np.ndarray, "n"], frames: Sequence[ms.Frame]
) -> Bool[np.ndarray, "n"]:
    """Returns which retired surfaces agree with the true depth of a frame since, where nothing moves."""
    found = np.zeros(len(hidden_from), np.bool_)
    rows: Int64[np.ndarray, "k"] = np.flatnonzero(hidden_from != NEVER_HIDDEN)
    center: Float64[np.ndarray, "k 3"] = segment.patches.origin + segment.patches.center[rows].astype(np.float64)
    for i in range(int(hidden_from[rows].min(initial=len(frames))), len(frames)):
        uv, depth = frames[i].camera.project(center)
        size = [frames[i].camera.width, frames[i].camera.height]
        inside = (depth > 0) & (uv >= 0).all(axis=1) & (uv < size).all(axis=1) & (hidden_from[rows] <= i)
        still = frames[i].depth_m if frames[i].moving is None else np.where(frames[i].moving, 0, frames[i].depth_m)
        agrees = np.abs(_at(still, uv[inside]) - depth[inside]) < AGREES * depth[inside]
        found[rows[inside]] |= agrees
    return found


def _at(depth_m: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Returns the depth of the pixels in which `uv` lie."""
    column, row = np.floor(uv).astype(np.int64).T
    return depth_m[np.clip(row, 0, len(depth_m) - 1), np.clip(column, 0, depth_m.shape[1] - 1)]


def _share(which: Bool[np.ndarray, "n"]) -> float:
    return float(which.mean()) if len(which) else float("nan")
