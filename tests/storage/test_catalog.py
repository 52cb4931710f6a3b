"""The catalog: appends that last, torn versions that are passed over, readers that nobody disturbs."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from memstore.errors import CorruptData, InvalidInput, NotFound, ResourceLimit
from memstore.latent import LatentSpec
from memstore.patch import Patches, SourceFrames
from memstore.storage import catalog as catalog_module
from memstore.storage import table as table_module
from memstore.storage.catalog import Catalog
from memstore.storage.rows import SegmentRow

FRAMES = 3
TABLES = ["patches", "frames", "segments"]


def patches(seed: int, count: int = 20) -> Patches:
    rng = np.random.default_rng(seed)
    return Patches(
        origin=np.array([1e6, -2.5, 1 / 3]),
        center=rng.normal(size=(count, 3)).astype(np.float32),
        radius=rng.random(count, np.float32),
        normal=rng.integers(-32_767, 32_768, (count, 2)).astype(np.int16),
        frame=rng.integers(0, FRAMES, count).astype(np.uint16),
        cell=rng.integers(0, 2**31, count).astype(np.uint32),
        color=rng.integers(0, 256, (count, 3)).astype(np.uint8),
        parts=rng.integers(0, 2**16, count).astype(np.uint16),
        surface_count=count * 3 // 4,
    )


def frames(seed: int) -> SourceFrames:
    camera_to_world = np.tile(np.eye(4), (FRAMES, 1, 1))
    camera_to_world[:, :3, 3] = np.random.default_rng(seed).normal(size=(FRAMES, 3))
    ordinal = np.arange(FRAMES) + FRAMES * seed
    return SourceFrames(ordinal, ordinal / 30, np.tile([50.0, 51, 32, 24], (FRAMES, 1)), camera_to_world, 64, 48)


def append(catalog: Catalog, segment: int, count: int = 20, world_id: str = "museum") -> None:
    origin = (1e6, -2.5, 1 / 3)
    row = SegmentRow(
        segment, world_id, FRAMES, count, count * 3 // 4, LatentSpec.pixel(), origin, None, None, 9, 1.5, 7
    )
    captions = [f"frame {i} of {segment}" for i in range(FRAMES)]
    catalog.append(row, patches(segment, count), frames(segment), captions, [{"segment": segment}] * FRAMES)


def filled(folder: Path, count: int) -> Catalog:
    catalog = Catalog(folder)
    catalog.recover()
    for segment in range(1, count + 1):
        append(catalog, segment)
    return catalog


def manifests(folder: Path, table: str) -> list[Path]:
    """Returns the manifests of a table, newest first."""
    return sorted((folder / f"{table}.lance" / "_versions").glob("*.manifest"))


def assert_same(found: object, wanted: object) -> None:
    for field in fields(wanted):  # type: ignore[arg-type]  # any of the dataclasses of arrays
        left, right = np.asarray(getattr(found, field.name)), np.asarray(getattr(wanted, field.name))
        assert left.dtype == right.dtype, field.name
        assert left.tobytes() == right.tobytes(), field.name


def assert_holds(catalog: Catalog, segments: list[int]) -> None:
    assert [row.segment for row in catalog.segments()] == segments
    for segment in segments:
        assert_same(catalog.patches(segment), patches(segment))
        assert_same(catalog.source_frames(segment), frames(segment))


def test_rows_come_back_to_the_bit(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    catalog = Catalog(tmp_path)
    assert_holds(catalog, [1, 2, 3])
    row = catalog.segment(2)
    assert (row.world_id, row.spec, row.low, row.digest) == ("museum", LatentSpec.pixel(), None, 7)
    assert [frame.caption for frame in catalog.frames_of(2)] == [f"frame {i} of 2" for i in range(FRAMES)]
    assert catalog.frames_of(2)[1].camera == frames(2).camera(1)
    assert catalog.frames_of(2)[1].metadata == {"segment": 2}


def test_a_segment_is_one_fragment_of_patches(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 3)
    assert [row.fragment for row in catalog.segments()] == [0, 1, 2]
    assert len(list((tmp_path / "patches.lance" / "data").iterdir())) == 3


def test_people_search_frames_by_sql(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 2)
    append(catalog, 3, world_id="o'garden")
    assert len(catalog.frames(None, None, 100)) == 3 * FRAMES
    assert [row.ordinal for row in catalog.frames("ordinal BETWEEN 4 AND 6", "museum", 10)] == [4, 5, 6]
    assert [row.caption for row in catalog.frames("caption LIKE '%1 of 3'", None, 10)] == ["frame 1 of 3"]
    assert {row.segment for row in catalog.frames("fx > 1 AND index >= 0", "o'garden", 10)} == {3}
    assert len(catalog.frames(None, "museum", 4)) == 4


def test_no_condition_reaches_into_another_world(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 1)
    append(catalog, 2, world_id="garden")
    assert {row.world_id for row in catalog.frames("true) OR (true", "garden", 100)} <= {"garden"}


def test_a_condition_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be searched by 'colour = 3'.*use SQL on world_id"):
        filled(tmp_path, 1).frames("colour = 3", None, 10)


def test_what_is_missing_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is missing"):
        Catalog(tmp_path).segments()
    with pytest.raises(NotFound, match="segment 5 has no rows"):
        filled(tmp_path, 1).patches(5)


def test_a_reader_that_is_open_sees_what_is_added(tmp_path: Path) -> None:
    writer = filled(tmp_path, 1)
    reader = Catalog(tmp_path)
    assert_holds(reader, [1])
    append(writer, 2)
    assert_same(reader.patches(2), patches(2))
    assert_holds(reader, [1, 2])


def test_data_is_synced_before_the_version_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = filled(tmp_path, 1)
    synced: list[str] = []
    fsync = os.fsync

    def noted(file: int) -> None:
        synced.append(os.path.relpath(os.readlink(f"/proc/self/fd/{file}"), tmp_path))
        fsync(file)

    monkeypatch.setattr(os, "fsync", noted)
    append(catalog, 2)
    kinds = [name.split("/")[0].removesuffix(".lance") + " " + "/".join(name.split("/")[1:2]) for name in synced]
    assert kinds == [f"{table} {place}" for table in TABLES for place in ("data", "data", "_versions", "_versions")]
    assert [name.endswith((".lance", ".manifest")) for name in synced] == [True, False] * 6


@pytest.mark.parametrize("table", TABLES)
def test_a_torn_newest_version_is_rolled_back_at_every_length(
    tmp_path: Path, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path, 3)
    newest = manifests(tmp_path, table)[0]
    whole = newest.read_bytes()
    for length in (0, 1, 15, 16, len(whole) // 2, len(whole) - 16, len(whole) - 1):
        newest.write_bytes(whole[:length])
        reader = Catalog(tmp_path)  # a reader passes over it and leaves it there
        assert_same(reader.patches(2), patches(2))
        assert newest.exists()
        caplog.clear()
        with caplog.at_level(logging.WARNING, "memstore"):
            writer = Catalog(tmp_path)
            writer.recover()
        assert f"{table}.lance was torn by a crash" in caplog.text
        assert_same(writer.patches(2), patches(2))
        assert not newest.exists()
        newest.write_bytes(whole)


@pytest.mark.parametrize("table", TABLES)
def test_a_version_whose_data_is_torn_is_rolled_back(tmp_path: Path, table: str) -> None:
    data = tmp_path / f"{table}.lance" / "data"
    filled(tmp_path, 2)
    before = set(data.iterdir())
    catalog = Catalog(tmp_path)
    append(catalog, 3)
    (newest,) = set(data.iterdir()) - before
    for wound in (lambda: newest.write_bytes(newest.read_bytes()[:-1]), lambda: newest.unlink()):
        wound()
        assert_same(Catalog(tmp_path).patches(2), patches(2))
    writer = Catalog(tmp_path)
    writer.recover()
    writer.drop([3])
    append(writer, 4)
    assert_holds(writer, [1, 2, 4])
    assert_holds(Catalog(tmp_path), [1, 2, 4])


def test_damage_to_older_data_rolls_nothing_back(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 1)
    (first,) = (tmp_path / "patches.lance" / "data").iterdir()
    append(catalog, 2)
    append(catalog, 3)
    first.write_bytes(first.read_bytes()[:-1])
    damaged = Catalog(tmp_path)
    damaged.recover()
    assert [row.segment for row in damaged.segments()] == [1, 2, 3]
    assert_same(damaged.patches(3), patches(3))
    with pytest.raises(CorruptData, match=r"cannot be read|not those"):
        damaged.patches(1)


def test_a_table_whose_creation_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    filled(tmp_path, 0)
    for manifest in manifests(tmp_path, "frames"):
        manifest.unlink()
    assert_holds(filled(tmp_path, 1), [1])


def test_a_table_with_data_and_no_sound_version_is_an_error(tmp_path: Path) -> None:
    filled(tmp_path, 1)
    for manifest in manifests(tmp_path, "patches"):
        manifest.write_bytes(b"")
    with pytest.raises(CorruptData, match="no sound version"):
        Catalog(tmp_path).recover()


@pytest.mark.parametrize("table", TABLES[1:])
def test_rows_of_an_unfinished_segment_are_dropped(tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = filled(tmp_path, 2)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(getattr(catalog, f"_{table}"), "append", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        append(catalog, 3)
    writer = Catalog(tmp_path)
    writer.recover()
    append(writer, 4)
    writer.drop([3, 1])
    assert_holds(writer, [2, 4])
    assert len(writer.frames(None, None, 100)) == 2 * FRAMES
    assert {writer._patches.owner(fragment) for fragment in writer._patches.fragment_ids()} == {2, 4}


def test_dropping_nothing_changes_nothing(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 2)
    before = [manifests(tmp_path, table) for table in TABLES]
    catalog.drop([])
    catalog.drop([77])
    assert [manifests(tmp_path, table) for table in TABLES] == before


def test_versions_do_not_pile_up(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 30)
    for table in TABLES:
        assert len(manifests(tmp_path, table)) <= table_module.KEPT_VERSIONS + 2
        assert len(list((tmp_path / f"{table}.lance" / "_transactions").iterdir())) <= table_module.KEPT_VERSIONS + 2
    assert_holds(catalog, list(range(1, 31)))


def test_versions_left_by_many_short_lived_writers_are_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "MANY_VERSIONS", 12)
    filled(tmp_path, 0)
    for segment in range(1, 16):
        catalog = Catalog(tmp_path)
        catalog.recover()
        append(catalog, segment)
    assert all(len(manifests(tmp_path, table)) <= 13 for table in TABLES)
    assert_holds(Catalog(tmp_path), list(range(1, 16)))


def test_small_tables_are_compacted_and_patches_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "MANY_FRAGMENTS", 5)
    monkeypatch.setattr(catalog_module, "MAINTAIN_EVERY", 6)
    catalog = filled(tmp_path, 12)
    assert len(catalog._patches.fragment_ids()) == 12
    assert len(catalog._frames.fragment_ids()) <= 2
    assert len(catalog._segments.fragment_ids()) <= 2
    assert_holds(catalog, list(range(1, 13)))
    catalog.drop([3, 7])
    catalog.maintain()
    assert_holds(Catalog(tmp_path), [s for s in range(1, 13) if s not in (3, 7)])


def test_a_crash_between_compaction_and_its_commit_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = filled(tmp_path, 6)
    monkeypatch.setattr(table_module, "MANY_FRAGMENTS", 5)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(table_module.Compaction, "commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        catalog.maintain()
    writer = Catalog(tmp_path)
    writer.recover()
    assert_holds(writer, list(range(1, 7)))


READER = """
import sys
import lance, lancedb
root = sys.argv[1]
held = {name: lance.dataset(f"{root}/{name}.lance") for name in ("patches", "frames", "segments")}
people = lancedb.connect(root).open_table("frames")
print("open", flush=True)
sys.stdin.readline()
print(*[held[name].to_table().num_rows for name in held], people.count_rows(), held["patches"].version, flush=True)
"""


def test_maintenance_disturbs_no_reader_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "MANY_FRAGMENTS", 5)
    catalog = filled(tmp_path, 7)
    command = [sys.executable, "-c", READER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        held = manifests(tmp_path, "patches")[0]
        for segment in range(8, 20):
            append(catalog, segment)
            catalog.maintain()
        assert not held.exists()
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline().split()[:3] == ["140", "21", "7"]


def test_our_own_readers_outlive_even_what_the_grace_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "MANY_FRAGMENTS", 5)
    writer = filled(tmp_path, 7)
    reader = Catalog(tmp_path)
    assert_holds(reader, list(range(1, 8)))
    for segment in range(8, 12):
        append(writer, segment)
        writer.maintain(grace_s=-1)
    assert [frame.caption for frame in reader.frames_of(3)] == [f"frame {i} of 3" for i in range(FRAMES)]
    assert reader.segment(2).segment == 2
    assert_same(reader.patches(11), patches(11))


def test_space_of_dropped_segments_comes_back(tmp_path: Path) -> None:
    catalog = filled(tmp_path, 6)
    data = tmp_path / "patches.lance" / "data"
    catalog.drop([1, 2, 3])
    append(catalog, 7)
    append(catalog, 8)
    assert len(list(data.iterdir())) == 8
    catalog.maintain()
    assert len(list(data.iterdir())) == 8
    catalog.maintain(grace_s=-1)
    assert len(list(data.iterdir())) == 5
    assert_holds(catalog, [4, 5, 6, 7, 8])


def test_a_full_disk_is_named_whatever_lance_calls_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = filled(tmp_path, 1)

    def full(*_: object, **__: object) -> None:
        raise ValueError("LanceError(IO): Unable to write: No space left on device (os error 28)")

    with monkeypatch.context() as patched:
        patched.setattr(table_module, "write_fragments", full)
        with pytest.raises(ResourceLimit, match=r"no room to write [\d,]+ bytes"):
            append(catalog, 2)
    append(catalog, 3)
    assert_holds(catalog, [1, 3])
