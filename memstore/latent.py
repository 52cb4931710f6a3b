"""Which latents a world keeps, and how a latent map is cut into patches.

A latent map is (h, w, c): one vector a cell of `stride` x `stride` pixels. A patch is `patch` x `patch` cells, exactly
one token of the video model, and is stored token-major: a patch is one run of `patch * patch * c` values.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from memstore.errors import InvalidInput, LatentSpecMismatch, Reason

DTYPES = ("uint8", "float16", "float32")


@dataclass(frozen=True)
class LatentSpec:
    """The kind of latents that a world keeps. Worlds that are stitched together share it."""

    codec: str
    """Name of the codec that turns pixels into latents, such as `pixel` or `wan2.2`."""
    revision: str
    """Revision of the codec's weights or rule."""
    channels: int
    """Values a cell."""
    stride: int
    """Pixels along a side of a cell."""
    patch: int
    """Cells along a side of a patch."""
    dtype: str
    """One of uint8, float16, float32."""
    normalised: bool
    """Whether the codec's per-channel mean and deviation have been taken out."""
    depth_stride: int = 1
    """Pixels between two kept depth samples; divides `stride`."""
    depth_dtype: str = "float16"
    """How inverse depth is kept: float16 (relative error under 0.05 %) or float32."""

    def __post_init__(self) -> None:
        for name in ("channels", "stride", "patch", "depth_stride"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, got {getattr(self, name)}.", field=name)
        if self.stride % self.depth_stride:
            raise InvalidInput(
                f"depth_stride must divide stride {self.stride}, got {self.depth_stride}.", field="depth_stride"
            )
        if self.dtype not in DTYPES:
            raise InvalidInput(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}.", field="dtype")
        if self.depth_dtype not in ("float16", "float32"):
            raise InvalidInput(
                f"depth_dtype must be float16 or float32, got {self.depth_dtype!r}.", field="depth_dtype"
            )

    @classmethod
    def pixel(cls, patch: int = 8, depth_dtype: str = "float16") -> LatentSpec:
        """Colours themselves, exact and without a model: stride 1, 3 channels, uint8."""
        return cls("pixel", "1", 3, 1, patch, "uint8", normalised=False, depth_dtype=depth_dtype)

    @classmethod
    def wan22(cls, revision: str = "2.2", depth_stride: int = 4) -> LatentSpec:
        """Latents of the Wan2.2 VAE, normalised: stride 16, 48 channels, 2x2 cells a patch, float16."""
        return cls("wan2.2", revision, 48, 16, 2, "float16", normalised=True, depth_stride=depth_stride)

    @property
    def token_px(self) -> int:
        """Pixels along a side of a patch."""
        return self.stride * self.patch

    @property
    def values_per_patch(self) -> int:
        """Latent values of one patch."""
        return self.patch * self.patch * self.channels

    @property
    def bytes_per_patch(self) -> int:
        """Bytes of the latents of one patch."""
        return self.values_per_patch * np.dtype(self.dtype).itemsize

    @property
    def depths_per_side(self) -> int:
        """Kept depth samples along a side of a patch."""
        return self.token_px // self.depth_stride

    def token_grid(self, width: int, height: int) -> tuple[int, int]:
        """Returns (rows, columns) of patches of an image.

        Raises:
            InvalidInput: the size is no multiple of a patch.
        """
        side = self.token_px
        if width % side or height % side:
            raise InvalidInput(
                f"an image of {width}x{height} cannot be cut into patches of {side}x{side} pixels; crop or resize it "
                f"to {max(width // side, 1) * side}x{max(height // side, 1) * side} (Frame.cropped, Camera.resized).",
                reason=Reason.INVALID_FRAME,
                width=width,
                height=height,
                token_px=side,
            )
        return height // side, width // side

    def require_same(self, other: LatentSpec, what: str) -> None:
        """Raises LatentSpecMismatch, naming every field that differs, unless both keep the same latents."""
        differing = [k for k, v in asdict(self).items() if v != getattr(other, k)]
        if differing:
            listed = ", ".join(f"{k} {getattr(self, k)!r} and {getattr(other, k)!r}" for k in differing)
            raise LatentSpecMismatch(f"{what}: the latent specs differ in {listed}; encode again with one codec.")

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> LatentSpec:
        """Reads what `to_dict` wrote.

        Raises:
            InvalidInput: a field is unknown, as in a spec of a newer version.
        """
        if unknown := sorted(set(fields) - set(cls.__dataclass_fields__)):
            raise InvalidInput(
                f"a latent spec has no field {', '.join(unknown)}; it has {', '.join(cls.__dataclass_fields__)}.",
                field=unknown[0],
            )
        return replace(cls.pixel(), **fields)


def to_tokens(latents: Shaped[np.ndarray, "*batch h w c"], patch: int) -> Shaped[np.ndarray, "*batch rows cols l"]:
    """Cuts latent maps into token-major patches; l = patch * patch * c, cells row-major, channels last."""
    *batch, h, w, c = latents.shape
    split = latents.reshape(*batch, h // patch, patch, w // patch, patch, c)
    return np.ascontiguousarray(np.swapaxes(split, -4, -3)).reshape(*batch, h // patch, w // patch, patch * patch * c)


def from_tokens(tokens: Shaped[np.ndarray, "*batch rows cols l"], patch: int) -> Shaped[np.ndarray, "*batch h w c"]:
    """Puts token-major patches together again: the inverse of `to_tokens`."""
    *batch, rows, cols, length = tokens.shape
    c = length // (patch * patch)
    split = tokens.reshape(*batch, rows, cols, patch, patch, c)
    return np.ascontiguousarray(np.swapaxes(split, -4, -3)).reshape(*batch, rows * patch, cols * patch, c)
