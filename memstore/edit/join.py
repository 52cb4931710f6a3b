"""Join: another world's layers are shown in this one, beside it or stitched to it. Nothing of them is copied.

What comes counts as older than the join: the ordinals of its frames are shifted so that its newest is as new as this
world's newest. Its sky stays at home unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from memstore.draft import Draft
from memstore.edit.describe import bounds_of
from memstore.edited import RegistrationSummary
from memstore.errors import FailedPrecondition, Reason
from memstore.layer import Layer
from memstore.operation import Concatenate, Stitch
from memstore.register import Registration, register, surface_cloud
from memstore.summary import Bounds
from memstore.transform import Transform

NewId = Callable[[], str]


@dataclass(frozen=True, eq=False)
class Neighbour:
    """Another world, at one commit."""

    name: str
    """Its name."""
    commit: str
    """The commit."""
    draft: Draft
    """Its layers."""
    frame_end: int
    """The next frame's ordinal there."""


@runtime_checkable
class Neighbours(Protocol):
    """Finds other worlds of the same database."""

    @property
    def frame_end(self) -> int:
        """The next frame's ordinal of the world that is edited."""
        ...

    @property
    def up(self) -> str:
        """The up axis of the world that is edited."""
        ...

    def open(self, world: str, branch: str, commit: str) -> Neighbour:
        """Returns another world.

        Raises:
            NotFound: there is no such world, branch or commit in this database.
            LatentSpecMismatch: it keeps other latents.
            FailedPrecondition: it is the very state that is edited.
        """
        ...


@dataclass(frozen=True, eq=False)
class Joined:
    """What a join brought in."""

    layers: list[Layer]
    """The new layers."""
    bounds: Bounds | None
    """Box around them in this world."""
    commit: str
    """The commit of the other world that they come from."""
    registration: RegistrationSummary | None = None
    """How well they fit, if that was asked."""


def concatenate(draft: Draft, operation: Concatenate, neighbours: Neighbours, new_id: NewId) -> Joined:
    """Shows another world beyond this one's bounds."""
    other = neighbours.open(operation.world, operation.branch, operation.commit)
    here, there = _require_surfaces(draft, "this world"), _require_surfaces(other.draft, f"world {other.name!r}")
    at = _beside(here, there, operation, neighbours.up)
    layers = _brought(draft, other, at, operation.name, operation.sky, neighbours.frame_end, new_id)
    return Joined(layers, bounds_of(draft, layers), other.commit)


def stitch(draft: Draft, operation: Stitch, neighbours: Neighbours, new_id: NewId) -> Joined:
    """Shows another world joined to this one, fitted along what both know if that is asked.

    Raises:
        FailedPrecondition: the fit is refused (see `register.register`).
    """
    other = neighbours.open(operation.world, operation.branch, operation.commit)
    at, fit = operation.at, None
    if operation.align == "boundary":
        fit = _fitted(draft, other, operation)
        at = fit.transform
    layers = _brought(draft, other, at, operation.name, operation.sky, neighbours.frame_end, new_id)
    return Joined(layers, bounds_of(draft, layers), other.commit, fit)


def _fitted(draft: Draft, other: Neighbour, operation: Stitch) -> RegistrationSummary:
    there = None if operation.region is None else operation.region.transformed(operation.at.inverse())
    here = surface_cloud(draft.scene(), operation.region)
    return _summary(register(here, surface_cloud(other.draft.scene(), there), operation.at))


def _summary(fit: Registration) -> RegistrationSummary:
    return RegistrationSummary(
        transform=fit.transform,
        overlap=fit.overlap,
        residual_m=fit.residual_m,
        constraint=tuple(fit.constraint),
        correction_m=fit.correction_m,
        correction_rad=fit.correction_rad,
    )


def _brought(
    draft: Draft, other: Neighbour, at: Transform, name: str, sky: bool, frame_end: int, new_id: NewId
) -> list[Layer]:
    """Adds the other world's layers, placed by `at`; their lists of segments are shared as they are."""
    offset = frame_end - other.frame_end
    brought: dict[str, Layer] = {}
    for layer in other.draft.layers:
        if layer.visible and (sky or layer.kind != "sky"):
            origin = brought.get(layer.origin or "")
            brought[layer.layer_id] = draft.put(
                replace(
                    layer,
                    layer_id=new_id(),
                    name=draft.free_name(f"{name or other.name}-{layer.name}"),
                    kind="sky" if layer.kind == "sky" else "placed",
                    origin=origin and origin.layer_id,
                    placement=at @ layer.placement,
                    ordinal_offset=layer.ordinal_offset + offset,
                )
            )
    return list(brought.values())


def _require_surfaces(draft: Draft, whose: str) -> Bounds:
    bounds = bounds_of(draft, [layer for layer in draft.layers if layer.visible])
    if bounds is None:
        raise FailedPrecondition(
            f"{whose} shows no surface, so nothing has a side; stitch it at a transform instead.",
            reason=Reason.FAILED_PRECONDITION,
        )
    return bounds


def _beside(here: Bounds, there: Bounds, operation: Concatenate, up: str) -> Transform:
    """Returns the shift that puts `there` beyond one side of `here`, on the same ground, middle beside middle."""
    low, high = np.array([here.low, there.low]), np.array([here.high, there.high])
    shift = (low[0] + high[0] - low[1] - high[1]) / 2
    ground, vertical = (low, "xyz".index(up[1])) if up[0] == "+" else (high, "xyz".index(up[1]))
    shift[vertical] = ground[0, vertical] - ground[1, vertical]
    axis, gap = "xyz".index(operation.side[1]), operation.gap_m
    beyond = high[0] - low[1] + gap if operation.side[0] == "+" else low[0] - high[1] - gap
    shift[axis] = beyond[axis]
    return Transform.translate(*shift.tolist())
