"""Shapes that select patches by the place of their centres: boxes, spheres, half-spaces and what a camera sees.

A shape holds its border. Shapes are values: `transformed` gives the same shape elsewhere, so that
`shape.transformed(t).contains(t.apply(points))` is `shape.contains(points)` up to rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from memstore.arrays import Vector
from memstore.camera import Camera
from memstore.errors import InvalidInput
from memstore.selection import Selection
from memstore.transform import Transform, check_rotation


@dataclass(frozen=True, eq=False)
class Box(Selection):
    """A box, turned any way.

    >>> Box(center=(0, 0, 1), size_m=(2, 2, 2)).contains(np.array([[0.9, 0.0, 0.0], [1.1, 0.0, 0.0]])).tolist()
    [True, False]
    """

    center: Vector
    """Centre in the world, metres."""
    size_m: Vector
    """Lengths of the edges along the box's own axes, metres, positive."""
    rotation: Float64[np.ndarray, "3 3"] = field(default_factory=lambda: np.eye(3))
    """world <- box: the columns are the box's axes in the world."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", _vector(self.center, "center"))
        object.__setattr__(self, "size_m", _vector(self.size_m, "size_m"))
        if min(self.size_m) <= 0:
            raise InvalidInput(f"size_m must be three positive lengths in metres, got {self.size_m}.", field="size_m")
        object.__setattr__(self, "rotation", check_rotation(self.rotation, "rotation"))

    @classmethod
    def between(cls, low: Vector, high: Vector) -> Box:
        """The box along the world's axes from its smallest corner to its largest."""
        smallest, largest = np.array(_vector(low, "low")), np.array(_vector(high, "high"))
        if not (smallest < largest).all():
            raise InvalidInput(
                f"low must lie below high along every axis, got low {smallest.tolist()} and high {largest.tolist()}.",
                field="low",
            )
        return cls(_vector((smallest + largest) / 2, "center"), _vector(largest - smallest, "size_m"))

    def contains(self, points: Float64[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        """Returns which of the world points, metres, lie in the box."""
        local = (points - self.center) @ self.rotation  # box <- world
        return np.all(np.abs(local) <= np.array(self.size_m) / 2, axis=1)

    def transformed(self, placement: Transform) -> Box:
        """Returns the box carried along by `placement`."""
        return Box(
            _vector(placement.apply(np.array(self.center)), "center"),
            _vector(placement.scale * np.array(self.size_m), "size_m"),
            placement.rotation @ self.rotation,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Box):
            return NotImplemented
        same = (self.center, self.size_m) == (other.center, other.size_m)
        return same and np.array_equal(self.rotation, other.rotation)

    def __hash__(self) -> int:
        return hash((self.center, self.size_m))


@dataclass(frozen=True)
class Sphere(Selection):
    """A ball."""

    center: Vector
    """Centre in the world, metres."""
    radius_m: float
    """Radius in metres, positive."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", _vector(self.center, "center"))
        object.__setattr__(self, "radius_m", _number(self.radius_m, "radius_m"))
        if self.radius_m <= 0:
            raise InvalidInput(f"radius_m must be a positive number of metres, got {self.radius_m}.", field="radius_m")

    def contains(self, points: Float64[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        """Returns which of the world points, metres, lie in the ball."""
        return np.linalg.norm(points - self.center, axis=1) <= self.radius_m

    def transformed(self, placement: Transform) -> Sphere:
        """Returns the ball carried along by `placement`."""
        return Sphere(_vector(placement.apply(np.array(self.center)), "center"), placement.scale * self.radius_m)


@dataclass(frozen=True)
class HalfSpace(Selection):
    """All that lies on one side of a plane: the points with normal @ point >= offset_m.

    >>> HalfSpace(normal=(0, 0, 2), offset_m=1).contains(np.array([[0.0, 0.0, 3.0], [0.0, 0.0, 0.9]])).tolist()
    [True, False]
    """

    normal: Vector
    """Direction into the half-space; given at any length but zero, kept at length 1."""
    offset_m: float = 0.0
    """Distance of the plane from the world's origin along the unit normal, metres."""

    def __post_init__(self) -> None:
        normal = np.array(_vector(self.normal, "normal"))
        length = float(np.linalg.norm(normal))
        if length == 0:
            raise InvalidInput("normal must point somewhere, got a vector of length 0.", field="normal")
        object.__setattr__(self, "normal", _vector(normal / length, "normal"))
        object.__setattr__(self, "offset_m", _number(self.offset_m, "offset_m"))

    @classmethod
    def through(cls, point: Vector, normal: Vector) -> HalfSpace:
        """The half-space whose plane runs through `point`."""
        direction = cls(_vector(normal, "normal")).normal
        return cls(direction, float(np.dot(direction, _vector(point, "point"))))

    def contains(self, points: Float64[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        """Returns which of the world points, metres, lie on the normal's side."""
        return points @ np.array(self.normal) >= self.offset_m

    def transformed(self, placement: Transform) -> HalfSpace:
        """Returns the half-space carried along by `placement`."""
        normal = placement.rotation @ np.array(self.normal)
        return HalfSpace(
            _vector(normal, "normal"), placement.scale * self.offset_m + float(normal @ placement.translation)
        )


@dataclass(frozen=True)
class ViewFrustum(Selection):
    """What lies in a camera's image between two depths, whether or not something hides it."""

    camera: Camera
    """The camera, in the world."""
    near_m: float = 0.0
    """Smallest planar depth, metres, at least 0."""
    far_m: float = math.inf
    """Largest planar depth, metres, above `near_m`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "near_m", _number(self.near_m, "near_m"))
        object.__setattr__(self, "far_m", _parsed(self.far_m, "far_m"))
        if self.near_m < 0:
            raise InvalidInput(f"near_m must be a depth of at least 0 metres, got {self.near_m}.", field="near_m")
        if not self.far_m > self.near_m:
            raise InvalidInput(
                f"far_m must be a depth above near_m ({self.near_m} m), got {self.far_m}.", field="far_m"
            )

    def contains(self, points: Float64[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        """Returns which of the world points, metres, fall into the image, between the two depths."""
        uv, depth = self.camera.project(points)
        seen = (uv >= 0).all(axis=1) & (uv <= [self.camera.width, self.camera.height]).all(axis=1)
        return seen & (depth >= self.near_m) & (depth <= self.far_m)

    def transformed(self, placement: Transform) -> ViewFrustum:
        """Returns the frustum carried along by `placement`."""
        scale = placement.scale
        return replace(self, camera=self.camera.placed(placement), near_m=scale * self.near_m, far_m=scale * self.far_m)


Shape = Box | Sphere | HalfSpace | ViewFrustum


def _vector(value: Any, name: str) -> tuple[float, float, float]:
    """Returns three finite numbers."""
    try:
        x, y, z = (float(each) for each in value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} must be three numbers, got {value!r}.", field=name) from error
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
        raise InvalidInput(f"{name} must be finite, got ({x}, {y}, {z}).", field=name)
    return x, y, z


def _number(value: Any, name: str) -> float:
    """Returns a finite number."""
    number = _parsed(value, name)
    if not math.isfinite(number):
        raise InvalidInput(f"{name} must be finite, got {number}.", field=name)
    return number


def _parsed(value: Any, name: str) -> float:
    """Returns a number, finite or not."""
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} must be a number, got {value!r}.", field=name) from error
