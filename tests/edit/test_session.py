"""One edit, from its first word to its commit: all or nothing, once, and on the head that it was thought out on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from edit.shown import assert_same, draft_of, shown

import memstore as ms
from memstore.edit.look import LOOK
from memstore.edited import EditRequest
from memstore.editing import Selected
from memstore.errors import (
    Conflict,
    FailedPrecondition,
    InvalidInput,
    NotFound,
    ReadOnly,
    Reason,
    TooManyAffected,
)
from memstore.operation import MAX_OPERATIONS, HideLayers
from memstore.world import World

WALL = ms.Box((0, 3.5, 0), (3, 3, 3))
FLOOR = ms.HalfSpace((0, 0, -1), 1.2)
UP = ms.Transform.translate(0, 0, 5)


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Returns all files, with their times and contents."""
    return {
        str(path.relative_to(root)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


# One commit, or nothing


def test_an_edit_is_one_commit_and_one_step_in_the_log(museum):
    before = museum.head
    with museum.edit("make room", author="ada", request_id="r1") as edit:
        edit.name(WALL, "wall")
        edit.relocate(ms.Layers("wall"), UP)
        edit.delete(FLOOR)
        assert museum.head == before
        assert edit.report is None
    step, *older = museum.log()
    assert (step.commit, step.parents, step.operation) == (museum.head, (before,), "edit")
    assert (step.message, step.author, step.request_id) == ("make room", "ada", "r1")
    assert len(older) == 2
    assert (edit.report.commit, edit.report.base) == (museum.head, before)
    assert [report.operation for report in edit.report.operations] == ["name", "relocate", "delete"]


@pytest.mark.parametrize("verb", ["delete", "name", "hide"])
def test_an_edit_of_one_operation_bears_its_name(museum, verb):
    with museum.edit() as edit:
        {"delete": lambda: edit.delete(WALL), "name": lambda: edit.name(WALL, "w"), "hide": lambda: edit.hide("sky")}[
            verb
        ]()
    assert museum.log(1)[0].operation == verb


def test_an_error_inside_the_block_leaves_the_world_as_it_was(db, museum):
    museum.log()
    before = tree(db.root)
    with pytest.raises(RuntimeError, match="the phone rang"), museum.edit() as edit:
        edit.delete(WALL)
        raise RuntimeError("the phone rang")
    assert edit.report is None
    assert tree(db.root) == before
    with pytest.raises(FailedPrecondition, match="this edit is over") as caught:
        edit.delete(FLOOR)
    assert caught.value.reason is Reason.CLOSED


def test_an_aborted_edit_leaves_the_world_as_it_was(db, museum):
    before = tree(db.root)
    with museum.edit() as edit:
        edit.delete(WALL)
        edit.abort()
        edit.abort()
        with pytest.raises(FailedPrecondition, match="this edit is over"):
            edit.delete(FLOOR)
    assert edit.report is None
    assert tree(db.root) == before


def test_an_edit_without_operations_is_no_commit(db, museum):
    before = tree(db.root)
    with museum.edit("nothing to do") as edit:
        edit.select(WALL)
    assert edit.report is None
    assert tree(db.root) == before


def test_a_refused_operation_is_not_part_of_the_edit(museum):
    before = shown(museum)
    with museum.edit() as edit:
        edit.delete(WALL)
        with pytest.raises(InvalidInput, match="selects nothing"):
            edit.delete(WALL)
        with pytest.raises(NotFound, match="there is no layer 'wal'"):
            edit.hide("wal")
        edit.delete(FLOOR)
    assert [report.operation for report in edit.report.operations] == ["delete", "delete"]
    gone = (WALL.contains(before.center) | FLOOR.contains(before.center)) & ~before.sky
    assert shown(museum).instances() == before.instances(~gone)


def test_operations_are_numbered_as_they_were_accepted(museum):
    with museum.edit() as edit:
        with pytest.raises(InvalidInput, match="selects nothing") as caught:
            edit.delete(ms.Sphere((99, 0, 0), 1))
        assert caught.value.details["operation"] == 0
        wall = edit.name(WALL, "wall")
        with pytest.raises(NotFound, match="there is no layer") as caught:
            edit.hide("nowhere")
        assert caught.value.details["operation"] == 1
        edit.delete(wall)
    assert "wall" not in shown(museum).name


def test_selecting_sees_what_the_operations_so_far_made(museum):
    with museum.edit() as edit:
        wall = edit.select(WALL, name="wall")
        edit.relocate(wall, UP)
        moved = edit.select(ms.Layers("wall"))
        assert moved.count == wall.count
        np.testing.assert_allclose(moved.bounds.low[2], wall.bounds.low[2] + 5, atol=1e-6)
        with pytest.raises(InvalidInput, match="selects nothing"):
            edit.select(WALL)
        assert edit.select(WALL, allow_empty=True).count == 0
        edit.abort()


# How much


def test_max_affected_refuses_what_reaches_further(museum):
    few = len(shown(museum).instances(WALL.contains(shown(museum).center) & ~shown(museum).sky))
    head = museum.head
    with (
        pytest.raises(TooManyAffected, match=rf"would affect {few} instances.*max_affected is {few - 1}") as caught,
        museum.edit(max_affected=few - 1) as edit,
    ):
        edit.delete(WALL)
    assert (caught.value.details["affected"], caught.value.details["max_affected"]) == (few, few - 1)
    assert museum.head == head
    with museum.edit(max_affected=few) as edit:
        edit.delete(WALL)
        with pytest.raises(TooManyAffected, match="would affect"):
            edit.hide("sky")
        assert edit.preview().patches_after == edit.preview().patches_before - few
        assert edit.select(ms.Kinds("sky")).count > 0
    assert edit.report.affected_count == few
    assert "sky" in shown(museum).name
    with pytest.raises(InvalidInput, match="max_affected must be at least 0"):
        museum.edit(max_affected=-1)


def test_max_affected_holds_on_a_head_that_moved(museum, walk):
    count = (shown(museum).name == "observed").sum()
    with pytest.raises(TooManyAffected, match="would affect"), museum.edit(max_affected=int(count)) as edit:
        edit.hide("observed")
        with museum.ingest() as ingest:
            ingest.add(walk(1)[0])
    assert "observed" in shown(museum).name


# Once


def edited(world: World, request_id: str = "r1", **options) -> World:
    with world.edit(request_id=request_id, **options) as edit:
        edit.name(WALL, "wall")
        edit.delete(FLOOR)
    edited.report = edit.report
    return world


def test_a_repeated_request_is_carried_out_once(museum):
    first = edited(museum).head
    report = edited.report
    after, steps = draft_of(museum), len(museum.log())
    assert edited(museum).head == first
    assert (edited.report.commit, edited.report.base) == (first, report.base)
    assert edited.report.operations == report.operations
    assert (edited.report.patches_before, edited.report.patches_after) == (
        report.patches_before,
        report.patches_after,
    )
    assert len(museum.log()) == steps
    assert_same(museum, after)


def test_a_repeated_request_is_carried_out_once_after_others_and_after_reopening(db, museum):
    first = edited(museum).head
    with museum.edit() as edit:
        edit.delete(ms.Layers("wall"))
    head, root = museum.head, db.root
    db.close()
    with ms.open(root) as db:
        assert edited(db.world("museum")).head == head
        assert edited.report.commit == first
        assert edited(db.world("museum"), expected_head=edited.report.base).head == head
        with (
            pytest.raises(Conflict, match="was expected at"),
            db.world("museum").edit(request_id="r2", expected_head=first) as edit,
        ):
            edit.hide("sky")


def test_a_request_id_is_refused_for_another_body(museum, walk):
    edited(museum)
    head = museum.head
    with (
        pytest.raises(InvalidInput, match="request id 'r1' was used for another edit"),
        museum.edit(request_id="r1") as edit,
    ):
        edit.delete(ms.Kinds("sky"))
    with (
        pytest.raises(InvalidInput, match="request id 'r1' was used for another edit"),
        museum.edit(request_id="r1") as edit,
    ):
        edit.name(WALL, "wall")
    assert museum.head == head
    with museum.ingest(request_id="walk") as ingest:
        ingest.add(walk(1)[0])
    with (
        pytest.raises(InvalidInput, match="request id 'walk' was used for another edit"),
        museum.edit(request_id="walk") as edit,
    ):
        edit.delete(WALL & ms.Layers("wall"))


def test_requests_without_an_id_are_all_carried_out(museum):
    for _ in range(2):
        with museum.edit() as edit:
            edit.duplicate(WALL, UP)
    assert [layer.name for layer in museum.layers()] == ["observed", "sky", "observed-copy", "observed-copy-2"]
    assert len({layer.layer_id for layer in museum.layers()}) == 4


# On which head


def test_expected_head_refuses_another(museum):
    first = museum.head
    with museum.edit(expected_head=first) as edit:
        edit.delete(WALL)
    with (
        pytest.raises(Conflict, match=f"expected at {first}, but is at {museum.head}") as caught,
        museum.edit(expected_head=first) as edit,
    ):
        edit.delete(FLOOR)
    assert caught.value.reason is Reason.HEAD_MOVED
    assert (caught.value.details["expected"], caught.value.details["actual"]) == (first, museum.head)


def test_an_edit_runs_again_on_a_head_that_moved_elsewhere(museum):
    before = shown(museum)
    with museum.edit("mine") as mine:
        mine.relocate(WALL, UP, name="wall")
        with museum.edit("theirs") as theirs:
            theirs.delete(FLOOR & ~WALL)
            theirs.duplicate(ms.Kinds("sky"), ms.Transform.rotate_z(1.0), name="sky-two")
    assert mine.report.base == theirs.report.commit == museum.log()[1].commit
    assert mine.report.patches_before == theirs.report.patches_after
    gone = FLOOR.contains(before.center) & ~WALL.contains(before.center) & ~before.sky
    after = shown(museum)
    assert len(after) == len(before) - gone.sum() + before.sky.sum()
    assert set(after.name) == {"observed", "sky", "sky-two", "wall"}


@pytest.mark.parametrize("theirs", ["less", "nothing left", "elsewhere", "more"])
def test_a_head_that_moved_under_the_selection_is_a_conflict_that_names_both(museum, walk, theirs):
    base = museum.head
    with pytest.raises(Conflict, match=r"operation 1 \(Delete\) cannot be run again") as caught, museum.edit() as mine:
        mine.hide("sky")
        mine.delete(WALL)
        with museum.edit() as other:
            match theirs:
                case "less":
                    other.delete(ms.Box((0, 3.5, 0), (1, 1, 3)))
                case "nothing left":
                    other.delete(WALL)
                case "elsewhere":
                    other.relocate(WALL, UP)
                case _:
                    other.duplicate(WALL, ms.Transform.rotate_x(0.01))
    moved = museum.head
    assert moved == other.report.commit
    assert base in caught.value.message
    assert moved in caught.value.message
    assert caught.value.reason is Reason.SELECTION_CHANGED
    details = caught.value.details
    assert (details["expected"], details["actual"], details["operation"]) == (base, moved, 1)
    assert mine.report is None


def test_an_ingest_meanwhile_is_a_conflict_only_where_it_is_seen(museum, walk):
    with museum.edit() as mine:
        mine.delete(WALL & ms.Ordinals(0, 12))
        with museum.ingest(forgetting=False) as ingest:
            ingest.add(walk(1)[0])
    assert (shown(museum).ordinal == 12).any()
    with pytest.raises(Conflict, match="it would mean other patches there"), museum.edit() as mine:
        mine.delete(ms.Layers("observed"))
        with museum.ingest(forgetting=False) as ingest:
            ingest.add(walk(1)[0])


def test_a_name_that_was_taken_meanwhile_is_made_unique(museum):
    with museum.edit() as mine:
        mine.name(WALL, "piece")
        with museum.edit() as theirs:
            theirs.name(FLOOR & ~WALL, "piece")
    assert [layer.name for layer in museum.layers()] == ["observed", "sky", "piece", "piece-2"]


# Limits


def test_an_edit_takes_ten_thousand_operations(museum):
    full = (HideLayers(("sky",)),) * MAX_OPERATIONS
    assert len(EditRequest(full).operations) == 10_000
    with pytest.raises(InvalidInput, match="takes up to 10000 operations, got 10001; split it"):
        EditRequest((*full, HideLayers(("sky",))))


def test_an_edit_refuses_one_operation_too_many_and_keeps_the_others(museum, monkeypatch):
    monkeypatch.setattr("memstore.edited.MAX_OPERATIONS", 2)
    with museum.edit() as edit:
        edit.hide("sky")
        edit.show("sky")
        with pytest.raises(InvalidInput, match="takes up to 2 operations, got 3"):
            edit.delete(WALL)
    assert len(edit.report.operations) == 2
    assert edit.report.patches_after == edit.report.patches_before


# Preview


def test_a_preview_writes_nothing_and_says_what_the_commit_will_say(db, museum):
    with museum.edit() as edit:
        before = tree(db.root)
        edit.relocate(WALL, UP, name="wall")
        edit.delete(FLOOR)
        edit.stitch("garden", ms.Transform.translate(20, 0, 0))
        edit.select(ms.Layers("wall"))
        preview = edit.preview()
        assert tree(db.root) == before
    assert (preview.commit, preview.bytes_written) == ("", 0)
    assert preview.operations == edit.report.operations
    assert (preview.patches_before, preview.patches_after) == (edit.report.patches_before, edit.report.patches_after)
    assert (edit.report.before, edit.report.after, edit.report.camera) == (None, None, None)


def test_the_pictures_of_a_preview_are_what_a_camera_sees_before_and_after(museum, walk):
    camera = walk(12, open_sky=True)[3].camera
    before = museum.retrieve(camera, LOOK).image()
    with museum.edit() as edit:
        edit.delete(WALL)
        edit.relocate(FLOOR, UP)
        preview = edit.preview(camera)
    assert preview.camera == camera
    np.testing.assert_array_equal(preview.before, before)
    np.testing.assert_array_equal(preview.after, museum.retrieve(camera, LOOK).image())
    assert (preview.before != preview.after).any()


def test_a_preview_chooses_a_camera_that_sees_the_change(museum):
    with museum.edit() as edit:
        edit.delete(WALL)
        preview = edit.preview()
        edit.abort()
    assert preview.camera is not None
    assert (preview.before != preview.after).any()


def test_a_preview_of_a_stitch_looks_at_what_comes(museum):
    with museum.edit() as edit:
        edit.stitch("garden", ms.Transform.translate(20, 0, 0))
        preview = edit.preview()
        edit.abort()
    assert preview.camera.center[0] > 15
    assert (preview.before != preview.after).any()


def test_a_preview_of_nothing_has_no_pictures(db):
    empty = db.create_world("empty")
    with empty.edit() as edit:
        edit.delete(Selected(ms.Everything(), empty.select(ms.Everything(), allow_empty=True), allow_empty=True))
        preview = edit.preview()
        edit.abort()
    assert (preview.camera, preview.before, preview.after, preview.affected_count) == (None, None, None, 0)


# Who may


def test_a_pinned_world_and_a_reader_cannot_be_edited(db, museum):
    with pytest.raises(ReadOnly, match=r"pinned at .*; edit the live world"):
        museum.at(museum.head).edit()
    with (
        ms.open(db.root, read_only=True) as reader,
        pytest.raises(ReadOnly, match="open for reading only"),
        reader.world("museum").edit() as edit,
    ):
        edit.delete(WALL)


def test_a_branch_is_edited_by_itself(museum):
    before = draft_of(museum)
    night = museum.branch("night", create=True)
    with night.edit() as edit:
        edit.delete(WALL)
    assert_same(museum, before)
    assert len(shown(night)) < len(shown(museum))
