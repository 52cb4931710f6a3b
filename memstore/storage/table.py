"""One Lance table whose versions are durable once they are used. Only the catalog needs to know.

A change is made in two phases, so that a version that survives has its data:
    1. write new files; fsync them and their directory;
    2. commit a new version that names them; fsync the manifest and the directory of versions.
A crash within step 2 can leave the newest manifest torn: readers pass over it, and the next writer sets it aside.

A version lists all fragments, so its manifest grows by 107 bytes a fragment. Versions that an append replaced name
nothing that the newest lacks: they go with the next appends, by unlinking two small files (Lance's own cleaning reads
all manifests and takes a second at 1,000 fragments). Others stay for a grace, for readers that hold them open.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import lance
import pyarrow as pa
from lance.fragment import write_fragments
from lance.optimize import Compaction

from memstore.errors import CorruptData, MemstoreError, NotFound, Unavailable
from memstore.storage.durable import (
    disk_full,
    explain_os_errors,
    make_directory,
    remove_tree,
    sync_directory,
    sync_file,
    sync_tree,
)

_log = logging.getLogger("memstore")
_T = TypeVar("_T")

MANY_FRAGMENTS = 64
"""Compaction leaves a table of at most so many fragments alone."""
GRACE_S = 600.0
"""How long a version stays that names data which the newest lacks: a reader in another process may hold it open."""
MANY_VERSIONS = 64
"""Opening for writing cleans a table of more versions, as many short-lived writers leave behind."""
KEPT_VERSIONS = 8
"""Newest versions that always stay: one to fall back on, more so that a reader finds the one it is opening."""
COMPACT_ROWS = 16_384
"""Fragments of this many rows are left as they are, so that compaction does not write everything again each time."""


class Table:
    """One Lance table whose versions are durable once they are used."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._opened: Any = None
        self._replaced: set[int] = set()
        """Versions that an append of this process replaced: they name nothing that the newest lacks."""
        self._needed: set[int] = set()
        """Versions that are known to name what the newest lacks."""

    # Reading

    def read(self, look: Callable[[Any], _T]) -> _T:
        """Returns what `look` makes of the newest version known here, and of the newest of all when that fails."""
        try:
            return look(self._data())
        except (OSError, ValueError, RuntimeError):
            self.refresh()
        try:
            return look(self._data())
        except (OSError, ValueError, RuntimeError) as error:
            raise CorruptData(
                f"{self.path} cannot be read: {error}; run `memstore verify`.", file=str(self.path)
            ) from error

    def of_segment(self, ordinal: int) -> pa.Table:
        """Returns the rows of a segment.

        Raises:
            NotFound: there are none.
        """
        for attempt in (1, 2):
            rows = self.read(lambda data: data.to_table(filter=f"segment = {ordinal}"))
            if len(rows):
                return rows
            if attempt == 1:
                self.refresh()
        raise NotFound(f"segment {ordinal} has no rows in {self.path.name}; it was dropped or never finished.")

    def fragment_ids(self) -> list[int]:
        """Returns the ids of all fragments."""
        return self.read(lambda data: [fragment.fragment_id for fragment in data.get_fragments()])

    def fragment_rows(self, fragment: int) -> pa.Table | None:
        """Returns the rows of one fragment without looking at others, or `None` where there is no such fragment."""

        def look(data: Any) -> pa.Table | None:
            found = data.get_fragment(fragment)
            return None if found is None else found.to_table()

        rows = self.read(look)
        if rows is None:
            self.refresh()
            rows = self.read(look)
        return rows

    def owner(self, fragment: int) -> int:
        """Returns the segment of a fragment's first row."""
        first = self.read(lambda data: data.get_fragment(fragment).take([0], columns=["segment"]))
        return first["segment"][0].as_py()

    def refresh(self) -> None:
        """Looks at the newest sound version from now on."""
        self._opened = None

    def _data(self) -> Any:
        opened = self._opened  # another thread may refresh meanwhile
        if opened is None:
            opened, _ = self._newest_sound()
            self._opened = opened
        return opened

    # Versions

    def recover(self) -> None:
        """Makes the table where there is none, and sets torn versions aside."""
        data = self.path / "data"
        if not self._versions() and not (data.exists() and any(data.iterdir())):
            self._create()
        self._opened, torn = self._newest_sound()
        for version in torn:
            aside = self.path.parent / f"torn-{self.path.stem}-{version}-{int(time.time())}.manifest"
            self._manifest(version).rename(aside)
            _log.warning(
                "version %d of %s was torn by a crash; it is set aside as %s and version %d is used.",
                version,
                self.path,
                aside.name,
                self._opened.version,
            )
        if torn:
            sync_directory(self.path / "_versions")
            sync_directory(self.path.parent)
        if len(self._versions()) > MANY_VERSIONS:
            self.clean(GRACE_S)

    def _create(self) -> None:
        remove_tree(self.path)  # traces of a creation that a crash cut off
        make_directory(self.path.parent)
        with _explain_lance_errors(self.path, 0):
            lance.write_dataset(self._schema.empty_table(), str(self.path))
        sync_tree(self.path)
        sync_directory(self.path.parent)

    def _newest_sound(self) -> tuple[Any, list[int]]:
        """Returns the newest sound version, and the numbers of torn ones after it."""
        versions = self._versions()
        if not versions:
            raise NotFound(f"{self.path} is missing; open the database for writing to make it.", file=str(self.path))
        torn: list[int] = []
        for version, before in zip(versions, [*versions[1:], None], strict=True):
            if self._is_sound(version, before):
                return lance.dataset(str(self.path), version=version), torn
            if not self._manifest(version).exists():
                return self._newest_sound()  # the writer went on meanwhile: look again
            torn.append(version)
        raise CorruptData(f"{self.path} has no sound version; restore it from a copy.", file=str(self.path))

    def _is_sound(self, version: int, before: int | None) -> bool:
        """Whether a version can be read and the files that it added are whole.

        Older files are left to `verify`: they were durable once, and to roll back would lose more than it saves.
        """
        added = self._files(version)
        if added is None:
            return False
        known = self._files(before) if before is not None else added
        return all(_is_whole(self.path / name, size) for name, size in added - (known or set()))

    def _files(self, version: int) -> set[tuple[str, int | None]] | None:
        """Returns the files that a version names and their sizes, or `None` when it cannot be read."""
        try:
            fragments = [
                fragment.metadata for fragment in lance.dataset(str(self.path), version=version).get_fragments()
            ]
        except (OSError, ValueError, RuntimeError):
            return None
        data = {(f"data/{file.path}", file.file_size_bytes) for fragment in fragments for file in fragment.files}
        deletions = [(f.deletion_file.path(f.id), None) for f in fragments if f.deletion_file is not None]
        return data | set(deletions)

    def _versions(self) -> list[int]:
        """Returns the numbers of the versions on disk, newest first."""
        names = (self.path / "_versions").glob("*.manifest")
        return sorted((2**64 - 1 - int(path.stem) for path in names if path.stem.isdigit()), reverse=True)

    def _manifest(self, version: int) -> Path:
        return self.path / "_versions" / f"{2**64 - 1 - version:020d}.manifest"

    # Writing

    def append(self, rows: pa.Table) -> int:
        """Adds rows as one fragment, durable on return, and returns the fragment's id; -1 when there are no rows."""
        if not len(rows):
            return -1
        data = self._data()
        with _explain_lance_errors(self.path, rows.nbytes):
            fragments = write_fragments(rows, data, max_rows_per_file=len(rows))
            self._sync_files(file.path for fragment in fragments for file in fragment.files)
            self._commit(lance.LanceOperation.Append(fragments))
        self._replaced.add(data.version)
        self._forget([version for version in self._replaced if version <= data.version - KEPT_VERSIONS])
        return max(fragment.fragment_id for fragment in self._opened.get_fragments())

    def delete(self, segments: set[int]) -> None:
        """Removes the rows of segments, durable on return."""
        if not segments:
            return
        condition = f"segment IN ({', '.join(map(str, sorted(segments)))})"
        with _explain_lance_errors(self.path, 0):
            before = {fragment.fragment_id: fragment for fragment in self._data().get_fragments()}
            after = {name: fragment.delete(condition) for name, fragment in before.items()}
            gone = [name for name, left in after.items() if left is None]
            changed = [left for name, left in after.items() if left is not None and left != before[name].metadata]
            if (self.path / "_deletions").exists():
                sync_tree(self.path / "_deletions")
                sync_directory(self.path)
            if gone or changed:
                self._commit(lance.LanceOperation.Delete(changed, gone, condition))

    def delete_fragments(self, fragments: Iterable[int]) -> None:
        """Removes whole fragments, durable on return."""
        gone = list(fragments)
        if gone:
            with _explain_lance_errors(self.path, 0):
                self._commit(lance.LanceOperation.Delete([], gone, "segment was dropped"))

    def compact(self) -> None:
        """Writes small fragments together when there are many."""
        data = self._data()
        if len(data.get_fragments()) <= MANY_FRAGMENTS:
            return
        with _explain_lance_errors(self.path, 0):
            plan = Compaction.plan(data, {"target_rows_per_fragment": COMPACT_ROWS})
            before = set(os.listdir(self.path / "data"))
            done = [task.execute(data) for task in plan.tasks]
            self._sync_files(set(os.listdir(self.path / "data")) - before)
            if done:
                Compaction.commit(data, done)
                self._adopt(lance.dataset(str(self.path)))

    def clean(self, grace_s: float) -> None:
        """Removes versions that nobody needs, what only they name, and what crashed writes left."""
        self._forget(self._spare(self._versions()))
        before, versions = time.time() - grace_s, self._versions()
        pairs = zip(versions[2:], versions[1:], strict=False)
        old = [version for version, newer in pairs if self._manifest(newer).stat().st_mtime < before]
        if old:
            with _explain_lance_errors(self.path, 0):
                # Only the holder of the writer's lock comes here, so an unlisted file is garbage and not on its way.
                self._data().cleanup_old_versions(versions=old, delete_unverified=True)

    def _spare(self, versions: list[int]) -> list[int]:
        """Returns those of the versions that may go at once; each is looked into only once."""
        unknown = [version for version in versions[KEPT_VERSIONS:] if version not in self._replaced | self._needed]
        newest = (self._files(versions[0]) or set()) if unknown else set[tuple[str, int | None]]()
        self._needed.update(version for version in unknown if not (self._files(version) or set()) <= newest)
        return [version for version in versions[KEPT_VERSIONS:] if version not in self._needed]

    def _forget(self, versions: Iterable[int]) -> None:
        """Removes versions that name nothing that the newest lacks: whoever holds one open reads on."""
        for version in versions:
            self._manifest(version).unlink(missing_ok=True)
            for transaction in (self.path / "_transactions").glob(f"{version - 1}-*.txn"):
                transaction.unlink(missing_ok=True)
            self._replaced.discard(version)

    def _commit(self, operation: Any) -> None:
        data = self._data()
        self._adopt(lance.LanceDataset.commit(data, operation, read_version=data.version))

    def _adopt(self, committed: Any) -> None:
        sync_file(self._manifest(committed.version))
        sync_directory(self.path / "_versions")
        self._opened = committed

    def _sync_files(self, names: Iterable[str]) -> None:
        for name in names:
            sync_file(self.path / "data" / name)
        sync_directory(self.path / "data")


def _is_whole(path: Path, size: int | None) -> bool:
    """Whether a file is there, of its size and with its end."""
    try:
        with path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            end = file.read(4)
            return size is None or (file.tell() == size and end == b"LANC")
    except OSError:
        return False


_DISK_FULL = ("os error 28", "os error 122", "No space left", "quota exceeded")


@contextmanager
def _explain_lance_errors(path: Path, byte_count: int) -> Generator[None]:
    """Turns what Lance raises while writing into errors that say what to do."""
    try:
        with explain_os_errors(path, byte_count):
            yield
    except (ValueError, RuntimeError, MemstoreError) as error:
        # Lance passes the kernel's words on as text, in errors of several kinds, some of them OSErrors
        # without a number.
        words = f"{error} {error.__cause__}"
        if any(full in words for full in _DISK_FULL):
            raise disk_full(path, byte_count) from error
        if isinstance(error, MemstoreError):
            raise
        raise Unavailable(f"{path} cannot be written: {error}.") from error
