"""The worlds of a database by name: one small file each, and branch heads below it."""

from __future__ import annotations

import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from memstore.errors import AlreadyExists, CorruptData, InvalidInput, NotFound, Reason
from memstore.latent import LatentSpec
from memstore.storage.commits import MAIN, Commit, Refs, check_name, nearest
from memstore.storage.dropped import DroppedHeads
from memstore.storage.sealed import read_sealed, write_sealed
from memstore.storage.store import Store

UNDELETE_WINDOW_S = 7 * 24 * 3600.0
UP_AXES = ("+x", "-x", "+y", "-y", "+z", "-z")


@dataclass(frozen=True)
class WorldRecord:
    """What `world.json` says."""

    world_id: str
    """Id for life."""
    name: str
    """Name, unique among the worlds that are not deleted."""
    latents: LatentSpec
    """What its latents are."""
    up: str
    """The axis that points up."""
    created_s: float
    """When it was made, seconds since 1970."""
    request_id: str = ""
    """The request that made it."""
    deleted_s: float | None = None
    """When it was deleted, or `None`."""


class Registry:
    """Makes, finds, deletes and brings back worlds."""

    def __init__(self, store: Store) -> None:
        """Keeps worlds below `store.root`/worlds."""
        self._store = store
        self._folder = store.root / "worlds"

    def heads(self, world_id: str) -> Refs:
        """Returns the branch heads of a world."""
        return Refs(self._folder / world_id / "heads", "branch")

    def tags(self, world_id: str) -> Refs:
        """Returns the tags of a world."""
        return Refs(self._folder / world_id / "tags", "tag")

    def dropped(self, world_id: str) -> DroppedHeads:
        """Returns the heads of a world that nothing names any more, and that can still be returned to."""
        return DroppedHeads(self._folder / world_id / "dropped")

    def records(self) -> list[WorldRecord]:
        """Returns all worlds that can be read, deleted ones too, oldest first."""
        found = [_read(path) for path in self._paths()]
        records = [record for record in found if isinstance(record, WorldRecord)]
        return sorted(records, key=lambda record: (record.created_s, record.world_id))

    def garbled(self) -> list[CorruptData]:
        """Returns what is wrong with the world files that cannot be read."""
        return [found for path in self._paths() if isinstance(found := _read(path), CorruptData)]

    def _paths(self) -> list[Path]:
        return list(self._folder.glob("*/world.json"))

    def find(self, name: str) -> WorldRecord:
        """Returns the world of that name.

        Raises:
            NotFound: no world bears it; the message names the nearest.
            CorruptData: no readable world bears it, and one cannot be read.
        """
        living = {record.name: record for record in self.records() if record.deleted_s is None}
        if name not in living:
            if garbled := self.garbled():
                raise CorruptData(
                    f"no readable world is named {name!r}, and {garbled[0]}",
                    reason=garbled[0].reason,
                    **garbled[0].details,
                )
            raise NotFound(
                f"there is no world {name!r}; "
                f"{nearest(name, list(living)) or 'there are none yet: make one with create_world'}.",
                reason=Reason.WORLD_NOT_FOUND,
                world=name,
            )
        return living[name]

    def create(self, name: str, latents: LatentSpec, up: str, request_id: str) -> WorldRecord:
        """Makes a world with an empty first commit, durable on return.

        Raises:
            AlreadyExists: the name is taken.
            InvalidInput: the name or the axis is no good.
        """
        check_name(name, "world")
        if up not in UP_AXES:
            raise InvalidInput(f"up must be one of {', '.join(UP_AXES)}, got {up!r}.", field="up")
        with self._store.writing():
            self.require_free(name)
            record = WorldRecord(uuid.uuid4().hex, name, latents, up, time.time(), request_id)
            empty = self._store.lists.of([])
            first = Commit(record.world_id, (), empty, "create", frame_end=0, request_id=request_id)
            self.heads(record.world_id).create(MAIN, self._store.commits.write(first))
            self._write(record)
        return record

    def delete(self, name: str) -> WorldRecord:
        """Deletes a world, durable on return; it can be brought back for seven days."""
        with self._store.writing():
            record = replace(self.find(name), deleted_s=time.time())
            self._write(record)
        return record

    def undelete(self, name: str) -> WorldRecord:
        """Brings back the world of that name that was deleted last.

        Raises:
            NotFound: none was deleted in the last seven days.
            AlreadyExists: another world bears the name by now.
        """
        with self._store.writing():
            deleted = [r for r in self.records() if r.name == name and not self.is_forgotten(r) and r.deleted_s]
            if not deleted:
                raise NotFound(
                    f"no world {name!r} was deleted in the last 7 days; `world list --deleted` shows those there are.",
                    reason=Reason.WORLD_NOT_FOUND,
                    world=name,
                )
            self.require_free(name)
            record = replace(max(deleted, key=lambda r: r.deleted_s or 0), deleted_s=None)
            self._write(record)
        return record

    @staticmethod
    def is_forgotten(record: WorldRecord) -> bool:
        """Whether a world was deleted too long ago to be brought back."""
        return record.deleted_s is not None and time.time() - record.deleted_s > UNDELETE_WINDOW_S

    def require_free(self, name: str) -> None:
        """Raises AlreadyExists when a world bears the name."""
        if any(record.name == name and record.deleted_s is None for record in self.records()):
            raise AlreadyExists(
                f"a world {name!r} exists already; choose another name, or pass exist_ok=True to use it.", world=name
            )

    def add(self, record: WorldRecord) -> None:
        """Makes a world known whose heads are there already; the caller holds `store.writing()`."""
        self.require_free(record.name)
        self._write(record)

    def _write(self, record: WorldRecord) -> None:
        write_sealed(self._folder / record.world_id / "world.json", asdict(record))


def _read(path: Path) -> WorldRecord | NotFound | CorruptData:
    """Returns a world, or why there is none: `NotFound` when `collect` took it away while we looked."""
    try:
        value = read_sealed(path)
        return WorldRecord(latents=LatentSpec.from_dict(value.pop("latents")), **value)
    except (NotFound, CorruptData) as error:
        return error
