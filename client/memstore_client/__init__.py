"""The Python SDK of memstore: the worlds of a server, with the verbs, values and errors of the embedded database.

    import memstore_client as mc
    db = mc.connect("localhost:7070", token=...)      # or: from memstore_client import aio; await aio.connect(...)
    museum = db.create_world("museum", exist_ok=True)
    with museum.ingest(message="first walk") as ingest:
        ingest.add(mc.Frame(camera, depth_m, rgb))
    mosaic = museum.retrieve(camera)
    with museum.edit("make room") as edit:
        edit.relocate(mc.Sphere((1, 0, 2), 0.6), mc.Transform.translate(0, 0, 1.5))

Nothing but values is loaded until it is used: gRPC comes with the first `connect`.
Arrays of values that came over the wire are read-only views of the received bytes; `.copy()` makes them your own.
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
from memstore.selection import Everything, Frames, Kinds, Layers, Ordinals, PatchIds
from memstore.shape import Box, HalfSpace, Sphere, ViewFrustum
from memstore.transform import Transform

if TYPE_CHECKING:
    from memstore_client.database import RemoteDatabase, connect
    from memstore_client.ingest import RemoteIngest
    from memstore_client.options import Tls, TransportOptions
    from memstore_client.world import RemoteWorld

__all__ = [
    "Box",
    "Camera",
    "Everything",
    "Frame",
    "Frames",
    "HalfSpace",
    "Kinds",
    "LatentSpec",
    "Layers",
    "MemstoreError",
    "Mosaic",
    "Ordinals",
    "PatchIds",
    "Query",
    "RemoteDatabase",
    "RemoteIngest",
    "RemoteWorld",
    "Sphere",
    "Tls",
    "Transform",
    "TransportOptions",
    "ViewFrustum",
    "connect",
    "errors",
    "look_at",
]

_LATE = {
    "RemoteDatabase": "memstore_client.database",
    "RemoteIngest": "memstore_client.ingest",
    "RemoteWorld": "memstore_client.world",
    "Tls": "memstore_client.options",
    "TransportOptions": "memstore_client.options",
    "connect": "memstore_client.database",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module 'memstore_client' has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
