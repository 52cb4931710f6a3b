"""Reach: everything that heads, tags and leases still name. What is not reached is garbage.

    1. Roots: the heads, tags and dropped heads of every world that can still be brought back, and live leases.
    2. From a root, its commit and all ancestors.
    3. From a commit, the nodes of its list of layers, the layers, the nodes of their lists of segments, and masks.
    4. From a list of segments, the segments, and those in whose payload their patches lie.
Nothing is visited twice, so the cost follows what is stored and not how often it is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from memstore.errors import CorruptData, MemstoreError
from memstore.layer import Layer, LayerSegment
from memstore.storage.commits import Refs
from memstore.storage.lease import live_leases
from memstore.storage.masks import check_masks, object_of
from memstore.storage.registry import Registry, WorldRecord
from memstore.storage.store import Store

OnProblem = Callable[[str, MemstoreError], None]


@dataclass
class Reached:
    """What was reached so far."""

    objects: set[str] = field(default_factory=set)
    """Names of objects."""
    segments: dict[int, set[str]] = field(default_factory=dict)
    """Segment ordinals, and the names of the worlds that list them; "" stands for a lease."""


def raise_problem(world: str, error: MemstoreError) -> None:
    """Stops at the first problem: collecting on half a survey would remove what is needed."""
    raise error


class Survey:
    """Walks a database from its roots. `on_problem` gets what cannot be read, by the world that needs it."""

    def __init__(self, store: Store, registry: Registry, on_problem: OnProblem = raise_problem) -> None:
        """Prepares a walk over `store`."""
        self._store = store
        self._registry = registry
        self._on_problem = on_problem
        self.reached = Reached()

    def run(self) -> Reached:
        """Walks from every root and returns what was reached."""
        for error in self._registry.garbled():
            self._on_problem("", error)
        for record in self._registry.records():
            if not Registry.is_forgotten(record):
                self.visit(record)
                self._visit_dropped(record)
        try:
            for lease in live_leases(self._store.root):
                self._visit_commit("", lease.commit)
        except CorruptData as error:
            self._on_problem("", error)
        return self.reached

    def visit(self, record: WorldRecord) -> None:
        """Walks from the heads and tags of one world."""
        for refs in (self._registry.heads(record.world_id), self._registry.tags(record.world_id)):
            for commit in self._commits_of(record.name, refs):
                self._visit_commit(record.name, commit)

    def _visit_dropped(self, record: WorldRecord) -> None:
        try:
            for dropped in self._registry.dropped(record.world_id).kept():
                self._visit_commit(record.name, dropped.commit)
        except MemstoreError as error:
            self._on_problem(record.name, error)

    def _commits_of(self, world: str, refs: Refs) -> Iterator[str]:
        for name in refs.names():
            try:
                yield refs.read(name)
            except MemstoreError as error:
                self._on_problem(world, error)

    def _visit_commit(self, world: str, commit_id: str) -> None:
        waiting = [commit_id]
        while waiting:
            name = waiting.pop()
            if not self._is_new(name):
                continue
            try:
                commit = self._store.commits.read_anew(name)
            except MemstoreError as error:
                self._on_problem(world, error)
                continue
            waiting.extend(commit.parents)
            self._visit_list(world, commit.layers, self._visit_layer)

    def _visit_list(self, world: str, name: str, visit: Callable[[str, object], None]) -> None:
        if not self._is_new(name):
            return
        try:
            node = self._store.objects.get_json(name)
        except MemstoreError as error:
            self._on_problem(world, error)
            return
        for item in node["items"]:
            if node["height"]:
                self._visit_list(world, item, visit)
            else:
                visit(world, item)

    def _visit_layer(self, world: str, name: object) -> None:
        if not self._is_new(str(name)):
            return
        try:
            layer = Layer.from_json(self._store.objects.get_json(str(name)))
        except MemstoreError as error:
            self._on_problem(world, error)
            return
        self._visit_list(world, layer.segments, self._visit_part)

    def _visit_part(self, world: str, item: object) -> None:
        part = LayerSegment.from_json(item)  # pyright: ignore[reportArgumentType]
        self.reached.segments.setdefault(part.segment, set()).add(world)
        for home in self._homes(world, part.segment):
            self.reached.segments.setdefault(home, set()).add(world)
        if part.mask and self._is_new(object_of(part.mask)):
            try:
                check_masks(self._store.objects, part.mask)
            except MemstoreError as error:
                self._on_problem(world, error)

    def _homes(self, world: str, segment: int) -> list[int]:
        """Returns the segments whose payload a segment refers to."""
        try:
            homes = self._store.segments.homes(segment)
        except MemstoreError as error:
            self._on_problem(world, error)
            return []
        return [] if homes is None else homes.segments()

    def _is_new(self, name: str) -> bool:
        if name in self.reached.objects:
            return False
        self.reached.objects.add(name)
        return True
