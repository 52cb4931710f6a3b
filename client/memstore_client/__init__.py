"""The Python SDK of memstore: the worlds of a server, with the verbs, values and errors of the embedded database.

    import memstore_client as mc
    db = mc.connect("localhost:7070", token=...)      # or: from memstore_client import aio; await aio.connect(...)
    museum = db.create_world("museum", exist_ok=True)
    with museum.ingest(message="first walk") as ingest:
        ingest.add(mc.Frame(camera, depth_m, rgb))
    mosaic = museum.retrieve(camera)

Arrays of values that came over the wire are read-only views of the received bytes; `.copy()` makes them your own.
"""

from memstore import errors
from memstore.camera import Camera, look_at
from memstore.errors import MemstoreError
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.transform import Transform
from memstore_client.database import RemoteDatabase, connect
from memstore_client.ingest import RemoteIngest
from memstore_client.options import Tls, TransportOptions
from memstore_client.world import RemoteWorld

__all__ = [
    "Camera",
    "Frame",
    "LatentSpec",
    "MemstoreError",
    "Mosaic",
    "Query",
    "RemoteDatabase",
    "RemoteIngest",
    "RemoteWorld",
    "Tls",
    "Transform",
    "TransportOptions",
    "connect",
    "errors",
    "look_at",
]
