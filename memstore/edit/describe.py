"""Layers of a draft in words and numbers."""

from __future__ import annotations

import numpy as np

from memstore.draft import Draft
from memstore.edited import LayerSummary
from memstore.layer import Layer
from memstore.summary import Bounds


def summary_of(draft: Draft, layer: Layer) -> LayerSummary:
    """Returns a layer of a draft as it stands."""
    return LayerSummary(
        layer_id=layer.layer_id,
        name=layer.name,
        kind=layer.kind,
        origin=layer.origin or "",
        placement=layer.placement,
        visible=layer.visible,
        ordinal_offset=layer.ordinal_offset,
        patch_count=draft.layer_count(layer.layer_id),
        bounds=bounds_of(draft, [layer]),
    )


def bounds_of(draft: Draft, layers: list[Layer]) -> Bounds | None:
    """Returns a box around what layers show, sky left out; `None` where that is nothing. Opens no segment."""
    boxes = [box for layer in layers if layer.kind != "sky" if (box := _box(draft, layer)) is not None]
    if not boxes:
        return None
    low, high = np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)
    return Bounds(tuple(low.tolist()), tuple(high.tolist()))


def _box(draft: Draft, layer: Layer) -> tuple[np.ndarray, np.ndarray] | None:
    shown = [part for part in draft.parts(layer.layer_id).values() if part.shown_count]
    if not shown:
        return None
    low, high = np.array([part.low for part in shown]), np.array([part.high for part in shown])
    placement = layer.placement
    middle = placement.apply((low + high) / 2)
    half = placement.scale * (high - low) / 2 @ np.abs(placement.rotation).T
    return (middle - half).min(axis=0), (middle + half).max(axis=0)
