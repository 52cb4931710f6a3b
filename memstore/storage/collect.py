"""Collect: the only thing that removes. It marks what is reached and deletes whole objects and segments besides.

Safe to stop at any point and to run again. Readers go on reading: what they hold open stays, what a head, a tag or a
lease names is never touched, and what is younger than the grace may be half of a write and is left alone.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from memstore.storage.durable import remove_files, unfinished_files
from memstore.storage.lease import LEASE_S, lease_files
from memstore.storage.reach import Survey
from memstore.storage.registry import Registry
from memstore.storage.store import Store

GRACE_S = 3600.0
"""What is younger than this is left alone: a reader may just have opened the head that named it."""


@dataclass(frozen=True)
class Collected:
    """What a collection removed."""

    worlds: int
    """Worlds deleted more than seven days ago."""
    segments: int
    """Segments that no head, tag or lease reaches."""
    objects: int
    """Objects that no head, tag or lease reaches."""
    leftovers: int
    """Unfinished files of crashed writes, and leases that ran out."""
    bytes_freed: int
    """Bytes of all of them."""


def collect(store: Store, registry: Registry, *, grace_s: float = GRACE_S) -> Collected:
    """Removes what nothing reaches and returns what went.

    Raises:
        CorruptData, NotFound: something reached cannot be read; nothing was removed. Run `verify` first.
        ReadOnly: another process writes.
    """
    with store.writing():
        store.objects.settle()
        reached = Survey(store, registry).run()
        before = time.time() - grace_s
        worlds = _forgotten_worlds(store, registry)
        objects = [store.objects.path(name) for name in store.objects.names() if name not in reached.objects]
        old_objects = [path for path in objects if path.stat().st_mtime < before]
        segments = [ordinal for ordinal in store.segments.listed() if ordinal not in reached.segments]
        old_segments = [ordinal for ordinal in segments if store.segments.written_s(ordinal) < before]
        leftovers = _leftovers(store.root, grace_s)
        freed = sum(path.stat().st_size for path in old_objects) + sum(leftovers.values())
        freed += sum(store.segments.bytes_on_disk(ordinal) for ordinal in old_segments)
        # Heads first: a stop half-way then leaves garbage, never a head that names what is gone.
        for world in worlds:
            remove_files(sorted(world.rglob("*.json"), reverse=True))
        remove_files(_dropped_long_ago(registry))
        store.segments.remove(old_segments)
        remove_files([*old_objects, *leftovers])
        store.segments.maintain()
    return Collected(len(worlds), len(old_segments), len(old_objects), len(leftovers), freed)


def _forgotten_worlds(store: Store, registry: Registry) -> list[Path]:
    return [store.root / "worlds" / r.world_id for r in registry.records() if Registry.is_forgotten(r)]


def _dropped_long_ago(registry: Registry) -> list[Path]:
    return [path for r in registry.records() for path in registry.dropped(r.world_id).expired()]


def _leftovers(root: Path, grace_s: float) -> dict[Path, int]:
    """Returns what crashes left and leases that are over, with their bytes."""
    found: dict[Path, int] = {}
    for path in [*unfinished_files(root), *lease_files(root)]:
        # Readers write leases without the writer's lock: one may be on its way, or vanish while we look.
        kept_s = max(grace_s, LEASE_S) if path.parent.name == "leases" else grace_s
        with suppress(FileNotFoundError):
            facts = path.stat()
            if time.time() - facts.st_mtime > kept_s:
                found[path] = facts.st_size
    return found
