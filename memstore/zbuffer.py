"""A z-buffer of discs: which patch lies nearest at each of a grid of samples over the target's image.

Every patch is a disc on its own plane (a surfel). In camera axes, with `ray` = (x / z, y / z, 1) of a sample, the
disc's plane lies at inverse depth w = plane . ray, and the sample hits the disc when |ray - w * center| <= w * radius.
Inverse depth is what the buffer keeps: along a plane it is linear in the image, so no division is made per sample.
Sky is a cone of directions: it is hidden by surfaces and hides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float64, Int16, Int32, Int64
from numba import njit

from memstore.camera import Camera
from memstore.frustum import CarriedCamera
from memstore.index import Candidates, bare
from memstore.query import Query
from memstore.segment import Scene

SAMPLES_PER_TOKEN = 4
"""Samples along a side of a token: an eighth of a token is the worst error in the place of an occluding edge."""
NOBODY = -1
EDGE_ON = 1e-9
"""Smallest share of its distance by which a camera must lie off a disc's plane for the disc to have an area."""
TILE = SAMPLES_PER_TOKEN
"""Samples along a side of the tiles that tell at a glance whether something lies behind what is drawn."""
STRETCH = 64
"""Candidates that are drawn together; search gives neighbours in a row."""


@dataclass(frozen=True)
class SampleGrid:
    """The samples over a target image, and what turns camera axes into them."""

    rays_x: Float64[np.ndarray, "w"]
    """x / z of each column of samples."""
    rays_y: Float64[np.ndarray, "h"]
    """y / z of each row of samples."""
    lens: Float64[np.ndarray, "4"]
    """fx, fy, cx, cy in pixels."""
    step_px: float
    """Pixels between two samples; the first lies half a step inside."""
    size_px: tuple[int, int]
    """Width and height of the image."""
    inverse_depths: tuple[float, float]
    """Smallest and largest 1 / depth that counts: of far (0 for none) and near."""

    @classmethod
    def of(cls, camera: Camera, token_px: int, query: Query) -> SampleGrid:
        """Returns the samples of a camera whose image is a multiple of `token_px`."""
        step = token_px / SAMPLES_PER_TOKEN
        columns, rows = (size // token_px * SAMPLES_PER_TOKEN for size in (camera.width, camera.height))
        return cls(
            ((np.arange(columns) + 0.5) * step - camera.cx) / camera.fx,
            ((np.arange(rows) + 0.5) * step - camera.cy) / camera.fy,
            np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
            step,
            (camera.width, camera.height),
            (1 / query.far_m, 1 / query.near_m),
        )


@dataclass(frozen=True)
class Discs:
    """n candidates as discs in camera axes, metres of the world. Of sky: unit directions and sines of angular radii."""

    center: Float64[np.ndarray, "n 3"]
    """Centre."""
    radius: Float64[np.ndarray, "n"]
    """Radius."""
    normal: Int16[np.ndarray, "n 2"]
    """Normal in the axes of the segment, packed: most discs are hidden before theirs is needed."""
    run: Int32[np.ndarray, "n"]
    """Which of `rotations` turns the normal."""
    rotations: Float64[np.ndarray, "r 3 3"]
    """camera <- segment of each run of candidates."""
    sky: Bool[np.ndarray, "n"]
    """Which are sky."""

    @classmethod
    def of(cls, scene: Scene, camera: Camera, candidates: Candidates) -> Discs:
        """Carries every candidate into the camera's axes."""
        n, runs = len(candidates), list(candidates.runs())
        discs = cls(
            center=np.empty((n, 3)),
            radius=np.empty(n),
            normal=np.empty((n, 2), np.int16),
            run=np.empty(n, np.int32),
            rotations=np.empty((len(runs), 3, 3)),
            sky=np.empty(n, np.bool_),
        )
        for number, (position, run) in enumerate(runs):
            entry = scene.entries[position]
            patches = entry.segment.patches
            carried = CarriedCamera.of(camera, entry.placement, patches.origin, sky=entry.sky)
            discs.run[run], discs.sky[run], discs.rotations[number] = number, entry.sky, carried.rotation
            _carry(
                carried.matrix,
                carried.offset,
                carried.scale,
                bare(candidates.row[run]),
                bare(patches.center),
                bare(patches.radius),
                bare(patches.normal),
                discs.center[run],
                discs.radius[run],
                discs.normal[run],
            )
        return discs

    def take(self, positions: Int64[np.ndarray, "k"]) -> Discs:
        """Returns the discs at these positions."""
        return Discs(
            self.center[positions],
            self.radius[positions],
            self.normal[positions],
            self.run[positions],
            self.rotations,
            self.sky[positions],
        )


@dataclass(frozen=True)
class ZBuffer:
    """The nearest disc at every sample."""

    grid: SampleGrid
    """The samples."""
    inverse_depth: Float64[np.ndarray, "h w"]
    """1 / depth of the nearest hit, 0 where no surface is."""
    owner: Int32[np.ndarray, "h w"]
    """Position in the discs of the surface that is hit there, the first of equally near ones; NOBODY where none is."""
    plane: Float64[np.ndarray, "h w 3"]
    """Plane of the owner: plane . ray is its inverse depth."""

    @classmethod
    def of(cls, discs: Discs, grid: SampleGrid) -> ZBuffer:
        """Draws all discs."""
        shape = (len(grid.rays_y), len(grid.rays_x))
        buffer = cls(grid, np.zeros(shape), np.full(shape, NOBODY, np.int32), np.zeros((*shape, 3)))
        _draw(
            discs.center,
            discs.radius,
            discs.normal,
            discs.run,
            discs.rotations,
            discs.sky,
            grid.rays_x,
            grid.rays_y,
            grid.lens,
            grid.step_px,
            grid.inverse_depths,
            buffer.inverse_depth,
            buffer.owner,
            buffer.plane,
        )
        return buffer

    def seen(self, discs: Discs, query: Query) -> tuple[Int64[np.ndarray, "k"], Float64[np.ndarray, "k 2"]]:
        """Returns the positions of the discs that are visible, and the pixels of their centres."""
        positions, uv = np.empty(len(discs.radius), np.int64), np.empty((len(discs.radius), 2))
        count = _see(
            discs.center,
            discs.radius,
            discs.normal,
            discs.run,
            discs.rotations,
            discs.sky,
            self.grid.lens,
            self.grid.step_px,
            self.grid.size_px,
            (query.near_m, query.far_m),
            query.min_facing,
            (query.depth_tolerance, query.radius_tolerance),
            self.inverse_depth,
            self.owner,
            self.plane,
            positions,
            uv,
        )
        return positions[:count].copy(), uv[:count].copy()

    def covered(self, discs: Discs, query: Query) -> Bool[np.ndarray, "h w"]:
        """Returns which samples lie on a part of these discs that nothing hides."""
        covered = np.zeros(self.owner.shape, np.bool_)
        _cover(
            discs.center,
            discs.radius,
            discs.normal,
            discs.run,
            discs.rotations,
            discs.sky,
            self.grid.rays_x,
            self.grid.rays_y,
            self.grid.lens,
            self.grid.step_px,
            self.grid.inverse_depths,
            (query.depth_tolerance, query.radius_tolerance),
            self.inverse_depth,
            covered,
        )
        return covered


@njit(cache=True, nogil=True)
@no_type_check
def _carry(
    matrix: Any,
    offset: Any,
    scale: float,
    rows: Any,
    points: Any,
    radii: Any,
    normals: Any,
    center: Any,
    radius: Any,
    normal: Any,
) -> None:
    for i in range(len(rows)):
        row = rows[i]
        x, y, z = points[row, 0], points[row, 1], points[row, 2]
        for axis in range(3):
            center[i, axis] = matrix[axis, 0] * x + matrix[axis, 1] * y + matrix[axis, 2] * z + offset[axis]
        radius[i] = scale * radii[row]
        normal[i, 0], normal[i, 1] = normals[row, 0], normals[row, 1]


@njit(cache=True, nogil=True)
@no_type_check
def _plane(normal: Any, rotation: Any, center: Any) -> tuple[float, float, float, float]:
    """Returns normal / (normal . center), zero when seen edge-on, and the cosine towards the camera."""
    nx, ny, nz = _unit_normal(normal[0] / 32_767, normal[1] / 32_767)
    cx = rotation[0, 0] * nx + rotation[0, 1] * ny + rotation[0, 2] * nz
    cy = rotation[1, 0] * nx + rotation[1, 1] * ny + rotation[1, 2] * nz
    cz = rotation[2, 0] * nx + rotation[2, 1] * ny + rotation[2, 2] * nz
    x, y, z = center[0], center[1], center[2]
    height, distance = cx * x + cy * y + cz * z, np.sqrt(x * x + y * y + z * z)
    facing = -height / distance if distance > 0 else 0.0
    if abs(height) <= EDGE_ON * distance:
        return 0.0, 0.0, 0.0, facing
    return cx / height, cy / height, cz / height, facing


@njit(cache=True, nogil=True)
@no_type_check
def _unit_normal(x: float, y: float) -> tuple[float, float, float]:
    """`patch.decode_normal` in float64."""
    z = 1 - abs(x) - abs(y)
    if z < 0:
        x, y = (1 - abs(y)) * (1.0 if x >= 0 else -1.0), (1 - abs(x)) * (1.0 if y >= 0 else -1.0)
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@njit(cache=True, nogil=True)
@no_type_check
def _extent(along: float, ahead: float, aa: float, ac: float, cc: float, minor: float) -> tuple[float, float]:
    """Returns the smallest and largest along / ahead over a disc or sphere, or an empty range when it lies behind.

    The silhouette is a conic whose dual is A - center center^T, with A = radius^2 (I - normal normal^T) for a disc and
    radius^2 I for a sphere; `minor` is aa * cc - ac^2. Terms that cancel are left out, so that far and small discs
    keep their digits.
    """
    if ahead * ahead <= cc:
        return -np.inf, np.inf
    if ahead < 0:
        return np.inf, -np.inf
    middle = along * ahead - ac
    reach = np.sqrt(max(aa * ahead * ahead - 2 * ac * along * ahead + cc * along * along - minor, 0.0))
    bottom = ahead * ahead - cc
    return (middle - reach) / bottom, (middle + reach) / bottom


@njit(cache=True, nogil=True)
@no_type_check
def _samples(lowest: float, highest: float, focal: float, principal: float, step: float, count: int) -> tuple[int, int]:
    """Returns the range of samples between two rays, a hair wide so that rounding loses none."""
    first = (lowest * focal + principal) / step - 0.5
    last = (highest * focal + principal) / step - 0.5
    hair = 1e-4
    return int(np.ceil(min(max(first - hair, 0.0), float(count)))), int(
        np.floor(min(max(last + hair, -1.0), count - 1.0))
    ) + 1


@njit(cache=True, nogil=True)
@no_type_check
def _window(center: Any, radius: float, plane: Any, lens: Any, step: float, shape: Any) -> tuple[int, int, int, int]:
    """Returns first and last + 1 columns, then rows, that a disc may hit; a zero plane makes a sphere."""
    x, y, z = center[0], center[1], center[2]
    square, length = radius * radius, np.sqrt(plane[0] * plane[0] + plane[1] * plane[1] + plane[2] * plane[2])
    nx, ny, nz = 0.0, 0.0, 0.0
    if length > 0:
        nx, ny, nz = plane[0] / length, plane[1] / length, plane[2] / length
    cc = square * (1 - nz * nz)
    minor_x, minor_y = square * square * (1 - nx * nx - nz * nz), square * square * (1 - ny * ny - nz * nz)
    left, right = _extent(x, z, square * (1 - nx * nx), -square * nx * nz, cc, minor_x)
    top, bottom = _extent(y, z, square * (1 - ny * ny), -square * ny * nz, cc, minor_y)
    first_column, last_column = _samples(left, right, lens[0], lens[2], step, shape[1])
    first_row, last_row = _samples(top, bottom, lens[1], lens[3], step, shape[0])
    return first_column, last_column, first_row, last_row


@njit(cache=True, nogil=True)
@no_type_check
def _bounds(
    center: Any, radius: Any, sky: Any, first: int, last: int
) -> tuple[float, float, float, float, float, float]:
    """Returns the corners of a box around the spheres of a stretch of surfaces: x, x, y, y, z, z."""
    x0, x1, y0, y1, z0, z1 = np.inf, -np.inf, np.inf, -np.inf, np.inf, -np.inf
    for i in range(first, last):
        if not sky[i]:
            r = radius[i]
            x0, x1 = min(x0, center[i, 0] - r), max(x1, center[i, 0] + r)
            y0, y1 = min(y0, center[i, 1] - r), max(y1, center[i, 1] + r)
            z0, z1 = min(z0, center[i, 2] - r), max(z1, center[i, 2] + r)
    return x0, x1, y0, y1, z0, z1


@njit(cache=True, nogil=True)
@no_type_check
def _is_behind(box: Any, farthest: Any, lens: Any, step: float, shape: Any, w_near: float) -> bool:
    """Whether all tiles under a box are filled with something nearer: then nothing in it can win a sample."""
    x0, x1, y0, y1, z0, z1 = box
    if z0 * w_near <= 1:
        return False
    near, far = 1 / z0, 1 / z1
    left, right = x0 * (near if x0 < 0 else far), x1 * (far if x1 < 0 else near)
    top, bottom = y0 * (near if y0 < 0 else far), y1 * (far if y1 < 0 else near)
    first_column, last_column = _samples(left, right, lens[0], lens[2], step, shape[1])
    first_row, last_row = _samples(top, bottom, lens[1], lens[3], step, shape[0])
    nearest = near * (1 + 1e-9)
    for row in range(first_row // TILE, (last_row + TILE - 1) // TILE):
        for column in range(first_column // TILE, (last_column + TILE - 1) // TILE):
            if farthest[row, column] <= nearest:
                return False
    return True


@njit(cache=True, nogil=True)
@no_type_check
def _draw(
    center: Any,
    radius: Any,
    normal: Any,
    run: Any,
    rotations: Any,
    sky: Any,
    rays_x: Any,
    rays_y: Any,
    lens: Any,
    step: float,
    inverse_depths: Any,
    inverse_depth: Any,
    owner: Any,
    planes: Any,
) -> None:
    """Draws stretches of neighbours, near ones first, and leaves out what lies behind full tiles."""
    n, shape, w_near = len(radius), owner.shape, inverse_depths[1]
    stretches = (n + STRETCH - 1) // STRETCH
    boxes = np.empty((stretches, 6))
    for k in range(stretches):
        boxes[k] = np.array(_bounds(center, radius, sky, k * STRETCH, min(n, (k + 1) * STRETCH)))
    farthest = np.zeros((shape[0] // TILE, shape[1] // TILE))
    stale = np.zeros(farthest.shape, np.bool_)
    for k in np.argsort(boxes[:, 4]):
        b = boxes[k]
        if b[0] > b[1] or _is_behind((b[0], b[1], b[2], b[3], b[4], b[5]), farthest, lens, step, shape, w_near):
            continue
        for i in range(k * STRETCH, min(n, (k + 1) * STRETCH)):
            if sky[i]:
                continue
            x, y, z, r = center[i, 0], center[i, 1], center[i, 2], radius[i]
            if _is_behind((x - r, x + r, y - r, y + r, z - r, z + r), farthest, lens, step, shape, w_near):
                continue
            px, py, pz, _ = _plane(normal[i], rotations[run[i]], center[i])
            if px == 0 and py == 0 and pz == 0:
                continue
            plane = (px, py, pz)
            window = _window(center[i], r, plane, lens, step, shape)
            _draw_disc(
                i,
                (x, y, z),
                r,
                plane,
                window,
                rays_x,
                rays_y,
                inverse_depths,
                inverse_depth,
                owner,
                planes,
                stale,
            )
        _refresh(farthest, stale, inverse_depth)


@njit(cache=True, nogil=True)
@no_type_check
def _draw_disc(
    i: int,
    center: Any,
    radius: float,
    plane: Any,
    window: Any,
    rays_x: Any,
    rays_y: Any,
    inverse_depths: Any,
    inverse_depth: Any,
    owner: Any,
    planes: Any,
    stale: Any,
) -> None:
    x, y, z = center
    for row in range(window[2], window[3]):
        ray_y = rays_y[row]
        base = plane[1] * ray_y + plane[2]
        for column in range(window[0], window[1]):
            w = plane[0] * rays_x[column] + base
            nearest = inverse_depth[row, column]
            if w < nearest or not _hits(rays_x[column], ray_y, w, x, y, z, radius, inverse_depths):
                continue
            if w > nearest or i < owner[row, column]:
                inverse_depth[row, column], owner[row, column] = w, i
                planes[row, column, 0], planes[row, column, 1], planes[row, column, 2] = plane
                stale[row // TILE, column // TILE] = True


@njit(cache=True, nogil=True)
@no_type_check
def _refresh(farthest: Any, stale: Any, inverse_depth: Any) -> None:
    """Brings the smallest inverse depth of every stale tile up to date."""
    for row in range(farthest.shape[0]):
        for column in range(farthest.shape[1]):
            if stale[row, column]:
                stale[row, column] = False
                smallest = np.inf
                for j in range(row * TILE, (row + 1) * TILE):
                    for i in range(column * TILE, (column + 1) * TILE):
                        smallest = min(smallest, inverse_depth[j, i])
                farthest[row, column] = smallest


@njit(cache=True, nogil=True)
@no_type_check
def _hits(
    ray_x: float, ray_y: float, w: float, x: float, y: float, z: float, radius: float, inverse_depths: Any
) -> bool:
    if not (w > 0 and inverse_depths[0] <= w <= inverse_depths[1]):
        return False
    dx, dy, dz = ray_x - x * w, ray_y - y * w, 1 - z * w
    return dx * dx + dy * dy + dz * dz <= (radius * w) * (radius * w)


@njit(cache=True, nogil=True)
@no_type_check
def _see(
    center: Any,
    radius: Any,
    normal: Any,
    run: Any,
    rotations: Any,
    sky: Any,
    lens: Any,
    step: float,
    size: Any,
    depths: Any,
    min_facing: float,
    tolerances: Any,
    inverse_depth: Any,
    owner: Any,
    planes: Any,
    positions: Any,
    uv: Any,
) -> int:
    count = 0
    height, width = owner.shape
    for i in range(len(radius)):
        z = center[i, 2]
        if z <= 0 or not (sky[i] or depths[0] <= z <= depths[1]):
            continue
        ray_x, ray_y = center[i, 0] / z, center[i, 1] / z
        u, v = ray_x * lens[0] + lens[2], ray_y * lens[1] + lens[3]
        if not (0 <= u < size[0] and 0 <= v < size[1]):
            continue
        row, column = min(int(v / step), height - 1), min(int(u / step), width - 1)
        in_front = owner[row, column]
        if in_front != NOBODY:
            if sky[i]:
                continue
            p = planes[row, column]
            # An occluder tilted across the sample is asked at the centre itself, so that neighbours on one slanted
            # surface agree however grazing it is; the farther of the two answers counts.
            w = min(inverse_depth[row, column], p[0] * ray_x + (p[1] * ray_y + p[2]))
            if w > 0 and z > (1 / w) * (1 + tolerances[0]) + tolerances[1] * radius[i]:
                continue
        if min_facing > -1 and not sky[i] and _plane(normal[i], rotations[run[i]], center[i])[3] < min_facing:
            continue
        positions[count] = i
        uv[count, 0], uv[count, 1] = u, v
        count += 1
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _cover(
    center: Any,
    radius: Any,
    normal: Any,
    run: Any,
    rotations: Any,
    sky: Any,
    rays_x: Any,
    rays_y: Any,
    lens: Any,
    step: float,
    inverse_depths: Any,
    tolerances: Any,
    inverse_depth: Any,
    covered: Any,
) -> None:
    for i in range(len(radius)):
        plane = (0.0, 0.0, 0.0)
        if not sky[i]:
            px, py, pz, _ = _plane(normal[i], rotations[run[i]], center[i])
            plane = (px, py, pz)
            if px == 0 and py == 0 and pz == 0:
                continue
        x, y, z, r = center[i, 0], center[i, 1], center[i, 2], radius[i]
        left, right, top, bottom = _window(center[i], r, plane, lens, step, covered.shape)
        for row in range(top, bottom):
            ray_y = rays_y[row]
            base = plane[1] * ray_y + plane[2]
            for column in range(left, right):
                ray_x, nearest = rays_x[column], inverse_depth[row, column]
                if covered[row, column]:
                    continue
                if sky[i]:
                    along = x * ray_x + y * ray_y + z
                    covered[row, column] = (
                        nearest == 0
                        and along > 0
                        and along * along >= (1 - r * r) * (ray_x * ray_x + ray_y * ray_y + 1)
                    )
                    continue
                w = plane[0] * ray_x + base
                if _hits(ray_x, ray_y, w, x, y, z, r, inverse_depths):
                    covered[row, column] = 1 / w <= (1 / nearest) * (1 + tolerances[0]) + tolerances[1] * r
