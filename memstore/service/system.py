"""SystemService: what the server is and what it allows."""

from __future__ import annotations

from typing import Any

import memstore
from memstore.codec import registered_codecs
from memstore.database import Database
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.v1 import system_service_pb2 as pb
from memstore.v1.system_service_pb2_grpc import SystemServiceServicer
from memstore.wire import PROTOCOL_VERSION
from memstore.wire.summary import database_to_message


class System(SystemServiceServicer):
    """Speaks of the server and its database."""

    def __init__(self, database: Database, offload: Offload, options: ServerOptions) -> None:
        """Speaks of `database`, served with `options`."""
        self._database = database
        self._offload = offload
        self._options = options

    async def GetServerInfo(self, request: pb.GetServerInfoRequest, context: Any) -> pb.GetServerInfoResponse:
        """Says which versions, limits and codecs there are."""
        limits = pb.Limits(
            message_bytes=self._options.max_message_bytes,
            frame_bytes=self._options.max_frame_bytes,
            ingest_credit=self._options.ingest_credit,
            page_size=self._options.max_page_size,
            heartbeat_s=self._options.heartbeat_s,
        )
        return pb.GetServerInfoResponse(
            server_version=memstore.__version__,
            protocol_version=PROTOCOL_VERSION,
            format_version=self._database.store.identity.format,
            limits=limits,
            codecs=registered_codecs(),
        )

    async def GetDatabase(self, request: pb.GetDatabaseRequest, context: Any) -> pb.GetDatabaseResponse:
        """Says how the database stands."""
        return await self._offload.run(lambda: database_to_message(self._database.describe()))
