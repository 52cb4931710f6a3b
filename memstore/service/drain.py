"""Leaving in order: who is still being served, and whether new calls are turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from memstore.errors import Reason, Unavailable


class Drain:
    """Counts calls in flight; once it has `begun`, new ones are turned away and long ones end at a good point."""

    def __init__(self, retry_after_s: float) -> None:
        """Begins open."""
        self.begun = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()
        self._retry_after_s = retry_after_s
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Calls that have begun and not ended."""
        return self._in_flight

    @contextmanager
    def call(self) -> Generator[None, None, None]:
        """Counts one call.

        Raises:
            Unavailable: the server is leaving.
        """
        if self.begun.is_set():
            raise self.leaving()
        self._in_flight += 1
        self.empty.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self.empty.set()

    def leaving(self) -> Unavailable:
        """Returns the error for calls that are turned away or cut short."""
        return Unavailable(
            f"the server is shutting down; try again in {self._retry_after_s} s, when it or another is up.",
            reason=Reason.DRAINING,
            retry_after_s=self._retry_after_s,
        )
