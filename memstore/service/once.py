"""Requests that the engine keeps no record of, carried out once all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from memstore.errors import InvalidInput

T = TypeVar("T")
KEPT = 1000
"""Answers kept; a caller whose connection broke asks again within seconds."""


@dataclass(frozen=True)
class _Answer:
    body: bytes
    result: Future[Any] = field(default_factory=Future)


class Once:
    """Remembers the answers to the last requests, for as long as the server runs."""

    def __init__(self) -> None:
        """Begins empty."""
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}

    def answer(self, request_id: str, body: bytes, work: Callable[[], T]) -> T:
        """Returns what `work` returns, or returned to the first request of that id; failures are tried again.

        Raises:
            InvalidInput: the first request of that id asked for something else.
        """
        if not request_id:
            return work()
        with self._lock:
            known = self._answers.get(request_id)
            mine = self._answers.setdefault(request_id, _Answer(body))
            while len(self._answers) > KEPT:
                del self._answers[next(iter(self._answers))]
        if known is None:
            return self._carried_out(request_id, mine, work)
        if known.body != body:
            raise InvalidInput(
                f"request {request_id!r} was sent before and asked for something else; give each request its own id.",
                field="request_id",
            )
        return known.result.result()

    def _carried_out(self, request_id: str, answer: _Answer, work: Callable[[], T]) -> T:
        try:
            result = work()
        except BaseException as error:
            with self._lock:
                self._answers.pop(request_id, None)
            answer.result.set_exception(error)
            raise
        answer.result.set_result(result)
        return result
