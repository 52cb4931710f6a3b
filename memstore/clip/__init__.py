"""Clips in the formats that people already have: posed RGB-D pictures in a folder, read and written one at a time.

    for frame in read_clip("clip/"):      # nerfstudio, TUM RGB-D or COLMAP, told by their files
        ...
    write_clip("copy/", read_clip("clip/")[::2], format="nerfstudio")

Each format has its file: nerfstudio.py, tum.py, colmap.py, whose first lines say how it is understood.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from memstore.camera import Camera
from memstore.clip import colmap, nerfstudio, tum
from memstore.clip.format import Format, ReadOptions, WriteOptions, Writer
from memstore.clip.image import ColorFormat, color_bytes
from memstore.clip.sequence import Clip, Shot
from memstore.clip.text import invalid_clip, remove_file
from memstore.errors import AlreadyExists, InvalidInput, Reason
from memstore.frame import Frame

ClipFormat = Literal["nerfstudio", "tum", "colmap"]
"""The formats known."""

__all__ = ["Clip", "ClipFormat", "ColorFormat", "Shot", "read_clip", "write_clip"]

_FORMATS = (nerfstudio.FORMAT, tum.FORMAT, colmap.FORMAT)


def read_clip(
    path: str | os.PathLike[str],
    *,
    format: ClipFormat | None = None,
    intrinsics: Camera | None = None,
    depth_unit_m: float | None = None,
    max_depth_difference_s: float = 0.02,
    max_pose_difference_s: float = 0.02,
) -> Clip:
    """Returns the clip at `path`: its index is read now, its pictures one by one as they are reached.

    Args:
        path: the folder of the clip; for nerfstudio also the .json file itself.
        format: which format it is, `None` to tell by its files.
        intrinsics: TUM only: the lens, where no file gives it. Its place in the world is not used.
        depth_unit_m: metres a step of the depth files, against what the format says.
        max_depth_difference_s: TUM only: how far in time a depth map may lie from its colours.
        max_pose_difference_s: TUM only: how far in time the nearest measured camera may lie from the colours.

    Raises:
        InvalidInput: no clip, several clips or an empty clip lies there, or its index is broken. A picture that is
            missing or broken is found when it is reached.
    """
    place = Path(path)
    chosen = _named(format) if format is not None else _detected(place)
    index = chosen.find(place)
    if index is None:
        raise _not_found(place, (chosen,))
    _check_seconds("max_depth_difference_s", max_depth_difference_s)
    _check_seconds("max_pose_difference_s", max_pose_difference_s)
    _check_unit(depth_unit_m)
    options = ReadOptions(intrinsics, depth_unit_m, max_depth_difference_s, max_pose_difference_s)
    clip = chosen.read(place, index, options)
    if not len(clip):
        raise invalid_clip(f"the {chosen.name} clip at {place} names no frame; write at least one.", place)
    return clip


def write_clip(
    path: str | os.PathLike[str],
    frames: Iterable[Frame],
    *,
    format: ClipFormat = "nerfstudio",
    color: ColorFormat = "png",
    depth_unit_m: float | None = None,
    overwrite: bool = False,
) -> Clip:
    """Writes frames as they come and returns the clip they became; its index is written last, whole or not at all.

    Latents and ordinals are not kept, unmeasured depth is kept as 0.

    Args:
        path: the folder, made if it is missing.
        frames: frames with colours; each is written before the next is asked for.
        format: nerfstudio keeps all of a frame in one JSON file; tum needs increasing times, one lens, and depth under
            13.1 m; colmap keeps depth as floats.
        color: `png` and `webp` keep colours exactly, `jpg` nearly.
        depth_unit_m: nerfstudio only: metres a step of 16-bit depth, 0.001 (up to 65.534 m) unless given.
        overwrite: write into a folder that holds something: indexes of an earlier clip go first, its pictures are
            replaced as names meet, nothing else is touched.

    Raises:
        AlreadyExists: the folder holds something, and `overwrite` is false.
        InvalidInput: there is no frame, one has no colours, or a depth does not fit into the format.
    """
    root, chosen = Path(path), _named(format)
    if color not in get_args(ColorFormat):
        raise InvalidInput(f"color must be one of {', '.join(get_args(ColorFormat))}, got {color!r}.", field="color")
    _check_unit(depth_unit_m)
    writer = chosen.writer(root, WriteOptions(color, depth_unit_m))
    _claim(root, overwrite)
    if not _write_all(writer, frames, color):
        raise invalid_clip(f"no frame was given to write to {root}; give at least one.", root)
    writer.finish()
    return read_clip(root, format=format)


def _write_all(writer: Writer, frames: Iterable[Frame], color: ColorFormat) -> int:
    count = 0
    for frame in frames:
        if frame.rgb is None:
            raise InvalidInput(
                f"frame {count} has only latents, and a clip keeps colours; decode it first.",
                reason=Reason.INVALID_FRAME,
                field="rgb",
            )
        writer.add(frame, color_bytes(frame.rgb, color))
        count += 1
    return count


def _claim(root: Path, overwrite: bool) -> None:
    if root.exists() and not root.is_dir():
        raise invalid_clip(f"{root} should be a folder, but is a file; choose another place.", root)
    if not root.is_dir() or not any(root.iterdir()):
        return
    if not overwrite:
        raise AlreadyExists(f"{root} is not empty; choose another folder, or pass overwrite=True.", path=str(root))
    for name in (name for known in _FORMATS for name in known.index_files):
        remove_file(root / name)


def _named(name: str) -> Format:
    known = {candidate.name: candidate for candidate in _FORMATS}
    if name not in known:
        raise InvalidInput(f"format must be one of {', '.join(known)}, got {name!r}.", field="format")
    return known[name]


def _detected(path: Path) -> Format:
    matches = [candidate for candidate in _FORMATS if candidate.find(path) is not None]
    if not matches:
        raise _not_found(path, _FORMATS)
    if len(matches) > 1:
        names = " and ".join(match.name for match in matches)
        raise invalid_clip(f"{path} is a clip of {names} at once; say which with format={matches[0].name!r}.", path)
    return matches[0]


def _not_found(path: Path, wanted: Sequence[Format]) -> InvalidInput:
    known = "; ".join(f"{candidate.name} by {candidate.files}" for candidate in wanted)
    return invalid_clip(f"no clip was found at {path}: a clip is told as {known}. Found {_inventory(path)}.", path)


def _inventory(path: Path) -> str:
    if not path.is_dir():
        return "a file" if path.is_file() else "nothing there; check the path"
    names = sorted(entry.name + "/" * entry.is_dir() for entry in path.iterdir())
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{', '.join(names[:8])}{more}; point at the folder that holds these files" if names else "an empty folder"


def _check_seconds(name: str, value: float) -> None:
    if not 0 <= value < math.inf:
        raise InvalidInput(f"{name} must be a finite number of seconds of at least 0, got {value}.", field=name)


def _check_unit(depth_unit_m: float | None) -> None:
    if depth_unit_m is not None and not 0 < depth_unit_m < math.inf:
        raise InvalidInput(
            f"depth_unit_m must be a positive number of metres, got {depth_unit_m}.", field="depth_unit_m"
        )
