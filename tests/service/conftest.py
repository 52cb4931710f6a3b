"""A served database whose server can leave and come back at the same address."""

from contextlib import ExitStack

import pytest

import memstore
import memstore_client
from memstore.service import BackgroundServer, ServerOptions

OPTIONS = ServerOptions(heartbeat_s=0.1, watch_interval_s=0.01, drain_s=5, retry_after_s=0.05, ingest_credit=4)


class House:
    """One database, and a server of it on a Unix socket."""

    def __init__(self, database, path, stack):
        self.database = database
        self.address = f"unix:{path}/memstore.sock"
        self.server = None
        self._stack = stack

    def serve(self, options=OPTIONS, **settings):
        self.server = self._stack.enter_context(
            BackgroundServer(self.database, [self.address], options=options, **settings)
        )
        return self.server

    def connect(self, **settings):
        return self._stack.enter_context(memstore_client.connect(self.address, **settings))


@pytest.fixture
def house(tmp_path):
    with memstore.open(tmp_path / "db") as database, ExitStack() as stack:
        yield House(database, tmp_path, stack)


@pytest.fixture
def client(house):
    house.serve()
    return house.connect()
