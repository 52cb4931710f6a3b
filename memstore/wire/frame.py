"""Frames as messages, large ones spread over several."""

from __future__ import annotations

from memstore.errors import InvalidInput, Reason
from memstore.frame import Frame
from memstore.v1 import common_pb2 as pb
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.fields import require, scalars_from_message, scalars_to_message, under, whole
from memstore.wire.values import camera_from_message, camera_to_message


def frame_to_message(message: pb.Frame, frame: Frame, out: Outgoing) -> None:
    """Fills `message`; `out` keeps the arrays that do not fit."""
    message.camera.CopyFrom(camera_to_message(frame.camera))
    for name in ("depth_m", "rgb", "moving", "latents"):
        if (array := getattr(frame, name)) is not None:
            out.put(getattr(message, name), array)
    message.time_s = frame.time_s
    message.caption = frame.caption
    with under("metadata"):
        scalars_to_message(message.metadata, frame.metadata)
    if frame.ordinal is not None:
        message.ordinal = whole(frame.ordinal, "ordinal")


def frame_from_message(message: pb.Frame, arrays: Incoming) -> Frame:
    """Reads a frame whose arrays are complete; arrays are read-only views of the received bytes.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    require(message, "camera", "depth_m")
    with under("camera"):
        camera = camera_from_message(message.camera)
    size = (camera.height, camera.width)
    with under("metadata"):
        metadata = scalars_from_message(message.metadata)
    if not (arrays.has("rgb") or arrays.has("latents")):
        raise InvalidInput("a frame needs rgb or latents, got neither.", reason=Reason.INVALID_FRAME, field="rgb")
    return Frame(
        camera=camera,
        depth_m=arrays.array("depth_m", "f4", size),
        rgb=arrays.array("rgb", "u1", (*size, 3)) if arrays.has("rgb") else None,
        time_s=message.time_s,
        moving=arrays.array("moving", "?", size) if arrays.has("moving") else None,
        latents=arrays.array("latents", None, (None, None, None)) if arrays.has("latents") else None,
        caption=message.caption,
        metadata=metadata,
        ordinal=message.ordinal if message.HasField("ordinal") else None,
    )


def frame_bytes(frame: Frame) -> int:
    """Returns the bytes of all arrays of a frame."""
    arrays = (frame.depth_m, frame.rgb, frame.moving, frame.latents)
    return sum(array.nbytes for array in arrays if array is not None)
