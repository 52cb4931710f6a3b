"""What a pixel shows, against rays cast by hand; pictures of what is selected."""

from __future__ import annotations

import math

import numpy as np
import pytest
from edit.shown import draft_of, shown

import memstore as ms
from memstore.edit.look import GREEN, LOOK, TINT
from memstore.edited import Picked
from memstore.errors import InvalidInput
from memstore.patch import decode_normal, split_ids
from memstore.world import World

ROOM = np.array([4.0, 4.0, 1.5])
WALL = ms.Box((0, 4, 0), (3, 1, 3))


def pixels(camera: ms.Camera, count: int) -> list[tuple[float, float]]:
    draw = np.random.default_rng(5)
    return list(zip(draw.uniform(0, camera.width, count), draw.uniform(0, camera.height, count), strict=True))


def cast(camera: ms.Camera, u: float, v: float) -> tuple[np.ndarray, float]:
    """Returns the direction of a pixel's ray, of planar depth 1, and the depth of the wall that it meets."""
    ray = camera.unproject(np.array([[u, v]]), np.ones(1))[0] - camera.center
    with np.errstate(divide="ignore"):
        walls = np.where(ray > 0, (ROOM - camera.center) / ray, (-ROOM - camera.center) / ray)
    return ray, float(walls.min())


def on_one_wall(camera: ms.Camera, u: float, v: float) -> bool:
    """Whether a token around a pixel sees one wall alone: across a corner, one plane stands for two walls."""
    rays = [cast(camera, u + du, v + dv)[0] for du in (-8, 0, 8) for dv in (-8, 0, 8)]
    hits = [(np.where(ray > 0, (ROOM - camera.center) / ray, (-ROOM - camera.center) / ray), ray) for ray in rays]
    return len({(int(depths.argmin()), bool(ray[depths.argmin()] > 0)) for depths, ray in hits}) == 1


def disc(world: World, picked: Picked) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns centre, normal and radius of the patch that was picked, where its layer puts it."""
    draft = draft_of(world)
    (segment,), (row,) = split_ids(np.array([picked.patch_id], np.uint64))
    patches, at = draft.showing.store.segments.open(int(segment)).patches, draft.find(picked.layer_id).placement
    center = at.apply(patches.center[row].astype(np.float64) + patches.origin)
    return center, at.rotation @ decode_normal(patches.normal[row : row + 1])[0], at.scale * float(patches.radius[row])


def test_a_pixel_picks_the_patch_that_its_ray_meets(museum, walk):
    camera, wrong, misses = walk(12, open_sky=True)[4].camera, [], 0
    for u, v in pixels(camera, 100):
        picked, (ray, wall_m) = museum.pick(camera, u, v), cast(camera, u, v)
        if picked is None or math.isinf(picked.depth_m):
            misses += camera.center[2] + wall_m * ray[2] < ROOM[2] - 0.3  # a wall, not the open sky nor its edge
            continue
        center, normal, radius = disc(museum, picked)
        at = np.array(picked.position)
        np.testing.assert_allclose(at, camera.center + picked.depth_m * ray, atol=1e-9)
        assert np.linalg.norm(at - center) <= radius + 1e-6
        assert abs(normal @ (at - center)) < 1e-3 or abs(normal @ ray) < 0.02
        assert (picked.patch_id, picked.layer_id) in {(patch, layer) for layer, patch in shown(museum).instances()}
        if on_one_wall(camera, u, v):
            wrong.append(abs(picked.depth_m - wall_m))
    assert misses <= 5
    assert len(wrong) > 10
    assert np.median(wrong) < 0.005
    assert np.quantile(wrong, 0.8) < 0.1


def test_a_pixel_of_the_sky_picks_a_direction(museum, walk):
    camera = walk(12, open_sky=True)[4].camera
    mosaic = museum.retrieve(camera)
    seen = np.flatnonzero(
        np.isposinf(mosaic.depth_m) & (mosaic.uv > 0).all(axis=1) & (mosaic.uv < [64, 48]).all(axis=1)
    )
    u, v = mosaic.uv[seen[0]].tolist()
    picked, (ray, _) = museum.pick(camera, u, v), cast(camera, u, v)
    assert picked.layer == "sky"
    assert picked.depth_m == math.inf
    np.testing.assert_allclose(picked.position, ray / np.linalg.norm(ray), atol=1e-12)


def test_a_pixel_where_memory_shows_nothing_picks_nothing(db, museum, walk):
    camera = walk(1)[0].camera
    assert db.create_world("empty").pick(camera, 3, 4) is None
    away = camera.placed(ms.Transform.translate(0, 0, 500))
    with museum.edit() as edit:
        edit.delete(ms.Kinds("sky"))
    assert museum.pick(away, 3, 4) is None


def test_what_was_moved_is_picked_where_it_is_and_names_its_layer(museum, walk):
    camera = ms.Camera.from_fov(64, 48, 60, ms.look_at((0, 0, 0), (0, 4, 0.001)), degrees=True)
    before = museum.pick(camera, 32, 24)
    assert before.layer == "observed"
    near = ms.Transform.scaling(0.5)
    with museum.edit() as edit:
        edit.duplicate(WALL, near, name="model")
    picked = museum.pick(camera, 32, 24)
    assert picked.layer == "model"
    assert picked.depth_m == pytest.approx(before.depth_m / 2, rel=0.02)
    assert museum.at(edit.report.base).pick(camera, 32, 24) == before
    with museum.edit() as edit:
        edit.hide("model")
    assert museum.pick(camera, 32, 24) == before


def test_the_ordinal_of_what_is_picked_is_as_the_world_counts_it(museum, walk):
    at = ms.Transform.translate(30, 0, 0)
    camera = walk(5, open_sky=True)[2].camera
    u, v = next((u, v) for u, v in pixels(camera, 50) if (p := museum.pick(camera, u, v)) and p.layer == "observed")
    museum.stitch("garden", at)
    picked = museum.pick(camera.placed(at), u, v)
    assert picked.layer == "garden-observed"
    assert 7 <= picked.ordinal < 12


@pytest.mark.parametrize(("u", "v"), [(-0.1, 3), (64, 3), (3, 48), (3, -5), (float("nan"), 3)])
def test_a_pixel_outside_the_image_is_refused(museum, walk, u, v):
    with pytest.raises(InvalidInput, match="lies outside the image of 64x48"):
        museum.pick(walk(1)[0].camera, u, v)


def test_a_selection_is_tinted_where_its_patches_are_seen(museum, walk):
    camera = ms.Camera.from_fov(64, 48, 80, ms.look_at((0, 0, 0), (0, 4, 0.001)), degrees=True)
    plain = museum.retrieve(camera, LOOK)
    report = museum.select(WALL, camera=camera)
    assert report.camera == camera
    centers = shown(museum).places()
    layer = museum.layers()[0].layer_id
    meant = np.zeros(plain.coverage.shape, bool)
    for i, token in reversed(list(enumerate(plain.token.tolist()))):  # the first of a token is its best
        place = centers.get((plain.layers[plain.layer[i]], int(plain.ids[i])))
        of_wall = plain.layers[plain.layer[i]] == layer and bool(WALL.contains(place[None])[0])
        meant.ravel()[token] = of_wall
    assert 0 < meant.sum() < meant.size
    where = meant.repeat(8, axis=0).repeat(8, axis=1)
    picture = plain.image()
    np.testing.assert_array_equal(report.picture[~where], picture[~where])
    tint = (1 - TINT) * picture[where] + TINT * np.array(GREEN)
    np.testing.assert_allclose(report.picture[where], tint, atol=0.51)


def test_a_selection_says_what_it_means_and_writes_nothing(museum):
    before, all_shown = museum.head, shown(museum)
    meant = WALL.contains(all_shown.center) & ~all_shown.sky
    report = museum.select(WALL | ms.Kinds("sky"))
    assert report.patch_count == meant.sum() + all_shown.sky.sum()
    counts = {"observed": meant.sum(), "sky": all_shown.sky.sum()}
    assert {layer.name: layer.patch_count for layer in report.layers} == counts
    assert [layer.patch_count for layer in report.layers] == sorted(counts.values(), reverse=True)
    assert (np.array(report.bounds.low) < all_shown.center[meant].min(axis=0)).all()
    assert (report.commit, museum.head) == (before, before)
    assert report.camera is not None
    assert report.picture.shape == (48, 64, 3)
    nothing = museum.select(ms.Sphere((99, 0, 0), 1), allow_empty=True)
    assert (nothing.patch_count, nothing.bounds, nothing.layers) == (0, None, ())
    assert (nothing.camera, nothing.picture) == (None, None)


def test_the_picture_of_what_was_moved_is_taken_from_a_camera_that_moved_along(museum):
    with museum.edit() as edit:
        edit.relocate(WALL, ms.Transform.translate(0, 0, 40), name="wall")
    report = museum.select(ms.Layers("wall"))
    assert report.camera.center[2] > 30
    tinted = np.abs(report.picture.astype(float) - np.array(GREEN)).sum(axis=2) < 300
    assert tinted.mean() > 0.02


def test_the_sky_is_looked_at_from_where_it_was_seen(museum):
    with museum.edit() as edit:
        edit.relocate(ms.Kinds("sky"), ms.Transform.translate(50, 0, 0) @ ms.Transform.rotate_z(1.0))
    report = museum.select(ms.Kinds("sky"))
    assert np.linalg.norm(report.camera.center) < 3
    assert report.bounds is None
