"""How often one half of a walk is fitted onto the other, and how often what shares nothing is refused.

A walk is cut into two worlds that share a stretch of it, whose frames go to the one and the other by turns: no frame is
in both. The second world is moved at random, up to a length and an angle, about the middle of what the two share, and
registered from there. Two cuts, of the walk's frames: `wide` 0 to 60 % and 40 to 100 %, and `narrow` 0 to 35 % and 25
to 65 %, which is mostly walked once.

- fitted: tries that end within 5 cm, at the middle of what is shared, and 1 degree of the truth.
- wrong: tries that end elsewhere without being refused. Of what shares nothing: all that are not refused.
- refused: the other tries, by reason.

What shares nothing is, by turns, two clips, and two stretches of one clip (0 to 12 % and 35 to 47 %) without the
surfaces that lie within a metre of each other. The camera of a frame of the one is set upon that of the other, so that
floors and eyes agree, and every other time turned so that their walls do too.

Options: --clips PATH... (default: five maps of Freedoom, filmed now, with ViZDoom; else the bundled clips), --tries N a
part (default 100), --shift M (default 1), --turn DEGREES (default 15), --seed N.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from scipy.spatial import KDTree

import memstore as ms
from benchmarks.retrieval_quality import remembered
from memstore.errors import FailedPrecondition
from memstore.register import Registration, SurfaceCloud, register, surface_cloud

MAPS = ("MAP03", "MAP07", "MAP11", "MAP15", "MAP22")
FRAMES = 200
CUTS = {"wide": (0.0, 0.6, 0.4, 1.0), "narrow": (0.0, 0.35, 0.25, 0.65)}
APART = (0.0, 0.12, 0.35, 0.47)
"""Begin and end of two stretches of one walk that hardly see each other, as shares of its frames."""
SHARED_M, UNSHARED_M = 0.5, 1.0
"""Surfaces of two worlds nearer than the first are shared, and nearer than the second are left out to share nothing."""
FITTED_M, FITTED_RAD = 0.05, np.deg2rad(1)


@dataclass
class Tally:
    """What came of some tries."""

    fitted: int = 0
    """Tries that ended at the truth."""
    wrong: list[str] = field(default_factory=list)
    """Tries that ended elsewhere unrefused, in words."""
    refused: Counter[str] = field(default_factory=Counter)
    """Tries that were refused, by reason."""
    error_m: list[float] = field(default_factory=list)
    """Distance from the truth of those not refused."""
    error_rad: list[float] = field(default_factory=list)
    """Angle from the truth of those not refused."""
    taken_ms: list[float] = field(default_factory=list)
    """How long each try took."""

    def figures(self) -> dict[str, object]:
        """Returns the counts, and medians and extremes of the rest."""
        figures: dict[str, object] = {
            "tries": len(self.taken_ms),
            "fitted": self.fitted,
            "wrong": len(self.wrong),
            "refused": self.refused.total(),
            "refused_as": dict(self.refused),
            "register_p50_ms": float(np.median(self.taken_ms)),
            "register_max_ms": max(self.taken_ms),
        }
        if self.error_m:
            figures |= {
                "error_p50_mm": 1e3 * float(np.median(self.error_m)),
                "error_max_mm": 1e3 * max(self.error_m),
                "error_p50_degrees": float(np.rad2deg(np.median(self.error_rad))),
                "error_max_degrees": float(np.rad2deg(max(self.error_rad))),
            }
        return figures | ({"wrong_are": "; ".join(self.wrong)} if self.wrong else {})


def run(arguments: list[str]) -> dict[str, object]:
    """Measures and returns figures by part."""
    parser = argparse.ArgumentParser(prog="memstore bench registration")
    parser.add_argument("--clips", nargs="+", type=Path)
    parser.add_argument("--tries", type=int, default=100)
    parser.add_argument("--shift", type=float, default=1.0, help="metres")
    parser.add_argument("--turn", type=float, default=15.0, help="degrees")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    clips = _clips(options.clips)
    rng = np.random.default_rng(options.seed)
    figures: dict[str, object] = {"clips": ", ".join(clips)}
    for name, cut in CUTS.items():
        pairs = [(clip, *halves(frames, cut)) for clip, frames in clips.items()]
        figures[f"overlap_{name}"] = overlapping(pairs, options.tries, options.shift, options.turn, rng).figures()
    return figures | {"nothing_shared": strangers(clips, options.tries, rng).figures()}


def _clips(paths: Sequence[Path] | None) -> dict[str, list[ms.Frame]]:
    """Returns the frames of the clips asked for, or else of maps filmed now, or else of the bundled clips."""
    if paths is None and importlib.util.find_spec("vizdoom"):
        from memstore.doom import render_walk

        return {name: list(render_walk(name, frames=FRAMES)) for name in MAPS}
    bundled = sorted(path.parent for path in (Path(ms.__file__).parent / "clips").glob("*/transforms.json"))
    return {path.name: list(ms.read_clip(path)) for path in paths or bundled}


def cloud_of(frames: Sequence[ms.Frame]) -> SurfaceCloud:
    """Returns the surfaces that a memory of the frames shows."""
    return surface_cloud(remembered(frames)[0])


def halves(frames: Sequence[ms.Frame], cut: tuple[float, float, float, float]) -> tuple[SurfaceCloud, SurfaceCloud]:
    """Returns two worlds of one walk; frames that are in both stretches go to the one and the other by turns."""
    first, end, begin, last = (round(share * len(frames)) for share in cut)
    one = [i for i in range(first, end) if i < begin or i % 2 == 0]
    two = [i for i in range(begin, last) if i >= end or i % 2 == 1]
    return cloud_of([frames[i] for i in one]), cloud_of([frames[i] for i in two])


def overlapping(
    pairs: Sequence[tuple[str, SurfaceCloud, SurfaceCloud]],
    tries: int,
    shift_m: float,
    turn_degrees: float,
    rng: np.random.Generator,
) -> Tally:
    """Disturbs the second world of each pair in turn, registers it and compares with the truth."""
    tally = Tally()
    for number in range(tries):
        name, here, other = pairs[number % len(pairs)]
        middle = other.points[_near(other, here, SHARED_M)].mean(axis=0)
        guess = disturbed(middle, shift_m, turn_degrees, rng)
        if (found := _registered(here, other, guess, tally)) is None:
            continue
        error_m = float(np.linalg.norm(found.transform.apply(middle) - middle))
        error_rad = float(np.arccos(np.clip((np.trace(found.transform.rotation) - 1) / 2, -1, 1)))
        tally.error_m.append(error_m)
        tally.error_rad.append(error_rad)
        if error_m <= FITTED_M and error_rad <= FITTED_RAD:
            tally.fitted += 1
        else:
            tally.wrong.append(f"{name}, {error_m:.2f} m, {np.rad2deg(error_rad):.1f} degrees")
    return tally


def disturbed(
    middle: Float64[np.ndarray, "3"], shift_m: float, turn_degrees: float, rng: np.random.Generator
) -> ms.Transform:
    """Returns a motion about `middle`, evenly from the balls of shifts and turns of at most these lengths."""
    shift, axis = (_direction(rng) * np.cbrt(rng.random()) for _ in range(2))
    angle = turn_degrees * float(np.linalg.norm(axis))
    turn = ms.Transform.rotate(axis, angle, degrees=True).about(middle)
    return ms.Transform.translate(*(shift_m * shift)) @ turn


def _direction(rng: np.random.Generator) -> Float64[np.ndarray, "3"]:
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def _near(cloud: SurfaceCloud, other: SurfaceCloud, reach_m: float) -> np.ndarray:
    distance, _ = KDTree(other.points).query(cloud.points, distance_upper_bound=reach_m)
    return np.isfinite(distance)


def _registered(here: SurfaceCloud, other: SurfaceCloud, guess: ms.Transform, tally: Tally) -> Registration | None:
    start = time.perf_counter()
    try:
        return register(here, other, guess)
    except FailedPrecondition as error:
        tally.refused[error.reason] += 1
        return None
    finally:
        tally.taken_ms.append(1e3 * (time.perf_counter() - start))


@dataclass(frozen=True, eq=False)
class Stretch:
    """Part of a walk: its surfaces, and where its cameras stood."""

    name: str
    """What it is part of."""
    cloud: SurfaceCloud
    """Its surfaces."""
    cameras: Float64[np.ndarray, "f 4 4"]
    """world <- camera of its frames."""


def strangers(clips: dict[str, list[ms.Frame]], tries: int, rng: np.random.Generator) -> Tally:
    """Registers what shares nothing."""
    tally = Tally()
    for number, (one, two) in enumerate(_strange_pairs(clips, tries, rng)):
        guess = camera_on_camera(one, two, aligned=number // 2 % 2 == 0, rng=rng)
        if (found := _registered(one.cloud, two.cloud, guess, tally)) is not None:
            tally.wrong.append(f"{two.name} on {one.name}, agreement {found.agreement:.2f}")
    return tally


def _strange_pairs(
    clips: dict[str, list[ms.Frame]], tries: int, rng: np.random.Generator
) -> Iterator[tuple[Stretch, Stretch]]:
    """Yields two clips and two stretches of one clip by turns."""
    whole = {name: _stretch(name, frames, 0, 1) for name, frames in clips.items()}
    apart = [_apart(name, frames) for name, frames in clips.items()]
    for number in range(tries):
        if number % 2 or len(whole) < 2:
            yield apart[number // 2 % len(apart)]
        else:
            one, two = rng.permutation(sorted(whole))[:2]
            yield whole[one], whole[two]


def _stretch(name: str, frames: Sequence[ms.Frame], begin: float, end: float) -> Stretch:
    part = frames[round(begin * len(frames)) : round(end * len(frames))]
    return Stretch(name, cloud_of(part), np.stack([frame.camera.camera_to_world for frame in part]))


def _apart(name: str, frames: Sequence[ms.Frame]) -> tuple[Stretch, Stretch]:
    """Returns two stretches of a walk without what both see."""
    one, two = _stretch(name, frames, *APART[:2]), _stretch(name, frames, *APART[2:])
    return (
        Stretch(name, one.cloud.part(~_near(one.cloud, two.cloud, UNSHARED_M)), one.cameras),
        Stretch(name, two.cloud.part(~_near(two.cloud, one.cloud, UNSHARED_M)), two.cameras),
    )


def camera_on_camera(one: Stretch, two: Stretch, *, aligned: bool, rng: np.random.Generator) -> ms.Transform:
    """Returns one <- two with a camera upon a camera; aligned, turned about the up axis by a multiple of 90 degrees."""
    here, there = rng.choice(one.cameras), rng.choice(two.cameras)
    guess = ms.Transform.from_matrix(here @ np.linalg.inv(there))
    if not aligned:
        return guess
    quarters = round(np.arctan2(guess.rotation[1, 0], guess.rotation[0, 0]) / (np.pi / 2))
    turn = ms.Transform.rotate_z(90 * quarters, degrees=True)
    return ms.Transform(turn.rotation, here[:3, 3] - turn.rotation @ there[:3, 3])
