import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.splat import DEPTH_TOLERANCE, MAX_SPREAD, Splats, z_buffer

WIDTH, HEIGHT = 9, 7


def splats(x, y, inverse_depth, reach=0.5, slope=0.0, order=0):
    def column(value, dtype=np.float32):
        return np.broadcast_to(np.asarray(value, dtype), np.shape(x)).copy()

    return Splats(
        x=column(x),
        y=column(y),
        inverse_depth=column(inverse_depth),
        slope=column(slope),
        reach_x=column(reach),
        reach_y=column(reach),
        order=column(order, np.int64),
    )


def z_buffer_by_loops(s, width, height):
    """One cell at a time, one sample at a time."""
    winner = np.full((height, width), -1)
    for row in range(height):
        for column in range(width):
            here = [
                i for i in range(len(s)) if _covers(s.x[i], s.reach_x[i], column) and _covers(s.y[i], s.reach_y[i], row)
            ]
            if not here:
                continue
            nearest = max(s.inverse_depth[i] for i in here)
            limit = nearest * np.float32(1 - DEPTH_TOLERANCE)
            agree = [i for i in here if s.inverse_depth[i] + s.slope[i] >= limit]
            winner[row, column] = min(agree, key=lambda i: (s.order[i], _off(s, i, row, column), i))
    return winner


def _covers(middle, reach, cell):
    reach = np.float32(min(max(reach, 0.5), MAX_SPREAD / 2))
    return middle - reach <= cell + np.float32(0.5) < middle + reach


def _off(s, i, row, column):
    off = max(abs(np.float32(column) - s.x[i] + np.float32(0.5)), abs(np.float32(row) - s.y[i] + np.float32(0.5)))
    return int(off * np.float32(512))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_the_z_buffer_agrees_with_its_loop(seed, count):
    rng = np.random.default_rng(seed)
    drawn = splats(
        rng.uniform(-2, WIDTH + 2, count),
        rng.uniform(-2, HEIGHT + 2, count),
        rng.choice([0.0, 0.5, 0.505, 0.52, 1.0], count),
        reach=rng.uniform(0, 3, count),
        slope=rng.choice([0.0, 0.02], count),
        order=rng.integers(0, 3, count),
    )
    np.testing.assert_array_equal(z_buffer(drawn, WIDTH, HEIGHT), z_buffer_by_loops(drawn, WIDTH, HEIGHT))


def test_the_nearest_sample_wins_whatever_its_order():
    winner = z_buffer(splats([0.5, 0.5], [0.5, 0.5], [1.0, 0.5], order=[5, 0]), 1, 1)
    assert winner.tolist() == [[0]]


def test_the_preferred_sample_wins_where_depths_agree():
    winner = z_buffer(splats([0.5, 0.5], [0.5, 0.5], [1.0, 0.99], order=[5, 0]), 1, 1)
    assert winner.tolist() == [[1]]


def test_equal_samples_are_won_by_the_first():
    assert z_buffer(splats([0.5] * 3, [0.5] * 3, [1.0] * 3), 1, 1).tolist() == [[0]]


def test_sky_lies_behind_everything_and_fills_what_is_empty():
    winner = z_buffer(splats([0.5, 1.5, 0.5], [0.5, 0.5, 0.5], [0.0, 0.0, 1e-4]), 2, 1)
    assert winner.tolist() == [[2, 1]]


def test_a_magnified_sample_covers_the_cells_within_its_reach_up_to_the_limit():
    assert (z_buffer(splats([4.5], [3.5], [1.0], reach=1.5), WIDTH, HEIGHT) >= 0).sum() == 9
    assert (z_buffer(splats([4.5], [3.5], [1.0], reach=50), WIDTH, HEIGHT) >= 0).sum() == MAX_SPREAD**2


def test_nothing_falls_on_a_grid_of_nothing():
    assert (z_buffer(splats([], [], []), 3, 2) == -1).all()
