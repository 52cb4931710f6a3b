"""Migrate: brings the files of an older format to this program's, one version at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from memstore.errors import FailedPrecondition, Internal, NotFound, Reason
from memstore.storage.durable import WriterLock
from memstore.storage.store import FORMAT_VERSION, GATHERED_FORMAT, read_identity, write_identity

Step = Callable[[Path], None]
"""Brings a database from one format to the next. It may be cut off and run again, so it minds not its own traces."""

STEPS: Mapping[int, Step] = {}
"""The step that leads from each older format to the one after it. Format 1 is the first; 2 comes by itself, with the
first gathered segment (`Store.raise_format`)."""


def migrate(root: Path, *, steps: Mapping[int, Step] = STEPS, to: int = FORMAT_VERSION) -> list[int]:
    """Brings a database to format `to` or later and returns the versions that it went through; none if it is there.

    Raises:
        NotFound: there is no database at `root`.
        FailedPrecondition: its format is newer than this program.
        ReadOnly: another process writes.
    """
    identity = read_identity(root)
    if identity is None:
        raise NotFound(f"there is no database at {root}; check the path.")
    if identity.format > GATHERED_FORMAT:
        raise FailedPrecondition(
            f"{root} has format {identity.format}, newer than {GATHERED_FORMAT}; upgrade memstore.",
            reason=Reason.NEWER_FORMAT,
        )
    passed: list[int] = []
    with WriterLock(root / "writer.lock"):
        for version in range(identity.format, to):
            if version not in steps:
                raise Internal(f"no step leads from format {version} to {version + 1}.")
            steps[version](root)
            # Written after each step, so that a stop goes on from here.
            write_identity(root, replace(identity, format=version + 1))
            passed.append(version + 1)
    return passed
