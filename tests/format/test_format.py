"""Databases written by earlier versions still open. Files here are written once and never again."""

import hashlib
import tarfile
from pathlib import Path

import numpy as np
import pytest

import memstore as ms

HERE = Path(__file__).parent
FRAMES = 3


def frame(i: int) -> ms.Frame:
    """Returns what went into the stored databases, from whole numbers alone."""
    camera = ms.Camera(32, 32, 16, 16, 32, 32, ms.look_at((i, 0, 0), (i, 5, 0)))
    v, u = np.mgrid[:32, :32]
    rgb = np.stack([u * 8, v * 8, (u + v + i) * 4], axis=-1).astype(np.uint8)
    depth = np.where(v < 8, np.inf, 2 + v / 32).astype(np.float32)
    return ms.Frame(camera, depth, rgb, time_s=i / 4, moving=u < 2, caption=f"frame {i}", metadata={"step": i})


def write(root: Path) -> None:
    """Writes the database of a format; run once when a format is born: tar it as database-v<format>.tar.gz."""
    with ms.open(root) as db, db.create_world("museum").ingest(message="first walk", author="ada") as ingest:
        for i in range(FRAMES):
            ingest.add(frame(i))


@pytest.fixture(params=sorted(HERE.glob("database-v*.tar.gz")), ids=lambda path: path.name.split(".")[0])
def root(request, tmp_path):
    with tarfile.open(request.param) as tar:
        tar.extractall(tmp_path, filter="data")
    return tmp_path / "db"


def test_a_stored_database_gives_back_what_went_in(root):
    with ms.open(root, read_only=True) as db:
        museum = db.world("museum")
        for i, back in enumerate(museum.frames()):
            went_in = frame(i)
            assert (back.camera, back.caption, dict(back.metadata)) == (went_in.camera, f"frame {i}", {"step": i})
            np.testing.assert_array_equal(back.rgb, went_in.rgb)
            np.testing.assert_array_equal(back.moving, went_in.moving)
            np.testing.assert_allclose(back.depth_m, went_in.depth_m, rtol=2**-11)
        assert museum.describe().frame_count == FRAMES
        assert [(step.operation, step.author) for step in museum.log()] == [("ingest", "ada"), ("create", "")]
        assert db.verify().clean


def test_a_stored_database_is_seen_and_written_on(root):
    with ms.open(root) as db:
        museum = db.world("museum")
        before = museum.retrieve(frame(1).camera)
        assert before.coverage.mean() > 0.8
        with museum.ingest() as ingest:
            ingest.add(frame(FRAMES))
        assert museum.describe().frame_count == FRAMES + 1
        assert db.verify().clean


def test_the_first_format_is_still_the_one_that_was_written():
    content = (HERE / "database-v1.tar.gz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == (HERE / "database-v1.sha256").read_text().strip()
