from dataclasses import replace

import numpy as np
import pytest

from memstore.errors import NotFound
from memstore.transform import Transform


def test_a_diff_counts_what_comes_and_goes_by_layer(place):
    before = place.world.head
    place.move(range(10), "chair")
    place.hide([30], segment=1)
    difference = place.world.diff(before)
    observed, chair = difference.layers
    assert (difference.before, difference.after) == (before, place.world.head)
    assert (observed.name, observed.change) == ("observed", "changed")
    assert (observed.shown_count, observed.hidden_count) == (0, 11)
    assert (chair.name, chair.change, chair.kind, chair.shown_count) == ("chair", "added", "placed", 10)
    assert (difference.shown_count, difference.hidden_count) == (10, 11)
    assert observed.shown is observed.hidden is None


def test_a_diff_the_other_way_round_is_the_opposite(place):
    before = place.world.head
    place.move(range(10), "chair")
    there, back = place.world.diff(before, "main"), place.world.diff("main", before)
    assert (there.shown_count, there.hidden_count) == (back.hidden_count, back.shown_count)
    assert [layer.change for layer in back.layers] == ["changed", "removed"]


def test_a_diff_names_patches_when_asked(place):
    before = place.world.head
    place.move([3, 5], "chair")
    observed, chair = place.world.diff(before, patches=True).layers
    ids = [place.segment(0) << 32 | row for row in (3, 5)]
    assert observed.hidden.tolist() == chair.shown.tolist() == ids
    assert len(observed.shown) == len(chair.hidden) == 0


def test_moves_new_names_and_visibility_are_told(place):
    place.move(range(10), "chair")
    before = place.world.head
    place.shift("chair")
    (moved,) = place.world.diff(before).layers
    assert moved.moved == (Transform.translate(1, 0, 0), Transform.translate(2, 0, 0))
    assert (moved.shown_count, moved.hidden_count, moved.renamed, moved.visible) == (0, 0, None, None)
    before = place.world.head
    place.commit(lambda draft: draft.put(replace(draft.find("chair"), name="throne", visible=False)))
    (veiled,) = place.world.diff(before).layers
    assert (veiled.renamed, veiled.visible, veiled.hidden_count) == (("chair", "throne"), (True, False), 10)


def test_the_pictures_tint_what_goes_red_and_what_comes_green(place):
    before = place.world.head
    rows = sorted(row for segment, row in place.shown()["observed"] if segment == place.segment(0))
    place.hide(rows)
    difference = place.world.diff(before)
    plain = place.world.at(before).retrieve(difference.camera, per_token=8).image()
    red = np.any(difference.picture_before != plain, axis=-1)
    assert red.any()
    assert (difference.picture_before[red, 0] >= 0.6 * 240 - 1).all()
    back = place.world.diff("main", before, camera=difference.camera)
    assert (back.picture_after[..., 1] >= 0.6 * 224 - 1).any()
    assert back.camera is difference.camera


def test_what_does_not_differ_has_no_layers_and_no_pictures(place):
    same = place.world.diff("main")
    assert (same.layers, same.camera, same.picture_before, same.picture_after) == ((), None, None, None)


def test_a_branch_is_compared_with_another(place):
    place.world.branch("night", create=True)
    place.hide(range(5), on="night")
    assert place.world.branch("night").diff("main").hidden_count == 5
    with pytest.raises(NotFound, match="no commit, branch or tag 'noon'"):
        place.world.diff("noon")
