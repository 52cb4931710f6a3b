"""Flipped bits: found, named by file and world, mended where they can be, and of no harm to other worlds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.place import assert_holds, frame, walk_in

import memstore as ms
from memstore.errors import CorruptData, NotFound


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Makes a database of three worlds: what is flipped is the museum's."""
    with ms.open(tmp_path / "db") as db:
        for name in ("garden", "museum", "street"):
            walk_in(db.create_world(name), range(4))
    return tmp_path / "db"


@pytest.fixture
def segment(root: Path) -> Path:
    """Returns the folder of the museum's last segment."""
    return root / "segments" / "00000004"


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def some_bits(path: Path, count: int) -> list[int]:
    return sorted(random.Random(path.name).sample(range(8 * path.stat().st_size), count))


def flips(path: Path, count: int = 5) -> Iterator[int]:
    """Flips one bit after the other, mending each before the next."""
    for bit in some_bits(path, count):
        flip(path, bit)
        yield bit
        flip(path, bit)


def world_folder(root: Path, name: str) -> Path:
    with ms.open(root, read_only=True) as db:
        return root / "worlds" / db.world(name).describe().world_id


def assert_others_unharmed(root: Path) -> None:
    with ms.open(root, read_only=True) as db:
        for name in ("garden", "street"):
            assert_holds(db.world(name), list(range(4)))


def read_all(world: ms.World) -> None:
    world.retrieve([frame(i).camera for i in range(4)], per_token=64)
    list(world.frames())


@pytest.mark.parametrize("array", ["latents", "depth"])
def test_a_flip_in_a_payload_names_file_and_world(root: Path, segment: Path, array: str) -> None:
    path = segment / "payload" / array / "c" / "0" / "0" / "0" / "0"
    for _ in flips(path):
        with ms.open(root) as db:
            with pytest.raises(CorruptData, match=r"world 'museum' cannot be read: .*restore this file") as caught:
                read_all(db.world("museum"))
            assert caught.value.details["file"] == str(path)
            assert caught.value.details["world"] == "museum"
            found = db.verify(repair=True)
            assert [(one.worlds, one.file) for one in found.problems] == [(("museum",), str(path))]
            assert found.collected is None
    assert_others_unharmed(root)


def test_the_older_segments_of_a_world_still_read_beside_a_garbled_one(root: Path, segment: Path) -> None:
    flip(segment / "payload" / "latents" / "c" / "0" / "0" / "0" / "0", 100)
    with ms.open(root, read_only=True) as db:
        museum = db.world("museum")
        assert [one.caption for one in museum.frames(0, 2)] == ["frame 0", "frame 1"]
        assert museum.retrieve(frame(0).camera, as_of=1).coverage.mean() > 0.9
        with pytest.raises(CorruptData, match="fails the checksum of frame 0"):
            list(museum.frames())


def test_a_flip_in_geometry_is_found_by_verify_and_mended_by_repair(root: Path, segment: Path) -> None:
    path = segment / "geometry.safetensors"
    sound = path.read_bytes()
    for bit in some_bits(path, 5):
        flip(path, bit)
        with ms.open(root) as db:
            assert {(one.worlds, one.file) for one in db.verify().problems} == {(("museum",), str(path))}
            assert_others_unharmed(root)
            mended = db.verify(repair=True)
            assert (mended.problems, mended.repaired) == ((), ("geometry of segment 4",))
            assert_holds(db.world("museum"), list(range(4)))
        assert len(path.read_bytes()) == len(sound)


def test_a_flip_in_any_object_is_found_and_named(root: Path) -> None:
    with ms.open(root, read_only=True) as db:
        objects = [path for path in (root / "objects").glob("??/*") if path.is_file()]
        assert len(objects) > 12
        for path in objects:
            for _ in flips(path, 1):
                problems = db.verify().problems
                assert str(path) in {one.file for one in problems}, path
        assert db.verify().clean


def test_a_flip_in_a_commit_stops_its_world_alone(root: Path) -> None:
    with ms.open(root, read_only=True) as db:
        head = db.world("museum").head
    path = root / "objects" / head[:2] / head[2:]
    for _ in flips(path, 4):
        with ms.open(root) as db:
            with pytest.raises(CorruptData, match=r"world 'museum' cannot be read: .*does not match its name"):
                read_all(db.world("museum"))
            with pytest.raises(CorruptData, match="does not match its name"):
                db.collect(grace_s=0)
            assert not db.verify(repair=True).clean
        assert_others_unharmed(root)
    with ms.open(root) as db:
        assert db.verify(repair=True).clean
        assert_holds(db.world("museum"), list(range(4)))


def test_a_flip_in_a_head_names_the_file_and_is_never_another_commit(root: Path) -> None:
    path = world_folder(root, "museum") / "heads" / "main.json"
    for _ in flips(path, 12):
        with ms.open(root) as db:
            with pytest.raises(CorruptData, match=r"main\.json is garbled; restore it from a copy"):
                read_all(db.world("museum"))
            with pytest.raises(CorruptData, match="is garbled"):
                db.collect(grace_s=0)
            assert [(one.worlds, one.file) for one in db.verify().problems] == [(("museum",), str(path))]
    assert_others_unharmed(root)


def test_a_flip_in_a_world_file_hides_no_other_world_and_loses_nothing(root: Path) -> None:
    path = world_folder(root, "museum") / "world.json"
    for _ in flips(path, 12):
        with ms.open(root) as db:
            assert [world.name for world in db.worlds()] == ["garden", "street"]
            with pytest.raises(CorruptData, match=r"no readable world is named 'museum', and .*world\.json is garbled"):
                db.world("museum")
            with pytest.raises(CorruptData, match="is garbled"):
                db.collect(grace_s=0)
            assert [one.file for one in db.verify(repair=True).problems] == [str(path)]
    assert_others_unharmed(root)
    with ms.open(root) as db:
        assert_holds(db.world("museum"), list(range(4)))


def test_a_flip_in_a_lease_stops_collection_as_nobody_can_tell_what_it_holds(root: Path) -> None:
    with ms.open(root) as db, db.world("museum").pin():
        (path,) = (root / "leases").iterdir()
        for _ in flips(path):
            with pytest.raises(CorruptData, match="is garbled"):
                db.collect(grace_s=0)
        assert db.collect(grace_s=0).segments == 0


def test_a_flip_in_a_table_is_found_or_of_no_consequence(root: Path) -> None:
    """Lance keeps no checksums: verify compares rows with what was written, and worlds read no rows but notes."""
    found = 0
    for path in sorted((root / "tables").glob("*.lance/data/*.lance"))[::3]:
        for _ in flips(path, 4):
            with ms.open(root, read_only=True) as db:
                if db.verify().clean:
                    assert_holds(db.world("museum"), list(range(4)))
                else:
                    found += 1
    assert found > 0


def test_a_missing_object_is_found(root: Path) -> None:
    with ms.open(root, read_only=True) as db:
        head = db.world("museum").head
    (root / "objects" / head[:2] / head[2:]).unlink()
    with ms.open(root) as db:
        with pytest.raises(NotFound, match=f"there is no commit '{head}'"):
            read_all(db.world("museum"))
        assert [one.worlds for one in db.verify().problems] == [("museum",)]
        with pytest.raises(NotFound, match="there is no commit"):
            db.collect(grace_s=0)
    assert_others_unharmed(root)
