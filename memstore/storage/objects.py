"""Immutable objects named by the hash of their bytes.

Layers, masks, list nodes and commits are objects. Writing one twice writes it once.

    <root>/objects/<2 hex digits>/<30>     an object in a file of its own
    <root>/objects/journal-<nanoseconds>   young objects (`journal.py`)

`flush` writes all that is staged as one record of a journal: a scattered edit of 100 layers is 200 objects, for which
the disk is waited for once and not 400 times. A journal that has grown long is settled behind the writer's back: each
of its objects gets a file, all are made durable, and only then the journal goes. Closing settles too, and the next
writer settles what a crash left, so that a database at rest has files only.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from memstore.errors import CorruptData, MemstoreError, NotFound, Reason
from memstore.storage.durable import write_files
from memstore.storage.journal import Journal

_log = logging.getLogger("memstore")
CACHED_NODES = 16_384
_NAME = re.compile(r"[0-9a-f]{32}")


def name_of(content: bytes) -> str:
    """Returns the name of an object: 32 hex digits of BLAKE2b."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def to_json(value: Any) -> bytes:
    """Returns canonical JSON: the same value always gives the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class Objects:
    """The objects of a database. `put` stages, `flush` makes everything staged durable."""

    def __init__(self, root: Path) -> None:
        """Keeps objects below `root`, two hex digits a folder."""
        self.root = root
        self.bytes_written = 0
        """Bytes of all objects that this process made durable."""
        self._staged: dict[str, bytes] = {}
        self._journals: dict[Path, Journal] = {}
        self._journals_lock = threading.RLock()
        self._settling: threading.Thread | None = None
        self._node = lru_cache(CACHED_NODES)(lambda name: json.loads(self.get(name)))

    def path(self, name: str) -> Path:
        """Returns where an object lies."""
        return self.root / name[:2] / name[2:]

    def put(self, content: bytes) -> str:
        """Stages an object and returns its name; it lasts only after `flush`."""
        name = name_of(content)
        self._staged[name] = content
        return name

    def put_json(self, value: Any) -> str:
        """Stages a JSON value and returns its name."""
        return self.put(to_json(value))

    def get(self, name: str) -> bytes:
        """Returns an object's bytes.

        Raises:
            NotFound: there is no such object.
            CorruptData: its bytes no longer match its name.
        """
        if name in self._staged:
            return self._staged[name]
        if not _NAME.fullmatch(name):
            raise NotFound(f"{name!r} names no object: names are 32 hex digits.", object=name)
        content = self._read(name)
        if content is None:
            raise NotFound(f"object {name} is missing from {self.root}; run `memstore verify`.", object=name)
        if name_of(content) != name:
            raise CorruptData(
                f"{self.path(name)} does not match its name: its bytes changed on disk; restore this file from a copy.",
                reason=Reason.CHECKSUM_MISMATCH,
                file=str(self.path(name)),
            )
        return content

    def get_json(self, name: str) -> Any:
        """Returns a JSON object, parsed once and shared: do not change it."""
        return self._node(name)

    def flush(self) -> int:
        """Makes every staged object durable and returns how many bytes were new."""
        new = {name: content for name, content in self._staged.items() if not self._is_there(name)}
        if new:
            with self._journals_lock:
                self._newest_journal().append(new)
            self._settle_behind()
        self._staged.clear()
        written = sum(map(len, new.values()))
        self.bytes_written += written
        return written

    def settle(self) -> None:
        """Gives every young object a durable file of its own; for the one writer. Errors as `durable.write_file`."""
        if self._settling is not None:
            self._settling.join()
        self._look_again()
        self._settle(list(self._journals.values()))

    def abandon(self) -> None:
        """Forgets what was staged."""
        self._staged.clear()

    def forget(self) -> None:
        """Reads from the disk again from now on, so that a survey sees what is there and not what was."""
        self._node.cache_clear()
        with self._journals_lock:
            self._journals = {}

    def names(self) -> Iterator[str]:
        """Yields the names of all objects on disk."""
        return self.starting("")

    def starting(self, prefix: str) -> Iterator[str]:
        """Yields the names of all objects on disk that begin so."""
        folder, rest = (prefix + "??")[:2], prefix[2:]
        paths = [path for path in self.root.glob(f"{folder}/{rest}*") if len(path.name) == 30]
        self._look_again()
        young = {name for journal in list(self._journals.values()) for name in journal.contents}
        yield from {path.parent.name + path.name for path in paths} | {n for n in young if n.startswith(prefix)}

    def _is_there(self, name: str) -> bool:
        """Whether an object lies on disk, whole: a torn file under its name is written anew."""
        content = self._young(name)
        content = self._file(name) if content is None else content
        return content is not None and name_of(content) == name

    def _young(self, name: str) -> bytes | None:
        found = (journal.contents.get(name) for journal in list(self._journals.values()))
        return next((content for content in found if content is not None), None)

    def _read(self, name: str) -> bytes | None:
        """Returns the bytes of an object wherever it lies; it may get its file while we look."""
        content = self._young(name)
        if content is None:
            content = self._file(name)
        if content is None:
            self._look_again()
            content = self._young(name)
        return self._file(name) if content is None else content

    def _file(self, name: str) -> bytes | None:
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            return None

    def _look_again(self) -> None:
        """Reads on in the journals, by whichever process they were written."""
        with self._journals_lock:
            known = self._journals
            self._journals = {path: known.get(path) or Journal(path) for path in self.root.glob("journal-*")}
            for journal in self._journals.values():
                journal.read_on()

    def _newest_journal(self) -> Journal:
        """Returns the journal that takes the next record."""
        newest = self._journals[max(self._journals)] if self._journals else None
        if newest is None or newest.is_over:
            newest = Journal(self.root / f"journal-{time.time_ns()}")
            self._journals[newest.path] = newest
        return newest

    def _settle_behind(self) -> None:
        over = [journal for journal in self._journals.values() if journal.is_over]
        if over and (self._settling is None or not self._settling.is_alive()):
            self._settling = threading.Thread(target=self._try_to_settle, args=(over,), name="settle", daemon=True)
            self._settling.start()

    def _try_to_settle(self, journals: list[Journal]) -> None:
        try:
            self._settle(journals)
        except MemstoreError as error:  # nothing is lost: the journals stay, and are tried again
            _log.warning("young objects of %s stay in their journal: %s", self.root, error)

    def _settle(self, journals: list[Journal]) -> None:
        for journal in journals:
            write_files({self.path(name): content for name, content in journal.contents.items()})
            with self._journals_lock:
                journal.remove()
                self._journals.pop(journal.path, None)
