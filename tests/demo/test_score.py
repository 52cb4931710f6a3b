import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from memstore.demo.score import psnr, ssim


@pytest.fixture
def pair():
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 256, (32, 40, 3), dtype=np.uint8)
    noise = chance.integers(-20, 21, truth.shape)
    return truth, np.clip(truth + noise, 0, 255).astype(np.uint8)


def test_on_all_pixels_scores_are_those_of_scikit_image(pair):
    everywhere = np.ones((32, 40), bool)
    assert psnr(*pair, everywhere) == pytest.approx(peak_signal_noise_ratio(*pair))
    # scikit-image leaves a border out of its mean, a few hundredths of the whole.
    assert ssim(*pair, everywhere) == pytest.approx(structural_similarity(*pair, channel_axis=2), abs=0.02)


def test_what_is_not_judged_does_not_count(pair):
    truth, memory = pair
    judged = np.zeros((32, 40), bool)
    judged[:, :20] = True
    spoilt = np.where(judged[..., None], memory, 255 - memory)
    assert psnr(truth, spoilt, judged) == psnr(truth, memory, judged)
    inside = np.zeros_like(judged)
    inside[:, :12] = True  # windows of 7 pixels do not reach the spoilt half
    assert ssim(truth, spoilt, inside) == pytest.approx(ssim(truth, memory, inside))


def test_holes_beside_a_pixel_lower_its_similarity(pair):
    truth, _ = pair
    judged = np.zeros((32, 40), bool)
    judged[:, :20] = True
    assert ssim(truth, np.where(judged[..., None], truth, np.uint8(128)), judged) < 1


def test_equal_pictures_score_the_best_there_is(pair):
    truth, _ = pair
    everywhere = np.ones((32, 40), bool)
    assert psnr(truth, truth, everywhere) == pytest.approx(10 * math.log10(255**2 * 12))
    assert ssim(truth, truth, everywhere) == pytest.approx(1)


def test_nothing_to_judge_has_no_score(pair):
    nowhere = np.zeros((32, 40), bool)
    assert math.isnan(psnr(*pair, nowhere))
    assert math.isnan(ssim(*pair, nowhere))
