"""Retire: new frames hide, from their ordinals on, what they prove gone of the layers observed in place.

Only segments whose boxes touch the frames' free space are read, and only masks that change are staged. Boxes and parts
stay as they are: whoever asks as of an earlier frame still finds what was there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from pyroaring import BitMap

from memstore.forget import ForgetOptions, FreeSpace, forget
from memstore.layer import Layer, LayerSegment, Mask
from memstore.segment import NEVER_HIDDEN
from memstore.storage.masks import read_mask, stage_masks
from memstore.storage.store import Store

Changes = Mapping[str, Mapping[int, list[Any]]]
"""Items of segment lists that are to be replaced, by layer id and by place in the layer's list."""
NO_CHANGES: Changes = MappingProxyType({})
_Place = tuple[str, int]
_FRESH: _Place = ("", 0)


def retire(
    store: Store, layers: Sequence[Layer], fresh: LayerSegment, free: FreeSpace, options: ForgetOptions
) -> tuple[LayerSegment, Changes]:
    """Returns the fresh part and those parts of the layers that show less for what frames saw; masks are staged.

    Args:
        store: where segments and masks lie.
        layers: the layers before the fresh part joins them.
        fresh: the surfaces of the segment that the frames themselves became.
        free: what the frames prove.
        options: when a patch counts as gone.
    """
    if not free.witnesses:
        return fresh, NO_CHANGES
    found = {_FRESH: fresh} | _in_view(store, layers, free)
    less = {at: rest for at, part in found.items() if (rest := _less(store, part, free, options))}
    names = stage_masks(store.objects, [mask for _, mask in less.values()])
    parts = {at: replace(part, mask=name) for (at, (part, _)), name in zip(less.items(), names, strict=True)}
    fresh = parts.pop(_FRESH, fresh)
    changes: dict[str, dict[int, list[Any]]] = {}
    for (layer_id, place), part in parts.items():
        changes.setdefault(layer_id, {})[place] = part.to_json()
    return fresh, changes


def _in_view(store: Store, layers: Sequence[Layer], free: FreeSpace) -> dict[_Place, LayerSegment]:
    """Returns the parts of layers observed in place whose boxes touch what the frames saw, by layer and place."""
    places: list[_Place] = []
    parts: list[LayerSegment] = []
    for layer in layers:
        if layer.kind != "observed" or not is_in_place(layer):
            continue
        for place, item in enumerate(store.lists.items(layer.segments)):
            part = LayerSegment.from_json(item)
            if part.shown_count:
                places.append((layer.layer_id, place))
                parts.append(part)
    boxes = np.array([(part.low, part.high) for part in parts], np.float64).reshape(-1, 2, 3)
    touched = free.touches(boxes[:, 0], boxes[:, 1], np.zeros(3)).any(axis=0)
    return {places[i]: parts[i] for i in np.flatnonzero(touched).tolist() if parts[i].shown_count}


def is_in_place(layer: Layer) -> bool:
    """Whether a layer is shown where and when its frames saw it."""
    return layer.visible and layer.placement.is_identity and not layer.ordinal_offset


def _less(
    store: Store, part: LayerSegment, free: FreeSpace, options: ForgetOptions
) -> tuple[LayerSegment, Mask] | None:
    """Returns a part and its mask without what the frames prove gone, or `None` if nothing is."""
    segment = store.segments.open(part.segment)
    mask = Mask(False, BitMap()) if part.mask is None else read_mask(store.objects, part.mask)
    hidden = mask.hidden_from(len(segment.patches))
    gone = forget(segment, free, options, hidden)
    count = int((gone != NEVER_HIDDEN).sum())
    if not count:
        return None
    less = Mask.of(np.minimum(hidden, gone), mask.rows if mask.shows else None)
    return replace(part, shown_count=part.shown_count - count), less
