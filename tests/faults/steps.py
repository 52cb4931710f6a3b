"""Every step of a write, in order: where a fault can be put. Each is a call after which the disk looks different."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from unittest import mock

import lance
import zarr

from memstore.storage import table

STEPS: tuple[tuple[Any, str], ...] = (
    (os, "write"),
    (os, "fsync"),
    (Path, "mkdir"),
    (Path, "replace"),
    (Path, "rename"),
    (Path, "unlink"),
    (zarr.Group, "create_array"),
    (table, "write_fragments"),
    (lance.LanceDataset, "commit"),
)
TAKES_ROOM = {"write", "fsync", "mkdir", "replace", "create_array", "write_fragments", "commit"}
"""Steps that a full disk refuses."""


class Crash(BaseException):
    """Nothing catches it, as nothing catches kill -9."""


@contextlib.contextmanager
def watched(on_step: Callable[[str], None]) -> Generator[None]:
    """Calls `on_step` with the name of each step just before it is taken."""

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            on_step(name)
            return call(*args, **options)

        return step

    with contextlib.ExitStack() as stack:
        for owner, name in STEPS:
            stack.enter_context(mock.patch.object(owner, name, noted(name, getattr(owner, name))))
        yield


class CrashAt:
    """Crashes at one step and at every later one: what is dead cleans nothing up."""

    def __init__(self, step: int) -> None:
        self.left = step

    def __call__(self, name: str) -> None:
        """Counts a step."""
        self.left -= 1
        if self.left <= 0:
            raise Crash(name)


class FullDisk:
    """Refuses the `first` step that needs room and every later one, until there is space again."""

    def __init__(self, first: int) -> None:
        self.left = first
        self.refused: list[str] = []

    def __call__(self, name: str) -> None:
        """Counts a step."""
        self.left -= name in TAKES_ROOM
        if self.left <= 0 and name in TAKES_ROOM:
            self.refused.append(name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def count_steps(act: Callable[[], None]) -> int:
    """Returns how many steps `act` takes."""
    taken: list[str] = []
    with watched(taken.append):
        act()
    return len(taken)
