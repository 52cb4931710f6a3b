"""A z-buffer of footprints: which patch lies nearest at each of a grid of samples over the target's image.

In camera axes, with `ray` = (x / z, y / z, 1) of a sample:

- The patch's plane lies at inverse depth w = plane @ ray. Inverse depth is what the buffer keeps: along a plane it is
  linear in the image, so no division is made per sample.
- The ray meets the footprint where it passes left, right, top and bottom of its token on the inside. Each edge is a
  line of the target's image, edge @ ray >= 0, so every row of samples meets it in one span.
- The hit counts within the patch's bounding sphere, which is what search looks for: |ray - w * center| <= w * radius.

Sky is hidden by surfaces and hides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64
from numba import njit

from memstore.footprint import Footprints
from memstore.patch import PARTS, WHOLE
from memstore.query import Query
from memstore.sample_grid import SAMPLES_PER_TOKEN, SampleGrid

NOBODY = -1
EDGE_ON = 1e-9
"""Smallest share of its distance by which a camera must lie off a patch's plane for the patch to have an area."""
TILE = SAMPLES_PER_TOKEN
"""Samples along a side of the tiles that tell at a glance whether something lies behind what is drawn."""
STRETCH = 64
"""Candidates that are drawn together; search gives neighbours in a row."""
LEVEL = 1e-6
"""An edge that rises by less than this share a column bounds no span: where it crosses a row is lost in rounding."""
HAIR = 1e-4
"""Samples by which spans are wider than computed, so that rounding loses none; each sample is tested itself."""


@dataclass(frozen=True)
class ZBuffer:
    """The nearest patch at every sample."""

    grid: SampleGrid
    """The samples."""
    inverse_depth: Float64[np.ndarray, "h w"]
    """1 / depth of the nearest hit, 0 where no surface is."""
    owner: Int32[np.ndarray, "h w"]
    """Position in the footprints of the surface that is hit there, the first of equally near ones; else NOBODY."""
    plane: Float64[np.ndarray, "h w 3"]
    """Plane of the owner: plane @ ray is its inverse depth."""

    @classmethod
    def of(cls, footprints: Footprints, grid: SampleGrid) -> ZBuffer:
        """Draws all footprints."""
        shape = (len(grid.rays_y), len(grid.rays_x))
        buffer = cls(grid, np.zeros(shape), np.full(shape, NOBODY, np.int32), np.zeros((*shape, 3)))
        _draw(_columns(footprints), _samples(grid), (buffer.inverse_depth, buffer.owner, buffer.plane))
        return buffer

    def seen(self, footprints: Footprints, query: Query) -> tuple[Int64[np.ndarray, "k"], Float64[np.ndarray, "k 2"]]:
        """Returns the positions of the patches that are visible, and the pixels of their centres."""
        count = len(footprints.radius)
        positions, uv = np.empty(count, np.int64), np.empty((count, 2))
        seen = _see(
            _columns(footprints),
            (self.grid.lens, self.grid.step_px, self.grid.size_px),
            (query.near_m, query.far_m, query.min_facing, query.depth_tolerance, query.radius_tolerance),
            (self.inverse_depth, self.owner, self.plane),
            (positions, uv),
        )
        return positions[:seen].copy(), uv[:seen].copy()

    def covered(self, footprints: Footprints, query: Query) -> Bool[np.ndarray, "h w"]:
        """Returns which samples lie on a part of these patches that nothing hides."""
        covered = np.zeros(self.owner.shape, np.bool_)
        tolerances = query.depth_tolerance, query.radius_tolerance
        _cover(_columns(footprints), _samples(self.grid), tolerances, self.inverse_depth, covered)
        return covered


def _columns(f: Footprints) -> tuple[Any, ...]:
    """Returns what kernels know as `patches`."""
    return f.center, f.radius, f.normal, f.token, f.parts, f.sky, f.view, f.rotations, f.sources


def _samples(grid: SampleGrid) -> tuple[Any, ...]:
    """Returns what kernels know as `samples`."""
    lens = grid.lens / grid.step_px - [0, 0, 0.5, 0.5]  # in samples: the first lies at 0
    return grid.rays_x, grid.rays_y, tuple(lens.tolist()), grid.inverse_depths


# Kernels that call each other share a file: numba's cache would not see that another file changed.
# A `window` is first and last + 1 columns, then rows, of samples. A `box` is x, x, y, y, z, z.


@njit(cache=True, nogil=True)
@no_type_check
def _draw(patches: Any, samples: Any, buffer: Any) -> None:
    """Draws stretches of neighbours, near ones first, and leaves out what lies behind full tiles."""
    center, radius, normal, token, parts, sky, view, rotations, sources = patches
    inverse_depth, owner, _ = buffer
    boxes, depths = _stretches(center, radius, sky)
    farthest = np.zeros((owner.shape[0] // TILE, owner.shape[1] // TILE))
    stale = np.zeros(farthest.shape, np.bool_)
    for k in np.argsort(depths):
        box = (boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3], boxes[k, 4], boxes[k, 5])
        if _is_behind(_nearest(box), _box_window(box, samples), farthest):
            continue
        for i in range(k * STRETCH, min(len(radius), (k + 1) * STRETCH)):
            if sky[i]:
                continue
            plane = _plane(normal[i], rotations[view[i]], center[i])
            if plane[0] == 0 and plane[1] == 0 and plane[2] == 0:
                continue
            edges = _edges(sources[view[i]], plane, token[i])
            sphere = (center[i, 0], center[i, 1], center[i, 2], radius[i])
            window, nearest = _window(edges, plane, sphere, samples)
            if not _is_behind(nearest, window, farthest):
                _draw_footprint(i, sphere, plane, edges, parts[i], window, samples, buffer, stale)
        _refresh(farthest, stale, inverse_depth)


@njit(cache=True, nogil=True)
@no_type_check
def _draw_footprint(
    i: int, sphere: Any, plane: Any, edges: Any, parts: int, window: Any, samples: Any, buffer: Any, stale: Any
) -> None:
    inverse_depth, owner, planes = buffer
    rays_x, rays_y, lens, inverse_depths = samples
    bounds = (_bound(edges[0], lens), _bound(edges[1], lens), _bound(edges[2], lens), _bound(edges[3], lens))
    for row in range(window[2], window[3]):
        ray_y = rays_y[row]
        left, right = _span(bounds, row, window)
        for column in range(left, right):
            ray_x = rays_x[column]
            w, nearest = plane[0] * ray_x + (plane[1] * ray_y + plane[2]), inverse_depth[row, column]
            if w < nearest or (w == nearest and i > owner[row, column]):
                continue
            if _is_within(ray_x, ray_y, w, sphere, inverse_depths) and _is_filled(ray_x, ray_y, edges, parts):
                inverse_depth[row, column], owner[row, column] = w, i
                planes[row, column, 0], planes[row, column, 1], planes[row, column, 2] = plane
                stale[row // TILE, column // TILE] = True


@njit(cache=True, nogil=True)
@no_type_check
def _see(patches: Any, image: Any, rules: Any, buffer: Any, seen: Any) -> int:
    """Fills `seen` and returns how many are."""
    center, radius, normal, _, _, sky, view, rotations, _ = patches
    lens, step, size = image
    near, far, min_facing, depth_tolerance, radius_tolerance = rules
    inverse_depth, owner, planes = buffer
    positions, uv = seen
    count = 0
    height, width = owner.shape
    for i in range(len(radius)):
        z = center[i, 2]
        if z <= 0 or not (sky[i] or near <= z <= far):
            continue
        ray_x, ray_y = center[i, 0] / z, center[i, 1] / z
        u, v = ray_x * lens[0] + lens[2], ray_y * lens[1] + lens[3]
        if not (0 <= u < size[0] and 0 <= v < size[1]):
            continue
        row, column = min(int(v / step), height - 1), min(int(u / step), width - 1)
        if owner[row, column] != NOBODY:
            if sky[i]:
                continue
            p = planes[row, column]
            # An occluder tilted across the sample is asked at the centre itself, so that neighbours on one slanted
            # surface agree however grazing it is; the farther of the two answers counts.
            w = min(inverse_depth[row, column], p[0] * ray_x + (p[1] * ray_y + p[2]))
            if w > 0 and z > (1 / w) * (1 + depth_tolerance) + radius_tolerance * radius[i]:
                continue
        if min_facing > -1 and not sky[i] and _facing(normal[i], rotations[view[i]], center[i]) < min_facing:
            continue
        positions[count] = i
        uv[count, 0], uv[count, 1] = u, v
        count += 1
    return count


@njit(cache=True, nogil=True)
@no_type_check
def _cover(patches: Any, samples: Any, tolerances: Any, inverse_depth: Any, covered: Any) -> None:
    """Marks the samples on unhidden parts."""
    center, radius, normal, token, parts, sky, view, rotations, sources = patches
    rays_x, rays_y, lens, inverse_depths = samples
    for i in range(len(radius)):
        plane = (0.0, 0.0, 0.0)
        if not sky[i]:
            plane = _plane(normal[i], rotations[view[i]], center[i])
            if plane[0] == 0 and plane[1] == 0 and plane[2] == 0:
                continue
        edges = _edges(sources[view[i]], plane, token[i])
        sphere = (center[i, 0], center[i, 1], center[i, 2], np.inf if sky[i] else radius[i])
        window, _ = _window(edges, plane, sphere, samples)
        bounds = (_bound(edges[0], lens), _bound(edges[1], lens), _bound(edges[2], lens), _bound(edges[3], lens))
        for row in range(window[2], window[3]):
            ray_y = rays_y[row]
            left, right = _span(bounds, row, window)
            for column in range(left, right):
                ray_x, nearest = rays_x[column], inverse_depth[row, column]
                if covered[row, column] or not _is_filled(ray_x, ray_y, edges, parts[i]):
                    continue
                w = plane[0] * ray_x + (plane[1] * ray_y + plane[2])
                if sky[i]:
                    covered[row, column] = nearest == 0
                elif _is_within(ray_x, ray_y, w, sphere, inverse_depths):
                    covered[row, column] = 1 / w <= (1 / nearest) * (1 + tolerances[0]) + tolerances[1] * radius[i]


# Planes and footprints


@njit(cache=True, nogil=True)
@no_type_check
def _normal(packed: Any, rotation: Any) -> tuple[float, float, float]:
    """`patch.decode_normal` in float64 and in camera axes, at any length."""
    x, y = packed[0] / 32_767, packed[1] / 32_767
    z = 1 - abs(x) - abs(y)
    if z < 0:
        x, y = (1 - abs(y)) * (1.0 if x >= 0 else -1.0), (1 - abs(x)) * (1.0 if y >= 0 else -1.0)
    return (
        rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z,
        rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z,
        rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z,
    )


@njit(cache=True, nogil=True)
@no_type_check
def _plane(packed: Any, rotation: Any, center: Any) -> tuple[float, float, float]:
    """Returns normal / (normal @ center), or zero when it is seen edge-on."""
    nx, ny, nz = _normal(packed, rotation)
    x, y, z = center[0], center[1], center[2]
    height, span = nx * x + ny * y + nz * z, (nx * nx + ny * ny + nz * nz) * (x * x + y * y + z * z)
    if height * height <= EDGE_ON * EDGE_ON * span:
        return 0.0, 0.0, 0.0
    return nx / height, ny / height, nz / height


@njit(cache=True, nogil=True)
@no_type_check
def _facing(packed: Any, rotation: Any, center: Any) -> float:
    """Returns the cosine between the normal and the direction to the camera."""
    nx, ny, nz = _normal(packed, rotation)
    x, y, z = center[0], center[1], center[2]
    span = (nx * nx + ny * ny + nz * nz) * (x * x + y * y + z * z)
    return -(nx * x + ny * y + nz * z) / np.sqrt(span) if span > 0 else 0.0


@njit(cache=True, nogil=True)
@no_type_check
def _edges(source: Any, plane: Any, token: Any) -> Any:
    """Returns the left, right, top and bottom edge of a token: edge @ ray >= 0 on the inside.

    With (u, v, d) = (source @ [I; plane]) @ ray the source token is (u, v) / d; left + right = top + bottom = d.
    """
    px, py, pz = plane
    u = (source[0, 0] + source[0, 3] * px, source[0, 1] + source[0, 3] * py, source[0, 2] + source[0, 3] * pz)
    v = (source[1, 0] + source[1, 3] * px, source[1, 1] + source[1, 3] * py, source[1, 2] + source[1, 3] * pz)
    d = (source[2, 0] + source[2, 3] * px, source[2, 1] + source[2, 3] * py, source[2, 2] + source[2, 3] * pz)
    column, row = float(token[0]), float(token[1])
    left = (u[0] - column * d[0], u[1] - column * d[1], u[2] - column * d[2])
    top = (v[0] - row * d[0], v[1] - row * d[1], v[2] - row * d[2])
    right = (d[0] - left[0], d[1] - left[1], d[2] - left[2])
    bottom = (d[0] - top[0], d[1] - top[1], d[2] - top[2])
    return left, right, top, bottom


@njit(cache=True, nogil=True)
@no_type_check
def _along(line: Any, ray_x: float, ray_y: float) -> float:
    return line[0] * ray_x + (line[1] * ray_y + line[2])


@njit(cache=True, nogil=True)
@no_type_check
def _is_filled(ray_x: float, ray_y: float, edges: Any, parts: int) -> bool:
    """Whether a ray meets a filled part of the token."""
    left, right = _along(edges[0], ray_x, ray_y), _along(edges[1], ray_x, ray_y)
    top, bottom = _along(edges[2], ray_x, ray_y), _along(edges[3], ray_x, ray_y)
    if left < 0 or right < 0 or top < 0 or bottom < 0:
        return False
    if parts == WHOLE:
        return True
    width, height = left + right, top + bottom
    column, row = 0, 0
    for k in range(1, PARTS):
        column += PARTS * left >= k * width
        row += PARTS * top >= k * height
    return (parts >> (PARTS * row + column)) & 1 == 1


@njit(cache=True, nogil=True)
@no_type_check
def _is_within(ray_x: float, ray_y: float, w: float, sphere: Any, inverse_depths: Any) -> bool:
    """Whether the point at inverse depth `w` of a ray lies in the sphere, and between near and far."""
    if not (w > 0 and inverse_depths[0] <= w <= inverse_depths[1]):
        return False
    x, y, z, radius = sphere
    dx, dy, dz = ray_x - x * w, ray_y - y * w, 1 - z * w
    return dx * dx + dy * dy + dz * dz <= (radius * w) * (radius * w)


# Which samples to look at, never too few


@njit(cache=True, nogil=True)
@no_type_check
def _range(low: float, high: float, first: int, last: int) -> tuple[int, int]:
    """Returns first and last + 1 of the whole numbers between two numbers, within `first` to `last`."""
    low, high = low - HAIR, high + HAIR
    start = first if low <= first else int(np.ceil(low)) if low < last else last
    stop = last if high >= last else int(np.floor(high)) + 1 if high >= first else first
    return start, stop


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _window(edges: Any, plane: Any, sphere: Any, samples: Any) -> tuple[tuple[int, int, int, int], float]:
    """Returns the window that holds the token's corners, and the largest inverse depth there.

    Where a corner lies behind one of the two cameras, it is the sphere's.
    """
    rays_x, rays_y, lens, _ = samples
    ahead = (edges[0][0] + edges[1][0], edges[0][1] + edges[1][1], edges[0][2] + edges[1][2])
    corner, across, down = _cross(edges[0], edges[2]), _cross(ahead, edges[2]), _cross(edges[0], ahead)
    sign = ahead[0] * corner[0] + ahead[1] * corner[1] + ahead[2] * corner[2]
    left, right, top, bottom, nearest = np.inf, -np.inf, np.inf, -np.inf, -np.inf
    lowest = np.inf
    for column in range(2):
        for row in range(2):
            z = corner[2] - column * across[2] - row * down[2]
            lowest = min(lowest, z * sign)
            x = (corner[0] - column * across[0] - row * down[0]) / z
            y = (corner[1] - column * across[1] - row * down[1]) / z
            left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
            nearest = max(nearest, plane[0] * x + (plane[1] * y + plane[2]))
    if not lowest > 0:
        box = _box(sphere)
        return _box_window(box, samples), _nearest(box)
    first_column, last_column = _range(left * lens[0] + lens[2], right * lens[0] + lens[2], 0, len(rays_x))
    first_row, last_row = _range(top * lens[1] + lens[3], bottom * lens[1] + lens[3], 0, len(rays_y))
    return (first_column, last_column, first_row, last_row), nearest


@njit(cache=True, nogil=True)
@no_type_check
def _cross(a: Any, b: Any) -> tuple[float, float, float]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@njit(cache=True, nogil=True)
@no_type_check
def _box_window(box: Any, samples: Any) -> tuple[int, int, int, int]:
    """Returns the window that holds what of a box lies beyond near."""
    rays_x, rays_y, lens, inverse_depths = samples
    x0, x1, y0, y1, z0, z1 = box
    if x0 > x1 or z1 * inverse_depths[1] < 1 - HAIR:
        return 0, 0, 0, 0
    if np.isinf(z1):
        return 0, len(rays_x), 0, len(rays_y)
    near = 1 / max(z0, 1 / inverse_depths[1])
    far = min(near, 1 / z1)
    left, right = x0 * (near if x0 < 0 else far), x1 * (far if x1 < 0 else near)
    top, bottom = y0 * (near if y0 < 0 else far), y1 * (far if y1 < 0 else near)
    first_column, last_column = _range(left * lens[0] + lens[2], right * lens[0] + lens[2], 0, len(rays_x))
    first_row, last_row = _range(top * lens[1] + lens[3], bottom * lens[1] + lens[3], 0, len(rays_y))
    return first_column, last_column, first_row, last_row


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _bound(edge: Any, lens: Any) -> tuple[float, float, float, float]:
    """Returns (low, low per row, high, high per row): between which columns the inside of an edge lies."""
    slope, per_row = edge[0] / lens[0], edge[1] / lens[1]
    rest = edge[2] - slope * lens[2] - per_row * lens[3]
    if abs(slope) <= LEVEL * (abs(per_row) + abs(rest)):
        return -np.inf, 0.0, np.inf, 0.0
    start, step = -rest / slope, -per_row / slope
    return (start, step, np.inf, 0.0) if slope > 0 else (-np.inf, 0.0, start, step)


@njit(cache=True, nogil=True)
@no_type_check
def _span(bounds: Any, row: int, window: Any) -> tuple[int, int]:
    """Returns the columns of the window that lie inside all edges in one row."""
    low, high = -np.inf, np.inf
    for k in range(4):
        bound = bounds[k]
        low, high = max(low, bound[0] + bound[1] * row), min(high, bound[2] + bound[3] * row)
    return _range(low, high, window[0], window[1])


# What lies behind


@njit(cache=True, nogil=True)
@no_type_check
def _box(sphere: Any) -> tuple[float, float, float, float, float, float]:
    x, y, z, radius = sphere
    return x - radius, x + radius, y - radius, y + radius, z - radius, z + radius


@njit(cache=True, nogil=True)
@no_type_check
def _nearest(box: Any) -> float:
    """Returns the largest inverse depth in a box."""
    return 1 / box[4] if box[4] > 0 else np.inf


@njit(cache=True, nogil=True)
@no_type_check
def _stretches(center: Any, radius: Any, sky: Any) -> tuple[Any, Any]:
    """Returns a box around the spheres of each stretch of surfaces, and the depth of its nearest centre.

    Of a stretch without surfaces, the box's first corner lies beyond its last.
    """
    count = (len(radius) + STRETCH - 1) // STRETCH
    boxes, depths = np.empty((count, 6)), np.full(count, np.inf)
    boxes[:, 0::2], boxes[:, 1::2] = np.inf, -np.inf
    for i in range(len(radius)):
        if not sky[i]:
            k = i // STRETCH
            own = _box((center[i, 0], center[i, 1], center[i, 2], radius[i]))
            for axis in range(3):
                boxes[k, 2 * axis] = min(boxes[k, 2 * axis], own[2 * axis])
                boxes[k, 2 * axis + 1] = max(boxes[k, 2 * axis + 1], own[2 * axis + 1])
            depths[k] = min(depths[k], center[i, 2])
    return boxes, depths


@njit(cache=True, nogil=True)
@no_type_check
def _is_behind(nearest: float, window: Any, farthest: Any) -> bool:
    """Whether all tiles under a window are filled with something nearer: then nothing in it can win a sample."""
    least = nearest * (1 + 1e-9)
    for row in range(window[2] // TILE, (window[3] + TILE - 1) // TILE):
        for column in range(window[0] // TILE, (window[1] + TILE - 1) // TILE):
            if farthest[row, column] <= least:
                return False
    return True


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
