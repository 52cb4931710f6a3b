"""Contrast: pictures of how two commits differ, what goes tinted in the one, what comes in the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import UInt64

from memstore.camera import Camera
from memstore.compared import Diff, LayerDiff
from memstore.draft import Draft
from memstore.edit.look import GREEN, LOOK, RED, among, camera_for, tinted
from memstore.edit.resolve import Instances, resolve
from memstore.latent import LatentSpec
from memstore.recall import Recall
from memstore.selection import Layers, Or, PatchIds, Selection


def pictured(difference: Diff, recall: Recall, spec: LatentSpec, camera: Camera | None) -> Diff:
    """Returns a difference with its pictures.

    Args:
        difference: what differs, with patch ids.
        recall: draws the pictures.
        spec: what the world's latents are.
        camera: where they are taken from; `None` for the frame that saw most of what comes, or else of what goes.
    """
    before, after = (Draft(recall.showing, recall.showing.layers(at)) for at in (difference.before, difference.after))
    goes = _instances(difference, before, _goes)
    comes = _instances(difference, after, _comes)
    view = camera or camera_for(comes) or camera_for(goes)
    if view is None:
        return difference
    pictures = [
        tinted(mosaic := recall.mosaic(commit, view, spec, LOOK), among(mosaic, instances), color)
        for commit, instances, color in ((difference.before, goes, RED), (difference.after, comes, GREEN))
    ]
    return replace(difference, camera=view, picture_before=pictures[0], picture_after=pictures[1])


def _instances(difference: Diff, draft: Draft, of: Callable[[LayerDiff], Selection | None]) -> Instances:
    parts = tuple(part for layer in difference.layers if (part := of(layer)) is not None)
    if not parts:
        return Instances(())
    return resolve(parts[0] if len(parts) == 1 else Or(parts), draft)


def _goes(layer: LayerDiff) -> Selection | None:
    return _meant(layer, layer.hidden)


def _comes(layer: LayerDiff) -> Selection | None:
    return _meant(layer, layer.shown)


def _meant(layer: LayerDiff, ids: UInt64[np.ndarray, "n"] | None) -> Selection | None:
    """Returns the patches of a layer that are tinted: all of one that moved."""
    if layer.moved is not None:
        return Layers((layer.layer_id,))
    return PatchIds(ids, layer.layer_id) if ids is not None and len(ids) else None
