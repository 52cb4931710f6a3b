"""Pictures on disk: the only file that knows Pillow."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Shaped, UInt8, UInt16
from PIL import Image

from memstore.clip.text import invalid_clip
from memstore.errors import InvalidInput

ColorFormat = Literal["png", "webp", "jpg"]
"""How colours are kept: `png` and `webp` exactly, `jpg` nearly."""

_TOO_DEEP = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""Pillow's modes of more than 8 bits a channel, which its conversion to RGB would cut off at 255."""
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)
"""What Pillow's decoders raise on broken files."""
_SAVING: dict[ColorFormat, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "webp": ("WEBP", {"lossless": True}),
    "jpg": ("JPEG", {"quality": 95}),
}


def read_color(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Returns the colours of a picture, sRGB as stored: alpha is dropped, an EXIF turn is not made."""
    return _decoded(path, "RGB")


def read_mask(path: Path) -> Bool[np.ndarray, "h w"]:
    """Returns True where a mask is not black."""
    return _decoded(path, "L") > 0


def read_pixels(path: Path) -> Shaped[np.ndarray, "..."]:
    """Returns the numbers of a picture as they are, without any conversion."""
    return _decoded(path, None)


def color_bytes(rgb: UInt8[np.ndarray, "h w 3"], color: ColorFormat) -> bytes:
    """Returns colours as a file."""
    name, options = _SAVING[color]
    return _encoded(rgb, name, **options)


def gray_bytes(steps: UInt16[np.ndarray, "h w"]) -> bytes:
    """Returns one channel of 16 bits as a PNG file."""
    return _encoded(steps, "PNG")


def mask_bytes(moving: Bool[np.ndarray, "h w"]) -> bytes:
    """Returns a mask as a PNG file: black where something moves, white elsewhere."""
    return _encoded(np.where(moving, np.uint8(0), np.uint8(255)), "PNG")


def _encoded(pixels: np.ndarray, name: str, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, format=name, **options)
    return file.getvalue()


def _decoded(path: Path, mode: Literal["RGB", "L"] | None) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if mode is None:
                return np.asarray(image)
            if mode == "RGB" and image.mode in _TOO_DEEP:
                raise invalid_clip(
                    f"{path} should hold 8-bit colours, found Pillow mode {image.mode}; convert it.", path
                )
            return np.asarray(image.convert(mode))
    except InvalidInput:
        raise
    except _UNREADABLE as error:
        raise invalid_clip(
            f"{path} cannot be read as a picture: {error}; copy it again, or leave its frame out with a slice.", path
        ) from error
