"""What a world shows, instance by instance, read the slow and obvious way: the oracle of the tests of edits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from memstore.draft import Draft
from memstore.layer import Layer, LayerSegment
from memstore.segment import NEVER_HIDDEN
from memstore.showing import Showing
from memstore.world import World

Instance = tuple[str, int]
"""Layer id and patch id."""


@dataclass(frozen=True)
class One:
    """One layer's instances of one segment."""

    layer: Layer
    ids: np.ndarray
    centers: np.ndarray
    ordinals: np.ndarray
    radii: np.ndarray


@dataclass(frozen=True)
class Shown:
    """All instances that are shown, as columns."""

    layer_id: np.ndarray
    name: np.ndarray
    kind: np.ndarray
    patch_id: np.ndarray
    center: np.ndarray
    """World metres; of sky, directions."""
    ordinal: np.ndarray
    radius: np.ndarray
    """Metres in the world; of sky, sines of angles."""

    def __len__(self) -> int:
        return len(self.patch_id)

    def instances(self, kept: np.ndarray | slice = np.s_[:]) -> set[Instance]:
        return set(zip(self.layer_id[kept].tolist(), self.patch_id[kept].tolist(), strict=True))

    def places(self, kept: np.ndarray | slice = np.s_[:]) -> dict[Instance, np.ndarray]:
        keys = zip(self.layer_id[kept].tolist(), self.patch_id[kept].tolist(), strict=True)
        return dict(zip(keys, self.center[kept], strict=True))

    def spots(self, kept: np.ndarray | slice = np.s_[:]) -> np.ndarray:
        """Returns (patch id, x, y, z) of what is shown, sorted, whichever layer shows it."""
        rows = np.column_stack([self.patch_id[kept].astype(np.float64), self.center[kept]])
        return rows[np.lexsort(rows.round(6).T[::-1])]

    @property
    def sky(self) -> np.ndarray:
        return self.kind == "sky"


def draft_of(world: World) -> Draft:
    showing = Showing(world._branch.store)
    return Draft(showing, showing.layers(world.head))


def shown(source: World | Draft) -> Shown:
    """Returns all that a world or a draft shows as of now."""
    draft = source if isinstance(source, Draft) else draft_of(source)
    found = [one for layer in draft.layers if layer.visible for one in _of_layer(draft, layer)]
    counts = [len(one.ids) for one in found]
    return Shown(
        layer_id=np.repeat(np.array([one.layer.layer_id for one in found], object), counts),
        name=np.repeat(np.array([one.layer.name for one in found], object), counts),
        kind=np.repeat(np.array([one.layer.kind for one in found], object), counts),
        patch_id=np.concatenate([np.empty(0, np.uint64), *(one.ids for one in found)]),
        center=np.concatenate([np.empty((0, 3)), *(one.centers for one in found)]),
        ordinal=np.concatenate([np.empty(0, np.int64), *(one.ordinals for one in found)]),
        radius=np.concatenate([np.empty(0), *(one.radii for one in found)]),
    )


def assert_same(one: World | Draft, other: World | Draft, *, within_m: float = 0.0) -> None:
    """Checks that the same instances are shown at the same places."""
    here, there = shown(one).places(), shown(other).places()
    assert here.keys() == there.keys()
    if here:
        apart = np.array([here[key] - there[key] for key in here])
        assert np.abs(apart).max() <= within_m


def _of_layer(draft: Draft, layer: Layer) -> Iterator[One]:
    for part in draft.parts(layer.layer_id).values():
        yield _of_part(draft, layer, part)


def _of_part(draft: Draft, layer: Layer, part: LayerSegment) -> One:
    segment = draft.showing.store.segments.open(part.segment)
    patches, is_sky = segment.patches, np.arange(len(segment.patches)) >= segment.patches.surface_count
    mask = draft.mask(part)
    hidden = np.full(len(patches), NEVER_HIDDEN) if mask is None else mask.hidden_from(len(patches))
    rows = np.flatnonzero((hidden == NEVER_HIDDEN) & (is_sky == (layer.kind == "sky")))
    at = layer.placement
    centers = patches.center[rows].astype(np.float64)
    placed = centers @ at.rotation.T if layer.kind == "sky" else at.apply(centers + patches.origin)
    ordinals = segment.frames.ordinal[patches.frame[rows]] + layer.ordinal_offset
    radii = patches.radius[rows] * (1.0 if layer.kind == "sky" else at.scale)
    return One(layer, np.uint64(part.segment << 32) | rows.astype(np.uint64), placed, ordinals, radii)
