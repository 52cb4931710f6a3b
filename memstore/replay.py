"""Replay: what went in comes out again, as frames or as patches by id."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float32, Int64, Shaped, UInt8, UInt64

from memstore.codec import codec_for, has_codec
from memstore.errors import InvalidInput, NotFound, Reason
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.layer import LayerSegment
from memstore.patch import decode_normal, split_ids
from memstore.segment import Segment
from memstore.storage.store import Store
from memstore.stored import StoredPatches


class Replay:
    """Reads frames and patches back from the segments that a commit lists."""

    def __init__(self, store: Store, spec: LatentSpec) -> None:
        """Reads worlds whose latents are `spec`."""
        self._store = store
        self._spec = spec

    def frames(self, commit_id: str, start: int, stop: int | None) -> Iterator[Frame]:
        """Yields frames in the order of their ordinals, from `start` to before `stop`."""
        if start < 0 or (stop is not None and stop < 0):
            raise InvalidInput(f"frames counts from 0, got start {start} and stop {stop}.", field="start")
        for segment in self._recorded(commit_id):
            ordinals = segment.frames.ordinal
            first = int(np.searchsorted(ordinals, start))
            last = len(ordinals) if stop is None else int(np.searchsorted(ordinals, stop))
            for i in range(first, last):
                yield self._frame(segment, i)

    def patches(self, commit_id: str, ids: UInt64[np.ndarray, "n"]) -> StoredPatches:
        """Returns patches by id, in the order asked for.

        Raises:
            NotFound: some id names no patch of the commit's segments.
        """
        ids = np.ascontiguousarray(ids, np.uint64)
        ordinals, rows = split_ids(ids)
        segments = self._segments_of(commit_id, ids, ordinals, rows)
        stored = _empty(ids, self._spec)
        for ordinal, segment in segments.items():
            self._fill(stored, segment, np.flatnonzero(ordinals == ordinal), rows)
        return stored

    def _recorded(self, commit_id: str) -> Iterator[Segment]:
        """Yields the segments that cameras or models brought into this world, oldest first, each once."""
        commits, lists = self._store.commits, self._store.lists
        layers = [x for x in commits.layers(commits.read(commit_id)) if x.kind in ("observed", "generated")]
        listed = {LayerSegment.from_json(item).segment for x in layers for item in lists.items(x.segments)}
        recorded = {one for ordinal in listed for one in self._recorded_in(ordinal)}
        segments = [self._store.segments.open(ordinal) for ordinal in sorted(recorded)]
        yield from sorted(segments, key=lambda segment: int(segment.frames.ordinal[0]))

    def _recorded_in(self, ordinal: int) -> list[int]:
        """Returns the segment itself, or the segments that a flattened one stands for."""
        homes = self._store.segments.open(ordinal).homes
        return [ordinal] if homes is None else homes.recorded.tolist()

    def _frame(self, segment: Segment, i: int) -> Frame:
        payload = self._store.segments.payload(segment.ordinal)
        notes = self._store.segments.frame_rows(segment.ordinal)[i]
        latents = payload.frame_latents(i)
        rgb: UInt8[np.ndarray, "h w 3"] | None = None
        if has_codec(self._spec):
            rgb = codec_for(self._spec).decode(latents)
        return Frame(
            camera=segment.frames.camera(i),
            depth_m=_full_size(payload.frame_depth(i), self._spec.depth_stride),
            rgb=rgb,
            time_s=float(segment.frames.time_s[i]),
            moving=payload.frame_moving(i),
            latents=latents,
            caption=notes.caption,
            metadata=notes.metadata,
            ordinal=int(segment.frames.ordinal[i]),
        )

    def _segments_of(
        self,
        commit_id: str,
        ids: UInt64[np.ndarray, "n"],
        ordinals: Shaped[np.ndarray, "n"],
        rows: Shaped[np.ndarray, "n"],
    ) -> dict[int, Segment]:
        commits, lists = self._store.commits, self._store.lists
        layers = commits.layers(commits.read(commit_id))
        listed = {LayerSegment.from_json(item).segment for x in layers for item in lists.items(x.segments)}
        segments = {o: self._store.segments.open(o) for o in np.unique(ordinals).tolist() if o in listed}
        sizes = {ordinal: len(segment.patches) for ordinal, segment in segments.items()}
        missing = [int(i) for i, o, r in zip(ids, ordinals, rows, strict=True) if int(r) >= sizes.get(int(o), 0)]
        if missing:
            raise NotFound(
                f"{len(missing)} of {len(ids)} patch ids name no patch of this world, the first is {missing[0]}; ids "
                "come from mosaics of the same world.",
                reason=Reason.PATCH_NOT_FOUND,
                patch=missing[0],
            )
        return segments

    def _fill(
        self, stored: StoredPatches, segment: Segment, at: Int64[np.ndarray, "m"], rows: Shaped[np.ndarray, "n"]
    ) -> None:
        patches, mine = segment.patches, rows[at]
        sky = mine >= patches.surface_count
        frames, cells = patches.frame[mine], patches.cell[mine]
        stored.center[at] = patches.center[mine] + np.where(sky[:, None], 0.0, patches.origin)
        stored.radius[at] = patches.radius[mine]
        stored.normal[at] = decode_normal(patches.normal[mine])
        stored.ordinal[at] = segment.frames.ordinal[frames]
        stored.color[at] = patches.color[mine]
        stored.sky[at] = sky
        homes, places = segment.payload_of(frames)
        for home in np.unique(homes).tolist():
            mine = homes == home
            stored.latents[at[mine]] = self._store.segments.latents(home, places[mine], cells[mine])


def _empty(ids: UInt64[np.ndarray, "n"], spec: LatentSpec) -> StoredPatches:
    n = len(ids)
    return StoredPatches(
        ids=ids,
        center=np.empty((n, 3)),
        radius=np.empty(n, np.float32),
        normal=np.empty((n, 3), np.float32),
        ordinal=np.empty(n, np.int64),
        color=np.empty((n, 3), np.uint8),
        sky=np.empty(n, np.bool_),
        latents=np.empty((n, spec.values_per_patch), spec.dtype),
    )


def _full_size(depth_m: Float32[np.ndarray, "h w"], stride: int) -> Float32[np.ndarray, "H W"]:
    """Returns a depth map of the image's size; kept samples fill the pixels around them."""
    return np.repeat(np.repeat(depth_m, stride, axis=0), stride, axis=1) if stride > 1 else depth_m
