"""HistoryService: the steps that a world has taken."""

from __future__ import annotations

from typing import Any

from memstore.database import Database
from memstore.service.finding import find_world
from memstore.service.offload import Offload
from memstore.service.options import ServerOptions
from memstore.service.paging import page_size, place_of, token_of
from memstore.v1 import history_service_pb2 as pb
from memstore.v1.history_service_pb2_grpc import HistoryServiceServicer
from memstore.wire.summary import commit_to_message


class History(HistoryServiceServicer):
    """Serves the history of worlds."""

    def __init__(self, database: Database, offload: Offload, options: ServerOptions) -> None:
        """Serves `database`; its work is done by `offload`."""
        self._database = database
        self._offload = offload
        self._options = options

    async def ListCommits(self, request: pb.ListCommitsRequest, context: Any) -> pb.ListCommitsResponse:
        """Lists steps, newest first; all pages are of the commit of the first."""
        return await self._offload.run(lambda: self._page(request))

    def _page(self, request: pb.ListCommitsRequest) -> pb.ListCommitsResponse:
        place = place_of(request.page_token, (str, int))
        commit, start = (request.commit, 0) if place is None else (str(place[0]), int(place[1]))
        world = find_world(self._database, request.world, commit)
        head = world.head
        end = start + page_size(request.page_size, self._options)
        steps = world.at(head).log(limit=end + 1)
        return pb.ListCommitsResponse(
            commits=[commit_to_message(step) for step in steps[start:end]],
            next_page_token=token_of(head, end) if len(steps) > end else "",
        )
