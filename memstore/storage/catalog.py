"""The catalog: tables of segments, frames and patches, one fragment a segment, searchable by SQL.

A segment's rows are added to `patches`, to `frames` (to `homes`, of a gathered one) and, last, to `segments`: one
without a row there was never finished, and what it left in the others is garbage. Geometry is read by fragment: 1 to
2 ms however many there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import lancedb

from memstore.errors import CorruptData, InvalidInput, NotFound
from memstore.frame import Scalar
from memstore.patch import Patches, SourceFrames
from memstore.segment import Homes
from memstore.storage.rows import (
    FRAMES,
    HOMES,
    PATCHES,
    SEGMENTS,
    FrameRow,
    SegmentRow,
    frame_rows,
    frame_table,
    home_table,
    homes_from,
    patch_table,
    patches_from,
    segment_rows,
    segment_table,
    source_frames,
)
from memstore.storage.table import GRACE_S, Table

MAINTAIN_EVERY = 64
"""Appends from one `maintain` to the next."""


class Catalog:
    """The tables of one database, below one directory. One process writes, any number read."""

    def __init__(self, directory: Path) -> None:
        """Opens nothing yet."""
        self.directory = directory
        self._patches = Table(directory / "patches.lance", PATCHES)
        self._frames = Table(directory / "frames.lance", FRAMES)
        self._homes = Table(directory / "homes.lance", HOMES)
        self._segments = Table(directory / "segments.lance", SEGMENTS)
        self._writing = threading.RLock()
        self._appends = 0

    @property
    def _tables(self) -> tuple[Table, ...]:
        return self._patches, self._frames, self._homes, self._segments

    def recover(self) -> None:
        """Makes the tables that are missing and sets torn versions aside; for the one writer, before it writes.

        Raises:
            CorruptData: a table has no sound version left.
        """
        with self._writing:
            for table in self._tables:
                table.recover()

    def append(
        self,
        row: SegmentRow,
        patches: Patches,
        frames: SourceFrames,
        captions: Sequence[str],
        metadata: Sequence[Mapping[str, Scalar]],
    ) -> None:
        """Adds the rows of one segment, durable on return.

        Raises:
            ResourceLimit: the disk is full; what was there before is as it was.
        """
        rows = frame_table(row.segment, row.world_id, frames, captions, metadata)
        self._append(row, patches, lambda: self._frames.append(rows))

    def append_gathered(self, row: SegmentRow, patches: Patches, homes: Homes) -> None:
        """Adds the rows of a gathered segment, durable on return: its frames have rows already. Errors as `append`."""
        rows = home_table(row.segment, homes)
        self._append(row, patches, lambda: self._homes.append(rows))

    def _append(self, row: SegmentRow, patches: Patches, append_frames: Callable[[], object]) -> None:
        with self._writing:
            fragment = self._patches.append(patch_table(row.segment, patches))
            append_frames()
            self._segments.append(segment_table(replace(row, fragment=fragment)))
            self._appends += 1
            if self._appends % MAINTAIN_EVERY == 0:
                self.maintain()

    def segments(self) -> list[SegmentRow]:
        """Returns all segments, in the order of their ordinals."""
        self._segments.refresh()
        with _garbled_is_corrupt(self._segments):
            rows = segment_rows(self._segments.read(lambda data: data.to_table()))
        return sorted(rows, key=lambda row: row.segment)

    def segment(self, ordinal: int) -> SegmentRow:
        """Returns one segment.

        Raises:
            NotFound: it has no row.
            CorruptData: its row is garbled.
        """
        with _garbled_is_corrupt(self._segments):
            return segment_rows(self._segments.of_segment(ordinal))[0]

    def frames_of(self, ordinal: int) -> list[FrameRow]:
        """Returns the frames of a segment in order. Errors as `segment`."""
        with _garbled_is_corrupt(self._frames):
            return frame_rows(self._frames.of_segment(ordinal))

    def source_frames(self, ordinal: int) -> SourceFrames:
        """Returns the cameras of a segment, bit for bit as written. Errors as `segment`."""
        with _garbled_is_corrupt(self._frames):
            return source_frames(self._frames.of_segment(ordinal))

    def homes(self, ordinal: int) -> Homes:
        """Returns where the patches of a gathered segment come from. Errors as `segment`."""
        with _garbled_is_corrupt(self._homes):
            return homes_from(self._homes.of_segment(ordinal))

    def patches(self, ordinal: int) -> Patches:
        """Returns the patches of a segment, bit for bit as written, read from their fragment alone.

        Raises:
            NotFound: the segment has no row.
            CorruptData: its rows are gone or not its own.
        """
        row = self.segment(ordinal)
        rows = self._patches.fragment_rows(row.fragment) if row.patch_count else PATCHES.empty_table()
        if rows is None or len(rows) != row.patch_count or set(rows["segment"].unique().to_pylist()) - {ordinal}:
            raise CorruptData(
                f"the patch rows of segment {ordinal} are not those that were written; restore {self._patches.path}, "
                "or keep to the geometry file, which is the other copy.",
                file=str(self._patches.path),
                segment=ordinal,
            )
        with _garbled_is_corrupt(self._patches):
            return patches_from(rows, row.origin)

    def frames(self, where: str | None, world_id: str | None, limit: int) -> list[FrameRow]:
        """Returns frames for people, by an SQL condition on the columns of `FRAMES`.

        Frames of segments that no commit came to name may be among them until `collect`.

        Raises:
            InvalidInput: `where` is no condition on these columns.
        """
        conditions = [f"({where})"] if where else []
        if world_id is not None:
            conditions.append("world_id = '" + world_id.replace("'", "''") + "'")
        try:
            search = lancedb.connect(str(self.directory)).open_table("frames").search()
            found = (search.where(" AND ".join(conditions)) if conditions else search).limit(limit).to_arrow()
        except (ValueError, RuntimeError, OSError) as error:
            raise InvalidInput(
                f"frames cannot be searched by {where!r}: {error}; use SQL on {', '.join(FRAMES.names)}.", field="where"
            ) from error
        # Checked again outside the SQL: no condition, however written, reaches into another world.
        return [row for row in frame_rows(found.select(FRAMES.names)) if world_id in (None, row.world_id)]

    def drop(self, ordinals: Iterable[int]) -> None:
        """Removes the rows of segments, finished or not, durable on return; the space comes back with `maintain`."""
        doomed = set(ordinals)
        with self._writing:
            owned = {row.fragment: row.segment for row in self.segments()}
            # The row that makes a segment whole goes first: a stop half-way leaves garbage and no half segment.
            self._segments.delete(doomed)
            self._frames.delete(doomed)
            self._homes.delete(doomed)
            self._patches.delete_fragments(
                fragment
                for fragment in self._patches.fragment_ids()
                if (owned[fragment] if fragment in owned else self._patches.owner(fragment)) in doomed
            )

    def maintain(self, grace_s: float = GRACE_S) -> None:
        """Compacts the small tables and removes old versions and what only they name; safe at any time.

        Cleaning goes first: what a compaction replaces stays for the grace, counted from now.
        """
        with self._writing:
            for table in self._tables:
                table.clean(grace_s)
            for table in (self._frames, self._homes, self._segments):
                table.compact()


@contextmanager
def _garbled_is_corrupt(table: Table) -> Generator[None]:
    """Turns whatever comes of rows that make no sense into CorruptData: Lance keeps no checksums."""
    try:
        yield
    except (CorruptData, NotFound):
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CorruptData(
            f"{table.path} holds rows that make no sense ({error}); restore it from a copy.", file=str(table.path)
        ) from error
