"""Every annotation of memstore, shapes of arrays included, is checked while tests run; in production nothing is."""

from collections.abc import Callable

import numpy as np
import pytest
from jaxtyping import install_import_hook

install_import_hook(["memstore", "memstore_client"], "typecheck.checked")

ROOM = np.array([4.0, 4.0, 1.5])
"""Half sizes of the room that `walk` goes through, metres."""


@pytest.fixture(scope="session")
def walk() -> Callable:
    """`walk(count, width=64, height=48, open_sky=False)`: frames on a circle through a painted room, exact depth."""
    from memstore import Camera, Frame, look_at

    def frame(i: int, count: int, width: int, height: int, open_sky: bool) -> Frame:
        angle = 2 * np.pi * i / max(count, 1)
        eye = np.array([np.cos(angle), np.sin(angle), 0.1])
        camera = Camera.from_fov(
            width, height, 80, look_at(eye, (3 * np.sin(angle), 3 * np.cos(angle), 0)), degrees=True
        )
        u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        far = camera.unproject(np.stack([u, v], -1), np.ones((height, width))) - eye
        with np.errstate(divide="ignore"):
            walls = np.where(far > 0, (ROOM - eye) / far, (-ROOM - eye) / far)
        depth = walls.min(axis=-1)
        at = eye + far * depth[..., None]
        paint = 128 + 60 * np.sin(3 * at) + 60 * np.sign(np.sin(5 * at.sum(-1, keepdims=True)))
        if open_sky:
            depth = np.where(at[..., 2] > ROOM[2] - 1e-9, np.inf, depth)
        return Frame(
            camera=camera,
            depth_m=depth.astype(np.float32),
            rgb=np.clip(paint, 0, 255).astype(np.uint8),
            time_s=i / 10,
            caption=f"frame {i}",
            metadata={"step": i},
        )

    def frames(count: int, width: int = 64, height: int = 48, *, open_sky: bool = False) -> list[Frame]:
        return [frame(i, count, width, height, open_sky) for i in range(count)]

    return frames
