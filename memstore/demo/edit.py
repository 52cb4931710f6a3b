"""Stage `edit`: places are changed, joined and turned over, seen before and after from one place, and all is undone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memstore.cli.output import note, working
from memstore.clip import read_clip
from memstore.database import Database, open_database
from memstore.demo.acts import AUTHOR, HALVES, Act, acts, astray_from
from memstore.demo.look import QUERY, identical
from memstore.demo.remember import Place
from memstore.demo.report import EditsReport, EditStep, Joint
from memstore.demo.walk import enlarged
from memstore.drawing.ramp import HOLE_COLOR
from memstore.drawing.sheet import Column, Row, contact_sheet, write_png
from memstore.edited import EditReport
from memstore.errors import FailedPrecondition, NotFound, Reason
from memstore.mosaic import Mosaic
from memstore.transform import Transform

SHEET = "edits.png"
REFUSED = {Reason.NO_OVERLAP, Reason.UNCONSTRAINED, Reason.POOR_FIT}
"""Why a stitch may be refused."""
COLUMNS = (Column("before"), Column("after"))


@dataclass(frozen=True, eq=False)
class Seen:
    """An act that was performed."""

    act: Act
    """The act."""
    before: Mosaic
    """What was seen before it."""
    after: Mosaic
    """What was seen after it."""
    report: EditReport
    """What it did."""
    milliseconds: float
    """How long it took, until it was durable."""


def run_edit(out: Path, clips: Sequence[Path]) -> EditsReport:
    """Runs the stage on the worlds of stage `memory`, leaving OUT/edits.png, and returns what it found.

    Raises:
        NotFound: there are no worlds of an earlier run.
    """
    began = time.perf_counter()
    places = [Place.of(read_clip(path)) for path in clips]
    with open_database(out / "worlds", create=False) as database:
        _prepare(database, places, out)
        with working("editing"):
            tried = [_performed(act) for act in acts(database, places[0], places[-1])]
        seen = [one for one in tried if one is not None]
        write_png(out / SHEET, contact_sheet("edits, each seen from one place", COLUMNS, [_row(s) for s in seen]))
        undone = [_undone(one) for one in reversed(seen)]
        return EditsReport(
            edits=tuple(_step(one) for one in seen),
            joint=_joint(seen, astray_from(places[0].clip)),
            undone=all(undone),
            verified=database.verify().clean,
            seconds=time.perf_counter() - began,
        )


def _prepare(database: Database, places: Sequence[Place], out: Path) -> None:
    known = {summary.name for summary in database.worlds()}
    if missing := [place.world for place in places if place.world not in known]:
        raise NotFound(
            f"{out / 'worlds'} has no world {', '.join(missing)}; run the demo's stage memory first.",
            reason=Reason.WORLD_NOT_FOUND,
        )
    for name in known & set(HALVES):  # of an earlier run of this stage
        database.delete_world(name)


def _performed(act: Act) -> Seen | None:
    """Performs an act; `None` when nothing holds a stitch in place, which a clip of somebody's own may bring about."""
    note(f"[bold]{act.name}[/]: {act.caption}")
    before = act.world.retrieve(act.camera, QUERY)
    began = time.perf_counter()
    try:
        with act.world.edit(act.caption, author=AUTHOR) as edit:
            act.perform(edit)
    except FailedPrecondition as refusal:
        if refusal.reason not in REFUSED:
            raise
        note(f"[yellow]refused[/]: {refusal}")
        return None
    milliseconds = (time.perf_counter() - began) * 1000
    assert edit.report is not None  # every act edits
    return Seen(act, before, act.world.retrieve(act.camera, QUERY), edit.report, milliseconds)


def _undone(seen: Seen) -> bool:
    """Undoes an act and returns whether it is seen as before: the same patches, bit for bit."""
    seen.act.world.undo(author=AUTHOR)
    return identical(seen.before, seen.act.world.retrieve(seen.act.camera, QUERY), commits=False)


def _row(seen: Seen) -> Row:
    counts = f"{seen.report.affected_count:,} patches, {seen.milliseconds:.0f} ms, {seen.report.bytes_written:,} bytes"
    pictures = tuple(enlarged(mosaic.image(holes=HOLE_COLOR)) for mosaic in (seen.before, seen.after))
    return Row(f"{seen.act.caption}: {counts}", pictures)


def _step(seen: Seen) -> EditStep:
    return EditStep(
        edit=seen.act.name,
        world=seen.act.world.name,
        operations=tuple(report.operation for report in seen.report.operations),
        selected=sum(report.selected_count for report in seen.report.operations),
        affected=seen.report.affected_count,
        patches_before=seen.report.patches_before,
        patches_after=seen.report.patches_after,
        milliseconds=seen.milliseconds,
        bytes_written=seen.report.bytes_written,
    )


def _joint(seen: Sequence[Seen], astray: Transform) -> Joint | None:
    fits = [report.registration for one in seen for report in one.report.operations if report.registration]
    if not fits:
        return None
    fit = fits[-1]
    left = fit.transform @ astray  # here <- true world: the identity, if the fit is right
    return Joint(
        off_cm=_off_m(seen, left) * 100,
        off_degrees=float(np.degrees(np.arccos(np.clip((np.trace(left.rotation) - 1) / 2, -1, 1)))),
        overlap=fit.overlap,
        residual_mm=fit.residual_m * 1000,
        moved_m=fit.correction_m,
        turned_degrees=float(np.degrees(fit.correction_rad)),
    )


def _off_m(seen: Sequence[Seen], left: Transform) -> float:
    """Returns how far a point before the last camera ends from where it belongs, metres."""
    eye = seen[-1].act.camera.center
    return float(np.linalg.norm(left.apply(eye) - eye))
