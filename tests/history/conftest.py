import pytest
from history.place import Place

import memstore as ms


@pytest.fixture
def place(tmp_path, walk):
    """A world of three segments that Ada took in, one ingest each."""
    with ms.open(tmp_path / "db") as db:
        hall = db.create_world("hall")
        for frame in walk(3):
            with hall.ingest(author="ada", forgetting=False) as ingest:
                ingest.add(frame)
        yield Place(db, hall)
