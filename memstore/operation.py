"""Operations: what an edit does, as values. The same run embedded, travel over gRPC and stand in edit scripts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from memstore.arrays import Vector
from memstore.errors import InvalidInput
from memstore.selection import Selection
from memstore.shape import Shape
from memstore.transform import Transform

Pivot = Vector | Literal["origin", "centroid"]
"""What a transform turns and grows about: the world's origin, the mean of the selected centres, or a point (metres)."""
Align = Literal["none", "boundary"]
"""Whether a stitched world stays where it is put, or is fitted to the surfaces that both worlds know."""
Side = Literal["+x", "-x", "+y", "-y", "+z", "-z"]
MAX_OPERATIONS = 10_000
"""Operations of one edit."""


@dataclass(frozen=True)
class Delete:
    """Hides a selection."""

    selection: Selection
    """What goes."""
    allow_empty: bool = False
    """Whether selecting nothing is fine."""


@dataclass(frozen=True)
class Duplicate:
    """Shows a selection again elsewhere, once for each placement; the selection itself stays."""

    selection: Selection
    """What is copied."""
    placements: tuple[Transform, ...]
    """world <- world: where each copy goes, seen from where the selection is."""
    pivot: Pivot = "origin"
    """What the placements turn and grow about."""
    name: str = ""
    """Name of the new layers; "" to choose one."""
    allow_empty: bool = False
    """Whether selecting nothing is fine."""

    def __post_init__(self) -> None:
        placements = (self.placements,) if isinstance(self.placements, Transform) else tuple(self.placements)
        if not placements:
            raise InvalidInput("a duplicate needs a placement or more, got none.", field="placements")
        for placement in placements:
            _require_transform(placement, "placements")
        object.__setattr__(self, "placements", placements)
        object.__setattr__(self, "pivot", _pivot(self.pivot))


@dataclass(frozen=True)
class Relocate:
    """Moves, turns and scales a selection."""

    selection: Selection
    """What moves."""
    transform: Transform
    """world <- world: where it goes, seen from where it is."""
    pivot: Pivot = "origin"
    """What the transform turns and grows about."""
    name: str = ""
    """Name of the layer that it becomes; "" to keep its layer's name, or to choose one."""
    allow_empty: bool = False
    """Whether selecting nothing is fine."""

    def __post_init__(self) -> None:
        _require_transform(self.transform, "transform")
        object.__setattr__(self, "pivot", _pivot(self.pivot))


@dataclass(frozen=True)
class Invert:
    """Turns a selection upside down: 180 degrees about a horizontal axis, so that a city hangs in the sky."""

    selection: Selection
    """What is turned over."""
    height_m: float | None = None
    """Height of the axis along the world's up axis, metres; `None` for the top of the selection."""
    axis: int = 0
    """Which of the two horizontal axes of the world to turn about, 0 or 1 in the order x, y, z; the axis runs through
    the middle of the selection's bounds."""
    keep: bool = False
    """Whether the selection stays as it is too."""
    name: str = ""
    """Name of the layer that it becomes; "" to choose one."""
    allow_empty: bool = False
    """Whether selecting nothing is fine."""

    def __post_init__(self) -> None:
        if self.axis not in (0, 1):
            raise InvalidInput(f"axis must be 0 or 1, the horizontal axes of the world, got {self.axis}.", field="axis")
        if self.height_m is not None:
            _require_finite(self.height_m, "height_m")


@dataclass(frozen=True)
class NameLayer:
    """Makes a selection a layer of its own, where it is: an object that people can move by name."""

    selection: Selection
    """What the layer is made of; a whole layer is renamed."""
    name: str
    """Its name."""
    allow_empty: bool = False
    """Whether selecting nothing is fine."""


@dataclass(frozen=True)
class ShowLayers:
    """Shows layers that were hidden."""

    names: tuple[str, ...]
    """Names or ids of layers."""


@dataclass(frozen=True)
class HideLayers:
    """Hides whole layers; what they show is kept and `ShowLayers` brings it back."""

    names: tuple[str, ...]
    """Names or ids of layers."""


@dataclass(frozen=True)
class Restore:
    """Shows again what deletions and forgetting hid, where it was; what was moved away stays away."""

    selection: Selection
    """Which of the hidden patches come back."""
    allow_empty: bool = False
    """Whether selecting nothing is fine."""


@dataclass(frozen=True)
class Concatenate:
    """Shows another world beside this one."""

    world: str
    """Name of the other world, in the same database."""
    side: Side = "+x"
    """Where it goes: beyond this world's bounds along this axis."""
    gap_m: float = 1.0
    """Distance between the bounds of the two, metres."""
    branch: str = "main"
    """Branch of the other world."""
    commit: str = ""
    """Commit of the other world; "" for the branch's head."""
    sky: bool = False
    """Whether its sky comes too."""
    name: str = ""
    """What its layers' names begin with; "" for its own name."""

    def __post_init__(self) -> None:
        if self.side not in get_args(Side):
            raise InvalidInput(f"side must be one of {', '.join(get_args(Side))}, got {self.side!r}.", field="side")
        _require_finite(self.gap_m, "gap_m")


@dataclass(frozen=True)
class Stitch:
    """Shows another world joined to this one."""

    world: str
    """Name of the other world, in the same database."""
    at: Transform = field(default_factory=Transform.identity)
    """here <- other world: where it goes, or a guess of it."""
    align: Align = "none"
    """`boundary` fits it to the surfaces that both worlds know (`register.py`), or refuses."""
    region: Shape | None = None
    """Where to look for the boundary, in this world; `None` for everywhere."""
    branch: str = "main"
    """Branch of the other world."""
    commit: str = ""
    """Commit of the other world; "" for the branch's head."""
    sky: bool = False
    """Whether its sky comes too."""
    name: str = ""
    """What its layers' names begin with; "" for its own name."""

    def __post_init__(self) -> None:
        if self.align not in get_args(Align):
            raise InvalidInput(f"align must be one of {', '.join(get_args(Align))}, got {self.align!r}.", field="align")
        _require_transform(self.at, "at")


Operation = (
    Delete | Duplicate | Relocate | Invert | NameLayer | ShowLayers | HideLayers | Restore | Concatenate | Stitch
)


def _require_transform(value: object, name: str) -> None:
    if not isinstance(value, Transform):
        raise InvalidInput(f"{name}: {type(value).__name__} is no Transform; use Transform.from_matrix.", field=name)


def _require_finite(value: float, name: str) -> None:
    if not math.isfinite(value):
        raise InvalidInput(f"{name} must be finite, got {value}.", field=name)


def _pivot(value: Any) -> Pivot:
    """Returns a pivot: a word, or three finite numbers."""
    if isinstance(value, str):
        if value not in ("origin", "centroid"):
            raise InvalidInput(f"pivot must be 'origin', 'centroid' or a point, got {value!r}.", field="pivot")
        return value  # pyright: ignore[reportReturnType]
    try:
        x, y, z = (float(each) for each in value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"pivot must be 'origin', 'centroid' or a point, got {value!r}.", field="pivot") from error
    if not all(abs(each) < float("inf") for each in (x, y, z)):
        raise InvalidInput(f"pivot must be finite, got ({x}, {y}, {z}).", field="pivot")
    return x, y, z
