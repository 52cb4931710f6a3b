"""Forget: which stored patches new frames prove gone, as a door that opened or a monster that walked away.

1. A frame measures free space: up to its depth at a pixel there is nothing. Around edges pixels are worth less, so the
   smallest depth within `edge_px` counts. Sky, unmeasured depth and what moves prove nothing, nor does the outside.
2. Only patches of earlier frames are judged, and of these only those in blocks that touch the frustum up to the
   farthest depth that was measured.
3. A frame takes sides where the patch's centre lands: free space that ends within the margin of its depth says that it
   is in place; free space that ends beyond that lets it be looked through; what hides it says nothing.
4. Looked through means the footprint: of all pixels whose rays meet the filled parts of the patch's token, on its own
   plane, at least `seen_through` must be free up to beyond the margin. The whole sphere must lie inside the image.
5. `agreeing_frames` frames must look through the patch, with none in between that sees it in place. It is gone from the
   last of these on.

A surface that is still there fills its own footprint from wherever it is seen, so that edges and thin things stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt32
from numba import njit

from memstore.arrays import bare
from memstore.camera import Camera
from memstore.errors import InvalidInput
from memstore.frame import Frame
from memstore.frustum import Frustum
from memstore.patch import PARTS
from memstore.segment import NEVER_HIDDEN, Segment
from memstore.transform import Transform

NEAREST_M = 0.05
"""Nothing nearer to a camera than this is judged, metres."""
MOST_FRAMES = 255


@dataclass(frozen=True)
class ForgetOptions:
    """When new frames prove that a stored patch is no longer there."""

    enabled: bool = True
    """Whether anything is forgotten at all."""
    agreeing_frames: int = 2
    """Frames that must look through a patch, with none in between that sees it in place; at most 255."""
    seen_through: float = 0.5
    """Share of the patch's footprint that a frame must look through; above 0, at most 1."""
    edge_px: int = 2
    """Pixels around every pixel that must be free as well: room for errors of cameras and edges."""
    radius_margin: float = 0.5
    """How far beyond the patch free space must reach, in radii of the patch."""
    depth_margin: float = 0.05
    """The same as a share of the depth at which the patch was seen or is looked through, whichever is larger; both
    margins are added."""

    def __post_init__(self) -> None:
        _require(1 <= self.agreeing_frames <= MOST_FRAMES, "agreeing_frames", "1 to 255", self.agreeing_frames)
        _require(0 < self.seen_through <= 1, "seen_through", "a share above 0 and at most 1", self.seen_through)
        _require(self.edge_px >= 0, "edge_px", "a number of pixels", self.edge_px)
        for name in ("radius_margin", "depth_margin"):
            margin = getattr(self, name)
            _require(0 <= margin < np.inf, name, "finite and not negative", margin)

    @classmethod
    def of(cls, asked: bool | ForgetOptions | None) -> ForgetOptions:
        """Returns options as they are, the defaults for `None` and True, and options that forget nothing for False."""
        return asked if isinstance(asked, ForgetOptions) else cls(enabled=asked is not False)


@dataclass(frozen=True, eq=False)
class Witness:
    """The free space that one frame measured."""

    camera: Camera
    """Where it looked from."""
    ordinal: int
    """The frame's ordinal."""
    free_m: Float32[np.ndarray, "h w"]
    """Planar depth up to which space is free at a pixel and around it, metres; 0 where nothing is proved."""

    @classmethod
    def of(cls, frame: Frame, ordinal: int, edge_px: int) -> Witness:
        """Returns what a frame proves."""
        free = np.empty_like(frame.depth_m)
        moving = np.zeros((0, 0), np.bool_) if frame.moving is None else frame.moving
        _smallest_within(bare(frame.depth_m), bare(moving), edge_px, free)
        return cls(frame.camera, ordinal, free)


@dataclass(frozen=True, eq=False)
class FreeSpace:
    """The free space that f frames of one size measured."""

    witnesses: tuple[Witness, ...]
    """One a frame that proves anything, by ordinal."""
    planes: Float64[np.ndarray, "f 6 4"]
    """Half-spaces of their frustums up to the farthest depth measured: (n, d), where n @ x + d is metres inside."""

    @classmethod
    def of(cls, frames: Sequence[Frame], first_ordinal: int, options: ForgetOptions) -> FreeSpace:
        """Returns what frames of consecutive ordinals prove: nothing where options forget nothing."""
        numbered = enumerate(frames if options.enabled else (), first_ordinal)
        found = (Witness.of(frame, ordinal, options.edge_px) for ordinal, frame in numbered)
        witnesses = tuple(witness for witness in found if witness.free_m.any())
        planes = np.array([_planes(witness) for witness in witnesses], np.float64).reshape(-1, 6, 4)
        return cls(witnesses, planes)

    def touches(
        self,
        low: Float64[np.ndarray, "b 3"] | Float32[np.ndarray, "b 3"],
        high: Float64[np.ndarray, "b 3"] | Float32[np.ndarray, "b 3"],
        origin: Float64[np.ndarray, "3"],
    ) -> Bool[np.ndarray, "f b"]:
        """Returns which boxes touch the frustum of which witness.

        Args:
            low: smallest corner of each of b boxes, relative to `origin`, metres.
            high: largest corners.
            origin: what the corners are relative to, in the world.
        """
        normals = self.planes[..., :3]
        distance = self.planes[..., 3:] + (normals @ origin)[..., None]
        middle, half = (low.astype(np.float64) + high) / 2, (high.astype(np.float64) - low) / 2
        return np.all(normals @ middle.T + np.abs(normals) @ half.T + distance >= 0, axis=1)


def _planes(witness: Witness) -> Float64[np.ndarray, "6 4"]:
    farthest_m = max(NEAREST_M, float(witness.free_m.max()))
    return Frustum.of(witness.camera, NEAREST_M, farthest_m).carried(Transform.identity(), np.zeros(3))


def forget(
    segment: Segment,
    free: FreeSpace,
    options: ForgetOptions,
    hidden_from: UInt32[np.ndarray, "n"] | None = None,
) -> UInt32[np.ndarray, "n"]:
    """Returns for each row the ordinal of the frame that proves it gone, or NEVER_HIDDEN.

    Args:
        segment: the patches, as observed in place.
        free: what new frames measured.
        options: when a patch counts as gone.
        hidden_from: rows that are hidden already, at whatever ordinal, are left alone; `None` hides nothing.
    """
    before = np.full(len(segment.patches), NEVER_HIDDEN, np.uint32) if hidden_from is None else hidden_from
    after, votes = before.copy(), np.zeros(len(before), np.uint8)
    patches, blocks = segment.patches, segment.blocks
    surfaces = np.s_[: blocks.surface_blocks]
    touched = free.touches(blocks.low[surfaces], blocks.high[surfaces], patches.origin)
    columns = (patches.center, patches.radius, patches.frame, patches.normal, patches.cell, patches.parts)
    bare_columns, sources = tuple(bare(column) for column in columns), _sources(segment)
    rules = (options.agreeing_frames, options.seen_through, options.radius_margin, options.depth_margin)
    for witness, blocks_touched in zip(free.witnesses, touched, strict=True):
        here = np.flatnonzero(blocks_touched)
        if len(here):
            _testify(
                _view(witness, patches.origin),
                (blocks.start[here], blocks.start[here + 1]),
                bare_columns,
                (bare(segment.frames.ordinal), sources, segment.token_columns),
                rules,
                witness.ordinal,
                (votes, after),
            )
    return np.where(after != before, after, NEVER_HIDDEN)


def _view(witness: Witness, origin: Float64[np.ndarray, "3"]) -> tuple[Any, ...]:
    """Returns lens, segment <- camera, the camera's centre relative to the segment's origin, and free space."""
    camera = witness.camera
    lens = (camera.fx, camera.fy, camera.cx, camera.cy)
    rotation = np.ascontiguousarray(camera.camera_to_world[:3, :3])
    return lens, bare(rotation), bare(camera.center - origin), bare(witness.free_m)


def _sources(segment: Segment) -> Float64[np.ndarray, "f 3 4"]:
    """Returns source tokens <- segment for each source frame: (column, row, 1) times the depth there."""
    frames = segment.frames
    token_px = frames.width / segment.token_columns
    lens = np.zeros((len(frames), 3, 3))
    lens[:, [0, 1, 0, 1], [0, 1, 2, 2]] = frames.intrinsics / token_px
    lens[:, 2, 2] = 1
    turned = lens @ frames.camera_to_world[:, :3, :3].transpose(0, 2, 1)
    eye = frames.camera_to_world[:, :3, 3:] - segment.patches.origin[:, None]
    return np.concatenate([turned, -turned @ eye], axis=2)


def _require(holds: bool, field: str, wanted: str, found: object) -> None:
    if not holds:
        raise InvalidInput(f"{field} must be {wanted}, got {found!r}.", field=field)


# The kernels. Everything is in metres relative to the segment's origin, along the axes of the world. What is done for
# every row stands in one function: handing its arrays on costs 3.8 instead of 1.8 ms a frame of the indoor clip.


@njit(cache=True, nogil=True)
@no_type_check
def _smallest_within(depth: Any, moving: Any, reach: int, free: Any) -> None:
    """Fills `free` with the smallest depth in the square of `reach` around each pixel; what proves nothing counts 0."""
    rows, columns = depth.shape
    padded = np.zeros((rows + 2 * reach, columns + 2 * reach), np.float32)
    for row in range(rows):
        for column in range(columns):
            z = depth[row, column]
            if 0 < z < np.inf and not (moving.size and moving[row, column]):
                padded[row + reach, column + reach] = z
    across = padded[:, :columns].copy()
    for shift in range(1, 2 * reach + 1):
        across = np.minimum(across, padded[:, shift : shift + columns])
    free[:] = across[:rows]
    for shift in range(1, 2 * reach + 1):
        free[:] = np.minimum(free, across[shift : shift + rows])


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _testify(view: Any, runs: Any, patches: Any, known: Any, rules: Any, witness_ordinal: int, findings: Any) -> None:
    """Takes what one frame says of the rows in `runs` into `findings`: votes against each, and what hides it."""
    (fx, fy, cx, cy), rotation, eye, free = view
    center, radius, frame = patches[0], patches[1], patches[2]
    ordinal, source = known[0], known[1]
    agreeing, needed, radius_margin, depth_margin = rules
    votes, hidden_from = findings
    for run in range(len(runs[0])):
        for row in range(runs[0][run], runs[1][run]):
            if hidden_from[row] != NEVER_HIDDEN or ordinal[frame[row]] >= witness_ordinal:
                continue
            x, y, z = center[row, 0] - eye[0], center[row, 1] - eye[1], center[row, 2] - eye[2]
            depth = rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2] * z
            if depth <= NEAREST_M:
                continue
            right = (rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0] * z) / depth
            down = (rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1] * z) / depth
            u, v = fx * right + cx, fy * down + cy
            if not (0 <= u < free.shape[1] and 0 <= v < free.shape[0]):
                continue
            until = free[int(v), int(u)]
            seen_at = _row_of(source, frame[row], 2, center[row, 0], center[row, 1], center[row, 2])
            margin = radius_margin * radius[row] + depth_margin * max(depth, seen_at)
            if until > depth + margin:
                if _is_seen_through(view, (right, down, depth), patches, known, row, margin, needed):
                    votes[row] += 1
                    if votes[row] >= agreeing:
                        hidden_from[row] = witness_ordinal
            elif until > 0 and until > depth - margin:
                votes[row] = 0


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _is_seen_through(view: Any, ray: Any, patches: Any, known: Any, row: int, margin: float, needed: float) -> bool:
    """Whether the sphere lies in the image, and enough of the pixels that meet what it holds are free up to beyond."""
    (fx, fy, cx, cy), rotation, eye, free = view
    u, v = fx * ray[0] + cx, fy * ray[1] + cy
    reach_u = fx * np.hypot(1, ray[0]) * patches[1][row] / ray[2]
    reach_v = fy * np.hypot(1, ray[1]) * patches[1][row] / ray[2]
    left, last_column = int(np.floor(u - reach_u)), int(u + reach_u)
    top, last_row = int(np.floor(v - reach_v)), int(v + reach_v)
    if left < 0 or top < 0 or last_column >= free.shape[1] or last_row >= free.shape[0]:
        return False
    at_x, at_y, at_z = patches[0][row]
    squared = float(patches[1][row]) ** 2
    nx, ny, nz = _normal(patches[3][row, 0] / 32_767, patches[3][row, 1] / 32_767)
    height = nx * (at_x - eye[0]) + ny * (at_y - eye[1]) + nz * (at_z - eye[2])
    met, through = 0, 0
    for down_px in range(top, last_row + 1):
        for right_px in range(left, last_column + 1):
            right, down = (right_px + 0.5 - cx) / fx, (down_px + 0.5 - cy) / fy
            ray_x = rotation[0, 0] * right + rotation[0, 1] * down + rotation[0, 2]
            ray_y = rotation[1, 0] * right + rotation[1, 1] * down + rotation[1, 2]
            ray_z = rotation[2, 0] * right + rotation[2, 1] * down + rotation[2, 2]
            depth = height / (nx * ray_x + ny * ray_y + nz * ray_z)
            x, y, z = eye[0] + depth * ray_x, eye[1] + depth * ray_y, eye[2] + depth * ray_z
            off = (x - at_x) ** 2 + (y - at_y) ** 2 + (z - at_z) ** 2
            if depth > 0 and off <= squared and _is_filled(x, y, z, patches, known, row):
                met += 1
                through += free[down_px, right_px] > depth + margin
    return met > 0 and through >= needed * met


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _is_filled(x: float, y: float, z: float, patches: Any, known: Any, row: int) -> bool:
    """Whether a point lies in a filled part of a patch's token, as its source camera saw it."""
    frame, cell, columns = patches[2][row], patches[4][row], known[2]
    depth = _row_of(known[1], frame, 2, x, y, z)
    across = PARTS * (_row_of(known[1], frame, 0, x, y, z) / depth - cell % columns)
    down = PARTS * (_row_of(known[1], frame, 1, x, y, z) / depth - cell // columns)
    if not (depth > 0 and 0 <= across < PARTS and 0 <= down < PARTS):
        return False
    return (patches[5][row] >> (PARTS * int(down) + int(across))) & 1 == 1


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _row_of(source: Any, frame: int, i: int, x: float, y: float, z: float) -> float:
    """Returns one row of source tokens <- segment, times (x, y, z, 1)."""
    return source[frame, i, 0] * x + source[frame, i, 1] * y + source[frame, i, 2] * z + source[frame, i, 3]


@njit(cache=True, nogil=True, error_model="numpy")
@no_type_check
def _normal(x: float, y: float) -> tuple[float, float, float]:
    """`patch.decode_normal` of one, at any length."""
    z = 1 - abs(x) - abs(y)
    if z < 0:
        return (1 - abs(y)) * (1.0 if x >= 0 else -1.0), (1 - abs(x)) * (1.0 if y >= 0 else -1.0), z
    return x, y, z
