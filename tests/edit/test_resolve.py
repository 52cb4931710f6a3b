"""Every selection against an obvious oracle over all instances of dense and gathered, placed, masked layers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from edit.shown import Shown, draft_of, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

import memstore as ms
from memstore.draft import Draft
from memstore.edit.resolve import Instances, require_some, resolve
from memstore.errors import InvalidInput, NotFound, Reason
from memstore.layer import Layer, Mask
from memstore.selection import Made, Selection

BORDER_M = 1e-4
"""Patches nearer than this to the border of a shape may go either way: gathering rounds their centres."""
SMALL = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(SMALL, max_examples=10)

numbers = st.floats(-6, 6)
points = st.tuples(numbers, numbers, numbers)
sizes = st.floats(0.05, 8)
angles = st.floats(-180, 180)
placements = st.tuples(points, points, angles, st.floats(math.log(0.1), math.log(10)))
kinds = st.sampled_from(["observed", "placed", "generated", "sky"])
names = st.sampled_from(["observed", "sky", "extra-0", "extra-1"])
layers = st.tuples(
    placements,
    st.sampled_from(["placed", "generated", "sky"]),
    st.lists(st.sampled_from(["all", "none", "few", "one", "half", "most", "retired"]), min_size=3, max_size=3),
    st.integers(-30, 30),
    st.booleans(),
)
"""Placement, kind, how much of each segment is shown, ordinal offset, whether the layer is visible."""
leaves = st.one_of(
    st.just(("everything",)),
    st.tuples(st.just("box"), points, st.tuples(sizes, sizes, sizes), points, angles),
    st.tuples(st.just("sphere"), points, sizes),
    st.tuples(st.just("half"), points, st.floats(-4, 4)),
    st.tuples(st.just("view"), points, points, st.floats(0, 2), st.floats(0.1, 9)),
    st.tuples(st.just("ids"), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 900)), max_size=40), names),
    st.tuples(st.just("ids"), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 900)), max_size=40), st.just("")),
    st.tuples(st.just("layers"), st.lists(names, min_size=1, max_size=3)),
    st.tuples(st.just("kinds"), st.lists(kinds, min_size=1, max_size=2)),
    st.tuples(st.just("frames"), st.lists(st.integers(-30, 45), min_size=1, max_size=5)),
    st.tuples(st.just("ordinals"), st.integers(-30, 45), st.integers(1, 30)),
    st.tuples(st.just("made"), st.integers(0, 1)),
    st.tuples(st.just("finer"), st.floats(0.01, 3)),
)
questions = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.tuples(st.just("and"), part, part), st.tuples(st.just("or"), part, part), st.tuples(st.just("not"), part)
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory, walk):
    """Three segments of several blocks each, under an open sky."""
    with ms.open(tmp_path_factory.mktemp("resolve") / "db") as db:
        world = db.create_world("museum")
        with world.ingest(forgetting=False) as ingest:
            for i, frame in enumerate(walk(12, 128, 96, open_sky=True)):
                ingest.add(frame)
                if i % 4 == 3:
                    ingest.flush()
        yield draft_of(world)


def drafted(base: Draft, extra: list) -> Draft:
    """Returns a draft of the base's layers and of some more over the same segments."""
    draft = base.copy()
    for i, (placement, kind, shares, offset, visible) in enumerate(extra):
        layer = Layer(f"id-{i}", f"extra-{i}", kind, "", None, placed(placement), visible, offset)
        segments = base.parts(base.find("observed").layer_id)
        masks = {s: mask_of(base, s, share, kind == "sky") for s, share in zip(segments, shares, strict=True)}
        draft.add(layer, [draft.part(s, mask, sky=kind == "sky") for s, mask in masks.items()])
    return draft


def placed(values: tuple) -> ms.Transform:
    at, axis, degrees, log_scale = values
    turn = ms.Transform.rotate(axis if np.linalg.norm(axis) > 1e-3 else (0, 0, 1), degrees, degrees=True)
    return ms.Transform.translate(*at) @ turn @ ms.Transform.scaling(math.exp(log_scale))


def mask_of(base: Draft, segment: int, share: str, sky: bool) -> Mask:
    patches = base.showing.store.segments.open(segment).patches
    rows = range(patches.surface_count, len(patches)) if sky else range(patches.surface_count)
    match share:
        case "all":
            return Mask(False, BitMap())
        case "none":
            return Mask(True, BitMap())
        case "few":
            return Mask(True, BitMap(rows[::17]))
        case "one":
            return Mask(True, BitMap(rows[:1]))
        case "half":
            return Mask(False, BitMap(rows[::2]))
        case "most":
            return Mask(True, BitMap(rows), ((0, BitMap(rows[::31])),))
        case _:
            return Mask(False, BitMap(rows[::5]), ((3, BitMap(rows[1::7])), (9, BitMap(rows[2::3]))))


def built(question: tuple) -> Selection:
    match question:
        case ("everything",):
            return ms.Everything()
        case ("box", center, size, axis, degrees):
            return ms.Box(center, size, placed(((0, 0, 0), axis, degrees, 0)).rotation)
        case ("sphere", center, radius):
            return ms.Sphere(center, radius)
        case ("half", normal, offset):
            return ms.HalfSpace(normal if any(normal) else (0, 0, 1), offset)
        case ("view", eye, target, near, deep):
            return ms.ViewFrustum(camera(eye, target), near, near + deep)
        case ("ids", ids, layer):
            return ms.PatchIds(np.array([s << 32 | row for s, row in ids], np.uint64), layer)
        case ("layers", names):
            return ms.Layers(tuple(names))
        case ("kinds", kinds):
            return ms.Kinds(tuple(kinds))
        case ("frames", ordinals):
            return ms.Frames(tuple(ordinals))
        case ("ordinals", start, count):
            return ms.Ordinals(start, start + count)
        case ("made", operation):
            return Made(operation)
        case ("finer", radius):
            return ms.Finer(radius)
        case ("and", one, other):
            return built(one) & built(other)
        case ("or", one, other):
            return built(one) | built(other)
        case ("not", part):
            return ~built(part)
    raise AssertionError(question)


def camera(eye: tuple, target: tuple) -> ms.Camera:
    away = np.subtract(target, eye)
    there = target if np.linalg.norm(np.cross(away, (0, 0, 1))) > 1e-3 else np.add(eye, (1, 0, 0))
    return ms.Camera.from_fov(64, 48, 70, ms.look_at(eye, there), degrees=True)


def answered(question: tuple, all_shown: Shown, made: list[set[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Returns which instances are meant for sure, and which may be."""
    match question:
        case ("and", one, other):
            here, there = answered(one, all_shown, made), answered(other, all_shown, made)
            return here[0] & there[0], here[1] & there[1]
        case ("or", one, other):
            here, there = answered(one, all_shown, made), answered(other, all_shown, made)
            return here[0] | there[0], here[1] | there[1]
        case ("not", part):
            sure, maybe = answered(part, all_shown, made)
            return ~maybe, ~sure
        case (("box" | "sphere" | "half" | "view"), *_):
            outside_m = distance_outside(question, all_shown.center)
            return (outside_m < -BORDER_M) & ~all_shown.sky, (outside_m < BORDER_M) & ~all_shown.sky
        case _:
            meant = counted(question, all_shown, made)
            return meant, meant


def counted(question: tuple, all_shown: Shown, made: list[set[str]]) -> np.ndarray:
    match question:
        case ("everything",):
            return np.ones(len(all_shown), bool)
        case ("ids", ids, layer):
            wanted = np.isin(all_shown.patch_id, np.array([s << 32 | row for s, row in ids], np.uint64))
            return wanted & (all_shown.name == layer) if layer else wanted
        case ("layers", names):
            return np.isin(all_shown.name, names)
        case ("kinds", kinds):
            return np.isin(all_shown.kind, kinds)
        case ("frames", ordinals):
            return np.isin(all_shown.ordinal, ordinals)
        case ("ordinals", start, count):
            return (all_shown.ordinal >= start) & (all_shown.ordinal < start + count)
        case ("made", operation):
            return np.isin(all_shown.layer_id, list(made[operation]))
        case ("finer", radius):
            return (all_shown.radius <= radius) & ~all_shown.sky
    raise AssertionError(question)


def distance_outside(question: tuple, at: np.ndarray) -> np.ndarray:
    """Returns how far outside a shape points lie, metres; negative inside."""
    match question:
        case ("box", center, size, axis, degrees):
            local = (at - center) @ placed(((0, 0, 0), axis, degrees, 0)).rotation
            return (np.abs(local) - np.array(size) / 2).max(axis=1)
        case ("sphere", center, radius):
            return np.linalg.norm(at - center, axis=1) - radius
        case ("half", normal, offset):
            unit = np.array(normal if any(normal) else (0, 0, 1)) / (np.linalg.norm(normal) or 1)
            return offset - at @ unit
        case ("view", eye, target, near, deep):
            view = camera(eye, target)
            x, y, z = (np.column_stack([at, np.ones(len(at))]) @ np.linalg.inv(view.camera_to_world).T)[:, :3].T
            left, right = -view.cx / view.fx, (view.width - view.cx) / view.fx
            top, bottom = -view.cy / view.fy, (view.height - view.cy) / view.fy
            sides = [near - z, z - (near + deep), left * z - x, x - right * z, top * z - y, y - bottom * z]
            return np.max(sides, axis=0)
    raise AssertionError(question)


def found(instances: Instances) -> set[tuple[str, int]]:
    listed = [(hits.layer.layer_id, patch) for hits in instances.hits for patch in hits.ids().tolist()]
    assert len(listed) == len(set(listed)) == instances.count
    return set(listed)


MADE = [frozenset({"id-0"}), frozenset[str]()]


@SMALL
@given(extra=st.lists(layers, min_size=2, max_size=2), question=questions)
def test_a_selection_means_what_the_oracle_says(base, extra, question):
    draft = drafted(base, extra)
    all_shown = shown(draft)
    sure, maybe = answered(question, all_shown, [set(ids) for ids in MADE])
    instances = resolve(built(question), draft, MADE)
    meant = found(instances)
    assert all_shown.instances(sure) <= meant <= all_shown.instances(maybe)
    by_layer = instances.by_layer()
    listed = [(layer, s << 32 | r) for layer in by_layer for s, rows in by_layer[layer].items() for r in rows.tolist()]
    assert set(listed) == meant
    assert len(listed) == len(meant)
    assert {layer: sum(map(len, rows.values())) for layer, rows in by_layer.items()} == dict(instances.counts())


@FEW
@given(extra=st.lists(layers, min_size=2, max_size=2), one=questions, other=questions)
def test_selections_obey_the_laws_of_logic(base, extra, one, other):
    draft = drafted(base, extra)
    a, b = built(one), built(other)

    def meant(selection: Selection) -> set[tuple[str, int]]:
        return found(resolve(selection, draft, MADE))

    everything, of_a, of_b = meant(ms.Everything()), meant(a), meant(b)
    assert everything == shown(draft).instances()
    assert meant(~(a & b)) == meant(~a | ~b) == everything - (of_a & of_b)
    assert meant(~(a | b)) == meant(~a & ~b) == everything - (of_a | of_b)
    assert meant(~~a) == of_a
    assert meant(a & ~a) == set()
    assert meant(a | ~a) == everything


@FEW
@given(extra=st.lists(layers, min_size=1, max_size=1), center=points, radius=sizes)
def test_bounds_and_centroid_are_those_of_the_surfaces_selected(base, extra, center, radius):
    draft = drafted(base, extra)
    instances = resolve(ms.Sphere(center, radius) | ms.Kinds("sky"), draft)
    all_shown, meant = shown(draft), found(instances)
    among = np.array([key in meant for key in all_shown.places()])
    surfaces = all_shown.center[among & ~all_shown.sky]
    bounds = instances.bounds()
    assert (bounds is None) == (len(surfaces) == 0)
    if bounds is None:
        assert instances.centroid().tolist() == [0, 0, 0]
    else:
        assert (np.array(bounds.low) < surfaces.min(axis=0)).all()
        assert (np.array(bounds.high) > surfaces.max(axis=0)).all()
        np.testing.assert_allclose(instances.centroid(), surfaces.mean(axis=0), atol=BORDER_M)


def test_layers_are_found_by_id_as_well_as_by_name(base):
    layer = base.find("observed")
    assert found(resolve(ms.Layers((layer.layer_id,)), base)) == found(resolve(ms.Layers("observed"), base))
    ids = shown(base).patch_id[:1]
    assert resolve(ms.PatchIds(ids, layer.layer_id), base).count == resolve(ms.PatchIds(ids), base).count == 1


def test_hidden_layers_are_not_selected(base):
    draft = base.copy()
    draft.put(Layer("away", "away", "placed", base.find("observed").segments, visible=False))
    assert resolve(ms.Layers("away"), draft).count == 0
    assert found(resolve(ms.Everything(), draft)) == found(resolve(ms.Everything(), base))


def test_an_empty_selection_names_the_nearest_patch_and_the_bounds(base):
    selection = ms.Sphere((0, 0, 0.2), 0.1)
    centers = shown(base).center[~shown(base).sky]
    nearest = centers[np.linalg.norm(centers - selection.center, axis=1).argmin()]
    distance = np.linalg.norm(nearest - selection.center)
    with pytest.raises(InvalidInput, match=r"the ball of 0\.1 m at \(0\.0, 0\.0, 0\.2\) selects nothing") as caught:
        require_some(resolve(selection, base), selection, base)
    assert caught.value.reason is Reason.EMPTY_SELECTION
    assert f"the nearest patch is {distance:.2f} m" in caught.value.message
    assert "at ({:.2f}, {:.2f}, {:.2f})".format(*nearest) in caught.value.message
    bounds = resolve(ms.Everything(), base).bounds()
    assert "from ({:.2f}, {:.2f}, {:.2f})".format(*bounds.low) in caught.value.message
    assert "to ({:.2f}, {:.2f}, {:.2f}) m".format(*bounds.high) in caught.value.message


@pytest.mark.parametrize(
    "selection",
    [ms.PatchIds([2**40]), ms.Frames((99,)), ms.Ordinals(50, 60), ms.Kinds("generated"), ms.HalfSpace((0, 0, 1), 99)],
)
def test_every_empty_selection_is_an_error_that_names_the_bounds(base, selection):
    with pytest.raises(InvalidInput, match="selects nothing; the world reaches from") as caught:
        require_some(resolve(selection, base), selection, base)
    assert type(selection).__name__ in caught.value.message


def test_an_empty_selection_in_an_empty_world_says_so(base):
    nothing = Draft(base.showing, [])
    with pytest.raises(InvalidInput, match="the world shows no surface"):
        require_some(resolve(ms.Everything(), nothing), ms.Everything(), nothing)


@pytest.mark.parametrize(
    "selection", [ms.Layers("obsrved"), ms.PatchIds([1], "obsrved"), ~(ms.Everything() & ms.Layers("obsrved"))]
)
def test_an_unknown_layer_names_the_nearest(base, selection):
    with pytest.raises(NotFound, match="there is no layer 'obsrved'; there are observed") as caught:
        resolve(selection, base)
    assert caught.value.reason is Reason.LAYER_NOT_FOUND


def test_an_operation_that_has_not_run_cannot_be_selected(base):
    with pytest.raises(InvalidInput, match="operation 3 of this edit was selected, but only 2 came before"):
        resolve(Made(3), base, MADE)
