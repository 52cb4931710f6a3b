"""`memstore demo`: a remembered place, from nothing to pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Group, RenderableType

from memstore.cli.output import AsJson, answer, bytes_in_words, listing, two_columns
from memstore.demo.report import EditsReport, MemoryReport, WorldReport

StageName = Literal["memory", "edit", "all"]


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for worlds, pictures, film and report.")] = Path(
        "demo-out"
    ),
    stage: Annotated[StageName, typer.Option(envvar="STAGE", help="Which part of the demo to run.")] = "all",
    clip: Annotated[
        list[Path] | None, typer.Option(help="A clip of yours instead of the bundled ones; may be given again.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Look again at the worlds of an earlier run instead of ingesting anew.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remember two places over two sessions, look around, then cut, move, stitch and turn them over, and undo it all.

    Writes OUT/contact-sheet.png, OUT/walk.mp4, OUT/edits.png, OUT/report.json and the database OUT/worlds.
    """
    from memstore.demo.stages import run_demo, written

    report = run_demo(out, stage=stage, clips=clip, keep=keep)
    memory = [] if report.memory is None else [_words(report.memory, out)]
    edit = [] if report.edit is None else [_edit_words(report.edit, out)]
    answer(written(report), Group(*memory, *edit), as_json=as_json)


def _edit_words(report: EditsReport, out: Path) -> RenderableType:
    rows = [
        (step.edit, step.world, f"{step.affected:,}", f"{step.milliseconds:.0f} ms", f"{step.bytes_written:,}")
        for step in report.edits
    ]
    joint = report.joint
    facts = {
        "the fitted stitch is off": f"{joint.off_cm:.1f} cm, {joint.off_degrees:.2f} degrees" if joint else "refused",
        "all undone": "[green]yes, bit for bit[/]" if report.undone else "[red]no[/]",
        "checksums hold": "[green]yes[/]" if report.verified else "[red]no: run memstore verify[/]",
        "took": f"{report.seconds:.0f} s",
        "look at": f"{out / 'edits.png'}",
    }
    table = listing(("edit", "world", "patches", "until durable", "bytes"), rows, "")
    return Group("", "[bold]What was edited[/]", table, two_columns("", facts))


def _words(report: MemoryReport, out: Path) -> RenderableType:
    same = "[green]yes, bit for bit[/]" if report.served_equals_embedded else "[red]no[/]"
    sound = "[green]yes[/]" if report.verified else "[red]no: run memstore verify[/]"
    facts = {
        "on disk": bytes_in_words(report.bytes_on_disk),
        "checksums hold": sound,
        "a server answers the same": same,
        "took": f"{report.seconds:.0f} s",
        "look at": f"{out / 'contact-sheet.png'}, {out / 'walk.mp4'}",
        "go on with": f"memstore world list --db {out / 'worlds'}",
    }
    return Group(_table(report), "", two_columns("", facts))


def _table(report: MemoryReport) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(
        title="What was remembered", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("", style="bold")
    for world in report.worlds:
        table.add_column(world.world, justify="right")
    for name, cells in _lines(report.worlds).items():
        table.add_row(name, *cells)
    return table


def _lines(worlds: tuple[WorldReport, ...]) -> dict[str, list[str]]:
    held_out = [world.held_out for world in worlds]
    speeds = [world.ingest_frames_per_s for world in worlds]
    return {
        "frames in memory": [f"{world.frames:,}" for world in worlds],
        "patches": [f"{world.patches:,}" for world in worlds],
        "sessions": [f"{world.sessions}" for world in worlds],
        "ingest": ["kept" if speed is None else f"{speed:.0f} frames/s" for speed in speeds],
        "retrieve, p50": [f"{world.retrieve_ms_p50:.0f} ms" for world in worlds],
        "[dim]seen from views held out[/]": [f"[dim]{seen.views}[/]" for seen in held_out],
        "  covered": [f"{seen.coverage_mean:.1%}" for seen in held_out],
        "  PSNR where covered": [f"{seen.psnr_covered_db_mean:.2f} dB" for seen in held_out],
        "  SSIM where covered": [f"{seen.ssim_covered_mean:.3f}" for seen in held_out],
        "[dim]walk where nobody stood[/]": [f"[dim]{world.walk.pictures} pictures[/]" for world in worlds],
        "  known": [f"{world.walk.known_mean:.1%}" for world in worlds],
    }
