"""A place that is quick to ingest and known to the bit, and what other processes do to it."""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection

import numpy as np
from faults.steps import watched

import memstore as ms

WIDTH, HEIGHT = 64, 48
FLUSH_EVERY = 2


def frame(i: int) -> ms.Frame:
    """Returns frame `i` of a walk along a wall. Its depths are powers of two, so that they come back to the bit."""
    camera_to_world = np.eye(4)
    camera_to_world[0, 3] = i / 4
    depth_m = np.full((HEIGHT, WIDTH), 2, np.float32)
    depth_m[:, : 8 * (1 + i % 7)] = 4
    rgb = np.random.default_rng(i).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    camera = ms.Camera.from_fov(WIDTH, HEIGHT, 80, camera_to_world, degrees=True)
    return ms.Frame(camera, depth_m, rgb, time_s=i / 10, caption=f"frame {i}", metadata={"step": i})


def walk_in(world: ms.World, numbers: range, *, flush_every: int = FLUSH_EVERY) -> None:
    """Ingests frames by number, a segment every `flush_every`."""
    with world.ingest() as ingest:
        for i in numbers:
            ingest.add(frame(i))
            if ingest.waiting == flush_every:
                ingest.flush()


def assert_holds(world: ms.World, numbers: list[int]) -> None:
    """Checks that a world holds those frames, in order and to the bit, and shows them."""
    found = list(world.frames())
    assert [one.caption for one in found] == [f"frame {i}" for i in numbers]
    assert [one.ordinal for one in found] == list(range(len(numbers)))
    for one, i in zip(found, numbers, strict=True):
        wanted = frame(i)
        assert one.camera == wanted.camera
        assert (one.time_s, dict(one.metadata)) == (wanted.time_s, dict(wanted.metadata))
        np.testing.assert_array_equal(one.rgb, wanted.rgb)
        np.testing.assert_array_equal(one.depth_m, wanted.depth_m)
    mosaic = world.retrieve(frame(numbers[-1] if numbers else 0).camera)
    assert (mosaic.coverage.mean() > 0.9) == bool(numbers)


def ingest_until_killed(root: str, told: Connection, step: int) -> None:
    """Ingests for ever, tells each count of frames that were acknowledged, and dies before its `step`-th step."""
    left = step

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    with watched(count), ms.open(root) as db:
        world = db.create_world("museum", exist_ok=True)
        with world.ingest(request_id="walk") as ingest:
            start = ingest.resume_from
            told.send(start)
            for i in range(start, start + 1_000):
                ingest.add(frame(i))
                if ingest.waiting == FLUSH_EVERY:
                    told.send(start + ingest.flush())
