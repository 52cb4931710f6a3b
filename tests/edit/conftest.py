"""Small worlds to edit: made once, copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

import memstore as ms
from memstore.database import Database
from memstore.world import World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, walk: Callable) -> Path:
    """A database with a world "museum" of three segments under an open sky, and a world "garden" of one."""
    root = tmp_path_factory.mktemp("template") / "db"
    with ms.open(root) as db:
        frames = walk(12, open_sky=True)
        with db.create_world("museum").ingest(message="first walk", forgetting=False) as ingest:
            for i, frame in enumerate(frames):
                ingest.add(frame)
                if i % 4 == 3:
                    ingest.flush()
        with db.create_world("garden").ingest(forgetting=False) as ingest:
            for frame in walk(5, open_sky=True):
                ingest.add(frame)
    return root


@pytest.fixture
def db(template: Path, tmp_path: Path) -> Generator[Database]:
    """A database of one's own, with the worlds of `template`."""
    shutil.copytree(template, tmp_path / "db")
    with ms.open(tmp_path / "db") as db:
        yield db


@pytest.fixture
def museum(db: Database) -> World:
    """A world of 12 frames under an open sky."""
    return db.world("museum")
