"""Films: pictures in a row as an MP4 file, by PyAV."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec import codecs_available
from jaxtyping import UInt8

from memstore.errors import InvalidInput

Rgb = UInt8[np.ndarray, "h w 3"]

CODECS = ("libx264", "mpeg4")
"""In order of liking; the first that the installed PyAV can write is used."""


def write_mp4(path: Path, images: Iterable[Rgb], frames_per_s: int = 24) -> int:
    """Writes a film and returns its number of pictures; nothing but the picture at hand is kept in memory.

    Raises:
        InvalidInput: there is no picture, or its size is odd.
    """
    coming = iter(images)
    first = next(coming, None)
    if first is None:
        raise InvalidInput(f"a film needs at least one picture, got none for {path}.")
    height, width, _ = first.shape
    if width % 2 or height % 2:
        raise InvalidInput(f"the pictures of a film must have even sizes, got {width}x{height}; crop or enlarge them.")
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with av.open(str(path), "w") as film:
        stream = _stream(film, width, height, frames_per_s)
        for image in chain([first], coming):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
            count += 1
        film.mux(stream.encode(None))
    return count


def _stream(film: Any, width: int, height: int, frames_per_s: int) -> Any:
    name = next(name for name in CODECS if name in codecs_available)
    stream = film.add_stream(name, rate=frames_per_s)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    if name == "libx264":
        stream.options = {"crf": "20"}
    else:
        stream.bit_rate = width * height * frames_per_s // 4
    return stream
