"""Which visible patches win: the order within a token, the frames that may take part, and the budget.

Everything is settled by a score (smallest first), then by depth (nearest first), then by instance, so that the same
memory gives the same answer on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64
from numba import njit

from memstore.camera import Camera
from memstore.index import Candidates
from memstore.query import Query
from memstore.segment import Entry, Scene
from memstore.transform import Transform

ANGLE_STEP_RAD = np.deg2rad(5)
"""Viewing directions within one step count as equal for `frames_by="pose"`, so that the distance decides."""
SAME_PLACE_M = 0.1
"""With `frames_by="pose"`, of cameras nearer together than this only the best takes part (Matrix-Game 3.5)."""
_SEGMENT_BITS, _FRAME_BITS = 32, 16
_EMPTY = -1


@dataclass(frozen=True)
class Contenders:
    """n visible patches that compete for the tokens of a view, in search's order."""

    instances: Candidates
    """Entry and row of each."""
    token: Int64[np.ndarray, "n"]
    """Row-major target token in which the centre lands."""
    depth_m: Float64[np.ndarray, "n"]
    """Planar depth of the centre, metres; +inf for sky."""

    def take(self, positions: Int64[np.ndarray, "k"]) -> Contenders:
        """Returns the contenders at these positions."""
        return Contenders(self.instances.take(positions), self.token[positions], self.depth_m[positions])


@dataclass(frozen=True)
class View:
    """What contenders are judged by."""

    scene: Scene
    """Where they come from."""
    camera: Camera
    """Where they are seen from."""
    tokens: int
    """Tokens of the target's grid."""


def choose(view: View, query: Query, contenders: Contenders) -> Int64[np.ndarray, "k"]:
    """Returns the positions of the winners, sorted by token, best first within a token."""
    kept = _of_chosen_frames(view, query, contenders) if query.ranking == "frames" else np.arange(len(contenders.token))
    taking_part = contenders.take(kept)
    score = _SCORES[query.ranking](view, taking_part)
    best = _best_per_token(taking_part.token, score, taking_part.depth_m, query.per_token, view.tokens)
    if query.budget is not None:
        best = _within_budget(best, score, taking_part.depth_m, query.budget)
    return kept[best[best != _EMPTY]]


def _within_budget(
    best: Int32[np.ndarray, "l k"], score: Float64[np.ndarray, "n"], depth_m: Float64[np.ndarray, "n"], budget: int
) -> Int32[np.ndarray, "l k"]:
    """Keeps every token's best before any token's second, and so on, so that coverage outlives a small budget."""
    token, rank = np.nonzero(best != _EMPTY)
    winner = best[token, rank]
    order = np.lexsort((winner, depth_m[winner], score[winner], rank))[:budget]
    kept = np.full_like(best, _EMPTY)
    kept[token[order], rank[order]] = winner[order]
    return kept


def _newest(view: View, contenders: Contenders) -> Float64[np.ndarray, "n"]:
    return -_per_frame(view, contenders, lambda entry: entry.segment.frames.ordinal + entry.ordinal_offset)


def _closest(view: View, contenders: Contenders) -> Float64[np.ndarray, "n"]:
    def distance(entry: Entry) -> Float64[np.ndarray, "f"]:
        centers = entry.placement.apply(entry.segment.frames.camera_to_world[:, :3, 3])
        return np.linalg.norm(centers - view.camera.center, axis=1)

    return _per_frame(view, contenders, distance)


def _sharpest(view: View, contenders: Contenders) -> Float64[np.ndarray, "n"]:
    """Returns |log| of the source pixel's footprint over the target pixel's; of sky, footprints are angles."""
    focal = _per_frame(view, contenders, lambda entry: entry.segment.frames.intrinsics[:, 0])
    source, target = np.ones_like(focal), np.where(np.isinf(contenders.depth_m), 1.0, contenders.depth_m)
    for position, run in contenders.instances.runs():
        entry = view.scene.entries[position]
        if not entry.sky:
            source[run] = entry.placement.scale * _source_depth(entry, contenders.instances.row[run])
    return np.abs(np.log(source / focal) - np.log(target / view.camera.fx))


def _source_depth(entry: Entry, rows: Any) -> Float64[np.ndarray, "k"]:
    """Returns planar depths in the source cameras, metres before placement."""
    patches = entry.segment.patches
    camera_to_world = entry.segment.frames.camera_to_world[patches.frame[rows]]
    away = patches.origin + patches.center[rows].astype(np.float64) - camera_to_world[:, :3, 3]
    return np.maximum((away * camera_to_world[:, :3, 2]).sum(axis=1), np.finfo(np.float64).tiny)


_SCORES: dict[str, Callable[[View, Contenders], Float64[np.ndarray, "n"]]] = {
    "newest": _newest,
    "closest": _closest,
    "sharpest": _sharpest,
    "frames": _newest,
}


def _per_frame(view: View, contenders: Contenders, value: Callable[[Entry], np.ndarray]) -> Float64[np.ndarray, "n"]:
    """Returns for every contender what `value` says of its source frame."""
    found = np.empty(len(contenders.token))
    for position, run in contenders.instances.runs():
        entry = view.scene.entries[position]
        found[run] = value(entry)[entry.segment.patches.frame[contenders.instances.row[run]]]
    return found


def _of_chosen_frames(view: View, query: Query, contenders: Contenders) -> Int64[np.ndarray, "k"]:
    """Returns the positions of the contenders that come from the best `max_frames` source frames.

    Only frames with something visible in this view are asked: what stands elsewhere, however alike, changes nothing.
    """
    key = _source_frames(view.scene, contenders.instances)
    _, first, source = np.unique(key, return_index=True, return_inverse=True)
    if query.frames_by == "coverage":
        chosen = _by_coverage(source, contenders.token, query.max_frames)
    else:
        chosen = _by_pose(view, contenders.take(first), query.max_frames)
    return np.flatnonzero(chosen[source])


def _source_frames(scene: Scene, instances: Candidates) -> Int64[np.ndarray, "n"]:
    """Returns a number per source frame as it stands in the world; a frame's surfaces and its sky share it."""
    placements: dict[Transform, int] = {}
    key = np.empty(len(instances), np.int64)
    for position, run in instances.runs():
        entry = scene.entries[position]
        placed = placements.setdefault(entry.placement, len(placements)) << _SEGMENT_BITS
        segment, frame = entry.segment.payload_of(entry.segment.patches.frame[instances.row[run]])
        key[run] = (placed | segment.astype(np.int64)) << _FRAME_BITS | frame
    return key


def _by_coverage(
    source: Int64[np.ndarray, "n"], token: Int64[np.ndarray, "n"], max_frames: int
) -> Bool[np.ndarray, "s"]:
    """Greedily takes the frame that newly covers most tokens, the first of equals, until nothing new is covered."""
    chosen = np.zeros(source.max(initial=-1) + 1, np.bool_)
    pairs = np.unique(np.stack([source, token], axis=1), axis=0)
    for _ in range(max_frames):
        if not len(pairs):
            break
        best = np.bincount(pairs[:, 0]).argmax()
        chosen[best] = True
        pairs = pairs[~np.isin(pairs[:, 1], pairs[pairs[:, 0] == best, 1])]
    return chosen


def _by_pose(view: View, one_each: Contenders, max_frames: int) -> Bool[np.ndarray, "s"]:
    """Takes frames by viewing direction, then by place, and passes over those that stand where a taken one stands."""
    center, forward = _source_poses(view.scene, one_each.instances)
    angle = np.arccos(np.clip(forward @ view.camera.forward, -1, 1))
    distance = np.linalg.norm(center - view.camera.center, axis=1)
    chosen = np.zeros(len(angle), np.bool_)
    for i in np.lexsort((distance, angle // ANGLE_STEP_RAD)):
        if chosen.sum() == max_frames:
            break
        chosen[i] = not (np.linalg.norm(center[chosen] - center[i], axis=1) < SAME_PLACE_M).any()
    return chosen


def _source_poses(scene: Scene, instances: Candidates) -> tuple[Float64[np.ndarray, "s 3"], Float64[np.ndarray, "s 3"]]:
    """Returns centre and viewing direction of each instance's source camera as it stands in the world."""
    center, forward = np.empty((len(instances), 3)), np.empty((len(instances), 3))
    for position, run in instances.runs():
        entry = scene.entries[position]
        camera_to_world = entry.segment.frames.camera_to_world[entry.segment.patches.frame[instances.row[run]]]
        center[run] = entry.placement.apply(camera_to_world[:, :3, 3])
        forward[run] = camera_to_world[:, :3, 2] @ entry.placement.rotation.T
    return center, forward


@njit(cache=True, nogil=True)
@no_type_check
def _best_per_token(token: Any, score: Any, depth: Any, per_token: int, tokens: int) -> Any:
    """Returns for each token its best contenders in order, filled up with -1."""
    best = np.full((tokens, per_token), _EMPTY, np.int32)
    for i in range(len(token)):
        held = best[token[i]]
        place = per_token
        # Earlier contenders win ties, so a newcomer passes only those that it beats.
        while place > 0 and (held[place - 1] == _EMPTY or _beats(i, held[place - 1], score, depth)):
            place -= 1
        for k in range(per_token - 1, place, -1):
            held[k] = held[k - 1]
        if place < per_token:
            held[place] = i
    return best


@njit(cache=True, nogil=True)
@no_type_check
def _beats(i: int, j: int, score: Any, depth: Any) -> bool:
    return score[i] < score[j] or (score[i] == score[j] and depth[i] < depth[j])
