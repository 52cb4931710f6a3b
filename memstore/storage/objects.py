"""Immutable objects named by the hash of their bytes.

Layers, masks, list nodes and commits are objects. Writing one twice writes it once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from memstore.errors import CorruptData, NotFound, Reason
from memstore.storage.durable import write_files

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
        try:
            content = self.path(name).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"object {name} is missing from {self.root}; run `memstore verify`.", object=name) from None
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
        new = {self.path(name): content for name, content in self._staged.items() if not self.path(name).exists()}
        write_files(new)
        self._staged.clear()
        written = sum(map(len, new.values()))
        self.bytes_written += written
        return written

    def abandon(self) -> None:
        """Forgets what was staged."""
        self._staged.clear()

    def forget(self) -> None:
        """Reads from the disk again from now on, so that a survey sees what is there and not what was."""
        self._node.cache_clear()

    def names(self) -> Iterator[str]:
        """Yields the names of all objects on disk."""
        for path in self.root.glob("??/*"):
            if len(path.name) == 30:
                yield path.parent.name + path.name
