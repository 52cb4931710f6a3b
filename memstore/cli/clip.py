"""`memstore clip`: rendering, converting and looking at clips."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from memstore.cli.output import AsJson, answer, counted, note, two_columns
from memstore.clip import Clip, read_clip, write_clip
from memstore.errors import InvalidInput
from memstore.frame import Frame

app = typer.Typer(help="Render, convert and look at clips of posed RGB-D pictures.", no_args_is_help=True)

FormatName = Literal["nerfstudio", "tum", "colmap"]
Format = Annotated[
    FormatName | None, typer.Option("--format", help="Which format the clip has; told by its files by default.")
]
To = Annotated[FormatName, typer.Option("--to", help="Format to write.")]
Color = Annotated[Literal["png", "webp", "jpg"], typer.Option(help="How colours are kept; jpg is not exact.")]
DepthUnit = Annotated[
    float | None,
    typer.Option(min=1e-6, metavar="METRES", help="One step of 16-bit depth; the default of the format if left out."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")]
Output = Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")]


@dataclass(frozen=True)
class Looked:
    """What a clip holds."""

    clip: str
    """Where it lies."""
    format: str
    """Its format."""
    frames: int
    """Number of frames."""
    skipped: int
    """Pictures without a depth or a camera."""
    width: int
    """Width of the first frame, pixels."""
    height: int
    """Height of the first frame, pixels."""
    duration_s: float
    """Time from the first frame to the last, seconds."""
    path_m: float
    """How far the camera goes, metres."""
    depth_median_m: float | None
    """Median of what was measured, metres; `None` when nothing was."""
    measured: float
    """Share of pixels with a measured depth."""
    sky: float
    """Share of pixels that are sky."""
    moving: float
    """Share of pixels that move."""


@app.command()
def doom(
    out: Output,
    map: Annotated[str, typer.Option(help="Name of the map, such as MAP01 or E1M1.")] = "MAP01",
    wad: Annotated[str, typer.Option(help="freedoom1.wad, freedoom2.wad, or a path.")] = "freedoom2.wad",
    frames: Annotated[int, typer.Option(min=1, help="Number of frames.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the way and the creatures.")] = 1,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the pictures, pixels.")] = "256x160",
    samples: Annotated[int, typer.Option(min=1, help="Screen pixels along a side of a pixel, at least.")] = 2,
    tics_per_frame: Annotated[int, typer.Option(min=1, help="Game tics of 1/35 s from frame to frame.")] = 3,
    monsters: Annotated[Literal["none", "idle", "hunting"], typer.Option(help="What the creatures do.")] = "hunting",
    summon_every: Annotated[
        int | None, typer.Option(min=1, metavar="TICS", help="Summon a creature more every so often.")
    ] = None,
    to: To = "nerfstudio",
    color: Color = "webp",
    depth_unit: DepthUnit = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Film a walk through a map of Freedoom: colours, exact depth, cameras, and what moves.

    \b
    Example:
      memstore clip doom walk/ --map MAP07 --frames 300
    """
    from memstore.doom import render_walk

    width, height = _size(size)
    walk = render_walk(
        map,
        wad,
        frames=frames,
        seed=seed,
        width=width,
        height=height,
        samples=samples,
        tics_per_frame=tics_per_frame,
        monsters=monsters,
        summon_every=summon_every,
    )
    _write(out, counted(walk, f"filming {map}", frames), to, color, depth_unit, overwrite=overwrite, as_json=as_json)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="CLIP", help="Folder of the clip.")],
    out: Output,
    format: Format = None,
    to: To = "nerfstudio",
    color: Color = "png",
    depth_unit: DepthUnit = None,
    start: Annotated[int, typer.Option(min=0, help="First frame to take.")] = 0,
    stop: Annotated[int | None, typer.Option(min=0, help="The frame to stop before.")] = None,
    step: Annotated[int, typer.Option(min=1, help="Take every so many frames.")] = 1,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
) -> None:
    """Write a clip in another format, or a part of it.

    \b
    Example:
      memstore clip convert rgbd_dataset_freiburg1_desk/ desk/ --to nerfstudio
    """
    clip = open_clip(source, format)[start:stop:step]
    frames = counted(clip, f"converting {source.name}", len(clip))
    _write(out, frames, to, color, depth_unit, overwrite=overwrite, as_json=as_json)


@app.command()
def show(
    source: Annotated[Path, typer.Argument(metavar="CLIP", help="Folder of the clip.")],
    format: Format = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Draw some of its frames into a PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a clip holds, and draw some of its frames."""
    clip = open_clip(source, format)
    if out is not None:
        _draw(clip, out)
    _answer(clip, as_json=as_json)


def open_clip(path: Path, format: FormatName | None) -> Clip:
    """Opens a clip and tells the person what is special about it."""
    clip = read_clip(path, format=format)
    for words in clip.notes:
        note(words)
    if clip.skipped:
        note(f"{clip.skipped} pictures of {path} have no depth or camera near in time and are left out.")
    return clip


def _write(
    out: Path,
    frames: Iterable[Frame],
    to: FormatName,
    color: Literal["png", "webp", "jpg"],
    depth_unit_m: float | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    clip = write_clip(out, frames, format=to, color=color, depth_unit_m=depth_unit_m, overwrite=overwrite)
    _answer(clip, as_json=as_json)


def _answer(clip: Clip, *, as_json: bool) -> None:
    found = _looked(clip)
    skipped = f", {found.skipped} skipped" if found.skipped else ""
    depth = "nothing measured" if found.depth_median_m is None else f"{found.depth_median_m:.2f} m in the median"
    facts = {
        "frames": f"{found.frames:,} of {found.width}x{found.height} ({found.format}{skipped})",
        "time": f"{found.duration_s:.1f} s",
        "way": f"{found.path_m:.1f} m",
        "depth": depth,
        "pixels": f"{found.measured:.1%} measured, {found.sky:.1%} sky, {found.moving:.1%} moving",
    }
    answer(found, two_columns(found.clip, facts), as_json=as_json)


def _looked(clip: Clip) -> Looked:
    times, centers, depths, shares = [], [], [], []
    first = clip[0]
    for frame in counted(clip, f"looking at {clip.path.name}", len(clip)):
        times.append(frame.time_s)
        centers.append(frame.camera.center)
        depths.append(frame.depth_m[frame.measured][::16])
        moving = 0.0 if frame.moving is None else frame.moving.mean()
        shares.append((frame.measured.mean(), frame.sky.mean(), moving))
    measured, sky, moving = np.mean(shares, axis=0).tolist()
    samples = np.concatenate(depths)
    return Looked(
        clip=str(clip.path),
        format=clip.format,
        frames=len(clip),
        skipped=clip.skipped,
        width=first.camera.width,
        height=first.camera.height,
        duration_s=float(times[-1] - times[0]),
        path_m=float(np.linalg.norm(np.diff(centers, axis=0), axis=1).sum()) if len(centers) > 1 else 0.0,
        depth_median_m=float(np.median(samples)) if len(samples) else None,
        measured=measured,
        sky=sky,
        moving=moving,
    )


def _draw(clip: Clip, out: Path, count: int = 6) -> None:
    from memstore.drawing.ramp import DEPTH_RAMP, depth_map, mask_map
    from memstore.drawing.sheet import Column, Row, contact_sheet, write_png

    rows: list[Row] = []
    for i in sorted({round(place) for place in np.linspace(0, len(clip) - 1, count)}):
        frame = clip[i]
        assert frame.rgb is not None  # clips keep colours
        moving = np.zeros_like(frame.sky) if frame.moving is None else frame.moving
        panels = (frame.rgb, depth_map(frame.depth_m), mask_map(moving))
        rows.append(Row(f"frame {i}, {frame.time_s:.2f} s", panels))
    columns = [Column("colour"), Column("depth", DEPTH_RAMP), Column("moving")]
    write_png(out, contact_sheet(clip.path.name, columns, rows))


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise InvalidInput(f"--size must be WIDTHxHEIGHT, such as 256x160, got {text!r}.", field="size")
    return int(found[1]), int(found[2])
