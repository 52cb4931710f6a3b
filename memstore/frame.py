"""A frame: what a camera saw at one moment, in colour or ready latents, with depth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Shaped, UInt8

from memstore.arrays import as_array
from memstore.camera import Camera
from memstore.errors import InvalidInput, Reason

Scalar = str | int | float | bool


@dataclass(frozen=True, eq=False)
class Frame:
    """One posed RGB-D picture; arrays may come from NumPy, torch or anything that speaks DLPack."""

    camera: Camera
    """Where it was taken, and with which lens."""
    depth_m: Float32[np.ndarray, "h w"]
    """Planar z in metres: finite and positive is measured, +inf is sky, 0 or NaN is unmeasured."""
    rgb: UInt8[np.ndarray, "h w 3"] | None = None
    """sRGB colours. May be left out when `latents` are given."""
    time_s: float = 0.0
    """A label in seconds; the order of frames is their ordinal, not this."""
    moving: Bool[np.ndarray, "h w"] | None = None
    """True where something moves; patches that touch it are left out of the memory."""
    latents: Shaped[np.ndarray, "lh lw c"] | None = None
    """Ready latents of this frame alone, in the world's LatentSpec."""
    caption: str = ""
    """What the frame shows, for people and for text search."""
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    """Anything else worth keeping: short scalar values by name."""
    ordinal: int | None = None
    """Place in the order of its branch: given by the database, `None` before ingest."""

    def __post_init__(self) -> None:
        size = (self.camera.height, self.camera.width)
        self._keep("depth_m", np.float32, size)
        if self.rgb is not None:
            self._keep("rgb", np.uint8, (*size, 3))
        if self.moving is not None:
            self._keep("moving", np.bool_, size)
        if self.rgb is None and self.latents is None:
            raise InvalidInput("a frame needs rgb or latents, got neither.", reason=Reason.INVALID_FRAME, field="rgb")
        if self.latents is not None:
            latents = as_array(self.latents, None, (None, None, None), "latents", reason=Reason.INVALID_FRAME)
            object.__setattr__(self, "latents", latents)
        if not np.isfinite(self.time_s):
            raise InvalidInput(
                f"time_s must be finite, got {self.time_s}.", reason=Reason.INVALID_FRAME, field="time_s"
            )
        object.__setattr__(self, "metadata", MappingProxyType(_scalars(self.metadata)))

    def _keep(self, name: str, dtype: type, shape: tuple[int, ...]) -> None:
        array = as_array(getattr(self, name), dtype, shape, name, reason=Reason.INVALID_FRAME)
        object.__setattr__(self, name, array)

    @property
    def measured(self) -> Bool[np.ndarray, "h w"]:
        """True where depth is finite and positive."""
        return np.isfinite(self.depth_m) & (self.depth_m > 0)

    @property
    def sky(self) -> Bool[np.ndarray, "h w"]:
        """True where depth is +inf."""
        return np.isposinf(self.depth_m)

    def cropped(self, left: int, top: int, width: int, height: int) -> Frame:
        """Returns the part of a frame of colours that starts at (left, top).

        Raises:
            InvalidInput: the part leaves the image, or the frame has only latents.
        """
        inside = left >= 0 and top >= 0 and left + width <= self.camera.width and top + height <= self.camera.height
        if not inside or self.rgb is None:
            raise InvalidInput(
                f"cannot crop {width}x{height} at ({left}, {top}) out of a frame of {self.camera.width}x"
                f"{self.camera.height} {'with' if self.rgb is not None else 'without'} colours.",
                reason=Reason.INVALID_FRAME,
            )
        part = np.s_[top : top + height, left : left + width]
        return replace(
            self,
            camera=self.camera.cropped(left, top, width, height),
            depth_m=self.depth_m[part],
            rgb=self.rgb[part],
            moving=None if self.moving is None else self.moving[part],
            latents=None,
        )

    def __reduce__(self) -> tuple[object, ...]:
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return type(self), tuple({**values, "metadata": dict(self.metadata)}.values())

    def __repr__(self) -> str:
        kept = [name for name in ("rgb", "latents", "moving") if getattr(self, name) is not None]
        order = "" if self.ordinal is None else f", ordinal={self.ordinal}"
        share = float(self.measured.mean())
        return f"Frame({self.camera.width}x{self.camera.height}, {'+'.join(kept)}, {share:.0%} measured{order})"


def _scalars(metadata: Mapping[Any, object]) -> dict[str, Scalar]:
    """Returns a copy.

    Raises:
        InvalidInput: a name is no string, or a value no finite scalar.
    """
    for name, value in metadata.items():
        plain = isinstance(value, str | int | float) and (not isinstance(value, float) or np.isfinite(value))
        if not (isinstance(name, str) and plain):
            raise InvalidInput(
                f"metadata must be finite scalars by name (str, int, float, bool), got {name!r}: {value!r}.",
                reason=Reason.INVALID_FRAME,
                field="metadata",
            )
    return dict(metadata)  # pyright: ignore[reportReturnType]
