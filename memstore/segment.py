"""A segment: an immutable batch of patches with the index that finds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, UInt16, UInt32, UInt64

from memstore.arrays import bare
from memstore.patch import Patches, SourceFrames, patch_ids
from memstore.transform import Transform

NEVER_HIDDEN = np.uint32(0xFFFF_FFFF)
"""Value of `Entry.hidden_from` for a patch that is shown for good."""


@dataclass(frozen=True)
class Blocks:
    """b runs of neighbouring rows with what bounds them. No block mixes surface and sky."""

    start: UInt32[np.ndarray, "b_plus_1"]
    """Block i holds rows start[i] to start[i + 1]."""
    low: Float32[np.ndarray, "b 3"]
    """Smallest corner of a box around the patches' spheres, relative to the segment's origin, metres. Of sky: of the
    directions, widened by the angular radius."""
    high: Float32[np.ndarray, "b 3"]
    """Largest corner of that box."""
    surface_blocks: int
    """Blocks before this hold surfaces, blocks from here on hold sky."""

    def __len__(self) -> int:
        return len(self.low)


@dataclass(frozen=True)
class Homes:
    """Where the patches of a gathered segment come from: it has no payload of its own."""

    segment: UInt32[np.ndarray, "f"]
    """Segment whose payload holds each frame."""
    frame: UInt16[np.ndarray, "f"]
    """Place of each frame in that segment."""
    recorded: UInt32[np.ndarray, "k"] = field(default_factory=lambda: np.empty(0, np.uint32))
    """Segments for all of whose frames a flattened segment stands, though none of their patches be left: what cameras
    recorded stays part of the world."""
    ids: UInt64[np.ndarray, "n"] | None = None
    """Patch id of each row; `None` for rows that are patches of this segment's own."""

    def segments(self) -> list[int]:
        """Returns all segments that these name, each once, in order."""
        return np.union1d(self.segment, self.recorded).tolist()


class Columns(NamedTuple):
    """Columns of a segment's patches and blocks as bare read-only arrays, named as there."""

    center: Any
    radius: Any
    normal: Any
    frame: Any
    cell: Any
    parts: Any
    start: Any
    low: Any
    high: Any


@dataclass(frozen=True)
class Segment:
    """An immutable batch of patches of consecutive frames, or one gathered from several."""

    ordinal: int
    """Database-wide number, never used again."""
    patches: Patches
    """Geometry, memory-mapped when it comes from disk."""
    blocks: Blocks
    """What search uses to skip most patches."""
    frames: SourceFrames
    """Where the patches were seen from."""
    token_columns: int
    """Columns of the source frames' token grid: row, column = divmod(cell, token_columns)."""
    homes: Homes | None = None
    """Of a gathered segment: where its patches come from."""

    @cached_property
    def columns(self) -> Columns:
        """The columns that kernels read, as bare arrays."""
        patches, blocks = self.patches, self.blocks
        return Columns(
            *(
                bare(column)
                for column in (
                    patches.center,
                    patches.radius,
                    patches.normal,
                    patches.frame,
                    patches.cell,
                    patches.parts,
                    blocks.start,
                    blocks.low,
                    blocks.high,
                )
            )
        )

    def ids(self, rows: UInt32[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
        """Returns the database-wide ids of the patches in some rows."""
        if self.homes is None or self.homes.ids is None:
            return patch_ids(self.ordinal, rows)
        return self.homes.ids[rows]

    def payload_of(self, frames: UInt16[np.ndarray, "n"]) -> tuple[UInt32[np.ndarray, "n"], UInt16[np.ndarray, "n"]]:
        """Returns the segments whose payload holds some frames, and the places of the frames there."""
        if self.homes is None:
            return np.full(len(frames), self.ordinal, np.uint32), frames
        return self.homes.segment[frames], self.homes.frame[frames]


@dataclass(frozen=True)
class Entry:
    """What one layer shows of one segment, ready to search."""

    layer: int
    """Position of the layer in the scene."""
    segment: Segment
    """The patches themselves, shared by every layer that shows them."""
    placement: Transform
    """world <- segment."""
    sky: bool
    """Whether this shows the segment's sky (directions) or its surfaces."""
    low: Float64[np.ndarray, "3"]
    """Smallest corner of a box around what is shown, before placement, metres; of sky, of directions."""
    high: Float64[np.ndarray, "3"]
    """Largest corner of that box."""
    hidden_from: UInt32[np.ndarray, "n"] | None = None
    """Per row of the segment: the frame ordinal from which it is hidden, 0 for always; `None` hides nothing."""
    ordinal_offset: int = 0
    """Added to the frames' ordinals: a stitched memory counts as older than the stitch."""


@dataclass(frozen=True)
class Scene:
    """All that one commit of a world shows. The order of entries carries no meaning."""

    entries: tuple[Entry, ...]
    """One per (layer, segment)."""
    layers: tuple[str, ...]
    """Layer ids, by `Entry.layer`."""
