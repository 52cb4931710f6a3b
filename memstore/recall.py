"""Recall: from a commit and cameras to mosaics. Search, see, compose: one verb each, one file each."""

from __future__ import annotations

from memstore.camera import Camera
from memstore.compose import compose
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
        candidates = search(scene, camera, query)
        visible = see(scene, camera, query, spec.token_px, candidates)
        reader = self.showing.store.segments if query.latents else None
        return compose(scene, visible, camera, spec, commit_id, reader)
