"""Long work in a thread, told of as it goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeVar

from memstore.errors import Unavailable
from memstore.service.offload import Offload

T = TypeVar("T")
OnProgress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Progress:
    """How far some work has come."""

    done: int = 0
    """Pieces of the stage that are done."""
    total: int = 0
    """Pieces of the stage."""
    stage: str = ""
    """What is being done, "" before it has begun."""


async def followed(
    offload: Offload, work: Callable[[OnProgress], T], heartbeat_s: float
) -> AsyncGenerator[Progress | T, None]:
    """Yields the progress of `work`, at least every `heartbeat_s`, then what it returns.

    Work whose caller leaves ends at its next step: `on_progress` raises Unavailable there.
    """
    loop, moved, left = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    latest = Progress()

    def tell(done: int, total: int, stage: str) -> None:
        nonlocal latest
        if left.is_set():
            raise Unavailable("the caller of this work has left; send the request again to begin it anew.")
        latest = Progress(done, total, stage)
        loop.call_soon_threadsafe(moved.set)

    running = asyncio.wrap_future(offload.submit(lambda: work(tell)))
    running.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        while not running.done():
            moved.clear()
            yield latest
            waiting = asyncio.ensure_future(moved.wait())
            await asyncio.wait([running, waiting], timeout=heartbeat_s, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        yield running.result()
    finally:
        left.set()
