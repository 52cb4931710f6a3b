"""Flattening writes scattered rows together, and nobody who looks can tell."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import memstore as ms
from memstore import flatten as flatten_module
from memstore.draft import Draft, new_layer_id
from memstore.errors import Conflict, CorruptData, InvalidInput, ReadOnly, Reason
from memstore.flatten import TRIES
from memstore.history.branch import Branch, Change
from memstore.layer import Layer, Mask
from memstore.segment import NEVER_HIDDEN, Homes
from memstore.showing import Showing
from memstore.storage.columns import ColumnFile
from memstore.storage.new_segment import GatheredSegment
from memstore.storage.store import FORMAT_VERSION, GATHERED_FORMAT


class Place:
    """A world that can be edited row by row."""

    def __init__(self, db, name="museum"):
        self.db = db
        self.showing = Showing(db.store)
        self.branch = Branch(db.store, db.registry, db.registry.find(name), "main")
        self.world = db.world(name)

    def edit(self, change):
        """Commits what `change` does to a draft of the head."""
        with self.db.store.writing():
            head = self.branch.head()
            draft = Draft(self.showing, self.showing.layers(head))
            change(draft)
            return self.branch.advance(head, draft.stage(), Change("edit"))

    def scatter(self, rng, share, *, move=None, name="things", source="observed", retire=None):
        """Hides a share of a layer's rows, for good or from an ordinal on; with `move`, shows them there."""

        def change(draft):
            layer = draft.find(source)
            parts, moved = [], []
            for part in draft.parts(layer.layer_id).values():
                hidden = draft.hidden_from(part)
                gone = (rng.random(len(hidden)) < share) & (hidden == NEVER_HIDDEN)
                hidden[gone] = 0 if retire is None else retire
                sky = layer.kind == "sky"
                parts.append(draft.part(part.segment, Mask.of(hidden, None), sky=sky))
                there = np.where(gone, NEVER_HIDDEN, np.uint32(0))
                moved.append(draft.part(part.segment, Mask.of(there, None), sky=sky))
            draft.add(layer, parts)
            if move is not None:
                placed = Layer(new_layer_id(), draft.free_name(name), "placed", "", layer.layer_id, move)
                draft.add(placed, moved)

        return self.edit(change)

    def instances(self):
        """Returns all that the head ever shows: by layer and place in the payload, where and until when."""
        found = {}
        scene = self.showing.scene(self.branch.head())
        for entry in scene.entries:
            patches, split = entry.segment.patches, entry.segment.patches.surface_count
            rows = np.arange(split, len(patches)) if entry.sky else np.arange(split)
            homes, frames = entry.segment.payload_of(patches.frame[rows])
            for row, home, frame in zip(rows.tolist(), homes.tolist(), frames.tolist(), strict=True):
                hidden = NEVER_HIDDEN if entry.hidden_from is None else entry.hidden_from[row]
                if hidden:
                    key = (scene.layers[entry.layer], home, frame, int(patches.cell[row]))
                    assert key not in found
                    at = patches.center[row] + (0 if entry.sky else patches.origin)
                    found[key] = (at, patches.radius[row], patches.normal[row], patches.parts[row], hidden)
        return found


def assert_same_instances(found, wanted):
    assert found.keys() == wanted.keys()
    for key, (at, *rest) in wanted.items():
        np.testing.assert_allclose(found[key][0], at, atol=1e-6)
        for one, other in zip(found[key][1:], rest, strict=True):
            np.testing.assert_array_equal(one, other)


def cameras(walk):
    """Returns cameras off the walk's, so that nothing lies on the edge of anything."""
    rng = np.random.default_rng(8)
    found = []
    for frame in walk(7)[1:]:
        matrix = frame.camera.camera_to_world.copy()
        matrix[:3, 3] += rng.uniform(-0.3, 0.3, 3)
        found.append(frame.camera.at(matrix))
    return found


def assert_same_views(left, right, walk, **options):
    """Checks that two worlds show the same patches at the same pixels, with the same latents."""
    seen = 0
    for camera in cameras(walk):
        one, other = (world.retrieve(camera, **options) for world in (left, right))
        order = [np.lexsort((m.cell[:, 1], m.cell[:, 0], m.sources.ordinal[m.source], m.layer)) for m in (one, other)]
        i, j = order
        assert len(i) == len(j)
        np.testing.assert_array_equal(one.cell[i], other.cell[j])
        np.testing.assert_array_equal(np.array(one.layers)[one.layer[i]], np.array(other.layers)[other.layer[j]])
        np.testing.assert_array_equal(one.latents()[i], other.latents()[j])
        np.testing.assert_array_equal(one.content.depth_m[i], other.content.depth_m[j])
        np.testing.assert_allclose(one.uv[i], other.uv[j], atol=1e-3)
        np.testing.assert_array_equal(one.sources.segment[one.source[i]], other.sources.segment[other.source[j]])
        seen += len(i)
    return seen


def assert_same_frames(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        assert (one.caption, one.ordinal, one.camera, one.time_s) == (
            other.caption,
            other.ordinal,
            other.camera,
            other.time_s,
        )
        np.testing.assert_array_equal(one.latents, other.latents)
        np.testing.assert_array_equal(one.depth_m, other.depth_m)


def fill(world, walk, flushed_every=3, **options):
    with world.ingest(forgetting=False, **options) as ingest:
        for i, frame in enumerate(walk(12, open_sky=True)):
            ingest.add(frame)
            if i % flushed_every == flushed_every - 1:
                ingest.flush()


def make_messy(place):
    """Leaves few of many rows where they were, and some from an ordinal on nowhere."""
    rng = np.random.default_rng(4)
    turned = ms.Transform.translate(0.2, 0.1, 0.3) @ ms.Transform.rotate_z(20, degrees=True)
    place.scatter(rng, 0.3, move=turned)
    place.scatter(rng, 0.3, retire=7)
    place.scatter(rng, 0.5, move=ms.Transform.translate(-0.2, 0.3, 0.0))
    place.scatter(rng, 0.2)
    place.scatter(rng, 0.6, source="sky")


@pytest.fixture
def db(tmp_path):
    with ms.open(tmp_path / "db") as db:
        yield db


@pytest.fixture
def messy(db, walk):
    fill(db.create_world("museum"), walk)
    place = Place(db)
    make_messy(place)
    return place


@pytest.mark.parametrize("everything", [False, True])
def test_a_flattened_world_shows_the_same(messy, walk, everything):
    world, before = messy.world, messy.world.at(messy.world.head)
    wanted = messy.instances()
    report = world.flatten(everything=everything)
    assert_same_instances(messy.instances(), wanted)
    assert assert_same_views(before, world, walk) > 300
    for as_of in (2, 6, 7, 9):
        assert_same_views(before, world, walk, as_of=as_of)
    for ranking in ("closest", "frames"):
        assert_same_views(before, world, walk, ranking=ranking, max_frames=3)
    assert (report.patches_before, report.patches_after) == (before.describe().patch_count,) * 2
    assert [layer.name for layer in report.operations[0].layers] == ["observed", "sky", "things", "things-2"]
    (old, new) = (w.layers() for w in (before, world))
    for was, now in zip(old, new, strict=True):
        assert replace(now, bounds=None, placement=was.placement) == replace(was, bounds=None)
        assert now.placement == was.placement
        if was.bounds is not None and (was.placement.rotation == np.eye(3)).all():  # else boxes of boxes grow
            np.testing.assert_allclose(now.bounds.low, was.bounds.low, atol=1e-5)
    assert messy.db.verify().clean


def test_fresh_segments_hold_geometry_alone_and_say_so(messy):
    payload = sum(path.stat().st_size for path in messy.db.root.glob("segments/*/payload/**/*"))
    old = set(messy.db.store.segments.listed())
    report = messy.world.flatten(everything=True)
    fresh = set(messy.db.store.segments.listed()) - old
    assert fresh
    for ordinal in fresh:
        assert [path.name for path in (messy.db.store.segments.root / f"{ordinal:08d}").rglob("*")] == [
            "geometry.safetensors"
        ]
    assert 0 < report.bytes_written < payload / 3
    assert messy.db.describe().patch_count == sum(len(messy.db.store.segments.open(o).patches) for o in old)


def test_the_frames_that_went_in_still_come_out(messy, walk):
    wanted = list(messy.world.frames())
    messy.scatter(np.random.default_rng(1), 0.9)
    listed = messy.db.store.segments.catalog.frames(None, None, 1_000)
    for _ in range(2):
        messy.world.flatten(everything=True)
        assert_same_frames(list(messy.world.frames()), wanted)
        assert_same_frames(list(messy.world.frames(3, 8)), wanted[3:8])
    assert messy.db.store.segments.catalog.frames(None, None, 1_000) == listed


def test_frames_none_of_whose_patches_is_left_still_come_out(messy, walk):
    wanted = list(messy.world.frames())

    def hide_first_segments(draft):
        layer = draft.find("observed")
        parts = list(draft.parts(layer.layer_id).values())
        nothing = [draft.part(p.segment, Mask.of(np.zeros_like(draft.hidden_from(p)), None), sky=False) for p in parts]
        draft.add(layer, [*nothing[:2], *parts[2:]])

    messy.edit(hide_first_segments)
    for everything in (False, True, True):
        messy.world.flatten(everything=everything)
        assert_same_frames(list(messy.world.frames()), wanted)


def test_a_layer_that_shows_nothing_stays_as_it_is(messy):
    messy.scatter(np.random.default_rng(1), 2.0)
    wanted = [frame.caption for frame in messy.world.frames()]
    (before,) = [layer for layer in messy.showing.layers(messy.branch.head()) if layer.name == "observed"]

    def hide_retired(draft):
        parts = draft.parts(before.layer_id).values()
        draft.add(
            before,
            [draft.part(p.segment, Mask.of(np.zeros_like(draft.hidden_from(p)), None), sky=False) for p in parts],
        )

    messy.edit(hide_retired)
    report = messy.world.flatten()
    assert "observed" not in [layer.name for layer in report.operations[0].layers]
    assert [frame.caption for frame in messy.world.frames()] == wanted


def test_fresh_patches_are_found_by_their_ids(messy, walk):
    messy.world.flatten(everything=True)
    mosaic = messy.world.retrieve(cameras(walk)[0])
    stored = messy.world.patches(mosaic.ids)
    np.testing.assert_array_equal(stored.latents, mosaic.latents())
    np.testing.assert_array_equal(stored.color, mosaic.color)
    np.testing.assert_array_equal(stored.ordinal, mosaic.sources.ordinal[mosaic.source])


def test_an_untouched_world_is_left_alone(db, walk):
    fill(db.create_world("museum"), walk)
    place = Place(db)
    place.scatter(np.random.default_rng(0), 0.2)
    head = place.branch.head()
    report = place.world.flatten()
    assert (report.commit, report.base, report.bytes_written, place.branch.head()) == ("", head, 0, head)
    assert report.operations[0].selected_count == 0
    assert db.describe().format_version == FORMAT_VERSION


def test_only_thin_parts_are_rewritten(db, walk):
    fill(db.create_world("museum"), walk)
    place = Place(db)

    def hide_most_of_one(draft):
        first = next(iter(draft.parts(draft.find("observed").layer_id).values()))
        hidden = draft.hidden_from(first)
        hidden[::2] = 0
        draft.add(
            draft.find("observed"),
            [
                draft.part(first.segment, Mask.of(hidden, None), sky=False),
                *list(draft.parts(draft.find("observed").layer_id).values())[1:],
            ],
        )

    place.edit(hide_most_of_one)
    wanted = place.instances()
    place.world.flatten()
    assert_same_instances(place.instances(), wanted)
    parts = place.showing.parts(place.showing.layers(place.branch.head())[0].segments)
    homes = [db.store.segments.open(part.segment).homes for part in parts]
    assert [home is None for home in homes] == [False, True, True, True]
    assert homes[0].recorded.tolist() == [1]
    assert place.world.flatten().commit == ""


def test_a_database_says_from_then_on_that_older_programs_must_not_open_it(messy, tmp_path):
    assert messy.db.store.identity.format == FORMAT_VERSION
    messy.world.flatten()
    assert messy.db.describe().format_version == GATHERED_FORMAT
    messy.db.close()
    with ms.open(tmp_path / "db", read_only=True) as reader:
        assert reader.describe().format_version == GATHERED_FORMAT
        assert reader.verify().clean


def test_progress_is_told_and_ends_with_all(messy):
    told = []
    report = messy.world.flatten(everything=True, on_progress=lambda *one: told.append(one))
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told})
    (total,) = {total for _, total, _ in told}
    assert told[-1] == (total, total, "flatten")
    assert total >= report.operations[0].selected_count > 0


def test_a_large_layer_becomes_several_segments(messy, walk, monkeypatch):
    monkeypatch.setattr(flatten_module, "ROWS", 50)
    before, wanted = messy.world.at(messy.world.head), messy.instances()
    messy.world.flatten()
    parts = messy.showing.parts(messy.showing.layers(messy.branch.head())[0].segments)
    assert len(parts) > 3
    assert max(len(messy.db.store.segments.open(part.segment).patches) for part in parts) <= 50
    assert_same_instances(messy.instances(), wanted)
    assert_same_views(before, messy.world, walk)
    assert_same_views(before, messy.world, walk, ranking="frames", max_frames=2)
    assert_same_frames(list(messy.world.frames()), list(before.frames()))


def test_frames_of_two_sizes_are_flattened_apart(db, walk):
    world = db.create_world("museum")
    with world.ingest(forgetting=False) as ingest:
        for frame in (*walk(3), *walk(3, width=96), *walk(2)):
            ingest.add(frame)
    place = Place(db)
    place.scatter(np.random.default_rng(0), 0.5, move=ms.Transform.translate(0.1, 0, 0))
    before, wanted = world.at(world.head), place.instances()
    world.flatten()
    assert_same_instances(place.instances(), wanted)
    assert_same_views(before, world, walk)
    assert [frame.caption for frame in world.frames()] == [frame.caption for frame in before.frames()]


def test_to_undo_a_flattening_is_to_have_the_old_patches_back(messy, walk):
    before = messy.world.at(messy.world.head)
    report = messy.world.flatten(author="ada", message="tidy")
    step = messy.world.log()[0]
    assert (step.operation, step.author, step.message, step.commit) == ("flatten", "ada", "tidy", report.commit)
    messy.world.undo(author="ada")
    camera = cameras(walk)[0]
    np.testing.assert_array_equal(messy.world.retrieve(camera).ids, before.retrieve(camera).ids)
    messy.world.redo(author="ada")
    assert_same_views(before, messy.world, walk)


def test_a_repeated_request_finds_the_work_of_its_first_try(messy):
    first = messy.world.flatten(request_id="night")
    messy.scatter(np.random.default_rng(9), 0.7)
    listed = messy.db.store.segments.listed()
    again = messy.world.flatten(request_id="night")
    assert (again.commit, again.base, again.operations) == (first.commit, first.base, first.operations)
    assert messy.db.store.segments.listed() == listed


def test_a_request_id_of_something_else_is_refused(messy, walk):
    with messy.world.ingest(request_id="walk") as ingest:
        ingest.add(walk(1)[0])
    with pytest.raises(InvalidInput, match="'walk' was used for another change"):
        messy.world.flatten(request_id="walk")


def test_a_pinned_world_is_not_flattened(messy):
    with pytest.raises(ReadOnly, match="flatten the live world"):
        messy.world.at(messy.world.head).flatten()


def test_ingests_edits_and_undos_go_on_in_a_flattened_world(messy, walk):
    messy.world.flatten(everything=True)
    extra = walk(5)
    with messy.world.ingest(forgetting=False) as ingest:
        for frame in extra[:2]:
            ingest.add(frame)
    assert [frame.ordinal for frame in messy.world.frames()] == list(range(14))
    (layer,) = [one for one in messy.showing.layers(messy.branch.head()) if one.kind == "observed"]
    assert layer.name == "observed"
    before = messy.instances()
    messy.scatter(np.random.default_rng(2), 0.5)
    assert len(messy.instances()) < len(before)
    messy.world.undo()
    assert_same_instances(messy.instances(), before)
    messy.world.flatten()
    assert_same_instances(messy.instances(), before)
    assert messy.db.verify().clean


class Interrupting:
    """Does something once, or every time, that flattening tells of its progress."""

    def __init__(self, act, times=1):
        self.act, self.left = act, times

    def __call__(self, *_):
        """Counts a call."""
        if self.left:
            self.left -= 1
            self.act()


def test_what_others_add_meanwhile_stays_and_nothing_is_written_twice(messy, walk):
    old = set(messy.db.store.segments.listed())

    def ingest_more():
        with messy.world.ingest(forgetting=False) as ingest:
            ingest.add(walk(3)[1])

    messy.world.flatten(on_progress=Interrupting(ingest_more))
    assert [frame.ordinal for frame in messy.world.frames()] == list(range(13))
    named = {
        part.segment for one in messy.showing.layers(messy.branch.head()) for part in messy.showing.parts(one.segments)
    }
    assert set(messy.db.store.segments.listed()) - old <= named


def test_layers_that_others_change_meanwhile_are_done_again(messy, walk):
    calls = []

    def hide_more():
        messy.scatter(np.random.default_rng(len(calls)), 0.2)
        calls.append(messy.instances())

    messy.world.flatten(on_progress=Interrupting(hide_more, times=2))
    assert len(calls) == 2
    assert_same_instances(messy.instances(), calls[-1])
    assert_same_views(messy.world.at(messy.world.log()[1].commit), messy.world, walk)
    assert messy.db.verify(repair=True).clean
    assert messy.db.verify().unreferenced_segments == 0


def test_flattening_gives_way_to_those_who_keep_changing_the_same(messy):
    draws = iter(range(100, 1_000))

    def hide_more():
        messy.scatter(np.random.default_rng(next(draws)), 0.1)

    with pytest.raises(Conflict, match=f"{TRIES} times others changed") as caught:
        messy.world.flatten(on_progress=Interrupting(hide_more, times=1_000))
    assert caught.value.reason is Reason.HEAD_MOVED
    assert messy.world.log()[0].operation == "edit"
    assert messy.db.verify(repair=True).clean


def test_segments_that_were_collected_before_the_commit_are_written_again(messy):
    wanted = messy.instances()
    messy.world.flatten(on_progress=Interrupting(lambda: messy.db.collect(grace_s=0)))
    assert_same_instances(messy.instances(), wanted)
    assert messy.db.verify().clean


def test_a_flattened_segment_keeps_the_payload_of_its_homes(messy, walk, db):
    messy.world.flatten(everything=True)
    db.create_world("copy", messy.world.latents)
    copy = Place(db, "copy")

    def show_the_same(draft):
        for layer in messy.showing.layers(messy.branch.head()):
            draft.add(replace(layer, segments=""), messy.showing.parts(layer.segments))

    copy.edit(show_the_same)
    wanted = copy.instances()
    latents = messy.world.retrieve(cameras(walk)[0]).latents()
    shutil.rmtree(db.root / "worlds" / messy.branch.record.world_id)
    assert db.collect(grace_s=0).objects > 0
    assert db.verify().clean
    assert_same_instances(Place(db, "copy").instances(), wanted)
    np.testing.assert_array_equal(copy.world.retrieve(cameras(walk)[0]).latents(), latents)
    assert len(list(copy.world.frames())) == 12


def test_a_flattened_world_survives_its_file(messy, walk, tmp_path):
    messy.world.flatten()
    messy.world.flatten(everything=True)
    messy.db.export_world("museum", tmp_path / "museum.memstore")
    with ms.open(tmp_path / "other") as other:
        fill(other.create_world("garden"), walk)  # so that segments get other ordinals
        copy = other.import_world(tmp_path / "museum.memstore")
        for camera in cameras(walk):
            np.testing.assert_array_equal(copy.retrieve(camera).latents(), messy.world.retrieve(camera).latents())
        assert_same_frames(list(copy.frames()), list(messy.world.frames()))
        assert other.verify().clean
        assert other.describe().format_version == GATHERED_FORMAT
        assert [step.operation for step in copy.log()] == [step.operation for step in messy.world.log()]


def gathered_files(db):
    store = db.store.segments
    return [store.root / f"{o:08d}" / "geometry.safetensors" for o in store.listed() if store.open(o).homes is not None]


@pytest.mark.parametrize("wound", ["missing", "truncated", "flipped"])
def test_a_broken_flattened_segment_is_found_and_made_again_from_its_rows(messy, walk, tmp_path, wound):
    before = messy.world.at(messy.world.head)
    messy.world.flatten(everything=True)
    frames = [frame.caption for frame in before.frames()]
    (file, *_) = gathered_files(messy.db)
    content, columns = file.read_bytes(), ColumnFile(file)
    messy.db.close()
    wounded = bytearray(content)
    wounded[len(wounded) // 2] ^= 1
    file.unlink()
    if wound != "missing":
        file.write_bytes(content[: len(content) // 2] if wound == "truncated" else wounded)
    with ms.open(tmp_path / "db") as db:
        assert {problem.file for problem in db.verify().problems} == {str(file)}
        assert db.collect(grace_s=0).segments == 0
        mended = db.verify(repair=True)
        assert mended.clean
        assert mended.repaired == (f"geometry of segment {int(file.parent.name)}",)
        again = ColumnFile(file)
        assert set(again.names) == set(columns.names)
        for name in columns.names:
            np.testing.assert_array_equal(again[name], columns[name])
        assert_same_views(db.world("museum").at(before.head), db.world("museum"), walk)
        assert [frame.caption for frame in db.world("museum").frames()] == frames


def gathered(place, segment, homes):
    record = place.branch.record
    return GatheredSegment(segment.patches, segment.blocks, segment.frames, homes, record.latents, record.world_id)


def test_a_home_that_is_gone_or_lacks_the_frame_is_found(messy):
    messy.world.flatten()
    store = messy.db.store.segments
    good = next(store.open(o) for o in store.listed() if store.open(o).homes is not None)
    first = good.homes
    with messy.db.store.writing():
        for segment, frame in (
            (first.segment + np.uint32(500), first.frame),
            (first.segment, first.frame + np.uint16(50)),
        ):
            ordinal = store.allocate()
            homes = Homes(segment, frame, first.recorded)
            store.write_gathered(ordinal, gathered(messy, good, homes))
            assert store.verify(ordinal)
        ordinal = store.allocate()
        other = replace(good, frames=replace(good.frames, time_s=good.frames.time_s + 1))
        store.write_gathered(ordinal, gathered(messy, other, first))
        assert "other cameras" in store.verify(ordinal)[0].message
        (store.root / f"{ordinal:08d}" / "geometry.safetensors").unlink()
        store.close()
        store.rebuild(ordinal)
        np.testing.assert_array_equal(store.open(ordinal).frames.time_s, good.frames.time_s)


def test_rows_of_homes_that_changed_are_found(messy, monkeypatch):
    messy.world.flatten()
    store = messy.db.store.segments
    ordinal = next(o for o in store.listed() if store.open(o).homes is not None)
    homes = store.catalog.homes(ordinal)
    np.testing.assert_array_equal(homes.segment, store.open(ordinal).homes.segment)
    np.testing.assert_array_equal(homes.frame, store.open(ordinal).homes.frame)
    np.testing.assert_array_equal(homes.recorded, store.open(ordinal).homes.recorded)
    monkeypatch.setattr(store.catalog, "homes", lambda _: replace(homes, frame=homes.frame + np.uint16(1)))
    (problem,) = store.verify(ordinal)
    assert "not what was written" in problem.message
    (store.root / f"{ordinal:08d}" / "geometry.safetensors").unlink()
    with pytest.raises(CorruptData, match="not what was written"):
        store.rebuild(ordinal)


def test_notes_on_the_frames_of_a_flattened_segment_are_those_of_their_homes(messy):
    messy.world.flatten()
    store = messy.db.store.segments
    for ordinal in store.listed():
        segment = store.open(ordinal)
        rows = store.frame_rows(ordinal)
        assert [row.ordinal for row in rows] == segment.frames.ordinal.tolist()
        assert [row.caption for row in rows] == [f"frame {o}" for o in segment.frames.ordinal.tolist()]
