"""Share of retrieved patches that are truly there, and of what is there that is retrieved, on frames held out.

Every eighth frame of a clip is kept from memory, and memory is asked for what its camera sees. A patch of a surface is
truly there when the frame's own depth, where the patch's centre lands, agrees within 5 % and nothing moves there.

- precision: the share of the retrieved surface patches at places where nothing moves that are truly there.
- recall: of the tokens in which a stored patch is truly there, the share that a retrieved one of these fills.

Options: --clips PATH... (default: the bundled ones), --per-token N (default 4).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Bool, Int64

import memstore as ms
from memstore.extent import shown_box
from memstore.held_out import is_held_out
from memstore.index import Candidates, arrange, search
from memstore.latent import LatentSpec
from memstore.lift import gather, lift
from memstore.patch import SourceFrames
from memstore.query import Ranking
from memstore.segment import Entry, Scene, Segment
from memstore.visibility import see

HOLD_OUT = 8
AGREES = 0.05
"""Share of the true depth by which a patch that is truly there may miss it."""
SPEC = LatentSpec.pixel(patch=8)


@dataclass(frozen=True)
class Quality:
    """How well memory answered for one view."""

    precision: float
    """Share of what was retrieved that is truly there; NaN where nothing was."""
    recall: float
    """Share of the tokens with something truly there that are filled with it; NaN where nothing is."""


def run(arguments: list[str]) -> dict[str, object]:
    """Measures and returns figures by clip and ranking."""
    parser = argparse.ArgumentParser(prog="memstore bench retrieval_quality")
    bundled = sorted(path.parent for path in (Path(ms.__file__).parent / "clips").glob("*/transforms.json"))
    parser.add_argument("--clips", nargs="+", type=Path, default=bundled)
    parser.add_argument("--per-token", type=int, default=4)
    options = parser.parse_args(arguments)
    return {clip.name: _of_clip(list(ms.read_clip(clip)), options.per_token) for clip in options.clips}


def _of_clip(frames: Sequence[ms.Frame], per_token: int) -> dict[str, object]:
    scene, unseen = remembered(frames)
    return {
        "held_out": len(unseen),
        **{
            ranking: _means(scene, unseen, ms.Query(ranking=ranking, per_token=per_token))
            for ranking in get_args(Ranking)
        },
    }


def _means(scene: Scene, unseen: Sequence[ms.Frame], query: ms.Query) -> dict[str, float]:
    found = [judge(scene, frame, query) for frame in unseen]
    return {
        "precision_mean": float(np.nanmean([each.precision for each in found])),
        "recall_mean": float(np.nanmean([each.recall for each in found])),
    }


def remembered(frames: Sequence[ms.Frame]) -> tuple[Scene, list[ms.Frame]]:
    """Returns what memory holds of a clip, and the frames that it never saw."""
    shown = [frame for i, frame in enumerate(frames) if not is_held_out(i, HOLD_OUT)]
    cameras = [frame.camera for frame in shown]
    patches, blocks = arrange(gather([lift(frame, SPEC) for frame in shown]))
    source = SourceFrames(
        ordinal=np.arange(len(shown)),
        time_s=np.array([frame.time_s for frame in shown], np.float64),
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras]),
        camera_to_world=np.stack([c.camera_to_world for c in cameras]),
        width=cameras[0].width,
        height=cameras[0].height,
    )
    segment = Segment(0, patches, blocks, source, SPEC.token_grid(source.width, source.height)[1])
    boxes = [shown_box(patches, None, sky) for sky in (False, True)]
    entries = (Entry(int(sky), segment, ms.Transform.identity(), sky, *boxes[sky]) for sky in (False, True))
    return Scene(tuple(entries), ("surfaces", "sky")), [f for i, f in enumerate(frames) if is_held_out(i, HOLD_OUT)]


def judge(scene: Scene, truth: ms.Frame, query: ms.Query) -> Quality:
    """Returns how well memory answers for the camera of a frame that it never saw."""
    candidates = search(scene, truth.camera, query)
    visible = see(scene, truth.camera, query, SPEC.token_px, candidates)
    stored_there, _, stored_token = _against(scene, truth, candidates)
    there, still, token = _against(scene, truth, Candidates(visible.entry, visible.row))
    wanted, filled = np.unique(stored_token[stored_there]), np.unique(token[there])
    return Quality(
        precision=there.sum() / still.sum() if still.any() else np.nan,
        recall=np.isin(wanted, filled).mean() if len(wanted) else np.nan,
    )


def _against(
    scene: Scene, truth: ms.Frame, instances: Candidates
) -> tuple[Bool[np.ndarray, "n"], Bool[np.ndarray, "n"], Int64[np.ndarray, "n"]]:
    """Returns which patches are truly there, which are surfaces where nothing moves, and the token of each."""
    patches = scene.entries[0].segment.patches
    uv, depth = truth.camera.project(patches.origin + patches.center[instances.row].astype(np.float64))
    inside = (uv >= 0).all(axis=1) & (uv < [truth.camera.width, truth.camera.height]).all(axis=1)
    surface = inside & (instances.row < patches.surface_count)
    column, row = np.where(surface[:, None], uv, 0).astype(np.int64).T
    moving = np.zeros(truth.depth_m.shape, np.bool_) if truth.moving is None else truth.moving
    still = surface & ~moving[row, column]
    there = still & (np.abs(depth - truth.depth_m[row, column]) < AGREES * truth.depth_m[row, column])
    return there, still, row // SPEC.token_px * (truth.camera.width // SPEC.token_px) + column // SPEC.token_px
