"""Agreement of two clouds, against slow and obvious twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore import Transform
from memstore.agreement import DEPTH_M, DISC_M, NEAR_M, PARTNER_M, SAME_FACING, Side, agreement
from memstore.surface_cloud import SurfaceCloud


def plane(x, *, facing=-1.0, eye=(-3.0, 0.0, 0.0), half=1.0, spacing=0.25):
    """A square across the x axis, seen from `eye`."""
    steps = np.arange(-half, half + 1e-9, spacing)
    y, z = (axis.ravel() for axis in np.meshgrid(steps, steps))
    points = np.stack([np.full(len(y), x), y, z], axis=1)
    return SurfaceCloud(points, np.tile([facing, 0, 0], (len(y), 1)), np.tile(eye, (len(y), 1)))


def of(one, two):
    return agreement(Side.of(one), Side.of(two))


def overlap_of(side, other):
    """The share of the points of `other` near `side` that have a partner there, one point after the other."""
    near, partnered = 0, 0
    for point, normal in zip(other.points, other.normals, strict=True):
        distance = np.linalg.norm(side.points - point, axis=1)
        if distance.min() > NEAR_M:
            continue
        near += 1
        tried = np.argsort(distance)[:6]
        same = (distance[tried] <= NEAR_M) & (side.normals[tried] @ normal > SAME_FACING)
        off = np.abs(((side.points[tried] - point) * side.normals[tried]).sum(axis=1))
        partnered += bool((same & (off <= PARTNER_M)).any())
    return partnered / near if near else 0.0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spread_m=st.floats(0.02, 1.0))
def test_overlap_is_that_of_the_side_with_fewer_partners(seed, spread_m):
    rng = np.random.default_rng(seed)

    def cloud(count):
        normals = rng.normal(size=(count, 3)) * [1, 0.3, 0.3]
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return SurfaceCloud(rng.uniform(-1, 1, (count, 3)) * [spread_m, 1, 1], normals, np.full((count, 3), 3.0))

    one, two = cloud(80), cloud(60)
    assert of(one, two).overlap == pytest.approx(min(overlap_of(one, two), overlap_of(two, one)))


def test_agreement_has_no_sides():
    one, two = plane(0.0), plane(0.02, half=0.8)
    forth, back = of(one, two), of(two, one)
    assert forth.overlap == back.overlap
    assert forth.residual_m == back.residual_m == pytest.approx(0.02)
    np.testing.assert_allclose(forth.covariance, back.covariance)


def test_back_to_back_walls_are_no_partners():
    assert of(plane(0.0), plane(0.0, facing=1.0, eye=(3.0, 0.0, 0.0))).overlap == 0


def test_a_wall_that_only_one_side_has_counts_along_its_direction_alone():
    floor = SurfaceCloud(
        plane(0.0, half=2.0).points[:, [1, 2, 0]], np.tile([0.0, 0, 1], (289, 1)), np.full((289, 3), 1.5)
    )
    joined = SurfaceCloud(
        *(np.concatenate(p) for p in zip(vars(floor).values(), vars(plane(0.3)).values(), strict=True))
    )
    other = SurfaceCloud(
        *(np.concatenate(p) for p in zip(vars(floor).values(), vars(plane(0.5)).values(), strict=True))
    )
    judged = of(joined, other)
    assert judged.overlap > 0.7
    assert judged.worst == 0
    np.testing.assert_allclose(np.abs(judged.worst_direction), [1, 0, 0], atol=0.05)


@pytest.mark.parametrize(("x", "contradicted"), [(-1.0, True), (DEPTH_M - 3 - 0.1, False), (-DEPTH_M + 0.1, False)])
def test_lines_of_sight_contradict_what_lies_well_within_them(x, contradicted):
    seen, across = plane(0.0, half=0.5), plane(x, half=0.5)
    assert (of(seen, across).contradiction > 0) == contradicted


def test_lines_that_pass_beside_a_surface_contradict_nothing():
    beside = Transform.translate(0, 1.0 + DISC_M, 0)
    assert of(plane(0.0, half=0.5), plane(-1.0, half=0.5).placed(beside)).contradiction == 0


def test_a_surface_seen_from_behind_contradicts_nothing():
    assert of(plane(0.0, half=0.5), plane(-1.0, half=0.5, facing=1.0, eye=(0.0, 0.0, 0.0))).contradiction == 0


def test_one_wall_leaves_shifts_along_itself_and_the_turn_upon_itself_open():
    judged = of(plane(0.0), plane(0.0))
    spread = np.sqrt(np.diag(judged.covariance))
    assert (spread[[0, 4, 5]] > 100).all()
    assert (spread[[1, 2, 3]] < 0.05).all()
    assert judged.widest_shift()[0] > 100
    np.testing.assert_allclose(judged.widest_turn()[1] ** 2, [1, 0, 0], atol=1e-6)


def test_what_is_far_apart_agrees_in_nothing():
    judged = of(plane(0.0), plane(50.0, eye=(47.0, 0.0, 0.0)))
    assert (judged.overlap, judged.worst, judged.contradiction) == (0, 0, 0)
    assert judged.residual_m == np.inf
