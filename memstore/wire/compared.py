"""What histories say, as messages: branches, tags, differences, merges, blame."""

from __future__ import annotations

from typing import Any

import numpy as np

from memstore.compared import Blamed, BranchSummary, Diff, DroppedHead, LayerDiff, MergeConflict, MergeReport
from memstore.v1 import history_service_pb2 as pb
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.edited import camera_of, picture_of, put_picture
from memstore.wire.fields import require, under
from memstore.wire.summary import commit_from_message, commit_to_message
from memstore.wire.values import camera_to_message, transform_from_message, transform_to_message

PLAIN_FIELDS = ("layer_id", "name", "kind", "change", "shown_count", "hidden_count")


def branch_to_message(branch: BranchSummary) -> pb.Branch:
    """Returns a branch as a message."""
    return pb.Branch(name=branch.name, commit=branch.commit)


def tag_to_message(tag: BranchSummary) -> pb.Tag:
    """Returns a tag as a message."""
    return pb.Tag(name=tag.name, commit=tag.commit)


def branch_from_message(message: pb.Branch | pb.Tag) -> BranchSummary:
    """Reads a branch or a tag."""
    return BranchSummary(message.name, message.commit)


def dropped_to_message(head: DroppedHead) -> pb.DroppedHead:
    """Returns a head that was left as a message."""
    return pb.DroppedHead(branch=head.branch, commit=head.commit, time_s=head.time_s)


def dropped_from_message(message: pb.DroppedHead) -> DroppedHead:
    """Reads a head that was left."""
    return DroppedHead(message.branch, message.commit, message.time_s)


def diff_to_message(message: pb.Diff, diff: Diff, out: Outgoing) -> None:
    """Fills `message`; `out` keeps the ids and pictures that do not fit."""
    message.before, message.after = diff.before, diff.after
    for layer in diff.layers:
        _layer_to_message(message.layers.add(), layer, out)
    if diff.camera is not None:
        message.camera.CopyFrom(camera_to_message(diff.camera))
    for name in ("picture_before", "picture_after"):
        put_picture(getattr(message, name), getattr(diff, name), out)


def diff_from_message(message: pb.Diff, arrays: Incoming) -> Diff:
    """Reads a difference whose ids and pictures are complete.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    layers = tuple(_layer_from_message(layer, arrays, f"layers[{i}]") for i, layer in enumerate(message.layers))
    return Diff(
        before=message.before,
        after=message.after,
        layers=layers,
        camera=camera_of(message),
        picture_before=picture_of(arrays, "picture_before"),
        picture_after=picture_of(arrays, "picture_after"),
    )


def merge_to_message(report: MergeReport) -> pb.MergeBranchResponse:
    """Returns a merge as a message."""
    response = pb.MergeBranchResponse(commit=report.commit, base=report.base, ours=report.ours, theirs=report.theirs)
    response.conflicts.extend(pb.MergeConflict(**vars(conflict)) for conflict in report.conflicts)
    for layer in report.layers:
        _layer_to_message(response.layers.add(), layer, Outgoing())
    return response


def merge_from_message(message: pb.MergeBranchResponse) -> MergeReport:
    """Reads a merge."""
    arrays = Incoming(message)
    return MergeReport(
        commit=message.commit,
        base=message.base,
        ours=message.ours,
        theirs=message.theirs,
        conflicts=tuple(_conflict_from_message(conflict) for conflict in message.conflicts),
        layers=tuple(_layer_from_message(layer, arrays, f"layers[{i}]") for i, layer in enumerate(message.layers)),
    )


def blamed_to_message(blamed: Blamed) -> pb.Blamed:
    """Returns a blamed patch as a message."""
    observed = None if blamed.observed_by is None else commit_to_message(blamed.observed_by)
    placed = commit_to_message(blamed.placed_by)
    fields: dict[str, Any] = {**vars(blamed), "observed_by": observed, "placed_by": placed}
    return pb.Blamed(**fields)


def blamed_from_message(message: pb.Blamed) -> Blamed:
    """Reads a blamed patch.

    Raises:
        InvalidInput: a field is missing.
    """
    require(message, "placed_by")
    observed = commit_from_message(message.observed_by) if message.HasField("observed_by") else None
    m = message
    return Blamed(m.patch_id, m.layer_id, m.layer, m.ordinal, observed, commit_from_message(m.placed_by))


def _layer_to_message(message: pb.LayerDiff, layer: LayerDiff, out: Outgoing) -> None:
    for name in PLAIN_FIELDS:
        setattr(message, name, getattr(layer, name))
    if layer.moved is not None:
        before, after = (transform_to_message(placement) for placement in layer.moved)
        message.moved.CopyFrom(pb.LayerDiff.Moved(before=before, after=after))
    if layer.renamed is not None:
        message.renamed.before, message.renamed.after = layer.renamed
    if layer.visible is not None:
        message.visible.CopyFrom(pb.LayerDiff.Visible(before=layer.visible[0], after=layer.visible[1]))
    for name in ("shown", "hidden"):
        if (ids := getattr(layer, name)) is not None:
            out.put(getattr(message, name), ids)


def _layer_from_message(message: pb.LayerDiff, arrays: Incoming, path: str) -> LayerDiff:
    plain: dict[str, Any] = {name: getattr(message, name) for name in PLAIN_FIELDS}
    moved, renamed, visible = message.moved, message.renamed, message.visible
    with under(f"{path}.moved"):
        placements = (transform_from_message(moved.before), transform_from_message(moved.after))
    return LayerDiff(
        **plain,
        moved=placements if message.HasField("moved") else None,
        renamed=(renamed.before, renamed.after) if message.HasField("renamed") else None,
        visible=(visible.before, visible.after) if message.HasField("visible") else None,
        shown=_ids(arrays, f"{path}.shown"),
        hidden=_ids(arrays, f"{path}.hidden"),
    )


def _ids(arrays: Incoming, path: str) -> np.ndarray | None:
    return arrays.array(path, np.uint64, (None,)) if arrays.has(path) else None


def _conflict_from_message(message: pb.MergeConflict) -> MergeConflict:
    kind: Any = message.kind
    return MergeConflict(kind, message.layer_id, message.layer, message.message, message.patch_count)
