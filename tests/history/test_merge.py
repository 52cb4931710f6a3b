"""Merges of hand-made edits, and of random ones against a plain-Python model of sets of instances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from history.place import hide, shown_by
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from memstore.compared import MergeReport
from memstore.draft import Draft, new_layer_id
from memstore.errors import Conflict, FailedPrecondition, NotFound, Reason
from memstore.history.merge import merge3
from memstore.history.merging import work_out
from memstore.layer import Layer, Mask
from memstore.transform import Transform


@pytest.fixture
def parted(place):
    """The place with a chair, and a branch `night` that began there."""
    place.move(range(10, 20), "chair", "ada")
    place.world.branch("night", create=True)
    return place


def merge(place, **options) -> MergeReport:
    return place.world.branch("night").merge_into("main", **options)


def test_disjoint_edits_merge_clean(parted):
    before = parted.shown()["observed"]
    parted.hide(range(5))
    parted.hide(range(5, 9), on="night")
    parted.shift("chair", on="night")
    ours, theirs = parted.world.head, parted.world.branch("night").head
    report = merge(parted, author="ada")
    assert report.conflicts == ()
    assert parted.world.head == report.commit
    assert parted.branch().store.commits.read(report.commit).parents == (ours, theirs)
    assert len(before - parted.shown()["observed"]) == 9
    assert parted.draft().find("chair").placement == Transform.translate(2, 0, 0)
    assert [layer.name for layer in report.layers] == ["observed", "chair"]
    assert (report.layers[0].hidden_count, report.layers[0].shown) == (4, None)


def test_a_merge_is_one_step_that_can_be_undone(parted):
    parted.hide(range(5))
    before = parted.shown()
    parted.hide(range(5, 9), on="night")
    parted.shift("chair", on="night")
    merge(parted, author="ada", message="bring the night home")
    step = parted.world.log()[0]
    assert (step.operation, step.message, step.author) == ("merge", "bring the night home", "ada")
    parted.world.undo(author="ada")
    assert parted.shown() == before


def test_a_branch_that_only_went_ahead_is_merged_by_a_commit_too(parted):
    main = parted.world.head
    parted.hide(range(5), on="night")
    report = merge(parted)
    assert (report.base, report.ours) == (main, main)
    assert parted.shown() == parted.shown("night")
    assert parted.world.log()[0].parents == (main, report.theirs)


def test_merging_again_merges_what_is_new(parted):
    parted.hide(range(5), on="night")
    first = merge(parted)
    assert merge(parted).commit == ""
    parted.hide(range(5, 9), on="night")
    second = merge(parted)
    assert second.base == first.theirs
    assert parted.shown() == parted.shown("night")


def test_branches_that_merged_each_other_go_on_from_there(parted):
    parted.hide(range(5))
    parted.world.merge_into("night")
    parted.hide(range(5, 9), on="night")
    parted.hide(range(20, 22))
    report = merge(parted)
    assert report.conflicts == ()
    assert len(parted.shown()["observed"]) == len(parted.shown("night")["observed"]) - 2


def test_frames_of_both_sides_are_kept_and_the_next_comes_after_all(parted, walk):
    night = parted.world.branch("night")
    for world, frames in ((parted.world, walk(8)[3:5]), (night, walk(8)[5:8])):
        with world.ingest(forgetting=False) as ingest:
            for frame in frames:
                ingest.add(frame)
    merge(parted)
    assert parted.world.describe().frame_count == 6
    assert len(list(parted.world.frames())) == 8
    with parted.world.ingest(forgetting=False) as ingest:
        ingest.add(walk(9)[8])
    assert ingest.first_ordinal == 6


def both_move(place):
    place.move(range(5), "table")
    place.move(range(3, 8), "stool", on="night")


def test_patches_that_both_sides_moved_are_a_conflict(parted):
    both_move(parted)
    head = parted.world.head
    with pytest.raises(Conflict, match="meets 1 conflicts, the first: both sides changed the same patches") as caught:
        merge(parted)
    assert caught.value.reason is Reason.MERGE_CONFLICT
    assert (caught.value.details["count"], caught.value.details["layer"]) == (1, "observed")
    assert parted.world.head == head
    trial = merge(parted, trial=True)
    (conflict,) = trial.conflicts
    assert (conflict.kind, conflict.layer, conflict.patch_count) == ("patches", "observed", 2)
    assert (trial.commit, parted.world.head) == ("", head)


@pytest.mark.parametrize(("policy", "table", "stool"), [("ours", 5, 3), ("theirs", 3, 5)])
def test_a_policy_settles_who_moved_the_patches(parted, policy, table, stool):
    both_move(parted)
    report = merge(parted, policy=policy)
    assert len(report.conflicts) == 1
    shown = parted.shown()
    assert (len(shown["table"]), len(shown["stool"])) == (table, stool)
    assert not shown["table"] & shown["stool"]


def test_a_patch_that_one_side_deleted_and_the_other_moved_is_a_conflict(parted):
    parted.hide(range(5))
    parted.move(range(5), "table", on="night")
    assert [one.kind for one in merge(parted, trial=True).conflicts] == ["patches"]
    merge(parted, policy="ours")
    assert not parted.shown().get("table")


def test_what_both_sides_delete_is_deleted(parted):
    parted.hide(range(5))
    parted.hide(range(3, 8), on="night")
    before = len(parted.shown("night")["observed"])
    assert merge(parted).conflicts == ()
    assert len(parted.shown()["observed"]) == before - 3


def test_duplicates_of_both_sides_are_both_kept(parted):
    parted.copy(range(5), "left")
    parted.copy(range(5), "right", on="night")
    assert merge(parted).conflicts == ()
    assert parted.shown()["left"] == parted.shown()["right"]


def test_what_both_sides_bring_in_for_the_first_time_is_not_shown_twice(parted):
    parted.hide(range(5))
    parted.world.merge_into("night")
    parted.copy(range(5), "left")
    parted.copy(range(4, 7), "right", on="night")
    (conflict,) = merge(parted, trial=True).conflicts
    assert (conflict.kind, conflict.patch_count) == ("patches", 1)
    merge(parted, policy="theirs")
    assert {row for _, row in parted.shown()["left"]} == {0, 1, 2, 3}


def rename(name):
    return lambda draft: draft.put(replace(draft.find("chair"), name=name))


def veil(draft):
    draft.put(replace(draft.find("chair"), visible=False))


def test_each_field_of_a_layer_is_merged_by_itself(parted):
    parted.commit(rename("throne"))
    parted.commit(veil, on="night")
    parted.shift("chair", on="night")
    assert merge(parted).conflicts == ()
    throne = parted.draft().find("throne")
    assert (throne.visible, throne.placement) == (False, Transform.translate(2, 0, 0))


@pytest.mark.parametrize(("policy", "x", "name"), [("ours", 4, "throne"), ("theirs", 8, "seat")])
def test_fields_that_both_sides_changed_differently_are_conflicts(parted, policy, x, name):
    parted.shift("chair", x=3)
    parted.commit(rename("throne"))
    parted.shift("chair", x=7, on="night")
    parted.commit(rename("seat"), on="night")
    assert {one.kind for one in merge(parted, trial=True).conflicts} == {"placement", "name"}
    merge(parted, policy=policy)
    assert parted.draft().find(name).placement == Transform.translate(x, 0, 0)


def test_what_both_sides_changed_alike_is_no_conflict(parted):
    parted.shift("chair", x=3)
    parted.shift("chair", x=3, on="night")
    assert merge(parted).conflicts == ()


def test_a_layer_that_one_side_removed_goes(parted):
    parted.remove("chair")
    parted.hide(range(5), on="night")
    assert merge(parted).conflicts == ()
    assert list(parted.shown()) == ["observed"]


@pytest.mark.parametrize(("policy", "stays"), [("ours", False), ("theirs", True)])
def test_a_layer_that_one_side_removed_and_the_other_changed_is_a_conflict(parted, policy, stays):
    parted.remove("chair")
    parted.shift("chair", on="night")
    (conflict,) = merge(parted, trial=True).conflicts
    assert (conflict.kind, conflict.layer) == ("layer", "chair")
    merge(parted, policy=policy)
    assert ("chair" in parted.shown()) == stays


def test_a_layer_that_one_side_removed_and_the_other_hid_more_of_goes(parted):
    parted.remove("chair")
    parted.hide([12], layer="chair", on="night")
    assert merge(parted).conflicts == ()
    assert "chair" not in parted.shown()


def test_a_layer_that_one_side_removed_and_the_other_restored_is_a_conflict(place):
    place.move(range(10), "chair")
    place.hide([3], layer="chair")
    place.world.branch("night", create=True)
    place.remove("chair")
    place.restore([3], layer="chair", on="night")
    assert [one.kind for one in merge(place, trial=True).conflicts] == ["layer"]
    merge(place, policy="theirs")
    assert len(place.shown()["chair"]) == 10


def test_a_name_that_both_sides_gave_is_numbered(parted):
    parted.move(range(3), "table")
    parted.move(range(3, 8), "table", on="night")
    assert merge(parted).conflicts == ()
    shown = parted.shown()
    assert (len(shown["table"]), len(shown["table-2"])) == (3, 5)


def test_the_more_hidden_of_two_retirements_wins(parted):
    retire(parted, {1: 7, 2: 9})
    retire(parted, {1: 5, 2: 11, 3: 4}, on="night")
    assert merge(parted).conflicts == ()
    draft = parted.draft()
    layer_id = draft.find("observed").layer_id
    hidden = draft.hidden_from(draft.parts(layer_id)[parted.segment(0)])
    assert hidden[[1, 2, 3]].tolist() == [5, 9, 4]


def retire(place, ordinals, on="main"):
    def change(draft):
        layer = draft.find("observed")
        parts = dict(draft.parts(layer.layer_id))
        hidden = draft.hidden_from(parts[place.segment(0)])
        hidden[list(ordinals)] = np.minimum(hidden[list(ordinals)], list(ordinals.values()))
        parts[place.segment(0)] = draft.part(place.segment(0), Mask.of(hidden, None), sky=False)
        draft.add(layer, parts.values())

    place.commit(change, on=on)


def test_a_flattened_side_meets_another_that_changed_in_a_conflict(parted):
    parted.commit(lambda draft: hide(draft, "observed", 1, [0]), operation="flatten")
    parted.hide(range(5), on="night")
    (conflict,) = merge(parted, trial=True).conflicts
    assert (conflict.kind, conflict.layer_id) == ("flatten", "")
    merge(parted, policy="theirs")
    assert parted.shown() == parted.shown("night")


def test_a_flattened_side_merges_clean_where_the_other_stood_still_or_took_it_back(parted):
    parted.commit(lambda draft: hide(draft, "observed", 1, [0]), operation="flatten", on="night")
    assert merge(parted).conflicts == ()
    parted.commit(lambda draft: hide(draft, "observed", 1, [1]), "ada", operation="flatten", on="night")
    parted.world.branch("night").undo(author="ada")
    parted.hide(range(5), on="night")
    parted.hide(range(7, 9))
    assert merge(parted).conflicts == ()


def test_a_retried_merge_merges_once(parted):
    parted.hide(range(5), on="night")
    first = merge(parted, request_id="m1")
    again = merge(parted, request_id="m1")
    assert (again.commit, again.base, again.ours, again.theirs) == (first.commit, first.base, first.ours, first.theirs)
    assert parted.world.head == first.commit


def test_a_merge_needs_a_branch_that_is_there(parted):
    with pytest.raises(NotFound, match="there is no branch 'mian'; the nearest names are main"):
        parted.world.merge_into("mian")


def test_unrelated_worlds_are_not_merged(parted):
    other = parted.db.create_world("other")
    with pytest.raises(FailedPrecondition, match="have no commit in common") as caught:
        work_out(parted.showing, parted.world.head, other.head, "fail")
    assert caught.value.reason is Reason.UNRELATED_WORLDS


# A model: layers as sets of instances


@dataclass(frozen=True)
class Modelled:
    """One layer of the model."""

    x: int
    visible: bool
    rows: frozenset
    """(segment, row) shown."""
    could: frozenset
    """(segment, row) that it can show."""

    @property
    def fields(self):
        return self.x, self.visible

    @property
    def segments(self):
        return {segment for segment, _ in self.could}


ROWS = 5
OPS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), st.sets(st.integers(0, ROWS - 1), min_size=1)), max_size=4
)


class State:
    """A draft and its model, changed side by side."""

    def __init__(self, place, layers, model, grows):
        self.draft, self.model, self.grows = Draft(place.showing, layers), dict(model), place.segment(grows)

    def act(self, op, at, rows):
        ids = [layer.layer_id for layer in self.draft.layers]
        if not ids:
            return
        layer_id = ids[at % len(ids)]
        layer, modelled = self.draft.find(layer_id), self.model[layer_id]
        mine = frozenset((segment, row) for segment, row in modelled.rows if row in rows)
        match op:
            case 0:
                self._set(layer_id, hidden=mine)
            case 1:
                self._set(layer_id, restored=frozenset(one for one in modelled.could if one[1] in rows))
            case 2 | 3:
                if mine:
                    self._show(mine)
                    self._set(layer_id, hidden=mine if op == 2 else frozenset())
            case 4:
                self.draft.put(replace(layer, placement=Transform.translate(modelled.x + len(rows), 0, 0)))
                self.model[layer_id] = replace(modelled, x=modelled.x + len(rows))
            case 5:
                self.draft.put(replace(layer, visible=not layer.visible))
                self.model[layer_id] = replace(modelled, visible=not modelled.visible)
            case 6 if at == 3:
                self.draft.remove(layer_id)
                del self.model[layer_id]
            case 6:
                self._grow(layer, modelled, frozenset((self.grows, row) for row in rows))

    def _set(self, layer_id, hidden=frozenset(), restored=frozenset()):
        if hidden:
            self.draft.hide(layer_id, by_segment(hidden))
        if restored:
            self.draft.restore(layer_id, by_segment(restored))
        was = self.model[layer_id]
        self.model[layer_id] = replace(was, rows=(was.rows - hidden) | restored)

    def _show(self, instances):
        layer = Layer(new_layer_id(), self.draft.free_name("new"), "placed", "")
        parts = [self.draft.part(s, Mask(True, rows), sky=False) for s, rows in by_segment(instances).items()]
        self.draft.add(layer, parts)
        self.model[layer.layer_id] = Modelled(0, True, instances, instances)

    def _grow(self, layer, modelled, instances):
        if self.grows in modelled.segments:
            return
        part = self.draft.part(self.grows, Mask(True, by_segment(instances)[self.grows]), sky=False)
        self.draft.add(layer, [*self.draft.parts(layer.layer_id).values(), part])
        rows, could = modelled.rows | instances, modelled.could | instances
        self.model[layer.layer_id] = replace(modelled, rows=rows, could=could)

    def settled(self):
        return self.draft.stage()


def by_segment(instances):
    return {s: BitMap(row for segment, row in instances if segment == s) for s, _ in instances}


def model_merge(base, ours, theirs):
    """Returns the kinds of conflicts, and the merged model."""
    kinds = set()
    ids = [*{**base, **ours, **theirs}]
    b, o, t = ({i: side[i].rows if i in side else frozenset() for i in ids} for side in (base, ours, theirs))
    m = {i: (b[i] & o[i] & t[i]) | (o[i] - b[i]) | (t[i] - b[i]) for i in ids}
    new_o = frozenset().union(*((o[i] - b[i]) - t[i] for i in ids))
    new_t = frozenset().union(*((t[i] - b[i]) - o[i] for i in ids))

    def count(side, one):
        return sum(one in side[i] for i in ids)

    if any((b[i] - o[i] - t[i]) & (new_o | new_t) for i in ids):
        kinds.add("patches")
    if any(count(b, one) == 0 and count(m, one) > max(count(o, one), count(t, one)) for one in new_o & new_t):
        kinds.add("patches")
    merged = {}
    for i in ids:
        was, here, there = base.get(i), ours.get(i), theirs.get(i)
        if was and not (here and there):
            left = here or there
            if not left:
                continue
            fresh = {one for one in left.rows - was.rows if one[0] in was.segments}
            if left.fields != was.fields or fresh:
                kinds.add("layer")
            elif kept := left.segments - was.segments:
                merged[i] = (left.fields, frozenset(one for one in m[i] if one[0] in kept))
        elif here and there:
            fields = []
            for kind, w, h, r in zip(("placement", "visible"), was.fields, here.fields, there.fields, strict=True):
                if h not in (w, r) and r != w:
                    kinds.add(kind)
                fields.append(r if h == w else h)
            merged[i] = (tuple(fields), m[i])
        else:
            merged[i] = ((here or there).fields, m[i])
    return kinds, merged


def seen(draft):
    """Returns the fields of each layer and what it shows, as the model says it."""
    return {
        layer.layer_id: ((round(layer.placement.translation[0]), layer.visible), frozenset(shown_by(draft, layer)))
        for layer in draft.layers
    }


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=OPS, here=OPS, there=OPS)
@example(before=[], here=[(2, 0, {1})], there=[(2, 0, {1})])
@example(before=[(0, 0, {1})], here=[(1, 0, {1})], there=[(6, 3, {0})])
def test_a_merge_does_what_a_model_of_sets_does(place, before, here, there):
    first = place.segment(0)
    rows = frozenset((first, row) for row in range(ROWS))
    start = State(place, (), {}, 0)
    start._show(rows)
    for op in before:
        start.act(*op)
    base = start.settled()
    ours, theirs = State(place, base, start.model, 1), State(place, base, start.model, 2)
    for state, ops in ((ours, here), (theirs, there)):
        for op in ops:
            state.act(*op)
    sides = ours.settled(), theirs.settled()
    kinds, wanted = model_merge(start.model, ours.model, theirs.model)
    draft, conflicts = merge3(place.showing, base, *sides)
    assert {one.kind for one in conflicts} == kinds
    mirrored, mirrored_conflicts = merge3(place.showing, base, *sides[::-1])
    assert {one.kind for one in mirrored_conflicts} == kinds
    for policy in ("ours", "theirs"):
        settled, found = merge3(place.showing, base, *sides, policy)
        assert found == conflicts
        assert_never_more_often(seen(settled), seen_of(start), seen_of(ours), seen_of(theirs))
    if not kinds:
        assert seen(draft) == wanted
        assert seen(mirrored) == wanted
        assert len({layer.name for layer in draft.layers}) == len(draft.layers)


def seen_of(state):
    return {layer_id: (one.fields, one.rows) for layer_id, one in state.model.items()}


def assert_never_more_often(merged, base, ours, theirs):
    """No patch is shown more often than on either side, unless both sides asked for a duplicate of it."""

    def counts(side):
        found = {}
        for _, rows in side.values():
            for one in rows:
                found[one] = found.get(one, 0) + 1
        return found

    b, o, t = counts(base), counts(ours), counts(theirs)
    for one, count in counts(merged).items():
        asked = b.get(one, 0) >= 1 and min(o.get(one, 0), t.get(one, 0)) > b[one]
        assert asked or count <= max(o.get(one, 0), t.get(one, 0))
