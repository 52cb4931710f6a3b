"""Operations as messages. In JSON (`google.protobuf.json_format`) the same messages are the steps of edit scripts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from memstore.errors import InvalidInput
from memstore.operation import (
    Align,
    Concatenate,
    Delete,
    Duplicate,
    HideLayers,
    Invert,
    NameLayer,
    Operation,
    Pivot,
    Relocate,
    Restore,
    ShowLayers,
    Side,
    Stitch,
)
from memstore.selection import Selection
from memstore.transform import Transform
from memstore.v1 import operation_pb2 as pb
from memstore.wire.fields import require, under, word
from memstore.wire.selection import selection_from_message, selection_to_message, shape_from_message
from memstore.wire.values import transform_from_message, transform_to_message, vector_from_message, vector_to_message

PivotWord = Literal["origin", "centroid"]


def operation_to_message(operation: Operation) -> pb.Operation:
    """Returns an operation as a message.

    Raises:
        InvalidInput: its selection cannot be sent.
    """
    match operation:
        case Delete():
            return pb.Operation(delete=pb.Operation.Delete(**_chosen(operation)))
        case Duplicate():
            placements = [transform_to_message(placement) for placement in operation.placements]
            about = {**_chosen(operation), **_about(operation.pivot)}
            return pb.Operation(duplicate=pb.Operation.Duplicate(placements=placements, name=operation.name, **about))
        case Relocate():
            transform = transform_to_message(operation.transform)
            about = {**_chosen(operation), **_about(operation.pivot)}
            return pb.Operation(relocate=pb.Operation.Relocate(transform=transform, name=operation.name, **about))
        case Invert():
            plain = {name: getattr(operation, name) for name in ("height_m", "axis", "keep", "name")}
            return pb.Operation(invert=pb.Operation.Invert(**_chosen(operation), **plain))
        case NameLayer():
            return pb.Operation(name=pb.Operation.NameLayer(name=operation.name, **_chosen(operation)))
        case ShowLayers():
            return pb.Operation(show=pb.Operation.ShowLayers(names=operation.names))
        case HideLayers():
            return pb.Operation(hide=pb.Operation.HideLayers(names=operation.names))
        case Restore():
            return pb.Operation(restore=pb.Operation.Restore(**_chosen(operation)))
        case Concatenate():
            return pb.Operation(concatenate=pb.Operation.Concatenate(**vars(operation)))
        case Stitch():
            return pb.Operation(stitch=_stitch_to_message(operation))


def operation_from_message(message: pb.Operation) -> Operation:
    """Reads an operation.

    Raises:
        InvalidInput: nothing is said, or a field is missing or no good.
    """
    kind = message.WhichOneof("operation")
    if kind is None:
        raise InvalidInput(f"operation is missing; say one of {', '.join(_READERS)}.", field="operation")
    with under(kind):
        return _READERS[kind](getattr(message, kind))


def operations_from_messages(messages: Sequence[pb.Operation]) -> tuple[Operation, ...]:
    """Reads operations; an error names the place of its operation.

    Raises:
        InvalidInput: one is no good.
    """
    found = list[Operation]()
    for i, message in enumerate(messages):
        with under(f"operations[{i}]"):
            found.append(operation_from_message(message))
    return tuple(found)


def _chosen(operation: Delete | Duplicate | Relocate | Invert | NameLayer | Restore) -> dict[str, Any]:
    return {"selection": selection_to_message(operation.selection), "allow_empty": operation.allow_empty}


def _stitch_to_message(operation: Stitch) -> pb.Operation.Stitch:
    region = None if operation.region is None else selection_to_message(operation.region)
    fields: dict[str, Any] = {**vars(operation), "at": transform_to_message(operation.at), "region": region}
    return pb.Operation.Stitch(**fields)


def _about(pivot: Pivot) -> dict[str, Any]:
    return {"pivot": pivot} if isinstance(pivot, str) else {"pivot_point": vector_to_message(pivot)}


def _read_chosen(message: Any) -> Selection:
    require(message, "selection")
    with under("selection"):
        return selection_from_message(message.selection)


def _read_pivot(message: Any) -> Any:
    if message.WhichOneof("about") == "pivot_point":
        return vector_from_message(message.pivot_point)
    return word(message.pivot or "origin", PivotWord, "pivot")


def _read_duplicate(message: pb.Operation.Duplicate) -> Duplicate:
    placements = list[Transform]()
    for i, placement in enumerate(message.placements):
        with under(f"placements[{i}]"):
            placements.append(transform_from_message(placement))
    return Duplicate(_read_chosen(message), tuple(placements), _read_pivot(message), message.name, message.allow_empty)


def _read_relocate(message: pb.Operation.Relocate) -> Relocate:
    require(message, "transform")
    with under("transform"):
        transform = transform_from_message(message.transform)
    return Relocate(_read_chosen(message), transform, _read_pivot(message), message.name, message.allow_empty)


def _read_invert(message: pb.Operation.Invert) -> Invert:
    height_m = message.height_m if message.HasField("height_m") else None
    return Invert(_read_chosen(message), height_m, message.axis, message.keep, message.name, message.allow_empty)


def _read_concatenate(message: pb.Operation.Concatenate) -> Concatenate:
    side = word(message.side or "+x", Side, "side")
    gap_m = message.gap_m if message.HasField("gap_m") else 1.0
    branch = message.branch or "main"
    return Concatenate(message.world, side, gap_m, branch, message.commit, message.sky, message.name)


def _read_stitch(message: pb.Operation.Stitch) -> Stitch:
    with under("at"):
        at = transform_from_message(message.at)
    with under("region"):
        region = shape_from_message(message.region) if message.HasField("region") else None
    align = word(message.align or "none", Align, "align")
    branch = message.branch or "main"
    return Stitch(message.world, at, align, region, branch, message.commit, message.sky, message.name)


_READERS: dict[str, Callable[[Any], Operation]] = {
    "delete": lambda message: Delete(_read_chosen(message), message.allow_empty),
    "duplicate": _read_duplicate,
    "relocate": _read_relocate,
    "invert": _read_invert,
    "name": lambda message: NameLayer(_read_chosen(message), message.name, message.allow_empty),
    "show": lambda message: ShowLayers(tuple(message.names)),
    "hide": lambda message: HideLayers(tuple(message.names)),
    "restore": lambda message: Restore(_read_chosen(message), message.allow_empty),
    "concatenate": _read_concatenate,
    "stitch": _read_stitch,
}
