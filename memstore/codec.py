"""Codecs turn pixels into latents and back. They register themselves by name; `pixel` is always there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped, UInt8

from memstore.errors import FailedPrecondition, Reason
from memstore.latent import LatentSpec


@runtime_checkable
class Codec(Protocol):
    """Encodes each frame alone, so that no latent mixes two moments (MosaicMem: one-frame videos)."""

    def encode(self, rgb: UInt8[np.ndarray, "h w 3"]) -> Shaped[np.ndarray, "lh lw c"]:
        """Returns the latent map of one image, in the spec's dtype."""
        ...

    def decode(self, latents: Shaped[np.ndarray, "lh lw c"]) -> UInt8[np.ndarray, "h w 3"]:
        """Returns the image of one latent map."""
        ...


class PixelCodec:
    """The identity: latents are the colours themselves."""

    def encode(self, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Returns the image itself."""
        return rgb

    def decode(self, latents: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """Returns the latents themselves."""
        return latents


_FACTORIES: dict[str, Callable[[LatentSpec], Codec]] = {"pixel": lambda _: PixelCodec()}


def register_codec(name: str, factory: Callable[[LatentSpec], Codec]) -> None:
    """Makes `LatentSpec(codec=name)` encodable; the factory is called when a world first needs it."""
    _FACTORIES[name] = factory


def registered_codecs() -> list[str]:
    """Returns the names of the codecs registered in this process."""
    return sorted(_FACTORIES)


def has_codec(spec: LatentSpec) -> bool:
    """Whether frames of colours alone can enter a world of this spec in this process."""
    return spec.codec in _FACTORIES


def codec_for(spec: LatentSpec) -> Codec:
    """Returns the codec of a spec.

    Raises:
        FailedPrecondition: no codec of that name is registered in this process.
    """
    if spec.codec not in _FACTORIES:
        raise FailedPrecondition(
            f"no codec {spec.codec!r} is registered here (registered: {', '.join(sorted(_FACTORIES))}); give frames "
            "their latents, Frame(latents=...), or import the package that brings the codec.",
            reason=Reason.MISSING_LATENTS,
            codec=spec.codec,
        )
    return _FACTORIES[spec.codec](spec)
