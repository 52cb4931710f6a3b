"""Recall: from a commit and cameras to mosaics. Search, see, compose: one verb each, one file each."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from memstore.camera import Camera
from memstore.compose import compose
from memstore.errors import InvalidInput
from memstore.index import search
from memstore.latent import LatentSpec
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.segment import Scene
from memstore.showing import Showing
from memstore.visibility import see


class Recall:
    """What cameras see of commits, and of scenes that are no commits yet."""

    def __init__(self, showing: Showing) -> None:
        """Reads what `showing` shows."""
        self.showing = showing

    def mosaic(self, commit_id: str, camera: Camera, spec: LatentSpec, query: Query) -> Mosaic:
        """Returns what `camera` sees of a commit.

        Raises:
            InvalidInput: the camera's image is no multiple of a patch.
        """
        return self.mosaic_of(self.showing.scene(commit_id), commit_id, camera, spec, query)

    def mosaic_of(self, scene: Scene, commit_id: str, camera: Camera, spec: LatentSpec, query: Query) -> Mosaic:
        """Returns what `camera` sees of a scene that stands on a commit. Errors as `mosaic`."""
        spec.token_grid(camera.width, camera.height)
        query = at_ordinal(query, scene)
        candidates = search(scene, camera, query)
        visible = see(scene, camera, query, spec.token_px, candidates)
        reader = self.showing.store.segments if query.latents else None
        return compose(scene, visible, camera, spec, commit_id, reader)


def at_ordinal(query: Query, scene: Scene) -> Query:
    """Returns the query with `as_of_s` said as a frame ordinal of the scene.

    Raises:
        InvalidInput: no frame is that old.
    """
    if query.as_of_s is None:
        return query
    frames = [(entry.segment.frames, entry.ordinal_offset) for entry in scene.entries]
    known = [frame.ordinal[frame.time_s <= query.as_of_s] + offset for frame, offset in frames]
    ordinals = np.concatenate([np.empty(0, np.int64), *known])
    if not len(ordinals):
        first = min((float(frame.time_s.min()) for frame, _ in frames), default=math.nan)
        raise InvalidInput(f"no frame is as old as {query.as_of_s} s; the first is of {first} s.", field="as_of_s")
    return replace(query, as_of=max(int(ordinals.max()), 0), as_of_s=None)
