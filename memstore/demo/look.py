"""Looking: memory draws the views that it never saw, beside the truth; and a server must give the very same."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool

from memstore.cli.place import AnyWorld
from memstore.demo.remember import Place
from memstore.demo.report import HeldOut
from memstore.demo.score import Score, psnr, ssim
from memstore.drawing.ramp import COVERAGE_RAMP, ERROR_RAMP, HOLE_COLOR, coverage_map, error_map
from memstore.drawing.sheet import Column, Row
from memstore.frame import Frame
from memstore.mosaic import Mosaic
from memstore.query import Query

QUERY = Query(ranking="closest", per_token=8)
"""What the demo asks. Of several memories of a surface, the one seen from nearest by changes least on the way here."""
COLUMNS = (Column("truth"), Column("memory"), Column("coverage", COVERAGE_RAMP), Column("error", ERROR_RAMP))
ROWS_A_WORLD = 4


@dataclass(frozen=True)
class Looked:
    """What looking around in one world showed."""

    scores: tuple[Score, ...]
    """Of every view held out."""
    rows: tuple[Row, ...]
    """A few views, spread over the clip, as rows of a contact sheet."""
    retrieve_s: tuple[float, ...]
    """Time of each retrieve, seconds."""
    served_equals_embedded: bool
    """Whether the served world gave the same mosaics."""


def look_around(place: Place, world: AnyWorld, served: AnyWorld) -> Looked:
    """Draws and judges every view of `place` that was held out, embedded and served."""
    views = list(place.held_out())
    shown = {views[round(i)][0] for i in np.linspace(0, len(views) - 1, ROWS_A_WORLD)}
    scores: list[Score] = []
    rows: list[Row] = []
    times: list[float] = []
    same = True
    for index, truth in views:
        began = time.perf_counter()
        mosaic = world.retrieve(truth.camera, QUERY)
        times.append(time.perf_counter() - began)
        same &= identical(mosaic, served.retrieve(truth.camera, QUERY))
        scores.append(judge(truth, mosaic))
        if index in shown:
            rows.append(_row(f"{place.world}, frame {index}", truth, mosaic, scores[-1]))
    return Looked(tuple(scores), tuple(rows), tuple(times), same)


def judge(truth: Frame, mosaic: Mosaic) -> Score:
    """Scores a mosaic's picture on the pixels that memory drew and that do not move."""
    assert truth.rgb is not None  # clips keep colours
    judged = _judged(truth, mosaic)
    picture = mosaic.image()
    return Score(
        coverage=mosaic.coverage_mean,
        known=float(mosaic.image_mask().mean()),
        psnr_db=psnr(truth.rgb, picture, judged),
        ssim=ssim(truth.rgb, picture, judged),
    )


def identical(one: Mosaic, other: Mosaic, *, commits: bool = True) -> bool:
    """Whether two mosaics hold the same patches, places, depths, latents and coverage, bit for bit.

    Args:
        one: a mosaic.
        other: another.
        commits: whether they must be of one commit too.
    """
    pairs = [(getattr(one, name), getattr(other, name)) for name in _ARRAYS]
    pairs += [(one.latents(), other.latents()), (one.depths(), other.depths())]
    return (one.commit == other.commit or not commits) and all(_same_bits(a, b) for a, b in pairs)


_ARRAYS = tuple(field.name for field in fields(Mosaic) if "np.ndarray" in str(field.type))


def summed_up(scores: Sequence[Score]) -> HeldOut:
    """Returns the means over views; views of which memory knows nothing have no PSNR and no SSIM to count."""
    return HeldOut(
        views=len(scores),
        coverage_mean=float(np.mean([score.coverage for score in scores])),
        known_mean=float(np.mean([score.known for score in scores])),
        psnr_covered_db_mean=_mean_known([score.psnr_db for score in scores]),
        ssim_covered_mean=_mean_known([score.ssim for score in scores]),
    )


def _mean_known(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _judged(truth: Frame, mosaic: Mosaic) -> Bool[np.ndarray, "h w"]:
    known = mosaic.image_mask()
    return known if truth.moving is None else known & ~truth.moving


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _row(caption: str, truth: Frame, mosaic: Mosaic, score: Score) -> Row:
    assert truth.rgb is not None
    memory = mosaic.image(holes=HOLE_COLOR)
    figures = f"{score.coverage:.0%} covered, PSNR {score.psnr_db:.1f} dB, SSIM {score.ssim:.2f}"
    coverage = coverage_map(mosaic.coverage, truth.camera.width, truth.camera.height)
    error = error_map(truth.rgb, memory, _judged(truth, mosaic))
    return Row(f"{caption}: {figures}", (truth.rgb, memory, coverage, error))
