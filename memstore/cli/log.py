"""`memstore log | show | dropped`: what happened, step by step, and which heads were left."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from memstore.cli.output import age_in_words, answer, listing, time_in_words, two_columns
from memstore.cli.place import PlaceOptions, Revision, WorldName, open_place, world_of
from memstore.cli.spread import spread
from memstore.summary import CommitSummary

SHORT = 10
"""Digits of a commit id that are shown to people."""


@spread
def log(
    world: WorldName,
    place: PlaceOptions,
    limit: Annotated[int, typer.Option("-n", min=1, help="How many steps.")] = 20,
) -> None:
    """List the newest steps, newest first.

    \b
    Examples:
      memstore log museum
      memstore log museum@night -n 5
    """
    with open_place(place.db, read_only=True) as database:
        steps = world_of(database, world).log(limit)
    value = [{**asdict(step), "stands": stands} for step, stands in standing(steps)]
    answer(value, steps_in_words(steps), as_json=place.as_json)


@spread
def show(world: WorldName, revision: Revision, place: PlaceOptions) -> None:
    """Show one step: what, who, when and why.

    \b
    Examples:
      memstore show museum 3f2a9c
      memstore show museum v1
    """
    with open_place(place.db, read_only=True) as database:
        step = world_of(database, world).show(revision)
    facts = {
        "step": step.operation + (f" of {step.frame_count:,} frames" if step.frame_count else ""),
        "message": escape(step.message) or "-",
        "author": escape(step.author) or "-",
        "when": f"{time_in_words(step.time_s)}, {age_in_words(time.time() - step.time_s)} ago",
        "before it": ", ".join(parent[:SHORT] for parent in step.parents) or "nothing: it made the world",
        "request": escape(step.request_id) or "-",
    }
    answer(step, two_columns(step.commit, facts), as_json=place.as_json)


@spread
def dropped(world: WorldName, place: PlaceOptions) -> None:
    """List heads that reset and delete left; kept 30 days."""
    with open_place(place.db, read_only=True) as database:
        heads = world_of(database, world).dropped()
    now = time.time()
    rows = [(head.commit[:SHORT], age_in_words(now - head.time_s), head.branch) for head in heads]
    empty = "No head was left in the last 30 days."
    answer(heads, listing(("commit", "left", "branch or tag"), rows, empty), as_json=place.as_json)


def standing(steps: Iterable[CommitSummary]) -> Iterator[tuple[CommitSummary, bool]]:
    """Yields steps, newest first from a head, and whether each stands: nothing that stands takes it back."""
    taken_back = set[str]()
    for step in steps:
        stands = step.step not in taken_back
        if stands and step.takes_back:
            taken_back.add(step.takes_back)
        yield step, stands


def steps_in_words(steps: Sequence[CommitSummary]) -> RenderableType:
    """Returns steps one a line, those that were taken back marked."""
    now = time.time()
    rows = [_row(step, stands, now) for step, stands in standing(steps)]
    return listing(("commit", "age", "author", "step", "message"), rows, "Nothing happened yet.")


def _row(step: CommitSummary, stands: bool, now: float) -> tuple[Text, ...]:
    frames = f" of {step.frame_count:,} frames" if step.frame_count else ""
    message = step.message if stands else f"(taken back) {step.message}"
    words = step.commit[:SHORT], age_in_words(now - step.time_s), step.author, step.operation + frames, message
    return tuple(Text(each, style="" if stands else "dim") for each in words)


def step_in_words(step: CommitSummary) -> RenderableType:
    """Returns what a command that left a step says."""
    return Text(f"{step.operation} {step.commit[:SHORT]}: {step.message}")
