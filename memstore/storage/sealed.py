"""Small files that are replaced in place: JSON with a checksum, so that a flipped bit is never taken for a name.

Everything else in a database is immutable and known by its hash or its checksums; these few (worlds, heads, tags,
leases) are what names the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google_crc32c

from memstore.errors import CorruptData, NotFound, Reason
from memstore.storage.durable import write_file
from memstore.storage.objects import to_json

SEAL = "crc32c"


def write_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON object with its checksum, whole or not at all, durable on return."""
    write_file(path, to_json({**value, SEAL: google_crc32c.value(to_json(dict(value)))}))


def read_sealed(path: Path) -> dict[str, Any]:
    """Returns what `write_sealed` wrote.

    Raises:
        NotFound: there is no such file.
        CorruptData: it is not what was written.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}.", file=str(path)) from None
    try:
        value: dict[str, Any] = json.loads(content)
        seal = value.pop(SEAL)
        sealed = to_json({**value, SEAL: seal}) == content and seal == google_crc32c.value(to_json(value))
    except (ValueError, KeyError, TypeError, AttributeError):
        sealed, value = False, {}
    if not sealed:
        raise CorruptData(
            f"{path} is garbled; restore it from a copy.", reason=Reason.CHECKSUM_MISMATCH, file=str(path)
        )
    return value
