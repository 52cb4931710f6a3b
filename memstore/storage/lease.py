"""Leases: a reader in any process holds on to a commit while it reads, by a small file with a heartbeat."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from memstore.errors import NotFound
from memstore.storage.durable import remove_file
from memstore.storage.sealed import read_sealed, write_sealed

LEASE_S = 60.0
"""A lease is over when its heart has not beaten for this long, so that a killed reader holds nothing up."""


@dataclass(frozen=True)
class LeaseRecord:
    """What a lease's file says."""

    commit: str
    """The commit held."""
    holder: str
    """Process and machine, for people."""


class Lease:
    """Holds a commit until `release`, against `collect` in any process. A context manager."""

    def __init__(self, root: Path, commit: str, *, lasts_s: float = LEASE_S) -> None:
        """Takes the lease and starts its heart."""
        self._path = root / "leases" / f"{uuid.uuid4().hex}.json"
        write_sealed(self._path, asdict(LeaseRecord(commit, f"process {os.getpid()} on {socket.gethostname()}")))
        self._released = threading.Event()
        self._heart = threading.Thread(target=self._beat, args=(lasts_s / 3,), name="memstore-lease", daemon=True)
        self._heart.start()

    def release(self) -> None:
        """Lets the commit go. Idempotent."""
        self._released.set()
        self._heart.join()
        if self._path.exists():
            remove_file(self._path)

    def _beat(self, every_s: float) -> None:
        while not self._released.wait(every_s):
            with suppress(FileNotFoundError):  # taken away after a stop so long that the lease was over
                os.utime(self._path)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def live_leases(root: Path, *, lasts_s: float = LEASE_S) -> Iterator[LeaseRecord]:
    """Yields the leases whose heart still beats.

    Raises:
        CorruptData: nobody can tell what one of them holds.
    """
    for path in lease_files(root):
        try:
            if time.time() - path.stat().st_mtime <= lasts_s:
                yield LeaseRecord(**read_sealed(path))
        except (FileNotFoundError, NotFound):
            continue  # released meanwhile


def lease_files(root: Path) -> list[Path]:
    """Returns the files of all leases, live or over."""
    return sorted((root / "leases").glob("*.json"))
