"""Rows: a three-way merge of what layers show of one segment, patch by patch. Pure arrays.

Every layer says of each row the frame ordinal from which it hides it (0 always, NEVER_HIDDEN never).
    1. What one side changed is taken; where both changed it differently, the more hidden wins.
    2. Patches clash that both sides hide in one layer while a side newly shows them in another: both moved them, or
       one moved what the other deleted.
    3. Patches clash that nothing showed before and that the sides newly show in different layers: merged, they would
       be there twice, though nobody asked for a duplicate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, UInt32

Hidden = UInt32[np.ndarray, "n"]
Rows = Bool[np.ndarray, "n"]


@dataclass(frozen=True, eq=False)
class ThreeWay:
    """What one layer hides of one segment, on the three sides; a side without the layer hides all."""

    base: UInt32[np.ndarray, "n"]
    """Where both sides came from."""
    ours: UInt32[np.ndarray, "n"]
    """On this side."""
    theirs: UInt32[np.ndarray, "n"]
    """On the other side."""
    first: int
    """First row that the layer can show."""
    stop: int
    """The row to stop before: surfaces lie before sky, and no layer shows both."""

    def changed(self) -> Bool[np.ndarray, "n"]:
        """Returns the rows that some side changed."""
        return (self.ours != self.base) | (self.theirs != self.base)

    def at(self, rows: Int64[np.ndarray, "k"]) -> ThreeWay:
        """Returns the same of some rows, increasing, alone."""
        first, stop = np.searchsorted(rows, [self.first, self.stop]).tolist()
        return ThreeWay(self.base[rows], self.ours[rows], self.theirs[rows], first, stop)

    def with_rows(self, rows: Int64[np.ndarray, "k"], hidden_from: UInt32[np.ndarray, "k"]) -> UInt32[np.ndarray, "n"]:
        """Returns what the layer hides: as it was in the base, with what is settled of some rows put in place."""
        whole = self.base.copy()
        whole[rows] = hidden_from
        return whole

    def merged(self) -> UInt32[np.ndarray, "n"]:
        """Returns the merge, row by row."""
        both = np.minimum(self.ours, self.theirs)
        return np.where(self.ours == self.base, self.theirs, np.where(self.theirs == self.base, self.ours, both))

    def hidden_by_both(self) -> Bool[np.ndarray, "n"]:
        """Returns the rows that both sides newly hide."""
        return self._shown((self.ours < self.base) & (self.theirs < self.base))

    def shown_by_ours(self) -> Bool[np.ndarray, "n"]:
        """Returns the rows that this side newly shows, unless the other does just the same."""
        return self._shown((self.ours > self.base) & (self.ours != self.theirs))

    def shown_by_theirs(self) -> Bool[np.ndarray, "n"]:
        """Returns the rows that the other side newly shows, unless this one does just the same."""
        return self._shown((self.theirs > self.base) & (self.ours != self.theirs))

    def shown(self, hidden_from: UInt32[np.ndarray, "n"]) -> Bool[np.ndarray, "n"]:
        """Returns the rows that the layer shows, at some time at least."""
        return self._shown(hidden_from > 0)

    def _shown(self, rows: Bool[np.ndarray, "n"]) -> Bool[np.ndarray, "n"]:
        rows[: self.first] = False
        rows[self.stop :] = False
        return rows


@dataclass(frozen=True, eq=False)
class MergedRows:
    """The merge of one segment."""

    hidden_from: dict[str, UInt32[np.ndarray, "n"]]
    """What each layer hides, by layer id; of rows that clash, a first guess."""
    clashing: Bool[np.ndarray, "n"]
    """Rows on which the sides disagree."""
    by_layer: dict[str, int]
    """How many rows clash in which layer, by the id of the layer that showed them, or newly shows them."""
    moved_by: tuple[bool, bool]
    """Whether this side, and the other, newly shows some of the rows that clash."""


def merge_segment(layers: Mapping[str, ThreeWay], base_count: Callable[[], Int64[np.ndarray, "n"]]) -> MergedRows:
    """Merges what layers show of one segment.

    Args:
        layers: the layers that some side changed, by id.
        base_count: says how many of the other layers show each row.
    """
    merged = {layer_id: each.merged() for layer_id, each in layers.items()}
    ours = _any([each.shown_by_ours() for each in layers.values()])
    theirs = _any([each.shown_by_theirs() for each in layers.values()])
    clashes = dict[str, Rows]()
    if (shown := ours | theirs).any():
        clashes = {layer_id: rows for layer_id, each in layers.items() if (rows := each.hidden_by_both() & shown).any()}
    if (twice := ours & theirs).any():
        twice &= _shown_twice(layers, merged) & (base_count() == 0)
        first = next((layer_id for layer_id, each in layers.items() if (each.shown_by_ours() & twice).any()), "")
        if twice.any():
            clashes[first] = clashes.get(first, np.zeros_like(twice)) | twice
    clashing = _any([*clashes.values(), np.zeros_like(shown)])
    moved = (bool((ours & clashing).any()), bool((theirs & clashing).any()))
    return MergedRows(merged, clashing, {layer_id: int(rows.sum()) for layer_id, rows in clashes.items()}, moved)


def _shown_twice(layers: Mapping[str, ThreeWay], merged: Mapping[str, Hidden]) -> Rows:
    """Returns the rows that none of the layers showed and that more of them would show than on either side."""

    def count(side: Callable[[str], Hidden]) -> Int64[np.ndarray, "n"]:
        return np.sum([each.shown(side(layer_id)) for layer_id, each in layers.items()], axis=0)

    most = np.maximum(count(lambda name: layers[name].ours), count(lambda name: layers[name].theirs))
    return (count(lambda name: layers[name].base) == 0) & (count(lambda name: merged[name]) > most)


def _any(rows: list[Rows]) -> Rows:
    return np.logical_or.reduce(rows)
