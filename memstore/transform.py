"""Similarity transforms: x -> scale * rotation @ x + translation, the placement of layers and of whole worlds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from memstore.arrays import Points, Vector, as_array
from memstore.errors import InvalidInput

ORTHONORMAL_TOLERANCE = 1e-4
"""Largest |R^T R - I| entry of a rotation: float32 files stay under 1e-6, hand-typed ones under 1e-4."""


@dataclass(frozen=True, eq=False)
class Transform:
    """A similarity: `target <- source`, with target = scale * rotation @ source + translation.

    >>> Transform.translate(1, 0, 0).apply([[0.0, 2.0, 0.0]]).tolist()
    [[1.0, 2.0, 0.0]]
    """

    rotation: Float64[np.ndarray, "3 3"]
    """Rotation matrix, right-handed."""
    translation: Float64[np.ndarray, "3"]
    """Translation in metres of the target space."""
    scale: float = 1.0
    """Uniform scale, positive."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", check_rotation(self.rotation, "rotation"))
        translation = as_array(self.translation, np.float64, (3,), "translation")
        if not np.isfinite(translation).all():
            raise InvalidInput(f"translation must be finite, got {translation.tolist()}.", field="translation")
        object.__setattr__(self, "translation", translation)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise InvalidInput(f"scale must be positive and finite, got {self.scale}.", field="scale")
        object.__setattr__(self, "scale", float(self.scale))

    @classmethod
    def identity(cls) -> Transform:
        """The transform that changes nothing."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def translate(cls, x: float, y: float, z: float) -> Transform:
        """A translation in metres."""
        return cls(np.eye(3), np.array([x, y, z], np.float64))

    @classmethod
    def scaling(cls, scale: float) -> Transform:
        """A uniform scale about the origin."""
        return cls(np.eye(3), np.zeros(3), scale)

    @classmethod
    def rotate(cls, axis: Vector, angle: float, *, degrees: bool = False) -> Transform:
        """A right-handed rotation about `axis` through the origin; radians unless `degrees`."""
        direction = as_array(np.asarray(axis, np.float64), np.float64, (3,), "axis")
        length = float(np.linalg.norm(direction))
        if not (np.isfinite(length) and length > 0):
            raise InvalidInput(f"axis must be a finite vector that is not zero, got {list(axis)}.", field="axis")
        x, y, z = direction / length
        radians = np.deg2rad(angle) if degrees else angle
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        return cls(np.eye(3) + np.sin(radians) * cross + (1 - np.cos(radians)) * cross @ cross, np.zeros(3))

    @classmethod
    def rotate_x(cls, angle: float, *, degrees: bool = False) -> Transform:
        """A rotation about +X."""
        return cls.rotate((1, 0, 0), angle, degrees=degrees)

    @classmethod
    def rotate_y(cls, angle: float, *, degrees: bool = False) -> Transform:
        """A rotation about +Y."""
        return cls.rotate((0, 1, 0), angle, degrees=degrees)

    @classmethod
    def rotate_z(cls, angle: float, *, degrees: bool = False) -> Transform:
        """A rotation about +Z."""
        return cls.rotate((0, 0, 1), angle, degrees=degrees)

    @classmethod
    def from_matrix(cls, matrix: Float[np.ndarray, "4 4"]) -> Transform:
        """A similarity from its 4x4 matrix.

        Raises:
            InvalidInput: the matrix is no similarity (sheared, mirrored, singular, or a last row other than 0 0 0 1).
        """
        m = as_array(matrix, np.float64, (4, 4), "matrix")
        if not np.isfinite(m).all() or not np.allclose(m[3], [0, 0, 0, 1]):
            raise InvalidInput("matrix must be finite with last row 0 0 0 1.", field="matrix")
        determinant = float(np.linalg.det(m[:3, :3]))
        if determinant <= 0:
            raise InvalidInput(
                f"matrix must keep handedness (a determinant above 0), got {determinant:.3g}: mirrors and flat "
                "matrices are no placements.",
                field="matrix",
            )
        scale = determinant ** (1 / 3)
        return cls(m[:3, :3] / scale, m[:3, 3], scale)

    @property
    def matrix(self) -> Float64[np.ndarray, "4 4"]:
        """The 4x4 matrix `target <- source`."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.scale * self.rotation
        matrix[:3, 3] = self.translation
        return matrix

    @property
    def is_identity(self) -> bool:
        """Whether this changes nothing, exactly."""
        return self == Transform.identity()

    def apply(self, points: Points) -> Float64[np.ndarray, "*n 3"]:
        """Returns the points in the target space, metres."""
        return self.scale * (np.asarray(points, np.float64) @ self.rotation.T) + self.translation

    def inverse(self) -> Transform:
        """The transform `source <- target`."""
        scale = 1 / self.scale
        return Transform(self.rotation.T, -scale * (self.rotation.T @ self.translation), scale)

    def about(self, pivot: Vector) -> Transform:
        """This transform made about `pivot` instead of the origin."""
        point = np.asarray(pivot, np.float64)
        return Transform(self.rotation, self.translation + point - self.scale * self.rotation @ point, self.scale)

    def __matmul__(self, other: Transform) -> Transform:
        """`(a @ b).apply(x) == a.apply(b.apply(x))`."""
        return Transform(
            _nearest_rotation(self.rotation @ other.rotation), self.apply(other.translation), self.scale * other.scale
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Transform):
            return NotImplemented
        same = np.array_equal(self.rotation, other.rotation) and np.array_equal(self.translation, other.translation)
        return same and self.scale == other.scale

    def __hash__(self) -> int:
        # -0.0 equals 0.0, so it must hash alike
        return hash(((self.rotation + 0.0).tobytes(), (self.translation + 0.0).tobytes(), self.scale))

    def __repr__(self) -> str:
        angle = np.degrees(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1)))
        x, y, z = self.translation
        return f"Transform(translation=({x:.3g}, {y:.3g}, {z:.3g}), rotation={angle:.3g} deg, scale={self.scale:.3g})"


def check_rotation(value: object, name: str) -> Float64[np.ndarray, "3 3"]:
    """Returns `value` as a rotation matrix.

    Raises:
        InvalidInput: not finite, not orthonormal within 1e-4, or mirrored.
    """
    rotation = as_array(value, np.float64, (3, 3), name)
    if not np.isfinite(rotation).all():
        raise InvalidInput(f"{name} must be finite, got NaN or infinity.", field=name)
    error = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    if error > ORTHONORMAL_TOLERANCE:
        raise InvalidInput(
            f"{name} must have orthonormal columns within {ORTHONORMAL_TOLERANCE:g}, found an error of {error:.3g}; "
            "normalise its quaternion or take the nearest rotation (SVD) first.",
            field=name,
        )
    if np.linalg.det(rotation) < 0:
        raise InvalidInput(
            f"{name} is mirrored (determinant -1): memstore uses right-handed OpenCV axes, x right, y down, z forward; "
            "flip one axis at the door (see memstore.convention).",
            field=name,
        )
    return rotation


def _nearest_rotation(matrix: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, "3 3"]:
    """Returns the rotation nearest to a product of rotations, so that long chains do not drift."""
    u, _, vt = np.linalg.svd(matrix)
    return u @ vt
