"""Stored patches by id: what the database keeps of them, wherever layers show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, Shaped, UInt8, UInt64


@dataclass(frozen=True, eq=False)
class StoredPatches:
    """n patches as they were observed, before any placement."""

    ids: UInt64[np.ndarray, "n"]
    """Patch ids, in the order asked for."""
    center: Float64[np.ndarray, "n 3"]
    """Centre in metres; of sky, a unit direction."""
    radius: Float32[np.ndarray, "n"]
    """Radius in metres; of sky, the sine of the angular radius."""
    normal: Float32[np.ndarray, "n 3"]
    """Unit normal towards the source camera."""
    ordinal: Int64[np.ndarray, "n"]
    """Ordinal of the source frame."""
    color: UInt8[np.ndarray, "n 3"]
    """Mean sRGB colour."""
    sky: Bool[np.ndarray, "n"]
    """Whether the patch is sky."""
    latents: Shaped[np.ndarray, "n l"]
    """Token-major latents in the world's dtype."""

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"StoredPatches({len(self)} patches, {int(self.sky.sum())} of them sky)"
