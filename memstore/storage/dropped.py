"""Dropped heads: where branches stood before a reset, and removed branches and tags; kept for 30 days."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from memstore.storage.sealed import read_sealed, write_sealed

DROPPED_WINDOW_S = 30 * 24 * 3600.0
"""How long a head that nothing names any more is kept."""


@dataclass(frozen=True)
class Dropped:
    """One head that was left behind."""

    branch: str
    """The branch, or tag, that stood there."""
    commit: str
    """Commit id that it stood at."""
    time_s: float
    """When it was left, seconds since 1970."""
    request_id: str = ""
    """The request that left it, "" for none."""


class DroppedHeads:
    """The dropped heads of one world: one small file each, named by when it was left."""

    def __init__(self, folder: Path) -> None:
        """Keeps them in `folder`."""
        self._folder = folder

    def add(self, name: str, commit_id: str, request_id: str = "") -> None:
        """Keeps a head, durable on return; to be called before it is left."""
        left = Dropped(name, commit_id, time.time(), request_id)
        write_sealed(self._folder / f"{time.time_ns()}-{commit_id[:8]}.json", asdict(left))

    def kept(self) -> list[Dropped]:
        """Returns those that are not too old, newest first.

        Raises:
            CorruptData: a file is garbled.
        """
        paths = [path for path in self._paths() if not _is_old(path)]
        return [Dropped(**read_sealed(path)) for path in paths]

    def left_by(self, name: str, request_id: str) -> Dropped | None:
        """Returns the head that a request left, `None` if it has left none yet."""
        if not request_id:
            return None
        return next((one for one in self.kept() if (one.branch, one.request_id) == (name, request_id)), None)

    def expired(self) -> list[Path]:
        """Returns the files of those that are too old."""
        return [path for path in self._paths() if _is_old(path)]

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"), reverse=True)


def _is_old(path: Path) -> bool:
    left_ns = int(path.stem.partition("-")[0])
    return time.time() - left_ns / 1e9 > DROPPED_WINDOW_S
