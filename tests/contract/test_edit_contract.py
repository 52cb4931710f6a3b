"""Editing and history: one contract for the embedded database and for served ones, values and errors alike."""

import numpy as np
import pytest

from memstore import errors
from memstore.camera import Camera
from memstore.errors import Reason
from memstore.latent import LatentSpec
from memstore.selection import Everything, Frames, Kinds, Layers, Ordinals, PatchIds
from memstore.shape import Box, HalfSpace, Sphere, ViewFrustum
from memstore.transform import Transform

UP = Transform.translate(0, 0, 0.25)
EAST = HalfSpace((1.0, 0.0, 0.0), 3.9)
"""The east wall of the room."""
WEST = HalfSpace((-1.0, 0.0, 0.0), 3.9)
"""The west wall of the room."""


def put(world, frames, **about):
    with world.ingest(**about) as ingest:
        for frame in frames:
            ingest.add(frame)


def edited(world, message="", **about):
    """Opens an edit of a world."""
    return world.edit(message, **about)


def deleted(world, selection, **about):
    """Deletes a selection in an edit of its own and returns the report."""
    with world.edit("delete", **about) as edit:
        edit.delete(selection)
    return edit.report


def shown(world):
    return world.describe().patch_count


def ids_of(world, camera):
    return sorted(world.retrieve(camera, min_facing=-1).ids.tolist())


@pytest.fixture
def hall(database, walk):
    """A room seen from a circle, under the sky; `seen` of its cameras is the one that the tests look through."""
    world = database.create_world("hall")
    put(world, walk(6, open_sky=True), message="first walk", author="ada")
    return world


@pytest.fixture
def eye(walk) -> Camera:
    return walk(6)[0].camera


class TestSelecting:
    def test_everything_is_all_that_is_shown(self, hall):
        report = hall.select(Everything())
        assert report.patch_count == shown(hall) == 6 * 48
        assert sum(layer.patch_count for layer in report.layers) == report.patch_count
        assert report.commit == hall.head
        assert report.bounds is not None
        assert np.allclose(report.bounds.high, (4, 4, 1.5), atol=1.5)
        assert report.picture.shape == (report.camera.height, report.camera.width, 3)

    def test_a_selection_is_seen_from_the_camera_that_was_given(self, hall, eye):
        view = eye.resized(160, 120)
        report = hall.select(Everything(), camera=view)
        assert report.camera == view
        assert report.picture.shape == (120, 160, 3)

    def test_every_kind_of_selection_means_some_of_it(self, hall, eye):
        ids = np.array(ids_of(hall, eye)[:5], np.uint64)
        names = tuple(layer.name for layer in hall.layers())
        assert hall.select(PatchIds(ids)).patch_count == 5
        assert hall.select(Layers(names)).patch_count == shown(hall)
        assert hall.select(Frames((0, 5))).patch_count == 2 * 48
        assert hall.select(Ordinals(1, 4)).patch_count == 3 * 48
        sky = hall.select(Kinds(("sky",))).patch_count
        assert 0 < sky < shown(hall)
        assert hall.select(~Kinds(("sky",))).patch_count == shown(hall) - sky
        east = hall.select(EAST).patch_count
        assert 0 < east < shown(hall)
        assert hall.select(EAST | WEST).patch_count == east + hall.select(WEST).patch_count
        assert hall.select(Box((13.9, 0, 0), (20, 20, 20))).patch_count == east
        assert hall.select(Sphere((0, 0, 0), 100) & EAST).patch_count == east
        assert hall.select(ViewFrustum(eye) & ~Kinds(("sky",))).patch_count > 0

    def test_an_empty_selection_is_refused_unless_that_is_fine(self, hall):
        nowhere = Sphere((90, 0, 0), 1)
        with pytest.raises(errors.InvalidInput, match="nearest") as caught:
            hall.select(nowhere)
        assert caught.value.reason is Reason.EMPTY_SELECTION
        report = hall.select(nowhere, allow_empty=True)
        assert (report.patch_count, report.bounds, report.layers) == (0, None, ())

    def test_an_unknown_layer_or_patch_is_not_found(self, hall):
        with pytest.raises(errors.NotFound, match="chair") as caught:
            hall.select(Layers(("chair",)))
        assert caught.value.reason is Reason.LAYER_NOT_FOUND

    def test_a_pixel_shows_a_patch(self, hall, eye, walk):
        frame = walk(6, open_sky=True)[0]
        picked = hall.pick(eye, 32.0, 30.0)
        assert picked.patch_id in ids_of(hall, eye)
        assert picked.depth_m == pytest.approx(frame.depth_m[30, 32], rel=0.2)
        assert picked.layer in {layer.name for layer in hall.layers()}
        assert 0 <= picked.ordinal < 6
        assert np.allclose(eye.project(np.array([picked.position]))[0][0], (32.0, 30.0), atol=1e-3)

    def test_a_pixel_of_an_empty_world_shows_nothing(self, database, eye):
        empty = database.create_world("empty")
        assert empty.pick(eye, 3.0, 4.0) is None
        assert empty.layers() == []

    def test_a_pixel_outside_the_image_is_refused(self, hall, eye):
        with pytest.raises(errors.InvalidInput, match="pixel"):
            hall.pick(eye, 64.5, 4.0)

    def test_layers_say_what_they_show(self, hall):
        layers = hall.layers()
        assert {layer.kind for layer in layers} == {"observed", "sky"}
        assert sum(layer.patch_count for layer in layers) == shown(hall)
        assert all((layer.bounds is None) == (layer.kind == "sky") for layer in layers)
        assert all(layer.visible and layer.placement.is_identity for layer in layers)

    def test_many_layers_are_all_listed(self, hall):
        with hall.edit() as edit:
            edit.duplicate(EAST, *[Transform.translate(i, 0, 0) for i in range(1, 8)])
        assert len(hall.layers()) == len({layer.layer_id for layer in hall.layers()}) == 2 + 7

    def test_a_pinned_world_is_asked_as_it_was(self, hall, eye):
        pinned, before = hall.at(hall.head), shown(hall)
        deleted(hall, EAST)
        assert pinned.select(Everything()).patch_count == before
        assert pinned.select(EAST).commit == pinned.head
        assert sum(layer.patch_count for layer in pinned.layers()) == before
        assert pinned.pick(eye, 32.0, 30.0) is not None


class TestEditing:
    def test_a_deletion_is_one_commit(self, hall):
        before, head = shown(hall), hall.head
        east = hall.select(EAST).patch_count
        with edited(hall, "make room", author="ada") as edit:
            edit.delete(EAST)
        report = edit.report
        assert (report.commit, report.base) == (hall.head, head)
        assert (report.patches_before, report.patches_after) == (before, before - east)
        assert report.bytes_written > 0
        assert report.before is None
        (operation,) = report.operations
        assert (operation.operation, operation.selected_count, operation.hidden_count) == ("delete", east, east)
        assert operation.bounds is not None
        step = hall.log()[0]
        assert (step.commit, step.parents, step.message, step.author) == (hall.head, (head,), "make room", "ada")
        assert step.operation == "delete"
        assert shown(hall) == before - east

    def test_what_is_hidden_is_not_retrieved(self, hall, eye):
        gone = ids_of(hall, eye)[:4]
        deleted(hall, PatchIds(np.array(gone, np.uint64)))
        assert not set(gone) & set(ids_of(hall, eye))

    def test_a_relocation_and_its_inverse_leave_all_where_it_was(self, hall, eye):
        before = hall.retrieve(eye)
        turn = Transform.translate(0.1, 0, 0.2) @ Transform.rotate_z(0.5) @ Transform.scaling(1.5)
        with hall.edit() as edit:
            there = edit.relocate(EAST, turn, name="wall")
            edit.relocate(there, turn.inverse())
        after = hall.retrieve(eye)
        assert np.array_equal(np.sort(after.ids), np.sort(before.ids))
        order_before, order_after = np.argsort(before.ids), np.argsort(after.ids)
        assert np.allclose(after.uv[order_after], before.uv[order_before], atol=1e-3)
        assert hall.log()[0].operation == "edit"

    @pytest.mark.parametrize("pivot", ["origin", "centroid", (1.0, 2.0, 0.0)])
    def test_a_relocation_goes_about_its_pivot(self, hall, pivot):
        bounds = hall.select(EAST).bounds
        with hall.edit() as edit:
            moved = edit.relocate(EAST, UP, pivot=pivot, name="wall")
        assert moved.report.shown_count == moved.report.hidden_count > 0
        (layer,) = moved.report.layers
        assert (layer.name, layer.kind) == ("wall", "placed")
        assert np.allclose(layer.bounds.low, np.add(bounds.low, (0, 0, 0.25)), atol=1e-3)

    def test_a_duplicate_shows_without_hiding(self, hall):
        before, east = shown(hall), hall.select(EAST).patch_count
        with hall.edit() as edit:
            made = edit.duplicate(EAST, UP, UP @ UP, name="copy")
        assert made.report.hidden_count == 0
        assert made.report.shown_count == 2 * east
        assert shown(hall) == before + 2 * east
        assert len(made.report.layers) == 2

    def test_a_named_selection_is_a_layer_that_can_be_moved_hidden_and_shown(self, hall):
        before, east = shown(hall), hall.select(EAST).patch_count
        with hall.edit() as edit:
            edit.name(edit.select(EAST), "wall")
        assert hall.select(Layers(("wall",))).patch_count == east
        assert shown(hall) == before
        with hall.edit() as edit:
            edit.hide("wall")
        assert shown(hall) == before - east
        (wall,) = [layer for layer in hall.layers() if layer.name == "wall"]
        assert not wall.visible
        assert wall.patch_count == east
        with hall.edit() as edit:
            edit.show("wall")
            edit.relocate(Layers(("wall",)), UP)
        (wall,) = [layer for layer in hall.layers() if layer.name == "wall"]
        assert wall.visible
        assert np.allclose(wall.placement.translation, (0, 0, 0.25))

    def test_a_selection_that_was_looked_at_names_what_is_made_of_it(self, hall):
        with hall.edit() as edit:
            wall = edit.select(EAST, name="wall")
            assert wall.count == hall.select(EAST).patch_count
            assert wall.bounds is not None
            edit.relocate(wall, UP)
        assert "wall" in {layer.name for layer in hall.layers()}

    def test_what_was_deleted_comes_back(self, hall):
        before = shown(hall)
        deleted(hall, EAST)
        with hall.edit() as edit:
            edit.restore(EAST)
        assert shown(hall) == before

    def test_a_wall_hangs_upside_down(self, hall):
        bounds = hall.select(EAST).bounds
        with hall.edit() as edit:
            made = edit.invert(EAST, keep=True)
        (layer,) = made.report.layers
        assert layer.bounds.low[2] == pytest.approx(bounds.high[2], abs=0.05)

    def test_operations_see_what_those_before_them_did(self, hall):
        with hall.edit() as edit:
            edit.delete(EAST)
            assert edit.select(EAST, allow_empty=True).count == 0
            assert edit.select(Everything()).count < shown(hall)
        assert hall.select(EAST, allow_empty=True).patch_count == 0

    def test_a_preview_shows_before_and_after_and_writes_nothing(self, hall, eye):
        head = hall.head
        with hall.edit() as edit:
            gone = edit.delete(EAST)
            report = edit.preview(eye)
            assert gone.report.hidden_count > 0
            edit.abort()
        assert hall.head == head
        assert (report.commit, report.base, report.camera) == ("", head, eye)
        assert report.before.shape == report.after.shape == (48, 64, 3)
        assert report.patches_after == report.patches_before - gone.report.hidden_count
        assert edit.report is None

    def test_a_preview_chooses_a_camera_that_sees_it(self, hall):
        with hall.edit() as edit:
            edit.delete(EAST)
            report = edit.preview()
            edit.abort()
        assert not np.array_equal(report.before, report.after)

    def test_an_error_in_the_block_leaves_the_world_as_it_was(self, hall):
        head = hall.head
        with pytest.raises(ZeroDivisionError), hall.edit() as edit:
            edit.delete(EAST)
            raise ZeroDivisionError
        assert hall.head == head
        with pytest.raises(errors.FailedPrecondition, match="this edit is over") as caught:
            edit.delete(WEST)
        assert caught.value.reason is Reason.CLOSED

    def test_an_edit_of_nothing_makes_no_commit(self, hall):
        head = hall.head
        with hall.edit() as edit:
            pass
        assert edit.report is None
        assert hall.head == head

    def test_an_operation_on_nothing_is_refused_unless_that_is_fine(self, hall):
        nowhere, head = Sphere((90, 0, 0), 1), hall.head
        with pytest.raises(errors.InvalidInput, match="nearest") as caught, hall.edit() as edit:
            edit.delete(EAST)
            edit.delete(nowhere)
        assert caught.value.reason is Reason.EMPTY_SELECTION
        assert hall.head == head
        with hall.edit() as edit:
            edit.delete(edit.select(nowhere, allow_empty=True))
            edit.delete(EAST)
        assert hall.head != head

    def test_too_large_an_edit_is_refused(self, hall):
        head, east = hall.head, hall.select(EAST).patch_count
        with pytest.raises(errors.TooManyAffected, match="max_affected") as caught, hall.edit(max_affected=1) as edit:
            edit.delete(EAST)
        assert caught.value.details["affected"] == east
        assert hall.head == head
        with hall.edit(max_affected=east) as edit:
            edit.delete(EAST)
        assert hall.head != head

    def test_a_head_that_is_not_the_expected_one_is_refused_with_both(self, hall):
        old = hall.head
        deleted(hall, EAST)
        new = hall.head
        with pytest.raises(errors.Conflict, match=old) as caught, hall.edit(expected_head=old) as edit:
            edit.delete(WEST)
        assert caught.value.reason is Reason.HEAD_MOVED
        assert (caught.value.details["expected"], caught.value.details["actual"]) == (old, new)
        assert hall.head == new

    def test_an_edit_runs_again_on_a_head_that_moved_elsewhere(self, hall):
        with hall.edit("second") as edit:
            edit.delete(EAST)
            deleted(hall, WEST)
            between = hall.head
        assert edit.report.base == between
        assert hall.select(EAST | WEST, allow_empty=True).patch_count == 0

    def test_an_edit_that_would_now_mean_other_patches_is_refused(self, hall, eye):
        some = PatchIds(np.array(ids_of(hall, eye)[:3], np.uint64))
        with pytest.raises(errors.Conflict, match="head moved") as caught, hall.edit() as edit:
            edit.delete(~Kinds(("sky",)))
            deleted(hall, some)
            head = hall.head
        assert caught.value.reason is Reason.SELECTION_CHANGED
        assert hall.head == head

    def test_a_repeated_request_is_carried_out_once(self, hall):
        first = deleted(hall, EAST, request_id="r1")
        steps = len(hall.log())
        again = deleted(hall, EAST, request_id="r1")
        assert again.commit == first.commit == hall.head
        assert again.operations == first.operations
        assert len(hall.log()) == steps
        assert hall.log()[0].request_id == "r1"

    def test_a_request_id_of_another_edit_is_refused(self, hall):
        deleted(hall, EAST, request_id="r1")
        with pytest.raises(errors.InvalidInput, match="r1") as caught:
            deleted(hall, WEST, request_id="r1")
        assert caught.value.details["field"] == "request_id"

    def test_a_pinned_world_cannot_be_edited(self, hall):
        pinned = hall.at(hall.head)
        with pytest.raises(errors.ReadOnly, match=r"is pinned at .* edit the live world"), pinned.edit() as edit:
            edit.delete(EAST)

    @pytest.mark.parametrize("name", ["", "x" * 300])
    def test_a_layer_name_that_cannot_be_is_refused(self, hall, name):
        with pytest.raises(errors.InvalidInput, match="name"), hall.edit() as edit:
            edit.name(EAST, name)

    def test_layers_that_are_not_there_cannot_be_hidden(self, hall):
        with pytest.raises(errors.NotFound, match="chair") as caught, hall.edit() as edit:
            edit.hide("chair")
        assert caught.value.reason is Reason.LAYER_NOT_FOUND

    def test_what_no_operation_has_made_cannot_be_moved(self, hall):
        from memstore.selection import Made

        with pytest.raises(errors.InvalidInput, match="operation"), hall.edit() as edit:
            edit.relocate(Made(3), UP)


class TestOtherWorlds:
    @pytest.fixture
    def garden(self, database, walk):
        world = database.create_world("garden")
        put(world, walk(3, open_sky=True))
        return world

    def test_a_stitched_world_is_shown_where_it_is_put(self, hall, garden):
        before, surfaces = shown(hall), garden.select(~Kinds(("sky",)))
        report = hall.stitch(garden, Transform.translate(20, 0, 0), message="join", author="ada")
        (operation,) = report.operations
        assert operation.operation == "stitch"
        assert operation.shown_count == surfaces.patch_count
        assert operation.registration is None
        assert shown(hall) == before + surfaces.patch_count
        assert hall.bounds().high[0] == pytest.approx(surfaces.bounds.high[0] + 20, abs=0.5)
        assert hall.log()[0].message == "join"
        assert shown(garden) == 3 * 48

    def test_a_world_beside_another_leaves_a_gap(self, hall, garden):
        high = hall.bounds().high[0]
        with hall.edit() as edit:
            made = edit.concatenate(garden, side="+x", gap_m=2.0)
        low = min(layer.bounds.low[0] for layer in made.report.layers if layer.bounds is not None)
        assert low == pytest.approx(high + 2, abs=0.5)

    def test_the_other_world_can_be_named_and_given_its_sky(self, hall, garden):
        report = hall.stitch("garden", UP, sky=True, name="outside")
        assert report.operations[0].shown_count == shown(garden)
        assert any("outside" in layer.name for layer in hall.layers())

    def test_a_stitched_world_stays_when_the_other_goes(self, database, hall, garden):
        report = hall.stitch(garden, UP)
        database.delete_world("garden")
        assert shown(hall) == report.patches_after

    def test_an_unknown_world_is_not_found(self, hall):
        with pytest.raises(errors.NotFound, match="there is no world 'gardn'"):
            hall.stitch("gardn")

    def test_a_world_cannot_be_joined_to_itself(self, hall):
        with pytest.raises(errors.FailedPrecondition, match="joined to itself"):
            hall.stitch(hall, UP)

    def test_a_world_of_other_latents_cannot_be_joined(self, database, hall):
        database.create_world("studio", LatentSpec.pixel(4))
        with pytest.raises(errors.LatentSpecMismatch, match="differ in"):
            hall.stitch("studio")

    def test_worlds_without_a_common_surface_are_not_aligned(self, hall, garden):
        head = hall.head
        with pytest.raises(errors.FailedPrecondition) as caught:
            hall.stitch(garden, Transform.translate(50, 0, 0), align="boundary")
        assert caught.value.reason is Reason.NO_OVERLAP
        assert hall.head == head


class TestUndoing:
    def test_an_undo_takes_back_and_a_redo_takes_that_back(self, hall):
        before = shown(hall)
        after = deleted(hall, EAST, author="ada").patches_after
        undone = hall.undo(author="ada", message="oops")
        assert (undone.operation, undone.author, undone.message) == ("undo", "ada", "oops")
        assert undone.takes_back == hall.log()[1].step != ""
        assert (undone.commit, shown(hall)) == (hall.head, before)
        redone = hall.redo(author="ada")
        assert (redone.operation, redone.takes_back) == ("redo", undone.step)
        assert shown(hall) == after

    def test_an_undo_is_of_this_author_unless_anyone_is_meant(self, hall):
        deleted(hall, EAST, author="ada")
        deleted(hall, WEST, author="ben")
        hall.undo(author="ada")
        assert hall.select(EAST).patch_count > 0
        assert hall.select(WEST, allow_empty=True).patch_count == 0
        hall.undo(author="cy", anyone=True)
        assert hall.select(WEST).patch_count > 0

    def test_a_repeated_undo_takes_nothing_more_back(self, hall):
        deleted(hall, EAST, author="ada")
        deleted(hall, WEST, author="ada")
        first = hall.undo(author="ada", request_id="u1")
        assert hall.undo(author="ada", request_id="u1") == first
        assert hall.select(EAST, allow_empty=True).patch_count == 0

    def test_nothing_to_undo_or_redo_is_said(self, database, hall):
        with pytest.raises(errors.FailedPrecondition, match="nothing of 'cy' to undo") as caught:
            hall.undo(author="cy")
        assert caught.value.reason is Reason.NOTHING_TO_UNDO
        with pytest.raises(errors.FailedPrecondition, match="to redo"):
            hall.redo(author="ada")
        with pytest.raises(errors.FailedPrecondition, match="nothing of anyone to undo"):
            database.create_world("empty").undo(anyone=True)

    def test_an_undo_that_overlaps_with_later_work_is_a_conflict_naming_both(self, hall):
        deleted(hall, EAST, author="ada")
        first = hall.head
        with hall.edit(author="ben") as edit:
            edit.restore(EAST)
            edit.relocate(EAST, UP)
        with pytest.raises(errors.Conflict, match=first[:10]) as caught:
            hall.undo(author="ada")
        assert caught.value.reason is Reason.UNDO_CONFLICT
        assert caught.value.details["commit"] == first
        assert caught.value.details["later"] == hall.head

    def test_an_old_step_is_reverted_and_what_came_since_stays(self, hall):
        east = deleted(hall, EAST, author="ada")
        deleted(hall, WEST, author="ben")
        made = hall.revert(east.commit[:12], author="cy", message="needed")
        assert (made.operation, made.author, made.message) == ("revert", "cy", "needed")
        assert hall.select(EAST).patch_count > 0
        assert hall.select(WEST, allow_empty=True).patch_count == 0
        with pytest.raises(errors.FailedPrecondition, match="taken back already"):
            hall.revert(east.commit)

    def test_the_first_commit_cannot_be_reverted(self, hall):
        with pytest.raises(errors.FailedPrecondition, match="made the world"):
            hall.revert(hall.log()[-1].commit)

    def test_a_pinned_world_takes_nothing_back(self, hall):
        pinned = hall.at(hall.head)
        for verb in (pinned.undo, pinned.redo, lambda: pinned.revert(pinned.head)):
            with pytest.raises(errors.ReadOnly, match=r"is pinned at .* change the live world"):
                verb()


class TestBranches:
    def test_a_branch_goes_its_own_way(self, hall):
        night = hall.branch("night", create=True)
        assert (night.name, night.branch_name, night.head) == ("hall", "night", hall.head)
        deleted(night, EAST)
        assert hall.select(EAST).patch_count > 0
        assert hall.branch("night").select(EAST, allow_empty=True).patch_count == 0
        assert [(branch.name, branch.commit) for branch in hall.branches()] == [
            ("main", hall.head),
            ("night", night.head),
        ]
        assert "night" in repr(night)

    def test_a_branch_takes_frames_and_is_watched_like_any(self, hall, walk):
        night = hall.branch("night", create=True)
        put(night, walk(2))
        assert night.describe().frame_count == 8
        assert hall.describe().frame_count == 6
        assert len(list(night.frames())) == 8
        assert list(night.watch(timeout_s=0.1)) == []

    def test_a_branch_begins_where_it_is_told(self, hall):
        first = hall.head
        deleted(hall, EAST)
        assert hall.branch("early", create=True, at=first).head == first
        assert hall.at(first).branch("early-too", create=True).head == first
        hall.tag("whole", first)
        assert hall.branch("by-tag", create=True, at="whole").head == first

    def test_a_branch_that_is_not_there_is_named_with_the_nearest(self, hall):
        hall.branch("night", create=True)
        with pytest.raises(errors.NotFound, match=r"there is no branch 'nigth'; .*night") as caught:
            hall.branch("nigth")
        assert caught.value.reason is Reason.BRANCH_NOT_FOUND

    @pytest.mark.parametrize("name", ["", "Night", "a/b", "../tags/v1"])
    def test_a_branch_name_that_cannot_be_is_refused(self, hall, name):
        hall.tag("v1")
        with pytest.raises((errors.InvalidInput, errors.NotFound)):
            hall.branch(name)
        with pytest.raises(errors.InvalidInput, match="name") as caught:
            hall.branch(name, create=True)
        assert caught.value.reason is Reason.INVALID_NAME

    def test_a_taken_name_is_refused(self, hall):
        hall.branch("night", create=True)
        hall.tag("v1")
        for name in ("night", "v1", "main"):
            with pytest.raises(errors.AlreadyExists, match=f"{name!r} exists already"):
                hall.branch(name, create=True)
            with pytest.raises(errors.AlreadyExists, match=f"{name!r} exists already"):
                hall.tag(name)

    def test_a_repeated_request_finds_the_branch_that_it_made(self, hall):
        made = hall.branch("night", create=True, request_id="b1")
        assert hall.branch("night", create=True, request_id="b1").head == made.head
        with pytest.raises(errors.AlreadyExists, match="'night' exists already"):
            hall.branch("night", create=True, request_id="b2")

    def test_a_deleted_branch_is_gone_and_its_head_remembered(self, hall):
        night = hall.branch("night", create=True)
        deleted(night, EAST)
        head = night.head
        hall.delete_branch("night")
        assert [branch.name for branch in hall.branches()] == ["main"]
        (left,) = hall.dropped()
        assert (left.branch, left.commit) == ("night", head)
        assert hall.branch("again", create=True, at=head).head == head
        with pytest.raises(errors.NotFound, match="night"):
            hall.delete_branch("night")
        with pytest.raises(errors.FailedPrecondition, match="main"):
            hall.delete_branch("main")

    def test_many_branches_and_tags_are_all_listed_by_name(self, hall):
        names = [f"b{i}" for i in range(7)]
        for name in reversed(names):
            hall.branch(name, create=True)
            hall.tag(f"t{name}")
        assert [branch.name for branch in hall.branches()] == [*names, "main"]
        assert [tag.name for tag in hall.tags()] == [f"t{name}" for name in names]
        assert {tag.commit for tag in hall.tags()} == {hall.head}

    def test_a_tag_stays_where_it_is(self, hall):
        first = hall.head
        made = hall.tag("v1", request_id="t1")
        assert (made.name, made.commit) == ("v1", first)
        assert hall.tag("v1", request_id="t1") == made
        deleted(hall, EAST)
        assert hall.at("v1").head == hall.show("v1").commit == first
        assert hall.tag("v2", "v1").commit == first
        hall.delete_tag("v1")
        assert [tag.name for tag in hall.tags()] == ["v2"]
        with pytest.raises(errors.NotFound, match="v1") as caught:
            hall.delete_tag("v1")
        assert caught.value.reason is Reason.TAG_NOT_FOUND

    def test_a_reset_moves_the_branch_and_remembers_where_it_was(self, hall):
        first = hall.head
        deleted(hall, EAST)
        second = hall.head
        with pytest.raises(errors.Conflict, match=second) as caught:
            hall.reset(first, expected_head=first)
        assert caught.value.reason is Reason.HEAD_MOVED
        step = hall.reset(first[:10], expected_head=second)
        assert step.commit == hall.head == first
        assert [(left.branch, left.commit) for left in hall.dropped()] == [("main", second)]
        assert hall.reset(second).commit == second
        with pytest.raises(errors.ReadOnly, match="reset the live world"):
            hall.at(first).reset(second)


class TestLookingBack:
    def test_a_step_is_shown_by_id_prefix_tag_or_branch(self, hall):
        deleted(hall, EAST, author="ada")
        newest = hall.log()[0]
        hall.tag("v1")
        for revision in (newest.commit, newest.commit[:8], "v1", "main"):
            assert hall.show(revision) == newest
            assert hall.at(revision).head == newest.commit
        first = hall.show(hall.log()[1].commit)
        assert (first.operation, first.author, first.frame_count) == ("ingest", "ada", 6)

    @pytest.mark.parametrize("revision", ["nonsense", "0000", "0" * 32])
    def test_a_revision_that_is_not_there_is_not_found(self, hall, revision):
        for verb in (hall.show, hall.at, hall.diff):
            with pytest.raises(errors.NotFound) as caught:
                verb(revision)
            assert caught.value.reason is Reason.COMMIT_NOT_FOUND

    def test_a_diff_says_what_came_and_went_by_layer(self, hall):
        before, east = hall.head, hall.select(EAST).patch_count
        with hall.edit() as edit:
            edit.relocate(EAST, UP, name="wall")
        diff = hall.diff(before)
        assert (diff.before, diff.after) == (before, hall.head)
        assert (diff.shown_count, diff.hidden_count) == (east, east)
        changes = {layer.name: layer.change for layer in diff.layers}
        assert changes["wall"] == "added"
        assert all(layer.shown is None for layer in diff.layers)
        assert diff.camera is not None
        assert diff.picture_before.shape == diff.picture_after.shape == (diff.camera.height, diff.camera.width, 3)

    def test_a_diff_names_the_patches_when_asked(self, hall, eye):
        gone = np.array(ids_of(hall, eye)[:5], np.uint64)
        hall.tag("before")
        deleted(hall, PatchIds(gone))
        diff = hall.diff("before", patches=True, camera=eye)
        hidden = np.concatenate([layer.hidden for layer in diff.layers])
        assert np.array_equal(np.sort(hidden), gone)
        assert diff.camera == eye
        back = hall.diff(hall.head, "before", patches=True)
        assert np.array_equal(np.sort(np.concatenate([layer.shown for layer in back.layers])), gone)

    def test_a_diff_of_thousands_of_patches_comes_whole(self, database, walk):
        world = database.create_world("large")
        put(world, walk(4, 320, 240))
        before, count = world.head, shown(world)
        deleted(world, Everything())
        diff = world.diff(before, patches=True)
        assert sum(len(layer.hidden) for layer in diff.layers) == diff.hidden_count == count == 4 * 1200

    def test_a_diff_tells_of_names_visibility_and_placement(self, hall):
        with hall.edit() as edit:
            edit.name(EAST, "wall")
        before = hall.head
        with hall.edit() as edit:
            edit.relocate(Layers(("wall",)), UP)
            edit.name(Layers(("wall",)), "screen")
            edit.hide("screen")
        (layer,) = hall.diff(before).layers
        assert (layer.change, layer.renamed, layer.visible) == ("changed", ("wall", "screen"), (True, False))
        assert np.allclose(layer.moved[1].translation - layer.moved[0].translation, (0, 0, 0.25))

    def test_a_commit_does_not_differ_from_itself(self, hall):
        diff = hall.diff(hall.head)
        assert (diff.layers, diff.camera, diff.picture_before) == ((), None, None)

    def test_blame_tells_who_saw_a_patch_and_who_placed_it(self, hall, eye):
        before = hall.blame(eye, 32.0, 30.0)
        assert before.placed_by == before.observed_by == hall.log()[0]
        assert before.patch_id == hall.pick(eye, 32.0, 30.0).patch_id
        some = PatchIds(np.array([before.patch_id], np.uint64))
        with hall.edit("up", author="ben") as edit:
            edit.relocate(some, Transform.translate(0, 0, 1e-4))
        after = hall.blame(eye, 32.0, 30.0)
        assert after.observed_by.author == "ada"
        assert (after.placed_by.author, after.placed_by.commit) == ("ben", hall.head)

    def test_nobody_is_to_blame_for_nothing(self, database, eye):
        assert database.create_world("empty").blame(eye, 3.0, 4.0) is None


class TestMerging:
    def test_disjoint_edits_merge_clean(self, hall):
        night = hall.branch("night", create=True)
        base = hall.head
        deleted(hall, WEST)
        deleted(night, EAST)
        trial = night.merge_into("main", trial=True)
        ours = hall.head
        assert (trial.commit, trial.base, trial.ours, trial.theirs) == ("", base, ours, night.head)
        assert (trial.conflicts, len(trial.layers) > 0) == ((), True)
        report = night.merge_into("main", message="join", author="ada")
        assert report.commit == hall.head
        step = hall.log()[0]
        assert (step.operation, step.message, step.author) == ("merge", "join", "ada")
        assert set(step.parents) == {ours, night.head}
        assert hall.select(EAST | WEST, allow_empty=True).patch_count == 0

    def test_a_repeated_merge_is_carried_out_once_and_another_finds_nothing(self, hall):
        night = hall.branch("night", create=True)
        deleted(night, EAST)
        first = night.merge_into("main", request_id="m1")
        head = hall.head
        assert night.merge_into("main", request_id="m1").commit == first.commit
        assert night.merge_into("main").commit == ""
        assert hall.head == head

    @pytest.fixture
    def torn(self, hall):
        """A world, and a branch of it that moved the same wall elsewhere."""
        with hall.edit() as edit:
            edit.name(EAST, "wall")
        night = hall.branch("night", create=True)
        with night.edit() as edit:
            edit.relocate(Layers(("wall",)), Transform.translate(1, 0, 0))
        with hall.edit() as edit:
            edit.relocate(Layers(("wall",)), UP)
        return hall, night

    def test_conflicts_are_listed_by_a_trial_and_refused_otherwise(self, torn):
        hall, night = torn
        head = hall.head
        trial = night.merge_into("main", trial=True)
        (conflict,) = trial.conflicts
        assert (conflict.kind, conflict.layer) == ("placement", "wall")
        assert conflict.message
        with pytest.raises(errors.Conflict, match="wall") as caught:
            night.merge_into("main")
        assert caught.value.reason is Reason.MERGE_CONFLICT
        assert hall.head == head

    @pytest.mark.parametrize(("policy", "offset"), [("ours", (0, 0, 0.25)), ("theirs", (1, 0, 0))])
    def test_a_policy_settles_conflicts(self, torn, policy, offset):
        hall, night = torn
        report = night.merge_into("main", policy=policy)
        assert len(report.conflicts) == 1
        (wall,) = [layer for layer in hall.layers() if layer.name == "wall"]
        assert np.allclose(wall.placement.translation, offset)

    def test_a_branch_that_is_not_there_cannot_be_merged_into(self, hall):
        with pytest.raises(errors.NotFound, match="there is no branch 'mian'") as caught:
            hall.merge_into("mian")
        assert caught.value.reason is Reason.BRANCH_NOT_FOUND


class TestFlattening:
    def test_a_flattened_branch_shows_the_same(self, hall, eye):
        with hall.edit() as edit:
            edit.relocate(EAST, UP)
            edit.delete(WEST)
        before, count = hall.retrieve(eye), shown(hall)
        heard = []
        report = hall.flatten(
            author="ada",
            message="tidy",
            everything=True,
            on_progress=lambda done, total, stage: heard.append((done, total, stage)),
        )
        assert report.commit == hall.head
        assert [operation.operation for operation in report.operations] == ["flatten"]
        assert (report.patches_before, report.patches_after, shown(hall)) == (count, count, count)
        step = hall.log()[0]
        assert (step.operation, step.author, step.message) == ("flatten", "ada", "tidy")
        after = hall.retrieve(eye)
        assert np.allclose(np.sort(after.uv, axis=0), np.sort(before.uv, axis=0), atol=1e-3)
        assert all(0 <= done <= total for done, total, _ in heard)

    def test_a_branch_that_nothing_has_scattered_stays_as_it_is(self, hall):
        head = hall.head
        assert hall.flatten().commit == ""
        assert hall.head == head

    def test_a_repeated_flatten_is_carried_out_once(self, hall):
        deleted(hall, EAST)
        first = hall.flatten(request_id="f1", everything=True)
        assert hall.flatten(request_id="f1", everything=True).commit == first.commit == hall.head

    def test_a_pinned_world_is_not_flattened(self, hall):
        with pytest.raises(errors.ReadOnly, match="is pinned at"):
            hall.at(hall.head).flatten()


class TestForgetting:
    def test_frames_may_be_told_to_forget_nothing(self, hall, walk):
        put(hall, walk(1), forgetting=False)
        put(hall, walk(1), forgetting=True)
        assert hall.describe().frame_count == 8
