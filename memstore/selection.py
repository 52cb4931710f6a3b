"""Selections: which instances of patches an edit means, as values that combine by `&`, `|` and `~`.

An instance is a patch as one layer shows it. A selection is a question, not a list: it is answered against what is
shown at the moment that an operation's turn comes, so that the same edit can be tried, previewed and run again.

    Box Sphere HalfSpace ViewFrustum   patches whose centre lies in a shape (`shape.py`); sky lies in none
    PatchIds                           patches by id, in every layer or in one
    Layers Kinds                       all that layers of these names or kinds show
    Frames Ordinals                    patches that came from these frames
    Finer                              patches that are small: seen from nearby
    Made                               what an earlier operation of the same edit made
    Everything                         all that is shown, sky too; there is no other way to say it
    a & b   a | b   ~a                 both, either, all that is shown but a (sky too)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import UInt64

from memstore.errors import InvalidInput

Kind = Literal["observed", "placed", "generated", "sky"]
"""What a layer is: seen in place by a camera, placed by an edit, made by a model, or sky at infinity."""


class Selection:
    """Base of all selections."""

    def __and__(self, other: Selection) -> Selection:
        return And((self, _selection(other)))

    def __or__(self, other: Selection) -> Selection:
        return Or((self, _selection(other)))

    def __invert__(self) -> Selection:
        return Not(self)


@dataclass(frozen=True)
class Everything(Selection):
    """All that is shown, sky too."""


@dataclass(frozen=True, eq=False)
class PatchIds(Selection):
    """Patches by id.

    >>> PatchIds([7, 3, 7]).ids.tolist()
    [3, 7]
    """

    ids: UInt64[np.ndarray, "n"]
    """Patch ids, as mosaics give them; kept sorted, each once."""
    layer: str = ""
    """Name or id of the one layer whose instances are meant; "" for those of every layer."""

    def __post_init__(self) -> None:
        given = np.asarray(self.ids)
        if given.ndim != 1 or (given.size and not np.issubdtype(given.dtype, np.integer)):
            raise InvalidInput(
                f"patch ids must be a list of whole numbers, got {given.dtype} of shape {given.shape}.", field="ids"
            )
        if given.size and int(given.min()) < 0:
            raise InvalidInput(f"patch ids are at least 0, got {given.min()}.", field="ids")
        object.__setattr__(self, "ids", np.unique(given.astype(np.uint64)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PatchIds):
            return NotImplemented
        return self.layer == other.layer and np.array_equal(self.ids, other.ids)

    def __hash__(self) -> int:
        return hash((self.layer, self.ids.tobytes()))


@dataclass(frozen=True)
class Layers(Selection):
    """All that some layers show."""

    names: tuple[str, ...]
    """Names or ids of layers."""

    def __post_init__(self) -> None:
        names = (self.names,) if isinstance(self.names, str) else tuple(self.names)
        if not names or not all(names):
            raise InvalidInput(f"layers are selected by one name or more, got {self.names!r}.", field="names")
        object.__setattr__(self, "names", names)


@dataclass(frozen=True)
class Kinds(Selection):
    """All that layers of some kinds show."""

    kinds: tuple[Kind, ...]
    """Kinds of layers."""

    def __post_init__(self) -> None:
        kinds = (self.kinds,) if isinstance(self.kinds, str) else tuple(self.kinds)
        if not kinds or not set(kinds) <= set(get_args(Kind)):
            raise InvalidInput(f"kinds are {', '.join(get_args(Kind))}; got {self.kinds!r}.", field="kinds")
        object.__setattr__(self, "kinds", kinds)


@dataclass(frozen=True)
class Frames(Selection):
    """Patches that came from some frames."""

    ordinals: tuple[int, ...]
    """Frame ordinals, as the world counts them (a stitched layer's offset added)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ordinals", _whole(self.ordinals, "ordinals"))
        if not self.ordinals:
            raise InvalidInput("frames are selected by one ordinal or more, got none.", field="ordinals")


@dataclass(frozen=True)
class Ordinals(Selection):
    """Patches that came from a run of frames."""

    start: int
    """First frame ordinal, as the world counts them (a stitched layer's offset added)."""
    stop: int
    """The ordinal to stop before, above `start`."""

    def __post_init__(self) -> None:
        start, stop = _whole((self.start, self.stop), "start")
        if stop <= start:
            raise InvalidInput(f"stop must lie above start ({start}), got {stop}.", field="stop")


@dataclass(frozen=True)
class Finer(Selection):
    """Surface patches that are small enough.

    A patch that was seen from afar is as large as what it covered, and reaches beyond the thing that its centre lies
    on: take a thing out of a place by `shape & Finer(...)`.
    """

    radius_m: float
    """Largest radius, world metres, positive."""

    def __post_init__(self) -> None:
        try:
            radius_m = float(self.radius_m)
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"radius_m must be a number, got {self.radius_m!r}.", field="radius_m") from error
        if not 0 < radius_m < float("inf"):
            raise InvalidInput(f"radius_m must be a positive number of metres, got {radius_m}.", field="radius_m")
        object.__setattr__(self, "radius_m", radius_m)


@dataclass(frozen=True)
class Made(Selection):
    """What an earlier operation of the same edit made."""

    operation: int
    """Place of that operation in the edit, counted from 0."""

    def __post_init__(self) -> None:
        if _whole((self.operation,), "operation")[0] < 0:
            raise InvalidInput(f"operations are counted from 0, got {self.operation}.", field="operation")


@dataclass(frozen=True)
class And(Selection):
    """What every part selects."""

    parts: tuple[Selection, ...]
    """At least two selections."""

    def __post_init__(self) -> None:
        _check_parts(self.parts)


@dataclass(frozen=True)
class Or(Selection):
    """What some part selects."""

    parts: tuple[Selection, ...]
    """At least two selections."""

    def __post_init__(self) -> None:
        _check_parts(self.parts)


@dataclass(frozen=True)
class Not(Selection):
    """All that is shown but what the part selects."""

    part: Selection
    """What is left out."""

    def __post_init__(self) -> None:
        _selection(self.part)


def _check_parts(parts: tuple[Selection, ...]) -> None:
    if len(parts) < 2:
        raise InvalidInput(f"& and | join two selections or more, got {len(parts)}.", field="parts")
    for part in parts:
        _selection(part)


def _selection(value: object) -> Selection:
    if not isinstance(value, Selection):
        raise InvalidInput(
            f"{type(value).__name__} is no selection; use a shape, PatchIds, Layers, Kinds, Frames, Ordinals or "
            "Everything().",
            field="selection",
        )
    return value


def _whole(values: Iterable[Any], field: str) -> tuple[int, ...]:
    try:
        listed = tuple(values)
        numbers = tuple(int(value) for value in listed)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{field} must be whole numbers, got {values!r}.", field=field) from error
    if numbers != listed:
        raise InvalidInput(f"{field} must be whole numbers, got {listed!r}.", field=field)
    return numbers
