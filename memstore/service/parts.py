"""Answers that may be too large for one message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from memstore.wire.arrays import Outgoing

R = TypeVar("R", bound=Any)


async def in_parts(answer: tuple[R, Outgoing]) -> AsyncIterator[R]:
    """Yields a response, then the bytes of its arrays that did not fit."""
    response, out = answer
    yield response
    for rest in out.rest():
        yield type(response)(rest=rest)
