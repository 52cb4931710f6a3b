"""Reports of edits and selections as messages, pictures spread over several where they are large."""

from __future__ import annotations

from typing import Any

import numpy as np

from memstore.camera import Camera
from memstore.edited import (
    EditReport,
    LayerCount,
    LayerSummary,
    OperationReport,
    Picked,
    RegistrationSummary,
    SelectionReport,
)
from memstore.summary import Bounds
from memstore.v1 import edited_pb2 as pb
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.fields import require, under
from memstore.wire.values import (
    bounds_from_message,
    bounds_to_message,
    camera_from_message,
    camera_to_message,
    transform_from_message,
    transform_to_message,
    vector_from_message,
    vector_to_message,
)

PLAIN_FIELDS = ("layer_id", "name", "kind", "origin", "visible", "ordinal_offset", "patch_count")
COUNT_FIELDS = ("operation", "selected_count", "hidden_count", "shown_count")


def layer_to_message(layer: LayerSummary) -> pb.LayerSummary:
    """Returns a layer as a message."""
    return pb.LayerSummary(
        **{name: getattr(layer, name) for name in PLAIN_FIELDS},
        placement=transform_to_message(layer.placement),
        bounds=None if layer.bounds is None else bounds_to_message(layer.bounds),
    )


def layer_from_message(message: pb.LayerSummary) -> LayerSummary:
    """Reads a layer.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    require(message, "placement")
    with under("placement"):
        placement = transform_from_message(message.placement)
    plain: dict[str, Any] = {name: getattr(message, name) for name in PLAIN_FIELDS}
    return LayerSummary(**plain, placement=placement, bounds=_bounds(message))


def edit_report_to_message(message: pb.EditReport, report: EditReport, out: Outgoing) -> None:
    """Fills `message`; `out` keeps the pictures that do not fit."""
    message.commit, message.base = report.commit, report.base
    message.operations.extend(_operation_to_message(operation) for operation in report.operations)
    message.patches_before, message.patches_after = report.patches_before, report.patches_after
    message.bytes_written = report.bytes_written
    if report.camera is not None:
        message.camera.CopyFrom(camera_to_message(report.camera))
    for name in ("before", "after"):
        put_picture(getattr(message, name), getattr(report, name), out)


def edit_report_from_message(message: pb.EditReport, arrays: Incoming) -> EditReport:
    """Reads a report whose pictures are complete.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    return EditReport(
        commit=message.commit,
        base=message.base,
        operations=tuple(_operation_from_message(operation) for operation in message.operations),
        patches_before=message.patches_before,
        patches_after=message.patches_after,
        bytes_written=message.bytes_written,
        camera=camera_of(message),
        before=picture_of(arrays, "before"),
        after=picture_of(arrays, "after"),
    )


def selection_report_to_message(message: pb.SelectionReport, report: SelectionReport, out: Outgoing) -> None:
    """Fills `message`; `out` keeps the picture if it does not fit."""
    message.commit, message.patch_count = report.commit, report.patch_count
    if report.bounds is not None:
        message.bounds.CopyFrom(bounds_to_message(report.bounds))
    message.layers.extend(pb.LayerCount(**vars(layer)) for layer in report.layers)
    if report.camera is not None:
        message.camera.CopyFrom(camera_to_message(report.camera))
    put_picture(message.picture, report.picture, out)


def selection_report_from_message(message: pb.SelectionReport, arrays: Incoming) -> SelectionReport:
    """Reads a report whose picture is complete.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    return SelectionReport(
        commit=message.commit,
        patch_count=message.patch_count,
        bounds=_bounds(message),
        layers=tuple(LayerCount(layer.layer_id, layer.name, layer.patch_count) for layer in message.layers),
        camera=camera_of(message),
        picture=picture_of(arrays, "picture"),
    )


def picked_to_message(picked: Picked) -> pb.Picked:
    """Returns a picked patch as a message."""
    fields: dict[str, Any] = {**vars(picked), "position": vector_to_message(picked.position)}
    return pb.Picked(**fields)


def picked_from_message(message: pb.Picked) -> Picked:
    """Reads a picked patch."""
    m = message
    return Picked(m.patch_id, m.layer_id, m.layer, vector_from_message(m.position), m.depth_m, m.ordinal)


def put_picture(message: Any, picture: np.ndarray | None, out: Outgoing) -> None:
    """Fills an array from a picture, if there is one."""
    if picture is not None:
        out.put(message, picture)


def picture_of(arrays: Incoming, path: str) -> np.ndarray | None:
    """Returns the picture at `path`, if there is one."""
    return arrays.array(path, np.uint8, (None, None, 3)) if arrays.has(path) else None


def camera_of(message: Any) -> Camera | None:
    """Returns the camera of a message, if there is one."""
    if not message.HasField("camera"):
        return None
    with under("camera"):
        return camera_from_message(message.camera)


def _operation_to_message(report: OperationReport) -> pb.OperationReport:
    return pb.OperationReport(
        **{name: getattr(report, name) for name in COUNT_FIELDS},
        layers=[layer_to_message(layer) for layer in report.layers],
        bounds=None if report.bounds is None else bounds_to_message(report.bounds),
        registration=None if report.registration is None else _registration_to_message(report.registration),
    )


def _operation_from_message(message: pb.OperationReport) -> OperationReport:
    counts: dict[str, Any] = {name: getattr(message, name) for name in COUNT_FIELDS}
    return OperationReport(
        **counts,
        layers=tuple(layer_from_message(layer) for layer in message.layers),
        bounds=_bounds(message),
        registration=_registration_from_message(message.registration) if message.HasField("registration") else None,
    )


def _registration_to_message(summary: RegistrationSummary) -> pb.RegistrationSummary:
    fields: dict[str, Any] = {**vars(summary), "transform": transform_to_message(summary.transform)}
    return pb.RegistrationSummary(**fields)


def _registration_from_message(message: pb.RegistrationSummary) -> RegistrationSummary:
    m = message
    return RegistrationSummary(
        transform_from_message(m.transform),
        m.overlap,
        m.residual_m,
        tuple(m.constraint),
        m.correction_m,
        m.correction_rad,
    )


def _bounds(message: Any) -> Bounds | None:
    return bounds_from_message(message.bounds) if message.HasField("bounds") else None
