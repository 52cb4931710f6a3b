"""Latent specs and the cutting of latent maps into patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from memstore.errors import InvalidInput, LatentSpecMismatch
from memstore.latent import LatentSpec, from_tokens, to_tokens


def test_both_usual_specs_keep_192_values_a_patch():
    pixel, wan = LatentSpec.pixel(), LatentSpec.wan22()
    assert (pixel.values_per_patch, pixel.bytes_per_patch, pixel.token_px, pixel.depths_per_side) == (192, 192, 8, 8)
    assert (wan.values_per_patch, wan.bytes_per_patch, wan.token_px, wan.depths_per_side) == (192, 384, 32, 8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": 0}, "channels must be at least 1, got 0"),
        ({"patch": -1}, "patch must be at least 1, got -1"),
        ({"stride": 0}, "stride must be at least 1, got 0"),
        ({"depth_stride": 0}, "depth_stride must be at least 1, got 0"),
        ({"depth_stride": 3}, "depth_stride must divide stride 16, got 3"),
        ({"dtype": "int8"}, "dtype must be one of uint8, float16, float32, got 'int8'"),
        ({"depth_dtype": "uint8"}, "depth_dtype must be float16 or float32, got 'uint8'"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(InvalidInput, match=message):
        replace(LatentSpec.wan22(), **change)


def test_the_token_grid_is_rows_by_columns():
    assert LatentSpec.pixel(8).token_grid(256, 160) == (20, 32)
    assert LatentSpec.wan22().token_grid(640, 352) == (11, 20)


def test_an_image_that_cannot_be_cut_is_told_the_nearest_that_can():
    with pytest.raises(InvalidInput, match=r"640x360 cannot be cut .* 32x32 pixels; .* to 640x352"):
        LatentSpec.wan22().token_grid(640, 360)
    with pytest.raises(InvalidInput, match=r"20x40 cannot be cut .* to 32x32"):
        LatentSpec.wan22().token_grid(20, 40)


def test_a_mismatch_names_every_field_that_differs():
    with pytest.raises(
        LatentSpecMismatch, match=r"stitch: .* differ in patch 8 and 4, depth_dtype 'float16' and 'float32'"
    ):
        LatentSpec.pixel(8).require_same(LatentSpec.pixel(4, depth_dtype="float32"), "stitch")
    LatentSpec.pixel(8).require_same(LatentSpec.pixel(8), "stitch")


@pytest.mark.parametrize("spec", [LatentSpec.pixel(4, "float32"), LatentSpec.wan22("2.2-b", 8)])
def test_a_spec_comes_back_from_its_fields(spec):
    assert LatentSpec.from_dict(spec.to_dict()) == spec


def test_fields_of_a_newer_spec_are_refused_by_name():
    with pytest.raises(InvalidInput, match="a latent spec has no field quantiser; it has codec, revision"):
        LatentSpec.from_dict(LatentSpec.pixel().to_dict() | {"quantiser": 1})


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
def test_a_patch_is_one_run_of_its_cells(batch):
    patch, rows, cols, channels = 2, 3, 4, 5
    latents = np.random.default_rng(0).normal(size=(*batch, rows * patch, cols * patch, channels)).astype(np.float16)
    tokens = to_tokens(latents, patch)
    assert tokens.shape == (*batch, rows, cols, patch * patch * channels)
    assert tokens.flags.c_contiguous
    for row in range(rows):
        for col in range(cols):
            cut = latents[..., row * patch : (row + 1) * patch, col * patch : (col + 1) * patch, :]
            np.testing.assert_array_equal(tokens[..., row, col, :], cut.reshape(*batch, -1))


def test_patches_put_together_are_the_map():
    latents = np.random.default_rng(0).integers(0, 256, (2, 24, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(from_tokens(to_tokens(latents, 8), 8), latents)
