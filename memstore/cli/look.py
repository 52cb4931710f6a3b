"""`memstore layers | select | pick`: finding out what is where, before an edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from memstore.cli.output import answer, bounds_in_words, listing, two_columns, without
from memstore.cli.picture import draw
from memstore.cli.place import PlaceOptions, WorldName, open_place, world_of
from memstore.cli.selection import SelectionOptions
from memstore.cli.spread import spread
from memstore.cli.viewpoint import Pixel, ViewOptions, pixel_of
from memstore.edited import LayerSummary, Picked, SelectionReport
from memstore.transform import Transform


@spread
def layers(world: WorldName, place: PlaceOptions) -> None:
    """List the layers of a world."""
    with open_place(place.db, read_only=True) as database:
        found = world_of(database, world).layers()
    columns = "layer", "kind", "patches", "reaches", "placed", "id"
    answer(found, listing(columns, map(_row, found), f"{world} holds nothing yet."), as_json=place.as_json)


@spread
def select(
    world: WorldName,
    meant: SelectionOptions,
    view: ViewOptions,
    place: PlaceOptions,
    picture: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw it, with what is meant tinted green.")
    ] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Nothing is an answer too.")] = False,
) -> None:
    """Say what a selection means: how much, where, of what.

    \b
    Examples:
      memstore select museum --sphere 1,0,2,0.6 --picture chair.png
      memstore select museum --layer walk --half-space 0,0,1,2 --at-frame 12 --picture above.png
      memstore select museum --seen-by 12 --far 3
    """
    with open_place(place.db, read_only=True) as database:
        opened = world_of(database, world)
        report = opened.select(meant.selection(opened), camera=view.chosen(opened), allow_empty=allow_empty)
    if picture is not None and report.camera is not None and report.picture is not None:
        draw(picture, f"{world}: {report.patch_count:,} patches", report.camera, {"what is meant": report.picture})
    answer({**without(report, "picture"), "picture": picture}, _selected(report, picture), as_json=place.as_json)


@spread
def pick(world: WorldName, pixel: Pixel, view: ViewOptions, place: PlaceOptions) -> None:
    """Say what a pixel shows: which patch, of which layer, where.

    \b
    Example:
      memstore pick museum --at-frame 12 --pixel 128,80
    """
    u, v = pixel_of(pixel)
    with open_place(place.db, read_only=True) as database:
        opened = world_of(database, world)
        found = opened.pick(view.required(opened), u, v)
    answer(found, "Nothing is known there." if found is None else _picked(found), as_json=place.as_json)


def _row(layer: LayerSummary) -> tuple[object, ...]:
    name = layer.name if layer.visible else Text(f"{layer.name} (hidden)", style="dim")
    where = placement_in_words(layer.placement)
    return name, layer.kind, layer.patch_count, bounds_in_words(layer.bounds), where, layer.layer_id


def placement_in_words(placement: Transform) -> str:
    """Returns a placement for people: as a shift, a turn and a scale."""
    if placement.is_identity:
        return "in place"
    import numpy as np

    degrees = np.degrees(np.arccos(np.clip((np.trace(placement.rotation) - 1) / 2, -1, 1)))
    x, y, z = placement.translation
    words = [f"by ({x:.2f}, {y:.2f}, {z:.2f}) m"]
    words += [f"turned {degrees:.4g} degrees"] if degrees > 1e-3 else []
    words += [f"{placement.scale:.4g} times as large"] if abs(placement.scale - 1) > 1e-6 else []
    return ", ".join(words)


def _selected(report: SelectionReport, picture: Path | None) -> RenderableType:
    facts: dict[str, object] = {"reaches": bounds_in_words(report.bounds)}
    if picture is not None:
        facts["picture"] = picture if report.picture is not None else "none: there is nothing to see"
    of = listing(("\nlayer", "\npatches"), [(each.name, each.patch_count) for each in report.layers], "")
    return Group(two_columns(f"{report.patch_count:,} patches at {report.commit[:10]}", facts), of)


def _picked(found: Picked) -> RenderableType:
    x, y, z = found.position
    far = f"({x:.3f}, {y:.3f}, {z:.3f})"
    facts = {
        "where": f"{far} m, {found.depth_m:.2f} m deep" if found.depth_m < float("inf") else f"sky, in direction {far}",
        "layer": found.layer,
        "patch": found.patch_id,
        "from frame": found.ordinal,
    }
    return two_columns("", facts)
