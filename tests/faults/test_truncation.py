"""Every file of the last write torn or gone, as after power loss before its acknowledgement: the rest still reads."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from faults.place import assert_holds, walk_in
from faults.steps import Crash

import memstore as ms
from memstore.storage.commits import Refs


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def unacknowledged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """Makes a database whose third segment was written but for the move of the head, and lists that write's files."""
    root = tmp_path_factory.mktemp("truncation") / "db"
    with ms.open(root) as db:
        world = db.create_world("museum")
        walk_in(world, range(2))
        walk_in(world, range(2, 4))
    before = snapshot(root)  # at rest: what was acknowledged lies in files of its own
    with ms.open(root) as db:
        world = db.world("museum")
        with mock.patch.object(Refs, "move", side_effect=Crash), pytest.raises(Crash):
            walk_in(world, range(4, 6))
        assert world.describe().frame_count == 4
    written = [path for path, content in snapshot(root).items() if before.get(path) != content]
    # The counter is replaced whole, by a rename that is durable before anything else happens.
    return root, sorted(path for path in written if path.name not in ("next", "writer.lock"))


def torn(unacknowledged: tuple[Path, list[Path]], scratch: Path) -> Iterator[tuple[Path, Path]]:
    """Yields copies of the database, each with one file of the last write torn in one way, and that file."""
    root, written = unacknowledged
    for path in written:
        size = (root / path).stat().st_size
        for left in sorted({0, size // 2, size - 1, -1} - {size}):
            copy = scratch / "db"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(root, copy)
            content = (copy / path).read_bytes()
            (copy / path).unlink()
            if left >= 0:
                (copy / path).write_bytes(content[:left])
            yield copy, path


def test_the_unacknowledged_write_left_files_of_every_room(unacknowledged: tuple[Path, list[Path]]) -> None:
    _, written = unacknowledged
    assert {path.parts[0] for path in written} == {"objects", "segments", "tables"}
    assert {path.parts[1] for path in written if path.parts[0] == "tables"} == {
        "frames.lance",
        "patches.lance",
        "segments.lance",
    }


def check_torn_copies(unacknowledged: tuple[Path, list[Path]], scratch: Path, every: int) -> int:
    tried = 0
    for i, (root, path) in enumerate(torn(unacknowledged, scratch)):
        if i % every:
            continue
        tried += 1
        try:
            with ms.open(root, read_only=True) as db:
                assert_holds(db.world("museum"), list(range(4)))
            with ms.open(root) as db:
                world = db.world("museum")
                walk_in(world, range(4, 6))
                assert db.verify(repair=True).problems == ()
                assert db.verify().unreferenced_segments == 0
                assert_holds(world, list(range(6)))
        except Exception as error:
            error.add_note(f"{path} was torn")
            raise
    return tried


def test_older_frames_read_and_writing_goes_on_with_a_torn_file(
    unacknowledged: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    assert check_torn_copies(unacknowledged, tmp_path, every=9) > 8


@pytest.mark.nightly
def test_older_frames_read_and_writing_goes_on_with_any_torn_file(
    unacknowledged: tuple[Path, list[Path]], tmp_path: Path
) -> None:
    assert check_torn_copies(unacknowledged, tmp_path, every=1) > 60


@pytest.mark.parametrize("table", ["patches", "frames", "segments"])
def test_a_torn_version_of_a_table_is_rolled_back_and_said_so(
    unacknowledged: tuple[Path, list[Path]], tmp_path: Path, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    root = shutil.copytree(unacknowledged[0], tmp_path / "db")
    newest = min((root / "tables" / f"{table}.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(newest.read_bytes()[:-9])
    with ms.open(root) as db, caplog.at_level(logging.WARNING, "memstore"):
        assert_holds(db.world("museum"), list(range(4)))
        assert caplog.text == ""
        walk_in(db.world("museum"), range(4, 6))
        assert f"{table}.lance was torn by a crash; it is set aside" in caplog.text
        assert_holds(db.world("museum"), list(range(6)))
        assert db.verify(repair=True).problems == ()
