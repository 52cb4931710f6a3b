import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from memstore.codec import register_codec
from memstore.errors import FailedPrecondition, InvalidInput, Reason
from memstore.latent import LatentSpec, from_tokens
from memstore.mosaic import Content, Mosaic, SourceViews
from memstore.precedence import precedence
from memstore.warp import warp_frame

EYE = np.array([0.0, -2.0, 1.4])
COARSE = LatentSpec("coarse", "1", 3, 4, 2, "float32", normalised=False, depth_stride=1, depth_dtype="float32")


def psnr(found, wanted, mask):
    return 10 * np.log10(255**2 / ((found[mask].astype(np.float64) - wanted[mask]) ** 2).mean())


@pytest.fixture
def nothing(stand):
    """A mosaic of no patches."""
    spec, camera = LatentSpec.pixel(8), stand(EYE)
    no = np.zeros((0, 4), np.float32)
    return Mosaic(
        camera=camera,
        spec=spec,
        commit="c0ffee00",
        ids=no[:, 0].astype(np.uint64),
        layer=no[:, 0].astype(np.uint32),
        layers=(),
        uv=no[:, :2],
        depth_m=no[:, 0],
        radius_px=no[:, 0],
        color=no[:, :3].astype(np.uint8),
        source=no[:, 0].astype(np.int32),
        cell=no[:, :2].astype(np.uint32),
        sources=SourceViews.none(),
        coverage=np.zeros((20, 32), np.float32),
        content=Content(np.zeros((0, 192), np.uint8), np.zeros((0, 64), np.float32)),
    )


def test_a_mosaic_of_nothing_is_empty_everywhere(nothing):
    assert len(nothing) == 0
    assert nothing.instances == ()
    assert nothing.latents().shape == (0, 192)
    assert nothing.depths().shape == (0, 64)
    assert nothing.rope_positions(3).shape == (0, 3)
    assert nothing.coverage_mean == 0
    for canvas in (nothing.canvas("patch"), nothing.canvas("cell"), nothing.warped_latents()):
        assert canvas.latents.shape == (160, 256, 3)
        assert not canvas.mask.any()
    assert (nothing.image(holes=(1, 2, 3)) == [1, 2, 3]).all()
    assert "0 patches" in repr(nothing)
    assert "<img" in nothing._repr_html_()


def test_the_mosaic_before_its_own_camera_is_the_frame_itself(room_mosaic, render_room, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE), open_roof=True)
    rgb, depth = render_room(stand(EYE), open_roof=True)
    np.testing.assert_array_equal(mosaic.image(), rgb)
    assert mosaic.image_mask().all()
    np.testing.assert_allclose(mosaic.warped_latents().depth_m, depth, rtol=1e-6)
    for unit in ("patch", "cell"):
        np.testing.assert_array_equal(mosaic.canvas(unit).latents, rgb)
    tokens = np.column_stack(np.divmod(np.arange(len(mosaic)), 32))
    np.testing.assert_allclose(mosaic.rope_positions(2), np.column_stack([np.full(len(mosaic), 2), tokens]), atol=1e-4)


def test_patches_of_one_whole_frame_warp_as_the_frame_does(room_mosaic, render_room, stand):
    source, target = stand(EYE), stand(EYE + np.array([0.1, 0.1, 0]))
    whole = warp_frame(*render_room(source), source, target)
    canvas = room_mosaic([source], target).warped_latents()
    assert (whole.mask & ~canvas.mask).mean() < 0.05  # patches whose centres leave the image
    both = whole.mask & canvas.mask
    assert np.abs(whole.latents - canvas.latents)[both].mean() < 0.05


@pytest.mark.parametrize("move", [(0.1, 0, 0), (0.3, 0.1, 0), (0, 0.5, 0.1)])
def test_several_frames_together_show_a_moved_view(room_mosaic, render_room, stand, move):
    target = stand(EYE + move)
    around = [stand(EYE + np.array(step)) for step in ((0, 0, 0), (0.5, 0.2, 0), (0.2, 0.6, 0.1), (-0.2, -0.3, 0))]
    mosaic = room_mosaic(around, target)
    mask = mosaic.image_mask()
    assert mask.mean() > 0.97
    assert psnr(mosaic.image(), render_room(target)[0].astype(float), mask) > 36


def test_where_two_frames_show_one_surface_the_better_one_is_seen_alone(room_mosaic, stand):
    cameras = [stand(EYE + np.array([0.13, 0.1, 0])), stand(EYE), stand(EYE - np.array([0.2, 0.1, 0]))]
    mosaic = room_mosaic(cameras, stand(EYE), tints=[10, 120, 240])
    first = room_mosaic(cameras[:1], stand(EYE), tints=[10]).warped_latents()
    image = mosaic.image()[..., 0]
    assert first.covered > 0.8
    assert (image[first.mask] == 10).mean() > 0.98
    assert mosaic.image_mask().mean() > first.covered


def test_a_nearer_surface_hides_a_better_ranked_one(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE), stand(EYE + np.array([0.05, 0, 0]))], stand(EYE), tints=[10, 240])
    near = np.where(mosaic.source[:, None] == 1, np.float32(0.5), 1) * mosaic.depths()
    nearer = replace(mosaic, content=Content(mosaic.latents(), near.astype(np.float32)))
    assert (nearer.image()[..., 0][40:120, 60:190] == 240).mean() > 0.95


def test_scaled_placements_give_the_same_picture(room_mosaic, stand):
    cameras, target = [stand(EYE), stand(EYE + np.array([0.3, 0.2, 0]))], stand(EYE + np.array([0.1, 0.05, 0]))
    wanted = room_mosaic(cameras, target)
    for scale in (0.1, 10.0):
        found = room_mosaic(cameras, target, scale=scale)
        assert (found.image_mask() == wanted.image_mask()).mean() > 0.999
        assert (
            np.abs(found.image().astype(int) - wanted.image()).max(where=wanted.image_mask()[..., None], initial=0)
            <= 60
        )
        assert np.abs(found.image().astype(int) - wanted.image()).mean() < 0.02


def test_a_missing_neighbour_is_clamped_and_not_invented(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE + np.array([0.03, 0, 0])), tints=[200])
    alone = mosaic.image_mask()
    image = mosaic.image(holes=(0, 0, 0))
    assert set(np.unique(image[alone])) == {200}
    kept = mosaic.token % 2 == 0
    sparse = replace(
        mosaic,
        **{
            name: getattr(mosaic, name)[kept]
            for name in ("ids", "layer", "uv", "depth_m", "radius_px", "color", "source", "cell")
        },
        content=Content(mosaic.latents()[kept], mosaic.depths()[kept]),
    )
    assert set(np.unique(sparse.image(holes=(0, 0, 0))[sparse.image_mask()])) == {200}
    assert 0.4 < sparse.image_mask().mean() < 0.6


def test_a_sky_layer_shows_directions_only(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE), open_roof=True)
    sky = replace(mosaic, sources=replace(mosaic.sources, sky=np.ones(1, bool)))
    canvas = sky.warped_latents()
    assert 0 < canvas.covered < 1
    assert np.isposinf(canvas.depth_m[canvas.mask]).all()
    far = sky.sources.camera_to_world.copy()
    far[:, :3, 3] += 100
    np.testing.assert_array_equal(replace(sky, sources=replace(sky.sources, camera_to_world=far)).image(), sky.image())


def test_the_patch_canvas_puts_the_best_patch_of_each_token_on_it_whole(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE), stand(EYE + np.array([0.2, 0.1, 0]))], stand(EYE + np.array([0.1, 0, 0])))
    canvas = mosaic.canvas()
    tokens = np.zeros((20 * 32, 192), np.uint8)
    filled = np.zeros(20 * 32, bool)
    for i in reversed(range(len(mosaic))):
        tokens[mosaic.token[i]], filled[mosaic.token[i]] = mosaic.latents()[i], True
    np.testing.assert_array_equal(canvas.latents, from_tokens(tokens.reshape(20, 32, 192), 8))
    np.testing.assert_array_equal(canvas.mask[::8, ::8].ravel(), filled)


def test_the_cell_canvas_moves_each_cell_by_its_own_depth(room_mosaic, stand):
    source, target = stand(EYE, width=64, height=48), stand(EYE + np.array([0.2, 0.1, 0]), width=64, height=48)
    mosaic = room_mosaic([source], target)
    canvas = mosaic.canvas("cell")
    wanted = np.zeros((48, 64, 3), np.uint8)
    nearest = np.full((48, 64), np.inf)
    for i in range(len(mosaic)):
        for k, depth in enumerate(mosaic.depths()[i]):
            row, column = mosaic.cell[i].astype(int) * 8 + divmod(k, 8)
            (u, v), z = target.project(source.unproject(np.array([column + 0.5, row + 0.5]), np.array(depth)))
            at = int(np.floor(v)), int(np.floor(u))
            if 0 <= at[0] < 48 and 0 <= at[1] < 64 and z < nearest[at]:
                nearest[at], wanted[at] = z, mosaic.latents()[i].reshape(64, 3)[k]
    np.testing.assert_array_equal(canvas.mask, np.isfinite(nearest))
    agree = np.abs(canvas.depth_m - nearest)[canvas.mask] <= 0.1 * nearest[canvas.mask]
    assert agree.all()
    assert (canvas.latents == wanted).all(axis=-1).mean() > 0.9


def test_an_unregistered_codec_falls_back_to_mean_colours(room_mosaic, render_room, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE), COARSE)
    rgb = render_room(stand(EYE))[0].reshape(20, 8, 32, 8, 3).mean(axis=(1, 3))
    assert np.abs(mosaic.image()[::8, ::8] - rgb).max() <= 1
    assert mosaic.warped_latents().latents.shape == (40, 64, 3)
    without = replace(mosaic, content=None)
    np.testing.assert_array_equal(without.image(), mosaic.image())


def test_a_registered_codec_decodes_the_warped_latents(room_mosaic, stand, monkeypatch):
    class Coarse:
        def encode(self, rgb):
            raise NotImplementedError

        def decode(self, latents):
            assert latents.dtype == np.float32
            return np.rint(latents).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)

    monkeypatch.setattr("memstore.codec._FACTORIES", {})
    register_codec("coarse", lambda _: Coarse())
    mosaic = room_mosaic([stand(EYE)], stand(EYE), COARSE)
    wanted = np.rint(mosaic.warped_latents().latents).astype(np.uint8)
    np.testing.assert_array_equal(mosaic.image()[::4, ::4], wanted)


def test_what_needs_latents_says_how_to_get_them(room_mosaic, stand):
    mosaic = replace(room_mosaic([stand(EYE)], stand(EYE)), content=None)
    for ask in (mosaic.latents, mosaic.depths, mosaic.warped_latents, mosaic.canvas, lambda: mosaic.canvas("cell")):
        with pytest.raises(FailedPrecondition, match="latents=True") as raised:
            ask()
        assert raised.value.reason == Reason.MISSING_LATENTS


def test_broken_mosaics_are_refused(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE))
    with pytest.raises(InvalidInput, match="sorted by target token"):
        replace(mosaic, uv=mosaic.uv[::-1].copy())
    with pytest.raises(InvalidInput, match="source must count from 0 to 0"):
        replace(mosaic, source=mosaic.source + np.int32(1))
    with pytest.raises(InvalidInput, match=r"depth_m must have shape \(640, 64\)"):
        replace(mosaic, content=Content(mosaic.latents(), np.zeros((640, 16), np.float32)))


def test_arrays_of_a_mosaic_cannot_be_written(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE))
    for array in (mosaic.uv, mosaic.latents(), mosaic.depths(), mosaic.sources.scale, mosaic.warped_latents().latents):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_mosaic_tells_of_itself(room_mosaic, stand):
    mosaic = room_mosaic([stand(EYE)], stand(EYE))
    assert repr(mosaic) == "Mosaic(256x160, 640 patches from 1 frames in 1 layers, 100% covered, at c0ffee00)"
    assert mosaic.instances[3] == ("walls", 3)
    assert len(mosaic._repr_html_()) < 100_000


def test_frames_are_ordered_by_who_stands_first_where_they_meet():
    token = np.array([0, 0, 1, 1, 2, 3, 3])
    assert precedence(token, np.array([2, 0, 0, 1, 1, 2, 0], np.int32)).tolist() == [0, 1, 1, 2, 2, 0, 1]


def test_ranks_count_where_frames_stand_in_no_order():
    token = np.array([0, 0, 1, 1, 2, 2])
    circle = np.array([0, 1, 1, 2, 2, 0], np.int32)
    assert precedence(token, circle).tolist() == [0, 1, 0, 1, 0, 1]


def test_mosaics_need_nothing_but_numpy():
    heavy = "{'numba', 'scipy', 'torch', 'PIL', 'lancedb', 'zarr'}"
    code = f"import sys, memstore.mosaic; print(sorted({heavy} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
