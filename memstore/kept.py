"""Kept: values by key for as long as they fit in memory; those that were not used for longest go first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _one(_: object) -> int:
    return 1


class Kept(Generic[Key, Value]):
    """A cache of limited weight, safe to use from any thread. The newest value is kept however heavy it is.

    >>> squares = Kept[int, int](limit=2)
    >>> [squares.get(n, lambda n=n: n * n) for n in (3, 4, 5, 3)]
    [9, 16, 25, 9]
    >>> len(squares)
    2
    """

    def __init__(self, limit: int, weigh: Callable[[Value], int] = _one) -> None:
        """Keeps values of at most `limit` together, each as heavy as `weigh` says."""
        self._limit = limit
        self._weigh = weigh
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Returns the value of a key, made if it is not kept; two threads may both make it."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key][0]
        value = make()
        self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keeps a value; whatever is too much by now goes."""
        weight = self._weigh(value)
        with self._lock:
            self._weight += weight - self._held.pop(key, (value, 0))[1]
            self._held[key] = (value, weight)
            while self._weight > self._limit and len(self._held) > 1:
                self._weight -= self._held.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._held)
