"""`memstore info | verify | migrate | collect`: looking after a database."""

from __future__ import annotations

from typing import Annotated

import typer

from memstore.cli.exit_code import CORRUPT
from memstore.cli.output import AsJson, answer, bytes_in_words, listing, two_columns, working
from memstore.cli.place import DEFAULT_PLACE, Place, folder_of, open_place


def info(db: Place = DEFAULT_PLACE, as_json: AsJson = False) -> None:
    """Say what a database holds and how large it is."""
    with open_place(db, read_only=True) as database:
        summary = database.describe()
    facts = {
        "worlds": f"{summary.world_count:,}",
        "patches": f"{summary.patch_count:,} in {summary.segment_count:,} segments",
        "on disk": bytes_in_words(summary.bytes_on_disk),
        "format": summary.format_version,
        "id": summary.database_id,
    }
    answer(summary, two_columns(summary.root, facts), as_json=as_json)


def verify(
    db: Place = DEFAULT_PLACE,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be, remove what a crash left.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check every reference and every checksum.

    Exits with 7 when something is wrong.
    """
    from memstore.database import open_database

    folder = folder_of(db, "verify")
    with open_database(folder, read_only=not repair, create=False) as database, working(f"checking {folder}"):
        found = database.verify(repair=repair)
    rows = [(", ".join(problem.worlds) or "-", problem.file or "-", problem.message) for problem in found.problems]
    sound = (
        f"[green]All is well[/]: {found.segments:,} segments and {found.objects:,} objects checked"
        f"{_leftovers(found.unreferenced_segments, repaired=repair)}."
    )
    answer({"clean": found.clean, **vars(found)}, listing(("worlds", "file", "problem"), rows, sound), as_json=as_json)
    if not as_json and found.repaired:
        answer(None, f"Mended: {', '.join(found.repaired)}.", as_json=False)
    if not found.clean:
        raise typer.Exit(CORRUPT)


def migrate(db: Place = DEFAULT_PLACE, as_json: AsJson = False) -> None:
    """Bring the files of an older memstore to this one's format."""
    from memstore.storage.migrate import migrate as migrate_files
    from memstore.storage.store import FORMAT_VERSION

    folder = folder_of(db, "migrate")
    passed = migrate_files(folder)
    done = f"went through formats {', '.join(map(str, passed))}" if passed else f"is at format {FORMAT_VERSION} already"
    answer({"root": str(folder), "passed": passed, "format": FORMAT_VERSION}, f"{folder} {done}.", as_json=as_json)


def collect(
    db: Place = DEFAULT_PLACE,
    grace_s: Annotated[float, typer.Option(min=0, help="Leave alone what is younger than this, seconds.")] = 3600.0,
    as_json: AsJson = False,
) -> None:
    """Remove what no world, tag or reader needs any more."""
    from memstore.database import open_database

    folder = folder_of(db, "collect")
    with open_database(folder, create=False) as database, working(f"collecting in {folder}"):
        done = database.collect(grace_s=grace_s)
    words = (
        f"Freed {bytes_in_words(done.bytes_freed)}: {done.segments} segments, {done.objects} objects, "
        f"{done.leftovers} leftovers, {done.worlds} deleted worlds."
    )
    answer(done, words, as_json=as_json)


def _leftovers(segments: int, *, repaired: bool) -> str:
    if not segments or repaired:
        return ""
    return f"; {segments} segments that a crash left or nobody needs can go (memstore collect)"
