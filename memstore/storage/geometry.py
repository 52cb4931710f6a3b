"""The geometry file of a segment: its patches, blocks and source frames as one file of columns, memory-mapped.

Columns are named after the fields, such as `patches.center`; single numbers, the latent spec and the checksums of the
payload's metadata stand in the notes. A gathered segment has three columns more, `homes.segment`, `homes.frame` and
`homes.recorded`, and no payload.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from memstore.errors import CorruptData
from memstore.frame import Scalar
from memstore.latent import LatentSpec
from memstore.patch import Patches, SourceFrames
from memstore.segment import Blocks, Homes, Segment
from memstore.storage.columns import ColumnFile, crc32c, encode_columns


@dataclass(frozen=True)
class Geometry:
    """What a geometry file holds."""

    segment: Segment
    """The segment, its arrays views of the file."""
    spec: LatentSpec
    """What its latents are."""
    file: ColumnFile
    """The file itself."""

    @property
    def payload_checksums(self) -> Mapping[str, int]:
        """crc32c of each metadata file of the payload, by path below the segment."""
        return json.loads(self.file.notes["payload_checksums"])


def encode_geometry(
    patches: Patches,
    blocks: Blocks,
    frames: SourceFrames,
    spec: LatentSpec,
    payload_checksums: Mapping[str, int],
    homes: Homes | None = None,
) -> bytes:
    """Returns the bytes of a geometry file; `homes` of a gathered segment whose rows are patches of its own."""
    fields = _fields("patches", patches) | _fields("blocks", blocks) | _fields("frames", frames) | _homes(homes)
    columns = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    notes = {
        "numbers": json.dumps([{name: v for name, v in fields.items() if name not in columns}, spec.to_dict()]),
        "payload_checksums": json.dumps(dict(payload_checksums)),
    }
    return encode_columns(columns, notes)


def read_geometry(path: Path, ordinal: int) -> Geometry:
    """Returns the geometry of a segment, memory-mapped; `ColumnFile.verify` takes its checksums.

    Raises:
        NotFound: there is no such file.
        CorruptData: it is truncated, its header is garbled, or something is missing from it.
    """
    file = ColumnFile(path)
    try:
        numbers, spec_fields = json.loads(file.notes["numbers"])
        spec = LatentSpec.from_dict(spec_fields)
        parts = _parts(file, numbers)
        patches, blocks = Patches(**parts["patches"]), Blocks(**parts["blocks"])
        frames = SourceFrames(**parts["frames"])
        homes = Homes(**parts["homes"]) if parts["homes"] else None
    except (KeyError, ValueError, TypeError) as error:
        raise CorruptData(
            f"{path} is no geometry of a segment: {error}; run `memstore verify`.", file=str(path)
        ) from error
    segment = Segment(ordinal, patches, blocks, frames, spec.token_grid(frames.width, frames.height)[1], homes)
    return Geometry(segment, spec, file)


def digest(
    patches: Patches, frames: SourceFrames, captions: Sequence[str], metadata: Sequence[Mapping[str, Scalar]]
) -> int:
    """Returns a crc32c over all that cannot be computed again: all fields of patches and frames, captions, notes."""
    notes = json.dumps([list(captions), [dict(named) for named in metadata]], sort_keys=True)
    return _crc_of_all(_fields("patches", patches) | _fields("frames", frames), notes)


def gathered_digest(patches: Patches, homes: Homes) -> int:
    """Returns the same of a gathered segment: its frames are those of its homes, which have a digest each."""
    return _crc_of_all(_fields("patches", patches) | _homes(homes), "")


def _crc_of_all(fields: Mapping[str, Any], notes: str) -> int:
    facts = [crc32c(np.asarray(fields[name])) for name in sorted(fields)]
    return google_crc32c.value(np.array(facts, "<u4").tobytes() + notes.encode())


def _homes(homes: Homes | None) -> dict[str, Any]:
    if homes is None:
        return {}
    return {"homes.segment": homes.segment, "homes.frame": homes.frame, "homes.recorded": homes.recorded}


def _fields(part: str, value: Patches | Blocks | SourceFrames) -> dict[str, Any]:
    return {f"{part}.{name}": field for name, field in vars(value).items()}


def _parts(file: ColumnFile, numbers: dict[str, int]) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {"patches": {}, "blocks": {}, "frames": {}, "homes": {}}
    for name in file.names:
        part, _, field = name.partition(".")
        parts[part][field] = file[name]
    for name, number in numbers.items():
        part, _, field = name.partition(".")
        parts[part][field] = number
    return parts
