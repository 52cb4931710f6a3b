"""Named arrays in one file, memory-mapped: a safetensors file that can tell whether it is still what was written.

Beside what safetensors keeps, the header holds a crc32c of each array, taken by `verify`, and one of the header itself,
taken at every open. With the check that the arrays fill the file, every byte is covered.
Columns are 8-byte aligned where they need it: safetensors pads its header to 8 and sorts by falling item size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import google_crc32c
import numpy as np
import pyarrow as pa
from jaxtyping import Shaped, UInt8
from safetensors.numpy import save

from memstore.errors import CorruptData, NotFound, Reason

_DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_UNSET = b'"header_crc32c":"00000000"'
_HEADER_CRC = re.compile(rb'"header_crc32c":"([0-9a-f]{8})"')


def encode_columns(columns: Mapping[str, np.ndarray], notes: Mapping[str, str]) -> bytes:
    """Returns the file of `columns`, with `notes` (short texts by name) beside them."""
    arrays = {name: np.asarray(array, order="C") for name, array in columns.items()}
    checksums = json.dumps({name: crc32c(array) for name, array in arrays.items()})
    content = save(arrays, {**notes, "columns_crc32c": checksums, "header_crc32c": "00000000"})
    end = 8 + int.from_bytes(content[:8], "little")
    head = content[:end]
    return head.replace(_UNSET, b'"header_crc32c":"%08x"' % google_crc32c.value(head), 1) + content[end:]


def crc32c(array: Shaped[np.ndarray, "*shape"]) -> int:
    """Returns the crc32c of an array's bytes."""
    return google_crc32c.value(np.ascontiguousarray(array).reshape(-1).view(np.uint8))


def map_file(path: Path) -> UInt8[np.ndarray, "n"]:
    """Returns a file's bytes as a read-only memory map, which holds no file descriptor and outlives the file's name.

    Raises:
        NotFound: there is no such file.
    """
    # Python's own mmap keeps a duplicate descriptor for its lifetime; a scene of 2,000 segments would run out of them.
    try:
        with pa.memory_map(str(path)) as file:
            mapped = np.frombuffer(file.read_buffer(), np.uint8)
    except FileNotFoundError:
        raise NotFound(f"{path} is missing; run `memstore verify`.", file=str(path)) from None
    mapped.flags.writeable = False
    return mapped


class ColumnFile:
    """A file of named arrays, open for reading. Its arrays are read-only views of one memory map."""

    def __init__(self, path: Path) -> None:
        """Opens the file and checks its header.

        Raises:
            NotFound: there is no such file.
            CorruptData: it is truncated, or its header is garbled.
        """
        self.path = path
        self._bytes = map_file(path)
        header, self._start = self._read_header()
        texts: dict[str, str] = header.pop("__metadata__")
        self._checksums = texts.pop("columns_crc32c")
        self._entries = header
        self.notes: Mapping[str, str] = MappingProxyType(texts)
        """Texts kept beside the arrays, by name."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._entries)

    def __getitem__(self, name: str) -> Shaped[np.ndarray, "*shape"]:
        """Returns an array without copying it.

        Raises:
            CorruptData: the file holds no array of that name.
        """
        if name not in self._entries:
            raise self._corrupt(f"has no column {name!r}")
        entry = self._entries[name]
        begin = self._start + entry["data_offsets"][0]
        return np.ndarray(entry["shape"], _DTYPES[entry["dtype"]], self._bytes, begin)

    def verify(self) -> None:
        """Takes the checksum of every array.

        Raises:
            CorruptData: some array is not what was written (reason CHECKSUM_MISMATCH).
        """
        expected_of: dict[str, int] = json.loads(self._checksums)
        for name, expected in expected_of.items():
            if crc32c(self[name]) != expected:
                raise self._corrupt(f"column {name!r} fails its checksum", Reason.CHECKSUM_MISMATCH)

    def _read_header(self) -> tuple[dict[str, Any], int]:
        size = len(self._bytes)
        end = 8 + int.from_bytes(self._bytes[:8].tobytes(), "little")
        if not 8 < end <= size:
            raise self._corrupt(f"is truncated: {size} bytes cannot hold its header")
        head = self._bytes[:end].tobytes()
        marks = _HEADER_CRC.findall(head)
        unset = head.replace(b'"header_crc32c":"%s"' % marks[0], _UNSET, 1) if marks else b""
        if len(marks) != 1 or google_crc32c.value(unset) != int(marks[0], 16):
            raise self._corrupt("has a garbled header", Reason.CHECKSUM_MISMATCH)
        header: dict[str, Any] = json.loads(head[8:])
        filled = max((e["data_offsets"][1] for name, e in header.items() if name != "__metadata__"), default=0)
        if end + filled != size:
            raise self._corrupt(f"is truncated or overlong: its columns end at byte {end + filled}, the file at {size}")
        header["__metadata__"].pop("header_crc32c")
        return header, end

    def _corrupt(self, found: str, reason: Reason = Reason.CORRUPT_DATA) -> CorruptData:
        return CorruptData(
            f"{self.path} {found}; run `memstore verify --repair`, or restore the file from a copy.",
            reason=reason,
            file=str(self.path),
        )
