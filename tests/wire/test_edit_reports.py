"""Reports of edits, differences, merges and blame come back from the wire."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from memstore.camera import Camera, look_at
from memstore.compared import Blamed, BranchSummary, Diff, DroppedHead, LayerDiff, MergeConflict, MergeReport
from memstore.edited import (
    EditReport,
    LayerCount,
    LayerSummary,
    OperationReport,
    Picked,
    RegistrationSummary,
    SelectionReport,
)
from memstore.summary import Bounds, CommitSummary
from memstore.transform import Transform
from memstore.v1 import edited_pb2, history_service_pb2
from memstore.wire import compared, edited
from memstore.wire.arrays import Incoming, Outgoing

EYE = Camera.from_fov(40, 30, 1.2, look_at((0, 0, 1), (4, 1, 1)))
BOUNDS = Bounds((-1.0, -2.0, 0.0), (1.0, 0.5, 3.0))
COMMIT = CommitSummary("c2", ("c1",), "edit", "why", "who", 7.25, "r", 0, "s2", "")


def picture(seed):
    return np.random.default_rng(seed).integers(0, 255, (30, 40, 3), np.uint8)


def layer(name="chair", bounds=BOUNDS):
    return LayerSummary("id", name, "placed", "from", Transform.translate(1, 2, 3), False, -7, 1 << 40, bounds)


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    if is_dataclass(a) and not isinstance(a, Camera | Transform):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return a == b


def in_parts(message, value, write, read, part_bytes):
    """Returns the value after a journey whose messages carry `part_bytes` each."""
    out = Outgoing(part_bytes)
    write(message, value, out)
    head = type(message).FromString(message.SerializeToString())
    arrays = Incoming(head)
    for run in out.rest():
        arrays.extend(run)
    assert arrays.missing == 0
    return read(head, arrays)


EDITS = [
    EditReport("", "c0", (), 0, 0),
    EditReport(
        "c1",
        "c0",
        (
            OperationReport("delete", 3, 3, 0, (), None),
            OperationReport(
                "stitch",
                1 << 40,
                0,
                1 << 41,
                (layer(), layer("sky", None)),
                BOUNDS,
                RegistrationSummary(Transform.translate(4, 0, 0), 0.5, 0.01, (0.1, 0.2, 0.3, 1, 2, 3.5), 0.4, 0.05),
            ),
        ),
        10,
        7,
        4096,
    ),
    EditReport("", "c0", (), 1, 2, 0, EYE, picture(0), picture(1)),
]


@pytest.mark.parametrize("part_bytes", [1 << 20, 1000])
@pytest.mark.parametrize("report", EDITS)
def test_an_edit_report_comes_back(report, part_bytes):
    again = in_parts(
        edited_pb2.EditReport(), report, edited.edit_report_to_message, edited.edit_report_from_message, part_bytes
    )
    assert same(again, report)
    assert again.affected_count == report.affected_count


@pytest.mark.parametrize("part_bytes", [1 << 20, 1000])
@pytest.mark.parametrize(
    "report",
    [
        SelectionReport("c0", 0, None, (), None, None),
        SelectionReport("c0", 12, BOUNDS, (LayerCount("a", "b", 11), LayerCount("c", "d", 1)), EYE, picture(2)),
    ],
)
def test_a_selection_report_comes_back(report, part_bytes):
    again = in_parts(
        edited_pb2.SelectionReport(),
        report,
        edited.selection_report_to_message,
        edited.selection_report_from_message,
        part_bytes,
    )
    assert same(again, report)


@pytest.mark.parametrize("depth_m", [2.5, np.inf])
def test_a_picked_patch_comes_back(depth_m):
    picked = Picked((1 << 64) - 1, "id", "chair", (0.5, -1.0, 2.0), float(depth_m), -3)
    message = edited_pb2.Picked.FromString(edited.picked_to_message(picked).SerializeToString())
    assert edited.picked_from_message(message) == picked


@pytest.mark.parametrize("kind", ["observed", "placed", "generated", "sky"])
def test_a_layer_comes_back(kind):
    summary = LayerSummary("id", "n", kind, "", Transform.identity(), True, 0, 0, None)
    message = edited_pb2.LayerSummary.FromString(edited.layer_to_message(summary).SerializeToString())
    assert edited.layer_from_message(message) == summary


def ids(*numbers):
    return np.array(numbers, np.uint64)


LAYERS = (
    LayerDiff("a", "new", "placed", "added", 3, 0, shown=ids(1, 2, 3), hidden=ids()),
    LayerDiff(
        "b",
        "after",
        "observed",
        "changed",
        0,
        2,
        (Transform.identity(), Transform.translate(0, 0, 1)),
        ("before", "after"),
        (True, False),
        ids(),
        ids(*range(500)),
    ),
)


@pytest.mark.parametrize("part_bytes", [1 << 20, 700])
@pytest.mark.parametrize(
    "diff",
    [
        Diff("c0", "c0", ()),
        Diff("c0", "c1", LAYERS, EYE, picture(3), picture(4)),
        Diff("c0", "c1", (LayerDiff("a", "n", "sky", "removed", 0, 5),), EYE, picture(3), picture(4)),
    ],
)
def test_a_diff_comes_back(diff, part_bytes):
    again = in_parts(history_service_pb2.Diff(), diff, compared.diff_to_message, compared.diff_from_message, part_bytes)
    assert same(again, diff)


def test_a_merge_comes_back():
    conflicts = (
        MergeConflict("flatten", "", "", "they flattened"),
        MergeConflict("patches", "a", "chair", "both hid 3", 3),
    )
    report = MergeReport("c3", "c0", "c1", "c2", conflicts, (LayerDiff("a", "n", "placed", "changed", 1, 2),))
    sent = compared.merge_to_message(report).SerializeToString()
    assert same(compared.merge_from_message(history_service_pb2.MergeBranchResponse.FromString(sent)), report)


@pytest.mark.parametrize("observed", [None, COMMIT])
def test_a_blamed_patch_comes_back(observed):
    blamed = Blamed(1 << 63, "id", "chair", 12, observed, COMMIT)
    sent = compared.blamed_to_message(blamed).SerializeToString()
    assert compared.blamed_from_message(history_service_pb2.Blamed.FromString(sent)) == blamed


def test_branches_tags_and_dropped_heads_come_back():
    branch, head = BranchSummary("night", "c1"), DroppedHead("night", "c1", 12.5)
    assert compared.branch_from_message(compared.branch_to_message(branch)) == branch
    assert compared.branch_from_message(compared.tag_to_message(branch)) == branch
    assert compared.dropped_from_message(compared.dropped_to_message(head)) == head


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (EditReport, edited_pb2.EditReport),
        (OperationReport, edited_pb2.OperationReport),
        (LayerSummary, edited_pb2.LayerSummary),
        (RegistrationSummary, edited_pb2.RegistrationSummary),
        (SelectionReport, edited_pb2.SelectionReport),
        (LayerCount, edited_pb2.LayerCount),
        (Picked, edited_pb2.Picked),
        (Diff, history_service_pb2.Diff),
        (LayerDiff, history_service_pb2.LayerDiff),
        (MergeReport, history_service_pb2.MergeBranchResponse),
        (MergeConflict, history_service_pb2.MergeConflict),
        (Blamed, history_service_pb2.Blamed),
        (DroppedHead, history_service_pb2.DroppedHead),
        (BranchSummary, history_service_pb2.Branch),
    ],
)
def test_no_field_of_a_report_is_forgotten(kind, message):
    assert {field.name for field in message.DESCRIPTOR.fields} == set(kind.__dataclass_fields__)
