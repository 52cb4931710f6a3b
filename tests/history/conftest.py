import shutil

import pytest
from history.place import Place

import memstore as ms


@pytest.fixture(scope="session")
def built(tmp_path_factory, walk):
    root = tmp_path_factory.mktemp("history") / "db"
    with ms.open(root) as db:
        hall = db.create_world("hall")
        for frame in walk(3):
            with hall.ingest(author="ada", forgetting=False) as ingest:
                ingest.add(frame)
    return root


@pytest.fixture
def place(built, tmp_path):
    """A world of three segments that Ada took in, one ingest each."""
    with ms.open(shutil.copytree(built, tmp_path / "db")) as db:
        yield Place(db, db.world("hall"))
