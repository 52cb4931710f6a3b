"""The service: a thin asynchronous skin over the engine.

with memstore.open("./worlds") as database:
    with BackgroundServer(database, listen=["127.0.0.1:7070"]) as server:
        ...                                  # or, in an event loop: Server(...).start(), .wait(), .stop()
serve("./worlds", ["127.0.0.1:7070"])        # the command line: until SIGTERM
"""

from memstore.service.background import BackgroundServer
from memstore.service.options import ServerOptions, TlsFiles
from memstore.service.server import Server
from memstore.service.serving import serve

__all__ = ["BackgroundServer", "Server", "ServerOptions", "TlsFiles", "serve"]
