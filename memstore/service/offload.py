"""Engine work in a bounded pool of threads, so that the event loop never computes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from memstore.errors import ResourceLimit

T = TypeVar("T")


class Offload:
    """Runs functions in threads; turns work away when too much waits."""

    def __init__(self, threads: int, max_waiting: int, retry_after_s: float) -> None:
        """Makes room for `threads` pieces of work at once and `max_waiting` that wait."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="memstore-engine")
        self._limit = threads + max_waiting
        self._retry_after_s = retry_after_s
        self._unfinished = 0

    async def run(self, work: Callable[[], T]) -> T:
        """Returns what `work` returns. When the caller is cancelled, the thread still ends its piece of work.

        Raises:
            ResourceLimit: too much is waiting already.
        """
        return await asyncio.wrap_future(self.submit(work))

    async def finish(self, work: Callable[[], T]) -> T:
        """Like `run`, but a cancellation waits for the work to end and is raised then."""
        running = asyncio.ensure_future(self.run(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Starts `work` in a thread."""
        if self._unfinished >= self._limit:
            raise ResourceLimit(
                f"{self._unfinished} pieces of work are under way or waiting and the server takes no more than "
                f"{self._limit}; try again in {self._retry_after_s} s, or raise ServerOptions.max_waiting.",
                retry_after_s=self._retry_after_s,
            )
        self._unfinished += 1
        future = self._pool.submit(work)
        future.add_done_callback(self._done)
        return future

    def close(self) -> None:
        """Waits for the work under way and drops what has not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _done(self, _: object) -> None:
        self._unfinished -= 1
