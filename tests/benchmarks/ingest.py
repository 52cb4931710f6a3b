"""Frames a second into memory, embedded and served, durable; memory held; and what 5,000 commits cost.

Options: --frames N (default 640), --commits N (default 5000), --segments N (default 1000), --folder PATH.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

import memstore as ms
from benchmarks import _measure, _scene
from memstore.database import Database
from memstore.demo.child import serving
from memstore.history.branch import Branch, Change
from memstore.storage.commits import MAIN


def run(arguments: list[str]) -> dict[str, object]:
    """Measures and returns figures by name."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="memstore-bench-") as folder:
        root = Path(folder)
        return {
            "machine": _measure.machine(),
            "fsync_ms": _measure.fsync_ms(root),
            "frames": options.frames,
            **_embedded(root / "embedded", options.frames),
            **_served(root / "served", options.frames // 2),
            "npz_files_fps": _npz_files(root / "npz", options.frames // 4),
            **_growth(root / "growth", options.commits, options.segments),
        }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="memstore bench ingest", description=__doc__)
    parser.add_argument("--frames", type=int, default=640)
    parser.add_argument("--commits", type=int, default=5_000)
    parser.add_argument("--segments", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a disk, not a tmpfs")
    return parser.parse_args(arguments)


def _timed_ingest(world: ms.World, frames: Iterable[ms.Frame]) -> tuple[float, list[float]]:
    """Returns frames a second over the whole, and the anonymous memory after each tenth."""
    list(_scene.frames(_scene.ROUND))  # rendered, and kept by the scene, before the clock starts
    count, held = 0, list[float]()
    start = time.perf_counter()
    with world.ingest() as ingest:
        for frame in frames:
            ingest.add(frame)
            count += 1
            if count % 64 == 0:
                held.append(_measure.anonymous_mib())
    return count / (time.perf_counter() - start), held


def _embedded(root: Path, count: int) -> dict[str, object]:
    with ms.open(root) as db:
        _timed_ingest(db.create_world("warm"), _scene.frames(64))
        fps, held = _timed_ingest(db.create_world("street"), _scene.frames(count))
        patches = db.world("street").describe().patch_count
    return {
        "embedded_fps": fps,
        "embedded_patches_per_s": fps * patches / count,
        "anonymous_mib_first": held[0],
        "anonymous_mib_last": held[-1],
    }


def _served(root: Path, count: int) -> dict[str, object]:
    import memstore_client

    with serving(root, read_only=False) as address, memstore_client.connect(address) as remote:
        fps, _ = _timed_ingest(remote.create_world("street"), _scene.frames(count))
    return {"served_fps": fps}


def _npz_files(root: Path, count: int) -> float:
    """Returns frames a second of the peer that people use today: one durable .npz a frame, no geometry, no index."""
    root.mkdir()
    frames = list(_scene.frames(count))
    start = time.perf_counter()
    for i, frame in enumerate(frames):
        content = io.BytesIO()
        np.savez(content, rgb=frame.rgb, depth=frame.depth_m, c2w=frame.camera.camera_to_world)
        with (root / f"{i}.npz").open("wb") as file:
            file.write(content.getvalue())
            file.flush()
            os.fsync(file.fileno())
    return count / (time.perf_counter() - start)


def _growth(root: Path, commits: int, segments: int) -> dict[str, object]:
    """Returns what a commit costs at first and at last, and what the database weighs after them all.

    Every frame shows the same room, so forgetting, whose cost follows what is in view, is left out: see `ghosts`.
    """
    with ms.open(root) as db:
        world = db.create_world("long")
        taken = [_one_commit(db, world, i, commits // max(segments, 1)) for i in range(commits)]
        ingests = np.array([t for t, grew in taken if grew])
        edits = np.array([t for t, grew in taken if not grew])
        payload = sum(_measure.bytes_below(path) for path in root.glob("segments/*/payload"))
        whole = _measure.bytes_below(root)
    opening = _measure.milliseconds(lambda: _open_and_describe(root), 5)
    return {
        "commits": commits,
        "segments": len(ingests),
        "edit_commit_first_100_ms": _measure.p50(edits[:100]),
        "edit_commit_last_100_ms": _measure.p50(edits[-100:]),
        "ingest_commit_first_100_ms": _measure.p50(ingests[:100]),
        "ingest_commit_last_100_ms": _measure.p50(ingests[-100:]),
        "open_after_ms": _measure.p50(opening),
        "bytes_per_payload_byte": whole / payload,
    }


def _one_commit(db: Database, world: ms.World, i: int, every: int) -> tuple[float, bool]:
    """Returns the milliseconds of one commit, and whether it brought a segment."""
    grows = i % max(every, 1) == 0
    frames = list(_scene.frames(4)) if grows else []
    branch = Branch(db.store, db.registry, db.registry.find(world.name), MAIN)
    start = time.perf_counter()
    if grows:
        with world.ingest(forgetting=False) as ingest:
            for frame in frames:
                ingest.add(frame)
    else:
        with db.store.writing():
            head = branch.head()
            layers = db.store.commits.layers(db.store.commits.read(head))
            renamed = replace(layers[-1], name=f"renamed-{i}")
            branch.advance(head, (*layers[:-1], renamed), Change("rename"))
    return 1e3 * (time.perf_counter() - start), grows


def _open_and_describe(root: Path) -> None:
    with ms.open(root, read_only=True) as db:
        db.world("long").describe()
