"""Gathering: what a layer shows of many segments, as one segment.

An object that people moved shows a few hundred rows each of dozens of segments. Searched one by one, every such
segment costs as much as a whole one; gathered, they cost what they show. Each frame knows the payload that it lies in.
In memory each row knows the patch that it is; on disk (`flatten.py`) the rows are patches in their own right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt16, UInt32

from memstore.index import arrange, morton, order_of
from memstore.patch import MAX_FRAMES_PER_SEGMENT, Patches, SourceFrames
from memstore.segment import Homes, Segment

LASTING_REACH_M, REACH_M = 32.0, 128.0
"""How far apart, along an axis, segments are gathered for ever, and in memory: float32 is exact to 2 and to 8
micrometres there. Every entry costs a retrieval 0.2 ms, whatever it holds, so fewer and wider ones are faster."""
Places = UInt16[np.ndarray, "_"] | Int64[np.ndarray, "_"]
"""Frames of a segment, by their place in it."""
_FRAME_BITS = 16


@dataclass(frozen=True, eq=False)
class Share:
    """Some rows of one segment: surfaces or sky, never both."""

    segment: Segment
    """The segment."""
    rows: UInt32[np.ndarray, "n"]
    """The rows, increasing, at least one."""
    hidden_from: UInt32[np.ndarray, "n"]
    """Per row the frame ordinal from which it is hidden, NEVER_HIDDEN for never."""

    def take(self, places: Int64[np.ndarray, "k"]) -> Share:
        """Returns the share of the rows at these places."""
        return Share(self.segment, self.rows[places], self.hidden_from[places])


def gather(shares: Sequence[Share], *, sky: bool) -> tuple[Segment, UInt32[np.ndarray, "n"]]:
    """Returns one segment of all the rows, and the `hidden_from` of each of its rows.

    The shares are alike (`alike`). Centres move to an origin amid theirs, which rounds those within 32 m of their own
    by up to 2e-6 m, of which a lens of 500 pixels sees less than 1e-3 of a pixel from a metre on; within 128 m four
    times that.
    """
    frames, frame, homes = _frames(shares)
    patches = _patches(shares, frame, sky)
    order = order_of(patches)
    arranged, blocks = arrange(patches)
    ids = np.concatenate([share.segment.ids(share.rows) for share in shares])
    hidden = np.concatenate([share.hidden_from for share in shares])
    first = shares[0].segment
    homed = Homes(homes.segment, homes.frame, ids=ids[order])
    return Segment(first.ordinal, arranged, blocks, frames, first.token_columns, homed), hidden[order]


def groups(shares: Sequence[Share]) -> list[list[Share]]:
    """Returns the shares in runs that are alike and that one segment can hold."""
    return [run for kind in alike(shares, REACH_M) for run in _runs(kind)]


def alike(shares: Sequence[Share], reach_m: float = LASTING_REACH_M) -> list[list[Share]]:
    """Returns the shares by the size of their frames and tokens, and by neighbourhood."""
    found: dict[tuple[int, int, int], list[list[Share]]] = {}
    for share in shares:
        frames, origin = share.segment.frames, share.segment.patches.origin
        kinds = found.setdefault((frames.width, frames.height, share.segment.token_columns), [])
        near = (kind for kind in kinds if np.abs(kind[0].segment.patches.origin - origin).max() <= reach_m)
        kind = next(near, None)
        if kind is None:
            kinds.append([share])
        else:
            kind.append(share)
    return [kind for kinds in found.values() for kind in kinds]


def cut(shares: Sequence[Share], rows_each: int, *, sky: bool) -> Iterator[list[Share]]:
    """Yields all rows of the shares again in runs of neighbours along a Z-order curve, evenly, of at most `rows_each`.

    `rows_each` is at most MAX_FRAMES_PER_SEGMENT, so that one segment can hold each run.
    """
    share = np.repeat(np.arange(len(shares)), [len(one.rows) for one in shares])
    place = np.concatenate([np.arange(len(one.rows)) for one in shares])
    centers, _ = _centers(shares, sky)
    order = np.argsort(morton(centers.astype(np.float32)), kind="stable")
    for run in np.array_split(order, -(-len(order) // rows_each)):
        kept = np.sort(run)  # by share, then by row
        starts = np.flatnonzero(np.diff(share[kept], prepend=-1))
        taken = zip(share[kept[starts]].tolist(), np.split(place[kept], starts[1:]), strict=True)
        yield [shares[i].take(places) for i, places in taken]


def pick_frames(picked: Sequence[tuple[SourceFrames, Places]]) -> SourceFrames:
    """Returns some frames each of several sources, all of one size, in the order given."""

    def joined(field: str) -> np.ndarray:
        return np.concatenate([getattr(frames, field)[places] for frames, places in picked])

    first = picked[0][0]
    return SourceFrames(
        ordinal=joined("ordinal"),
        time_s=joined("time_s"),
        intrinsics=joined("intrinsics"),
        camera_to_world=joined("camera_to_world"),
        width=first.width,
        height=first.height,
    )


def _runs(shares: Sequence[Share]) -> list[list[Share]]:
    runs: list[list[Share]] = [[]]
    count = 0
    for share in shares:
        count += len(share.segment.frames)
        if runs[-1] and count > MAX_FRAMES_PER_SEGMENT:
            runs.append([])
            count = len(share.segment.frames)
        runs[-1].append(share)
    return runs


def _frames(shares: Sequence[Share]) -> tuple[SourceFrames, UInt16[np.ndarray, "n"], Homes]:
    """Returns the frames that the rows came from, the frame of each row among them, and where they lie.

    A frame that several shares draw on is listed once; frames are in the order of their homes.
    """
    used = [np.unique(share.segment.patches.frame[share.rows], return_inverse=True) for share in shares]
    payloads = [share.segment.payload_of(frames) for share, (frames, _) in zip(shares, used, strict=True)]
    segment, place = (np.concatenate([payload[i] for payload in payloads]) for i in (0, 1))
    _, first, found = np.unique(segment.astype(np.int64) << _FRAME_BITS | place, return_index=True, return_inverse=True)
    starts = np.cumsum([0, *(len(frames) for frames, _ in used)])
    frame = np.concatenate([found[start + at] for start, (_, at) in zip(starts, used, strict=False)])
    listed = pick_frames([(share.segment.frames, frames) for share, (frames, _) in zip(shares, used, strict=True)])
    return pick_frames([(listed, first)]), frame.astype(np.uint16), Homes(segment[first], place[first])


def _patches(shares: Sequence[Share], frame: UInt16[np.ndarray, "n"], sky: bool) -> Patches:
    def joined(field: str) -> np.ndarray:
        return np.concatenate([getattr(share.segment.patches, field)[share.rows] for share in shares])

    centers, origin = _centers(shares, sky)
    return Patches(
        origin=origin,
        center=centers.astype(np.float32),
        radius=joined("radius"),
        normal=joined("normal"),
        frame=frame,
        cell=joined("cell"),
        color=joined("color"),
        parts=joined("parts"),
        surface_count=0 if sky else len(frame),
    )


def _centers(shares: Sequence[Share], sky: bool) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "3"]]:
    """Returns the centres, or directions, of all rows, and the origin that they are relative to."""
    centers = [share.segment.patches.center[share.rows].astype(np.float64) for share in shares]
    if sky:
        return np.concatenate(centers), np.zeros(3)
    origins = np.stack([share.segment.patches.origin for share in shares])
    middle = (origins.min(axis=0) + origins.max(axis=0)) / 2
    return np.concatenate([center + shift for center, shift in zip(centers, origins - middle, strict=True)]), middle
