import pytest

from memstore.errors import NotFound
from memstore.history.branch import Branch, Change
from memstore.layer import Layer
from memstore.transform import Transform


def blame(place, name, row, segment=0, revision="main"):
    world = place.world.at(revision)
    return world.blame_instance(place.draft(revision).find(name).layer_id, place.segment(segment) << 32 | row)


def test_an_observed_patch_was_placed_by_the_ingest_that_saw_it(place):
    place.hide(range(5))
    log = place.world.log()
    for segment, step in ((0, log[3]), (1, log[2]), (2, log[1])):
        blamed = blame(place, "observed", 20, segment)
        assert blamed.observed_by == blamed.placed_by == step
        assert (blamed.layer, blamed.ordinal) == ("observed", segment)


def test_a_moved_patch_was_placed_by_who_moved_it_last(place):
    place.move(range(10), "chair", "ben")
    shifted = place.shift("chair", "cleo")
    place.hide([3], "dan", layer="chair")
    blamed = blame(place, "chair", 4)
    assert (blamed.placed_by.commit, blamed.placed_by.author) == (shifted, "cleo")
    assert blamed.observed_by.author == "ada"


def test_a_restored_patch_was_placed_by_who_restored_it(place):
    place.hide(range(5))
    restored = place.restore([2], "ben")
    assert blame(place, "observed", 2).placed_by.commit == restored
    assert blame(place, "observed", 7).placed_by.operation == "ingest"
    assert blame(place, "observed", 7).observed_by.operation == "ingest"


def test_a_merge_is_followed_into_the_branch_that_it_took_in(place):
    place.world.branch("night", create=True)
    place.hide([40])
    moved = place.move(range(10), "chair", "ben", on="night")
    place.world.branch("night").merge_into("main")
    place.hide([41])
    assert blame(place, "chair", 4).placed_by.commit == moved


def test_an_ingest_is_blamed_as_a_whole(place, walk):
    with place.world.ingest(author="ben", forgetting=False) as ingest:
        for frame in walk(8)[5:8]:
            ingest.add(frame)
            ingest.flush()
    blamed = blame(place, "observed", 20, 3)
    assert blamed.observed_by == place.world.log()[0]
    assert blamed.observed_by.frame_count == 3


def test_a_patch_of_another_world_was_observed_by_none_here(place):
    other = place.db.create_world("other")
    branch = place.branch()
    there = Branch(place.db.store, place.db.registry, place.db.registry.find("other"), "main")
    root = place.draft().find("observed").segments
    layer = Layer("stitched", "hall", "placed", root, placement=Transform.translate(9, 0, 0), ordinal_offset=-7)
    with place.db.store.writing():
        there.advance(there.head(), (layer,), Change("stitch", author="ben"))
    blamed = other.blame_instance("stitched", place.segment(1) << 32 | 20)
    assert blamed.observed_by is None
    assert (blamed.placed_by.operation, blamed.ordinal) == ("stitch", 1 - 7)
    assert branch.head() == place.world.head


def test_a_pixel_is_blamed_for_what_it_shows(place, walk):
    camera = walk(3)[1].camera
    u, v = place.world.retrieve(camera).uv[0].tolist()
    picked, blamed = place.world.pick(camera, u, v), place.world.blame(camera, u, v)
    assert (blamed.patch_id, blamed.layer, blamed.ordinal) == (picked.patch_id, "observed", picked.ordinal)
    assert blamed.placed_by == place.world.log()[2 - picked.ordinal]
    empty = place.db.create_world("empty")
    assert empty.blame(camera, 32, 24) is None


def test_what_is_not_shown_is_not_blamed(place):
    place.hide([2])
    with pytest.raises(NotFound, match="shows no patch"):
        blame(place, "observed", 2)
    with pytest.raises(NotFound, match="shows no patch"):
        place.world.blame_instance("nowhere", 7)
