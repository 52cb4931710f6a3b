"""A database: many worlds that share segments, one writer, any number of readers."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from memstore.errors import AlreadyExists
from memstore.history.branch import Branch
from memstore.latent import LatentSpec
from memstore.recall import Recall
from memstore.showing import Showing
from memstore.storage.archive import OnProgress, export_world, ignore_progress, import_world
from memstore.storage.collect import GRACE_S, Collected, collect
from memstore.storage.commits import MAIN
from memstore.storage.registry import Registry, WorldRecord
from memstore.storage.store import Store
from memstore.storage.verify import Verified, verify
from memstore.summary import DatabaseSummary, WorldSummary
from memstore.world import World


class Database:
    """The worlds below one folder. A context manager; `close` lets the next writer in."""

    def __init__(self, store: Store) -> None:
        """Opens the worlds of a store; `memstore.open` is the door."""
        self.store = store
        self.registry = Registry(store)
        self._recall = Recall(Showing(store))

    @property
    def root(self) -> Path:
        """The folder."""
        return self.store.root

    def create_world(
        self,
        name: str,
        latents: LatentSpec | None = None,
        *,
        up: str = "+z",
        exist_ok: bool = False,
        request_id: str = "",
    ) -> World:
        """Makes a world, durable on return.

        Args:
            name: lower-case letters, digits and '-', a letter first.
            latents: what its latents are; the exact `LatentSpec.pixel()` by default.
            up: the axis that points up.
            exist_ok: return the world of that name if there is one with the same latents.
            request_id: a repeated request finds the world that its first try made.

        Raises:
            AlreadyExists: the name is taken.
            LatentSpecMismatch: with `exist_ok`, the world there keeps other latents.
        """
        spec = latents or LatentSpec.pixel()
        try:
            record = self.registry.create(name, spec, up, request_id)
        except AlreadyExists:
            record = self.registry.find(name)
            repeated = bool(request_id) and record.request_id == request_id
            if not (exist_ok or repeated):
                raise
            if latents is not None or repeated:
                record.latents.require_same(spec, f"world {name!r} exists with other latents")
        return self._world(record)

    def world(self, name: str) -> World:
        """Returns the world of that name, on its main branch.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        return self._world(self.registry.find(name))

    def worlds(self, *, deleted: bool = False) -> list[WorldSummary]:
        """Returns the worlds, oldest first; with `deleted`, those that can be brought back."""
        records = self.registry.records()
        wanted = [r for r in records if (r.deleted_s is not None) == deleted and not Registry.is_forgotten(r)]
        return [self._world(record).describe() for record in wanted]

    def delete_world(self, name: str) -> None:
        """Deletes a world, durable on return; `undelete_world` brings it back for seven days."""
        self.registry.delete(name)

    def undelete_world(self, name: str) -> World:
        """Brings back the world of that name that was deleted last."""
        return self._world(self.registry.undelete(name))

    def export_world(
        self, name: str, path: str | os.PathLike[str], *, on_progress: OnProgress = ignore_progress
    ) -> int:
        """Writes a world with its whole history into one file and returns its bytes."""
        return export_world(self.store, self.registry, self.registry.find(name), Path(path), on_progress)

    def import_world(
        self, path: str | os.PathLike[str], name: str | None = None, *, on_progress: OnProgress = ignore_progress
    ) -> World:
        """Brings a world back from its file, under `name` or its own; segments and commits get new ids."""
        return self._world(import_world(self.store, self.registry, Path(path), name, on_progress))

    def describe(self) -> DatabaseSummary:
        """Returns the database as it stands."""
        sizes = self.store.segments.totals()
        return DatabaseSummary(
            root=str(self.root),
            database_id=self.store.identity.database_id,
            format_version=self.store.identity.format,
            world_count=sum(record.deleted_s is None for record in self.registry.records()),
            segment_count=sizes.segment_count,
            patch_count=sizes.patch_count,
            bytes_on_disk=_bytes_below(self.root),
        )

    def collect(self, *, grace_s: float = GRACE_S) -> Collected:
        """Removes what no head, tag or lease reaches and that is older than `grace_s`; returns what went."""
        return collect(self.store, self.registry, grace_s=grace_s)

    def verify(self, *, repair: bool = False) -> Verified:
        """Checks every reference and checksum; with `repair`, mends what can be and removes what a crash left."""
        return verify(self.store, self.registry, repair=repair)

    def close(self) -> None:
        """Lets go of the writer's lock and of open files. Idempotent."""
        self.store.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        names = [record.name for record in self.registry.records() if record.deleted_s is None]
        return f"Database({str(self.root)!r}, {len(names)} worlds: {', '.join(names[:5])}{', ...' * (len(names) > 5)})"

    def _world(self, record: WorldRecord) -> World:
        return World(Branch(self.store, self.registry, record, MAIN), self._recall)


def open_database(root: str | os.PathLike[str], *, read_only: bool = False, create: bool = True) -> Database:
    """Opens the database below `root`, making one where there is nothing yet.

    Reading takes no lock. The first write takes the writer's lock of the database and keeps it until `close`.

    Args:
        root: the folder.
        read_only: never write; many processes may.
        create: make a database where there is none.

    Raises:
        NotFound: there is nothing at `root`, and none may be made.
        FailedPrecondition: something else lies there, or its format is newer or older than this program's.
        CorruptData: its `memstore.json` is garbled.
    """
    return Database(Store(Path(root), read_only=read_only, create=create))


def _bytes_below(root: Path) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):  # another process writes or collects meanwhile
                total += os.stat(os.path.join(folder, name)).st_size
    return total
