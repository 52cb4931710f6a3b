"""Journal: young objects, all those of a commit in one record, so that a commit waits for the disk once.

    <root>/objects/journal-<nanoseconds>     records, oldest first:
        b"MSJ1", count (uint32), length of the rest (uint64), crc32c of the rest (uint32)
        the rest: names (16 bytes each), lengths (uint32 each), contents

A record is written at the end and fsynced before its commit is acknowledged. One that is torn was never acknowledged:
readers pass it by, and the next one begins another journal. Sooner or later each object gets a file of its own
(`Objects.settle`), and the journal is removed.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from pathlib import Path

import google_crc32c

from memstore.storage.durable import explain_os_errors, make_directory, remove_file, sync_directory

_log = logging.getLogger("memstore")
LONG_OBJECTS = 2_048
"""A journal of more objects is settled: about 10 edits of all of 100 layers, or 200 small ones."""
LONG_BYTES = 1 << 24
"""A journal of more bytes is settled: until then its objects are held in memory."""
_MAGIC = b"MSJ1"
_HEAD = struct.Struct("<4sIQI")
_NAME_BYTES = 16


class Journal:
    """One file of records and the objects in them. One process appends, any number read."""

    def __init__(self, path: Path) -> None:
        """Reads what is there."""
        self.path = path
        self.contents: dict[str, bytes] = {}
        """The objects, by name."""
        self._end = 0
        self._damaged = False
        self._failed = False
        self.read_on()

    def read_on(self) -> None:
        """Takes in what was appended since, by whichever process."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._end)
                rest = file.read()
        except FileNotFoundError:
            return
        passed_by = 0
        for length, objects in _records(rest):
            if objects is None:
                passed_by += length
                continue
            self._damaged |= passed_by > 0  # what comes after was acknowledged, so that this was too
            self.contents |= objects
            self._end += passed_by + length
            passed_by = 0

    @property
    def is_over(self) -> bool:
        """Whether it takes no more records: it is long, or its end may be torn."""
        return self._failed or len(self.contents) > LONG_OBJECTS or self._end > LONG_BYTES

    def append(self, contents: Mapping[str, bytes]) -> None:
        """Adds objects, durable on return; an error ends the journal. Errors as `durable.write_file`."""
        record = _record(contents)
        is_new = self._end == 0
        self._failed = True
        with explain_os_errors(self.path, len(record)):
            make_directory(self.path.parent)
            file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                rest = memoryview(record)
                while rest:
                    rest = rest[os.write(file, rest) :]
                os.fsync(file)
            finally:
                os.close(file)
        if is_new:
            sync_directory(self.path.parent)
        self._failed = False
        self.contents |= contents
        self._end += len(record)

    def remove(self) -> None:
        """Removes the file, durable on return; all its objects have files of their own by now."""
        if self._damaged:
            aside = self.path.with_name(f"damaged-{self.path.name}")
            _log.warning("%s has records that changed on disk; it is set aside as %s.", self.path, aside.name)
            self.path.rename(aside)
            sync_directory(self.path.parent)
        else:
            remove_file(self.path)


def _record(contents: Mapping[str, bytes]) -> bytes:
    names = b"".join(bytes.fromhex(name) for name in contents)
    lengths = struct.pack(f"<{len(contents)}I", *map(len, contents.values()))
    rest = b"".join([names, lengths, *contents.values()])
    return _HEAD.pack(_MAGIC, len(contents), len(rest), google_crc32c.value(rest)) + rest


def _records(content: bytes) -> Iterator[tuple[int, dict[str, bytes] | None]]:
    """Yields the length and the objects of each record, `None` for one that is not what was written."""
    at = 0
    while at + _HEAD.size <= len(content):
        magic, count, length, checksum = _HEAD.unpack_from(content, at)
        rest = content[at + _HEAD.size : at + _HEAD.size + length]
        if magic != _MAGIC or len(rest) < length:
            return
        yield _HEAD.size + length, _objects(rest, count) if google_crc32c.value(rest) == checksum else None
        at += _HEAD.size + length


def _objects(rest: bytes, count: int) -> dict[str, bytes]:
    starts = range(0, _NAME_BYTES * count, _NAME_BYTES)
    names = [rest[start : start + _NAME_BYTES].hex() for start in starts]
    lengths = struct.unpack_from(f"<{count}I", rest, _NAME_BYTES * count)
    ends = accumulate(lengths, initial=(_NAME_BYTES + 4) * count)
    return {name: rest[first:last] for name, (first, last) in zip(names, pairwise(ends), strict=True)}
