"""One database on disk: its rooms, its format, and who may write.

<root>/memstore.json         format version and id
<root>/writer.lock           flock of the one writer; its holder's name
<root>/objects/              commits, layers, lists and masks, by hash; the youngest in journals
<root>/segments/             payload (Zarr) and geometry of each segment
<root>/tables/               segments, frames and patches (Lance)
<root>/worlds/<id>/          world.json, heads/, tags/
<root>/leases/               commits that readers hold on to
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from memstore.errors import CorruptData, FailedPrecondition, MemstoreError, NotFound, ReadOnly, Reason
from memstore.storage.commits import Commits
from memstore.storage.durable import UNFINISHED, WriterLock, make_directory, write_file
from memstore.storage.lists import Lists
from memstore.storage.objects import Objects, to_json
from memstore.storage.segments import SegmentStore

FORMAT_VERSION = 1
"""Of a new database."""
GATHERED_FORMAT = 2
"""From the first gathered segment on: a memstore that knows none would collect the payload that they refer to."""
FORMAT_FILE = "memstore.json"


@dataclass(frozen=True)
class Identity:
    """What `memstore.json` says."""

    database_id: str
    """Id for life."""
    format: int
    """Version of the files."""
    created_s: float
    """When it was made, seconds since 1970."""


class Store:
    """The rooms of one database. Reading needs no lock; the first write takes the writer's lock until `close`."""

    def __init__(self, root: Path, *, read_only: bool = False, create: bool = True) -> None:
        """Opens the database below `root`, making an empty one where there is nothing yet.

        Raises:
            NotFound: there is nothing, and it may not be made.
            FailedPrecondition: something else lies there, or its format is newer or older than this program's.
        """
        self.root = root
        self.read_only = read_only
        self.identity = read_identity(root) or self._create(create and not read_only)
        _check_format(root, self.identity.format)
        self.objects = Objects(root / "objects")
        self.lists = Lists(self.objects)
        self.commits = Commits(self.objects, self.lists)
        self.segments = SegmentStore(root)
        self._lock = threading.RLock()
        self._writer: WriterLock | None = None
        self._closed = False
        self.head_moved = threading.Condition()

    def _create(self, allowed: bool) -> Identity:
        if not allowed:
            raise NotFound(f"there is no database at {self.root}; check the path, or open it for writing to make one.")
        there = next(path for path in (self.root, *self.root.absolute().parents) if path.exists())
        if not there.is_dir() or (there == self.root and _holds_other_things(there)):
            holds = f"it holds other things and no {FORMAT_FILE}" if there.is_dir() else f"{there} is a file"
            raise FailedPrecondition(
                f"{self.root} is no memstore database: {holds}; choose an empty or a new folder.",
                reason=Reason.NOT_A_DATABASE,
                root=str(self.root),
            )
        identity = Identity(uuid.uuid4().hex, FORMAT_VERSION, time.time())
        # First of all: a creation that is cut off later is a database already, whose rooms are made when needed.
        write_identity(self.root, identity)
        for room in ("objects", "segments", "tables", "worlds", "leases"):
            make_directory(self.root / room)
        return identity

    @contextmanager
    def writing(self) -> Generator[None]:
        """Holds the right to write, alone among threads and processes.

        Raises:
            ReadOnly: the database was opened for reading, was closed, or another process writes.
        """
        with self._lock:
            self._require_writable()
            if self._writer is None:
                self._writer = self._recovered_writer()
            try:
                yield
            except BaseException:
                self.objects.abandon()
                raise

    def _recovered_writer(self) -> WriterLock:
        """Returns the lock, taken, after setting right what a crash left; a failure lets go of it again."""
        writer = WriterLock(self.root / "writer.lock")
        writer.acquire()
        try:
            self.segments.recover()
            self.objects.settle()
        except BaseException:
            writer.release()
            raise
        return writer

    def _require_writable(self) -> None:
        if self._closed:
            raise ReadOnly(f"the database at {self.root} was closed; open it again.", reason=Reason.CLOSED)
        if self.read_only:
            raise ReadOnly(f"the database at {self.root} is open for reading only; open it with read_only=False.")

    def raise_format(self, version: int) -> None:
        """Makes the format at least `version`, durable on return, before anything of it is written.

        Programs that know no such format refuse the database from then on. The caller holds `writing()`.
        """
        found = read_identity(self.root) or self.identity
        if found.format < version:
            found = replace(found, format=version)
            write_identity(self.root, found)
        self.identity = found

    def announce(self) -> None:
        """Wakes whoever watches for new heads in this process."""
        with self.head_moved:
            self.head_moved.notify_all()

    def close(self) -> None:
        """Lets go of the writer's lock and of open files. Idempotent."""
        with self._lock:
            self._closed = True
            if self._writer is not None:
                with suppress(MemstoreError):  # what a full disk leaves in the journal is safe there
                    self.objects.settle()
                self._writer.release()
                self._writer = None
            self.segments.close()


def read_identity(root: Path) -> Identity | None:
    """Returns what `memstore.json` says, or `None` where there is none.

    Raises:
        CorruptData: it is garbled.
    """
    path = root / FORMAT_FILE
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
        return Identity(value["database_id"], int(value["format"]), float(value["created_s"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptData(f"{path} is garbled; restore it from a copy.", file=str(path)) from error


def write_identity(root: Path, identity: Identity) -> None:
    """Writes `memstore.json`, durable on return."""
    write_file(root / FORMAT_FILE, to_json(vars(identity)))


def _holds_other_things(folder: Path) -> bool:
    """Whether there is more in a folder than what a creation that was cut off left."""
    return any(not path.name.endswith(UNFINISHED) for path in folder.iterdir())


def _check_format(root: Path, found: int) -> None:
    if found > GATHERED_FORMAT:
        raise FailedPrecondition(
            f"{root} has format {found}, this memstore reads up to {GATHERED_FORMAT}; upgrade memstore.",
            reason=Reason.NEWER_FORMAT,
            found=found,
            supported=GATHERED_FORMAT,
        )
    if found < FORMAT_VERSION:
        raise FailedPrecondition(
            f"{root} has format {found}, this memstore writes {FORMAT_VERSION}; run `memstore migrate {root}`.",
            reason=Reason.OLDER_FORMAT,
            found=found,
            supported=FORMAT_VERSION,
        )
