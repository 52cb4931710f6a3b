"""Small values as messages: cameras, transforms, latent specs, queries, bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from memstore.arrays import Vector
from memstore.camera import Camera
from memstore.errors import InvalidInput, Reason
from memstore.latent import LatentSpec
from memstore.query import FramesBy, Query, Ranking
from memstore.summary import Bounds
from memstore.transform import Transform
from memstore.v1 import common_pb2 as pb
from memstore.v1 import memory_service_pb2 as memory_pb
from memstore.wire.fields import require, under, whole

_RANKINGS: dict[pb.Query.Ranking, Ranking] = {
    pb.Query.RANKING_NEWEST: "newest",
    pb.Query.RANKING_CLOSEST: "closest",
    pb.Query.RANKING_SHARPEST: "sharpest",
    pb.Query.RANKING_FRAMES: "frames",
}
_FRAMES_BY: dict[pb.Query.FramesBy, FramesBy] = {
    pb.Query.FRAMES_BY_POSE: "pose",
    pb.Query.FRAMES_BY_COVERAGE: "coverage",
}
_COUNTS = ("per_token", "budget", "max_frames", "as_of", "before")
_NUMBERS = ("near_m", "far_m", "min_facing", "depth_tolerance", "radius_tolerance")


def camera_to_message(camera: Camera) -> pb.Camera:
    """Returns a camera as a message, exact to the last bit."""
    return pb.Camera(
        fx=camera.fx,
        fy=camera.fy,
        cx=camera.cx,
        cy=camera.cy,
        width=camera.width,
        height=camera.height,
        camera_to_world=camera.camera_to_world[:3].ravel().tolist(),
    )


def camera_from_message(message: pb.Camera) -> Camera:
    """Reads a camera.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    if len(message.camera_to_world) != 12:
        raise InvalidInput(
            f"camera_to_world must have 12 numbers (three rows of four), got {len(message.camera_to_world)}.",
            reason=Reason.INVALID_CAMERA,
            field="camera_to_world",
        )
    matrix = np.eye(4)
    matrix[:3] = np.reshape(message.camera_to_world, (3, 4))
    m = message
    return Camera(m.fx, m.fy, m.cx, m.cy, m.width, m.height, matrix)


def transform_to_message(transform: Transform) -> pb.Transform:
    """Returns a transform as a message; the rotation comes back within 1e-15."""
    return pb.Transform(
        rotation=rotation_to_message(transform.rotation),
        translation=vector_to_message(transform.translation.tolist()),
        scale=transform.scale,
    )


def transform_from_message(message: pb.Transform) -> Transform:
    """Reads a transform; what is absent changes nothing.

    Raises:
        InvalidInput: the quaternion is not of unit length, or the scale is no good.
    """
    rotation = rotation_from_message(message.rotation) if message.HasField("rotation") else np.eye(3)
    scale = message.scale if message.HasField("scale") else 1.0
    return Transform(rotation, np.array(vector_from_message(message.translation)), scale)


def rotation_to_message(rotation: Float64[np.ndarray, "3 3"]) -> pb.Quaternion:
    """Returns a rotation matrix as a quaternion."""
    w, x, y, z = quaternion_of(rotation).tolist()
    return pb.Quaternion(w=w, x=x, y=y, z=z)


def rotation_from_message(message: pb.Quaternion) -> Float64[np.ndarray, "3 3"]:
    """Reads a rotation matrix.

    Raises:
        InvalidInput: the quaternion is not of unit length.
    """
    quaternion = np.array([message.w, message.x, message.y, message.z])
    length = float(np.linalg.norm(quaternion))
    if not abs(length - 1) < 1e-4:
        raise InvalidInput(f"rotation must be a quaternion of length 1, got {length:.6g}.", field="rotation")
    return rotation_of(quaternion / length)


def vector_to_message(vector: Vector) -> pb.Vector3:
    """Returns three numbers as a message."""
    x, y, z = (float(each) for each in vector)
    return pb.Vector3(x=x, y=y, z=z)


def vector_from_message(message: pb.Vector3) -> tuple[float, float, float]:
    """Reads three numbers."""
    return message.x, message.y, message.z


def quaternion_of(rotation: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "4"]:
    """Returns the unit quaternion w x y z of a rotation matrix, w at least 0.

    >>> quaternion_of(np.eye(3)).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    r = rotation
    # The symmetric matrix whose largest eigenvector is the quaternion (Bar-Itzhack 2000): stable at every angle.
    k = np.array(
        [
            [r[0, 0] + r[1, 1] + r[2, 2], 0, 0, 0],
            [r[2, 1] - r[1, 2], r[0, 0] - r[1, 1] - r[2, 2], 0, 0],
            [r[0, 2] - r[2, 0], r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], 0],
            [r[1, 0] - r[0, 1], r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1]],
        ]
    )
    quaternion = np.linalg.eigh(k, UPLO="L")[1][:, -1]
    return (quaternion if quaternion[0] >= 0 else -quaternion) + 0.0  # + 0.0 turns -0.0 into 0.0


def rotation_of(quaternion: Float64[np.ndarray, "4"]) -> Float64[np.ndarray, "3 3"]:
    """Returns the rotation matrix of a unit quaternion w x y z."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def spec_to_message(spec: LatentSpec) -> pb.LatentSpec:
    """Returns a latent spec as a message."""
    return pb.LatentSpec(**spec.to_dict())


def spec_from_message(message: pb.LatentSpec) -> LatentSpec:
    """Reads a latent spec.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    return LatentSpec(**{field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields})


def query_to_message(query: Query) -> pb.Query:
    """Returns a query as a message."""
    message = pb.Query(latents=query.latents)
    message.ranking = next(number for number, name in _RANKINGS.items() if name == query.ranking)
    message.frames_by = next(number for number, name in _FRAMES_BY.items() if name == query.frames_by)
    for name in _COUNTS:
        if (value := getattr(query, name)) is not None:
            setattr(message, name, whole(value, name))
    if query.as_of_s is not None:
        message.as_of_s = float(query.as_of_s)
    for name in _NUMBERS:
        setattr(message, name, float(getattr(query, name)))
    return message


def query_from_message(message: pb.Query) -> Query:
    """Reads a query; what is absent takes its default.

    Raises:
        InvalidInput: an option is no good, or unknown here.
    """
    options = {
        name: getattr(message, name) for name in (*_COUNTS, *_NUMBERS, "as_of_s", "latents") if message.HasField(name)
    }
    if message.ranking:
        options["ranking"] = _chosen(_RANKINGS, message.ranking, "ranking")
    if message.frames_by:
        options["frames_by"] = _chosen(_FRAMES_BY, message.frames_by, "frames_by")
    return Query(**options)


def _chosen(names: Mapping[Any, str], number: int, field: str) -> Any:
    if number not in names:
        listed = ", ".join(names.values())
        raise InvalidInput(f"{field} {number} is unknown to this server, which knows {listed}.", field=field)
    return names[number]


def bounds_to_message(bounds: Bounds) -> memory_pb.Bounds:
    """Returns a box as a message."""
    return memory_pb.Bounds(low=vector_to_message(bounds.low), high=vector_to_message(bounds.high))


def bounds_from_message(message: memory_pb.Bounds) -> Bounds:
    """Reads a box.

    Raises:
        InvalidInput: a corner is missing.
    """
    require(message, "low", "high")
    return Bounds(vector_from_message(message.low), vector_from_message(message.high))


def cameras_from_messages(messages: Sequence[pb.Camera]) -> list[Camera]:
    """Reads cameras; an error names the place of its camera.

    Raises:
        InvalidInput: there are none, or one is no good.
    """
    if not messages:
        raise InvalidInput("cameras is empty; send at least one.", field="cameras")
    found: list[Camera] = []
    for i, message in enumerate(messages):
        with under(f"cameras[{i}]"):
            found.append(camera_from_message(message))
    return found
