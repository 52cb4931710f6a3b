"""Which source frame is preferred where several show one surface, read off the order of a mosaic.

Within a token the best patch stands first, but a cell near a token's border is covered by patches of the neighbours
too, and ranks of different tokens cannot be compared. What can: if frame A stands before frame B wherever they meet,
A comes before B everywhere. So frames are ordered by these encounters, and a view shows one frame as far as it reaches
rather than a speckle of two.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int32, Int64


def precedence(token: Int64[np.ndarray, "n"], source: Int32[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    """Returns a number a patch, the smaller the better, that is comparable over all tokens.

    It is the place of the patch's source among all sources; where the ranking does not order sources as wholes
    (`sharpest`), it is the patch's rank within its own token.

    Args:
        token: target token of each patch, sorted.
        source: source frame of each patch, best first within a token.

    >>> precedence(np.array([0, 0, 1, 1, 2]), np.array([5, 3, 3, 4, 4], np.int32)).tolist()
    [0, 1, 1, 2, 2]
    """
    level = _levels(*_encounters(token, source), int(source.max(initial=-1)) + 1)
    return _rank(token) if level is None else level[source]


def _encounters(
    token: Int64[np.ndarray, "n"], source: Int32[np.ndarray, "n"]
) -> tuple[Int64[np.ndarray, "k"], Int64[np.ndarray, "k"]]:
    """Returns pairs (better, worse) of sources that follow each other in a token, in one order only."""
    meet = (token[1:] == token[:-1]) & (source[1:] != source[:-1])
    better, worse = source[:-1][meet].astype(np.int64), source[1:][meet].astype(np.int64)
    pair = np.unique(better << 32 | worse)
    pair = pair[~np.isin(pair, (pair & 0xFFFF_FFFF) << 32 | pair >> 32)]
    return pair >> 32, pair & 0xFFFF_FFFF


def _levels(better: Int64[np.ndarray, "k"], worse: Int64[np.ndarray, "k"], count: int) -> Int64[np.ndarray, "s"] | None:
    """Returns the longest chain of better sources above each, or `None` when the pairs run in a circle."""
    level = np.zeros(count, np.int64)
    for _ in range(count + 1):
        lower = level.copy()
        np.maximum.at(lower, worse, level[better] + 1)
        if np.array_equal(lower, level):
            return level
        level = lower
    return None


def _rank(token: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    starts = np.searchsorted(token, token)
    return np.arange(len(token)) - starts
