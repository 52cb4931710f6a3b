"""Diff: how one state of a world differs from another, by layer and by patch. Nothing is written.

An instance counts as shown when its layer is visible and its mask shows it as of now. Lists of segments and parts that
are the same object on both sides are passed by, so that the cost follows what differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, UInt64

from memstore.compared import Diff, LayerDiff
from memstore.draft import Draft
from memstore.layer import Layer, LayerSegment
from memstore.patch import patch_ids
from memstore.segment import NEVER_HIDDEN

T = TypeVar("T")
Ids = UInt64[np.ndarray, "k"]


def layer_diffs(before: Draft, after: Draft, *, patches: bool = False) -> tuple[LayerDiff, ...]:
    """Returns the layers that differ, those of `after` in their order, then those that are gone.

    Args:
        before: one state.
        after: the other.
        patches: whether to name the patches, and not only to count them.
    """
    old = {layer.layer_id: layer for layer in before.layers}
    new = {layer.layer_id: layer for layer in after.layers}
    found = list[LayerDiff]()
    for layer_id in {**new, **old}:
        if old.get(layer_id) != new.get(layer_id):
            difference = _LayerDifference(before, after, old.get(layer_id), new.get(layer_id))
            found.append(difference.told(patches=patches))
    return tuple(found)


def without_ids(difference: Diff) -> Diff:
    """Returns a difference that counts its patches and does not name them."""
    return replace(difference, layers=tuple(replace(layer, shown=None, hidden=None) for layer in difference.layers))


class _LayerDifference:
    """One layer that differs, or is on one side alone."""

    def __init__(self, before: Draft, after: Draft, old: Layer | None, new: Layer | None) -> None:
        self._before, self._after = before, after
        self._old, self._new = old, new

    def told(self, *, patches: bool) -> LayerDiff:
        shown, hidden = [0], [0]
        shown_ids, hidden_ids = list[np.ndarray](), list[np.ndarray]()
        for segment, was, now in self._changed_rows():
            come, gone = now & ~was, was & ~now
            shown.append(int(come.sum()))
            hidden.append(int(gone.sum()))
            if patches:
                shown_ids.append(_ids(segment, come))
                hidden_ids.append(_ids(segment, gone))
        layer = self._layer
        old, new = self._old or layer, self._new or layer
        return LayerDiff(
            layer_id=layer.layer_id,
            name=layer.name,
            kind=layer.kind,
            change="added" if self._old is None else "removed" if self._new is None else "changed",
            shown_count=sum(shown),
            hidden_count=sum(hidden),
            moved=_differing(old.placement, new.placement),
            renamed=_differing(old.name, new.name),
            visible=_differing(old.visible, new.visible),
            shown=_joined(shown_ids) if patches else None,
            hidden=_joined(hidden_ids) if patches else None,
        )

    @property
    def _layer(self) -> Layer:
        layer = self._new or self._old
        assert layer is not None
        return layer

    def _changed_rows(self) -> Iterator[tuple[int, Bool[np.ndarray, "n"], Bool[np.ndarray, "n"]]]:
        """Yields (segment, rows shown before, rows shown after) of segments of which the layer may show other rows."""
        was, now = self._parts(self._before, self._old), self._parts(self._after, self._new)
        for segment in sorted(was.keys() | now.keys()):
            if was.get(segment) != now.get(segment):
                yield (
                    segment,
                    self._shown(self._before, segment, was.get(segment)),
                    self._shown(self._after, segment, now.get(segment)),
                )

    def _parts(self, draft: Draft, layer: Layer | None) -> dict[int, LayerSegment]:
        return dict(draft.parts(layer.layer_id)) if layer is not None and layer.visible else {}

    def _shown(self, draft: Draft, segment: int, part: LayerSegment | None) -> Bool[np.ndarray, "n"]:
        patches = draft.showing.store.segments.open(segment).patches
        split, count = patches.surface_count, len(patches)
        if part is None:
            return np.zeros(count, np.bool_)
        shown = draft.hidden_from(part) == NEVER_HIDDEN
        shown[slice(0, split) if self._layer.kind == "sky" else slice(split, count)] = False
        return shown


def _differing(was: T, now: T) -> tuple[T, T] | None:
    return None if was == now else (was, now)


def _ids(segment: int, rows: Bool[np.ndarray, "n"]) -> Ids:
    return patch_ids(segment, np.flatnonzero(rows).astype(np.uint32))


def _joined(ids: list[np.ndarray]) -> Ids:
    return np.concatenate(ids) if ids else np.empty(0, np.uint64)
