"""COLMAP's text model: cameras.txt and images.txt, with depth maps beside it.

- The model lies in the folder itself, in sparse/ or in sparse/0/; the pictures in images/ or in the folder itself.
- images.txt has two lines a picture: `IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME` (world_to_camera; names may hold
  blanks), then its points, which may be an empty line. Frames come in order of their names, numbers in them by value.
- Cameras: SIMPLE_PINHOLE and PINHOLE, and models with distortion if all of it is 0.
- Depth lies in stereo/depth_maps/, else in depth/ or depths/, under the name of the picture: COLMAP's dense .bin
  (geometric before photometric), 16-bit PNG in millimetres, .npy or TIFF in the unit of the model. COLMAP's own scale
  is arbitrary unless the model was aligned: depth and cameras must share it.
- Masks lie in masks/, as COLMAP takes them: NAME.png, black is left out. Times, captions and metadata lie in
  memstore.jsonl.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import isdir, isfile, splitext
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from memstore import convention
from memstore.clip.depth import MILLIMETRE_M, DepthUnit, dense_bytes
from memstore.clip.format import Format, ReadOptions, WriteOptions
from memstore.clip.image import mask_bytes
from memstore.clip.labels import FILE_NAME, label_json, read_labels
from memstore.clip.sequence import Clip, Label, Lens, Shot
from memstore.clip.text import Line, invalid_clip, read_lines, remove_file, write_file, write_index
from memstore.errors import InvalidInput, Reason
from memstore.frame import Frame

_MODELS = {
    "SIMPLE_PINHOLE": 1,
    "PINHOLE": 2,
    "SIMPLE_RADIAL": 1,
    "RADIAL": 1,
    "OPENCV": 2,
    "FULL_OPENCV": 2,
}
"""How many focal lengths a camera model begins with; cx cy and then distortion follow."""
_DEPTH_FOLDERS = ("stereo/depth_maps", "depth", "depths")
_DEPTH_ENDS = (".geometric.bin", ".photometric.bin", ".png", ".npy", ".tiff", ".tif")


@dataclass(frozen=True, eq=False)
class _Picture:
    """One picture of images.txt."""

    name: str
    """Its path in the folder of pictures."""
    camera: str
    """Id of its camera."""
    camera_to_world: Float64[np.ndarray, "4 4"]
    """world <- camera."""
    line: Line
    """Where it stands."""


def _find(path: Path) -> Path | None:
    places = (path, path / "sparse", path / "sparse" / "0")
    return next((p for p in places if all(isfile(p / name) for name in ("cameras.txt", "images.txt"))), None)


def _read(path: Path, model: Path, options: ReadOptions) -> Clip:
    lenses = dict(map(_lens, _content(model / "cameras.txt")))
    pictures = sorted(_pictures(model / "images.txt"), key=lambda picture: _natural(picture.name))
    labels = read_labels(path)
    depth_folders = _depth_folders(path)
    unit = DepthUnit(options.depth_unit_m or MILLIMETRE_M)
    shots = (_shot(path, picture, lenses, labels, depth_folders, unit) for picture in pictures)
    return Clip(path, FORMAT.name, tuple(shots))


def _shot(
    root: Path,
    picture: _Picture,
    lenses: Mapping[str, Lens],
    labels: Mapping[str, Label],
    depth_folders: Sequence[Path],
    unit: DepthUnit,
) -> Shot:
    if picture.camera not in lenses:
        raise picture.line.wrong(f"... CAMERA_ID NAME with a CAMERA_ID of cameras.txt ({', '.join(sorted(lenses))})")
    stems = _stems(picture.name)
    return Shot(
        color=(root / "images" / picture.name, root / picture.name),
        depth=tuple(folder / (stem + end) for folder in depth_folders for end in _DEPTH_ENDS for stem in stems),
        lens=lenses[picture.camera],
        camera_to_world=picture.camera_to_world,
        mask=_mask_places(root, picture.name),
        unit=unit,
        label=labels.get(picture.name, Label()),
    )


def _stems(name: str) -> tuple[str, str]:
    """Returns what the other files of a picture may be called after: its whole name, or its name without the end."""
    return name, splitext(name)[0]


def _mask_places(root: Path, name: str) -> tuple[Path, ...]:
    return tuple(root / "masks" / f"{stem}.png" for stem in _stems(name))


def _depth_folders(root: Path) -> Sequence[Path]:
    """Returns the folders of depth maps that are there."""
    found = [root / folder for folder in _DEPTH_FOLDERS if isdir(root / folder)]
    if not found:
        raise invalid_clip(
            f"a COLMAP clip needs depth maps, but {root} has none of {', '.join(_DEPTH_FOLDERS)}; run COLMAP's "
            "patch_match_stereo, or put your own maps into depth/ under the names of the pictures.",
            root,
        )
    return found


def _content(path: Path) -> Iterator[Line]:
    return (line for line in read_lines(path) if line.text)


def _lens(line: Line) -> tuple[str, Lens]:
    meaning = "CAMERA_ID MODEL WIDTH HEIGHT PARAMS[]"
    words = line.text.split()
    if len(words) < 4:
        raise line.wrong(meaning)
    name, model = words[:2]
    width, height, *parameters = line.numbers(words[2:], meaning)
    focals = _MODELS.get(model)
    if focals is None or any(parameters[focals + 2 :]):
        raise invalid_clip(
            f"camera {name} of {line.path} should be a pinhole without distortion, found {model} "
            f"{' '.join(words[4:])}; run COLMAP's image_undistorter first and use the model that it writes.",
            line.path,
        )
    if len(parameters) < focals + 2 or not (width.is_integer() and height.is_integer()):
        raise line.wrong(meaning)
    cx, cy = parameters[focals : focals + 2]
    return name, Lens(parameters[0], parameters[focals - 1], cx, cy, int(width), int(height))


def _pictures(path: Path) -> Iterator[_Picture]:
    lines = read_lines(path)
    for line in lines:
        if line.text:
            yield _picture(line)
            points = next(lines, None)
            if points is not None and len(points.text.split()) % 3:
                raise points.wrong("POINTS2D[] as X Y POINT3D_ID, or an empty line")


def _picture(line: Line) -> _Picture:
    meaning = "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME"
    words = line.text.split(maxsplit=9)
    if len(words) != 10:
        raise line.wrong(meaning)
    values = np.array(line.numbers(words[1:8], meaning))
    if not values[:4].any():
        raise line.wrong(f"{meaning} with a quaternion that is not zero")
    return _Picture(words[9], words[8], convention.from_colmap(values[:4], values[4:]), line)


def _natural(name: str) -> list[tuple[int, str]]:
    """Returns a key under which frame2 comes before frame10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)]


class _Writer:
    """Writes images/, stereo/depth_maps/ (COLMAP's own floats: no unit, no limit), masks/, and at last sparse/0/."""

    def __init__(self, root: Path, options: WriteOptions) -> None:
        if options.depth_unit_m is not None:
            raise InvalidInput(
                f"depth_unit_m={options.depth_unit_m:g} was asked, but COLMAP's depth maps are floats in metres; "
                "leave it out.",
                reason=Reason.INVALID_CLIP,
                field="depth_unit_m",
            )
        self._root = root
        self._color = options.color
        self._camera_ids: dict[str, int] = {}
        self._images: list[str] = []
        self._labels: list[str] = []

    def add(self, frame: Frame, rgb: bytes) -> None:
        name = f"{len(self._labels):06d}.{self._color}"
        self._labels.append(label_json(frame, color=name))
        write_file(self._root / "images" / name, rgb)
        write_file(self._root / "stereo" / "depth_maps" / f"{name}.geometric.bin", dense_bytes(frame.depth_m))
        places = _mask_places(self._root, name)
        for earlier in places:  # what lies there is taken for this picture's, whoever left it
            remove_file(earlier)
        if frame.moving is not None:
            write_file(places[0], mask_bytes(frame.moving))
        c = frame.camera
        model = f"PINHOLE {c.width} {c.height} {c.fx!r} {c.fy!r} {c.cx!r} {c.cy!r}"
        camera_id = self._camera_ids.setdefault(model, len(self._camera_ids) + 1)
        quaternion, translation = convention.to_colmap(c.camera_to_world)
        place = " ".join(map(repr, [*quaternion.tolist(), *translation.tolist()]))
        self._images.append(f"{len(self._labels)} {place} {camera_id} {name}\n\n")

    def finish(self) -> None:
        model = self._root / "sparse" / "0"
        write_index(self._root / FILE_NAME, "\n".join(self._labels) + "\n")
        write_index(model / "cameras.txt", "".join(f"{i} {text}\n" for text, i in self._camera_ids.items()))
        write_index(model / "points3D.txt", "# POINT3D_ID X Y Z R G B ERROR TRACK[] as (IMAGE_ID, POINT2D_IDX)\n")
        write_index(model / "images.txt", "".join(self._images))


FORMAT = Format(
    name="colmap",
    files="cameras.txt and images.txt, also in sparse/ or sparse/0/",
    index_files=tuple(
        f"{place}{name}" for place in ("", "sparse/", "sparse/0/") for name in ("images.txt", "cameras.txt")
    ),
    find=_find,
    read=_read,
    writer=_Writer,
)
