"""Cameras, and the conventions of the whole project.

Axes are OpenCV's: x right, y down, z forward. Lengths are metres, times seconds, angles radians.
`camera_to_world` is what is stored and sent; `world_to_camera` is a property. The centre of the top-left pixel is
(0.5, 0.5), so the image spans [0, width] x [0, height]. `depth_m` is planar z: finite and positive is measured, +inf is
sky, 0 or NaN is unmeasured. World up is +Z unless the world says otherwise.
Matrices carry arrows: image <- world = (image <- camera) @ (camera <- world).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float64

from memstore.arrays import Vector, as_array
from memstore.errors import InvalidInput, Reason
from memstore.transform import Transform, check_rotation

MAX_SIZE_PX = 65_535


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera with its place in the world."""

    fx: float
    """Focal length along x, pixels, positive."""
    fy: float
    """Focal length along y, pixels, positive."""
    cx: float
    """Principal point along x, pixels, the left edge of the image at 0."""
    cy: float
    """Principal point along y, pixels, the top edge of the image at 0."""
    width: int
    """Image width, pixels."""
    height: int
    """Image height, pixels."""
    camera_to_world: Float64[np.ndarray, "4 4"]
    """world <- camera: rotation and translation in metres, no scale."""

    def __post_init__(self) -> None:
        self._check_size()
        self._check_intrinsics()
        matrix = as_array(self.camera_to_world, np.float64, (4, 4), "camera_to_world", reason=Reason.INVALID_CAMERA)
        if not np.isfinite(matrix).all() or not np.allclose(matrix[3], [0, 0, 0, 1], atol=1e-9):
            raise InvalidInput(
                "camera_to_world must be finite with last row 0 0 0 1.",
                reason=Reason.INVALID_CAMERA,
                field="camera_to_world",
            )
        check_rotation(matrix[:3, :3], "camera_to_world[:3, :3]")
        object.__setattr__(self, "camera_to_world", matrix)

    def _check_size(self) -> None:
        for name in ("width", "height"):
            size = getattr(self, name)
            if not 1 <= size <= MAX_SIZE_PX or int(size) != size:
                raise InvalidInput(
                    f"{name} must be a whole number of pixels from 1 to {MAX_SIZE_PX}, got {size}.",
                    reason=Reason.INVALID_CAMERA,
                    field=name,
                )
            object.__setattr__(self, name, int(size))

    def _check_intrinsics(self) -> None:
        for name in ("fx", "fy", "cx", "cy"):
            value = float(getattr(self, name))
            if not np.isfinite(value) or (name in ("fx", "fy") and value <= 0):
                wanted = "finite" if name in ("cx", "cy") else "finite and positive"
                raise InvalidInput(
                    f"{name} must be {wanted} pixels, got {value}.", reason=Reason.INVALID_CAMERA, field=name
                )
            object.__setattr__(self, name, value)

    @classmethod
    def from_fov(
        cls,
        width: int,
        height: int,
        fov_x: float,
        camera_to_world: Float[np.ndarray, "4 4"] | None = None,
        *,
        degrees: bool = False,
    ) -> Camera:
        """A camera with square pixels, its principal point in the middle and `fov_x` across its width."""
        radians = float(np.deg2rad(fov_x) if degrees else fov_x)
        if not 0 < radians < np.pi:
            raise InvalidInput(
                f"fov_x must lie between 0 and 180 degrees, got {np.degrees(radians):.4g} degrees.",
                reason=Reason.INVALID_CAMERA,
                field="fov_x",
            )
        focal = width / 2 / np.tan(radians / 2)
        matrix = np.eye(4) if camera_to_world is None else camera_to_world
        return cls(focal, focal, width / 2, height / 2, width, height, matrix)

    @property
    def intrinsics(self) -> Float64[np.ndarray, "3 3"]:
        """K: image <- camera, pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])

    @property
    def world_to_camera(self) -> Float64[np.ndarray, "4 4"]:
        """camera <- world."""
        rotation = self.camera_to_world[:3, :3]
        matrix = np.eye(4)
        matrix[:3, :3] = rotation.T
        matrix[:3, 3] = -rotation.T @ self.center
        return matrix

    @property
    def center(self) -> Float64[np.ndarray, "3"]:
        """The camera's centre in the world, metres."""
        return self.camera_to_world[:3, 3]

    @property
    def forward(self) -> Float64[np.ndarray, "3"]:
        """The viewing direction in the world, a unit vector."""
        return self.camera_to_world[:3, 2]

    def project(
        self, points: Float[np.ndarray, "*n 3"]
    ) -> tuple[Float64[np.ndarray, "*n 2"], Float64[np.ndarray, "*n"]]:
        """Returns the pixel (u, v) and planar depth in metres of world points; pixels of points behind are NaN."""
        # image <- world = (image <- camera) @ (camera <- world)
        local = (np.asarray(points, np.float64) - self.center) @ self.camera_to_world[:3, :3]
        depth = local[..., 2]
        ahead = np.where(depth > 0, depth, np.nan)
        uv = local[..., :2] / ahead[..., None] * [self.fx, self.fy] + [self.cx, self.cy]
        return uv, depth

    def unproject(self, uv: Float[np.ndarray, "*n 2"], depth_m: Float[np.ndarray, "*n"]) -> Float64[np.ndarray, "*n 3"]:
        """Returns the world points, metres, at pixels `uv` and planar depth `depth_m`."""
        plane = (np.asarray(uv, np.float64) - [self.cx, self.cy]) / [self.fx, self.fy]
        rays = np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)
        return (rays * np.asarray(depth_m, np.float64)[..., None]) @ self.camera_to_world[:3, :3].T + self.center

    def placed(self, placement: Transform) -> Camera:
        """Returns this camera carried along by `placement`; a scale moves the centre and leaves the image as it is."""
        matrix = np.eye(4)
        matrix[:3, :3] = placement.rotation @ self.camera_to_world[:3, :3]
        matrix[:3, 3] = placement.apply(self.center)
        return replace(self, camera_to_world=matrix)

    def at(self, camera_to_world: Float[np.ndarray, "4 4"]) -> Camera:
        """Returns this camera with another place in the world."""
        return replace(self, camera_to_world=camera_to_world)

    def resized(self, width: int, height: int) -> Camera:
        """Returns the camera of the same view at another resolution."""
        sx, sy = width / self.width, height / self.height
        return Camera(self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy, width, height, self.camera_to_world)

    def cropped(self, left: int, top: int, width: int, height: int) -> Camera:
        """Returns the camera of the part of the image that starts at (left, top)."""
        return replace(self, cx=self.cx - left, cy=self.cy - top, width=width, height=height)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Camera):
            return NotImplemented
        mine = (self.fx, self.fy, self.cx, self.cy, self.width, self.height)
        theirs = (other.fx, other.fy, other.cx, other.cy, other.width, other.height)
        return mine == theirs and np.array_equal(self.camera_to_world, other.camera_to_world)

    def __hash__(self) -> int:
        matrix = (self.camera_to_world + 0.0).tobytes()  # -0.0 equals 0.0, so it must hash alike
        return hash((self.fx, self.fy, self.cx, self.cy, self.width, self.height, matrix))

    def __repr__(self) -> str:
        x, y, z = self.center
        fov = np.degrees(2 * np.arctan(self.width / 2 / self.fx))
        return f"Camera({self.width}x{self.height}, fov_x={fov:.1f} deg, center=({x:.2f}, {y:.2f}, {z:.2f}))"


def look_at(eye: Vector, target: Vector, up: Vector = (0, 0, 1)) -> Float64[np.ndarray, "4 4"]:
    """Returns world <- camera for a camera at `eye` that looks at `target` with `up` towards the top of its image.

    >>> look_at((0, 0, 0), (0, 5, 0))[:3, 2].tolist()
    [0.0, 1.0, 0.0]
    """
    position, aim = np.asarray(eye, np.float64), np.asarray(target, np.float64)
    forward = aim - position
    right = np.cross(forward, np.asarray(up, np.float64))
    if not (np.linalg.norm(forward) > 0 and np.linalg.norm(right) > 1e-12):
        raise InvalidInput(
            f"look_at needs a target away from the eye and not along up, got eye {list(eye)}, target {list(target)}, "
            f"up {list(up)}.",
            reason=Reason.INVALID_CAMERA,
        )
    forward, right = forward / np.linalg.norm(forward), right / np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    matrix[:3, 3] = position
    return matrix
