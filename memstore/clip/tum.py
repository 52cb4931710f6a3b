"""TUM RGB-D: rgb.txt, depth.txt and groundtruth.txt, told together by time.

- Each colour picture takes the depth map nearest in time, if that map's nearest picture is this one and they lie within
  `max_depth_difference_s`. Its camera is interpolated between the two measured ones around it (straight line for the
  place, slerp for the turn), if the nearer of them lies within `max_pose_difference_s`. Pictures without either are
  left out and counted in `Clip.skipped`.
- A trajectory line is `timestamp tx ty tz qx qy qz qw`, camera_to_world with our axes. Depth is 5000 steps a metre.
- The format has no intrinsics. They come from the argument; else from calibration.txt or intrinsics.txt beside it
  (`fx fy cx cy` or `fx fy cx cy width height`, in TUM's integer pixel centres: half a pixel is added to cx and cy);
  else, if the folder is called freiburg1, 2 or 3, from the published calibration.
- memstore writes masks into mask.txt and mask/, captions and metadata into memstore.jsonl; other readers pass over
  them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from memstore import convention
from memstore.camera import Camera
from memstore.clip.depth import DepthUnit, depth_steps
from memstore.clip.format import Format, ReadOptions, WriteOptions
from memstore.clip.image import gray_bytes, mask_bytes
from memstore.clip.labels import FILE_NAME, label_json, read_labels
from memstore.clip.sequence import Clip, Label, Lens, Shot
from memstore.clip.text import invalid_clip, read_lines, write_file, write_index
from memstore.clip.trajectory import Trajectory, mutually_nearest, nearest
from memstore.errors import InvalidInput, Reason
from memstore.frame import Frame

_UNIT_M = 1 / 5000
_LISTS = ("rgb.txt", "depth.txt", "groundtruth.txt")
_CALIBRATIONS = ("calibration.txt", "intrinsics.txt")
_PUBLISHED = {
    "1": (517.306408, 516.469215, 318.643040, 255.313989),
    "2": (520.908620, 521.007327, 325.141442, 249.701764),
    "3": (535.4, 539.2, 320.1, 247.6),
}
"""fx fy cx cy of the three Freiburg cameras as the benchmark publishes them, 640x480, integer pixel centres."""
_FAR_ADVICE = "TUM's unit is fixed: write the clip as nerfstudio or colmap, or mark what is farther as sky (+inf)"


@dataclass(frozen=True, eq=False)
class _Listing:
    """A list of files by time, in order of time."""

    times_s: Float64[np.ndarray, "n"]
    """When each was taken."""
    files: tuple[str, ...]
    """Their names, relative to the clip."""


def _find(path: Path) -> Path | None:
    return path if all(isfile(path / name) for name in _LISTS) else None


def _read(path: Path, root: Path, options: ReadOptions) -> Clip:
    colors, depths, trajectory = _listing(root / "rgb.txt"), _listing(root / "depth.txt"), _trajectory(root)
    depth_of, paired = mutually_nearest(colors.times_s, depths.times_s, options.max_depth_difference_s)
    distance_s = np.abs(trajectory.times_s[nearest(colors.times_s, trajectory.times_s)] - colors.times_s)
    chosen = np.flatnonzero(paired & (distance_s <= options.max_pose_difference_s))
    if not len(chosen):
        raise invalid_clip(
            f"no picture of {root} has both a depth map within {options.max_depth_difference_s:g} s and a camera "
            f"within {options.max_pose_difference_s:g} s: {len(colors.files)} pictures, {int(paired.sum())} with "
            f"depth, nearest camera {distance_s.min(initial=np.inf):.3g} s away; pass larger differences, or mend the "
            "clocks.",
            root,
        )
    lens, notes = _lens(root, options.intrinsics)
    masks, labels = _masks(root), read_labels(root)
    shots = tuple(
        Shot(
            color=(root / colors.files[i],),
            depth=(root / depths.files[depth_of[i]],),
            lens=lens,
            camera_to_world=matrix,
            mask=masks.get(float(colors.times_s[i]), ()),
            mask_required=True,
            unit=DepthUnit(options.depth_unit_m or _UNIT_M),
            label=_label(labels.get(colors.files[i]), float(colors.times_s[i])),
        )
        for i, matrix in zip(chosen, trajectory.at(colors.times_s[chosen]), strict=True)
    )
    return Clip(path, FORMAT.name, shots, len(colors.files) - len(shots), notes)


def _label(beside: Label | None, time_s: float) -> Label:
    return Label(time_s) if beside is None else Label(time_s, beside.caption, beside.metadata)


def _listing(path: Path) -> _Listing:
    found: list[tuple[float, str]] = []
    for line in read_lines(path):
        words = line.text.split(maxsplit=1)
        if not words:
            continue
        if len(words) != 2:
            raise line.wrong("timestamp filename")
        found.append((line.numbers(words[:1], "timestamp filename")[0], words[1]))
    found.sort()
    return _Listing(np.array([time_s for time_s, _ in found], np.float64), tuple(name for _, name in found))


def _trajectory(root: Path) -> Trajectory:
    meaning = "timestamp tx ty tz qx qy qz qw"
    rows: list[list[float]] = []
    for line in read_lines(root / _LISTS[2]):
        words = line.text.replace(",", " ").split()
        if not words:
            continue
        row = line.numbers(words, meaning)
        if len(row) != 8 or not any(row[4:]):
            raise line.wrong(meaning)
        rows.append(row)
    if not rows:
        raise invalid_clip(f"{root / _LISTS[2]} should hold lines `{meaning}`, found none.", root / _LISTS[2])
    table = np.array(rows, np.float64)
    times_s, first = np.unique(table[:, 0], return_index=True)
    quaternions = np.roll(table[first, 4:], 1, axis=1)
    return Trajectory(times_s, table[first, 1:4], quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True))


def _masks(root: Path) -> dict[float, tuple[Path, ...]]:
    if not (root / "mask.txt").is_file():
        return {}
    listing = _listing(root / "mask.txt")
    return {float(time_s): (root / name,) for time_s, name in zip(listing.times_s, listing.files, strict=True)}


def _lens(root: Path, given: Camera | None) -> tuple[Lens, tuple[str, ...]]:
    if given is not None:
        return Lens(given.fx, given.fy, given.cx, given.cy, given.width, given.height), ()
    for name in _CALIBRATIONS:
        if (root / name).is_file():
            return _calibrated(root / name), ()
    camera = re.search(r"freiburg([123])", root.resolve().name)
    if camera is None:
        raise invalid_clip(
            f"TUM RGB-D has no intrinsics, and {root} has none beside it: no calibration.txt, no intrinsics.txt, and "
            "its name holds no freiburg1, 2 or 3; write `fx fy cx cy` into calibration.txt, or pass "
            "intrinsics=Camera(...).",
            root,
        )
    note = f"intrinsics are those published for freiburg{camera[1]}"
    return _integer_centered(_PUBLISHED[camera[1]], 640, 480), (
        note if camera[1] == "3" else f"{note}, whose lens distortion is left in the pictures",
    )


def _calibrated(path: Path) -> Lens:
    line = next((line for line in read_lines(path) if line.text), None)
    if line is None:
        raise invalid_clip(f"{path} should hold a line `fx fy cx cy [width height]`, found none.", path)
    meaning = "fx fy cx cy [width height]"
    values = line.numbers(line.text.split(), meaning)
    if len(values) not in (4, 6) or not all(size.is_integer() for size in values[4:]):
        raise line.wrong(meaning)
    return _integer_centered(values[:4], *map(int, values[4:]))


def _integer_centered(values: Sequence[float], width: int | None = None, height: int | None = None) -> Lens:
    fx, fy, cx, cy = values
    return Lens(fx, fy, *convention.from_integer_centers(cx, cy), width, height)


class _Writer:
    """Writes rgb/, depth/, mask/, and at last the lists, groundtruth.txt as the very last."""

    def __init__(self, root: Path, options: WriteOptions) -> None:
        if options.depth_unit_m not in (None, _UNIT_M):
            raise InvalidInput(
                f"depth_unit_m={options.depth_unit_m:g} was asked, but TUM RGB-D has 5000 steps a metre and no place "
                "to say otherwise; leave it out, or write the clip as nerfstudio.",
                reason=Reason.INVALID_CLIP,
                field="depth_unit_m",
            )
        self._root = root
        self._color = options.color
        self._lines: dict[str, list[str]] = {name: [] for name in (*_LISTS, "mask.txt", FILE_NAME)}
        self._camera: Camera | None = None
        self._time_s = -np.inf

    def add(self, frame: Frame, rgb: bytes) -> None:
        self._check(frame)
        number, time = len(self._lines["rgb.txt"]), repr(float(frame.time_s))
        files = {"rgb.txt": f"rgb/{number:06d}.{self._color}", "depth.txt": f"depth/{number:06d}.png"}
        steps, label = (
            depth_steps(frame.depth_m, _UNIT_M, advice=_FAR_ADVICE),
            label_json(frame, color=files["rgb.txt"]),
        )
        write_file(self._root / files["rgb.txt"], rgb)
        write_file(self._root / files["depth.txt"], gray_bytes(steps))
        if frame.moving is not None:
            files["mask.txt"] = f"mask/{number:06d}.png"
            write_file(self._root / files["mask.txt"], mask_bytes(frame.moving))
        for name, file in files.items():
            self._lines[name].append(f"{time} {file}")
        place, quaternion = convention.to_tum(frame.camera.camera_to_world)
        self._lines["groundtruth.txt"].append(" ".join([time, *map(repr, [*place.tolist(), *quaternion.tolist()])]))
        self._lines[FILE_NAME].append(label)

    def finish(self) -> None:
        assert self._camera is not None
        c = self._camera
        center = convention.to_integer_centers(c.cx, c.cy)
        head = "# fx fy cx cy width height, centre of the top-left pixel at (0, 0)\n"
        write_index(
            self._root / _CALIBRATIONS[0], head + f"{' '.join(map(repr, (c.fx, c.fy, *center)))} {c.width} {c.height}\n"
        )
        for name in (FILE_NAME, "mask.txt", *_LISTS):
            if self._lines[name]:
                write_index(self._root / name, "\n".join(self._lines[name]) + "\n")

    def _check(self, frame: Frame) -> None:
        first = self._camera or frame.camera
        if first.at(np.eye(4)) != frame.camera.at(np.eye(4)):
            raise InvalidInput(
                f"TUM RGB-D has one set of intrinsics, but the clip has {first} and {frame.camera}; write it as "
                "nerfstudio or colmap.",
                reason=Reason.INVALID_CLIP,
            )
        if not frame.time_s > self._time_s:
            raise InvalidInput(
                f"TUM RGB-D tells frames by time, but time_s {frame.time_s} follows {self._time_s}; give the frames "
                "increasing times, or write the clip as nerfstudio or colmap.",
                reason=Reason.INVALID_CLIP,
                field="time_s",
            )
        self._camera, self._time_s = first, frame.time_s


FORMAT = Format(
    name="tum",
    files="groundtruth.txt, rgb.txt and depth.txt",
    index_files=(*_LISTS, "mask.txt", FILE_NAME),
    find=_find,
    read=_read,
    writer=_Writer,
)
