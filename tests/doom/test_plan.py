import numpy as np
import pytest

from memstore.doom.plan import ELBOW_ROOM, choose_home, endless, plan_round, survey
from memstore.doom.wad import VOID, DoomMap
from memstore.errors import FailedPrecondition

NOTHING = np.zeros((0, 2))


def box(x1: float, y1: float, x2: float, y2: float) -> list[list[float]]:
    """Four walls, seen from inside on the right hand."""
    return [[x1, y1, x1, y2], [x1, y2, x2, y2], [x2, y2, x2, y1], [x2, y1, x1, y1]]


def ring(width: float = 200) -> DoomMap:
    """A corridor around a block."""
    inner = [[x2, y2, x1, y1] for x1, y1, x2, y2 in box(width, width, 1000 - width, 800 - width)]
    lines = np.array(box(0, 0, 1000, 800) + inner, float)
    none = np.full(len(lines), VOID)
    return DoomMap(lines, np.zeros(len(lines), int), none, none > 0, np.array([[0.0, 128.0]]), np.array([False]))


def test_a_round_on_a_ring_comes_home_the_other_way_about() -> None:
    ground = survey(ring(), NOTHING)
    chance = np.random.default_rng(1)
    way = plan_round(ground, choose_home(ground, chance), 2600, chance)
    assert way.shared < 0.3
    assert np.allclose(way.points[0], way.points[-1], atol=40)
    turned = np.unwrap(np.arctan2(way.points[:, 1] - 400, way.points[:, 0] - 500))
    assert abs(turned[-1] - turned[0]) > 6


def test_a_walk_keeps_away_from_walls_and_things() -> None:
    thing = np.array([[500.0, 100.0]])
    ground = survey(ring(), thing)
    points = plan_round(ground, choose_home(ground, np.random.default_rng(2)), 2600, np.random.default_rng(2)).points
    assert np.hypot(*(points - thing).T).min() > ELBOW_ROOM / 2
    assert points.min() > ELBOW_ROOM / 2
    assert (np.abs(points - [500, 400]) > np.array([300, 200])).any(axis=1).all()


def test_every_round_is_walked_twice() -> None:
    ground = survey(ring(), NOTHING)
    home = choose_home(ground, np.random.default_rng(3))
    points = plan_round(ground, home, 2600, np.random.default_rng(4)).points
    walk = endless(ground, home, 2600, np.random.default_rng(4))
    assert np.array_equal([next(walk) for _ in range(2 * len(points))], np.concatenate([points, points]))


def test_a_closet_is_no_place_to_walk() -> None:
    lines = np.array(box(0, 0, 120, 120), float)
    none = np.full(4, VOID)
    closet = DoomMap(lines, np.zeros(4, int), none, none > 0, np.array([[0.0, 128.0]]), np.array([False]))
    ground = survey(closet, NOTHING)
    with pytest.raises(FailedPrecondition, match="nowhere to go"):
        plan_round(ground, choose_home(ground, np.random.default_rng(0)), 1000, np.random.default_rng(0))


def test_a_map_without_headroom_cannot_be_walked() -> None:
    low = ring()
    low = DoomMap(low.lines, low.front, low.back, low.fenced, np.array([[0.0, 40.0]]), low.sky)
    with pytest.raises(FailedPrecondition, match="no ground"):
        survey(low, NOTHING)
