"""Which frames are held out: memory never sees them, and is judged by them."""

from __future__ import annotations


def is_held_out(index: int, every: int) -> bool:
    """Whether frame `index` of a clip is held out when every `every`-th is.

    >>> [index for index in range(20) if is_held_out(index, every=8)]
    [7, 15]
    """
    return index % every == every - 1
