"""Edits on a command line: operations are tried, previewed, drawn, and become one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from memstore.cli.output import answer, bounds_in_words, listing, without, working
from memstore.cli.picture import draw_before_and_after
from memstore.cli.place import AnyDatabase, AnyWorld, PlaceOptions, open_place, world_of
from memstore.cli.signing import SignOptions
from memstore.cli.viewpoint import ViewOptions
from memstore.edited import EditReport, OperationReport, RegistrationSummary
from memstore.operation import Operation

_PANEL = "Care"


@dataclass(frozen=True)
class CareOptions:
    """Options that say how careful to be, the same for every edit."""

    preview: Annotated[
        bool,
        typer.Option("--preview", help="Write nothing; say what would be done.", rich_help_panel=_PANEL),
    ] = False
    """Whether to write nothing."""
    picture: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw before and after, side by side.", rich_help_panel=_PANEL),
    ] = None
    """Picture to write."""
    expected_head: Annotated[
        str,
        typer.Option(
            metavar="COMMIT", help="Refuse when the head is another.", show_default=False, rich_help_panel=_PANEL
        ),
    ] = ""
    """The commit that the head must be."""
    max_affected: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Refuse to touch more patches than this.", rich_help_panel=_PANEL),
    ] = None
    """Most patches that may be hidden, shown or moved."""


@dataclass(frozen=True)
class EditOptions(PlaceOptions, ViewOptions, CareOptions, SignOptions):
    """All options of an edit but what it does."""


Operations = Callable[[AnyDatabase, AnyWorld], Sequence[Operation]]
"""Says what to do, seeing the database and the world that is edited."""


def carry_out(world: str, operations: Operations, options: EditOptions) -> None:
    """Carries out an edit, or says what it would do, and prints and draws that.

    Args:
        world: name of the world, with its branch.
        operations: what to do.
        options: how.
    """
    with open_place(options.db, read_only=options.preview) as database, working(f"editing {world}"):
        place = world_of(database, world)
        report = _edited(place, operations(database, place), options)
    if options.picture is not None:
        draw_before_and_after(options.picture, f"{world}: {_title(report)}", report.camera, report.before, report.after)
    value = {**without(report, "before", "after"), "picture": options.picture}
    answer(value, _words(world, report, options), as_json=options.as_json)


def _edited(place: AnyWorld, operations: Sequence[Operation], options: EditOptions) -> EditReport:
    edit = place.edit(
        options.message,
        author=options.signature,
        request_id=options.request_id,
        expected_head=options.expected_head,
        max_affected=options.max_affected,
    )
    previewed = None
    with edit:
        for operation in operations:
            edit.add(operation)
        if options.preview or options.picture:
            previewed = edit.preview(options.chosen(place))
        if options.preview:
            edit.abort()
    if edit.report is None:
        assert previewed is not None  # there is an operation, and no error
        return previewed
    if previewed is None:
        return edit.report
    return replace(edit.report, camera=previewed.camera, before=previewed.before, after=previewed.after)


def _title(report: EditReport) -> str:
    return ", ".join(operation.operation for operation in report.operations[:4])


def _words(world: str, report: EditReport, options: EditOptions) -> RenderableType:
    rows = [_row(operation) for operation in report.operations]
    parts = [listing(("operation", "about", "hidden", "shown", "layers", "reaches"), rows, "nothing was asked")]
    parts += [fit_in_words(each.registration) for each in report.operations if each.registration is not None]
    if options.picture is not None:
        parts.append(f"picture: {options.picture}")
    return Group(*parts, _summary(world, report))


def _row(report: OperationReport) -> tuple[object, ...]:
    layers = ", ".join(_layer_names(report)) or "-"
    counts = report.selected_count, report.hidden_count, report.shown_count
    return (report.operation, *counts, layers, bounds_in_words(report.bounds))


def _layer_names(report: OperationReport) -> Iterator[str]:
    names = [layer.name for layer in report.layers]
    yield from names[:3]
    if len(names) > 3:
        yield f"{len(names) - 3} more"


def _summary(world: str, report: EditReport) -> str:
    before, after = f"{report.patches_before:,}", f"{report.patches_after:,}"
    if not report.commit:
        return f"Nothing is written: {world} shows {before} patches, and would show {after}."
    return f"[bold]{world}[/] shows {after} patches, {before} before; commit {report.commit[:10]}."


def fit_in_words(fit: RegistrationSummary) -> RenderableType:
    """Returns how well a stitched world fits, for people."""
    import numpy as np

    from memstore.cli.output import two_columns

    turns = ", ".join(f"{np.degrees(each):.2g}" for each in fit.constraint[:3])
    shifts = ", ".join(f"{100 * each:.2g}" for each in fit.constraint[3:])
    moved = f"{fit.correction_m:.3f} m and {np.degrees(fit.correction_rad):.2f} degrees from the guess"
    x, y, z = fit.transform.translation
    facts = {
        "at": f"({x:.3f}, {y:.3f}, {z:.3f}) m, {moved}",
        "overlap": f"{fit.overlap:.0%} of the boundary's points found a partner",
        "residual": f"{100 * fit.residual_m:.2f} cm in the median",
        "held to": f"{turns} degrees about x, y, z; {shifts} cm along them",
    }
    return two_columns("registration", facts)
