"""Register: one world is fitted onto another along the boundary that they share, or refused.

1. **Clouds.** `surface_cloud` takes the centres and normals of the surface patches that a world shows. A centre lies on
   the plane of its patch, so no denser depth is needed: fits to centres end 1 to 5 mm and 0.03 degrees off the truth.
2. **Boundary.** Each cloud is cut to what lies within 2 m of the other where the guess puts it.
3. **Fit.** small_gicp's generalised ICP (plane to plane) fits the boundary, thinned to 0.5 m, from the guess and from
   six starts 0.7 m beside it, reaching for partners ever nearer; then all of it from every place where that ended.
4. **Judge.** `memstore.agreement` tells how well each fit lets the two sides agree, without the fitter's own figures.
5. **Choose** the fit along whose worst direction most agrees.
6. **Refuse** it unless everything is within `RegisterOptions`, and unless every other fit that would pass lies there
   too: otherwise the boundary fits in two places.

Lengths are metres of the world that stays, `here`. The scale of the guess is kept as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.spatial import KDTree

from memstore.agreement import Agreement, Side, agreement
from memstore.errors import FailedPrecondition, Reason
from memstore.surface_cloud import SurfaceCloud, surface_cloud
from memstore.transform import Transform

__all__ = ["RegisterOptions", "Registration", "SurfaceCloud", "register", "surface_cloud"]

BOUNDARY_M = 2.0
"""How far from the other cloud a point still belongs to the boundary: a correction of 1.5 m and some turning."""
SEARCH_SPACING_M = 0.5
"""Spacing of the boundary where it is searched: 5 times faster than 0.25 m."""
SEARCH_REACHES_M = ((2.0, 1.0, 0.5), (1.0, 0.5))
"""How far partners are looked for, fit upon fit, in search from the guess; the other starts take the last. The
longer reach is drawn off by what one side alone saw, the shorter gets lost where the guess is far off."""
LAST_REACHES_M = (0.5, 0.25)
"""The same of all points in the end: with 0.5 alone, one of 24 real pairs ended 12 cm off."""
START_M = 0.7
"""How far beside the guess the other starts lie: of a guess 1 m off, one of them lies within 0.75 m."""
NEIGHBOURS = 10
"""Points from which the fitter takes the plane around each; fewer than this are no boundary."""
FIT_STEPS = 20
"""Most steps of one fit: good ones take less, and bad ones are not worth more."""
SAME_M, SAME_RAD = 0.1, math.radians(2)
"""Fits nearer to each other than this are one."""


@dataclass(frozen=True)
class RegisterOptions:
    """When a fit is good enough; see `memstore.agreement` for the words.

    The figures are of right fits of 36 pairs of walks through 12 maps of Freedoom that overlap, one of which falls
    short, and of the best fits of 60 pairs that share nothing or were set upon each other wrongly.
    """

    min_overlap: float = 0.5
    """Least overlap; right: 0.76 to 0.94, wrong: 0.06 to 0.89, as floors agree anywhere."""
    min_agreement: float = 0.5
    """Least overlap along any direction; right: 0.57 to 0.85 and once 0.35, wrong: up to 0.38 but for 0.48 and 0.67 in
    halls that look alike when turned."""
    max_contradiction: float = 0.18
    """Largest share of contradicting lines of sight; right: up to 0.13, as boards that turn with the eye and creatures
    are seen through; wrong: 0.04 to 0.88, most above 0.2."""
    max_residual_m: float = 0.02
    """Largest median distance of partners, metres; right: up to 2.6 mm with exact depth; by chance: 2.5 cm."""
    max_spread_m: float = 0.008
    """Largest standard deviation left in a shift, metres: some six measurements must face along every direction.
    Right: 0.9 to 3.1 mm, wrong: mostly over 5 mm, hundreds of metres along a corridor."""
    max_spread_rad: float = math.radians(0.5)
    """Largest standard deviation left in a turn, radians; right: up to 0.03 degrees."""
    max_correction_m: float = 2.0
    """How far the middle of the boundary may move from where the guess put it, metres: a guess that is 1 m and 15
    degrees off about a point 2 m from that middle moves it by up to 1.5 m."""
    max_correction_rad: float = math.radians(20)
    """How far the guess may be turned, radians."""


@dataclass(frozen=True, eq=False)
class Registration:
    """How one world fits onto another, and how well."""

    transform: Transform
    """here <- other, with the scale of the guess."""
    overlap: float
    """Share of the points near the boundary that found a partner, 0 to 1, of the side where fewer did."""
    agreement: float
    """The same along the direction where it is smallest."""
    contradiction: float
    """Share of the lines of sight that pass through surfaces of the other side, 0 to 1."""
    residual_m: float
    """Median distance of points from their partners' planes, metres."""
    constraint: tuple[float, float, float, float, float, float]
    """Standard deviation left in each degree of freedom: turns about x, y, z of `here` through the middle of the
    boundary, radians, then shifts along x, y, z, metres; hundreds where nothing constrains."""
    correction_m: float
    """How far the middle of the boundary moved from where the guess put it, metres."""
    correction_rad: float
    """How far the guess was turned, radians."""


def register(
    here: SurfaceCloud, other: SurfaceCloud, guess: Transform, options: RegisterOptions | None = None
) -> Registration:
    """Returns how `other` fits onto `here` along their shared boundary, near a guess.

    Args:
        here: the surfaces of the world that stays.
        other: the surfaces of the world that is moved.
        guess: here <- other, right to about 1 m and 15 degrees at the boundary.
        options: when a fit is good enough.

    Raises:
        FailedPrecondition: the two do not overlap (NO_OVERLAP), something leaves a direction open (UNCONSTRAINED), or
            the best fit is not good enough (POOR_FIT).
    """
    rules = options or RegisterOptions()
    placed = other.placed(guess)
    stays, moves = _beside(here, placed), _beside(placed, here)
    if min(len(stays), len(moves)) < NEIGHBOURS:
        raise _no_overlap(0.0, rules)
    best, *others = sorted(_fits(stays, moves), key=lambda fit: fit.judged.worst, reverse=True)
    if (refusal := _refusal(best, rules)) is not None:
        raise refusal
    for rival in others:
        if _refusal(rival, rules) is None:
            raise _two_places(best, rival)
    return Registration(
        transform=best.correction @ guess,
        overlap=best.judged.overlap,
        agreement=best.judged.worst,
        contradiction=best.judged.contradiction,
        residual_m=best.judged.residual_m,
        constraint=tuple(np.sqrt(np.diag(best.judged.covariance)).tolist()),
        correction_m=best.moved_m,
        correction_rad=best.turned_rad,
    )


@dataclass(frozen=True, eq=False)
class _Fit:
    """A way to correct the guess, and how well the two sides agree then."""

    correction: Transform
    """here <- here as guessed."""
    judged: Agreement
    """How well they agree."""

    @property
    def moved_m(self) -> float:
        """How far the middle of the boundary moved."""
        return _apart(self.correction, Transform.identity(), self.judged.center)[0]

    @property
    def turned_rad(self) -> float:
        """How far the guess was turned."""
        return _apart(self.correction, Transform.identity(), self.judged.center)[1]


def _beside(cloud: SurfaceCloud, other: SurfaceCloud) -> SurfaceCloud:
    """Returns the points near the other cloud."""
    if not len(cloud) or not len(other):
        return cloud.part(np.zeros(len(cloud), np.bool_))
    distance, _ = KDTree(other.points).query(cloud.points, distance_upper_bound=BOUNDARY_M)
    return cloud.part(np.isfinite(distance))


def _fits(stays: SurfaceCloud, moves: SurfaceCloud) -> Iterator[_Fit]:
    """Yields the different fits that the starts end in, judged."""
    middle = moves.points.mean(axis=0)  # so that turns and shifts hardly depend on each other
    search = _Fitter(stays.spaced(SEARCH_SPACING_M), moves.spaced(SEARCH_SPACING_M), middle)
    places = _different((search.fit(Transform.translate(*start_m), reaches) for start_m, reaches in _starts()), middle)
    last, side = _Fitter(stays, moves, middle), Side.of(stays)
    for correction in _different((last.fit(place, LAST_REACHES_M) for place in places), middle):
        yield _Fit(correction, agreement(side, Side.of(moves.placed(correction))))


class _Fitter:
    """small_gicp, set up for a pair of clouds; the only place that knows it."""

    def __init__(self, stays: SurfaceCloud, moves: SurfaceCloud, middle: Float64[np.ndarray, "3"]) -> None:
        import small_gicp  # here, so that nothing but a registration loads it

        self._gicp: Any = small_gicp
        self._middle = middle
        self._target, self._source = (self._gicp.PointCloud(cloud.points - middle) for cloud in (stays, moves))
        self._tree = self._gicp.KdTree(self._target)
        self._gicp.estimate_covariances(self._target, self._tree, NEIGHBOURS)
        self._gicp.estimate_covariances(self._source, None, NEIGHBOURS)

    def fit(self, start: Transform, reaches_m: Sequence[float]) -> Transform:
        """Returns where the fitter ends from `start`, with one reach for partners after the other."""
        matrix = (Transform.translate(*-self._middle) @ start @ Transform.translate(*self._middle)).matrix
        for reach_m in reaches_m:
            result = self._gicp.align(
                self._target,
                self._source,
                self._tree,
                matrix,
                max_correspondence_distance=reach_m,
                max_iterations=FIT_STEPS,
            )
            matrix = np.asarray(result.T_target_source)
        return Transform.from_matrix(matrix).about(self._middle)


def _starts() -> Iterator[tuple[tuple[float, float, float], tuple[float, ...]]]:
    """Yields shifts to start from, metres, and the reaches to take from there."""
    for reaches in SEARCH_REACHES_M:
        yield (0.0, 0.0, 0.0), reaches
    for x, y, z in np.concatenate([np.eye(3), -np.eye(3)]) * START_M:
        yield (x, y, z), SEARCH_REACHES_M[-1]


def _different(fits: Iterable[Transform], middle: Float64[np.ndarray, "3"]) -> list[Transform]:
    """Returns the first of all fits that are one."""
    found: list[Transform] = []
    for fit in fits:
        apart = (_apart(fit, other, fit.apply(middle)) for other in found)
        if not any(moved_m < SAME_M and turned_rad < SAME_RAD for moved_m, turned_rad in apart):
            found.append(fit)
    return found


def _apart(one: Transform, two: Transform, center: Float64[np.ndarray, "3"]) -> tuple[float, float]:
    """Returns how far two ways to place things are apart: metres at what the first brings to `center`, and radians."""
    point = one.inverse().apply(center)
    cosine = (np.trace(one.rotation @ two.rotation.T) - 1) / 2
    return float(np.linalg.norm(center - two.apply(point))), float(np.arccos(np.clip(cosine, -1, 1)))


def _refusal(fit: _Fit, rules: RegisterOptions) -> FailedPrecondition | None:
    """Returns why a fit must not be used, or `None`."""
    judged = fit.judged
    if judged.overlap < rules.min_overlap:
        return _no_overlap(judged.overlap, rules)
    if judged.worst < rules.min_agreement:
        return _poor(
            f"only {judged.worst:.0%} of what faces along {_spoken(judged.worst_direction)} fits, at least "
            f"{rules.min_agreement:.0%} must",
            agreement=judged.worst,
            direction=_spoken(judged.worst_direction),
        )
    if judged.contradiction > rules.max_contradiction:
        return _poor(
            f"{judged.contradiction:.0%} of the lines of sight of one world pass through surfaces of the other, at "
            f"most {rules.max_contradiction:.0%} may",
            contradiction=judged.contradiction,
        )
    if judged.residual_m > rules.max_residual_m:
        return _poor(
            f"surfaces lie {judged.residual_m:.3f} m apart in the median, at most {rules.max_residual_m:g} m may be",
            residual_m=judged.residual_m,
        )
    return _open_direction(judged, rules) or _too_far(fit, rules)


def _open_direction(judged: Agreement, rules: RegisterOptions) -> FailedPrecondition | None:
    (shift_m, along), (turn_rad, about) = judged.widest_shift(), judged.widest_turn()
    if shift_m > rules.max_spread_m:
        words, direction = f"a shift along {_spoken(along)} is known to {shift_m:.2g} m only", along
    elif turn_rad > rules.max_spread_rad:
        words, direction = f"a turn about {_spoken(about)} is known to {math.degrees(turn_rad):.2g} degrees only", about
    else:
        return None
    return FailedPrecondition(
        f"the boundary leaves a direction open: {words}, as too little of what is shared faces that way, like in a "
        "corridor along its axis; let the worlds share more, or stitch at the guess without align.",
        reason=Reason.UNCONSTRAINED,
        direction=_spoken(direction),
        spread_m=shift_m,
        spread_rad=turn_rad,
    )


def _too_far(fit: _Fit, rules: RegisterOptions) -> FailedPrecondition | None:
    if fit.moved_m <= rules.max_correction_m and fit.turned_rad <= rules.max_correction_rad:
        return None
    return _poor(
        f"it lies {fit.moved_m:.2f} m and {math.degrees(fit.turned_rad):.1f} degrees from the guess, at most "
        f"{rules.max_correction_m:g} m and {math.degrees(rules.max_correction_rad):.3g} degrees are allowed",
        correction_m=fit.moved_m,
        correction_rad=fit.turned_rad,
    )


def _no_overlap(overlap: float, rules: RegisterOptions) -> FailedPrecondition:
    return FailedPrecondition(
        f"the worlds share no boundary near the guess: {overlap:.0%} of the surfaces that come near each other fit, at "
        f"least {rules.min_overlap:.0%} must; give a guess within 1 m and 15 degrees, or let the worlds share more.",
        reason=Reason.NO_OVERLAP,
        overlap=overlap,
    )


def _poor(found: str, **details: str | float) -> FailedPrecondition:
    return FailedPrecondition(
        f"the worlds do not fit along their boundary near the guess: {found}; give a better guess, or stitch at the "
        "guess without align.",
        reason=Reason.POOR_FIT,
        **details,
    )


def _two_places(best: _Fit, rival: _Fit) -> FailedPrecondition:
    moved_m, turned_rad = _apart(best.correction, rival.correction, best.judged.center)
    shift = best.correction.apply(point := best.judged.center) - rival.correction.apply(point)
    direction = _spoken(shift / max(float(np.linalg.norm(shift)), 1e-9))
    return FailedPrecondition(
        f"the boundary fits in two places, {moved_m:.2f} m along {direction} and {math.degrees(turned_rad):.1f} "
        "degrees apart, as where things repeat; let the worlds share more, or stitch at the guess without align.",
        reason=Reason.UNCONSTRAINED,
        direction=direction,
        apart_m=moved_m,
        apart_rad=turned_rad,
    )


def _spoken(direction: Float64[np.ndarray, "3"]) -> str:
    """Returns a direction as the axis that it nearly is, or in numbers; its sign carries no meaning."""
    axis = int(np.abs(direction).argmax())
    if abs(direction[axis]) > 0.95:
        return "xyz"[axis]
    return "({:.2f}, {:.2f}, {:.2f})".format(*direction * np.sign(direction[axis]))
