"""The segments of a database on disk: each a folder of payload and geometry, and its rows in the catalog.

    <root>/segments/next                               the next ordinal, never given out twice
    <root>/segments/<8 digits>/payload/                latents, depth and masks (Zarr)
    <root>/segments/<8 digits>/geometry.safetensors    patches, blocks and source frames
    <root>/tables/                                     rows for people, for search and for making geometry again

A write goes payload, geometry, rows, each durable before the next begins; only then may a commit name the segment. A
crash on the way leaves a folder or rows that nothing names, and `remove` takes both away.
A gathered segment has no payload and no rows in `frames`: both are those of its homes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import google_crc32c
import numpy as np
from jaxtyping import Float32, Integer, Shaped

from memstore.errors import (
    AlreadyExists,
    CorruptData,
    FailedPrecondition,
    Internal,
    MemstoreError,
    NotFound,
)
from memstore.gather import pick_frames
from memstore.index import arrange
from memstore.latent import LatentSpec
from memstore.patch import Patches, SourceFrames
from memstore.segment import Blocks, Homes, Segment
from memstore.storage.catalog import Catalog
from memstore.storage.durable import REMOVED, remove_tree, write_file
from memstore.storage.geometry import Geometry, digest, encode_geometry, gathered_digest, read_geometry
from memstore.storage.new_segment import GatheredSegment, NewSegment
from memstore.storage.payload import PayloadReader, write_payload
from memstore.storage.rows import FrameRow, SegmentRow
from memstore.storage.table import GRACE_S

FIRST_ORDINAL = 1
OPEN_SEGMENTS = 8_192
"""Geometry files kept mapped; a map costs address space and no descriptor."""
OPEN_PAYLOADS = 1_024
"""Payloads kept mapped, each of up to three arrays (Linux allows 65,530 maps a process)."""
CACHED_FRAME_ROWS = 256


@dataclass(frozen=True)
class SegmentProblem:
    """Something stored of a segment is not as it was written."""

    file: str
    """The file, or the table."""
    message: str
    """What is wrong and what to do."""


@dataclass(frozen=True)
class SegmentTotals:
    """All finished segments together."""

    segment_count: int
    """Segments."""
    patch_count: int
    """Patches."""


class SegmentStore:
    """The segments below a root. Reading is safe from any thread and process; one process writes.

    It is itself the reader that `compose` takes latents and depths from.
    """

    def __init__(self, root: Path) -> None:
        """Opens nothing yet."""
        self.root = root / "segments"
        self.catalog = Catalog(root / "tables")
        self._allocating = threading.Lock()
        self._geometry = lru_cache(OPEN_SEGMENTS)(self._read_geometry)
        self._payload = lru_cache(OPEN_PAYLOADS)(self._read_payload)
        self._frame_rows = lru_cache(CACHED_FRAME_ROWS)(self._read_frame_rows)

    # Reading

    def open(self, ordinal: int) -> Segment:
        """Returns a segment, memory-mapped.

        Raises:
            NotFound: there is no such segment.
            CorruptData: its geometry file is truncated or garbled; `rebuild` makes it again.
        """
        return self._geometry(ordinal).segment

    def payload(self, ordinal: int) -> PayloadReader:
        """Returns the payload of a segment, memory-mapped. Errors as `open`."""
        return self._payload(ordinal)

    def latents(
        self, segment: int, frames: Integer[np.ndarray, "n"], cells: Integer[np.ndarray, "n"]
    ) -> Shaped[np.ndarray, "n l"]:
        """Returns the token-major latents of patches of one segment."""
        return self.payload(segment).latents(frames, cells)

    def depths(
        self, segment: int, frames: Integer[np.ndarray, "n"], cells: Integer[np.ndarray, "n"]
    ) -> Float32[np.ndarray, "n d"]:
        """Returns the depth samples of patches of one segment, metres."""
        return self.payload(segment).depths(frames, cells)

    def frame_rows(self, ordinal: int) -> tuple[FrameRow, ...]:
        """Returns what is noted of each frame of a segment: captions, metadata, time and camera."""
        return self._frame_rows(ordinal)

    def homes(self, ordinal: int) -> Homes | None:
        """Returns where a gathered segment's patches come from, as its geometry or else its rows say; `None` of others.

        Raises:
            NotFound, CorruptData: neither can say.
        """
        try:
            return self.open(ordinal).homes
        except (NotFound, CorruptData):
            return self.catalog.homes(ordinal) if self.catalog.segment(ordinal).is_gathered else None

    def listed(self) -> list[int]:
        """Returns the ordinals of all segments on disk, finished or not."""
        if not self.root.exists():
            return []
        return sorted(int(path.name) for path in self.root.iterdir() if path.name.isdigit() and path.is_dir())

    def written_s(self, ordinal: int) -> float:
        """Returns when a segment was last written to, seconds since 1970."""
        return self._directory(ordinal).stat().st_mtime

    def bytes_on_disk(self, ordinal: int) -> int:
        """Returns the bytes of a segment's own files."""
        return sum(path.stat().st_size for path in self._directory(ordinal).rglob("*") if path.is_file())

    def totals(self) -> SegmentTotals:
        """Returns how much the finished segments hold; nothing before the first write."""
        try:
            rows = self.catalog.segments()
        except NotFound:
            rows = []
        return SegmentTotals(len(rows), sum(row.patch_count for row in rows if not row.is_gathered))

    # Writing

    def recover(self) -> None:
        """Sets right what a crash left; for the one writer, before it writes.

        Raises:
            CorruptData: a table or the counter of ordinals is beyond help.
        """
        self.catalog.recover()
        for leaving in self.root.glob(f"*{REMOVED}"):
            remove_tree(leaving)
        self._next_ordinal()

    def allocate(self) -> int:
        """Returns an ordinal that no segment ever had or will have, whatever happens next."""
        with self._allocating:
            ordinal = self._next_ordinal()
            write_file(self.root / "next", str(ordinal + 1).encode())
        return ordinal

    def write(self, ordinal: int, new: NewSegment) -> int:
        """Writes a segment, durable on return, and returns its bytes on disk.

        Raises:
            AlreadyExists: that ordinal is taken; use `allocate`.
            InvalidInput: the parts do not fit each other.
            ResourceLimit: the disk is full; nothing names what was written.
        """
        directory = self._directory(ordinal)
        if directory.exists():
            raise AlreadyExists(f"segment {ordinal} exists already; take a new ordinal with allocate().")
        try:
            payload_bytes = write_payload(directory / "payload", new.tokens, new.depth_m, new.moving, new.spec)
            write_file(
                self._geometry_file(ordinal), self._encode(ordinal, new.patches, new.blocks, new.frames, new.spec)
            )
        except MemstoreError:
            remove_tree(directory)
            raise
        self.catalog.append(new.row(ordinal, payload_bytes), new.patches, new.frames, new.captions, new.metadata)
        return self.bytes_on_disk(ordinal)

    def write_gathered(self, ordinal: int, new: GatheredSegment) -> int:
        """Writes a segment without a payload, durable on return, and returns its bytes on disk. Raises as `write`."""
        directory, file = self._directory(ordinal), self._geometry_file(ordinal)
        if directory.exists():
            raise AlreadyExists(f"segment {ordinal} exists already; take a new ordinal with allocate().")
        try:
            write_file(file, encode_geometry(new.patches, new.blocks, new.frames, new.spec, {}, new.homes))
        except MemstoreError:
            remove_tree(directory)
            raise
        self.catalog.append_gathered(new.row(ordinal), new.patches, new.homes)
        return self.bytes_on_disk(ordinal)

    def remove(self, ordinals: Iterable[int]) -> None:
        """Removes segments and their rows; the caller knows that nothing names them."""
        ordinals = list(ordinals)
        if not ordinals:
            return
        # Rows first: the folder is what `listed` finds, so that a stop half-way is gone on with.
        self.catalog.drop(ordinals)
        self._forget()
        for ordinal in ordinals:
            remove_tree(self._directory(ordinal))

    def maintain(self, grace_s: float = GRACE_S) -> None:
        """Cleans and compacts the tables; what readers elsewhere hold open stays for the grace."""
        self.catalog.maintain(grace_s)

    def close(self) -> None:
        """Lets go of maps; arrays that are still in use keep theirs."""
        self._forget()

    # Checking and mending

    def verify(self, ordinal: int) -> list[SegmentProblem]:
        """Takes every checksum of a segment and compares its rows, and returns what is wrong."""
        checks = (self._verify_geometry, self._verify_metadata, self._verify_payload, self._verify_rows)
        problems: list[SegmentProblem] = []
        for check in checks:
            try:
                check(ordinal)
            except (CorruptData, NotFound) as error:
                problems.append(SegmentProblem(str(error.details.get("file", self._directory(ordinal))), str(error)))
        return problems

    def rebuild(self, ordinal: int) -> None:
        """Makes the geometry file of a segment again from its rows, with columns equal to the bit.

        Raises:
            FailedPrecondition: the geometry file is sound.
            CorruptData: the rows are no longer those that were written.
        """
        if self._is_geometry_sound(ordinal):
            raise FailedPrecondition(f"the geometry of segment {ordinal} is sound; there is nothing to rebuild.")
        row = self.catalog.segment(ordinal)
        patches, homes = self._rows(row)
        arranged, blocks = arrange(patches)
        if self._digest(row.segment, arranged, homes) != row.digest:
            raise Internal(f"patches of segment {ordinal} come out of arrange in another order; please report it.")
        frames = self.catalog.source_frames(ordinal) if homes is None else self._frames_at(homes)
        write_file(self._geometry_file(ordinal), self._encode(ordinal, patches, blocks, frames, row.spec, homes))
        self._forget()

    def _is_geometry_sound(self, ordinal: int) -> bool:
        try:
            self._verify_geometry(ordinal)
        except (CorruptData, NotFound):
            return False
        return True

    def _verify_geometry(self, ordinal: int) -> None:
        self._read_geometry(ordinal).file.verify()

    def _verify_metadata(self, ordinal: int) -> None:
        for name, expected in self._read_geometry(ordinal).payload_checksums.items():
            path = self._directory(ordinal) / name
            if not path.exists() or google_crc32c.value(path.read_bytes()) != expected:
                raise CorruptData(f"{path} is not what was written; restore it from a copy.", file=str(path))

    def _verify_payload(self, ordinal: int) -> None:
        homes = self.homes(ordinal)
        if homes is not None:
            self._verify_homes(ordinal, homes)
            return
        for problem in self._read_payload(ordinal).problems():
            raise problem

    def _verify_homes(self, ordinal: int, homes: Homes) -> None:
        frames = self._frames_at(homes)
        mine = self._read_geometry(ordinal).segment.frames
        if any(not np.array_equal(getattr(mine, name), value) for name, value in vars(frames).items()):
            raise CorruptData(
                f"segment {ordinal} has other cameras than the segments whose frames it holds; restore {self.root} "
                "from a copy.",
                file=str(self._geometry_file(ordinal)),
            )

    def _frames_at(self, homes: Homes) -> SourceFrames:
        """Returns the frames that a gathered segment refers to, read from their homes.

        Raises:
            NotFound, CorruptData: a home is gone, or has no such frame.
        """
        frames = {home: self.open(home).frames for home in homes.segments()}
        lasts = [len(frames[home]) for home in homes.segment.tolist()]
        if (homes.frame >= np.array(lasts)).any():
            raise CorruptData(
                f"a gathered segment refers to frames that its homes {homes.segments()} lack; run `memstore verify`."
            )
        places = homes.frame.astype(np.int64)[:, None]
        return pick_frames([(frames[home], place) for home, place in zip(homes.segment.tolist(), places, strict=True)])

    def _verify_rows(self, ordinal: int) -> None:
        self._rows(self.catalog.segment(ordinal))

    def _rows(self, row: SegmentRow) -> tuple[Patches, Homes | None]:
        patches = self.catalog.patches(row.segment)
        homes = self.catalog.homes(row.segment) if row.is_gathered else None
        if self._digest(row.segment, patches, homes) != row.digest:
            raise CorruptData(
                f"the rows of segment {row.segment} are not what was written; restore the tables from a copy.",
                file=str(self.catalog.directory),
            )
        return patches, homes

    def _digest(self, ordinal: int, patches: Patches, homes: Homes | None) -> int:
        if homes is not None:
            return gathered_digest(patches, homes)
        frames, noted = self.catalog.source_frames(ordinal), self.catalog.frames_of(ordinal)
        return digest(patches, frames, [row.caption for row in noted], [row.metadata for row in noted])

    # Files

    def _directory(self, ordinal: int) -> Path:
        return self.root / f"{ordinal:08d}"

    def _geometry_file(self, ordinal: int) -> Path:
        return self._directory(ordinal) / "geometry.safetensors"

    def _read_geometry(self, ordinal: int) -> Geometry:
        return read_geometry(self._geometry_file(ordinal), ordinal)

    def _read_payload(self, ordinal: int) -> PayloadReader:
        return PayloadReader(self._directory(ordinal) / "payload", self._geometry(ordinal).spec)

    def _read_frame_rows(self, ordinal: int) -> tuple[FrameRow, ...]:
        homes = self.homes(ordinal)
        if homes is None:
            return tuple(self.catalog.frames_of(ordinal))
        return tuple(self.frame_rows(home)[i] for home, i in zip(homes.segment.tolist(), homes.frame, strict=True))

    def _encode(
        self,
        ordinal: int,
        patches: Patches,
        blocks: Blocks,
        frames: SourceFrames,
        spec: LatentSpec,
        homes: Homes | None = None,
    ) -> bytes:
        directory = self._directory(ordinal)
        metadata = sorted((directory / "payload").rglob("zarr.json"))
        checksums = {str(path.relative_to(directory)): google_crc32c.value(path.read_bytes()) for path in metadata}
        return encode_geometry(patches, blocks, frames, spec, checksums, homes)

    def _next_ordinal(self) -> int:
        path = self.root / "next"
        listed = self.listed()
        try:
            return int(path.read_bytes())
        except (FileNotFoundError, ValueError) as error:
            if isinstance(error, FileNotFoundError) and not listed:
                return FIRST_ORDINAL
            raise CorruptData(
                f"{path} is missing or garbled, so no new segment can be numbered; restore it from a copy, or write a "
                f"number there that is larger than any ordinal ever used (on disk: up to {max(listed, default=0)}).",
                file=str(path),
            ) from error

    def _forget(self) -> None:
        for cache in (self._geometry, self._payload, self._frame_rows):
            cache.cache_clear()
