import numpy as np
import pytest

from memstore.demo.path import distance_to_nearest_m, smooth_path


@pytest.fixture
def recorded(walk):
    return [frame.camera for frame in walk(40)]


@pytest.mark.parametrize("count", [1, 13, 39, 100])
def test_a_path_has_as_many_cameras_as_asked(recorded, count):
    assert len(smooth_path(recorded, count)) == count


def test_no_camera_stands_where_one_was_recorded(recorded):
    path = smooth_path(recorded, 100)
    assert distance_to_nearest_m(path, recorded).min() > 0.01
    assert not any(np.array_equal(camera.camera_to_world, one.camera_to_world) for camera in path for one in recorded)


def test_a_path_stays_near_what_was_recorded(recorded):
    assert distance_to_nearest_m(smooth_path(recorded, 100), recorded).max() < 0.3


def test_shaking_hands_come_to_rest(recorded):
    chance = np.random.default_rng(0)
    shaken = [camera.at(_moved(camera.camera_to_world, chance.normal(0, 0.05, 3))) for camera in recorded]
    assert _roughness(smooth_path(shaken, 39)) < _roughness(shaken[:-1]) / 4


def test_turning_right_round_does_not_turn_back(recorded):
    forward = np.stack([camera.forward for camera in smooth_path(recorded, 39)])
    turns = np.arccos(np.clip((forward[1:] * forward[:-1]).sum(axis=1), -1, 1))
    assert np.rad2deg(turns).max() < 20


def test_the_lens_stays(recorded):
    assert {(c.fx, c.fy, c.width, c.height) for c in smooth_path(recorded, 5)} == {
        (recorded[0].fx, recorded[0].fy, recorded[0].width, recorded[0].height)
    }


def _moved(matrix, offset):
    moved = matrix.copy()
    moved[:3, 3] += offset
    return moved


def _roughness(cameras) -> float:
    centers = np.stack([camera.center for camera in cameras])
    return float(np.linalg.norm(np.diff(centers, n=2, axis=0), axis=1).mean())
