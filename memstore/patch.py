"""Patches as arrays: the geometry of one segment, and the frames it came from.

About 30 bytes a patch, laid out for memory maps and for kernels that touch one column at a time. Rows are ordered:
surface patches first, in Morton order of their centres, then sky patches, in Morton order of their directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int16, Int64, UInt8, UInt16, UInt32, UInt64

from memstore.camera import Camera

ROW_BITS = 32
MAX_FRAMES_PER_SEGMENT = 65_535
PARTS = 4
"""Parts along a side of a token."""
WHOLE = np.uint16(0xFFFF)
"""Value of `Patches.parts` for a patch that fills its token."""


@dataclass(frozen=True)
class SourceFrames:
    """The frames of a segment: their order, times and cameras. All share one image size."""

    ordinal: Int64[np.ndarray, "f"]
    """Place of each frame in the order of its branch, increasing."""
    time_s: Float64[np.ndarray, "f"]
    """Time label of each frame, seconds."""
    intrinsics: Float64[np.ndarray, "f 4"]
    """fx, fy, cx, cy of each frame, pixels."""
    camera_to_world: Float64[np.ndarray, "f 4 4"]
    """world <- camera of each frame, metres."""
    width: int
    """Image width, pixels."""
    height: int
    """Image height, pixels."""

    def __len__(self) -> int:
        return len(self.ordinal)

    def camera(self, frame: int) -> Camera:
        """Returns the camera of a frame, counted from the segment's first."""
        fx, fy, cx, cy = self.intrinsics[frame].tolist()
        return Camera(fx, fy, cx, cy, self.width, self.height, self.camera_to_world[frame])


@dataclass(frozen=True)
class Patches:
    """n patches of consecutive frames, as a struct of arrays."""

    origin: Float64[np.ndarray, "3"]
    """What `center` is relative to, metres: float32 stays precise far from the world's origin."""
    center: Float32[np.ndarray, "n 3"]
    """Surface: centre relative to `origin`, metres. Sky: unit direction in the world."""
    radius: Float32[np.ndarray, "n"]
    """Surface: radius of a sphere around the centre that holds the patch's surface, metres. Sky: the sine of the
    angular radius."""
    normal: Int16[np.ndarray, "n 2"]
    """Octahedral unit normal towards the source camera (see `encode_normal`)."""
    frame: UInt16[np.ndarray, "n"]
    """Source frame, counted from the segment's first."""
    cell: UInt32[np.ndarray, "n"]
    """Place in the source frame's token grid, row * columns + column."""
    color: UInt8[np.ndarray, "n 3"]
    """Mean sRGB colour of the pixels that the patch shows."""
    parts: UInt16[np.ndarray, "n"]
    """Which of the 4 x 4 parts of its token the patch fills, bit 4 * row + column; of sky, which are sky."""
    surface_count: int
    """Rows before this are surfaces, rows from here on are sky."""

    def __len__(self) -> int:
        return len(self.radius)


def patch_ids(segment: int, rows: UInt32[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    """Returns database-wide patch ids: segment ordinal << 32 | row."""
    return np.uint64(segment << ROW_BITS) | rows.astype(np.uint64)


def split_ids(ids: UInt64[np.ndarray, "n"]) -> tuple[UInt32[np.ndarray, "n"], UInt32[np.ndarray, "n"]]:
    """Returns the segment ordinals and rows of patch ids."""
    return (ids >> np.uint64(ROW_BITS)).astype(np.uint32), (ids & np.uint64(0xFFFF_FFFF)).astype(np.uint32)


def encode_normal(normal: Float64[np.ndarray, "n 3"] | Float32[np.ndarray, "n 3"]) -> Int16[np.ndarray, "n 2"]:
    """Packs unit vectors into two int16 by octahedral projection; the error is under 0.01 degrees."""
    flat = normal / np.abs(normal).sum(axis=1, keepdims=True)
    xy = flat[:, :2]
    folded = (1 - np.abs(xy[:, ::-1])) * np.where(xy >= 0, 1, -1)
    return np.rint(np.where(flat[:, 2:] >= 0, xy, folded) * 32_767).astype(np.int16)


def decode_normal(packed: Int16[np.ndarray, "n 2"]) -> Float32[np.ndarray, "n 3"]:
    """Unpacks `encode_normal`."""
    xy = packed.astype(np.float32) / 32_767
    z = 1 - np.abs(xy).sum(axis=1)
    folded = (1 - np.abs(xy[:, ::-1])) * np.where(xy >= 0, 1, -1)
    normal = np.concatenate([np.where(z[:, None] >= 0, xy, folded), z[:, None]], axis=1).astype(np.float32)
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)
