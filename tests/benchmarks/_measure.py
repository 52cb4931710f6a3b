"""How benchmarks measure: medians, memory that is really held, and the disk's own fsync beside every durable figure."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np


def milliseconds(action: Callable[[], object], repeats: int, warmup: int = 1) -> np.ndarray:
    """Returns how long each of `repeats` runs took, milliseconds."""
    for _ in range(warmup):
        action()
    taken = np.empty(repeats)
    for i in range(repeats):
        start = time.perf_counter()
        action()
        taken[i] = 1e3 * (time.perf_counter() - start)
    return taken


def p50(taken: np.ndarray) -> float:
    """Returns the median."""
    return float(np.median(taken))


def p95(taken: np.ndarray) -> float:
    """Returns the 95th percentile."""
    return float(np.percentile(taken, 95))


def fsync_ms(folder: Path, repeats: int = 50) -> float:
    """Returns the median of writing 4 KiB and making it last, milliseconds: the floor under every durable figure."""
    path = folder / "fsync-probe"

    def probe() -> None:
        with path.open("wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())

    taken = p50(milliseconds(probe, repeats))
    path.unlink()
    return taken


def anonymous_mib() -> float:
    """Returns the memory that this process holds and no file backs, MiB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def bytes_below(folder: Path) -> int:
    """Returns the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def machine() -> str:
    """Returns what the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}"
