"""Registration: rooms fit, corridors and strangers are refused with the reason, and real walks end at the truth."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import registration
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import memstore as ms
from memstore import Transform
from memstore.errors import FailedPrecondition, Reason
from memstore.register import RegisterOptions, SurfaceCloud, register

EYE = np.array([0.5, 0.3, 0.2])
UNIT = st.floats(-1, 1)


def face(axis, at, inward, low, high, offset=0.0):
    """A wall of a box: a grid of points 0.25 m apart with normals along `axis`, seen from `EYE`."""
    u, v = (i for i in range(3) if i != axis)
    grid = np.meshgrid(*(np.arange(low[i] + 0.1 + offset, high[i], 0.25) for i in (u, v)))
    points = np.empty((grid[0].size, 3))
    points[:, axis], points[:, u], points[:, v] = at, grid[0].ravel(), grid[1].ravel()
    normals = np.zeros_like(points)
    normals[:, axis] = inward
    return points, normals


def cloud_of(faces):
    points = np.concatenate([points for points, _ in faces])
    return SurfaceCloud(points, np.concatenate([normals for _, normals in faces]), np.tile(EYE, (len(points), 1)))


def room(size=(6.0, 5.0, 3.0), *, without=(), offset=0.0):
    """A box room about the origin; `without` names axes whose two walls are left out."""
    high = np.array(size) / 2
    walls = [
        face(axis, side * high[axis], -side, -high, high, offset)
        for axis in range(3)
        if axis not in without
        for side in (-1, 1)
    ]
    return cloud_of(walls)


def refusal(here, other, guess=None, options=None):
    with pytest.raises(FailedPrecondition, match="guess") as caught:
        register(here, other, guess or Transform.identity(), options)
    return caught.value


def off(transform):
    """Metres and degrees that a transform is off the identity, at the origin."""
    angle = np.arccos(np.clip((np.trace(transform.rotation) - 1) / 2, -1, 1))
    return np.linalg.norm(transform.translation), np.rad2deg(angle)


@settings(max_examples=15, deadline=None)
@given(shift=arrays(np.float64, 3, elements=UNIT), axis=arrays(np.float64, 3, elements=UNIT), angle=st.floats(-15, 15))
def test_a_room_is_found_again_from_a_metre_and_15_degrees_away(shift, axis, angle):
    turn = Transform.rotate(axis + np.array([0, 0, 2]), angle, degrees=True)
    guess = Transform.translate(*shift / max(np.linalg.norm(shift), 1)) @ turn
    found = register(room(), room(offset=0.07), guess)
    assert max(off(found.transform)) < 0.02
    assert found.overlap > 0.95
    assert found.residual_m < 0.01
    assert found.correction_m == pytest.approx(np.linalg.norm(guess.translation), abs=0.1)
    assert np.rad2deg(found.correction_rad) == pytest.approx(abs(angle), abs=0.1)


@pytest.mark.parametrize(("x", "angle", "scale"), [(30, 0, 1), (-4, 170, 0.2), (0, 40, 5)])
def test_how_the_other_world_lies_and_is_scaled_makes_no_difference(x, angle, scale):
    elsewhere = Transform.translate(x, -x, 1) @ Transform.rotate_z(angle, degrees=True) @ Transform.scaling(scale)
    guess = Transform.translate(0.4, 0.2, -0.1)
    plain = register(room(), room(offset=0.07), guess)
    found = register(room(), room(offset=0.07).placed(elsewhere), guess @ elsewhere.inverse())
    np.testing.assert_allclose((found.transform @ elsewhere).matrix, plain.transform.matrix, atol=1e-3)
    assert found.transform.scale == pytest.approx(1 / scale)
    assert found.correction_m == pytest.approx(plain.correction_m, abs=1e-3)


def test_the_spread_of_each_degree_of_freedom_is_told():
    size = (12.2, 5.0, 3.0)  # cells of 1 m: 4 x 6 on a wall across x, 12 x 4 across y, 13 x 6 across z
    found = register(room(size), room(size, offset=0.07), Transform.translate(0.1, 0, 0))
    spread = dict(zip(("turn_x", "turn_y", "turn_z", "x", "y", "z"), found.constraint, strict=True))
    assert 0 < spread["z"] < spread["y"] < spread["x"] < 0.01
    assert 0 < spread["turn_z"] < 0.01


@pytest.mark.parametrize(("axis", "name"), list(enumerate("xyz")))
def test_a_corridor_is_refused_along_its_axis(axis, name):
    size = np.full(3, 4.0)
    size[axis] = 16
    error = refusal(room(tuple(size), without=(axis,)), room(tuple(size), without=(axis,), offset=0.07))
    assert error.reason is Reason.UNCONSTRAINED
    assert error.details["direction"] == name
    assert f"along {name}" in error.message
    assert "corridor" in error.message


def test_a_comb_that_fits_in_two_places_is_refused():
    def ribbed(ribs):
        low, high = np.array([-8.0, -2, -1.5]), np.array([8.0, 2, 1.5])
        walls = [face(axis, side * high[axis], -side, low, high) for axis in (1, 2) for side in (-1, 1)]
        steps = [face(0, 0.8 * rib, side, low, high) for rib in ribs for side in (-1, 1)]
        cloud = cloud_of([*walls, *steps])
        return SurfaceCloud(cloud.points, cloud.normals, cloud.points + 0.2 * cloud.normals)

    error = refusal(ribbed(range(-9, 10)), ribbed(range(-6, 7)), Transform.translate(0.4, 0, 0))
    assert error.reason is Reason.UNCONSTRAINED
    assert "two places" in error.message
    assert error.details["direction"] == "x"


def test_worlds_far_from_each_other_do_not_overlap():
    error = refusal(room(), room(), Transform.translate(100, 0, 0))
    assert error.reason is Reason.NO_OVERLAP
    assert error.details["overlap"] == 0


def test_an_empty_world_overlaps_with_nothing():
    nothing = room().part(np.zeros(len(room()), np.bool_))
    for here, other in ((nothing, room()), (room(), nothing), (nothing, nothing)):
        assert refusal(here, other).reason is Reason.NO_OVERLAP


def test_rooms_of_other_sizes_are_no_fit():
    error = refusal(room((6.0, 5.0, 3.0)), room((9.0, 7.5, 3.0)))
    assert error.reason in (Reason.NO_OVERLAP, Reason.POOR_FIT)


def test_a_wall_through_what_was_seen_to_be_free_is_a_contradiction():
    half = np.array([3.0, 2.5, 1.5])
    wall = cloud_of([face(0, 0.0, 1, -half, half)])
    other = room(offset=0.07)
    walled = SurfaceCloud(
        *(np.concatenate(pair) for pair in zip(vars(other).values(), vars(wall).values(), strict=True))
    )
    assert register(room(), other, Transform.identity()).contradiction < 0.01
    error = refusal(room(), walled)
    assert error.reason is Reason.POOR_FIT
    assert "lines of sight" in error.message
    assert error.details["contradiction"] > 0.18


def test_surfaces_that_lie_apart_are_no_fit():
    rng = np.random.default_rng(1)
    rough = room(offset=0.07)
    rough = SurfaceCloud(rough.points + rng.uniform(-0.04, 0.04, rough.points.shape), rough.normals, rough.eyes)
    assert register(room(), rough, Transform.identity()).residual_m > 0.005
    error = refusal(room(), rough, options=RegisterOptions(max_residual_m=0.005))
    assert error.reason is Reason.POOR_FIT
    assert "apart in the median" in error.message


@pytest.mark.parametrize(
    "options", [RegisterOptions(max_correction_m=0.3), RegisterOptions(max_correction_rad=np.deg2rad(5))]
)
def test_what_lies_too_far_from_the_guess_is_refused(options):
    guess = Transform.translate(0.5, 0, 0) @ Transform.rotate_z(8, degrees=True)
    register(room(), room(offset=0.07), guess)
    error = refusal(room(), room(offset=0.07), guess, options)
    assert error.reason is Reason.POOR_FIT
    assert "from the guess" in error.message
    assert error.details["correction_m"] == pytest.approx(0.5, abs=0.05)


def test_nothing_but_a_registration_loads_the_fitter():
    code = "import sys, memstore.register; sys.exit('small_gicp' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def walks():
    folder = Path(ms.__file__).parent / "clips"
    return {name: list(ms.read_clip(folder / name)) for name in ("freedoom-indoor", "freedoom-outdoor")}


@pytest.mark.parametrize("cut", registration.CUTS)
def test_two_halves_of_a_real_walk_end_at_the_truth(walks, cut):
    pairs = [(name, *registration.halves(frames, registration.CUTS[cut])) for name, frames in walks.items()]
    tally = registration.overlapping(pairs, 4, 1.0, 15.0, np.random.default_rng(3))
    assert tally.wrong == []
    assert tally.fitted == 4, tally.refused


def test_real_walks_that_share_nothing_are_refused(walks):
    tally = registration.strangers(walks, 4, np.random.default_rng(4))
    assert tally.wrong == []
    assert tally.refused.total() == 4
