"""The same client for `async` code, on gRPC's own asynchronous stack: no hidden event loop, at home in Jupyter.

db = await aio.connect("localhost:7070")
world = await db.world("museum")
async with world.ingest(message="first walk") as ingest:
    await ingest.add(frame)
mosaic = await world.retrieve(camera)
async with world.edit("make room") as edit:
    edit.delete(await edit.select(Sphere((1, 0, 2), 0.6)))
async for frame in world.frames(): ...
"""

from memstore_client.aio.database import RemoteDatabase, connect
from memstore_client.aio.editing import AsyncEdit
from memstore_client.aio.ingest import RemoteIngest
from memstore_client.aio.world import RemoteWorld

__all__ = ["AsyncEdit", "RemoteDatabase", "RemoteIngest", "RemoteWorld", "connect"]
