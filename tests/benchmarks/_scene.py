"""A fixed scene for benchmarks: a walk along a street of painted rooms, exact depth, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from memstore import Camera, Frame, look_at

ROOM = np.array([6.0, 4.0, 1.6])
"""Half sizes of a room, metres."""
ROUND = 64
"""Frames walked in one room before the next."""


def frames(count: int, width: int = 256, height: int = 160) -> Iterator[Frame]:
    """Yields `count` frames; every `ROUND` of them lie in a room of their own."""
    for i in range(count):
        room, step = divmod(i, ROUND)
        seen = _rendered(step, width, height)
        yield replace(seen, camera=_moved(seen.camera, room), time_s=i / 10)


def cameras(count: int, rooms: int, width: int = 256, height: int = 160) -> list[Camera]:
    """Returns cameras between recorded ones, spread over the rooms."""
    rng = np.random.default_rng(7)
    return [_moved(_camera(rng.uniform(0, ROUND), width, height), int(rng.integers(rooms))) for _ in range(count)]


def _moved(camera: Camera, room: int) -> Camera:
    matrix = camera.camera_to_world.copy()
    matrix[:2, 3] += (room % 100 * 2 * ROOM[0], room // 100 * 2 * ROOM[1])
    return camera.at(matrix)


def _camera(step: float, width: int, height: int) -> Camera:
    angle = 2 * np.pi * step / ROUND
    eye = (2 * np.cos(angle), 1.5 * np.sin(angle), 0.1 * np.sin(3 * angle))
    ahead = (2 * np.cos(angle + 1), 1.5 * np.sin(angle + 1), 0.0)
    return Camera.from_fov(width, height, 90, look_at(eye, ahead), degrees=True)


@lru_cache(2 * ROUND)
def _rendered(step: int, width: int, height: int) -> Frame:
    camera = _camera(step, width, height)
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = camera.unproject(np.stack([u, v], -1), np.ones((height, width))) - camera.center
    with np.errstate(divide="ignore"):
        walls = np.where(rays > 0, (ROOM - camera.center) / rays, (-ROOM - camera.center) / rays)
    depth = walls.min(axis=-1)
    at = camera.center + rays * depth[..., None]
    paint = 128 + 50 * np.sin(3 * at) + 40 * np.sin(17 * at[..., [1, 2, 0]]) + 25 * np.sin(41 * at[..., [2, 0, 1]])
    return Frame(camera, depth.astype(np.float32), np.clip(paint, 0, 255).astype(np.uint8))
