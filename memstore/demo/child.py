"""Other processes of the demo: the command line itself, run as a person would run it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memstore import errors
from memstore.errors import Internal, MemstoreError

STOP_S = 20.0
"""How long a server may take to stop before it is killed."""


def run_command(*arguments: str) -> dict[str, Any]:
    """Runs `memstore ... --json` in a new process and returns its answer; its progress goes to our stderr.

    Raises:
        MemstoreError: what the command said went wrong.
    """
    done = subprocess.run(_command(*arguments), stdout=subprocess.PIPE, text=True, check=False)
    return _answer(done.stdout, arguments, done.returncode)


@contextmanager
def serving(root: Path, *, read_only: bool = True) -> Generator[str]:
    """Serves a database in a new process, on a free port of this machine; yields the address."""
    arguments = ("serve", str(root), "--listen", "127.0.0.1:0", *(["--read-only"] * read_only))
    server = subprocess.Popen(_command(*arguments), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield _answer(server.stdout.readline(), arguments, server.poll())["addresses"][0]
    finally:
        _stop(server)


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.communicate(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.communicate()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "memstore", *arguments, "--json"]


def _answer(line: str, arguments: tuple[str, ...], code: int | None) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise Internal(f"`memstore {' '.join(arguments)}` ended with {code} and gave no answer.") from error
    if "error" in answer:
        raise _rebuilt(answer["error"])
    return answer


def _rebuilt(told: dict[str, Any]) -> MemstoreError:
    return getattr(errors, told["kind"])(told["message"], reason=errors.Reason(told["reason"]), **told["details"])
