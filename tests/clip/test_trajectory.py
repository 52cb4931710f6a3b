import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from memstore.clip.trajectory import Trajectory, mutually_nearest, nearest, slerp
from memstore.convention import quaternion_from_rotation

TIMES = st.lists(st.integers(0, 40), min_size=1, max_size=12).map(lambda t: np.array(sorted(t), np.float64))


@given(TIMES, TIMES)
def test_the_nearest_is_what_trying_all_finds(times_s, among_s):
    found = nearest(times_s, among_s)
    distances = np.abs(times_s[:, None] - among_s[None, :])
    np.testing.assert_array_equal(distances[np.arange(len(times_s)), found], distances.min(axis=1))


@given(TIMES.map(np.unique), TIMES.map(np.unique), st.integers(0, 6))
def test_no_depth_belongs_to_two_pictures_and_every_pair_is_near(colors_s, depths_s, within):
    depth_of, paired = mutually_nearest(colors_s, depths_s, float(within))
    used = depth_of[paired]
    assert len(set(used.tolist())) == len(used)
    assert (np.abs(colors_s[paired] - depths_s[used]) <= within).all()
    for color, depth in zip(colors_s[paired], depths_s[used], strict=True):
        assert np.abs(colors_s - depth).min() == abs(color - depth) == np.abs(depths_s - color).min()


def test_nothing_pairs_with_nothing():
    depth_of, paired = mutually_nearest(np.zeros(3), np.zeros(0), 1.0)
    assert paired.tolist() == [False] * 3
    assert depth_of.shape == (3,)


@given(st.integers(0, 2**32 - 1))
def test_slerp_turns_as_scipy_does_and_takes_the_shorter_way(seed):
    rng = np.random.default_rng(seed)
    ends = Rotation.random(2, rng=rng)
    share = rng.random(1)
    start, end = quaternion_from_rotation(ends.as_matrix())
    found = slerp(start[None], -end[None], share[:, None])[0]
    wanted = Slerp([0, 1], ends)(share[0])
    assert (Rotation.from_quat(np.roll(found, -1)) * wanted.inv()).magnitude() < 1e-7


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-7, 1e-5])
def test_slerp_between_neighbours_is_fine(angle):
    start = np.array([[1.0, 0, 0, 0]])
    end = np.array([[np.cos(angle / 2), np.sin(angle / 2), 0, 0]])
    found = slerp(start, end, np.array([[0.25]]))
    np.testing.assert_allclose(found, [[np.cos(angle / 8), np.sin(angle / 8), 0, 0]], atol=1e-13)


def trajectory(*times_s: float) -> Trajectory:
    count = len(times_s)
    turns = Rotation.from_rotvec(np.outer(np.arange(count), [0, 0, 0.5])).as_matrix()
    return Trajectory(
        np.array(times_s, np.float64), np.outer(np.arange(count), [2.0, 0, 0]), quaternion_from_rotation(turns)
    )


def test_the_camera_between_two_measured_ones_lies_between_them():
    (matrix,) = trajectory(0.0, 1.0, 3.0).at(np.array([2.0]))
    np.testing.assert_allclose(matrix[:3, 3], [3, 0, 0])
    np.testing.assert_allclose(matrix[:3, :3], Rotation.from_rotvec([0, 0, 0.75]).as_matrix(), atol=1e-12)


def test_outside_the_trajectory_its_end_stands():
    before, after = trajectory(0.0, 1.0).at(np.array([-1.0, 9.0]))
    np.testing.assert_allclose(before[:3, 3], [0, 0, 0])
    np.testing.assert_allclose(after[:3, 3], [2, 0, 0])


def test_one_measured_camera_is_a_trajectory():
    np.testing.assert_allclose(trajectory(5.0).at(np.array([4.0, 5.0, 6.0])), np.tile(np.eye(4), (3, 1, 1)))
