"""What each operation shows, where, in which layer, and what its report says of it."""

from __future__ import annotations

import numpy as np
import pytest
from edit.shown import assert_same, draft_of, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import memstore as ms
from memstore.draft import Draft
from memstore.edit.join import Neighbour
from memstore.edit.perform import Performer
from memstore.errors import InvalidInput, NotFound, Reason
from memstore.operation import Delete, Duplicate, Invert, NameLayer, Operation, Relocate, Restore
from memstore.selection import Selection
from memstore.world import World

HERE = ms.Box((0, 3.5, 0), (3, 3, 3))
"""A piece of wall: some patches of every segment, but of none all."""
THERE = ms.Transform.translate(1, 2, 0.5) @ ms.Transform.rotate_z(40, degrees=True) @ ms.Transform.scaling(1.5)
SURFACES = ~ms.Kinds("sky")
MANY = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def instances(world: World | Draft, selection: Selection) -> np.ndarray:
    """Returns which of `shown(world)` a shape, or all but the sky, means."""
    all_shown = shown(world)
    return all_shown.sky < 1 if selection is SURFACES else selection.contains(all_shown.center) & ~all_shown.sky


class Alone:
    """A world without neighbours."""

    def __init__(self, up: str = "+z") -> None:
        self.up = up
        self.frame_end = 12

    def open(self, world: str, branch: str, commit: str) -> Neighbour:
        raise NotFound(f"there is no world {world!r}.")


def performed(world: World, *operations: Operation, up: str = "+z") -> Performer:
    """Returns what operations make of a world, without a commit."""
    performer = Performer(draft_of(world), Alone(up), "seed")
    for operation in operations:
        performer.perform(operation)
    return performer


# Delete


def test_delete_hides_what_is_selected_and_nothing_else(museum):
    before, meant = shown(museum), instances(museum, HERE)
    assert 0 < meant.sum() < len(before) / 2
    with museum.edit() as edit:
        edit.delete(HERE)
    assert shown(museum).places().keys() == before.instances(~meant)
    (report,) = edit.report.operations
    assert (report.operation, report.selected_count, report.hidden_count, report.shown_count, report.layers) == (
        "delete",
        meant.sum(),
        meant.sum(),
        0,
        (),
    )
    assert report.affected_count == edit.report.affected_count == meant.sum()
    assert (edit.report.patches_before, edit.report.patches_after) == (len(before), len(before) - meant.sum())
    assert museum.describe().patch_count == edit.report.patches_after
    assert [layer.name for layer in museum.layers()] == ["observed", "sky"]


def test_what_was_deleted_is_not_retrieved(museum, walk):
    cameras = [frame.camera for frame in walk(12, open_sky=True)]
    gone = shown(museum).patch_id[instances(museum, HERE)]
    seen = np.concatenate([mosaic.ids for mosaic in museum.retrieve(cameras, per_token=64)])
    assert np.isin(seen, gone).any()
    with museum.edit() as edit:
        edit.delete(HERE)
    seen = np.concatenate([mosaic.ids for mosaic in museum.retrieve(cameras, per_token=64)])
    assert not np.isin(seen, gone).any()


def test_everything_can_be_deleted_and_brought_back(museum, walk):
    camera, before = walk(1)[0].camera, draft_of(museum)
    with museum.edit() as edit:
        edit.delete(ms.Everything())
    assert len(shown(museum)) == museum.describe().patch_count == 0
    assert museum.bounds() is None
    assert museum.retrieve(camera).coverage.max() == 0
    with museum.edit() as edit:
        edit.restore(ms.Everything())
    assert_same(museum, before)


# Duplicate


def test_duplicate_shows_a_copy_for_each_placement_and_leaves_the_original(museum):
    before, meant = shown(museum), instances(museum, HERE)
    ways = (THERE, ms.Transform.translate(0, 0, 9), ms.Transform.scaling(0.1))
    with museum.edit() as edit:
        edit.duplicate(HERE, *ways, name="pillar")
    after, copies = shown(museum), {"pillar": ways[0], "pillar-2": ways[1], "pillar-3": ways[2]}
    assert set(after.name) == {"observed", "sky", *copies}
    for name, way in copies.items():
        copied = after.name == name
        np.testing.assert_array_equal(np.sort(after.patch_id[copied]), np.sort(before.patch_id[meant]))
        wanted = dict(zip(before.patch_id[meant].tolist(), way.apply(before.center[meant]), strict=True))
        for patch, center in zip(after.patch_id[copied].tolist(), after.center[copied], strict=True):
            np.testing.assert_allclose(center, wanted[patch], atol=1e-9)
    assert before.instances() <= after.instances()
    (report,) = edit.report.operations
    assert (report.selected_count, report.hidden_count, report.shown_count) == (meant.sum(), 0, 3 * meant.sum())
    assert edit.report.patches_after == len(after) == len(before) + 3 * meant.sum()
    origin = museum.layers()[0].layer_id
    assert [(layer.name, layer.kind, layer.origin, layer.patch_count) for layer in report.layers] == [
        (name, "placed", origin, meant.sum()) for name in copies
    ]


def test_a_whole_layer_is_duplicated_without_a_new_mask(museum):
    with museum.edit() as edit:
        edit.duplicate(ms.Layers("observed"), THERE)
    draft = draft_of(museum)
    assert [layer.name for layer in draft.layers] == ["observed", "sky", "observed-copy"]
    assert list(draft.parts(draft.find("observed-copy").layer_id).values()) == list(
        draft.parts(draft.find("observed").layer_id).values()
    )


def test_a_copy_of_several_layers_is_a_layer_of_each(museum):
    with museum.edit() as edit:
        edit.name(HERE, "wall")
        copy = edit.duplicate(ms.Box((0, 3.5, 0), (5, 3, 3)), THERE)
    assert [layer.name for layer in copy.report.layers] == ["observed-copy", "wall-copy"]


# Relocate


def test_relocate_shows_a_part_in_a_new_layer_elsewhere(museum):
    before, meant = shown(museum), instances(museum, HERE)
    with museum.edit() as edit:
        edit.relocate(HERE, THERE, name="chair")
    after = shown(museum)
    chair = after.name == "chair"
    assert after.instances(~chair) == before.instances(~meant)
    np.testing.assert_array_equal(after.spots(chair)[:, 0], before.spots(meant)[:, 0])
    wanted = dict(zip(before.patch_id[meant].tolist(), THERE.apply(before.center[meant]), strict=True))
    found = np.array([wanted[patch] for patch in after.patch_id[chair].tolist()])
    np.testing.assert_allclose(after.center[chair], found, atol=1e-9)
    (report,) = edit.report.operations
    assert (report.selected_count, report.hidden_count, report.shown_count) == (meant.sum(),) * 3
    assert edit.report.patches_after == edit.report.patches_before
    (layer,) = report.layers
    assert (layer.name, layer.kind, layer.patch_count, layer.origin) == (
        "chair",
        "placed",
        meant.sum(),
        museum.layers()[0].layer_id,
    )
    np.testing.assert_allclose(layer.placement.matrix, THERE.matrix)
    assert (np.array(layer.bounds.low) < after.center[chair].min(axis=0)).all()
    assert (np.array(layer.bounds.high) > after.center[chair].max(axis=0)).all()
    assert (np.array(report.bounds.low) < before.center[meant].min(axis=0)).all()


def test_a_whole_layer_is_relocated_by_its_placement_alone(museum):
    before = draft_of(museum)
    with museum.edit() as edit:
        outcome = edit.relocate(ms.Layers("observed"), THERE)
    after = draft_of(museum)
    assert [layer.segments for layer in after.layers] == [layer.segments for layer in before.layers]
    assert [layer.layer_id for layer in after.layers] == [layer.layer_id for layer in before.layers]
    np.testing.assert_allclose(after.find("observed").placement.matrix, THERE.matrix, atol=1e-12)
    assert outcome.report.layers[0].name == "observed"
    assert edit.report.bytes_written < 2_000


def test_frames_after_a_relocation_of_all_come_in_where_they_were_seen(museum, walk):
    with museum.edit() as edit:
        edit.relocate(ms.Layers("observed"), ms.Transform.translate(0, 0, 50))
    with museum.ingest() as ingest:
        ingest.add(walk(1)[0])
    after = shown(museum)
    fresh = after.ordinal == 12
    assert after.center[~fresh & ~after.sky][:, 2].min() > 40
    assert after.center[fresh & ~after.sky][:, 2].max() < 5


@pytest.mark.parametrize("pivot", ["origin", "centroid", (1.0, 2.0, -3.0)])
def test_a_pivot_stays_where_it_is(museum, pivot):
    turn = ms.Transform.rotate((1, 2, 3), 70, degrees=True) @ ms.Transform.scaling(2)
    before, meant = shown(museum), instances(museum, HERE)
    with museum.edit() as edit:
        edit.relocate(HERE, turn, pivot=pivot, name="chair")
        edit.duplicate(ms.Layers("chair"), turn, pivot=pivot, name="twin")
    center = {"origin": np.zeros(3), "centroid": before.center[meant].mean(axis=0)}.get(pivot, np.array(pivot))
    turned = turn.apply(before.center[meant] - center) + center
    twice = turn.apply(turned - center) + center
    after = shown(museum)
    for name, wanted in (("chair", turned), ("twin", twice)):
        np.testing.assert_allclose(after.spots(after.name == name)[:, 1:].mean(axis=0), wanted.mean(axis=0), atol=1e-6)
        here = dict(zip(before.patch_id[meant].tolist(), wanted, strict=True))
        mine = np.array([here[patch] for patch in after.patch_id[after.name == name].tolist()])
        np.testing.assert_allclose(after.center[after.name == name], mine, atol=1e-4)


@MANY
@given(
    at=st.tuples(*[st.floats(-20, 20)] * 3),
    axis=st.tuples(*[st.floats(-1, 1)] * 3),
    degrees=st.floats(-180, 180),
    log_scale=st.floats(-2.3, 2.3),
    whole=st.booleans(),
)
def test_relocating_by_a_transform_and_its_inverse_changes_nothing(template, at, axis, degrees, log_scale, whole):
    with ms.open(template, read_only=True) as db:
        museum = db.world("museum")
        turn = ms.Transform.rotate(axis if np.linalg.norm(axis) > 1e-3 else (0, 0, 1), degrees, degrees=True)
        way = ms.Transform.translate(*at) @ turn @ ms.Transform.scaling(float(np.exp(log_scale)))
        selection = ms.Layers("observed") if whole else HERE
        moved = performed(museum, Relocate(selection, way, name="" if whole else "chair"))
        moved.perform(Relocate(ms.Layers("observed" if whole else "chair"), way.inverse()))
        np.testing.assert_allclose(shown(moved.draft).spots(), shown(museum).spots(), atol=1e-6)


# Invert


@pytest.mark.parametrize("up", ["+z", "-y", "+x"])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("height_m", [None, 3.0])
def test_invert_turns_upside_down_about_a_horizontal_axis(museum, up, axis, height_m):
    before, meant = shown(museum), instances(museum, HERE)
    done = performed(museum, Invert(HERE, height_m, axis, name="above"), up=up)
    after = shown(done.draft)
    bounds, vertical = done.done[0].report.bounds, "xyz".index(up[1])
    sign = 1 if up[0] == "+" else -1
    along = [i for i in range(3) if i != vertical][axis]
    middle = (np.array(bounds.low) + bounds.high) / 2
    top = bounds.high[vertical] if sign > 0 else bounds.low[vertical]
    middle[vertical] = top if height_m is None else sign * height_m
    wanted = 2 * middle - before.center[meant]
    wanted[:, along] = before.center[meant][:, along]
    by_patch = dict(zip(before.patch_id[meant].tolist(), wanted, strict=True))
    above = after.name == "above"
    assert above.sum() == meant.sum()
    for patch, center in zip(after.patch_id[above].tolist(), after.center[above], strict=True):
        np.testing.assert_allclose(center, by_patch[patch], atol=1e-9)
    if height_m is None:
        assert (sign * after.center[above][:, vertical]).min() > sign * top


@pytest.mark.parametrize("selection", [HERE, ms.Layers("observed")])
def test_inverting_twice_changes_nothing(museum, selection):
    first = performed(museum, Invert(selection, 2.0, name="above"))
    first.perform(Invert(ms.Layers("above"), 2.0))
    np.testing.assert_allclose(shown(first.draft).spots(), shown(museum).spots(), rtol=0, atol=1e-9)


def test_invert_can_keep_what_it_turns(museum):
    done = performed(museum, Invert(HERE, keep=True))
    after, meant = shown(done.draft), instances(museum, HERE)
    assert (after.name == "inverted").sum() == meant.sum()
    assert len(after) == len(shown(museum)) + meant.sum()
    report = done.done[0].report
    assert (report.operation, report.hidden_count, report.shown_count) == ("invert", 0, meant.sum())


# Sky


def test_sky_turns_but_does_not_move(museum, walk):
    camera = walk(12, open_sky=True)[5].camera
    before, seen = shown(museum), museum.retrieve(camera)
    with museum.edit() as edit:
        edit.relocate(ms.Kinds("sky"), ms.Transform.translate(100, -50, 7) @ ms.Transform.scaling(3))
    np.testing.assert_array_equal(museum.retrieve(camera).ids, seen.ids)
    np.testing.assert_array_equal(shown(museum).center, before.center)
    assert edit.report.operations[0].bounds is None
    turn = ms.Transform.rotate_x(30, degrees=True)
    with museum.edit() as edit:
        edit.relocate(ms.Kinds("sky"), turn)
    after = shown(museum)
    np.testing.assert_allclose(after.center[after.sky], before.center[before.sky] @ turn.rotation.T, atol=1e-12)
    np.testing.assert_array_equal(after.center[~after.sky], before.center[~before.sky])
    assert set(after.name) == {"observed", "sky"}


def test_a_part_of_the_sky_becomes_a_layer_of_sky(museum):
    before = shown(museum)
    some = before.patch_id[before.sky][::3]
    done = performed(museum, Relocate(ms.PatchIds(some), ms.Transform.rotate_z(1.0), name="clouds"))
    after = shown(done.draft)
    assert set(after.kind[after.name == "clouds"]) == {"sky"}
    np.testing.assert_array_equal(np.sort(after.patch_id[after.name == "clouds"]), np.sort(some))
    assert len(after) == len(before)


# Name


def test_a_named_selection_is_a_layer_where_it_was(museum):
    before, meant = shown(museum), instances(museum, HERE)
    with museum.edit() as edit:
        edit.name(HERE, "chair")
    after = shown(museum)
    np.testing.assert_array_equal(after.spots(), before.spots())
    np.testing.assert_array_equal(after.spots(after.name == "chair"), before.spots(meant))
    (report,) = edit.report.operations
    assert (report.operation, report.selected_count, report.affected_count) == ("name", meant.sum(), 0)


def test_a_whole_layer_is_renamed(museum):
    layer_id = museum.layers()[0].layer_id
    with museum.edit() as edit:
        edit.name(ms.Layers("observed"), "house")
    assert next((layer.layer_id, layer.name) for layer in museum.layers()) == (layer_id, "house")


def test_names_are_made_unique(museum):
    with museum.edit() as edit:
        edit.name(HERE, "sky")
        edit.duplicate(ms.Layers("sky-2"), THERE, THERE, name="observed")
        edit.name(ms.Layers("observed-2"), "sky")
    assert [layer.name for layer in museum.layers()] == ["observed", "sky", "sky-2", "sky-3", "observed-3"]


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129])
def test_a_bad_layer_name_is_refused(museum, name):
    with pytest.raises(InvalidInput, match="is no name for a layer: use 1 to 128 printable") as caught:
        performed(museum, NameLayer(HERE, name))
    assert caught.value.reason is Reason.INVALID_NAME


@pytest.mark.parametrize("verb", [Duplicate, Relocate])
def test_a_bad_name_for_what_moves_is_refused(museum, verb):
    for selection in (HERE, ms.Layers("observed")):
        with pytest.raises(InvalidInput, match="is no name for a layer"):
            performed(museum, verb(selection, THERE, name="a\nb"))


# Restore


def test_delete_then_restore_changes_nothing(museum):
    before = draft_of(museum)
    for selection in (HERE, ms.Kinds("sky"), ms.Ordinals(2, 5), ms.Everything()):
        with museum.edit() as edit:
            edit.delete(selection)
        assert len(shown(museum)) < len(shown(before))
        with museum.edit() as edit:
            back = edit.restore(selection)
        assert_same(museum, before)
        assert back.report.shown_count == back.report.selected_count == len(shown(before)) - edit.report.patches_before


def test_restore_brings_back_only_what_is_selected(museum):
    before = shown(museum)
    smaller = ms.Box((0, 3.5, 0), (1, 3, 3))
    done = performed(museum, Delete(HERE), Restore(smaller))
    left_out = instances(museum, HERE) & ~instances(museum, smaller)
    assert shown(done.draft).instances() == before.instances(~left_out)


def test_restore_leaves_out_what_was_moved_away(museum):
    done = performed(museum, Relocate(HERE, THERE, name="chair"), Delete(ms.Ordinals(0, 3)))
    away = shown(performed(museum, Relocate(HERE, THERE, name="chair")).draft)
    done.perform(Restore(ms.Everything()))
    np.testing.assert_array_equal(shown(done.draft).spots(), away.spots())


def test_restore_brings_back_what_was_moved_and_deleted_once_and_where_it_was(museum):
    moved = performed(museum, Relocate(HERE, THERE, name="chair"))
    wanted = shown(moved.draft)
    moved.perform(Delete(ms.Layers("chair")))
    moved.perform(Restore(ms.Everything()))
    assert shown(moved.draft).instances() == wanted.instances()


def test_restore_follows_what_was_taken_twice(museum):
    chair, leg = HERE, ms.Box((0, 3.5, 0), (1, 3, 3))
    moved = performed(museum, NameLayer(chair, "chair"), NameLayer(leg, "leg"))
    wanted = shown(moved.draft)
    moved.perform(Delete(ms.Layers("leg")))
    moved.perform(Delete(ms.Layers("chair")))
    moved.perform(Restore(ms.Everything()))
    assert shown(moved.draft).instances() == wanted.instances()


def test_a_restored_copy_shows_no_more_than_what_was_copied(museum):
    copied = performed(museum, Delete(HERE), Duplicate(ms.Layers("observed"), THERE, name="copy"))
    copy_of = shown(copied.draft).instances(shown(copied.draft).name == "copy")
    copied.perform(Restore(ms.Everything()))
    after = shown(copied.draft)
    assert after.instances(after.name == "copy") == copy_of
    assert after.instances(after.name != "copy") == shown(museum).instances()


def test_restore_brings_back_what_was_forgotten(db, walk):
    world = db.create_world("street")
    (near,) = walk(1)
    in_the_way = near.depth_m.copy()
    in_the_way[8:24, 16:40] = 1.0
    with world.ingest() as ingest:
        ingest.add(ms.Frame(near.camera, in_the_way, near.rgb))
    before = draft_of(world)
    with world.ingest() as ingest:
        for frame in (near, near, near):
            ingest.add(frame)
    assert (shown(world).ordinal == 0).sum() < len(shown(before))
    with world.edit() as edit:
        edit.restore(ms.Frames((0,)))
    assert (shown(world).ordinal == 0).sum() == len(shown(before))


def test_restoring_nothing_hidden_is_an_error_unless_it_is_fine(museum):
    with pytest.raises(InvalidInput, match="nothing hidden is selected") as caught:
        performed(museum, Restore(ms.Everything()))
    assert caught.value.reason is Reason.EMPTY_SELECTION
    assert_same(performed(museum, Restore(ms.Everything(), allow_empty=True)).draft, museum)


# Show and hide


def test_hidden_layers_are_kept_and_shown_again(museum, walk):
    before, camera = draft_of(museum), walk(1)[0].camera
    observed = (shown(museum).name == "observed").sum()
    with museum.edit() as edit:
        edit.hide("observed")
    assert set(shown(museum).name) == {"sky"}
    assert not np.isfinite(museum.retrieve(camera).depth_m).any()
    assert (edit.report.operations[0].hidden_count, edit.report.operations[0].shown_count) == (observed, 0)
    assert next((layer.name, layer.visible, layer.patch_count) for layer in museum.layers()) == (
        "observed",
        False,
        observed,
    )
    with museum.edit() as edit:
        edit.hide("observed")
    assert edit.report.affected_count == 0
    with museum.edit() as edit:
        edit.show("observed", "sky", museum.layers()[0].layer_id)
    assert (edit.report.operations[0].hidden_count, edit.report.operations[0].shown_count) == (0, observed)
    assert_same(museum, before)


def test_an_unknown_layer_to_hide_names_the_nearest(museum):
    with pytest.raises(NotFound, match="there is no layer 'obsrved'; there are observed"), museum.edit() as edit:
        edit.hide("obsrved")


# Operations on what operations made, and on nothing


def test_what_an_operation_made_can_be_selected(museum):
    with museum.edit() as edit:
        chair = edit.relocate(HERE, THERE, name="chair")
        twin = edit.duplicate(chair, ms.Transform.translate(0, 0, 5), name="twin")
        edit.delete(chair)
        edit.relocate(twin, ms.Transform.translate(0, 0, -5))
    before, meant = shown(museum.at(edit.report.base)), instances(museum.at(edit.report.base), HERE)
    after = shown(museum)
    assert set(after.name) == {"observed", "sky", "twin"}
    np.testing.assert_allclose(
        np.sort(after.center[after.name == "twin"], axis=0),
        np.sort(THERE.apply(before.center[meant]), axis=0),
        atol=1e-9,
    )


def test_an_operation_on_nothing_changes_nothing_where_that_is_fine(museum):
    nothing = ms.Sphere((99, 0, 0), 1)
    done = performed(
        museum,
        Delete(nothing, allow_empty=True),
        Duplicate(nothing, (THERE,), "centroid", allow_empty=True),
        Relocate(nothing, THERE, allow_empty=True),
        Invert(nothing, allow_empty=True),
        NameLayer(nothing, "chair", allow_empty=True),
    )
    assert_same(done.draft, museum)
    assert [each.report.affected_count for each in done.done] == [0] * 5
    assert [layer.name for layer in done.draft.layers] == ["observed", "sky"]


def test_a_refused_operation_leaves_the_draft_as_it_was(museum):
    performer = performed(museum, Relocate(HERE, THERE, name="chair"))
    before = performer.draft.copy()
    for wrong in (
        NameLayer(ms.Everything(), "a\nb"),
        Delete(ms.Layers("nowhere")),
        Duplicate(ms.Everything(), (THERE,), name="x" * 200),
    ):
        with pytest.raises((InvalidInput, NotFound), match=r"no name for a layer|there is no layer"):
            performer.perform(wrong)
        assert_same(performer.draft, before)
        assert len(performer.done) == 1


def test_the_same_edit_tried_again_makes_layers_of_the_same_ids(museum):
    operations = (NameLayer(HERE, "chair"), Duplicate(ms.Layers("chair"), (THERE, THERE)))
    one, two = (performed(museum, *operations).draft.layers for _ in range(2))
    assert [layer.layer_id for layer in one] == [layer.layer_id for layer in two]
    assert len({layer.layer_id for layer in one}) == 5


EDITS = {
    "delete": lambda edit: edit.delete(HERE),
    "duplicate": lambda edit: edit.duplicate(HERE, THERE),
    "relocate": lambda edit: edit.relocate(HERE, THERE),
    "relocate all": lambda edit: edit.relocate(ms.Everything(), THERE),
    "invert": lambda edit: edit.invert(HERE, keep=True),
    "name": lambda edit: edit.name(HERE, "chair"),
    "hide": lambda edit: edit.hide("observed"),
    "concatenate": lambda edit: edit.concatenate("garden", sky=True),
    "stitch": lambda edit: edit.stitch("garden", THERE),
}


@pytest.mark.parametrize("verb", EDITS)
def test_the_commit_before_an_edit_shows_what_it_showed_and_undo_goes_back_there(museum, walk, verb):
    camera, before = walk(1)[0].camera, museum.head
    then = shown(museum)
    seen = museum.retrieve(camera)
    with museum.edit() as edit:
        EDITS[verb](edit)
    assert_same(draft_of(museum.at(before)), draft_of(museum.at(before)))
    assert shown(museum.at(before)).instances() == then.instances()
    np.testing.assert_array_equal(museum.at(before).retrieve(camera).ids, seen.ids)
    museum.undo()
    assert shown(museum).instances() == then.instances()
    np.testing.assert_array_equal(shown(museum).spots(), then.spots())
    np.testing.assert_array_equal(museum.retrieve(camera).latents(), seen.latents())
