"""Pictures as PNG bytes, by the standard library alone: a notebook can show one wherever the SDK runs."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from jaxtyping import UInt8

RGB_8_BIT = bytes([8, 2, 0, 0, 0])
"""Bit depth 8, colour type 2, and the only compression, filter and interlace that we use."""


def png(image: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """Returns the image as a PNG file.

    >>> png(np.zeros((2, 3, 3), np.uint8))[:4]
    b'\\x89PNG'
    """
    height, width, _ = image.shape
    unfiltered = np.zeros((height, 1 + 3 * width), np.uint8)
    unfiltered[:, 1:] = image.reshape(height, -1)
    header = struct.pack(">II", width, height) + RGB_8_BIT
    pixels = zlib.compress(unfiltered.tobytes())
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
