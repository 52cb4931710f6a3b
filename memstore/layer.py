"""Layers: placed, masked views of segments. Everything that a world shows is one layer or another.

A layer never holds patches. It lists segments and, for each, says by a mask which rows it shows; its placement carries
them into the world. Deleting, moving and duplicating are new masks and placements over the same segments.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt32
from pyroaring import BitMap

from memstore.errors import CorruptData
from memstore.segment import NEVER_HIDDEN
from memstore.selection import Kind
from memstore.transform import Transform

_MASK_MAGIC = b"MSK1"
_GROUP = struct.Struct("<II")


@dataclass(frozen=True)
class Mask:
    """Which rows of a segment a layer shows, as roaring bitmaps."""

    shows: bool
    """Polarity: True shows only `rows`, False shows all but `rows`."""
    rows: BitMap
    """The rows that the polarity speaks of."""
    retired: tuple[tuple[int, BitMap], ...] = ()
    """(frame ordinal, rows), by ordinal: rows that are hidden from that ordinal on, 0 for good."""

    def hidden_from(self, row_count: int) -> UInt32[np.ndarray, "n"]:
        """Returns for each row the frame ordinal from which it is hidden: 0 always, NEVER_HIDDEN never."""
        hidden = np.full(row_count, 0 if self.shows else NEVER_HIDDEN, np.uint32)
        hidden[_positions(self.rows)] = NEVER_HIDDEN if self.shows else 0
        for ordinal, rows in self.retired:
            at = _positions(rows)
            hidden[at] = np.minimum(hidden[at], ordinal)
        return hidden

    def rows_shown(self, row_count: int) -> tuple[UInt32[np.ndarray, "k"], UInt32[np.ndarray, "k"]]:
        """Returns the rows that this can show, increasing, and from which ordinal each is hidden; few cost little."""
        if not self.shows:
            return np.arange(row_count, dtype=np.uint32), self.hidden_from(row_count)
        rows = _positions(self.rows)
        hidden = np.full(len(rows), NEVER_HIDDEN, np.uint32)
        for ordinal, gone in self.retired:
            at = np.searchsorted(rows, _positions(gone & self.rows))
            hidden[at] = np.minimum(hidden[at], ordinal)
        return rows, hidden

    def domain(self, row_count: int) -> BitMap:
        """Returns the rows that this can show: all that it ever showed, hidden since or not."""
        return self.rows if self.shows else BitMap(range(row_count))

    def without(self, rows: BitMap) -> Mask:
        """Returns the mask with `rows` hidden for good; it remembers that it could show them."""
        if not self.shows:
            return replace(self, rows=self.rows | rows)
        gone = rows & self.rows
        return self._retired_anew({**dict(self.retired), 0: dict(self.retired).get(0, BitMap()) | gone})

    def restored(self, rows: BitMap) -> Mask:
        """Returns the mask with those of `rows` shown that it could ever show, retired ones too."""
        kept = self if self.shows else replace(self, rows=self.rows - rows)
        return kept._retired_anew({ordinal: gone - rows for ordinal, gone in self.retired})

    def _retired_anew(self, groups: dict[int, BitMap]) -> Mask:
        return replace(self, retired=tuple((ordinal, rows) for ordinal, rows in sorted(groups.items()) if rows))

    @classmethod
    def of(cls, hidden_from: UInt32[np.ndarray, "n"], domain: BitMap | None) -> Mask:
        """Returns the mask that hides as `hidden_from` says.

        Args:
            hidden_from: per row the ordinal from which it is hidden, 0 always, NEVER_HIDDEN never.
            domain: the rows that it can show; `None` for all.
        """
        retired = np.unique(hidden_from[(hidden_from != 0) & (hidden_from != NEVER_HIDDEN)])
        groups = {
            int(ordinal): bitmap(np.flatnonzero(hidden_from == ordinal).astype(np.uint32))
            for ordinal in (0, *retired.tolist())
        }
        if domain is None:
            always = groups.pop(0)
            return cls(False, always, tuple(sorted(groups.items())))
        inside = {ordinal: rows & domain for ordinal, rows in groups.items()}
        return cls(True, domain, tuple((ordinal, rows) for ordinal, rows in sorted(inside.items()) if rows))

    def to_bytes(self) -> bytes:
        """Returns the mask as an object: polarity, then (ordinal, length, roaring bytes) groups, 0 first."""
        groups = [(0, self.rows), *self.retired]
        parts = [_MASK_MAGIC, bytes([self.shows])]
        for ordinal, rows in groups:
            content = rows.serialize()
            parts += [_GROUP.pack(ordinal, len(content)), content]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> Mask:
        """Reads what `to_bytes` wrote.

        Raises:
            CorruptData: the bytes are no mask.
        """
        try:
            groups = list(_groups(content)) if content[:4] == _MASK_MAGIC else []
            return cls(bool(content[4]), groups[0][1], tuple(groups[1:]))
        except (struct.error, ValueError, IndexError) as error:
            raise CorruptData("an object that should be a mask is none; run `memstore verify`.") from error


@dataclass(frozen=True)
class LayerSegment:
    """What a layer shows of one segment."""

    segment: int
    """Segment ordinal."""
    shown_count: int
    """Rows that are shown as of now."""
    low: tuple[float, float, float]
    """Smallest corner of a box around what is shown, before placement, metres; of sky, of directions."""
    high: tuple[float, float, float]
    """Largest corner of that box."""
    mask: str | None = None
    """Name of the mask object; `None` shows every row of the layer's kind (surfaces, or sky)."""

    def to_json(self) -> list[Any]:
        """Returns one item of a segment list."""
        return [self.segment, self.shown_count, list(self.low), list(self.high), self.mask]

    @classmethod
    def from_json(cls, item: list[Any]) -> LayerSegment:
        """Reads what `to_json` wrote."""
        segment, shown, low, high, mask = item
        return cls(segment, shown, tuple(low), tuple(high), mask)


@dataclass(frozen=True)
class Layer:
    """A placed, masked view of segments: an object that people can move."""

    layer_id: str
    """Id for life."""
    name: str
    """Name, unique in the world."""
    kind: Kind
    """`observed` in place by a camera, `placed` by an edit, `generated` by a model, `sky` at infinity."""
    segments: str
    """Name of the list of `LayerSegment` items."""
    origin: str | None = None
    """The layer that this was taken from, if any."""
    placement: Transform = field(default_factory=Transform.identity)
    """world <- layer."""
    visible: bool = True
    """Whether it is shown at all."""
    ordinal_offset: int = 0
    """Added to the frames' ordinals."""
    taken: bool = False
    """Whether its patches were taken out of `origin` (moved, named) and not copied: restoring there skips them."""

    def to_json(self) -> dict[str, Any]:
        """Returns the layer as an object."""
        taken = {"taken": True} if self.taken else {}
        return taken | {
            "id": self.layer_id,
            "name": self.name,
            "kind": self.kind,
            "segments": self.segments,
            "origin": self.origin,
            "rotation": self.placement.rotation.tolist(),
            "translation": self.placement.translation.tolist(),
            "scale": self.placement.scale,
            "visible": self.visible,
            "ordinal_offset": self.ordinal_offset,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Layer:
        """Reads what `to_json` wrote."""
        return cls(
            layer_id=value["id"],
            name=value["name"],
            kind=value["kind"],
            segments=value["segments"],
            origin=value["origin"],
            placement=Transform(np.array(value["rotation"]), np.array(value["translation"]), value["scale"]),
            visible=value["visible"],
            ordinal_offset=value["ordinal_offset"],
            taken=value.get("taken", False),
        )


def _groups(content: bytes) -> Iterator[tuple[int, BitMap]]:
    """Yields the (ordinal, rows) groups of a mask."""
    at = 5
    while at < len(content):
        ordinal, length = _GROUP.unpack_from(content, at)
        at += _GROUP.size + length
        yield ordinal, BitMap.deserialize(content[at - length : at])


def placed_box(
    low: Float64[np.ndarray, "3"], high: Float64[np.ndarray, "3"], placement: Transform
) -> tuple[Float64[np.ndarray, "3"], Float64[np.ndarray, "3"]]:
    """Returns the world box around a layer's box after placement."""
    pick = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, 8).T
    corners = placement.apply(np.where(pick == 0, low, high))
    return corners.min(axis=0), corners.max(axis=0)


def bitmap(rows: UInt32[np.ndarray, "m"]) -> BitMap:
    """Returns rows as a roaring bitmap; by way of `array`, which pyroaring reads eight times faster than NumPy's."""
    return BitMap(array("I", rows.tobytes()))


def _positions(rows: BitMap) -> UInt32[np.ndarray, "m"]:
    return np.frombuffer(rows.to_array(), np.uint32) if len(rows) else np.empty(0, np.uint32)
