import time
from itertools import pairwise

import pytest

import memstore as ms
from memstore.errors import AlreadyExists, Conflict, FailedPrecondition, InvalidInput, NotFound, ReadOnly, Reason
from memstore.storage import dropped as dropping


def names(refs):
    return [one.name for one in refs]


def test_a_branch_begins_where_it_is_made_and_goes_its_own_way(place):
    night = place.world.branch("night", create=True)
    assert (night.branch_name, night.head) == ("night", place.world.head)
    place.hide(range(5), on="night")
    assert night.head != place.world.head
    assert [step.operation for step in night.log()] == ["edit", "ingest", "ingest", "ingest", "create"]
    assert names(place.world.branches()) == ["main", "night"]
    assert place.world.branch("night").head == night.head


def test_a_branch_can_begin_at_any_revision(place):
    before = place.world.head
    place.world.tag("v1")
    place.hide(range(5))
    for revision in (before, before[:10], "v1"):
        assert place.world.branch(f"at-{revision[:6]}", create=True, at=revision).head == before
        place.world.delete_branch(f"at-{revision[:6]}")
    assert place.world.at(before).branch("early", create=True).head == before


def test_branches_and_tags_that_are_not_there_are_named_with_the_nearest(place):
    place.world.branch("night", create=True)
    with pytest.raises(NotFound, match="there is no branch 'nigth'; the nearest names are night") as caught:
        place.world.branch("nigth")
    assert caught.value.reason is Reason.BRANCH_NOT_FOUND
    with pytest.raises(NotFound, match="there is no tag 'v9'; there are none") as caught:
        place.world.delete_tag("v9")
    assert caught.value.reason is Reason.TAG_NOT_FOUND


def test_a_name_is_taken_once_by_branches_and_tags_together(place):
    place.world.branch("night", create=True)
    place.world.tag("v1")
    for name in ("night", "v1"):
        with pytest.raises(AlreadyExists, match=f"'{name}' exists already in world 'hall'"):
            place.world.branch(name, create=True)
        with pytest.raises(AlreadyExists, match=f"'{name}' exists already in world 'hall'"):
            place.world.tag(name)
    with pytest.raises(InvalidInput, match="is no name for a branch"):
        place.world.branch("Night", create=True)


def test_the_main_branch_stays(place):
    with pytest.raises(FailedPrecondition, match="branch 'main' cannot be deleted"):
        place.world.delete_branch("main")


def test_a_removed_branch_can_be_returned_to(place):
    place.world.branch("night", create=True)
    head = place.hide(range(5), on="night")
    place.world.delete_branch("night", request_id="d1")
    assert names(place.world.branches()) == ["main"]
    (left,) = place.world.dropped()
    assert (left.branch, left.commit) == ("night", head)
    assert abs(left.time_s - time.time()) < 60
    place.world.branch("night", create=True, at=left.commit)
    place.world.delete_branch("night", request_id="d1")
    assert names(place.world.branches()) == ["main", "night"]


def test_a_tag_stays_where_it_is(place):
    tagged = place.world.tag("v1", request_id="t1")
    place.hide(range(5))
    assert place.world.tags() == [tagged]
    assert place.world.tag("v1", request_id="t1") == tagged
    with pytest.raises(AlreadyExists, match="delete it first"):
        place.world.tag("v1")
    place.world.delete_tag("v1", request_id="t2")
    place.world.delete_tag("v1", request_id="t2")
    assert place.world.tag("v1").commit == place.world.head
    assert place.world.at(tagged.commit).tag("v0").commit == tagged.commit


def test_a_reset_moves_the_branch_and_remembers_where_it_was(place):
    before = place.world.head
    place.world.tag("v1")
    left = place.hide(range(5))
    with pytest.raises(Conflict, match=f"was expected at {before}, but is at {left}") as caught:
        place.world.reset("v1", expected_head=before)
    assert caught.value.reason is Reason.HEAD_MOVED
    assert place.world.reset("v1", expected_head=left, request_id="r1").commit == before
    assert place.world.head == before
    assert [(one.branch, one.commit) for one in place.world.dropped()] == [("main", left)]
    later = place.hide(range(3))
    assert place.world.reset("v1", request_id="r1").commit == before
    assert place.world.head == later
    place.world.reset(left)
    assert [one.commit for one in place.world.dropped()] == [later, left]


def test_dropped_heads_outlive_collect_for_thirty_days(place, monkeypatch):
    place.world.branch("night", create=True)
    with place.world.branch("night").ingest(forgetting=False) as ingest:
        ingest.add(next(place.world.frames()))
    head = place.world.branch("night").head
    place.world.delete_branch("night")
    assert place.db.collect(grace_s=0).segments == 0
    assert len(list(place.world.at(head).frames())) == 4
    monkeypatch.setattr(dropping, "DROPPED_WINDOW_S", 0)
    assert place.world.dropped() == []
    assert place.db.collect(grace_s=0).segments == 1
    assert list((place.db.root / "worlds").glob("*/dropped/*")) == []
    assert place.db.verify().clean


def test_an_exported_world_takes_its_history_along(place, tmp_path):
    old = place.branch()
    place.commit(lambda draft: None, "ada")
    place.hide(range(5), "ada")
    place.world.undo(author="ada")
    place.world.tag("v1")
    place.world.branch("night", create=True)
    place.db.export_world("hall", tmp_path / "hall.mem")
    again = place.db.import_world(tmp_path / "hall.mem", "again")
    assert names(again.branches()) == ["main", "night"]
    assert [(s.operation, s.step, s.takes_back) for s in again.log()[:-1]] == [
        (s.operation, s.step, s.takes_back) for s in place.world.log()[:-1]
    ]
    again.redo(author="ada")
    assert again.log()[0].operation == "redo"
    assert old.head() == place.world.head


def test_every_commit_has_a_step_of_its_own_and_is_younger_than_its_parents(place):
    for i in range(3):
        place.hide([i])
    log = place.world.log()
    assert len({step.step for step in log}) == len(log) == 7
    assert all(new.time_s > old.time_s for new, old in pairwise(log))


def test_another_process_sees_branches_and_tags(place):
    place.world.branch("night", create=True)
    place.world.tag("v1")
    with ms.open(place.db.root, read_only=True) as reader:
        hall = reader.world("hall")
        assert names(hall.branches()) == ["main", "night"]
        assert names(hall.tags()) == ["v1"]
        with pytest.raises(ReadOnly, match="open for reading only"):
            hall.undo()
