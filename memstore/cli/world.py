"""`memstore world`: making, naming, removing and moving worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from memstore.cli.output import AsJson, answer, bytes_in_words, listing, note, time_in_words, two_columns, working
from memstore.cli.place import DEFAULT_PLACE, Place, folder_of, open_place, world_of
from memstore.errors import AlreadyExists
from memstore.latent import LatentSpec
from memstore.summary import WorldSummary

app = typer.Typer(help="Make, list, show, delete and move worlds.", no_args_is_help=True)

Latents = Literal["pixel", "wan2.2"]
Name = Annotated[str, typer.Argument(metavar="WORLD", help="Name of the world.")]


@app.command()
def create(
    name: Name,
    db: Place = DEFAULT_PLACE,
    latents: Annotated[
        Latents, typer.Option(help="What it keeps of a picture: its colours, exactly, or Wan2.2 latents.")
    ] = "pixel",
    patch: Annotated[int, typer.Option(min=1, help="With pixel: pixels along a side of a patch.")] = 8,
    up: Annotated[str, typer.Option(help="The axis that points up, such as +z or -y.")] = "+z",
    exist_ok: Annotated[bool, typer.Option("--exist-ok", help="A world of that name is an answer too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an empty world; the database is made with it where there is none yet.

    \b
    Example:
      memstore world create museum
    """
    spec = LatentSpec.pixel(patch) if latents == "pixel" else LatentSpec.wan22()
    with open_place(db, create=True) as database:
        summary = database.create_world(name, spec, up=up, exist_ok=exist_ok).describe()
    answer(summary, f"[bold]{name}[/] is ready: {_latents(summary)}, {summary.up} is up.", as_json=as_json)


@app.command("list")
def list_worlds(
    db: Place = DEFAULT_PLACE,
    deleted: Annotated[bool, typer.Option("--deleted", help="List the deleted ones that can be brought back.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the worlds of a database."""
    with open_place(db, read_only=True) as database:
        worlds = database.worlds(deleted=deleted)
    rows = [(w.name, w.frame_count, w.patch_count, w.layer_count, _latents(w), _when(w)) for w in worlds]
    empty = "No world was deleted." if deleted else "No world yet; make one with: memstore world create NAME"
    when = "deleted" if deleted else "made"
    answer(worlds, listing(("world", "frames", "patches", "layers", "latents", when), rows, empty), as_json=as_json)


@app.command()
def show(name: Name, db: Place = DEFAULT_PLACE, as_json: AsJson = False) -> None:
    """Show a world: what it holds, how far it reaches and its latest steps."""
    with open_place(db, read_only=True) as database:
        world = world_of(database, name)
        summary, bounds, steps = world.describe(), world.bounds(), world.log(10)
    if as_json:
        answer({"world": summary, "bounds": bounds, "log": steps}, "", as_json=True)
        return
    size = "nothing but sky, or nothing yet"
    if bounds is not None:
        size = " x ".join(f"{high - low:.1f}" for low, high in zip(bounds.low, bounds.high, strict=True)) + " m"
    facts = {
        "frames": f"{summary.frame_count:,}",
        "patches": f"{summary.patch_count:,} in {summary.layer_count} layers",
        "reaches": size,
        "latents": _latents(summary),
        "up": summary.up,
        "head": f"{summary.head} ({summary.branch})",
        "made": time_in_words(summary.created_s),
    }
    answer(summary, two_columns(name, facts), as_json=False)
    rows = [(time_in_words(s.time_s), s.operation, s.frame_count, s.message, s.commit[:10]) for s in steps]
    answer(steps, listing(("\nwhen", "\nstep", "\nframes", "\nmessage", "\ncommit"), rows, ""), as_json=False)


@app.command()
def delete(name: Name, db: Place = DEFAULT_PLACE, as_json: AsJson = False) -> None:
    """Delete a world; for seven days it can be brought back."""
    with open_place(db) as database:
        database.delete_world(name)
    answer({"deleted": name}, f"Deleted {name}; bring it back with: memstore world undelete {name}", as_json=as_json)


@app.command()
def undelete(name: Name, db: Place = DEFAULT_PLACE, as_json: AsJson = False) -> None:
    """Bring back the world of that name that was deleted last."""
    with open_place(db) as database:
        summary = database.undelete_world(name).describe()
    answer(summary, f"{name} is back with {summary.frame_count:,} frames.", as_json=as_json)


@app.command("export")
def export_world(
    name: Name,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write, such as museum.memstore.")],
    db: Place = DEFAULT_PLACE,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a world into one file, with its whole history and nothing lost.

    \b
    Example:
      memstore world export museum museum.memstore
    """
    folder = folder_of(db, "world export")
    if path.exists() and not overwrite:
        raise AlreadyExists(f"{path} exists; choose another name, or pass --overwrite.", path=str(path))
    from memstore.database import open_database

    with open_database(folder, read_only=True, create=False) as database, working(f"writing {path}"):
        database.export_world(name, path)
    size = path.stat().st_size
    answer({"world": name, "file": str(path), "bytes": size}, f"{path}: {bytes_in_words(size)}", as_json=as_json)


@app.command("import")
def import_world(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `world export` wrote.")],
    name: Annotated[str | None, typer.Option("--name", help="Another name than the one in the file.")] = None,
    db: Place = DEFAULT_PLACE,
    as_json: AsJson = False,
) -> None:
    """Read a world from a file of `world export`.

    \b
    Example:
      memstore world import museum.memstore --name museum-copy
    """
    from memstore.database import open_database

    with open_database(folder_of(db, "world import")) as database, working(f"reading {path}"):
        summary = database.import_world(path, name=name).describe()
    if not summary.frame_count:
        note("The file holds an empty world.")
    answer(summary, f"{summary.name} is here with {summary.frame_count:,} frames.", as_json=as_json)


def _latents(world: WorldSummary) -> str:
    spec = world.latents
    return f"{spec.codec}, {spec.token_px} px a patch"


def _when(world: WorldSummary) -> str:
    return time_in_words(world.created_s if world.deleted_s is None else world.deleted_s)
