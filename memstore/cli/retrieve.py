"""`memstore retrieve`: what a camera sees of a world, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from memstore.cli.output import AsJson, answer, two_columns
from memstore.cli.place import DEFAULT_PLACE, Place, WorldName, open_place, world_of
from memstore.cli.spread import spread
from memstore.cli.viewpoint import ViewOptions
from memstore.mosaic import Mosaic
from memstore.query import Query, Ranking


@spread
def retrieve(
    world: WorldName,
    view: ViewOptions,
    db: Place = DEFAULT_PLACE,
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write.")] = Path("memory.png"),
    plain: Annotated[bool, typer.Option("--plain", help="Write the memory alone, without its coverage.")] = False,
    ranking: Annotated[Ranking, typer.Option(help="Which of several memories of one place to show.")] = "newest",
    per_token: Annotated[int, typer.Option(help="Patches kept for each token of the picture.")] = 4,
    budget: Annotated[int | None, typer.Option(help="Patches kept in all; no limit by default.")] = None,
    max_frames: Annotated[int, typer.Option(help="With --ranking frames: source frames to draw on.")] = 5,
    as_of: Annotated[int | None, typer.Option(help="See the world as it stood at this frame.")] = None,
    as_of_s: Annotated[float | None, typer.Option(help="The same by the frames' time labels, seconds.")] = None,
    before: Annotated[int | None, typer.Option(help="Use only frames before this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Draw what a camera sees of a world.

    Beside it stands how much of it is known.

    \b
    Examples:
      memstore retrieve museum --at-frame 12 --out view.png
      memstore retrieve museum@night --camera here.json
    """
    query = Query(
        ranking=ranking,
        per_token=per_token,
        budget=budget,
        max_frames=max_frames,
        as_of=as_of,
        as_of_s=as_of_s,
        before=before,
    )
    with open_place(db, read_only=True) as database:
        place = world_of(database, world)
        mosaic = place.retrieve(view.required(place), query)
    _draw(mosaic, world, out, plain=plain)
    source_frames = np.unique(mosaic.sources.ordinal).tolist()
    value = {
        "world": world,
        "commit": mosaic.commit,
        "patches": len(mosaic),
        "source_frames": source_frames,
        "coverage_mean": mosaic.coverage_mean,
        "picture": str(out),
    }
    words = {
        "patches": f"{len(mosaic):,} of {len(source_frames)} frames",
        "covered": f"{mosaic.coverage_mean:.0%} of the picture",
        "picture": out,
    }
    answer(value, two_columns(f"{world} at {mosaic.commit[:10]}", words), as_json=as_json)


def _draw(mosaic: Mosaic, world: str, out: Path, *, plain: bool) -> None:
    from memstore.drawing.ramp import COVERAGE_RAMP, HOLE_COLOR, coverage_map
    from memstore.drawing.sheet import Column, Row, contact_sheet, write_png

    image = mosaic.image(holes=HOLE_COLOR)
    if plain:
        write_png(out, image)
        return
    coverage = coverage_map(mosaic.coverage, mosaic.camera.width, mosaic.camera.height)
    x, y, z = mosaic.camera.center
    caption = f"from ({x:.2f}, {y:.2f}, {z:.2f}) m, {len(mosaic):,} patches, {mosaic.coverage_mean:.0%} covered"
    columns = [Column("memory"), Column("coverage", COVERAGE_RAMP)]
    write_png(out, contact_sheet(world, columns, [Row(caption, (image, coverage))]))
