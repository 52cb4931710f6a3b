"""A hall of exact depth in which a door opens and a visitor comes and goes, for tests of what memory forgets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import memstore as ms
from memstore.index import arrange
from memstore.latent import LatentSpec
from memstore.lift import gather, lift
from memstore.patch import SourceFrames
from memstore.segment import Segment

HALF = np.array([5.0, 3.0, 1.5])
"""Half sizes of the hall, metres; its long walls lie along x."""
DOOR_X, DOOR_HALF_WIDTH = 1.5, 1.0
"""The door stands across the hall, floor to ceiling."""
VISITOR = np.array([[0.0, -0.4, -1.5], [0.6, 0.4, 0.3]])
"""Smallest and largest corner of a body that stands on the floor."""
SPEC = LatentSpec.pixel(patch=8)


def frame(step: float, *, door: bool = False, visitor: bool = False, size: tuple[int, int] = (128, 80)) -> ms.Frame:
    """Returns what a camera sees that sways as it looks along the hall; `step` moves it."""
    eye = np.array([-4 + 0.1 * np.sin(step), 0.5 * np.sin(0.7 * step), 0.1 * np.cos(step)])
    camera = ms.Camera.from_fov(*size, 80, ms.look_at(eye, (1, 0, -0.2)), degrees=True)
    u, v = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    ray = camera.unproject(np.stack([u, v], -1), np.ones(u.shape)) - eye
    with np.errstate(divide="ignore"):
        depth = np.where(ray > 0, (HALF - eye) / ray, (-HALF - eye) / ray).min(axis=-1)
    if door:
        there = (DOOR_X - eye[0]) / ray[..., 0]
        across = np.abs(eye[1] + there * ray[..., 1]) < DOOR_HALF_WIDTH
        depth = np.where(across & (there > 0), np.minimum(depth, there), depth)
    if visitor:
        near, far = np.sort((VISITOR[:, None, None] - eye) / ray, axis=0)
        enters, leaves = near.max(axis=-1), far.min(axis=-1)
        depth = np.where((enters > 0) & (enters < leaves), np.minimum(depth, enters), depth)
    return ms.Frame(camera, depth.astype(np.float32), np.full((*depth.shape, 3), 128, np.uint8), time_s=step)


def remembered(frames: Sequence[ms.Frame], spec: LatentSpec = SPEC) -> Segment:
    """Returns frames of ordinals from 0 as one segment."""
    patches, blocks = arrange(gather([lift(one, spec) for one in frames]))
    cameras = [one.camera for one in frames]
    source = SourceFrames(
        ordinal=np.arange(len(frames)),
        time_s=np.array([one.time_s for one in frames], np.float64),
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras]),
        camera_to_world=np.stack([c.camera_to_world for c in cameras]),
        width=cameras[0].width,
        height=cameras[0].height,
    )
    return Segment(1, patches, blocks, source, spec.token_grid(source.width, source.height)[1])


def of_door(center: np.ndarray) -> np.ndarray:
    """Returns which centres lie on the door."""
    return (np.abs(center[:, 0] - DOOR_X) < 0.1) & (np.abs(center[:, 1]) < DOOR_HALF_WIDTH)


def of_visitor(center: np.ndarray) -> np.ndarray:
    """Returns which centres lie on the visitor, and not where it touches the floor."""
    inside = ((center > VISITOR[0] - 0.05) & (center < VISITOR[1] + 0.05)).all(axis=1)
    return inside & (center[:, 2] > -1.4)
