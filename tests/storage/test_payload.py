"""Payloads: exactly what was written, read by map as by Zarr, and sure of every byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

from memstore.errors import CorruptData, InvalidInput, NotFound, Reason
from memstore.latent import LatentSpec, from_tokens, to_tokens
from memstore.storage.payload import PayloadReader, decode_depth, encode_depth, sample_depth, write_payload

PIXEL = LatentSpec.pixel(patch=4)
EXACT = LatentSpec.pixel(patch=4, depth_dtype="float32")
COARSE = LatentSpec("made-up", "1", 5, 4, 2, "float16", normalised=True, depth_stride=2)
FULL = LatentSpec("made-up", "1", 5, 4, 2, "float32", normalised=True, depth_stride=4)
SPECS = [PIXEL, EXACT, COARSE, FULL]
FRAMES, HEIGHT, WIDTH = 5, 16, 24
CELLS_OF = {spec: (HEIGHT // spec.token_px) * (WIDTH // spec.token_px) for spec in SPECS}


def arrays(spec: LatentSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = (FRAMES, *spec.token_grid(WIDTH, HEIGHT), spec.values_per_patch)
    tokens = (rng.normal(size=shape) * 50).astype(np.int8).astype(spec.dtype)
    tokens[1] = 0  # a frame of zeros is a frame
    depth_m = rng.uniform(0.1, 90, (FRAMES, HEIGHT, WIDTH)).astype(np.float32)
    depth_m[:, :4], depth_m[:, 4:8], depth_m[0, 8:12] = np.inf, np.nan, 0
    return tokens, depth_m, rng.random((FRAMES, HEIGHT, WIDTH)) < 0.3


def written(folder: Path, spec: LatentSpec = PIXEL) -> Path:
    tokens, depth_m, moving = arrays(spec)
    write_payload(folder / "00000007" / "payload", tokens, depth_m, moving, spec)
    return folder / "00000007" / "payload"


def shard(directory: Path, name: str) -> Path:
    (path,) = (path for path in (directory / name / "c").rglob("*") if path.is_file())
    return path


@pytest.mark.parametrize("spec", SPECS)
def test_patches_are_gathered_as_indexing_would(tmp_path: Path, spec: LatentSpec) -> None:
    tokens, depth_m, _ = arrays(spec)
    reader = PayloadReader(written(tmp_path, spec), spec)
    rng = np.random.default_rng(1)
    frames = rng.integers(0, FRAMES, 300).astype(np.uint16)
    cells = rng.integers(0, CELLS_OF[spec], 300).astype(np.uint32)
    found = reader.latents(frames, cells)
    assert found.dtype == tokens.dtype
    assert found.flags.c_contiguous
    assert np.array_equal(found, tokens.reshape(FRAMES, CELLS_OF[spec], -1)[frames, cells])
    samples = to_tokens(sample_depth(depth_m, spec.depth_stride)[..., None], spec.depths_per_side)
    wanted = samples.reshape(FRAMES, CELLS_OF[spec], -1)[frames, cells]
    wanted = np.where(wanted == 0, np.nan, wanted)
    np.testing.assert_allclose(reader.depths(frames, cells), wanted, rtol=2**-11 + 2**-23)


@pytest.mark.parametrize("spec", SPECS)
def test_frames_come_back_whole(tmp_path: Path, spec: LatentSpec) -> None:
    tokens, depth_m, moving = arrays(spec)
    reader = PayloadReader(written(tmp_path, spec), spec)
    assert reader.frame_count == FRAMES
    for i in range(FRAMES):
        assert np.array_equal(reader.frame_latents(i), from_tokens(tokens[i], spec.patch))
        assert np.array_equal(reader.frame_moving(i), moving[i])
        wanted = sample_depth(depth_m, spec.depth_stride)[i]
        wanted = np.where(wanted == 0, np.nan, wanted)
        np.testing.assert_allclose(reader.frame_depth(i), wanted, rtol=2**-11 + 2**-23)


def test_no_patches_are_no_patches(tmp_path: Path) -> None:
    reader = PayloadReader(written(tmp_path), PIXEL)
    assert reader.latents(np.empty(0, np.uint16), np.empty(0, np.uint32)).shape == (0, PIXEL.values_per_patch)


@pytest.mark.parametrize("spec", SPECS)
def test_plain_zarr_reads_the_same_arrays(tmp_path: Path, spec: LatentSpec) -> None:
    tokens, _, moving = arrays(spec)
    directory = written(tmp_path, spec)
    group = zarr.open_group(str(directory), mode="r")
    assert np.array_equal(group["latents"][:], tokens)
    assert np.array_equal(group["moving"][:], np.packbits(moving, axis=-1))
    reader = PayloadReader(directory, spec)
    cells = np.arange(CELLS_OF[spec], dtype=np.uint32)
    for i in range(FRAMES):
        stored = group["depth"][i].reshape(len(cells), -1)
        assert np.array_equal(decode_depth(stored), reader.depths(np.full(len(cells), i), cells), equal_nan=True)
    assert group["latents"].chunks == (1, *tokens.shape[1:])
    assert group["latents"].shards == tokens.shape


def test_masks_are_kept_only_when_something_moves(tmp_path: Path) -> None:
    tokens, depth_m, moving = arrays(PIXEL)
    for name, mask in (("none", None), ("still", np.zeros_like(moving))):
        write_payload(tmp_path / name / "payload", tokens, depth_m, mask, PIXEL)
        assert not (tmp_path / name / "payload" / "moving").exists()
        assert PayloadReader(tmp_path / name / "payload", PIXEL).frame_moving(0) is None


def test_depth_as_float16_errs_by_at_most_two_to_the_minus_eleven_up_to_16_km() -> None:
    depth_m = np.geomspace(2e-5, 16_384, 200_000).astype(np.float32)
    found = decode_depth(encode_depth(depth_m, "float16"))
    assert np.abs(found / depth_m - 1).max() <= 2**-11 + 2**-23


def test_what_is_measured_stays_measured_however_far() -> None:
    depth_m = np.array([1e-30, 1e-5, 1e5, 1e8, 3e38], np.float32)
    for dtype in ("float16", "float32"):
        found = decode_depth(encode_depth(depth_m, dtype))
        assert np.isfinite(found).all()
        assert (found > 0).all()


def test_sky_stays_sky_and_nothing_else_becomes_it() -> None:
    depth_m = np.array([np.inf, np.nan, 0, -1, -np.inf], np.float32)
    for dtype in ("float16", "float32"):
        assert np.array_equal(decode_depth(encode_depth(depth_m, dtype)), [np.inf, *[np.nan] * 4], equal_nan=True)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_a_sample_of_a_plane_is_its_depth_at_the_centre_of_the_square(stride: int) -> None:
    def plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 1 / (0.1 + 0.0004 * x + 0.0003 * y)

    y, x = np.mgrid[0:24, 0:36] + 0.5
    rows, columns = np.mgrid[0 : 24 // stride, 0 : 36 // stride] + 0.5
    found = sample_depth(plane(x, y).astype(np.float32)[None], stride)[0]
    np.testing.assert_allclose(found, plane(columns * stride, rows * stride), rtol=1e-6)


def test_a_sample_at_an_edge_is_the_nearest_and_never_between() -> None:
    square = np.array([[[9, 1], [1, 9]]], np.float32)
    assert sample_depth(square, 2).tolist() == [[[1.0]]]
    assert sample_depth(np.array([[[np.inf, 5], [np.nan, np.inf]]], np.float32), 2).tolist() == [[[5.0]]]
    assert sample_depth(np.full((1, 2, 2), np.inf, np.float32), 2).tolist() == [[[np.inf]]]
    assert np.isnan(sample_depth(np.array([[[0, np.nan], [np.nan, np.nan]]], np.float32), 2)).all()


@pytest.mark.parametrize(("frames", "cells"), [([5], [0]), ([-1], [0]), ([0], [24]), ([0], [-1])])
def test_a_frame_or_cell_out_of_range_is_refused(tmp_path: Path, frames: list[int], cells: list[int]) -> None:
    reader = PayloadReader(written(tmp_path), PIXEL)
    with pytest.raises(InvalidInput, match="must be from 0 to"):
        reader.latents(np.array(frames), np.array(cells))
    if not 0 <= frames[0] < FRAMES:
        with pytest.raises(InvalidInput, match="frame must be from 0 to 4"):
            reader.frame_latents(frames[0])


def test_a_garbled_frame_is_named_when_touched_and_the_others_still_read(tmp_path: Path) -> None:
    directory = written(tmp_path)
    path = shard(directory, "latents")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4  # in frame 2 of 5
    path.write_bytes(content)
    reader = PayloadReader(directory, PIXEL)
    cells = np.zeros(2, np.uint32)
    reader.latents(np.array([0, 4]), cells)
    for touch in (lambda: reader.latents(np.array([0, 2]), cells), lambda: reader.frame_latents(2)):
        with pytest.raises(CorruptData, match=r"latents.* of segment 00000007 fails the checksum of frame 2") as caught:
            touch()
        assert caught.value.reason == Reason.CHECKSUM_MISMATCH
        assert caught.value.details["file"] == str(path)
    assert [problem.details["frame"] for problem in reader.problems()] == [2]


@pytest.mark.parametrize("name", ["latents", "depth", "moving"])
def test_every_flipped_bit_of_a_shard_is_found(tmp_path: Path, name: str) -> None:
    directory = written(tmp_path)
    path = shard(directory, name)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    ends = range(len(whole) - 16 * FRAMES - 4, len(whole), 7)
    for at in (*ends, len(whole) - 1, *rng.integers(0, len(whole), 30).tolist()):
        garbled = bytearray(whole)
        garbled[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(garbled)
        try:
            found = PayloadReader(directory, PIXEL).problems()
        except CorruptData as error:
            found = [error]
        assert found, at
        assert found[0].details["file"] == str(path)


@pytest.mark.parametrize("name", ["latents", "depth", "moving"])
def test_every_truncation_is_found_at_opening(tmp_path: Path, name: str) -> None:
    directory = written(tmp_path)
    for path in (shard(directory, name), directory / name / "zarr.json"):
        whole = path.read_bytes()
        for length in (0, 1, 3, 4, 20, len(whole) // 2, len(whole) - 20, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(CorruptData, match=f"{name}.* restore"):
                PayloadReader(directory, PIXEL)
        path.unlink()
        with pytest.raises(NotFound, match="is missing"):
            PayloadReader(directory, PIXEL)
        path.write_bytes(whole)
    PayloadReader(directory, PIXEL)


def test_another_layout_is_refused(tmp_path: Path) -> None:
    directory = written(tmp_path)
    path = directory / "latents" / "zarr.json"
    path.write_text(path.read_text().replace('"end"', '"start"'))
    with pytest.raises(CorruptData, match="not laid out as memstore writes it"):
        PayloadReader(directory, PIXEL)


def test_a_payload_of_other_latents_is_refused(tmp_path: Path) -> None:
    directory = written(tmp_path)
    with pytest.raises(CorruptData, match="say 12 values a patch"):
        PayloadReader(directory, replace(PIXEL, patch=2))
    with pytest.raises(CorruptData, match="holds uint8 where the segment's latents say float16"):
        PayloadReader(directory, replace(PIXEL, dtype="float16"))


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    tokens, depth_m, _ = arrays(PIXEL)
    with pytest.raises(InvalidInput, match=r"must be uint8 of shape \(5, 4, 6, 48\)"):
        write_payload(tmp_path / "p", tokens[:, :2], depth_m, None, PIXEL)
    assert not (tmp_path / "p").exists()
