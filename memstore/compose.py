"""Compose: visible patches, their source frames and their payload become a mosaic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int64, Shaped, UInt8, UInt16, UInt32, UInt64

from memstore.camera import Camera
from memstore.latent import LatentSpec
from memstore.mosaic import Content, Mosaic, SourceViews, tokens_of
from memstore.segment import Entry, Scene
from memstore.visibility import Visible

FRAME_BITS = 16


@runtime_checkable
class PayloadReader(Protocol):
    """Where the latents and depths of patches are read from."""

    def latents(
        self, segment: int, frames: UInt16[np.ndarray, "n"], cells: UInt32[np.ndarray, "n"]
    ) -> Shaped[np.ndarray, "n l"]:
        """Returns the token-major latents of patches; cells are row * columns + column."""
        ...

    def depths(
        self, segment: int, frames: UInt16[np.ndarray, "n"], cells: UInt32[np.ndarray, "n"]
    ) -> Float32[np.ndarray, "n d"]:
        """Returns the planar depth samples of patches in metres, row-major within a patch."""
        ...


def compose(
    scene: Scene, visible: Visible, camera: Camera, spec: LatentSpec, commit: str, reader: PayloadReader | None
) -> Mosaic:
    """Returns the mosaic of what `camera` sees.

    Args:
        scene: what the visible patches were found in.
        visible: the patches, sorted by token, best first.
        camera: the target camera.
        spec: what the world's latents are.
        commit: the commit that the scene shows.
        reader: where latents and depths come from; `None` leaves them out.
    """
    token = tokens_of(visible.uv, spec.token_px, visible.coverage.shape)
    order = np.argsort(token, kind="stable")  # a float32 pixel can round over the border of its token
    rows = _Rows.of(scene, visible.entry[order], visible.row[order])
    views, source = np.unique(rows.entry.astype(np.int64) << FRAME_BITS | rows.frame, return_inverse=True)
    return Mosaic(
        camera=camera,
        spec=spec,
        commit=commit,
        ids=rows.ids,
        layer=rows.layer,
        layers=scene.layers,
        uv=visible.uv[order],
        depth_m=visible.depth_m[order],
        radius_px=visible.radius_px[order],
        color=rows.color,
        source=source.astype(np.int32),
        cell=rows.grid_cell,
        sources=_source_views(scene, views >> FRAME_BITS, views & (2**FRAME_BITS - 1)),
        coverage=visible.coverage,
        content=None if reader is None else _content(spec, rows, reader),
    )


@dataclass(frozen=True, eq=False)
class _Rows:
    """What the segments know of n patches, gathered in the order asked for."""

    entry: UInt32[np.ndarray, "n"]
    """Position in the scene's entries."""
    segment: UInt32[np.ndarray, "n"]
    """Segment whose payload holds the patch."""
    layer: UInt32[np.ndarray, "n"]
    """Position in the scene's layers."""
    ids: UInt64[np.ndarray, "n"]
    """Patch ids."""
    frame: UInt16[np.ndarray, "n"]
    """Source frame, counted from the first of the entry's segment."""
    home_frame: UInt16[np.ndarray, "n"]
    """Source frame, counted from the first of the segment that holds the payload."""
    cell: UInt32[np.ndarray, "n"]
    """Place in the source frame's token grid, row * columns + column."""
    grid_cell: UInt32[np.ndarray, "n 2"]
    """The same as row and column."""
    color: UInt8[np.ndarray, "n 3"]
    """Mean colour."""

    @classmethod
    def of(cls, scene: Scene, entry: UInt32[np.ndarray, "n"], row: UInt32[np.ndarray, "n"]) -> _Rows:
        """Gathers rows of the scene's segments, one entry at a time."""
        n = len(row)
        rows = cls(
            entry=entry,
            segment=np.empty(n, np.uint32),
            layer=np.empty(n, np.uint32),
            ids=np.empty(n, np.uint64),
            frame=np.empty(n, np.uint16),
            home_frame=np.empty(n, np.uint16),
            cell=np.empty(n, np.uint32),
            grid_cell=np.empty((n, 2), np.uint32),
            color=np.empty((n, 3), np.uint8),
        )
        for position, at in _runs(entry):
            rows._fill(scene.entries[position], at, row[at])
        return rows

    def _fill(self, entry: Entry, at: Int64[np.ndarray, "k"], row: UInt32[np.ndarray, "k"]) -> None:
        patches = entry.segment.patches
        self.layer[at] = entry.layer
        self.ids[at] = entry.segment.ids(row)
        self.frame[at] = patches.frame[row]
        self.segment[at], self.home_frame[at] = entry.segment.payload_of(self.frame[at])
        self.cell[at] = patches.cell[row]
        self.grid_cell[at] = np.column_stack(np.divmod(self.cell[at], np.uint32(entry.segment.token_columns)))
        self.color[at] = patches.color[row]


def _source_views(scene: Scene, entry: Int64[np.ndarray, "s"], frame: Int64[np.ndarray, "s"]) -> SourceViews:
    """Returns the frames of entries as they stand once the entries' placements have carried them along."""
    s = len(entry)
    segment, ordinal = np.empty(s, np.uint32), np.empty(s, np.int64)
    intrinsics, size = np.empty((s, 4)), np.empty((s, 2), np.int32)
    camera_to_world, scale, sky = np.empty((s, 4, 4)), np.empty(s), np.empty(s, np.bool_)
    for position, at in _runs(entry):
        source, frames, here = scene.entries[position], scene.entries[position].segment.frames, frame[at]
        segment[at] = source.segment.payload_of(here.astype(np.uint16))[0]
        ordinal[at] = frames.ordinal[here] + source.ordinal_offset
        intrinsics[at], size[at] = frames.intrinsics[here], (frames.width, frames.height)
        camera_to_world[at] = _placed(source, frames.camera_to_world[here])
        scale[at], sky[at] = source.placement.scale, source.sky
    return SourceViews(segment, ordinal, intrinsics, size, camera_to_world, scale, sky)


def _placed(entry: Entry, camera_to_world: Float64[np.ndarray, "k 4 4"]) -> Float64[np.ndarray, "k 4 4"]:
    """Returns cameras of one entry after its placement: sky turns with it, and neither moves nor grows."""
    placement = entry.placement
    camera_to_world[:, :3, :3] = placement.rotation @ camera_to_world[:, :3, :3]
    if not entry.sky:
        camera_to_world[:, :3, 3] = placement.apply(camera_to_world[:, :3, 3])
    return camera_to_world


def _content(spec: LatentSpec, rows: _Rows, reader: PayloadReader) -> Content:
    """Reads the payload a segment at a time, into one array in the mosaic's order."""
    n = len(rows.ids)
    latents = np.empty((n, spec.values_per_patch), spec.dtype)
    depth_m = np.empty((n, spec.depths_per_side**2), np.float32)
    for segment, at in _runs(rows.segment):
        latents[at] = reader.latents(segment, rows.home_frame[at], rows.cell[at])
        depth_m[at] = reader.depths(segment, rows.home_frame[at], rows.cell[at])
    return Content(latents, depth_m)


def _runs(key: UInt32[np.ndarray, "n"] | Int64[np.ndarray, "n"]) -> Iterator[tuple[int, Int64[np.ndarray, "k"]]]:
    """Yields each value of `key` with the places that hold it."""
    order = np.argsort(key, kind="stable")
    values, starts = np.unique(key[order], return_index=True)
    yield from zip(values.tolist(), np.split(order, starts[1:]), strict=True) if len(key) else ()
