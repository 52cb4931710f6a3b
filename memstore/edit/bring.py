"""Bring over: a world of another database is copied into this one, so that it can be joined to a world here."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from memstore.errors import NotFound
from memstore.history.branch import Branch
from memstore.storage.archive import export_world, import_world
from memstore.storage.registry import Registry
from memstore.storage.store import Store


@dataclass(frozen=True, eq=False)
class Brought:
    """A world that was copied."""

    branch: Branch
    """The copy."""
    commit: str
    """The commit of the copy that was meant."""
    source: str
    """Where it came from."""
    copied_bytes: int
    """Bytes that were copied, all its history included."""

    def __str__(self) -> str:
        return f"copied world {self.branch.record.name!r} from {self.source}, {self.copied_bytes:,} bytes"


def bring_over(store: Store, other: Branch, pinned: str) -> Brought:
    """Copies the world of a branch into `store`, under its own name or one that is free, durable on return.

    Args:
        store: where it goes.
        other: the branch that is meant.
        pinned: the commit that is meant, "" for the head.

    Raises:
        NotFound: `pinned` is no commit of the branch.
    """
    registry, theirs = Registry(store), Registry(other.store)
    with tempfile.TemporaryDirectory(prefix="memstore-bring-") as folder:
        path = Path(folder) / "world.memstore"
        copied = export_world(other.store, theirs, other.record, path)
        record = import_world(store, registry, path, _free_name(registry, other.record.name))
    branch = Branch(store, registry, record, other.name)
    commit = _same_place(other, branch, pinned or other.head())
    return Brought(branch, commit, str(other.store.root), copied)


def _same_place(other: Branch, copy: Branch, commit: str) -> str:
    """Returns the commit of the copy that stands where `commit` does: ids are new, the order is kept."""
    history = zip(other.store.commits.walk(other.head()), copy.store.commits.walk(copy.head()), strict=True)
    for (theirs, _), (ours, _) in history:
        if theirs == commit:
            return ours
    raise NotFound(f"commit {commit} does not lie on branch {other.name!r} of {other.record.name!r}.", commit=commit)


def _free_name(registry: Registry, wanted: str) -> str:
    taken = {record.name for record in registry.records() if record.deleted_s is None}
    if wanted not in taken:
        return wanted
    return next(name for i in range(2, len(taken) + 3) if (name := f"{wanted}-{i}") not in taken)
