"""Do colours, depth and cameras of the clips agree? Frame i is lifted into space and held against frame j.

What is compared: pixels of frame i that are measured and do not move, that fall inside frame j on a pixel that is
measured and does not move. Where frame j shows something more than 5 % nearer, it may hide what frame i saw: that is
occlusion, counted apart and bounded. Where frame j looks more than 5 % past the place that frame i measured, one of the
two is wrong: nothing excuses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from memstore.clip import read_clip
from memstore.frame import Frame

CLIPS = Path(str(files("memstore") / "clips"))
BUNDLED = ("freedoom-indoor", "freedoom-outdoor")
FRAMES = 200
AGREE = 0.05


@dataclass(frozen=True)
class Comparison:
    error: float
    """Median of |depth seen - depth expected| / depth expected where the two agree or look past."""
    agreeing: float
    """Share within 5 %, of all that is not occluded."""
    occluded: float
    """Share that frame j hides."""
    overlap: float
    """Share of frame i's pixels that fall into frame j."""
    warped: float
    """Mean colour difference where depth agrees, after the warp; grey levels."""
    unwarped: float
    """The same pixels compared without the warp."""


@cache
def bundled(name: str) -> tuple[Frame, ...]:
    return tuple(read_clip(CLIPS / name))


@cache
def live() -> tuple[Frame, ...]:
    pytest.importorskip("vizdoom")
    from memstore.doom import render_walk

    return tuple(render_walk("E1M5", "freedoom1.wad", frames=24, seed=8, width=128, height=80))


def compare(seen: Frame, other: Frame) -> Comparison | None:
    """The two frames side by side, `None` where they share less than a fifth."""
    still = usable(seen)
    pixel, z = project(seen, other)
    height, width = seen.depth_m.shape
    inside = still & (z > 0.05) & (pixel >= 0).all(axis=-1) & (pixel < [width, height]).all(axis=-1)
    overlap = float(inside.sum() / still.sum())
    if overlap < 0.2:
        return None
    column, row = pixel[inside].astype(int).T
    found, expected = sample(other, pixel[inside]), z[inside]
    known = usable(other)[row, column]
    ratio = found[known] / expected[known]
    hidden, agrees = ratio < 1 - AGREE, np.abs(ratio - 1) <= AGREE
    colour_seen = seen.rgb[inside][known][agrees].astype(float)
    warped = np.abs(colour_seen - other.rgb[row, column][known][agrees]).mean()
    unwarped = np.abs(colour_seen - other.rgb[inside][known][agrees]).mean()
    return Comparison(
        error=float(np.median(np.abs(ratio[~hidden] - 1))),
        agreeing=float(agrees.sum() / (~hidden).sum()),
        occluded=float(hidden.mean()),
        overlap=overlap,
        warped=float(warped),
        unwarped=float(unwarped),
    )


def usable(frame: Frame) -> np.ndarray:
    return frame.measured & ~frame.moving


def sample(frame: Frame, pixel: np.ndarray) -> np.ndarray:
    """Depth between pixel centres: 1 / z is linear in the image of a plane; across edges the nearest pixel counts."""
    height, width = frame.depth_m.shape
    corner = np.clip(np.floor(pixel - 0.5), 0, [width - 2, height - 2]).astype(int)
    right, down = np.clip(pixel - 0.5 - corner, 0, 1).T
    column, row = corner.T
    known = np.where(usable(frame), frame.depth_m, np.nan).astype(float)
    corners = 1 / np.stack([known[row + i, column + j] for i in (0, 1) for j in (0, 1)])
    weights = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right])
    smooth = np.ptp(corners, axis=0) < 0.1 * corners.min(axis=0)
    column, row = pixel.astype(int).T
    return np.where(smooth, 1 / (corners * weights).sum(axis=0), frame.depth_m[row, column])


def project(seen: Frame, other: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of one frame falls in the other, written out on purpose: no code of the engine is used."""
    camera = seen.camera
    row, column = np.mgrid[0 : camera.height, 0 : camera.width] + 0.5
    z = np.where(usable(seen), seen.depth_m, 1.0).astype(float)
    point = np.stack([(column - camera.cx) / camera.fx * z, (row - camera.cy) / camera.fy * z, z, np.ones_like(z)], -1)
    x, y, depth, _ = np.moveaxis(
        point @ (np.linalg.inv(other.camera.camera_to_world) @ camera.camera_to_world).T, -1, 0
    )
    ahead = np.where(depth > 0.05, depth, 1.0)
    lens = other.camera
    return np.stack([lens.fx * x / ahead + lens.cx, lens.fy * y / ahead + lens.cy], axis=-1), depth


def comparisons(frames: tuple[Frame, ...], gap: int) -> list[Comparison]:
    pairs = [compare(frames[i], frames[i + gap]) for i in range(0, len(frames) - gap, 3)]
    return [pair for pair in pairs if pair is not None]


def median(pairs: list[Comparison], name: str) -> float:
    return float(np.median([getattr(pair, name) for pair in pairs]))


@pytest.fixture(params=[*BUNDLED, "live"])
def frames(request: pytest.FixtureRequest) -> tuple[Frame, ...]:
    return live() if request.param == "live" else bundled(request.param)


@pytest.mark.parametrize("gap", [1, 6])
def test_depth_lifted_from_one_frame_is_what_another_measures(frames: tuple[Frame, ...], gap: int) -> None:
    pairs = comparisons(frames, gap)
    assert len(pairs) >= len(frames) / 6
    assert median(pairs, "error") < 0.005
    assert median(pairs, "agreeing") > 0.97
    assert np.quantile([pair.agreeing for pair in pairs], 0.05) > 0.9
    assert median(pairs, "occluded") < 0.05


def revisits(frames: tuple[Frame, ...]) -> list[tuple[int, int]]:
    """Frames that are back within 1.5 m and 30 degrees of an earlier one, after more than 8 m away from it."""
    center = np.stack([frame.camera.center for frame in frames])
    ahead = np.stack([frame.camera.camera_to_world[:3, 2] for frame in frames])
    away = np.linalg.norm(center[:, None] - center[None], axis=-1)
    alike = (away < 1.5) & (ahead @ ahead.T > np.cos(np.deg2rad(30)))
    pairs = [(int(i), int(j)) for i, j in np.argwhere(np.triu(alike, 1)) if away[i, i:j].max() > 8]
    return sorted({j: (i, j) for i, j in reversed(pairs)}.values())


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_walks_leave_a_place_and_come_back_to_it(name: str) -> None:
    back = revisits(bundled(name))
    assert len(back) >= 40
    assert back[0][0] < 10


@pytest.mark.parametrize("name", BUNDLED)
def test_what_is_seen_on_coming_back_is_what_was_there(name: str) -> None:
    frames = bundled(name)
    pairs = [pair for i, j in revisits(frames)[::4] if (pair := compare(frames[i], frames[j])) is not None]
    assert len(pairs) >= 8
    assert median(pairs, "error") < 0.005
    assert median(pairs, "agreeing") > 0.97
    assert median(pairs, "warped") < 0.6 * median(pairs, "unwarped")


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_frames_are_whole_and_some_show_what_moves(name: str) -> None:
    frames = bundled(name)
    assert len(frames) == FRAMES
    assert all(frame.rgb.shape == (160, 256, 3) and frame.camera.fy == 1.2 * frame.camera.fx for frame in frames)
    assert np.diff([frame.time_s for frame in frames]).min() > 0
    assert sum(frame.moving.mean() > 0.005 for frame in frames) > 50
    assert max(frame.moving.mean() for frame in frames) <= 0.3
    assert np.mean([(frame.depth_m == 0).mean() for frame in frames]) < 0.01


def test_one_bundled_clip_has_a_roof_and_the_other_much_sky() -> None:
    indoor, outdoor = (np.mean([frame.sky.mean() for frame in bundled(name)]) for name in BUNDLED)
    assert indoor < 0.01
    assert outdoor > 0.25


def test_bundled_clips_bring_their_licence_and_stay_small() -> None:
    assert "Redistribution and use in source and binary forms" in (CLIPS / "COPYING").read_text()
    assert "Freedoom" in (CLIPS / "CREDITS").read_text()
    assert sum(path.stat().st_size for path in CLIPS.rglob("*") if path.is_file()) < 6_000_000


@pytest.mark.parametrize("gap", [1, 6])
def test_colours_agree_far_better_once_warped(frames: tuple[Frame, ...], gap: int) -> None:
    pairs = comparisons(frames, gap)
    assert median(pairs, "warped") < 0.6 * median(pairs, "unwarped")
