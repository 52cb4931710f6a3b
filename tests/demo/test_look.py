from dataclasses import fields, replace

import numpy as np
import pytest

from memstore.clip import write_clip
from memstore.database import open_database
from memstore.demo.look import QUERY, identical, judge, look_around, summed_up
from memstore.demo.remember import Place
from memstore.demo.score import Score
from memstore.mosaic import Content, Mosaic

ARRAYS = [field.name for field in fields(Mosaic) if isinstance(field.type, str) and "ndarray" in field.type]


@pytest.fixture(scope="module")
def remembered(tmp_path_factory, walk):
    """A world that remembers a walk but for every 8th frame, and the walk."""
    frames = walk(24)
    with open_database(tmp_path_factory.mktemp("look") / "worlds") as database:
        world = database.create_world("room")
        with world.ingest() as ingest:
            for i, frame in enumerate(frames):
                if i % 8 != 7:
                    ingest.add(frame)
        yield world, frames


@pytest.fixture
def mosaic(remembered):
    world, frames = remembered
    return world.retrieve(frames[7].camera, QUERY)


def test_a_mosaic_is_identical_to_itself_asked_again(remembered, mosaic):
    world, frames = remembered
    assert identical(mosaic, world.retrieve(frames[7].camera, QUERY))


@pytest.mark.parametrize("name", ["ids", "layer", "radius_px", "color", "source", "cell", "coverage", "depth_m"])
def test_one_changed_bit_is_seen(mosaic, name):
    changed = getattr(mosaic, name).copy()
    changed.view(np.uint8).reshape(-1)[0] ^= 1
    object.__setattr__(other := replace(mosaic), name, changed)
    assert not identical(mosaic, other)


def test_changed_latents_and_depths_are_seen(mosaic):
    latents = mosaic.latents().copy()
    latents[0, 0] ^= 1
    assert not identical(mosaic, replace(mosaic, content=Content(latents, mosaic.depths())))
    depths = mosaic.depths() * np.float32(1.5)
    assert not identical(mosaic, replace(mosaic, content=Content(mosaic.latents(), depths)))


def test_every_array_of_a_mosaic_is_compared():
    from memstore.demo import look

    assert set(look._ARRAYS) == {"ids", "layer", "uv", "depth_m", "radius_px", "color", "source", "cell", "coverage"}


def test_memory_is_nearer_to_its_own_view_than_to_another(remembered, mosaic):
    _, frames = remembered
    own, other = judge(frames[7], mosaic), judge(frames[19], mosaic)
    assert own.psnr_db > other.psnr_db + 3
    assert own.ssim > other.ssim + 0.1
    assert 0 < own.known <= 1


def test_what_moves_is_not_judged(remembered, mosaic):
    _, frames = remembered
    rgb = frames[7].rgb.copy()
    rgb[10:30, 10:30] = 255 - rgb[10:30, 10:30]
    moving = np.zeros((48, 64), bool)
    moving[10:30, 10:30] = True
    spoilt = replace(frames[7], rgb=rgb)
    assert judge(replace(spoilt, moving=moving), mosaic).psnr_db > judge(spoilt, mosaic).psnr_db + 1


def test_looking_around_judges_every_view_held_out(remembered, tmp_path):
    world, frames = remembered
    place = Place.of(write_clip(tmp_path / "room", frames))
    looked = look_around(place, world, world)
    assert len(looked.scores) == len(looked.retrieve_s) == 3
    assert looked.served_equals_embedded
    assert [row.panels[0].shape for row in looked.rows] == [(48, 64, 3)] * 3
    assert np.array_equal(looked.rows[0].panels[0], frames[7].rgb)


def test_means_leave_out_views_of_which_nothing_is_known():
    seen, unseen = Score(0.8, 0.6, 30.0, 0.9), Score(0, 0, np.nan, np.nan)
    means = summed_up([seen, unseen])
    assert (means.views, means.coverage_mean, means.psnr_covered_db_mean, means.ssim_covered_mean) == (2, 0.4, 30, 0.9)
