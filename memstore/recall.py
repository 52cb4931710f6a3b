"""Recall: from a commit and cameras to mosaics. Search, see, compose: one verb each, one file each."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import UInt32

from memstore.camera import Camera
from memstore.compose import compose
from memstore.index import search
from memstore.latent import LatentSpec
from memstore.layer import Layer, LayerSegment, Mask
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.segment import Entry, Scene
from memstore.storage.commits import Commit
from memstore.storage.store import Store
from memstore.visibility import see

CACHED_SCENES = 8
CACHED_MASKS = 4_096


class Recall:
    """What commits show, as scenes ready to search, and what cameras see of them."""

    def __init__(self, store: Store) -> None:
        """Reads layers, masks and segments from `store`."""
        self._store = store
        self._mask = lru_cache(CACHED_MASKS)(self._read_mask)
        self.scene = lru_cache(CACHED_SCENES)(self._read_scene)

    def mosaic(self, commit_id: str, camera: Camera, spec: LatentSpec, query: Query) -> Mosaic:
        """Returns what `camera` sees of a commit.

        Raises:
            InvalidInput: the camera's image is no multiple of a patch.
        """
        spec.token_grid(camera.width, camera.height)
        scene = self.scene(commit_id)
        candidates = search(scene, camera, query)
        visible = see(scene, camera, query, spec.token_px, candidates)
        return compose(scene, visible, camera, spec, commit_id, self._store.segments if query.latents else None)

    def shown_count(self, commit: Commit) -> int:
        """Returns how many instances of patches a commit shows, without opening its segments."""
        layers = self._store.commits.layers(commit)
        return sum(part.shown_count for layer in layers if layer.visible for part in self._parts(layer))

    def _read_scene(self, commit_id: str) -> Scene:
        layers = [layer for layer in self._store.commits.layers(self._store.commits.read(commit_id)) if layer.visible]
        shown = [(i, part) for i, layer in enumerate(layers) for part in self._parts(layer)]
        entries = tuple(self._entry(i, layers[i], part) for i, part in shown if part.shown_count)
        return Scene(entries, tuple(layer.layer_id for layer in layers))

    def _parts(self, layer: Layer) -> list[LayerSegment]:
        return [LayerSegment.from_json(item) for item in self._store.lists.items(layer.segments)]

    def _entry(self, position: int, layer: Layer, part: LayerSegment) -> Entry:
        segment = self._store.segments.open(part.segment)
        return Entry(
            layer=position,
            segment=segment,
            placement=layer.placement,
            sky=layer.kind == "sky",
            low=np.array(part.low),
            high=np.array(part.high),
            hidden_from=self._mask(part.mask, len(segment.patches)) if part.mask else None,
            ordinal_offset=layer.ordinal_offset,
        )

    def _read_mask(self, name: str, row_count: int) -> UInt32[np.ndarray, "n"]:
        return Mask.from_bytes(self._store.objects.get(name)).hidden_from(row_count)
