"""Cameras in files: JSON or .npz with fx, fy, cx, cy, width, height and camera_to_world (4x4, OpenCV axes, metres).

What `--json` prints with a `camera` in it, such as `memstore select --json`, is such a file too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import numpy as np

from memstore.camera import Camera
from memstore.errors import InvalidInput, NotFound, Reason

FIELDS = tuple(field.name for field in fields(Camera))


def read_camera(path: Path) -> Camera:
    """Returns the camera in a file.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is neither JSON nor .npz, or lacks a field of a camera.
    """
    if not path.is_file():
        raise NotFound(f"there is no camera file {path}; give JSON or .npz with {', '.join(FIELDS)}.")
    values = _read_npz(path) if path.suffix == ".npz" else _read_json(path)
    if missing := [name for name in FIELDS if name not in values]:
        raise InvalidInput(
            f"{path} lacks {', '.join(missing)}; a camera is {', '.join(FIELDS)}.", reason=Reason.INVALID_CAMERA
        )
    try:
        numbers = {name: float(np.asarray(values[name])) for name in FIELDS[:4]}
        width, height = (int(np.asarray(values[name])) for name in FIELDS[4:6])
        return Camera(**numbers, width=width, height=height, camera_to_world=np.array(values[FIELDS[6]], np.float64))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{path} holds no usable camera: {error}", reason=Reason.INVALID_CAMERA) from error


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON: {error}.", reason=Reason.INVALID_CAMERA) from error
    if not isinstance(value, dict):
        raise InvalidInput(f"{path} should hold one JSON object, found a {type(value).__name__}.")
    found = cast("Mapping[str, Any]", value)
    inner = found.get("camera")
    return cast("Mapping[str, Any]", inner) if isinstance(inner, dict) else found


def _read_npz(path: Path) -> Mapping[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError) as error:
        raise InvalidInput(f"{path} is no .npz file: {error}.", reason=Reason.INVALID_CAMERA) from error
