"""Rows: what the tables `segments`, `frames`, `patches` and `homes` hold, as Arrow on one side and values on the other.

Patches keep exactly the columns of `Patches`, so that a segment's geometry can be made again from its rows, bit for
bit; their centres are relative to the origin in the segment's row. The frames of a gathered segment are rows of the
segments that they lie in, and of no other: `homes` says which.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from memstore.camera import Camera
from memstore.frame import Scalar
from memstore.latent import LatentSpec
from memstore.patch import Patches, SourceFrames
from memstore.segment import Homes

Triple = tuple[float, float, float]

_POINT = pa.list_(pa.float64(), 3)
SEGMENTS = pa.schema(
    [
        ("segment", pa.uint32()),
        ("world_id", pa.string()),
        ("frame_count", pa.uint32()),
        ("patch_count", pa.uint32()),
        ("surface_count", pa.uint32()),
        ("latent_spec", pa.string()),
        ("origin", _POINT),
        ("low", _POINT),
        ("high", _POINT),
        ("payload_bytes", pa.uint64()),
        ("created_s", pa.float64()),
        ("digest", pa.uint32()),
        ("fragment", pa.int64()),
    ]
)
FRAMES = pa.schema(
    [
        ("world_id", pa.string()),
        ("segment", pa.uint32()),
        ("index", pa.uint16()),
        ("ordinal", pa.int64()),
        ("time_s", pa.float64()),
        *((name, pa.float64()) for name in ("fx", "fy", "cx", "cy")),
        ("width", pa.uint32()),
        ("height", pa.uint32()),
        ("camera_to_world", pa.list_(pa.float64(), 16)),
        ("caption", pa.string()),
        ("metadata", pa.string()),
    ]
)
PATCHES = pa.schema(
    [
        ("segment", pa.uint32()),
        ("row", pa.uint32()),
        *((name, pa.float32()) for name in ("x", "y", "z", "radius")),
        ("normal_u", pa.int16()),
        ("normal_v", pa.int16()),
        ("frame", pa.uint16()),
        ("cell", pa.uint32()),
        *((name, pa.uint8()) for name in ("red", "green", "blue")),
        ("parts", pa.uint16()),
        ("sky", pa.bool_()),
    ]
)
HOMES = pa.schema(
    [
        ("segment", pa.uint32()),
        ("index", pa.uint32()),
        ("home", pa.uint32()),
        ("frame", pa.int32()),  # ALL_FRAMES of a home that is recorded
    ]
)
ALL_FRAMES = -1


@dataclass(frozen=True)
class SegmentRow:
    """One segment, as the `segments` table knows it."""

    segment: int
    """Ordinal, database-wide."""
    world_id: str
    """The world that took it in; others may show it too."""
    frame_count: int
    """Frames."""
    patch_count: int
    """Patches, sky included."""
    surface_count: int
    """Patches that are surfaces."""
    spec: LatentSpec
    """What its latents are."""
    origin: Triple
    """What the patches' centres are relative to, metres."""
    low: Triple | None
    """Smallest corner of a box around its surfaces, metres; `None` without surfaces."""
    high: Triple | None
    """Largest corner of that box."""
    payload_bytes: int
    """Bytes of its payload on disk; 0 of a gathered segment, which has none."""
    created_s: float
    """When it was written, seconds since 1970."""
    digest: int
    """crc32c of its patches and cameras (`geometry.digest`): what is made again from rows must match it."""
    fragment: int = -1
    """Fragment of the `patches` table that holds its rows and nothing else; -1 without patches."""

    @property
    def is_gathered(self) -> bool:
        """Whether its patches lie in the payload of other segments."""
        return not self.payload_bytes


@dataclass(frozen=True)
class FrameRow:
    """One frame, as the `frames` table knows it."""

    world_id: str
    """The world that took it in."""
    segment: int
    """Its segment."""
    index: int
    """Place in its segment."""
    ordinal: int
    """Place in the order of its branch."""
    time_s: float
    """Time label, seconds."""
    camera: Camera
    """Where it was taken, and with which lens."""
    caption: str
    """What it shows."""
    metadata: Mapping[str, Scalar]
    """What else was said of it."""


def segment_table(row: SegmentRow) -> pa.Table:
    """Returns the table of one segment."""
    fields = asdict(row) | {"latent_spec": json.dumps(row.spec.to_dict(), sort_keys=True)}
    return pa.Table.from_pylist([fields], schema=SEGMENTS)


def segment_rows(table: pa.Table) -> list[SegmentRow]:
    """Reads what `segment_table` wrote."""
    return [_segment_row(fields) for fields in table.to_pylist()]


def frame_table(
    segment: int,
    world_id: str,
    frames: SourceFrames,
    captions: Sequence[str],
    metadata: Sequence[Mapping[str, Scalar]],
) -> pa.Table:
    """Returns one row for each frame of a segment."""
    count = len(frames)
    columns = [
        pa.array([world_id] * count),
        np.full(count, segment, np.uint32),
        np.arange(count, dtype=np.uint16),
        frames.ordinal,
        frames.time_s,
        *frames.intrinsics.T,
        np.full(count, frames.width, np.uint32),
        np.full(count, frames.height, np.uint32),
        pa.FixedSizeListArray.from_arrays(pa.array(frames.camera_to_world.reshape(-1)), 16),
        pa.array(captions, pa.string()),
        pa.array([json.dumps(dict(named), sort_keys=True) for named in metadata], pa.string()),
    ]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=FRAMES)


def frame_rows(table: pa.Table) -> list[FrameRow]:
    """Returns the frames of a table, oldest first within each world."""
    return sorted(map(_frame_row, table.to_pylist()), key=lambda row: (row.world_id, row.ordinal, row.segment))


def source_frames(table: pa.Table) -> SourceFrames:
    """Reads the frames that `frame_table` wrote, bit for bit."""
    table = table.sort_by("index")
    return SourceFrames(
        ordinal=_column(table, "ordinal"),
        time_s=_column(table, "time_s"),
        intrinsics=np.stack([_column(table, name) for name in ("fx", "fy", "cx", "cy")], axis=1),
        camera_to_world=table["camera_to_world"].combine_chunks().flatten().to_numpy().reshape(-1, 4, 4),
        width=table["width"][0].as_py(),
        height=table["height"][0].as_py(),
    )


def patch_table(segment: int, patches: Patches) -> pa.Table:
    """Returns one row for each patch of a segment."""
    count = len(patches)
    rows = np.arange(count, dtype=np.uint32)
    columns = [
        np.full(count, segment, np.uint32),
        rows,
        *patches.center.T,
        patches.radius,
        *patches.normal.T,
        patches.frame,
        patches.cell,
        *patches.color.T,
        patches.parts,
        rows >= patches.surface_count,
    ]
    return pa.Table.from_arrays([pa.array(np.ascontiguousarray(column)) for column in columns], schema=PATCHES)


def patches_from(table: pa.Table, origin: Triple) -> Patches:
    """Reads the patches that `patch_table` wrote, bit for bit."""
    table = table.sort_by("row")

    def columns(*names: str) -> np.ndarray:
        return np.stack([_column(table, name) for name in names], axis=1)

    return Patches(
        origin=np.array(origin, np.float64),
        center=columns("x", "y", "z"),
        radius=_column(table, "radius"),
        normal=columns("normal_u", "normal_v"),
        frame=_column(table, "frame"),
        cell=_column(table, "cell"),
        color=columns("red", "green", "blue"),
        parts=_column(table, "parts"),
        surface_count=len(table) - int(_column(table, "sky").sum()),
    )


def home_table(segment: int, homes: Homes) -> pa.Table:
    """Returns one row for each frame of a gathered segment, and one for each segment that it records."""
    frames, recorded = len(homes.frame), len(homes.recorded)
    columns = [
        np.full(frames + recorded, segment, np.uint32),
        np.arange(frames + recorded, dtype=np.uint32),
        np.concatenate([homes.segment, homes.recorded]),
        np.concatenate([homes.frame.astype(np.int32), np.full(recorded, ALL_FRAMES, np.int32)]),
    ]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=HOMES)


def homes_from(table: pa.Table) -> Homes:
    """Reads what `home_table` wrote."""
    table = table.sort_by("index")
    home, frame = _column(table, "home"), _column(table, "frame")
    recorded = frame == ALL_FRAMES
    return Homes(home[~recorded], frame[~recorded].astype(np.uint16), home[recorded])


def _segment_row(fields: dict[str, Any]) -> SegmentRow:
    spec = LatentSpec.from_dict(json.loads(fields.pop("latent_spec")))
    points: dict[str, Any] = {name: fields[name] and tuple(fields[name]) for name in ("origin", "low", "high")}
    return SegmentRow(**(fields | points), spec=spec)


def _frame_row(fields: dict[str, Any]) -> FrameRow:
    matrix = np.array(fields["camera_to_world"]).reshape(4, 4)
    lens = {name: fields[name] for name in ("fx", "fy", "cx", "cy", "width", "height")}
    return FrameRow(
        world_id=fields["world_id"],
        segment=fields["segment"],
        index=fields["index"],
        ordinal=fields["ordinal"],
        time_s=fields["time_s"],
        camera=Camera(**lens, camera_to_world=matrix),
        caption=fields["caption"],
        metadata=json.loads(fields["metadata"]),
    )


def _column(table: pa.Table, name: str) -> np.ndarray:
    return table[name].combine_chunks().to_numpy(zero_copy_only=False)
