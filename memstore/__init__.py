"""memstore keeps places for video world models: a persistent, editable, shared memory.

    import memstore as ms
    db = ms.open("./worlds")
    museum = db.create_world("museum", exist_ok=True)
    with museum.ingest(message="first walk") as ingest:
        for frame in ms.read_clip("clip/"):
            ingest.add(frame)
    mosaic = museum.retrieve(camera)

Nothing heavy is loaded until it is used: the engine (lancedb, zarr, numba) comes with the first `open`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from memstore import errors
from memstore.camera import Camera, look_at
from memstore.errors import MemstoreError
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.selection import Everything, Finer, Frames, Kinds, Layers, Ordinals, PatchIds
from memstore.shape import Box, HalfSpace, Sphere, ViewFrustum
from memstore.transform import Transform

if TYPE_CHECKING:
    from memstore.clip import read_clip, write_clip
    from memstore.database import open_database as open
    from memstore.lift import LiftOptions

__version__ = "0.1.0"
__all__ = [
    "Box",
    "Camera",
    "Everything",
    "Finer",
    "Frame",
    "Frames",
    "HalfSpace",
    "Kinds",
    "LatentSpec",
    "Layers",
    "LiftOptions",
    "MemstoreError",
    "Mosaic",
    "Ordinals",
    "PatchIds",
    "Query",
    "Sphere",
    "Transform",
    "ViewFrustum",
    "errors",
    "look_at",
    "open",
    "read_clip",
    "write_clip",
]

_LATE = {
    "LiftOptions": ("memstore.lift", "LiftOptions"),
    "open": ("memstore.database", "open_database"),
    "read_clip": ("memstore.clip", "read_clip"),
    "write_clip": ("memstore.clip", "write_clip"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'memstore' has no attribute {name!r}")
    module, attribute = _LATE[name]
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("memstore"):
            raise
        raise errors.FailedPrecondition(
            f"memstore.{name} needs {error.name}, which is not installed; run: pip install 'memstore[server]'",
            reason=errors.Reason.MISSING_EXTRA,
        ) from error
