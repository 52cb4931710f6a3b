"""Converters at the door: the cameras of other tools to ours and back.

Ours is OpenCV's (see memstore.camera): x right, y down, z forward, camera_to_world, the centre of the top-left pixel at
(0.5, 0.5). What each tool keeps instead:

    tool         axes                     matrix             pixel centres  rotation as
    OpenGL       x right, y up, z back    camera_to_world    (0.5, 0.5)     matrix
    nerfstudio   x right, y up, z back    camera_to_world    (0.5, 0.5)     matrix, 3x4 or 4x4
    COLMAP       as ours                  world_to_camera    (0.5, 0.5)     quaternion w x y z
    TUM RGB-D    as ours                  camera_to_world    (0, 0)         quaternion x y z w
    Matrix-Game  as ours                  world_to_camera    (0, 0)         matrix

`from_x` comes in, `to_x` goes out; each is the other's inverse. World axes are never turned: a converter changes how a
camera is written down, not where the world is.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

from memstore.arrays import as_array
from memstore.camera import Camera
from memstore.errors import InvalidInput, Reason
from memstore.transform import check_rotation

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""OpenCV camera <- OpenGL camera; its own inverse."""
_INTEGER_CENTER_PX = 0.5
"""How far the origin of integer-centred pixels lies inside the image."""


def from_opengl(camera_to_world: Float[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    """Returns our camera_to_world of an OpenGL or Blender camera (x right, y up, z back).

    >>> from_opengl(np.eye(4)).diagonal().tolist()
    [1.0, -1.0, -1.0, 1.0]
    """
    return as_array(camera_to_world, np.float64, (4, 4), "camera_to_world") @ _FLIP


def to_opengl(camera_to_world: Float[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    """Returns the OpenGL camera_to_world (x right, y up, z back) of one of ours."""
    return as_array(camera_to_world, np.float64, (4, 4), "camera_to_world") @ _FLIP


def from_nerfstudio(transform_matrix: Float[np.ndarray, "r 4"]) -> Float64[np.ndarray, "4 4"]:
    """Returns our camera_to_world of a `transform_matrix` of transforms.json, 3x4 or 4x4.

    The world stays as the file has it: an `applied_transform` is not taken back.
    """
    rows = as_array(transform_matrix, np.float64, (None, 4), "transform_matrix")
    if rows.shape[0] == 3:
        rows = np.vstack([rows, [0.0, 0.0, 0.0, 1.0]])
    return from_opengl(as_array(rows, np.float64, (4, 4), "transform_matrix"))


def to_nerfstudio(camera_to_world: Float[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    """Returns the `transform_matrix` of transforms.json of one of our cameras."""
    return to_opengl(camera_to_world)


def from_colmap(quaternion: Float[np.ndarray, "4"], translation: Float[np.ndarray, "3"]) -> Float64[np.ndarray, "4 4"]:
    """Returns our camera_to_world of COLMAP's world_to_camera: quaternion w x y z, and translation.

    >>> from_colmap(np.array([1.0, 0, 0, 0]), np.array([0.0, 0, 2]))[:3, 3].tolist()
    [0.0, 0.0, -2.0]
    """
    # world <- camera = inverse(camera <- world)
    return _rigid_inverse(_rigid(rotation_from_quaternion(quaternion), translation))


def to_colmap(
    camera_to_world: Float[np.ndarray, "4 4"],
) -> tuple[Float64[np.ndarray, "4"], Float64[np.ndarray, "3"]]:
    """Returns COLMAP's world_to_camera of one of our cameras: quaternion w x y z, and translation."""
    world_to_camera = _rigid_inverse(as_array(camera_to_world, np.float64, (4, 4), "camera_to_world"))
    return quaternion_from_rotation(world_to_camera[:3, :3]), world_to_camera[:3, 3]


def from_tum(translation: Float[np.ndarray, "3"], quaternion: Float[np.ndarray, "4"]) -> Float64[np.ndarray, "4 4"]:
    """Returns our camera_to_world of a TUM trajectory line: tx ty tz, then quaternion x y z w."""
    return _rigid(rotation_from_quaternion(np.roll(quaternion, 1)), translation)


def to_tum(camera_to_world: Float[np.ndarray, "4 4"]) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "4"]]:
    """Returns what a TUM trajectory line holds of one of our cameras: tx ty tz, then quaternion x y z w."""
    matrix = as_array(camera_to_world, np.float64, (4, 4), "camera_to_world")
    return matrix[:3, 3], np.roll(quaternion_from_rotation(matrix[:3, :3]), -1)


def from_matrix_game(
    intrinsics: Float[np.ndarray, "3 3"], world_to_camera: Float[np.ndarray, "4 4"], width: int, height: int
) -> Camera:
    """Returns the camera of Matrix-Game's K (integer pixel centres) and world_to_camera, for an image of that size."""
    k = as_array(intrinsics, np.float64, (3, 3), "intrinsics")
    camera_to_world = _rigid_inverse(as_array(world_to_camera, np.float64, (4, 4), "world_to_camera"))
    cx, cy = from_integer_centers(k[0, 2], k[1, 2])
    return Camera(k[0, 0], k[1, 1], cx, cy, width, height, camera_to_world)


def to_matrix_game(camera: Camera) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "4 4"]]:
    """Returns Matrix-Game's K (integer pixel centres) and world_to_camera of a camera."""
    k = camera.intrinsics
    k[:2, 2] = to_integer_centers(camera.cx, camera.cy)
    return k, camera.world_to_camera


def from_integer_centers(cx: float, cy: float) -> tuple[float, float]:
    """Returns our principal point of one that was measured with the top-left pixel's centre at (0, 0).

    >>> from_integer_centers(319.5, 239.5)
    (320.0, 240.0)
    """
    return float(cx) + _INTEGER_CENTER_PX, float(cy) + _INTEGER_CENTER_PX


def to_integer_centers(cx: float, cy: float) -> tuple[float, float]:
    """Returns our principal point as tools write it that put the top-left pixel's centre at (0, 0)."""
    return float(cx) - _INTEGER_CENTER_PX, float(cy) - _INTEGER_CENTER_PX


def rotation_from_quaternion(quaternion: Float[np.ndarray, "*n 4"]) -> Float64[np.ndarray, "*n 3 3"]:
    """Returns the rotation matrices of quaternions w x y z, of any length but zero.

    >>> rotation_from_quaternion(np.array([1.0, 0, 0, 1]))[:, 0].round(9).tolist()
    [0.0, 1.0, 0.0]
    """
    q = np.asarray(quaternion, np.float64)
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise InvalidInput(
            "a quaternion must be finite and not zero, found one of length "
            f"{length[~(np.isfinite(length) & (length > 0))][0]:g}; leave out the poses that tracking lost.",
            reason=Reason.INVALID_CAMERA,
            field="quaternion",
        )
    w, x, y, z = np.moveaxis(q / length, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_from_rotation(rotation: Float[np.ndarray, "*n 3 3"]) -> Float64[np.ndarray, "*n 4"]:
    """Returns the unit quaternions w x y z of rotation matrices, with w >= 0.

    Every row of 4 q q^T is a multiple of q; the row with the largest diagonal entry is the one that loses no digits.

    >>> quaternion_from_rotation(np.diag([1.0, -1.0, -1.0])).tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    r = np.asarray(rotation, np.float64)
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.moveaxis(r, (-2, -1), (0, 1))
    outer = [
        [1 + xx + yy + zz, zy - yz, xz - zx, yx - xy],
        [zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx],
        [xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy],
        [yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz],
    ]
    rows = np.stack([np.stack(row, axis=-1) for row in outer], axis=-2)
    best = np.diagonal(rows, axis1=-2, axis2=-1).argmax(axis=-1)
    q = np.take_along_axis(rows, best[..., None, None], axis=-2)[..., 0, :]
    return q / np.linalg.norm(q, axis=-1, keepdims=True) * np.where(q[..., :1] < 0, -1.0, 1.0)


def _rigid(rotation: Float[np.ndarray, "3 3"], translation: Float[np.ndarray, "3"]) -> Float64[np.ndarray, "4 4"]:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = as_array(translation, np.float64, (3,), "translation")
    return matrix


def _rigid_inverse(matrix: Float[np.ndarray, "4 4"]) -> Float64[np.ndarray, "4 4"]:
    rotation = check_rotation(matrix[:3, :3], "rotation")
    return _rigid(rotation.T, -rotation.T @ matrix[:3, 3])
