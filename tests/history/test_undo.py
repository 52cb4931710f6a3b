import pytest
from history.place import hide

import memstore as ms
from memstore.errors import Conflict, FailedPrecondition, NotFound, ReadOnly, Reason
from memstore.history import undo as undoing


def operations(world):
    return [step.operation for step in world.log()]


def test_undo_brings_back_what_an_edit_changed(place):
    before = place.shown()
    place.move(range(10), "chair", "ada")
    undone = place.world.undo(author="ada")
    assert place.shown() == before
    assert undone.operation == "undo"
    assert undone.takes_back == place.world.log()[1].step
    assert undone.commit == place.world.head


def test_redo_takes_the_undo_back(place):
    place.move(range(10), "chair", "ada")
    moved = place.shown()
    place.world.undo(author="ada")
    redone = place.world.redo(author="ada")
    assert place.shown() == moved
    assert redone.takes_back == place.world.log()[1].step
    with pytest.raises(FailedPrecondition, match="nothing of 'ada' to redo"):
        place.world.redo(author="ada")


def test_undo_goes_back_step_by_step_and_redo_comes_forward_again(place):
    states = [place.shown()]
    for i in range(3):
        place.hide(range(5 * i, 5 * i + 5), "ada")
        states.append(place.shown())
    for wanted in states[-2::-1]:
        place.world.undo(author="ada")
        assert place.shown() == wanted
    for wanted in states[1:]:
        place.world.redo(author="ada")
        assert place.shown() == wanted
    place.world.undo(author="ada")
    assert place.shown() == states[2]


def test_a_new_edit_empties_redo(place):
    place.hide(range(5), "ada")
    place.world.undo(author="ada")
    place.hide(range(5, 9), "ada")
    with pytest.raises(FailedPrecondition, match="nothing of 'ada' to redo") as caught:
        place.world.redo(author="ada")
    assert caught.value.reason is Reason.NOTHING_TO_UNDO


def test_what_others_do_empties_no_redo(place):
    place.hide(range(5), "ada")
    place.world.undo(author="ada")
    place.hide(range(5, 9), "ben")
    place.world.redo(author="ada")
    assert not {(place.segment(0), row) for row in range(9)} & place.shown()["observed"]


def test_undo_takes_back_the_step_of_its_author_and_leaves_what_others_did(place):
    before = place.shown()["observed"]
    place.hide(range(5), "ada")
    place.hide(range(5, 9), "ben")
    place.world.undo(author="ada")
    assert before - place.shown()["observed"] == {(place.segment(0), row) for row in range(5, 9)}


def test_undo_of_anyone_takes_back_the_newest_step(place):
    place.hide(range(5), "ada")
    place.hide(range(5, 9), "ben")
    undone = place.world.undo(author="chief", anyone=True)
    assert undone.author == "chief"
    assert {(place.segment(0), row) for row in range(5, 9)} <= place.shown()["observed"]
    place.world.redo(author="chief")
    assert not {(place.segment(0), row) for row in range(5, 9)} & place.shown()["observed"]


def test_overlapping_later_work_is_a_conflict_that_names_both_commits(place):
    moved = place.move(range(10), "chair", "ada")
    shifted = place.shift("chair", "ben")
    before = place.world.head
    with pytest.raises(Conflict, match=rf"edit {moved[:10]} cannot be taken back: .* edit {shifted[:10]}") as caught:
        place.world.undo(author="ada")
    assert caught.value.reason is Reason.UNDO_CONFLICT
    assert (caught.value.details["commit"], caught.value.details["later"]) == (moved, shifted)
    assert caught.value.details["layer"] == "chair"
    assert place.world.head == before


def test_patches_that_were_deleted_where_they_were_moved_to_do_not_come_back_unseen(place):
    place.move(range(10), "chair", "ada")
    place.hide([3, 4], "ben", layer="chair")
    with pytest.raises(Conflict, match="in layer 'chair'") as caught:
        place.world.undo(author="ada")
    assert caught.value.details["patch_count"] == 2


def test_an_undo_never_shows_twice_what_was_shown_once(place):
    place.hide(range(10), "ada")
    place.copy(range(10), "chair", "ben")
    with pytest.raises(Conflict, match="cannot be taken back"):
        place.world.undo(author="ada")


def test_an_ingest_is_one_step_even_when_others_commit_in_between(place, walk):
    before = place.shown()
    with place.world.ingest(author="ada", message="second walk", forgetting=False) as ingest:
        for frame in walk(4):
            ingest.add(frame)
            ingest.flush()
            place.hide([len(place.world.log())], "ben")
    log = place.world.log()
    assert [(step.operation, step.frame_count) for step in log[:2]] == [("edit", 0), ("ingest", 4)]
    place.world.undo(author="ada")
    after = place.shown()
    assert before["observed"] - after["observed"] == {
        (place.segment(0), row) for _, row in before["observed"] - after["observed"]
    }
    assert len(before["observed"] - after["observed"]) == 4
    assert not after["observed"] - before["observed"]


def test_the_first_ingest_can_be_undone_after_others_took_more_in(place, walk):
    with place.world.ingest(author="ben", forgetting=False) as ingest:
        ingest.add(walk(5)[4])
    for _ in range(3):
        place.world.undo(author="ada")
    (segment,) = {segment for segment, _ in place.shown()["observed"]}
    assert segment == place.segment(3)
    assert [frame.ordinal for frame in place.world.frames()] == [3]


def test_frames_are_never_numbered_again_after_an_undo(place, walk):
    place.world.undo(author="ada")
    with place.world.ingest(author="ada", forgetting=False) as ingest:
        ingest.add(walk(5)[4])
    assert ingest.first_ordinal == 3
    assert [frame.ordinal for frame in place.world.frames()] == [0, 1, 3]
    assert place.world.describe().frame_count == 4


def test_a_retried_undo_undoes_once(place):
    place.hide(range(5), "ada")
    place.hide(range(5, 9), "ada")
    first = place.world.undo(author="ada", request_id="u1")
    assert place.world.undo(author="ada", request_id="u1") == first
    again = place.world.redo(author="ada", request_id="r1")
    assert place.world.redo(author="ada", request_id="r1") == again
    assert place.world.undo(author="ada", request_id="u1") == first
    assert operations(place.world)[:2] == ["redo", "undo"]


def test_there_is_nothing_to_undo_at_the_root(place):
    empty = place.db.create_world("empty")
    for verb in (empty.undo, empty.redo):
        with pytest.raises(
            FailedPrecondition, match=r"there is nothing of '' to .* among the last 1000 steps"
        ) as caught:
            verb()
        assert caught.value.reason is Reason.NOTHING_TO_UNDO
    with pytest.raises(FailedPrecondition, match="made the world"):
        empty.revert(empty.head)


def test_undo_does_not_look_past_its_window(place, monkeypatch):
    monkeypatch.setattr(undoing, "UNDO_WINDOW_STEPS", 3)
    old = place.hide(range(5), "ada")
    for i in range(3):
        place.hide([10 + i], "ben")
    with pytest.raises(FailedPrecondition, match="among the last 3 steps"):
        place.world.undo(author="ada")
    assert place.world.revert(old, author="ada").operation == "revert"


def test_any_step_can_be_reverted_and_the_revert_undone(place):
    before = place.shown()
    old = place.hide(range(5), "ada")
    place.hide(range(5, 9), "ben")
    reverted = place.world.revert(old[:8], author="cleo", message="too much")
    assert (reverted.operation, reverted.author, reverted.message) == ("revert", "cleo", "too much")
    assert len(before["observed"]) - len(place.shown()["observed"]) == 4
    with pytest.raises(FailedPrecondition, match="was taken back already"):
        place.world.revert(old)
    place.world.undo(author="cleo")
    assert len(before["observed"]) - len(place.shown()["observed"]) == 9


def test_only_steps_of_the_branch_can_be_reverted(place):
    place.world.branch("night", create=True)
    elsewhere = place.hide(range(5), on="night")
    with pytest.raises(FailedPrecondition, match="is no step of branch 'main'"):
        place.world.revert(elsewhere)
    with pytest.raises(NotFound, match="there is no commit"):
        place.world.revert("0" * 32)


def test_a_flatten_can_be_undone_and_stands_before_what_it_flattened(place):
    before = place.shown()
    edited = place.hide(range(5), "ada")
    flat = place.commit(lambda draft: hide(draft, "observed", 1, [0]), "ada", operation="flatten")
    with pytest.raises(Conflict, match=f"flatten {flat[:10]} came after it") as caught:
        place.world.revert(edited)
    assert (caught.value.details["commit"], caught.value.details["later"]) == (edited, flat)
    place.world.undo(author="ada")
    place.world.undo(author="ada")
    assert place.shown() == before


def test_a_flatten_that_was_built_upon_is_not_undone(place):
    flat = place.commit(lambda draft: hide(draft, "observed", 1, [0]), "ada", operation="flatten")
    later = place.hide(range(5), "ben")
    with pytest.raises(Conflict, match=f"edit {later[:10]} came after it"):
        place.world.revert(flat)


def test_a_discarded_ingest_is_passed_by(place, walk):
    before = place.shown()
    with place.world.ingest(author="ada", forgetting=False) as ingest:
        ingest.add(walk(5)[4])
        ingest.flush()
        ingest.discard()
    place.world.undo(author="ada")
    assert before["observed"] - place.shown()["observed"] == {
        (segment, row) for segment, row in before["observed"] if segment == place.segment(2)
    }


def test_a_pinned_world_is_not_changed(place):
    pinned = place.world.at(place.world.head)
    for verb in (pinned.undo, pinned.redo, lambda: pinned.revert("main"), lambda: pinned.reset("main")):
        with pytest.raises(ReadOnly, match="is pinned at"):
            verb()


def test_steps_outlive_a_restart(tmp_path, walk):
    with ms.open(tmp_path / "db") as db, db.create_world("hall").ingest(author="ada") as ingest:
        ingest.add(walk(1)[0])
    with ms.open(tmp_path / "db") as db:
        hall = db.world("hall")
        hall.undo(author="ada")
        assert list(hall.frames()) == []
    with ms.open(tmp_path / "db") as db:
        hall = db.world("hall")
        hall.redo(author="ada")
        assert len(list(hall.frames())) == 1
