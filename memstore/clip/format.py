"""What a clip format is: how to find it, read it and write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from memstore.camera import Camera
from memstore.clip.image import ColorFormat
from memstore.clip.sequence import Clip
from memstore.frame import Frame


@dataclass(frozen=True)
class ReadOptions:
    """What a caller may say of a clip that its files do not."""

    intrinsics: Camera | None = None
    """TUM: the lens; its place in the world is not used."""
    depth_unit_m: float | None = None
    """Metres a step of the depth files, instead of what the format says."""
    max_depth_difference_s: float = 0.02
    """TUM: how far in time a depth map may lie from its colours."""
    max_pose_difference_s: float = 0.02
    """TUM: how far in time the nearest measured camera may lie from the colours."""


@dataclass(frozen=True)
class WriteOptions:
    """How a clip is written."""

    color: ColorFormat = "png"
    """How colours are kept."""
    depth_unit_m: float | None = None
    """Metres a step of 16-bit depth; `None` for what is usual in the format."""


@runtime_checkable
class Writer(Protocol):
    """Writes one clip, frame by frame."""

    def add(self, frame: Frame, rgb: bytes) -> None:
        """Writes one frame, whose colours come encoded already; nothing of its pixels is kept."""
        ...

    def finish(self) -> None:
        """Writes the index, last of all: before this there is no clip."""
        ...


@dataclass(frozen=True)
class Format:
    """One format of clips."""

    name: str
    """What callers call it."""
    files: str
    """The files that tell it, in words."""
    index_files: tuple[str, ...]
    """The files without which it is no clip, relative to its folder."""
    find: Callable[[Path], Path | None]
    """Returns where the index of a clip at that path lies, `None` if this is another format."""
    read: Callable[[Path, Path, ReadOptions], Clip]
    """Returns the clip at a path with its index."""
    writer: Callable[[Path, WriteOptions], Writer]
    """Returns a writer into a folder."""
