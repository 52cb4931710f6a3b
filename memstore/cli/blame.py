"""`memstore blame`: which steps put there what a pixel shows."""

from __future__ import annotations

import time

from rich.console import RenderableType
from rich.markup import escape

from memstore.cli.log import SHORT
from memstore.cli.output import age_in_words, answer, two_columns
from memstore.cli.place import PlaceOptions, WorldName, open_place, world_of
from memstore.cli.spread import spread
from memstore.cli.viewpoint import Pixel, ViewOptions, pixel_of
from memstore.compared import Blamed
from memstore.summary import CommitSummary


@spread
def blame(world: WorldName, pixel: Pixel, view: ViewOptions, place: PlaceOptions) -> None:
    """Say who put there what a pixel shows.

    \b
    Example:
      memstore blame museum --at-frame 12 --pixel 128,80
    """
    u, v = pixel_of(pixel)
    with open_place(place.db, read_only=True) as database:
        opened = world_of(database, world)
        found = opened.blame(view.required(opened), u, v)
    answer(found, "Nothing is known there." if found is None else _words(found), as_json=place.as_json)


def _words(found: Blamed) -> RenderableType:
    facts = {
        "seen by": "another world" if found.observed_by is None else _step(found.observed_by),
        "there since": _step(found.placed_by),
        "layer": escape(found.layer),
        "patch": f"{found.patch_id}, of frame {found.ordinal}",
    }
    return two_columns("", facts)


def _step(step: CommitSummary) -> str:
    by = f" by {escape(step.author)}" if step.author else ""
    message = f": {escape(step.message)}" if step.message else ""
    return f"{step.operation} {step.commit[:SHORT]}{by}, {age_in_words(time.time() - step.time_s)} ago{message}"
