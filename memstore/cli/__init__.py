"""The command line: `memstore COMMAND`. Each command reads its options, calls one verb of the engine and prints.

app         the commands, put together      place       --db: a folder or a server
output      words, tables, JSON, progress   exit_code   what the exit code says
and one file for each group of commands.
"""

from __future__ import annotations

import os
import sys

from memstore.errors import FailedPrecondition, InvalidInput, MemstoreError, Reason

_EXTRAS = {"typer": "server", "rich": "server", "vizdoom": "doom", "skimage": "demo", "av": "demo"}
"""Which extra brings a package that a command may miss; `server` brings all others."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with the code of `exit_code`; `arguments` are sys.argv's by default."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given or bool(os.environ.get("MEMSTORE_DEBUG"))
    sys.exit(_run([word for word in given if word != "--debug"], debug=debug))


def _run(arguments: list[str], *, debug: bool) -> int:
    """Returns the exit code of a command, its errors told in one sentence."""
    try:
        from memstore.cli.app import run
    except ModuleNotFoundError as error:
        print(f"error: {_missing_package(error)}", file=sys.stderr)
        return 6
    from memstore.cli.exit_code import INTERRUPTED, exit_code
    from memstore.cli.output import print_error

    try:
        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left, as `| head` does: nothing more can be said, not even at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        told = _as_memstore_error(error)
        print_error(told, as_json="--json" in arguments)
        return exit_code(told)


def _as_memstore_error(error: Exception) -> MemstoreError:
    if isinstance(error, MemstoreError):
        return error
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("memstore"):
        return _missing_package(error)
    if isinstance(error, OSError):
        return InvalidInput(f"the system refused: {error}; check the path and its permissions.")
    from memstore.errors import Internal

    return Internal(
        f"{type(error).__name__}: {error}. This is a bug in memstore: run again with --debug and report it."
    )


def _missing_package(error: ModuleNotFoundError) -> FailedPrecondition:
    package = (error.name or "").partition(".")[0]
    return FailedPrecondition(
        f"this command needs {package}, which is not installed; run: pip install "
        f"'memstore[{_EXTRAS.get(package, 'server')}]'.",
        reason=Reason.MISSING_EXTRA,
        package=package,
    )
