"""A canvas: latents laid out on a target's grid, with holes where the memory says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from memstore.arrays import read_only


@dataclass(frozen=True, eq=False)
class Canvas:
    """One latent vector a cell of the target, and what is known of it."""

    latents: Shaped[np.ndarray, "h w c"]
    """One vector a cell; zeros in holes."""
    mask: Bool[np.ndarray, "h w"]
    """True where the memory says something."""
    depth_m: Float32[np.ndarray, "h w"]
    """Planar depth in the target camera, metres; +inf is sky, NaN a hole."""

    def __post_init__(self) -> None:
        for name in ("latents", "mask", "depth_m"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def covered(self) -> float:
        """Share of cells that are no holes."""
        return float(self.mask.mean()) if self.mask.size else 0.0

    def __repr__(self) -> str:
        height, width, channels = self.latents.shape
        return f"Canvas({height}x{width} cells of {channels} {self.latents.dtype.name}, {self.covered:.0%} covered)"
