"""A mosaic: the patches that one camera sees, placed in its image (MosaicMem's patch-and-compose memory).

Patches stay what they are: each keeps its own latents, its own source camera and its own depth, and says where it
lands in the target. What a model or a person needs is made from that on demand: token positions for Warped RoPE, a
canvas, Warped Latents, a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, Shaped, UInt8, UInt32, UInt64

from memstore.camera import Camera
from memstore.latent import LatentSpec

Unit = Literal["patch", "cell"]


@dataclass(frozen=True, eq=False)
class SourceViews:
    """The s source frames that a mosaic draws on, as they stand in the target's world after placement."""

    segment: UInt32[np.ndarray, "s"]
    """Segment ordinal of each frame."""
    ordinal: Int64[np.ndarray, "s"]
    """Frame ordinal, with the layer's offset."""
    intrinsics: Float64[np.ndarray, "s 4"]
    """fx, fy, cx, cy in pixels."""
    size: Int32[np.ndarray, "s 2"]
    """Image width and height in pixels."""
    camera_to_world: Float64[np.ndarray, "s 4 4"]
    """world <- source camera, rotation and translation of the placed camera."""
    scale: Float64[np.ndarray, "s"]
    """Scale of the placement: world metres per metre of the source's depth."""
    sky: Bool[np.ndarray, "s"]
    """Whether this source is used for its sky (directions at infinity)."""

    def __len__(self) -> int:
        return len(self.ordinal)


@dataclass(frozen=True, eq=False)
class Content:
    """What n patches hold: their latents and the depth of each of their samples."""

    latents: Shaped[np.ndarray, "n l"]
    """Token-major latents in the spec's dtype; l = patch * patch * channels."""
    depth_m: Float32[np.ndarray, "n d"]
    """Planar depth in the source camera, metres before placement, at d = depths_per_side ** 2 samples, row-major;
    +inf is sky, NaN is unmeasured."""


@dataclass(frozen=True, eq=False)
class Mosaic:
    """The n patches that a camera sees, sorted by target token (row-major), best first within a token."""

    camera: Camera
    """The target camera."""
    spec: LatentSpec
    """What the latents are."""
    commit: str
    """The commit of the world that was asked."""
    ids: UInt64[np.ndarray, "n"]
    """Patch ids (segment << 32 | row)."""
    layer: UInt32[np.ndarray, "n"]
    """Position in `layers` of the layer that shows the patch; (layer, id) names an instance."""
    layers: tuple[str, ...]
    """Layer ids."""
    uv: Float32[np.ndarray, "n 2"]
    """Where the patch's centre lands, target pixels."""
    depth_m: Float32[np.ndarray, "n"]
    """Planar depth of the centre in the target camera, metres; +inf is sky."""
    radius_px: Float32[np.ndarray, "n"]
    """Radius of the patch in the target, pixels."""
    color: UInt8[np.ndarray, "n 3"]
    """Mean colour."""
    source: Int32[np.ndarray, "n"]
    """Position in `sources` of the frame that the patch was seen in."""
    cell: UInt32[np.ndarray, "n 2"]
    """Row and column of the patch in its source frame's token grid."""
    sources: SourceViews
    """The source frames."""
    coverage: Float32[np.ndarray, "rows cols"]
    """Share of each target token that the patches cover, 0 to 1."""
    content: Content | None
    """Latents and depths, or `None` when they were not asked for."""
