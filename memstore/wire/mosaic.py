"""Mosaics and stored patches as messages, column by column, large ones spread over several."""

from __future__ import annotations

import math

from memstore.errors import InvalidInput
from memstore.latent import LatentSpec
from memstore.mosaic import Content, Mosaic, SourceViews
from memstore.stored import StoredPatches
from memstore.v1 import memory_service_pb2 as pb
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.fields import require, under
from memstore.wire.values import camera_from_message, camera_to_message, spec_from_message, spec_to_message

_ROWS = (("ids", "u8", ()), ("layer", "u4", ()), ("uv", "f4", (2,)), ("depth_m", "f4", ()), ("radius_px", "f4", ()))
_MORE_ROWS = (("color", "u1", (3,)), ("source", "i4", ()), ("cell", "u4", (2,)))
_SOURCES = (
    ("segment", "u4", ()),
    ("ordinal", "i8", ()),
    ("intrinsics", "f8", (4,)),
    ("size", "i4", (2,)),
    ("camera_to_world", "f8", (4, 4)),
    ("scale", "f8", ()),
    ("sky", "?", ()),
)
_STORED = (
    ("ids", "u8", ()),
    ("center", "f8", (3,)),
    ("radius", "f4", ()),
    ("normal", "f4", (3,)),
    ("ordinal", "i8", ()),
    ("color", "u1", (3,)),
    ("sky", "?", ()),
)


def mosaic_to_message(message: pb.Mosaic, mosaic: Mosaic, out: Outgoing) -> None:
    """Fills `message`; `out` keeps the arrays that do not fit."""
    message.camera.CopyFrom(camera_to_message(mosaic.camera))
    message.spec.CopyFrom(spec_to_message(mosaic.spec))
    message.commit = mosaic.commit
    message.layers.extend(mosaic.layers)
    for name, _, _ in (*_ROWS, *_MORE_ROWS):
        out.put(getattr(message, name), getattr(mosaic, name))
    for name, _, _ in _SOURCES:
        out.put(getattr(message.sources, name), getattr(mosaic.sources, name))
    out.put(message.coverage, mosaic.coverage)
    if mosaic.content is not None:
        out.put(message.content.latents, mosaic.content.latents)
        out.put(message.content.depth_m, mosaic.content.depth_m)


def mosaic_from_message(message: pb.Mosaic, arrays: Incoming) -> Mosaic:
    """Reads a mosaic whose arrays are complete; arrays are read-only views of the received bytes.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    require(message, "camera", "spec", "ids", "sources")
    with under("camera"):
        camera = camera_from_message(message.camera)
    with under("spec"):
        spec = spec_from_message(message.spec)
    n, s = _length(message.ids.shape, "ids"), _length(message.sources.ordinal.shape, "sources.ordinal")
    columns = {name: arrays.array(name, dtype, (n, *sides)) for name, dtype, sides in (*_ROWS, *_MORE_ROWS)}
    views = {name: arrays.array(f"sources.{name}", dtype, (s, *sides)) for name, dtype, sides in _SOURCES}
    return Mosaic(
        camera=camera,
        spec=spec,
        commit=message.commit,
        layers=tuple(message.layers),
        sources=SourceViews(**views),
        coverage=arrays.array("coverage", "f4", (None, None)),
        content=_content(spec, n, arrays) if message.HasField("content") else None,
        **columns,
    )


def stored_to_message(message: pb.Patches, stored: StoredPatches, out: Outgoing) -> None:
    """Fills `message`; `out` keeps the arrays that do not fit."""
    for name, _, _ in _STORED:
        out.put(getattr(message, name), getattr(stored, name))
    out.put(message.latents, stored.latents)


def stored_from_message(message: pb.Patches, arrays: Incoming) -> StoredPatches:
    """Reads stored patches whose arrays are complete; arrays are read-only views of the received bytes.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    require(message, "ids")
    n = _length(message.ids.shape, "ids")
    columns = {name: arrays.array(name, dtype, (n, *sides)) for name, dtype, sides in _STORED}
    return StoredPatches(**columns, latents=arrays.array("latents", None, (n, None)))


def _content(spec: LatentSpec, n: int, arrays: Incoming) -> Content:
    latents = arrays.array("content.latents", spec.dtype, (n, spec.values_per_patch))
    return Content(latents, arrays.array("content.depth_m", "f4", (n, spec.depths_per_side**2)))


def _length(shape: object, field: str) -> int:
    sides = tuple(shape)  # pyright: ignore[reportArgumentType]: a repeated field
    if len(sides) != 1:
        raise InvalidInput(f"{field} must have one dimension, got shape {sides}.", field=field)
    return math.prod(sides)
