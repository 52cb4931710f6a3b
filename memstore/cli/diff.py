"""`memstore diff`: how two states of a world differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from memstore.cli.log import SHORT
from memstore.cli.look import placement_in_words
from memstore.cli.output import answer, listing, without
from memstore.cli.picture import draw_before_and_after
from memstore.cli.place import REVISION_HELP, PlaceOptions, WorldName, open_place, world_of
from memstore.cli.spread import spread
from memstore.cli.viewpoint import ViewOptions
from memstore.compared import Diff, LayerDiff


@spread
def diff(
    world: WorldName,
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=REVISION_HELP)],
    view: ViewOptions,
    place: PlaceOptions,
    after: Annotated[str, typer.Argument(metavar="AFTER", help="The same; the head by default.")] = "",
    picture: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw before, with what goes red, and after, with what comes green."),
    ] = None,
    patches: Annotated[bool, typer.Option("--patches", help="With --json: list the ids of patches too.")] = False,
) -> None:
    """Say how two states differ, layer by layer.

    \b
    Examples:
      memstore diff museum v1
      memstore diff museum main night --picture night.png
    """
    with open_place(place.db, read_only=True) as database:
        opened = world_of(database, world)
        found = opened.diff(before, after, camera=view.chosen(opened), patches=patches)
    if picture is not None:
        title = f"{world}: {found.before[:SHORT]} and {found.after[:SHORT]}"
        draw_before_and_after(picture, title, found.camera, found.picture_before, found.picture_after)
    value = {**without(found, "picture_before", "picture_after"), "picture": picture}
    answer(value, _words(found), as_json=place.as_json)


def layers_in_words(layers: Iterable[LayerDiff]) -> RenderableType:
    """Returns how layers differ, one a line."""
    rows = [
        (each.change, each.name, each.kind, each.shown_count, each.hidden_count, "; ".join(_changes(each)) or "-")
        for each in layers
    ]
    return listing(("", "layer", "kind", "shown", "hidden", "otherwise"), rows, "Nothing differs.")


def _words(found: Diff) -> RenderableType:
    if not found.layers:
        return f"{found.before[:SHORT]} and {found.after[:SHORT]} show the same."
    title = f"[bold]{found.before[:SHORT]} -> {found.after[:SHORT]}[/]"
    total = f"{found.shown_count:,} patches shown, {found.hidden_count:,} hidden."
    return Group(title, layers_in_words(found.layers), total)


def _changes(layer: LayerDiff) -> Iterator[str]:
    if layer.renamed is not None:
        yield f"was named {layer.renamed[0]}"
    if layer.moved is not None:
        yield f"moved {placement_in_words(layer.moved[1] @ layer.moved[0].inverse())}"
    if layer.visible is not None:
        yield "is shown as a whole" if layer.visible[1] else "is hidden as a whole"
