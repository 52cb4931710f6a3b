"""Selections as messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from memstore.errors import InvalidInput
from memstore.selection import (
    And,
    Everything,
    Finer,
    Frames,
    Kind,
    Kinds,
    Layers,
    Made,
    Not,
    Or,
    Ordinals,
    PatchIds,
    Selection,
)
from memstore.shape import Box, HalfSpace, Shape, Sphere, ViewFrustum
from memstore.v1 import common_pb2
from memstore.v1 import operation_pb2 as pb
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.fields import require, under, whole, word
from memstore.wire.values import (
    camera_from_message,
    camera_to_message,
    rotation_from_message,
    rotation_to_message,
    vector_from_message,
    vector_to_message,
)

MAX_DEPTH = 32
"""How deep selections may nest: protocol buffers read 100 messages deep, and each step here takes two."""


def selection_to_message(selection: Selection, depth: int = 0) -> pb.Selection:
    """Returns a selection as a message; `a & (b & c)` is sent as one list of three.

    Raises:
        InvalidInput: it nests deeper than `MAX_DEPTH`, or is of a kind that cannot be sent.
    """
    if depth > MAX_DEPTH:
        raise InvalidInput(
            f"a selection that is sent nests at most {MAX_DEPTH} deep; name a part of it with edit.name and select "
            "that layer.",
            field="selection",
        )
    match selection:
        case And():
            return pb.Selection(all_of=_parts_to_message(selection, depth))
        case Or():
            return pb.Selection(any_of=_parts_to_message(selection, depth))
        case Not():
            return pb.Selection(all_but=selection_to_message(selection.part, depth + 1))
        case Box() | Sphere() | HalfSpace() | ViewFrustum():
            return _shape_to_message(selection)
        case _:
            return _list_to_message(selection)


def selection_from_message(message: pb.Selection) -> Selection:
    """Reads a selection.

    Raises:
        InvalidInput: nothing is said, or a field is missing or no good.
    """
    kind = message.WhichOneof("selection")
    if kind is None:
        raise InvalidInput('selection is missing; say what is meant, or "everything".', field="selection")
    with under(kind):
        return _READERS[kind](getattr(message, kind))


def shape_from_message(message: pb.Selection) -> Shape:
    """Reads a selection that must be a shape.

    Raises:
        InvalidInput: it is none, or a field is missing or no good.
    """
    selection = selection_from_message(message)
    if not isinstance(selection, Box | Sphere | HalfSpace | ViewFrustum):
        raise InvalidInput(
            f"a region is a box, sphere, half_space or frustum, got {message.WhichOneof('selection')}.",
            field="selection",
        )
    return selection


def _shape_to_message(shape: Shape) -> pb.Selection:
    match shape:
        case Box():
            center, size_m = vector_to_message(shape.center), vector_to_message(shape.size_m)
            rotation = rotation_to_message(shape.rotation)
            return pb.Selection(box=pb.Selection.Box(center=center, size_m=size_m, rotation=rotation))
        case Sphere():
            center = vector_to_message(shape.center)
            return pb.Selection(sphere=pb.Selection.Sphere(center=center, radius_m=shape.radius_m))
        case HalfSpace():
            normal = vector_to_message(shape.normal)
            return pb.Selection(half_space=pb.Selection.HalfSpace(normal=normal, offset_m=shape.offset_m))
        case ViewFrustum():
            camera = camera_to_message(shape.camera)
            frustum = pb.Selection.ViewFrustum(camera=camera, near_m=shape.near_m, far_m=shape.far_m)
            return pb.Selection(frustum=frustum)


def _list_to_message(selection: Selection) -> pb.Selection:
    match selection:
        case Everything():
            return pb.Selection(everything=pb.Selection.Everything())
        case PatchIds():
            ids = common_pb2.Array()
            Outgoing(part_bytes=1 << 62).put(ids, selection.ids)
            return pb.Selection(patches=pb.Selection.PatchIds(ids=ids, layer=selection.layer))
        case Layers():
            return pb.Selection(layers=pb.Selection.Layers(names=selection.names))
        case Kinds():
            return pb.Selection(kinds=pb.Selection.Kinds(kinds=selection.kinds))
        case Frames():
            ordinals = [whole(ordinal, "ordinals") for ordinal in selection.ordinals]
            return pb.Selection(frames=pb.Selection.Frames(ordinals=ordinals))
        case Ordinals():
            start, stop = whole(selection.start, "start"), whole(selection.stop, "stop")
            return pb.Selection(ordinals=pb.Selection.Ordinals(start=start, stop=stop))
        case Finer():
            return pb.Selection(finer=pb.Selection.Finer(radius_m=selection.radius_m))
        case Made():
            return pb.Selection(made=pb.Selection.Made(operation=selection.operation))
        case _:
            raise InvalidInput(f"a {type(selection).__name__} cannot be sent to a server.", field="selection")


def _parts_to_message(selection: And | Or, depth: int) -> pb.Selection.Parts:
    parts = [selection_to_message(part, depth + 1) for part in _joined(selection)]
    return pb.Selection.Parts(parts=parts)


def _joined(selection: And | Or) -> list[Selection]:
    """Returns the parts, those of parts of the same kind too: `a | b | c | ...` nests as deep as it is long."""
    found, waiting = list[Selection](), list[Selection]([selection])
    while waiting:
        one = waiting.pop()
        if isinstance(one, And | Or) and type(one) is type(selection):
            waiting.extend(reversed(one.parts))
        else:
            found.append(one)
    return found


def _read_parts(message: pb.Selection.Parts) -> tuple[Selection, ...]:
    parts = list[Selection]()
    for i, part in enumerate(message.parts):
        with under(f"parts[{i}]"):
            parts.append(selection_from_message(part))
    return tuple(parts)


def _read_box(message: pb.Selection.Box) -> Box:
    require(message, "center", "size_m")
    rotation = rotation_from_message(message.rotation) if message.HasField("rotation") else np.eye(3)
    return Box(vector_from_message(message.center), vector_from_message(message.size_m), rotation)


def _read_sphere(message: pb.Selection.Sphere) -> Sphere:
    require(message, "center")
    return Sphere(vector_from_message(message.center), message.radius_m)


def _read_half_space(message: pb.Selection.HalfSpace) -> HalfSpace:
    require(message, "normal")
    return HalfSpace(vector_from_message(message.normal), message.offset_m)


def _read_frustum(message: pb.Selection.ViewFrustum) -> ViewFrustum:
    require(message, "camera")
    with under("camera"):
        camera = camera_from_message(message.camera)
    far_m = message.far_m if message.HasField("far_m") else float("inf")
    return ViewFrustum(camera, message.near_m, far_m)


def _read_patch_ids(message: pb.Selection.PatchIds) -> PatchIds:
    if message.HasField("ids") == bool(message.listed):
        found = "both" if message.listed else "neither"
        raise InvalidInput(f"patches are selected by ids or by listed, got {found}; send one of them.", field="ids")
    if message.listed:
        return PatchIds(np.array(message.listed, np.uint64), message.layer)
    return PatchIds(Incoming(message).array("ids", np.uint64, (None,)), message.layer)


_READERS: dict[str, Callable[[Any], Selection]] = {
    "everything": lambda _: Everything(),
    "box": _read_box,
    "sphere": _read_sphere,
    "half_space": _read_half_space,
    "frustum": _read_frustum,
    "patches": _read_patch_ids,
    "layers": lambda message: Layers(tuple(message.names)),
    "kinds": lambda message: Kinds(tuple(word(kind, Kind, "kinds") for kind in message.kinds)),
    "frames": lambda message: Frames(tuple(message.ordinals)),
    "ordinals": lambda message: Ordinals(message.start, message.stop),
    "finer": lambda message: Finer(message.radius_m),
    "made": lambda message: Made(message.operation),
    "all_of": lambda message: And(_read_parts(message)),
    "any_of": lambda message: Or(_read_parts(message)),
    "all_but": lambda message: Not(selection_from_message(message)),
}
