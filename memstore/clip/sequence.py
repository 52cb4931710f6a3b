"""A clip: posed pictures in order, each read only when it is reached.

An index (transforms.json, groundtruth.txt, images.txt) becomes a tuple of `Shot`s: everything about a frame but its
pixels, a few hundred bytes each. Iterating a `Clip` reads the pixels of one shot at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os.path import isfile
from pathlib import Path
from typing import overload

import numpy as np
from jaxtyping import Float64, Shaped

from memstore.camera import Camera
from memstore.clip.depth import DepthUnit, read_depth
from memstore.clip.image import read_color, read_mask
from memstore.clip.text import invalid_clip
from memstore.errors import InvalidInput, NotFound, Reason
from memstore.frame import Frame, Scalar


@dataclass(frozen=True)
class Lens:
    """What an index says of the intrinsics; what it leaves out follows from the picture's size."""

    fx: float | None = None
    """Focal length along x, pixels; `None` if `fov_x` gives it."""
    fy: float | None = None
    """Focal length along y, pixels; `None` if `fov_y` gives it, or for square pixels."""
    cx: float | None = None
    """Principal point along x, pixels, the left edge at 0; `None` for the middle."""
    cy: float | None = None
    """Principal point along y, pixels, the top edge at 0; `None` for the middle."""
    width: int | None = None
    """Width of the pictures it was measured for, pixels; `None` for the pictures at hand."""
    height: int | None = None
    """Height of the pictures it was measured for, pixels; `None` for the pictures at hand."""
    fov_x: float | None = None
    """Field of view across the width, radians."""
    fov_y: float | None = None
    """Field of view across the height, radians."""

    def camera(self, width: int, height: int, camera_to_world: Float64[np.ndarray, "4 4"]) -> Camera:
        """Returns the camera of a picture of that size."""
        fx = self.fx if self.fx is not None else _focal(width, self.fov_x or math.nan)
        fy = self.fy if self.fy is not None else fx if self.fov_y is None else _focal(height, self.fov_y)
        cx = width / 2 if self.cx is None else self.cx
        cy = height / 2 if self.cy is None else self.cy
        return Camera(fx, fy, cx, cy, width, height, camera_to_world)


@dataclass(frozen=True)
class Label:
    """What is said of a frame beside its pixels and its camera."""

    time_s: float = 0.0
    """When it was taken, seconds; 0 where the format does not say."""
    caption: str = ""
    """What it shows."""
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    """Short values by name."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A frame of a clip before its pixels are read."""

    color: tuple[Path, ...]
    """Where its colours may lie; the first file that exists is read."""
    depth: tuple[Path, ...]
    """Where its depth may lie; the first file that exists is read."""
    lens: Lens
    """Its intrinsics."""
    camera_to_world: Float64[np.ndarray, "4 4"]
    """world <- camera, OpenCV axes."""
    mask: tuple[Path, ...] = ()
    """Where its mask may lie: black is left out."""
    mask_required: bool = False
    """Whether a mask that exists nowhere is an error."""
    unit: DepthUnit = field(default_factory=DepthUnit)
    """What the numbers of its depth stand for."""
    label: Label = field(default_factory=Label)
    """Time, caption and metadata."""

    def read(self) -> Frame:
        """Returns the frame, reading its files now.

        Depth and masks of another resolution but the same aspect are sampled at the pixel centres of the colours, as
        phones with a coarse depth sensor need.

        Raises:
            InvalidInput: a file is missing or broken, or its size does not fit.
        """
        source = _existing(self.color, "colours")
        rgb = read_color(source)
        self._check_size(rgb, source)
        height, width = rgb.shape[:2]
        try:
            camera = self.lens.camera(width, height, self.camera_to_world)
        except InvalidInput as error:
            raise invalid_clip(f"{source} has no usable camera: {error} Mend the index of the clip.", source) from error
        return Frame(
            camera=camera,
            depth_m=self._read_depth(height, width),
            rgb=rgb,
            time_s=self.label.time_s,
            moving=self._read_moving(height, width),
            caption=self.label.caption,
            metadata=self.label.metadata,
        )

    def _check_size(self, rgb: np.ndarray, source: Path) -> None:
        height, width = rgb.shape[:2]
        wanted = (self.lens.width or width, self.lens.height or height)
        if wanted != (width, height):
            raise invalid_clip(
                f"{source} should be {wanted[0]}x{wanted[1]} by the intrinsics of the clip, found {width}x{height}; "
                "use the pictures that the intrinsics were made for, or scale the intrinsics.",
                source,
            )

    def _read_depth(self, height: int, width: int) -> np.ndarray:
        source = _existing(self.depth, "depth")
        return _sampled(read_depth(source, self.unit), height, width, source)

    def _read_moving(self, height: int, width: int) -> np.ndarray | None:
        if not self.mask or not (self.mask_required or any(map(isfile, self.mask))):
            return None
        source = _existing(self.mask, "mask")
        return ~_sampled(read_mask(source), height, width, source)


@dataclass(frozen=True, repr=False)
class Clip:
    """Frames of a clip on disk, in order; nothing is read before it is reached, and nothing is kept.

    `len(clip)`, `for frame in clip`, `clip[7]` reads one frame, `clip[10:20:2]` is a clip again.
    """

    path: Path
    """Where it lies."""
    format: str
    """The name of its format."""
    shots: tuple[Shot, ...]
    """Its frames before their pixels are read."""
    skipped: int = 0
    """Pictures that the index names and the clip leaves out, for lack of a depth or a pose near in time."""
    notes: tuple[str, ...] = ()
    """What a careful reader should know of how the clip was understood."""

    def __len__(self) -> int:
        return len(self.shots)

    def __iter__(self) -> Iterator[Frame]:
        return (shot.read() for shot in self.shots)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Clip: ...
    def __getitem__(self, index: int | slice) -> Frame | Clip:
        if isinstance(index, slice):
            return replace(self, shots=self.shots[index])
        if not -len(self) <= index < len(self):
            raise NotFound(
                f"frame {index} was asked of a clip of {len(self)} frames at {self.path}; count from 0, or from -1 "
                "back.",
                reason=Reason.FRAME_NOT_FOUND,
                index=index,
            )
        return self.shots[index].read()

    def __repr__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        notes = "".join(f"; {note}" for note in self.notes)
        return f"Clip({str(self.path)!r}, {self.format}, {len(self)} frames{skipped}{notes})"


def _existing(candidates: Sequence[Path], what: str) -> Path:
    for path in candidates:
        if isfile(path):
            return path
    places = ", ".join(str(path) for path in candidates)
    raise invalid_clip(
        f"the {what} of a frame should be at {places}: no such file; bring it back, or leave the frame out with a "
        "slice such as clip[:10].",
        candidates[0],
    )


def _sampled(
    pixels: Shaped[np.ndarray, "a b"], height: int, width: int, source: Path
) -> Shaped[np.ndarray, "{height} {width}"]:
    """Returns `pixels` at the pixel centres of an image of that size, each from the pixel it falls into."""
    rows, columns = pixels.shape
    if (rows, columns) == (height, width):
        return pixels
    if abs(rows * width - columns * height) > max(width, height):
        raise invalid_clip(
            f"{source} should have the aspect of its colours, {width}x{height}, found {columns}x{rows}; use the map "
            "that belongs to this picture.",
            source,
        )
    y = ((np.arange(height) + 0.5) * rows / height).astype(np.intp)
    x = ((np.arange(width) + 0.5) * columns / width).astype(np.intp)
    return pixels[np.ix_(y, x)]


def _focal(size: int, fov: float) -> float:
    return size / 2 / math.tan(fov / 2)
