"""What to ask of a memory: the options of `retrieve`, checked once and shared by engine, wire and client."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, get_args

from memstore.errors import InvalidInput

Ranking = Literal["newest", "closest", "sharpest", "frames"]
FramesBy = Literal["pose", "coverage"]
MAX_PER_TOKEN = 64


@dataclass(frozen=True)
class Query:
    """How visible patches are chosen for each view."""

    ranking: Ranking = "newest"
    """Which patches win a token: `newest` by frame ordinal, `closest` by distance between source and target camera,
    `sharpest` by the source pixel's footprint nearest to the target's, `frames` from at most `max_frames` frames."""
    per_token: int = 4
    """Patches kept for each token of the target's grid."""
    budget: int | None = None
    """Patches kept a view, best first over all tokens; `None` for no limit but `per_token`."""
    max_frames: int = 5
    """With `frames`: how many source frames a view may draw on."""
    frames_by: FramesBy = "coverage"
    """With `frames`: take frames by how much they newly cover, or by how near their camera is in angle and place."""
    near_m: float = 0.05
    """Nothing nearer than this planar depth is returned, metres."""
    far_m: float = math.inf
    """Nothing farther than this planar depth is returned, metres; sky is at +inf and stays."""
    min_facing: float = 0.05
    """Smallest cosine between a patch's normal and the direction to the camera; -1 keeps backs too."""
    depth_tolerance: float = 0.02
    """How far behind the nearest surface a patch may lie and still count as that surface, as a share of its depth."""
    radius_tolerance: float = 0.5
    """The same allowance in radii of the patch; both are added."""
    as_of: int | None = None
    """See the memory as it stood at this frame ordinal: without later frames, before later retirements."""
    as_of_s: float | None = None
    """The same by time label: at the newest frame whose `time_s` is at most this, seconds; instead of `as_of`."""
    before: int | None = None
    """Use only frames of a smaller ordinal."""
    latents: bool = True
    """Bring the latents and per-cell depth of the patches along."""

    @classmethod
    def of(cls, query: Query | None, options: Mapping[str, Any]) -> Query:
        """Returns `query`, or a query of `options`.

        Raises:
            InvalidInput: both were given, or an option is unknown.
        """
        known = [field.name for field in fields(cls)]
        if query is not None and options:
            raise InvalidInput(f"give either a query or options, got a query and {', '.join(options)}.", field="query")
        if unknown := [name for name in options if name not in known]:
            raise InvalidInput(
                f"retrieve knows no option {', '.join(unknown)}; it knows {', '.join(known)}.", field=unknown[0]
            )
        return query if query is not None else cls(**options)

    def __post_init__(self) -> None:
        self._check_kinds()
        _require(self.ranking in get_args(Ranking), "ranking", f"one of {', '.join(get_args(Ranking))}", self.ranking)
        _require(
            self.frames_by in get_args(FramesBy), "frames_by", f"one of {', '.join(get_args(FramesBy))}", self.frames_by
        )
        _require(1 <= self.per_token <= MAX_PER_TOKEN, "per_token", f"from 1 to {MAX_PER_TOKEN}", self.per_token)
        _require(self.budget is None or self.budget >= 1, "budget", "at least 1, or None", self.budget)
        _require(self.max_frames >= 1, "max_frames", "at least 1", self.max_frames)
        _require(0 < self.near_m < math.inf, "near_m", "a positive number of metres", self.near_m)
        _require(self.far_m >= self.near_m, "far_m", f"at least near_m ({self.near_m} m)", self.far_m)
        _require(-1 <= self.min_facing < 1, "min_facing", "a cosine from -1 to below 1", self.min_facing)
        _require(0 <= self.depth_tolerance < math.inf, "depth_tolerance", "a share of at least 0", self.depth_tolerance)
        _require(0 <= self.radius_tolerance < math.inf, "radius_tolerance", "at least 0 radii", self.radius_tolerance)
        _require(self.as_of is None or self.as_of >= 0, "as_of", "a frame ordinal of at least 0, or None", self.as_of)
        _require(self.as_of_s is None or self.as_of is None, "as_of_s", "left out where as_of is given", self.as_of_s)
        _require(
            self.before is None or self.before >= 0, "before", "a frame ordinal of at least 0, or None", self.before
        )

    def _check_kinds(self) -> None:
        """Requires whole numbers where the default is one or `None`, and numbers where it is a fraction."""
        for name, default in ((field.name, field.default) for field in fields(self)):
            value = getattr(self, name)
            if name == "as_of_s":
                number = value is None or (isinstance(value, Real) and math.isfinite(value))
                _require(number, name, "a finite number of seconds, or None", value)
            elif isinstance(default, float):
                _require(isinstance(value, Real), name, "a number", value)
            elif default is None or (isinstance(default, int) and not isinstance(default, bool)):
                _require(isinstance(value, Integral) or value is default, name, "a whole number", value)


def _require(holds: bool, field: str, wanted: str, found: object) -> None:
    if not holds:
        raise InvalidInput(f"{field} must be {wanted}, got {found!r}.", field=field)
