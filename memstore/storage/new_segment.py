"""New segments: all there is to write of one, with a payload of its own or gathered from others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from memstore.errors import InvalidInput
from memstore.frame import Scalar
from memstore.latent import LatentSpec
from memstore.patch import MAX_FRAMES_PER_SEGMENT, Patches, SourceFrames
from memstore.segment import Blocks, Homes
from memstore.storage.geometry import digest, gathered_digest
from memstore.storage.rows import SegmentRow, Triple


@dataclass(frozen=True, eq=False)
class NewSegment:
    """All there is to write of a segment of f frames."""

    patches: Patches
    """Patches in the order of `index.arrange`."""
    blocks: Blocks
    """Their blocks."""
    frames: SourceFrames
    """Cameras, times and ordinals of the frames."""
    captions: tuple[str, ...]
    """A caption for each frame, "" for none."""
    metadata: tuple[Mapping[str, Scalar], ...]
    """Other notes on each frame."""
    tokens: Shaped[np.ndarray, "f rows cols l"]
    """Token-major latents in the spec's dtype."""
    depth_m: Float32[np.ndarray, "f h w"]
    """Depth of every pixel: +inf is sky, 0 or NaN unmeasured."""
    moving: Bool[np.ndarray, "f h w"] | None
    """Where something moves, if any frame says so."""
    spec: LatentSpec
    """What the latents are."""
    world_id: str
    """The world that takes the frames in."""

    def __post_init__(self) -> None:
        count = len(self.frames)
        lengths = {len(self.captions), len(self.metadata), len(self.tokens), len(self.depth_m)}
        if lengths != {count} or not 0 < count <= MAX_FRAMES_PER_SEGMENT:
            raise InvalidInput(
                f"each of a segment's 1 to {MAX_FRAMES_PER_SEGMENT} frames needs a caption, notes, latents and depth, "
                f"got {count} frames, {len(self.captions)} captions, {len(self.metadata)} notes, {len(self.tokens)} "
                f"latents and {len(self.depth_m)} depths."
            )
        rows, columns = self.tokens.shape[1:3]
        if len(self.patches) and (self.patches.frame.max() >= count or self.patches.cell.max() >= rows * columns):
            raise InvalidInput(f"patches must lie in the {count} frames of {rows}x{columns} tokens; some lie outside.")

    def row(self, ordinal: int, payload_bytes: int) -> SegmentRow:
        """Returns the segment's row under its ordinal, written now."""
        checksum = digest(self.patches, self.frames, self.captions, self.metadata)
        return _row(ordinal, self, payload_bytes, checksum)


@dataclass(frozen=True, eq=False)
class GatheredSegment:
    """All there is to write of a segment whose f frames lie in the payload of others; its rows are patches anew."""

    patches: Patches
    """Patches in the order of `index.arrange`."""
    blocks: Blocks
    """Their blocks."""
    frames: SourceFrames
    """Cameras, times and ordinals of the frames, as their homes have them."""
    homes: Homes
    """Where the frames lie."""
    spec: LatentSpec
    """What the latents are."""
    world_id: str
    """The world whose rows were gathered."""

    def row(self, ordinal: int) -> SegmentRow:
        """Returns the segment's row under its ordinal, written now."""
        return _row(ordinal, self, 0, gathered_digest(self.patches, self.homes))


def _row(ordinal: int, new: NewSegment | GatheredSegment, payload_bytes: int, checksum: int) -> SegmentRow:
    surfaces, origin = new.blocks.surface_blocks, new.patches.origin
    return SegmentRow(
        segment=ordinal,
        world_id=new.world_id,
        frame_count=len(new.frames),
        patch_count=len(new.patches),
        surface_count=new.patches.surface_count,
        spec=new.spec,
        origin=_triple(origin),
        low=_triple(origin + new.blocks.low[:surfaces].min(axis=0)) if surfaces else None,
        high=_triple(origin + new.blocks.high[:surfaces].max(axis=0)) if surfaces else None,
        payload_bytes=payload_bytes,
        created_s=time.time(),
        digest=checksum,
    )


def _triple(point: Shaped[np.ndarray, "3"]) -> Triple:
    x, y, z = point.tolist()
    return x, y, z
