"""Gathering: what a layer shows of many segments, as one segment in memory.

An object that people moved shows a few hundred rows each of dozens of segments. Searched one by one, every such
segment costs as much as a whole one; gathered, they cost what they show. Each row knows the patch that it is, and each
frame the payload that it lies in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, UInt16, UInt32

from memstore.index import arrange, order_of
from memstore.patch import MAX_FRAMES_PER_SEGMENT, Patches, SourceFrames
from memstore.segment import Homes, Segment


@dataclass(frozen=True, eq=False)
class Share:
    """Some rows of one segment: surfaces or sky, never both."""

    segment: Segment
    """The segment."""
    rows: UInt32[np.ndarray, "n"]
    """The rows, increasing, at least one."""
    hidden_from: UInt32[np.ndarray, "n"]
    """Per row the frame ordinal from which it is hidden, NEVER_HIDDEN for never."""


def gather(shares: Sequence[Share], *, sky: bool) -> tuple[Segment, UInt32[np.ndarray, "n"]]:
    """Returns one segment of all the rows, and the `hidden_from` of each of its rows.

    The shares have frames of one size (`groups`). Centres move to another origin, which rounds them by less than 1e-6
    of the distance between segments.
    """
    origin = np.zeros(3) if sky else shares[0].segment.patches.origin
    frames, frame, homes = _frames(shares)
    patches = _patches(shares, frame, origin, sky)
    order = order_of(patches)
    arranged, blocks = arrange(patches)
    ids = np.concatenate([share.segment.ids(share.rows) for share in shares])
    hidden = np.concatenate([share.hidden_from for share in shares])
    first = shares[0].segment
    homed = Homes(homes.segment, homes.frame, ids[order])
    return Segment(first.ordinal, arranged, blocks, frames, first.token_columns, homed), hidden[order]


def groups(shares: Sequence[Share]) -> list[list[Share]]:
    """Returns the shares by the size of their frames, in runs that one segment can hold."""
    found: dict[tuple[int, int, int], list[list[Share]]] = {}
    for share in shares:
        frames = share.segment.frames
        runs = found.setdefault((frames.width, frames.height, share.segment.token_columns), [[]])
        if sum(len(one.segment.frames) for one in runs[-1]) + len(frames) > MAX_FRAMES_PER_SEGMENT:
            runs.append([])
        runs[-1].append(share)
    return [run for runs in found.values() for run in runs]


def _frames(shares: Sequence[Share]) -> tuple[SourceFrames, UInt16[np.ndarray, "n"], Homes]:
    """Returns the frames that the rows came from, the frame of each row among them, and where they lie."""
    used = [np.unique(share.segment.patches.frame[share.rows], return_inverse=True) for share in shares]
    starts = np.cumsum([0, *(len(frames) for frames, _ in used)])
    frame = np.concatenate([start + at for start, (_, at) in zip(starts, used, strict=False)]).astype(np.uint16)
    picked = [(share.segment, frames) for share, (frames, _) in zip(shares, used, strict=True)]
    payloads = [segment.payload_of(frames) for segment, frames in picked]
    homes = Homes(np.concatenate([p[0] for p in payloads]), np.concatenate([p[1] for p in payloads]))
    return _picked_frames(picked), frame, homes


def _picked_frames(picked: Sequence[tuple[Segment, UInt16[np.ndarray, "k"] | Int64[np.ndarray, "k"]]]) -> SourceFrames:
    def joined(field: str) -> np.ndarray:
        return np.concatenate([getattr(segment.frames, field)[frames] for segment, frames in picked])

    first = picked[0][0].frames
    return SourceFrames(
        ordinal=joined("ordinal"),
        time_s=joined("time_s"),
        intrinsics=joined("intrinsics"),
        camera_to_world=joined("camera_to_world"),
        width=first.width,
        height=first.height,
    )


def _patches(shares: Sequence[Share], frame: UInt16[np.ndarray, "n"], origin: np.ndarray, sky: bool) -> Patches:
    def joined(field: str) -> np.ndarray:
        return np.concatenate([getattr(share.segment.patches, field)[share.rows] for share in shares])

    shifts = [np.zeros(3) if sky else share.segment.patches.origin - origin for share in shares]
    centers = [
        share.segment.patches.center[share.rows].astype(np.float64) + shift
        for share, shift in zip(shares, shifts, strict=True)
    ]
    return Patches(
        origin=origin,
        center=np.concatenate(centers).astype(np.float32),
        radius=joined("radius"),
        normal=joined("normal"),
        frame=frame,
        cell=joined("cell"),
        color=joined("color"),
        parts=joined("parts"),
        surface_count=0 if sky else len(frame),
    )
