"""The command line as a person uses it, run inside the test's process, over a folder and over a server."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from memstore.cli import main
from memstore.clip import write_clip


@dataclass(frozen=True)
class Answer:
    """What one command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def memstore(capsys, monkeypatch) -> Callable[..., Answer]:
    """`memstore("world", "list")` runs a command line whose answers go into a pipe."""
    monkeypatch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it

    def run(*words: object) -> Answer:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        return Answer(ended.value.code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def clip(tmp_path_factory, walk) -> Path:
    """A clip of sixteen small frames."""
    return write_clip(tmp_path_factory.mktemp("clips") / "room", walk(16)).path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where a database may be made."""
    return tmp_path / "worlds"


@pytest.fixture(params=["embedded", "served"])
def place(request, folder) -> Iterator[str]:
    """A database with the empty world `museum`, as a folder or as a server: what follows --db."""
    from memstore.database import open_database
    from memstore.service import BackgroundServer

    with open_database(folder) as database:
        database.create_world("museum")
    if request.param == "embedded":
        yield str(folder)
        return
    with open_database(folder) as database, BackgroundServer(database, listen=["127.0.0.1:0"]) as server:
        yield server.addresses[0]
