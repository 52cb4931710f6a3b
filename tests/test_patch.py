"""Patch ids, packed normals and source frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memstore.camera import Camera, look_at
from memstore.patch import SourceFrames, decode_normal, encode_normal, patch_ids, split_ids

WORD = st.integers(0, 2**32 - 1)


@given(WORD, st.lists(WORD, max_size=8))
def test_ids_split_into_what_they_were_made_of(segment, rows):
    rows = np.array(rows, np.uint32)
    ids = patch_ids(segment, rows)
    assert ids.tolist() == [(segment << 32) + int(row) for row in rows]
    segments, again = split_ids(ids)
    assert segments.tolist() == [segment] * len(rows)
    np.testing.assert_array_equal(again, rows)


def test_ids_sort_by_segment_then_row():
    ids = np.concatenate([patch_ids(s, np.array([0, 7, 2**32 - 1], np.uint32)) for s in (0, 1, 2**32 - 1)])
    assert (np.diff(ids.astype(object)) > 0).all()


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(a - b, axis=1) / 2, 0, 1)))


def test_packed_normals_are_within_a_hundredth_of_a_degree():
    normals = np.random.default_rng(0).normal(size=(200_000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    decoded = decode_normal(encode_normal(normals))
    assert angle_between(decoded, normals).max() < 0.01
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_axes_edges_and_corners_come_back_from_packing(dtype):
    grid = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z], dtype)
    normals = grid / np.linalg.norm(grid, axis=1, keepdims=True)
    assert angle_between(decode_normal(encode_normal(normals)), normals).max() < 0.01
    axes = np.concatenate([np.eye(3, dtype=dtype), -np.eye(3, dtype=dtype)])
    np.testing.assert_array_equal(decode_normal(encode_normal(axes)), axes)


def test_packing_is_stable():
    packed = encode_normal(np.random.default_rng(1).normal(size=(10_000, 3)))
    again = encode_normal(decode_normal(packed))
    assert np.abs(again.astype(int) - packed).max() <= 1


def test_source_frames_give_their_cameras_back():
    cameras = [Camera(50, 40 + k, 31, 22, 64, 48, look_at((k, 0, 1), (3, 4, k))) for k in range(3)]
    frames = SourceFrames(
        ordinal=np.arange(5, 8),
        time_s=np.zeros(3),
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras]),
        camera_to_world=np.stack([c.camera_to_world for c in cameras]),
        width=64,
        height=48,
    )
    assert len(frames) == 3
    assert [frames.camera(k) for k in range(3)] == cameras
