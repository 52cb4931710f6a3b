"""Segments on disk: what is written is what is read, and what breaks is named."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from memstore.errors import AlreadyExists, CorruptData, FailedPrecondition, InvalidInput, NotFound, ResourceLimit
from memstore.index import arrange
from memstore.latent import LatentSpec, to_tokens
from memstore.patch import Patches, SourceFrames
from memstore.storage import segments as segments_module
from memstore.storage.new_segment import NewSegment
from memstore.storage.segments import SegmentStore

SPEC = LatentSpec.pixel(patch=4)
HEIGHT, WIDTH, FRAMES = 16, 24, 3
CELLS = (HEIGHT // 4) * (WIDTH // 4)


def new_segment(seed: int = 0, *, spec: LatentSpec = SPEC, patch_count: int = 50, sky: int = 8) -> NewSegment:
    rng = np.random.default_rng(seed)
    depth = rng.uniform(0.5, 30, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    depth[:, 0], depth[:, 1] = np.inf, np.nan
    camera_to_world = np.tile(np.eye(4), (FRAMES, 1, 1))
    camera_to_world[:, :3, 3] = rng.normal(size=(FRAMES, 3))
    patches, blocks = arrange(
        Patches(
            origin=rng.normal(size=3) * 1e5,
            center=rng.normal(size=(patch_count, 3)).astype(np.float32),
            radius=rng.random(patch_count, np.float32) + np.float32(0.01),
            normal=rng.integers(-9_000, 9_000, (patch_count, 2)).astype(np.int16),
            frame=rng.integers(0, FRAMES, patch_count).astype(np.uint16),
            cell=rng.integers(0, CELLS, patch_count).astype(np.uint32),
            color=rng.integers(0, 256, (patch_count, 3)).astype(np.uint8),
            parts=rng.integers(0, 2**16, patch_count).astype(np.uint16),
            surface_count=max(0, patch_count - sky),
        )
    )
    frames = SourceFrames(
        ordinal=np.arange(FRAMES) + 100 * seed,
        time_s=np.arange(FRAMES) / 30,
        intrinsics=np.tile([20.0, 21.0, 12.0, 8.0], (FRAMES, 1)),
        camera_to_world=camera_to_world,
        width=WIDTH,
        height=HEIGHT,
    )
    rgb = rng.integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3)).astype(np.uint8)
    moving = rng.random((FRAMES, HEIGHT, WIDTH)) < 0.2
    captions = tuple(f"a 'quoted' caption {i} of {seed}" for i in range(FRAMES))
    metadata = tuple({"speed": 0.5 * i, "place": "café", "indoors": True} for i in range(FRAMES))
    return NewSegment(
        patches, blocks, frames, captions, metadata, to_tokens(rgb, 4), depth, moving, spec, world_id="museum"
    )


def opened(root: Path) -> SegmentStore:
    store = SegmentStore(root)
    store.recover()
    return store


def written(root: Path, count: int = 1) -> SegmentStore:
    store = opened(root)
    for seed in range(count):
        store.write(store.allocate(), new_segment(seed))
    return store


def assert_same(found: object, wanted: object) -> None:
    for field in fields(wanted):  # type: ignore[arg-type]  # any of the dataclasses of arrays
        left, right = getattr(found, field.name), getattr(wanted, field.name)
        assert np.array_equal(left, right), field.name
        assert getattr(left, "dtype", None) == getattr(right, "dtype", None), field.name


def own_files(store: SegmentStore, ordinal: int) -> list[Path]:
    return sorted(path for path in (store.root / f"{ordinal:08d}").rglob("*") if path.is_file())


def test_what_is_written_is_what_another_process_reads(tmp_path: Path) -> None:
    new = new_segment(3)
    size = opened(tmp_path).write(7, new)
    store = SegmentStore(tmp_path)
    segment = store.open(7)
    assert (segment.ordinal, segment.token_columns) == (7, WIDTH // 4)
    assert_same(segment.patches, new.patches)
    assert_same(segment.blocks, new.blocks)
    assert_same(segment.frames, new.frames)
    assert store.listed() == [7]
    assert size == store.bytes_on_disk(7) == sum(path.stat().st_size for path in own_files(store, 7))
    assert (store.totals().segment_count, store.totals().patch_count) == (1, 50)
    rows = store.frame_rows(7)
    assert [row.caption for row in rows] == list(new.captions)
    assert [dict(row.metadata) for row in rows] == list(new.metadata)
    assert [row.camera for row in rows] == [new.frames.camera(i) for i in range(FRAMES)]


def test_the_store_reads_latents_and_depths_of_patches(tmp_path: Path) -> None:
    new = new_segment()
    store = opened(tmp_path)
    store.write(1, new)
    frames, cells = new.patches.frame, new.patches.cell
    assert np.array_equal(store.latents(1, frames, cells), new.tokens.reshape(FRAMES, CELLS, -1)[frames, cells])
    wanted = to_tokens(new.depth_m[..., None], 4).reshape(FRAMES, CELLS, -1)[frames, cells]
    np.testing.assert_allclose(store.depths(1, frames, cells), wanted, rtol=2**-10)


def test_arrays_of_a_segment_cannot_be_written_through(tmp_path: Path) -> None:
    segment = written(tmp_path).open(1)
    with pytest.raises(ValueError, match="read-only"):
        segment.patches.radius[0] = 1


def test_a_segment_without_patches_is_a_segment(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write(1, new_segment(patch_count=0, sky=0))
    assert len(store.open(1).patches) == 0
    assert store.verify(1) == []
    store.remove([1])
    assert store.listed() == []


def test_an_ordinal_is_never_given_out_twice(tmp_path: Path) -> None:
    first = written(tmp_path, 2)
    first.remove([1, 2])
    lost = first.allocate()
    assert lost == 3
    assert opened(tmp_path).allocate() == 4


def test_a_lost_counter_is_an_error_once_there_are_segments(tmp_path: Path) -> None:
    store = written(tmp_path)
    (store.root / "next").unlink()
    with pytest.raises(CorruptData, match=r"next is missing or garbled.*up to 1"):
        store.allocate()
    with pytest.raises(CorruptData, match="no new segment can be numbered"):
        opened(tmp_path)


def test_an_ordinal_that_is_taken_is_refused(tmp_path: Path) -> None:
    store = written(tmp_path)
    with pytest.raises(AlreadyExists, match="segment 1 exists already"):
        store.write(1, new_segment())


def test_a_segment_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    store = written(tmp_path)
    with pytest.raises(NotFound, match="00000009"):
        store.open(9)
    with pytest.raises(NotFound, match="segment 9 has no rows"):
        store.frame_rows(9)


def test_a_root_that_was_never_written_holds_nothing(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path)
    assert store.listed() == []
    assert store.totals().segment_count == 0
    with pytest.raises(NotFound, match="is missing"):
        store.open(1)


def test_parts_that_do_not_fit_are_refused() -> None:
    new = new_segment()
    with pytest.raises(InvalidInput, match="3 frames, 1 captions"):
        replace(new, captions=("one",))
    with pytest.raises(InvalidInput, match="some lie outside"):
        replace(new, patches=replace(new.patches, cell=new.patches.cell + np.uint32(CELLS)))


def test_a_sound_segment_has_no_problems(tmp_path: Path) -> None:
    assert written(tmp_path).verify(1) == []


def test_a_flipped_bit_in_any_file_of_a_segment_is_found_and_named(tmp_path: Path) -> None:
    store = written(tmp_path)
    rng = np.random.default_rng(1)
    for path in own_files(store, 1):
        whole = path.read_bytes()
        for at in {0, 9, len(whole) - 1, *rng.integers(0, len(whole), 6).tolist()}:
            garbled = bytearray(whole)
            garbled[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(garbled)
            problems = SegmentStore(tmp_path).verify(1)
            assert any(Path(problem.file).name in (path.name, "zarr.json") for problem in problems), (path, at)
        path.write_bytes(whole)
    assert SegmentStore(tmp_path).verify(1) == []


def test_a_truncated_or_missing_file_of_a_segment_is_found_and_named(tmp_path: Path) -> None:
    store = written(tmp_path)
    for path in own_files(store, 1):
        if path.parent.name == "payload":
            continue  # the group's own zarr.json: no array of it, covered by the checksum below
        whole = path.read_bytes()
        for length in (0, 1, 8, len(whole) // 2, len(whole) - 4, len(whole) - 1):
            path.write_bytes(whole[:length])
            assert SegmentStore(tmp_path).verify(1), (path, length)
            with pytest.raises(CorruptData, match=r"restore|verify"):
                fresh = SegmentStore(tmp_path)
                fresh.open(1)
                fresh.payload(1)
        path.unlink()
        assert SegmentStore(tmp_path).verify(1), path
        path.write_bytes(whole)
    (store.root / "00000001" / "payload" / "zarr.json").unlink()
    assert "zarr.json" in SegmentStore(tmp_path).verify(1)[0].message


def test_rows_that_changed_are_found(tmp_path: Path) -> None:
    store = written(tmp_path)
    (fragment,) = (tmp_path / "tables" / "patches.lance" / "data").iterdir()
    garbled = bytearray(fragment.read_bytes())
    garbled[: len(garbled) // 4] = bytes(255 - byte for byte in garbled[: len(garbled) // 4])
    fragment.write_bytes(garbled)
    (problem,) = SegmentStore(tmp_path).verify(1)
    assert "tables" in problem.file
    assert SegmentStore(tmp_path).open(1).ordinal == store.open(1).ordinal


@pytest.mark.parametrize("seed", [0, 5])
def test_geometry_made_again_from_rows_is_equal_to_the_bit(tmp_path: Path, seed: int) -> None:
    new = new_segment(seed)
    store = opened(tmp_path)
    store.write(store.allocate(), new)
    path = store.root / "00000001" / "geometry.safetensors"
    for wound in (lambda: path.unlink(), lambda: path.write_bytes(path.read_bytes()[:-5])):
        wound()
        store = opened(tmp_path)
        assert store.verify(1) != []
        store.rebuild(1)
        assert store.verify(1) == []
        assert_same(store.open(1).patches, new.patches)
        assert_same(store.open(1).blocks, new.blocks)
        assert_same(store.open(1).frames, new.frames)


def test_sound_geometry_is_not_made_again(tmp_path: Path) -> None:
    store = written(tmp_path)
    with pytest.raises(FailedPrecondition, match="sound"):
        store.rebuild(1)


def test_geometry_is_not_made_of_rows_that_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = written(tmp_path)
    (store.root / "00000001" / "geometry.safetensors").unlink()
    patches = store.catalog.patches(1)
    other = replace(patches, radius=patches.radius + np.float32(1))
    monkeypatch.setattr(store.catalog, "patches", lambda _: other)
    with pytest.raises(CorruptData, match="not what was written"):
        store.rebuild(1)


def test_removing_takes_folder_and_rows_and_leaves_the_others(tmp_path: Path) -> None:
    store = written(tmp_path, 3)
    store.remove([2])
    for fresh in (store, SegmentStore(tmp_path)):
        assert fresh.listed() == [1, 3]
        assert fresh.totals().segment_count == 2
        assert fresh.verify(1) == fresh.verify(3) == []
        with pytest.raises(NotFound, match="00000002"):
            fresh.open(2)
        with pytest.raises(NotFound, match="segment 2 has no rows"):
            fresh.frame_rows(2)


def test_removal_frees_the_space_of_rows_after_the_grace(tmp_path: Path) -> None:
    store = written(tmp_path, 4)
    data = tmp_path / "tables" / "patches.lance" / "data"
    store.remove([1, 2])
    store.maintain()
    assert len(list(data.iterdir())) == 4
    for _ in range(2):  # the two newest versions stay: two more writes make them old
        store.write(store.allocate(), new_segment(9))
    store.maintain(grace_s=-1)
    assert len(list(data.iterdir())) == 4
    assert store.verify(3) == store.verify(4) == []


STOPS = ["write_payload", "encode_geometry", "write_file", "frames", "segments"]


@pytest.mark.parametrize("stop", STOPS)
def test_a_crash_at_any_step_of_a_write_leaves_garbage_that_remove_takes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    class Crash(BaseException):
        """Nothing catches it, as nothing catches kill -9."""

    def crash(*_: object, **__: object) -> None:
        raise Crash

    store = written(tmp_path)
    ordinal = store.allocate()
    with monkeypatch.context() as patched:
        if stop in ("frames", "segments"):
            patched.setattr(getattr(store.catalog, f"_{stop}"), "append", crash)
        else:
            patched.setattr(segments_module, stop, crash)
        with pytest.raises(Crash):
            store.write(ordinal, new_segment(1))
    fresh = opened(tmp_path)
    assert fresh.totals().segment_count == 1
    assert fresh.verify(1) == []
    later = fresh.allocate()
    assert later > ordinal
    fresh.write(later, new_segment(2))
    fresh.remove([o for o in fresh.listed() if o not in (1, later)])
    assert fresh.listed() == [1, later]
    assert fresh.verify(1) == fresh.verify(later) == []
    assert len(fresh.catalog.frames(None, None, 100)) == 2 * FRAMES


def test_a_removal_that_was_cut_off_is_finished_at_the_next_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = written(tmp_path, 2)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        store.remove([1])
    fresh = opened(tmp_path)
    assert fresh.listed() == [2]
    assert sorted(path.name for path in fresh.root.iterdir()) == ["00000002", "next"]


KILLED = """
import os, sys
sys.path[:0] = [{tests!r}, {root!r}]
from pathlib import Path
from test_segments import new_segment, opened
store = opened(Path(sys.argv[1]))
print(store.allocate(), flush=True)
for seed in range(1, 1000):
    ordinal = store.allocate()
    store.write(ordinal, new_segment(seed))
    print(ordinal, flush=True)
"""


def test_acknowledged_segments_survive_kill_9(tmp_path: Path) -> None:
    tests = Path(__file__).parent
    script = KILLED.format(tests=str(tests), root=str(tests.parent))
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        acknowledged = [int(child.stdout.readline()) for _ in range(4)]
        child.kill()
    store = opened(tmp_path)
    for ordinal in acknowledged:
        assert store.verify(ordinal) == []
    assert store.allocate() > max(acknowledged)


def test_a_disk_that_fills_up_is_named_and_leaves_the_rest_readable(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        store = written(disk)
        wide = new_segment(1, patch_count=2_000)
        with pytest.raises(ResourceLimit, match=r"no room to write [\d,]+ bytes"):
            for _ in range(200):
                store.write(store.allocate(), wide)
        fresh = opened(disk)
        finished = {row.segment for row in fresh.catalog.segments()}
        assert all(fresh.verify(ordinal) == [] for ordinal in finished)
        fresh.remove(finished - {1})
    except ResourceLimit:
        pass  # removing needs a little room of its own, which a disk this full may not have
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_opening_keeps_no_file_descriptor(tmp_path: Path) -> None:
    store = written(tmp_path, 3)
    store.frame_rows(1)
    before = len(os.listdir("/proc/self/fd"))
    held = [(SegmentStore(tmp_path).open(o), SegmentStore(tmp_path).payload(o)) for o in (1, 2, 3) for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) == before
    assert len(held) == 60


def test_a_torn_table_is_rolled_back_and_said_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    written(tmp_path, 2)
    newest = min((tmp_path / "tables" / "segments.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(newest.read_bytes()[:40])
    assert SegmentStore(tmp_path).totals().segment_count == 1
    with caplog.at_level(logging.WARNING, "memstore"):
        store = opened(tmp_path)
    assert "was torn by a crash" in caplog.text
    assert store.totals().segment_count == 1
    store.write(store.allocate(), new_segment(4))
    assert store.verify(3) == []
