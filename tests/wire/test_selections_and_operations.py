"""Selections and operations come back from the wire, and stand in edit scripts as JSON that people can write."""

import json
import math

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore import operation as ops
from memstore import selection as sel
from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput
from memstore.shape import Box, HalfSpace, Sphere, ViewFrustum
from memstore.transform import Transform
from memstore.v1 import common_pb2
from memstore.v1 import operation_pb2 as pb
from memstore.wire.operation import operation_from_message, operation_to_message, operations_from_messages
from memstore.wire.selection import MAX_DEPTH, selection_from_message, selection_to_message

EYE = Camera.from_fov(64, 48, 1.2, look_at((0, 0, 1), (4, 1, 1)))
TURN = Transform.translate(1, 2, 3) @ Transform.rotate_z(0.3) @ Transform.scaling(2.5)
SPHERE = Sphere((1, 0, 2), 0.6)


def selection_back(selection):
    message = selection_to_message(selection)
    return selection_from_message(pb.Selection.FromString(message.SerializeToString()))


def back(operation):
    message = operation_to_message(operation)
    return operation_from_message(pb.Operation.FromString(message.SerializeToString()))


def script(text):
    return operation_from_message(json_format.ParseDict(json.loads(text), pb.Operation()))


def plans(kinds):
    """Returns how a selection is built, as nested tuples."""
    leaves = st.sampled_from(kinds)
    return st.recursive(
        leaves,
        lambda inner: st.tuples(st.sampled_from(["and", "or"]), inner, inner) | st.tuples(st.just("not"), inner),
        max_leaves=12,
    )


def built(plan):
    match plan:
        case ("and", a, b):
            return built(a) & built(b)
        case ("or", a, b):
            return built(a) | built(b)
        case ("not", a):
            return ~built(a)
        case name:
            return sel.Layers((name,))


def holds(selection, layer: str) -> bool:
    """Returns whether a selection built of layers means `layer`: what its answer depends on."""
    match selection:
        case sel.And():
            return all(holds(part, layer) for part in selection.parts)
        case sel.Or():
            return any(holds(part, layer) for part in selection.parts)
        case sel.Not():
            return not holds(selection.part, layer)
        case _:
            return layer in selection.names


@pytest.mark.parametrize(
    "selection",
    [
        sel.Everything(),
        sel.PatchIds(np.array([3, 1 << 63, 0], np.uint64)),
        sel.PatchIds(np.array([], np.uint64), layer="chair"),
        sel.Layers(("a", "b")),
        sel.Kinds(("sky", "placed")),
        sel.Frames((0, -3, 1 << 40)),
        sel.Ordinals(-2, 9),
        sel.Finer(0.25),
        sel.Made(7),
        Box((1, 2, 3), (0.5, 1, 2)),
        SPHERE,
        HalfSpace((0, 3, 4), -1.5),
        ViewFrustum(EYE, 0.25, 8.0),
        ViewFrustum(EYE),
        sel.Layers(("a",)) & SPHERE,
        ~(sel.Everything() & (sel.Made(0) | ~sel.Kinds(("sky",)))),
    ],
)
def test_a_selection_comes_back(selection):
    assert selection_back(selection) == selection


def test_a_turned_box_comes_back_within_rounding():
    box = Box((1, 2, 3), (0.5, 1, 2), Transform.rotate((1, 2, 3), 1.1).rotation)
    again = selection_back(box)
    assert (again.center, again.size_m) == (box.center, box.size_m)
    assert np.abs(again.rotation - box.rotation).max() < 1e-14


@settings(deadline=None)
@given(plan=plans(["a", "b", "c"]))
def test_a_combined_selection_means_the_same_on_the_other_side(plan):
    selection = built(plan)
    again = selection_back(selection)
    assert [holds(again, layer) for layer in "abcd"] == [holds(selection, layer) for layer in "abcd"]


def test_a_long_chain_is_sent_flat():
    chain = sel.Layers(("0",))
    for i in range(1, 3000):
        chain |= sel.Layers((str(i),))
    again = selection_back(chain)
    assert [part.names[0] for part in again.parts] == [str(i) for i in range(3000)]


def test_a_selection_nested_too_deep_is_refused_before_it_is_sent():
    deep = sel.Everything()
    for _ in range(MAX_DEPTH):
        deep = ~deep
    assert selection_back(deep) == deep
    with pytest.raises(InvalidInput, match=f"nests at most {MAX_DEPTH} deep"):
        selection_to_message(~deep)


def test_the_deepest_selection_is_read_inside_a_request():
    from memstore.v1 import edit_service_pb2

    deep = ViewFrustum(EYE)
    for _ in range(MAX_DEPTH // 2):
        deep = ~(deep & sel.Everything())
    request = edit_service_pb2.ApplyEditsRequest(operations=[operation_to_message(ops.Delete(deep))])
    again = edit_service_pb2.ApplyEditsRequest.FromString(request.SerializeToString())
    assert operations_from_messages(again.operations) == (ops.Delete(deep),)


def test_a_selection_of_an_unknown_kind_is_refused():
    class Odd(sel.Selection):
        pass

    with pytest.raises(InvalidInput, match="a Odd cannot be sent"):
        selection_to_message(Odd())


@pytest.mark.parametrize(
    ("message", "field", "words"),
    [
        ({}, "selection", "selection is missing"),
        ({"box": {"size_m": {"x": 1, "y": 1, "z": 1}}}, "box.center", "center is missing"),
        ({"sphere": {"center": {}}}, "sphere.radius_m", "radius_m must be a positive number"),
        ({"half_space": {"normal": {}}}, "half_space.normal", "normal must point somewhere"),
        ({"frustum": {"camera": {"fx": 1}}}, "frustum.camera.camera_to_world", "must have 12 numbers"),
        ({"patches": {}}, "patches.ids", "got neither"),
        ({"patches": {"listed": [1], "ids": {"shape": [0], "element_type": 5}}}, "patches.ids", "got both"),
        ({"patches": {"ids": {"shape": [2], "element_type": 5}}}, "patches.ids.data", "missing or incomplete"),
        ({"layers": {}}, "layers.names", "one name or more"),
        ({"kinds": {"kinds": ["cat"]}}, "kinds.kinds", "kinds must be one of observed, placed"),
        ({"frames": {}}, "frames.ordinals", "one ordinal or more"),
        ({"ordinals": {"start": 3, "stop": 3}}, "ordinals.stop", "stop must lie above"),
        ({"finer": {}}, "finer.radius_m", "radius_m must be a positive number"),
        ({"all_of": {"parts": [{"everything": {}}]}}, "all_of.parts", "two selections or more"),
        (
            {"any_of": {"parts": [{"everything": {}}, {"sphere": {}}]}},
            "any_of.parts[1].sphere.center",
            "center is missing",
        ),
        ({"all_but": {}}, "all_but.selection", "selection is missing"),
    ],
)
def test_a_bad_selection_is_refused_by_its_field(message, field, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        selection_from_message(json_format.ParseDict(message, pb.Selection()))
    assert caught.value.details["field"] == field


def test_every_kind_of_selection_and_operation_has_a_message_and_back():
    from memstore.wire import operation as operation_wire
    from memstore.wire import selection as selection_wire

    selections = {field.name for field in pb.Selection.DESCRIPTOR.oneofs_by_name["selection"].fields}
    operations = {field.name for field in pb.Operation.DESCRIPTOR.oneofs_by_name["operation"].fields}
    assert set(selection_wire._READERS) == selections
    assert set(operation_wire._READERS) == operations


@pytest.mark.parametrize(
    "operation",
    [
        ops.Delete(SPHERE),
        ops.Delete(sel.Everything(), allow_empty=True),
        ops.Duplicate(SPHERE, (Transform.translate(0, 0, 1),)),
        ops.Duplicate(
            SPHERE,
            (Transform.identity(), Transform.scaling(2)),
            pivot=(1, 2, 3),
            name="chair",
            allow_empty=True,
        ),
        ops.Relocate(SPHERE, Transform.translate(1, 0, 0)),
        ops.Relocate(SPHERE, Transform.scaling(0.1), pivot="centroid", name="chair", allow_empty=True),
        ops.Invert(SPHERE),
        ops.Invert(SPHERE, height_m=0.0, axis=1, keep=True, name="up", allow_empty=True),
        ops.NameLayer(SPHERE, "chair", allow_empty=True),
        ops.ShowLayers(("a", "b")),
        ops.HideLayers(()),
        ops.Restore(sel.Layers(("a",))),
        ops.Concatenate("garden"),
        ops.Concatenate("garden", "-y", 0.0, "night", "c1", True, "their"),
        ops.Stitch("garden"),
        ops.Stitch("garden", Transform.translate(4, 0, 0), "boundary", SPHERE, "night", "c1", True, "their"),
        ops.Stitch("garden", region=HalfSpace((0, 0, 1))),
    ],
)
def test_an_operation_comes_back(operation):
    assert back(operation) == operation


def test_a_transform_of_an_operation_comes_back_within_rounding():
    again = back(ops.Relocate(SPHERE, TURN)).transform
    assert np.abs(again.matrix - TURN.matrix).max() < 1e-14


def test_no_field_of_an_operation_is_forgotten():
    other = {"pivot_point"}
    for name, kind in [("NameLayer", ops.NameLayer), *[(k.__name__, k) for k in (ops.Delete, ops.Duplicate)]]:
        fields = {field.name for field in getattr(pb.Operation, name).DESCRIPTOR.fields}
        assert fields - other == set(kind.__dataclass_fields__)
    for kind in (ops.Relocate, ops.Invert, ops.ShowLayers, ops.HideLayers, ops.Restore, ops.Concatenate, ops.Stitch):
        fields = {field.name for field in getattr(pb.Operation, kind.__name__).DESCRIPTOR.fields}
        assert fields - other == set(kind.__dataclass_fields__)


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        (
            '{"delete": {"selection": {"patches": {"listed": [7, "9"]}}}}',
            ops.Delete(sel.PatchIds(np.array([7, 9], np.uint64))),
        ),
        ('{"delete": {"selection": {"everything": {}}}}', ops.Delete(sel.Everything())),
        (
            '{"relocate": {"selection": {"layers": {"names": ["chair"]}}, "transform": {"translation": {"z": 1}},'
            ' "pivot": "centroid"}}',
            ops.Relocate(sel.Layers(("chair",)), Transform.translate(0, 0, 1), pivot="centroid"),
        ),
        (
            '{"duplicate": {"selection": {"made": {"operation": 0}}, "placements": [{"scale": 2}],'
            ' "pivot_point": {"x": 1}}}',
            ops.Duplicate(sel.Made(0), (Transform.scaling(2),), pivot=(1, 0, 0)),
        ),
        ('{"concatenate": {"world": "garden"}}', ops.Concatenate("garden")),
        (
            '{"stitch": {"world": "garden", "align": "boundary", "region": {"sphere": {"center": {}, "radius_m": 2}}}}',
            ops.Stitch("garden", align="boundary", region=Sphere((0, 0, 0), 2)),
        ),
        (
            '{"delete": {"selection": {"all_of": {"parts": [{"kinds": {"kinds": ["sky"]}}, {"all_but": {"frames":'
            ' {"ordinals": [3]}}}]}}}}',
            ops.Delete(sel.Kinds(("sky",)) & ~sel.Frames((3,))),
        ),
    ],
)
def test_people_can_write_operations_as_json(text, operation):
    assert script(text) == operation


def test_operations_survive_json():
    for operation in (ops.Stitch("garden", align="boundary"), ops.Delete(ViewFrustum(EYE, far_m=math.inf))):
        text = json_format.MessageToJson(operation_to_message(operation))
        assert script(text) == operation


@pytest.mark.parametrize(
    ("message", "field", "words"),
    [
        ({}, "operations[0].operation", "operation is missing; say one of delete, duplicate"),
        ({"delete": {}}, "operations[0].delete.selection", "selection is missing"),
        (
            {"delete": {"selection": {"sphere": {"center": {}, "radius_m": -1}}}},
            "operations[0].delete.selection.sphere.radius_m",
            "radius_m must be a positive",
        ),
        (
            {"duplicate": {"selection": {"everything": {}}}},
            "operations[0].duplicate.placements",
            "a placement or more",
        ),
        (
            {"duplicate": {"selection": {"everything": {}}, "placements": [{}, {"scale": 0}]}},
            "operations[0].duplicate.placements[1].scale",
            "scale must be positive",
        ),
        ({"relocate": {"selection": {"everything": {}}}}, "operations[0].relocate.transform", "transform is missing"),
        (
            {"relocate": {"selection": {"everything": {}}, "transform": {}, "pivot": "middle"}},
            "operations[0].relocate.pivot",
            "pivot must be one of origin, centroid, got 'middle'",
        ),
        ({"invert": {"selection": {"everything": {}}, "axis": 2}}, "operations[0].invert.axis", "axis must be 0 or 1"),
        ({"concatenate": {"side": "up"}}, "operations[0].concatenate.side", r"side must be one of \+x"),
        ({"stitch": {"align": "well"}}, "operations[0].stitch.align", "align must be one of none"),
        (
            {"stitch": {"region": {"everything": {}}}},
            "operations[0].stitch.region.selection",
            "a region is a box, sphere, half_space or frustum, got everything",
        ),
    ],
)
def test_a_bad_operation_is_refused_by_its_field(message, field, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        operations_from_messages([json_format.ParseDict(message, pb.Operation())])
    assert caught.value.details["field"] == field


def test_ids_in_a_script_may_be_an_array_of_another_element_type_only_by_mistake():
    ids = common_pb2.Array(element_type=common_pb2.ELEMENT_TYPE_INT32, shape=[1], data=b"\1\0\0\0")
    with pytest.raises(InvalidInput, match="ids must be uint64, got int32"):
        selection_from_message(pb.Selection(patches=pb.Selection.PatchIds(ids=ids)))
