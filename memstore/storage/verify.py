"""Verify: every reference followed, every checksum taken, and what can be mended mended."""

from __future__ import annotations

from dataclasses import dataclass

from memstore.errors import MemstoreError
from memstore.storage.collect import Collected, collect
from memstore.storage.reach import Survey
from memstore.storage.registry import Registry
from memstore.storage.store import Store


@dataclass(frozen=True)
class Problem:
    """Something stored is not as it should be."""

    worlds: tuple[str, ...]
    """Names of the worlds that need it."""
    file: str
    """The file, "" when it is missing or none in particular."""
    message: str
    """What is wrong and what to do."""


@dataclass(frozen=True)
class Verified:
    """What a verification found."""

    problems: tuple[Problem, ...]
    """What is wrong and needed by some world."""
    repaired: tuple[str, ...]
    """What was mended."""
    objects: int
    """Objects checked."""
    segments: int
    """Segments checked."""
    unreferenced_segments: int
    """Segments that nothing reaches: left by a crash, harmless, removed by `verify --repair` or `collect`."""
    collected: Collected | None
    """What a repair removed."""

    @property
    def clean(self) -> bool:
        """Whether nothing needed is wrong."""
        return not self.problems


def verify(store: Store, registry: Registry, *, repair: bool = False) -> Verified:
    """Checks every reference and checksum of a database.

    Args:
        store: the database.
        registry: its worlds.
        repair: rebuild geometry from its rows, and remove what a crash left.
    """
    problems, repaired = list[Problem](), list[str]()

    def note(world: str, error: MemstoreError) -> None:
        problems.append(Problem((world,) if world else (), str(error.details.get("file", "")), str(error)))

    store.objects.forget()
    reached = Survey(store, registry, note).run()
    for ordinal, worlds in sorted(reached.segments.items()):
        found = store.segments.verify(ordinal)
        if found and repair and _rebuilt(store, ordinal):
            repaired.append(f"geometry of segment {ordinal}")
            found = store.segments.verify(ordinal)
        problems.extend(Problem(tuple(sorted(worlds - {""})), error.file, error.message) for error in found)
    listed = set(store.segments.listed())
    # A survey with holes cannot tell garbage from need, so only a clean one is collected on.
    collected = collect(store, registry, grace_s=0) if repair and not problems else None
    return Verified(
        problems=tuple(problems),
        repaired=tuple(repaired),
        objects=len(reached.objects),
        segments=len(reached.segments),
        unreferenced_segments=len(listed - reached.segments.keys()),
        collected=collected,
    )


def _rebuilt(store: Store, ordinal: int) -> bool:
    try:
        with store.writing():
            store.segments.rebuild(ordinal)
    except MemstoreError:
        return False
    return True
