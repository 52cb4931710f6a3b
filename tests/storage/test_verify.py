"""Verify finds what is wrong and says whose it is; repair mends what it can and never guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.place import assert_holds, walk_in

import memstore as ms


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with ms.open(tmp_path / "db") as db:
        for name in ("garden", "museum"):
            walk_in(db.create_world(name), range(4))
    return tmp_path / "db"


def test_an_empty_database_is_clean(tmp_path: Path) -> None:
    with ms.open(tmp_path / "db") as db:
        found = db.verify()
        assert (found.clean, found.objects, found.segments, found.unreferenced_segments) == (True, 0, 0, 0)


def test_a_sound_database_is_clean_for_readers_and_writers(root: Path) -> None:
    with ms.open(root, read_only=True) as db:
        found = db.verify()
        assert (found.problems, found.repaired, found.segments, found.collected) == ((), (), 4, None)
        assert found.objects == len(list(db.store.objects.names()))
    with ms.open(root) as db:
        assert db.verify(repair=True).collected is not None


def test_verify_looks_at_the_disk_and_not_at_what_was_read_before(root: Path) -> None:
    with ms.open(root) as db:
        assert db.verify().clean
        head = db.world("museum").head
        path = root / "objects" / head[:2] / head[2:]
        path.write_bytes(b"{}")
        assert [(one.worlds, one.file) for one in db.verify().problems] == [(("museum",), str(path))]


def test_a_missing_geometry_is_made_again(root: Path) -> None:
    (root / "segments" / "00000003" / "geometry.safetensors").unlink()
    with ms.open(root) as db:
        (problem,) = [one for one in db.verify().problems if "geometry" in one.file][:1]
        assert problem.worlds == ("museum",)
        mended = db.verify(repair=True)
        assert mended.clean
        assert mended.repaired == ("geometry of segment 3",)
        assert_holds(db.world("museum"), list(range(4)))


def test_repair_removes_nothing_while_anything_is_wrong(root: Path) -> None:
    (root / "segments" / "00000099").mkdir()
    payload = root / "segments" / "00000001" / "payload" / "latents" / "zarr.json"
    content = payload.read_bytes()
    payload.write_bytes(content.replace(b"3", b"4", 1))
    with ms.open(root) as db:
        found = db.verify(repair=True)
        assert {one.worlds for one in found.problems} == {("garden",)}
        assert str(payload) in {one.file for one in found.problems}
        assert (found.collected, found.unreferenced_segments) == (None, 1)
        payload.write_bytes(content)
        found = db.verify(repair=True)
        assert found.clean
        assert found.collected is not None
        assert found.collected.segments == 1
    assert not (root / "segments" / "00000099").exists()


def test_a_reader_verifies_and_leaves_repair_to_writers(root: Path) -> None:
    (root / "segments" / "00000003" / "geometry.safetensors").unlink()
    with ms.open(root, read_only=True) as db:
        found = db.verify(repair=True)
        assert not found.clean
        assert found.repaired == ()
