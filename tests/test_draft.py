"""Drafts: layers changed in memory, that go their own ways and become objects only when they are staged."""

import numpy as np
import pytest
from pyroaring import BitMap

import memstore as ms
from memstore.draft import Draft, new_layer_id
from memstore.errors import NotFound, Reason
from memstore.layer import Layer, LayerSegment, Mask
from memstore.segment import NEVER_HIDDEN
from memstore.showing import Showing
from memstore.world import World


@pytest.fixture
def world(tmp_path, walk):
    with ms.open(tmp_path / "db") as db:
        world = db.create_world("museum")
        with world.ingest(forgetting=False) as ingest:
            for i, frame in enumerate(walk(6, open_sky=True)):
                ingest.add(frame)
                if i % 2:
                    ingest.flush()
        yield world


@pytest.fixture
def draft(world):
    showing = Showing(world._branch.store)
    return Draft(showing, showing.layers(world.head))


def committed(world: World, draft: Draft) -> Draft:
    """Returns a draft of what comes back from the disk when a draft is staged and committed."""
    from memstore.history.branch import Change

    branch = world._branch
    with branch.store.writing():
        branch.advance(branch.head(), draft.stage(), Change("edit"))
    with ms.open(branch.store.root, read_only=True) as reader:
        showing = Showing(reader.store)
        back = Draft(showing, showing.layers(branch.head()))
        for layer in back.layers:
            assert len(back.parts(layer.layer_id))
        return back


def hidden_of(draft: Draft) -> dict[tuple[str, int], list[int]]:
    layers = [layer.layer_id for layer in draft.layers]
    return {(id, s): draft.hidden_from(part).tolist() for id in layers for s, part in draft.parts(id).items()}


def observed(draft: Draft) -> Layer:
    return draft.find("observed")


def test_a_draft_shows_what_its_commit_shows(world, draft):
    assert draft.shown_count() == world.describe().patch_count
    scene = draft.scene()
    assert scene.layers == tuple(layer.layer_id for layer in draft.layers)
    assert len(scene.entries) == 6
    assert sum(draft.layer_count(layer.layer_id) for layer in draft.layers) == draft.shown_count()


def test_hidden_rows_are_hidden_and_come_back(draft):
    layer_id, before = observed(draft).layer_id, hidden_of(draft)
    count = draft.layer_count(layer_id)
    draft.hide(layer_id, {1: BitMap([0, 5]), 2: BitMap([7])})
    assert draft.layer_count(layer_id) == count - 3
    hidden = hidden_of(draft)
    assert [i for i, at in enumerate(hidden[layer_id, 1]) if at != NEVER_HIDDEN] == [0, 5]
    assert [i for i, at in enumerate(hidden[layer_id, 2]) if at != NEVER_HIDDEN] == [7]
    assert hidden[layer_id, 3] == before[layer_id, 3]
    draft.restore(layer_id, {1: BitMap([0, 5]), 2: BitMap([7, 8])})
    assert hidden_of(draft) == before
    assert draft.layer_count(layer_id) == count


def test_a_copy_goes_its_own_way(draft):
    twin, before = draft.copy(), hidden_of(draft)
    layer_id = observed(draft).layer_id
    twin.hide(layer_id, {1: BitMap([1])})
    twin.add(Layer("new", "new", "placed", ""), [twin.part(1, Mask(True, BitMap([2])), sky=False)])
    twin.remove(draft.find("sky").layer_id)
    assert hidden_of(draft) == before
    assert [layer.name for layer in draft.layers] == ["observed", "sky"]
    assert [layer.name for layer in twin.layers] == ["observed", "new"]
    other = draft.copy()
    other.hide(layer_id, {1: BitMap([3])})
    assert [i for i, at in enumerate(hidden_of(other)[layer_id, 1]) if at == 0] == [3]
    assert [i for i, at in enumerate(hidden_of(twin)[layer_id, 1]) if at == 0] == [1]


def test_what_is_staged_comes_back_from_the_disk(world, draft):
    layer_id = observed(draft).layer_id
    draft.hide(layer_id, {1: BitMap([0, 5]), 3: BitMap(range(40))})
    part = draft.part(2, Mask(True, BitMap([3, 9]), ((4, BitMap([9])),)), sky=False)
    draft.add(Layer("new", "new", "placed", "", layer_id, ms.Transform.translate(1, 2, 3), taken=True), [part])
    draft.add(Layer("all", "all", "placed", "", layer_id), draft.parts(layer_id).values())
    wanted, counts = hidden_of(draft), {layer.layer_id: draft.layer_count(layer.layer_id) for layer in draft.layers}
    back = committed(world, draft)
    assert hidden_of(back) == wanted
    assert {layer.layer_id: back.layer_count(layer.layer_id) for layer in back.layers} == counts
    new = back.find("new")
    assert (new.origin, new.taken, new.placement) == (layer_id, True, ms.Transform.translate(1, 2, 3))
    assert back.find("all").segments == back.find("observed").segments


def test_a_draft_that_changed_nothing_stages_nothing(world, draft):
    store = world._branch.store
    before = draft.layers
    draft.parts(observed(draft).layer_id)
    draft.scene()
    with store.writing():
        assert draft.stage() == before
        assert store.objects.flush() == 0


def test_only_masks_that_are_still_named_are_staged(world, draft):
    store, layer_id = world._branch.store, observed(draft).layer_id
    for row in range(50):
        draft.hide(layer_id, {1: BitMap([row])})
    with store.writing():
        (layer, _) = draft.stage()
        names = {part.mask for part in Showing(store).parts(layer.segments)}
        assert len(names - {None}) == 1
        assert store.objects.flush() < 2_500


def test_boxes_hold_what_is_shown_and_nothing_shown_has_a_box_of_its_own(draft):
    layer_id = observed(draft).layer_id
    patches = draft.showing.store.segments.open(1).patches
    part = draft.part(1, Mask(True, BitMap([4, 6])), sky=False)
    centers = patches.origin + patches.center[[4, 6]]
    radius = patches.radius[[4, 6]][:, None]
    np.testing.assert_allclose(part.low, (centers - radius).min(axis=0), atol=1e-6)
    np.testing.assert_allclose(part.high, (centers + radius).max(axis=0), atol=1e-6)
    nothing = draft.part(1, Mask(True, BitMap()), sky=False)
    assert (nothing.shown_count, nothing.low, nothing.high) == (0, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    draft.hide(layer_id, {s: BitMap(range(part.shown_count)) for s, part in draft.parts(layer_id).items()})
    assert draft.layer_count(layer_id) == 0
    assert draft.pieces(layer_id) == ()


def test_sky_and_surfaces_of_a_segment_are_parts_of_their_own(draft):
    patches = draft.showing.store.segments.open(1).patches
    everything = Mask(False, BitMap())
    surfaces, sky = (draft.part(1, everything, sky=sky) for sky in (False, True))
    assert (surfaces.shown_count, sky.shown_count) == (
        patches.surface_count,
        len(patches) - patches.surface_count,
    )
    assert max(map(abs, sky.high)) < 2


def test_layers_are_found_by_id_and_by_name(draft):
    layer = observed(draft)
    assert draft.find(layer.layer_id) == layer
    with pytest.raises(NotFound, match="there is no layer 'obzerved'; there are observed") as caught:
        draft.find("obzerved")
    assert caught.value.reason is Reason.LAYER_NOT_FOUND
    with pytest.raises(NotFound, match="there is no layer 'xyz'; there are observed, sky"):
        draft.find("xyz")
    with pytest.raises(NotFound, match="there are none yet"):
        Draft(draft.showing, []).find("observed")


def test_free_names_are_numbered(draft):
    assert draft.free_name("chair") == "chair"
    for wanted in ("chair", "chair-2", "chair-3"):
        assert draft.free_name("chair") == wanted
        draft.put(Layer(new_layer_id(), wanted, "placed", ""))


def test_a_layer_that_only_moved_shares_its_list(world, draft):
    from dataclasses import replace

    layer = observed(draft)
    draft.put(replace(layer, placement=ms.Transform.translate(0, 0, 9), name="house"))
    back = committed(world, draft)
    assert back.find("house").segments == layer.segments
    assert back.find("house").layer_id == layer.layer_id


def test_a_change_of_one_part_shares_the_others(world, draft):
    before = list(draft.parts(observed(draft).layer_id).values())
    draft.hide(observed(draft).layer_id, {2: BitMap([1])})
    back = committed(world, draft)
    after: list[LayerSegment] = list(back.parts(observed(back).layer_id).values())
    assert [part == was for part, was in zip(after, before, strict=True)] == [True, False, True]
