"""nerfstudio's transforms.json, as instant-ngp and Blender's NeRF exports have it too.

- `transform_matrix` is camera_to_world with OpenGL axes. The world stays as the file has it: an `applied_transform` has
  already turned it (often so that +Z is up) and is not taken back, and an `applied_scale` is applied to depth as well,
  so that pictures and cameras agree. `Clip.notes` says when a file has either.
- Intrinsics stand at the top or in each frame: fl_x fl_y cx cy w h, or camera_angle_x. Distortion must be 0.
- `file_path` may lack its extension. Frames keep the order of the file.
- `depth_file_path`: 16-bit PNG or TIFF, float TIFF or .npy; as in nerfstudio every number is multiplied by
  `depth_unit_scale_factor`, 0.001 if the file does not say. 65535 in 16 bits is sky, 0 unmeasured.
- `mask_path`: black is left out, which is our `moving`.
- `time` is seconds; `caption` and `metadata` are our own keys, which other readers pass over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from memstore import convention
from memstore.camera import Camera
from memstore.clip.depth import MILLIMETRE_M, DepthUnit, depth_steps
from memstore.clip.format import Format, ReadOptions, WriteOptions
from memstore.clip.image import gray_bytes, mask_bytes
from memstore.clip.labels import label_from_json, label_json
from memstore.clip.sequence import Clip, Lens, Shot
from memstore.clip.text import invalid_clip, read_text, write_file, write_index
from memstore.errors import InvalidInput
from memstore.frame import Frame
from memstore.transform import check_rotation

_INDEX = "transforms.json"
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
_PINHOLES = ("PINHOLE", "SIMPLE_PINHOLE", "PERSPECTIVE", "OPENCV", "SIMPLE_RADIAL", "RADIAL", "FULL_OPENCV")
"""Camera models that are a pinhole once their distortion is 0."""
_DISTORTION = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
_LARGER_UNIT = "pass depth_unit_m={unit:g} or more, or mark what is farther as sky (+inf)"


@dataclass(frozen=True)
class _Entry:
    """One JSON object of the file, with the values that all frames share behind it."""

    index: Path
    """The file."""
    where: str
    """Which object, for messages."""
    own: Mapping[str, Any]
    """What the object says."""
    shared: Mapping[str, Any]
    """What stands at the top of the file."""

    def get(self, name: str) -> Any:
        return self.own.get(name, self.shared.get(name))

    def number(self, name: str) -> float | None:
        """Returns a number, `None` if it is not there."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(name, "a finite number")
        return float(value)

    def whole(self, name: str) -> int | None:
        """Returns a whole number, `None` if it is not there."""
        value = self.number(name)
        if value is not None and not value.is_integer():
            raise self.wrong(name, "a whole number")
        return None if value is None else int(value)

    def file(self, name: str, advice: str) -> str:
        """Returns the path of a file that the frame needs."""
        value = self.own.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, f"the path of a file ({advice})")
        return value

    def wrong(self, name: str, wanted: str) -> InvalidInput:
        """Returns the error that a value is not what was `wanted`."""
        return invalid_clip(
            f"{self.where} of {self.index} needs `{name}`: {wanted}, found {self.get(name)!r:.120}; mend the file.",
            self.index,
        )


def _find(path: Path) -> Path | None:
    index = path if path.suffix == ".json" else path / _INDEX
    return index if isfile(index) else None


def _read(path: Path, index: Path, options: ReadOptions) -> Clip:
    shared = _parsed(index)
    shots = tuple(_shot(entry, options.depth_unit_m) for entry in _entries(index, shared))
    applied = [name for name in ("applied_transform", "applied_scale") if name in shared]
    notes = tuple(f"{name} of {index.name} is kept: coordinates are those of the file" for name in applied)
    return Clip(path, FORMAT.name, shots, notes=notes)


def _parsed(index: Path) -> Mapping[str, Any]:
    try:
        parsed = json.loads(read_text(index))
    except (json.JSONDecodeError, RecursionError) as error:
        raise invalid_clip(f"{index} should be JSON, but is not: {error}; write it again.", index) from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("frames"), list):
        raise invalid_clip(
            f"{index} should be an object with a list `frames`, found none; is it a transforms.json?", index
        )
    return parsed


def _entries(index: Path, shared: Mapping[str, Any]) -> Iterator[_Entry]:
    for number, own in enumerate(shared["frames"]):
        if not isinstance(own, dict):
            raise invalid_clip(
                f"frames[{number}] of {index} should be an object, found {own!r:.80}; mend the file.", index
            )
        yield _Entry(index, f"frames[{number}]", own, shared)


def _shot(entry: _Entry, depth_unit_m: float | None) -> Shot:
    root = entry.index.parent
    color = entry.file("file_path", "the colours")
    depth = entry.file("depth_file_path", "memory needs depth: estimate it if it was not measured")
    masked = entry.own.get("mask_path") is not None
    return Shot(
        color=_with_extension(root, color),
        depth=_with_extension(root, depth),
        lens=_lens(entry),
        camera_to_world=_camera_to_world(entry),
        mask=_with_extension(root, entry.file("mask_path", "white is used, black is not")) if masked else (),
        mask_required=masked,
        unit=_unit(entry, depth_unit_m),
        label=label_from_json(entry.own, entry.index),
    )


def _with_extension(root: Path, name: str) -> tuple[Path, ...]:
    path = root / name
    return (path,) if path.suffix else (path, *(path.with_name(path.name + suffix) for suffix in _PICTURES))


def _unit(entry: _Entry, depth_unit_m: float | None) -> DepthUnit:
    unit_m = depth_unit_m or entry.number("depth_unit_scale_factor") or MILLIMETRE_M
    scaled = unit_m * (entry.number("applied_scale") or 1.0)
    return DepthUnit(scaled, scaled)


def _lens(entry: _Entry) -> Lens:
    _require_pinhole(entry)
    lens = Lens(
        fx=entry.number("fl_x"),
        fy=entry.number("fl_y"),
        cx=entry.number("cx"),
        cy=entry.number("cy"),
        width=entry.whole("w"),
        height=entry.whole("h"),
        fov_x=entry.number("camera_angle_x"),
        fov_y=entry.number("camera_angle_y"),
    )
    if lens.fx is None and not lens.fov_x:
        raise entry.wrong("fl_x", "the focal length in pixels, or `camera_angle_x` in radians")
    return lens


def _require_pinhole(entry: _Entry) -> None:
    model = entry.get("camera_model") or "PINHOLE"
    bent = [name for name in _DISTORTION if entry.number(name)]
    if model not in _PINHOLES or bent or entry.get("is_fisheye"):
        raise invalid_clip(
            f"{entry.where} of {entry.index} should be a pinhole camera without distortion, found {model} with "
            f"{', '.join(f'{name}={entry.get(name)}' for name in bent) or 'a fisheye lens'}; undistort the pictures "
            "and their depth first (COLMAP's image_undistorter, OpenCV's undistort).",
            entry.index,
        )


def _camera_to_world(entry: _Entry) -> Float64[np.ndarray, "4 4"]:
    try:
        matrix = convention.from_nerfstudio(np.array(entry.own.get("transform_matrix"), np.float64))
        check_rotation(matrix[:3, :3], "its rotation")
    except (ValueError, TypeError) as error:
        raise entry.wrong("transform_matrix", f"camera_to_world as a 4x4 matrix without scale ({error})") from error
    return matrix


class _Writer:
    """Writes images/, depths/, masks/, and at last transforms.json."""

    def __init__(self, root: Path, options: WriteOptions) -> None:
        self._root = root
        self._options = options
        self._unit_m = options.depth_unit_m or MILLIMETRE_M
        self._entries: list[str] = []

    def add(self, frame: Frame, rgb: bytes) -> None:
        name = f"{len(self._entries):06d}"
        steps = depth_steps(frame.depth_m, self._unit_m, advice=_LARGER_UNIT)
        entry: dict[str, Any] = {
            "file_path": f"images/{name}.{self._options.color}",
            "depth_file_path": f"depths/{name}.png",
            **({} if frame.moving is None else {"mask_path": f"masks/{name}.png"}),
            **_lens_json(frame.camera),
            "transform_matrix": convention.to_nerfstudio(frame.camera.camera_to_world).tolist(),
        }
        line = label_json(frame, **entry)
        write_file(self._root / entry["file_path"], rgb)
        write_file(self._root / entry["depth_file_path"], gray_bytes(steps))
        if frame.moving is not None:
            write_file(self._root / entry["mask_path"], mask_bytes(frame.moving))
        self._entries.append(line)

    def finish(self) -> None:
        head = {"camera_model": "PINHOLE", "depth_unit_scale_factor": self._unit_m}
        body = ",\n".join(self._entries)
        write_index(self._root / _INDEX, f'{json.dumps(head)[:-1]}, "frames": [\n{body}\n]}}\n')


def _lens_json(camera: Camera) -> dict[str, float]:
    return {
        "fl_x": camera.fx,
        "fl_y": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        "w": camera.width,
        "h": camera.height,
    }


FORMAT = Format(
    name="nerfstudio",
    files=_INDEX,
    index_files=(_INDEX,),
    find=_find,
    read=_read,
    writer=_Writer,
)
