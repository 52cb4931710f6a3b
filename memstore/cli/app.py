"""The commands, put together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from memstore import __version__
from memstore.cli import (
    bench,
    blame,
    branch,
    clip,
    demo,
    diff,
    edit,
    flatten,
    ingest,
    log,
    look,
    merge,
    retrieve,
    serve,
    stitch,
    undo,
    upkeep,
    world,
)
from memstore.cli.exit_code import exit_code_table
from memstore.errors import InvalidInput

HELP = """Keep places for video world models: a persistent, editable, shared memory.

\b
memstore demo                             see a remembered place
memstore ingest clip/ museum --create     remember a clip of posed RGB-D
memstore retrieve museum --at-frame 12    draw what a camera sees of it
memstore edit --help                      cut, copy, move and stitch; undo takes back
memstore serve ./worlds                   let other machines do the same

The database is the folder ./worlds, or what --db or MEMSTORE_DB names: another folder, or a server (host:port).
A world goes by its name, or as museum@night on a branch. Every command takes --help and --json.
"""

app = typer.Typer(
    name="memstore",
    help=HELP,
    epilog=exit_code_table(),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MEMORY, EDITING, HISTORY, UPKEEP = "Memory", "Editing", "History", "Upkeep"
app.command("demo", rich_help_panel=MEMORY)(demo.demo)
app.command("ingest", rich_help_panel=MEMORY)(ingest.ingest)
app.command("retrieve", rich_help_panel=MEMORY)(retrieve.retrieve)
app.add_typer(world.app, name="world", rich_help_panel=MEMORY)
app.add_typer(clip.app, name="clip", rich_help_panel=MEMORY)
app.command("layers", rich_help_panel=EDITING)(look.layers)
app.command("select", rich_help_panel=EDITING)(look.select)
app.command("pick", rich_help_panel=EDITING)(look.pick)
app.add_typer(edit.app, name="edit", rich_help_panel=EDITING)
app.command("stitch", rich_help_panel=EDITING)(stitch.stitch)
app.command("flatten", rich_help_panel=EDITING)(flatten.flatten)
app.command("log", rich_help_panel=HISTORY)(log.log)
app.command("show", rich_help_panel=HISTORY)(log.show)
app.command("diff", rich_help_panel=HISTORY)(diff.diff)
app.command("blame", rich_help_panel=HISTORY)(blame.blame)
app.command("undo", rich_help_panel=HISTORY)(undo.undo)
app.command("redo", rich_help_panel=HISTORY)(undo.redo)
app.command("revert", rich_help_panel=HISTORY)(undo.revert)
app.add_typer(branch.branch, name="branch", rich_help_panel=HISTORY)
app.add_typer(branch.tag, name="tag", rich_help_panel=HISTORY)
app.command("merge", rich_help_panel=HISTORY)(merge.merge)
app.command("reset", rich_help_panel=HISTORY)(undo.reset)
app.command("dropped", rich_help_panel=HISTORY)(log.dropped)
app.command("serve", rich_help_panel=UPKEEP)(serve.serve)
app.command("info", rich_help_panel=UPKEEP)(upkeep.info)
app.command("verify", rich_help_panel=UPKEEP)(upkeep.verify)
app.command("migrate", rich_help_panel=UPKEEP)(upkeep.migrate)
app.command("collect", rich_help_panel=UPKEEP)(upkeep.collect)
app.command("bench", rich_help_panel=UPKEEP, context_settings=bench.PASS_ON)(bench.bench)


def _print_version(asked: bool) -> bool:
    if asked:
        typer.echo(f"memstore {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> None:
    """What stands before a command. `--debug` is taken off by `main`, wherever it stands."""


UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""A wrong command line: click's class, or typer's own copy of it, whichever this typer is built on."""


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code.

    Raises:
        MemstoreError: what the command raises; a wrong command line is an InvalidInput.
    """
    try:
        code = app(arguments, prog_name="memstore", standalone_mode=False)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except UsageError as error:
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: Any) -> int:
    """Tells what is wrong with a command line; one that is only unfinished has been answered by its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return 2
    command = error.ctx.command_path if error.ctx else "memstore"
    raise InvalidInput(f"{error.format_message().rstrip('.')}; see: {command} --help") from error
