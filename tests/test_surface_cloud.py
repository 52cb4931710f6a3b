"""Surface clouds: what a scene shows, where it shows it, thinned to one point a cell and facing."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.retrieval_quality import remembered

from memstore import Box, Transform
from memstore.patch import decode_normal
from memstore.segment import NEVER_HIDDEN, Scene
from memstore.surface_cloud import SurfaceCloud, surface_cloud

FINE_M = 1e-4
"""Cells so small that every patch has one."""


@pytest.fixture(scope="module")
def scene(walk):
    return remembered(walk(9, 128, 96, open_sky=True))[0]


def surfaces(scene):
    return next(entry for entry in scene.entries if not entry.sky)


def ordered(points):
    return points[np.lexsort(points.T)]


def test_every_surface_patch_is_there_and_no_sky(scene):
    patches = surfaces(scene).segment.patches
    assert patches.surface_count < len(patches)
    centers = patches.origin + patches.center[: patches.surface_count].astype(np.float64)
    assert np.array_equal(ordered(surface_cloud(scene, spacing_m=FINE_M).points), ordered(np.unique(centers, axis=0)))


def test_a_scene_of_sky_alone_gives_an_empty_cloud(scene):
    assert len(surface_cloud(Scene(tuple(e for e in scene.entries if e.sky), scene.layers))) == 0


def test_normals_face_the_eyes_that_saw_the_points(scene):
    cloud = surface_cloud(scene)
    assert (((cloud.eyes - cloud.points) * cloud.normals).sum(axis=1) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(cloud.normals, axis=1), 1, atol=1e-6)
    centers = surfaces(scene).segment.frames.camera_to_world[:, :3, 3]
    assert (np.abs(cloud.eyes[:, None] - centers).sum(axis=2).min(axis=1) == 0).all()


def test_the_smallest_patch_of_a_cell_and_facing_speaks_for_it(scene):
    patches = surfaces(scene).segment.patches
    best = {}
    for row in range(patches.surface_count):
        center = patches.origin + patches.center[row].astype(np.float64)
        normal = decode_normal(patches.normal[row : row + 1])[0].astype(np.float64)
        axis = int(np.abs(normal).argmax())
        cell = (*np.floor(center / 0.5).astype(int), axis, normal[axis] > 0)
        if cell not in best or patches.radius[row] < best[cell][0]:
            best[cell] = (patches.radius[row], center)
    kept = np.array([center for _, center in best.values()])
    assert np.array_equal(ordered(surface_cloud(scene, spacing_m=0.5).points), ordered(kept))


def test_hidden_patches_are_left_out_from_whenever_they_are_hidden(scene):
    entry = surfaces(scene)
    hidden_from = np.full(len(entry.segment.patches), NEVER_HIDDEN)
    hidden_from[::3], hidden_from[1::3] = 0, 5
    left = surface_cloud(Scene((replace(entry, hidden_from=hidden_from),), scene.layers), spacing_m=FINE_M)
    rows = np.arange(2, entry.segment.patches.surface_count, 3)
    kept = entry.segment.patches.origin + entry.segment.patches.center[rows].astype(np.float64)
    assert np.array_equal(ordered(left.points), ordered(np.unique(kept, axis=0)))


def test_a_placement_carries_the_cloud_along(scene):
    placement = Transform.translate(3, 1, 0) @ Transform.rotate_z(0.4) @ Transform.scaling(2)
    placed = Scene(tuple(replace(entry, placement=placement) for entry in scene.entries), scene.layers)
    found, wanted = surface_cloud(placed, spacing_m=FINE_M), surface_cloud(scene, spacing_m=FINE_M).placed(placement)
    by_place = [np.lexsort(np.round(cloud.points, 5).T) for cloud in (found, wanted)]
    for name in vars(found):
        np.testing.assert_allclose(vars(found)[name][by_place[0]], vars(wanted)[name][by_place[1]], atol=1e-6)


def test_a_region_keeps_what_lies_in_it_once_placed(scene):
    region = Box(center=(2, 0, 0), size_m=(4, 20, 20))
    everything, kept = surface_cloud(scene, spacing_m=FINE_M), surface_cloud(scene, region, spacing_m=FINE_M)
    assert 0 < len(kept) < len(everything)
    assert np.array_equal(ordered(kept.points), ordered(everything.points[region.contains(everything.points)]))


def test_spacing_keeps_the_first_point_of_each_cell_and_both_sides_of_a_thin_wall():
    points = np.array([[0.1, 0, 0], [0.2, 0, 0], [0.15, 0, 0], [1.1, 0, 0]])
    normals = np.array([[1.0, 0, 0], [1, 0, 0], [-1, 0, 0], [1, 0, 0]])
    assert SurfaceCloud(points, normals, points).spaced(0.5).points[:, 0].tolist() == [0.1, 0.15, 1.1]
