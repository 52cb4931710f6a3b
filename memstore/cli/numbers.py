"""Numbers in the words of a command line, such as 1,2.5,-3."""

from __future__ import annotations

import math
import re

from memstore.errors import InvalidInput


def numbers(words: str, count: int, option: str) -> tuple[float, ...]:
    """Returns so many finite numbers, with commas or blanks between them.

    >>> numbers("1, 2.5,-3", 3, "--move")
    (1.0, 2.5, -3.0)

    Raises:
        InvalidInput: there are more or fewer, or one is no number.
    """
    try:
        found = tuple(float(each) for each in re.split(r"[,\s]+", words.strip()))
    except ValueError:
        found = ()
    if len(found) != count or not all(map(math.isfinite, found)):
        example = ",".join("0.5" if i % 2 else "1" for i in range(count))
        raise InvalidInput(
            f"{option} takes {count} numbers with commas between them, such as {example}; got {words!r}.", field=option
        )
    return found


def vector(words: str, option: str) -> tuple[float, float, float]:
    """Returns three finite numbers. Errors as `numbers`."""
    x, y, z = numbers(words, 3, option)
    return x, y, z


def whole_numbers(words: str, option: str) -> tuple[int, ...]:
    """Returns whole numbers, one or more, with commas or blanks between them.

    Raises:
        InvalidInput: one is no whole number.
    """
    try:
        return tuple(int(each) for each in re.split(r"[,\s]+", words.strip()))
    except ValueError as error:
        raise InvalidInput(
            f"{option} takes whole numbers with commas between them, such as 3,4,9; got {words!r}.", field=option
        ) from error
