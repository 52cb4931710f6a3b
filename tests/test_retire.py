"""Forgetting through a world: what is gone is hidden from then on, in the ingest's own commit, and can come back."""

from __future__ import annotations

from dataclasses import replace

import hall
import numpy as np
import pytest

import memstore as ms
from memstore.forget import ForgetOptions
from memstore.history.branch import Branch, Change
from memstore.layer import Layer, LayerSegment
from memstore.storage.commits import MAIN

LOOK = hall.frame(2.5).camera


@pytest.fixture
def db(tmp_path):
    with ms.open(tmp_path / "db") as db:
        yield db


def walk_in(world: ms.World, frames: list[ms.Frame], **options: object) -> None:
    with world.ingest(**options) as ingest:
        for frame in frames:
            ingest.add(frame)


def closed(first: int = 0) -> list[ms.Frame]:
    return [hall.frame(i, door=True) for i in range(first, first + 4)]


def opened(first: int = 4) -> list[ms.Frame]:
    return [hall.frame(i) for i in range(first, first + 4)]


def door_seen(world: ms.World, **options: object) -> int:
    """Returns how many patches of the door a camera gets to see."""
    ids = world.retrieve(LOOK, per_token=64, **options).ids
    return int(hall.of_door(world.patches(ids).center).sum()) if len(ids) else 0


def branch_of(db, world: ms.World) -> Branch:
    return Branch(db.store, db.registry, db.registry.find(world.name), MAIN)


def layers_of(db, world: ms.World) -> tuple[Layer, ...]:
    return db.store.commits.layers(db.store.commits.read(world.head))


def parts_of(db, layer: Layer) -> list[LayerSegment]:
    return [LayerSegment.from_json(item) for item in db.store.lists.items(layer.segments)]


def change_layer(db, world: ms.World, **fields: object) -> None:
    """Commits the observed layer with other fields."""
    with db.store.writing():
        first, *others = layers_of(db, world)
        branch_of(db, world).advance(world.head, (replace(first, **fields), *others), Change("relocate"))


def test_a_door_that_opened_leaves_no_ghost(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    before = door_seen(world)
    walk_in(world, opened())
    assert before > 40
    assert door_seen(world) < 0.1 * before


def test_memory_as_of_an_earlier_frame_still_has_the_door(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    then, before = world.retrieve(LOOK), world.head
    walk_in(world, opened())
    as_of = world.retrieve(LOOK, as_of=3)
    np.testing.assert_array_equal(as_of.ids, then.ids)
    np.testing.assert_array_equal(world.at(before).retrieve(LOOK).ids, then.ids)
    assert door_seen(world, as_of=4) == door_seen(world.at(before))  # one frame alone proves nothing
    assert door_seen(world, as_of=5) < 0.5 * door_seen(world, as_of=4)


def test_a_part_of_which_little_is_left_is_still_found_as_of_then(db):
    world = db.create_world("hall")
    near = [replace(frame, depth_m=np.full_like(frame.depth_m, 2)) for frame in closed()]
    walk_in(world, near)
    then = world.retrieve(LOOK)
    careless = ForgetOptions(edge_px=0)
    walk_in(world, [frame for step in (4, 8, 12) for frame in opened(step)], forgetting=careless)
    (layer,) = layers_of(db, world)
    assert parts_of(db, layer)[0].shown_count < 0.2 * len(near) * 160
    np.testing.assert_array_equal(world.retrieve(LOOK, as_of=3).ids, then.ids)


def test_forgetting_is_part_of_the_one_commit_and_discard_brings_all_back(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    before, seen, shown = world.head, door_seen(world), world.describe().patch_count
    with world.ingest() as ingest:
        for frame in opened():
            ingest.add(frame)
        ingest.flush()
        assert db.store.commits.read(world.head).parents == (before,)
        assert world.describe().patch_count < shown + 4 * 160
        assert door_seen(world) < 0.1 * seen
        ingest.discard()
    assert door_seen(world) == seen
    assert world.describe().patch_count == shown


def test_frames_of_one_segment_retire_each_other(db):
    world = db.create_world("hall")
    walk_in(world, [*closed(), *opened()])
    (layer,) = layers_of(db, world)
    (part,) = parts_of(db, layer)
    assert part.mask is not None
    assert door_seen(world, as_of=3) > 40
    assert door_seen(world) < 0.1 * door_seen(world, as_of=3)


def test_nothing_is_retired_where_it_is_not_wanted(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    before = door_seen(world)
    walk_in(world, opened(), forgetting=False)
    assert door_seen(world) >= 0.9 * before
    assert all(part.mask is None for layer in layers_of(db, world) for part in parts_of(db, layer))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "placed"},
        {"placement": ms.Transform.translate(0, 0, 1e-6)},
        {"visible": False},
        {"ordinal_offset": -1_000},
    ],
    ids=["placed", "moved", "hidden", "stitched"],
)
def test_only_layers_observed_in_place_are_touched(db, fields):
    world = db.create_world("hall")
    walk_in(world, closed())
    change_layer(db, world, **fields)
    before = layers_of(db, world)[0].segments
    walk_in(world, opened())
    assert layers_of(db, world)[0].segments == before


def test_what_stays_costs_no_mask(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    walk_in(world, opened())
    first = parts_of(db, layers_of(db, world)[0])
    walk_in(world, opened(8))
    later = parts_of(db, layers_of(db, world)[0])
    assert later[:2] == first
    assert [part.mask is None for part in later] == [False, True, True]


def test_boxes_stay_as_wide_as_what_they_ever_showed(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    before = parts_of(db, layers_of(db, world)[0])[0]
    walk_in(world, opened())
    after = parts_of(db, layers_of(db, world)[0])[0]
    assert (after.low, after.high) == (before.low, before.high)
    assert after.shown_count < before.shown_count


def test_segments_out_of_view_are_not_opened(db, monkeypatch):
    world = db.create_world("street")
    for house in range(3):
        walk_in(world, [elsewhere(frame, 100.0 * house) for frame in closed()])
    opened_now: list[int] = []
    really = db.store.segments.open
    monkeypatch.setattr(db.store.segments, "open", lambda ordinal: opened_now.append(ordinal) or really(ordinal))
    walk_in(world, [elsewhere(frame, 100.0) for frame in opened()])
    segments = [part.segment for part in parts_of(db, layers_of(db, world)[0])]
    assert set(opened_now) == {segments[1], segments[3]}


def elsewhere(frame: ms.Frame, along_m: float) -> ms.Frame:
    return replace(frame, camera=frame.camera.placed(ms.Transform.translate(along_m, along_m, 0)))


def test_a_commit_that_retires_leaves_nothing_behind_that_nothing_names(db):
    world = db.create_world("hall")
    for step in range(0, 40, 8):
        walk_in(world, closed(step))
        walk_in(world, opened(step + 4))
    assert db.collect(grace_s=0).objects == 0


def test_what_an_edit_deleted_stays_deleted_when_more_is_retired(db):
    world = db.create_world("hall")
    walk_in(world, closed())
    with world.edit() as edit:
        edit.delete(edit.select(ms.Box(center=(hall.DOOR_X, 0, 0.8), size_m=(0.2, 2, 1.2))))
    left = door_seen(world)
    walk_in(world, opened())
    assert left > 0
    assert door_seen(world) < 0.2 * left
    assert door_seen(world, as_of=3) == left


def test_what_is_retired_stays_so_across_sessions(tmp_path):
    with ms.open(tmp_path / "db") as db:
        world = db.create_world("hall")
        walk_in(world, closed())
        walk_in(world, opened())
        seen = door_seen(world), door_seen(world, as_of=3)
    with ms.open(tmp_path / "db", read_only=True) as db:
        assert (door_seen(db.world("hall")), door_seen(db.world("hall"), as_of=3)) == seen
