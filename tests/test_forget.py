"""What new frames prove gone, against a slow twin and against the truth."""

from dataclasses import replace
from pathlib import Path

import hall
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import minimum_filter

import memstore as ms
from memstore.errors import InvalidInput
from memstore.forget import NEAREST_M, ForgetOptions, FreeSpace, forget
from memstore.latent import LatentSpec
from memstore.segment import NEVER_HIDDEN, Segment

DEFAULT = ForgetOptions()


def gone(segment: Segment, frames: list[ms.Frame], first: int, options: ForgetOptions = DEFAULT) -> np.ndarray:
    return forget(segment, FreeSpace.of(frames, first, options), options)


def centers(segment: Segment) -> np.ndarray:
    return segment.patches.origin + segment.patches.center.astype(np.float64)


# The twin


def normal_of(packed: np.ndarray) -> np.ndarray:
    x, y = packed / 32_767
    z = 1 - abs(x) - abs(y)
    if z < 0:
        x, y = (1 - abs(y)) * (1 if x >= 0 else -1), (1 - abs(x)) * (1 if y >= 0 else -1)
    return np.array([x, y, z])


def free_space(frame: ms.Frame, edge_px: int) -> np.ndarray:
    proves = frame.measured if frame.moving is None else frame.measured & ~frame.moving
    return minimum_filter(np.where(proves, frame.depth_m, 0), 2 * edge_px + 1, mode="constant", cval=0.0)


def footprint(segment: Segment, row: int, camera: ms.Camera) -> tuple[np.ndarray, np.ndarray]:
    """Returns which pixels of a camera meet a patch's filled parts, and at what depth."""
    patches, source = segment.patches, segment.frames.camera(int(segment.patches.frame[row]))
    center, normal = centers(segment)[row], normal_of(patches.normal[row])
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = camera.unproject(np.stack([u, v], -1), np.ones(u.shape)) - camera.center
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = (normal @ (center - camera.center)) / (rays @ normal)
        points = camera.center + depth[..., None] * rays
        uv, seen_at = source.project(points)
        cell = uv / (source.width / segment.token_columns)
        off = np.linalg.norm(points - center, axis=-1)
    token_row, token_column = divmod(int(patches.cell[row]), segment.token_columns)
    part = np.floor(4 * (np.nan_to_num(cell, nan=-9) - [token_column, token_row]))
    inside = (depth > 0) & (seen_at > 0) & (off <= patches.radius[row]) & ((part >= 0) & (part < 4)).all(axis=-1)
    bit = np.where(inside, 4 * part[..., 1] + part[..., 0], 0).astype(int)
    return inside & (int(patches.parts[row]) >> bit & 1).astype(bool), depth


def verdict(segment: Segment, row: int, camera: ms.Camera, free: np.ndarray, options: ForgetOptions) -> bool | None:
    """Returns whether a frame looks through a patch (True), sees it in place (False) or says nothing."""
    patches, center, radius = segment.patches, centers(segment)[row], float(segment.patches.radius[row])
    (u, v), depth = camera.project(center)
    if depth <= NEAREST_M or not (0 <= u < camera.width and 0 <= v < camera.height):
        return None
    _, seen_at = segment.frames.camera(int(patches.frame[row])).project(center)
    margin = options.radius_margin * radius + options.depth_margin * max(depth, seen_at)
    until = free[int(v), int(u)]
    if until <= depth + margin:
        return False if until > max(depth - margin, 0) else None
    reach_u = camera.fx * radius / depth * np.hypot(1, (u - camera.cx) / camera.fx)
    reach_v = camera.fy * radius / depth * np.hypot(1, (v - camera.cy) / camera.fy)
    if u - reach_u < 0 or v - reach_v < 0 or u + reach_u >= camera.width or v + reach_v >= camera.height:
        return None
    met, at = footprint(segment, row, camera)
    through = met & (free > at + margin)
    return True if met.any() and through.sum() >= options.seen_through * met.sum() else None


def twin(segment: Segment, frames: list[ms.Frame], first: int, options: ForgetOptions) -> np.ndarray:
    found = np.full(len(segment.patches), NEVER_HIDDEN, np.uint32)
    free = [free_space(frame, options.edge_px) for frame in frames]
    for row in range(segment.patches.surface_count):
        votes = 0
        for ordinal, frame in enumerate(frames, first):
            if segment.frames.ordinal[segment.patches.frame[row]] >= ordinal:
                continue
            said = verdict(segment, row, frame.camera, free[ordinal - first], options)
            votes = {True: votes + 1, False: 0, None: votes}[said]
            if votes >= options.agreeing_frames:
                found[row] = ordinal
                break
    return found


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    agreeing=st.integers(1, 3),
    seen_through=st.floats(0.05, 1),
    edge_px=st.integers(0, 2),
    margins=st.tuples(st.floats(0, 1), st.floats(0, 0.2)),
    overlap=st.booleans(),
)
def test_the_kernel_is_its_slow_twin(seed, agreeing, seen_through, edge_px, margins, overlap):
    rng = np.random.default_rng(seed)
    options = ForgetOptions(True, agreeing, seen_through, edge_px, *margins)
    frames = [rough(rng, 10 * rng.random()) for _ in range(5)]
    segment = hall.remembered(frames[:2], LatentSpec.pixel(patch=4))
    first = 0 if overlap else 2
    expected = twin(segment, frames[first:], first, options)
    np.testing.assert_array_equal(gone(segment, frames[first:], first, options), expected)


def rough(rng: np.random.Generator, step: float) -> ms.Frame:
    """Returns a small frame with holes, sky and moving pixels in it, a door and a visitor by chance."""
    seen = hall.frame(step, door=rng.random() < 0.3, visitor=rng.random() < 0.5, size=(40, 24))
    depth, moving = seen.depth_m * (1 + rng.normal(0, 0.01, (24, 40)).astype(np.float32)), np.zeros((24, 40), bool)
    for value in (0.0, np.nan, np.inf):
        top, left = rng.integers(24), rng.integers(40)
        depth[top : top + 5, left : left + 6] = value
    moving[rng.integers(24) :, : rng.integers(8)] = True
    return replace(seen, depth_m=depth, moving=moving if rng.random() < 0.5 else None)


# The truth


def test_a_door_that_opened_is_gone_and_nothing_else_is():
    segment = hall.remembered([hall.frame(i, door=True) for i in range(4)])
    found = gone(segment, [hall.frame(i) for i in range(4, 8)], 4)
    door = hall.of_door(centers(segment)[: segment.patches.surface_count])
    assert door.sum() > 70
    assert (found[: len(door)][door] != NEVER_HIDDEN).mean() > 0.9
    assert (found[: len(door)][~door] == NEVER_HIDDEN).all()
    assert set(found.tolist()) <= {5, 6, 7, int(NEVER_HIDDEN)}


def test_a_visitor_that_left_is_gone_but_for_its_feet():
    segment = hall.remembered([hall.frame(i, visitor=True) for i in range(4)])
    found = gone(segment, [hall.frame(i) for i in range(4, 8)], 4)
    visitor = hall.of_visitor(centers(segment)[: segment.patches.surface_count])
    assert visitor.sum() > 25
    assert (found[: len(visitor)][visitor] != NEVER_HIDDEN).mean() > 0.9
    beside = np.linalg.norm(centers(segment)[found != NEVER_HIDDEN] - hall.VISITOR.mean(axis=0), axis=1)
    assert beside.max() < 1.5


def without_proof(value: float | None):
    """Returns frames that look at an open door through which nothing was measured, or where all moves."""

    def seen(step: float) -> ms.Frame:
        frame = hall.frame(step)
        behind = frame.depth_m > hall.frame(step, door=True).depth_m
        if value is None:
            return replace(frame, moving=behind)
        return replace(frame, depth_m=np.where(behind, np.float32(value), frame.depth_m))

    return [seen(step) for step in range(4, 10)]


@pytest.mark.parametrize("value", [np.inf, 0.0, np.nan, None], ids=["sky", "nothing", "nan", "moving"])
def test_sky_and_unmeasured_depth_and_what_moves_prove_nothing(value):
    segment = hall.remembered([hall.frame(i, door=True) for i in range(4)])
    assert (gone(segment, without_proof(value), 4) == NEVER_HIDDEN).all()


def test_one_frame_alone_proves_nothing():
    segment = hall.remembered([hall.frame(i, door=True) for i in range(4)])
    assert (gone(segment, [hall.frame(4)], 4) == NEVER_HIDDEN).all()
    assert (gone(segment, [hall.frame(4)], 4, replace(DEFAULT, agreeing_frames=1)) == 4).sum() > 60


def test_a_frame_that_sees_a_patch_in_place_makes_the_count_begin_anew():
    segment = hall.remembered([hall.frame(i, door=True) for i in range(4)])
    ajar = [hall.frame(i, door=i % 2 == 0) for i in range(4, 12)]
    door = hall.of_door(centers(segment))
    assert (gone(segment, ajar, 4)[door] != NEVER_HIDDEN).mean() < 0.05


def test_patches_of_the_same_batch_are_gone_from_later_frames_of_it():
    frames = [hall.frame(i, visitor=i < 3) for i in range(6)]
    segment = hall.remembered(frames)
    found = gone(segment, frames, 0)
    assert set(found[found != NEVER_HIDDEN].tolist()) <= {4, 5}
    assert (segment.patches.frame[found != NEVER_HIDDEN] < 3).all()
    assert (found[hall.of_visitor(centers(segment))] != NEVER_HIDDEN).mean() > 0.9


def test_what_is_hidden_already_is_left_alone():
    segment = hall.remembered([hall.frame(i, door=True) for i in range(4)])
    free = FreeSpace.of([hall.frame(i) for i in range(4, 8)], 4, DEFAULT)
    hidden = np.where(np.arange(len(segment.patches)) % 2, np.uint32(4), NEVER_HIDDEN)
    found = forget(segment, free, DEFAULT, hidden)
    assert (found[1::2] == NEVER_HIDDEN).all()
    np.testing.assert_array_equal(found[::2], forget(segment, free, DEFAULT)[::2])


def test_walls_and_edges_do_not_erode_under_errors_of_depth_and_camera():
    rng = np.random.default_rng(0)
    frames = [shaken(hall.frame(i / 3, door=True, visitor=True), rng) for i in range(60)]
    segment = hall.remembered(frames)
    careless = replace(DEFAULT, agreeing_frames=1, edge_px=0)
    assert (gone(segment, frames, 0) == NEVER_HIDDEN).all()
    assert (gone(segment, frames, 0, careless) != NEVER_HIDDEN).sum() > 10


def shaken(frame: ms.Frame, rng: np.random.Generator) -> ms.Frame:
    """Returns a frame with 1 % noise in depth, 2 cm in place and 0.3 degrees in direction."""
    turn = ms.Transform.rotate_z(rng.normal(0, 0.3), degrees=True).rotation
    matrix = frame.camera.camera_to_world.copy()
    matrix[:3, :3] = turn @ matrix[:3, :3]
    matrix[:3, 3] += rng.normal(0, 0.02, 3)
    noisy = frame.depth_m * (1 + rng.normal(0, 0.01, frame.depth_m.shape)).astype(np.float32)
    return replace(frame, camera=frame.camera.at(matrix), depth_m=noisy)


def test_a_clip_of_a_real_game_loses_its_monsters_and_nothing_that_stays():
    clip = ms.read_clip(Path(ms.__file__).parent / "clips" / "freedoom-outdoor")
    frames = [clip[i] for i in range(64)]
    segment = hall.remembered([replace(frame, moving=None) for frame in frames])
    found = gone(segment, [replace(frame, moving=None) for frame in frames], 0)
    tokens = np.stack([frame.moving.reshape(20, 8, 32, 8).any(axis=(1, 3)).ravel() for frame in frames])
    moved = tokens[segment.patches.frame, segment.patches.cell][: segment.patches.surface_count]
    retired = found[: len(moved)] != NEVER_HIDDEN
    assert retired[moved].sum() > 200
    assert retired[~moved].mean() < 5e-4


def test_nothing_is_forgotten_where_options_say_so():
    assert not FreeSpace.of([hall.frame(0)], 0, ForgetOptions.of(False)).witnesses
    assert ForgetOptions.of(None) == ForgetOptions.of(True) == DEFAULT
    assert ForgetOptions.of(replace(DEFAULT, edge_px=1)).edge_px == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agreeing_frames", 0),
        ("agreeing_frames", 256),
        ("seen_through", 0.0),
        ("edge_px", -1),
        ("depth_margin", np.inf),
    ],
)
def test_options_that_mean_nothing_are_refused(field, value):
    with pytest.raises(InvalidInput, match=f"{field} must be"):
        ForgetOptions(**{field: value})
