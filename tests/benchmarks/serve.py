"""Looking at a memory, embedded and served: retrieve times, throughput with latents, imports and opening.

Options: --patches N (default 1000000), --views N (default 40), --folder PATH.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import memstore as ms
import memstore_client
from benchmarks import _measure, _scene
from memstore.demo.child import serving

PATCHES_PER_FRAME = 640
COMMANDS = {
    "import_sdk_ms": "import memstore, memstore_client",
    "help_ms": "import sys; sys.argv = ['memstore', '--help']; from memstore.cli import main; main()",
}


def run(arguments: list[str]) -> dict[str, object]:
    """Measures and returns figures by name."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="memstore-bench-") as folder:
        root = Path(folder) / "db"
        rooms = max(options.patches // PATCHES_PER_FRAME // _scene.ROUND, 1)
        with ms.open(root) as db, db.create_world("street").ingest() as ingest:
            for frame in _scene.frames(rooms * _scene.ROUND):
                ingest.add(frame)
        cameras = _scene.cameras(options.views, rooms)
        return {
            "machine": _measure.machine(),
            **{name: _process_ms(code) for name, code in COMMANDS.items()},
            "open_ms": _opening(root),
            **_looking(root, cameras),
        }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="memstore bench serve", description=__doc__)
    parser.add_argument("--patches", type=int, default=1_000_000)
    parser.add_argument("--views", type=int, default=40)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a disk, not a tmpfs")
    return parser.parse_args(arguments)


def _process_ms(code: str) -> float:
    """Returns the median wall time of a new interpreter that runs `code`, less that of one that runs nothing."""

    def start(source: str) -> float:
        command = [sys.executable, "-c", source]
        return _measure.p50(_measure.milliseconds(lambda: subprocess.run(command, capture_output=True, check=False), 7))

    return start(code) - start("pass")


def _opening(root: Path) -> float:
    """Returns the median of opening the database, its world and every segment of it, imports done, milliseconds."""

    def opening() -> None:
        with ms.open(root, read_only=True) as db:
            db.world("street").bounds()

    return _measure.p50(_measure.milliseconds(opening, 5))


def _looking(root: Path, cameras: list[ms.Camera]) -> dict[str, object]:
    with (
        ms.open(root, read_only=True) as db,
        serving(root) as address,  # a process of its own: in one, the two would share an interpreter lock
        memstore_client.connect(address) as remote,
    ):
        here, there = db.world("street"), remote.world("street")
        ways = {
            "embedded": lambda camera: here.retrieve(camera),
            "embedded_without_latents": lambda camera: here.retrieve(camera, latents=False),
            "served": lambda camera: there.retrieve(camera),
            "served_without_latents": lambda camera: there.retrieve(camera, latents=False),
        }
        for way in ways.values():
            way(cameras[0])
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for camera in cameras:  # turn by turn, so that a drifting machine slows all alike
            for name, way in ways.items():
                start = time.perf_counter()
                way(camera)
                taken[name].append(1e3 * (time.perf_counter() - start))
        medians = {name: sorted(times)[len(times) // 2] for name, times in taken.items()}
        content = [here.retrieve(camera).content for camera in cameras]
        bytes_read = sum(c.latents.nbytes + c.depth_m.nbytes for c in content if c is not None) / len(cameras)
        return {
            "patches": here.describe().patch_count,
            **{f"retrieve_{name}_p50_ms": median for name, median in medians.items()},
            "served_overhead_ms": medians["served_without_latents"] - medians["embedded_without_latents"],
            "content_mib_per_view": bytes_read / 2**20,
            "retrieve_content_mib_per_s": bytes_read / 2**20 / (medians["served"] - medians["embedded"]) * 1e3,
            "frames_mib_per_s": _frames_mib_per_s(there),
        }


def _frames_mib_per_s(world: memstore_client.RemoteWorld) -> float:
    """Returns MiB a second of frames read back through the service: latents and depth in one long stream."""
    start, received = time.perf_counter(), 0
    for frame in world.frames(0, 256):
        received += frame.depth_m.nbytes + (frame.latents.nbytes if frame.latents is not None else 0)
    return received / 2**20 / (time.perf_counter() - start)
