from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.camera import Camera, look_at
from memstore.extent import shown_box
from memstore.index import BLOCK_ROWS, Candidates, arrange, morton, search
from memstore.patch import Patches, SourceFrames, encode_normal
from memstore.query import Query
from memstore.segment import NEVER_HIDDEN, Entry, Scene, Segment
from memstore.transform import Transform

ROUNDING = 1e-9
"""Share of the coordinates by which two float64 formulas of one distance may differ."""


def make_patches(rng, surfaces, sky=0, frames=4, spread=3.0, origin=(0.0, 0.0, 0.0)):
    n = surfaces + sky
    direction = rng.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    center = np.where(np.arange(n)[:, None] < surfaces, rng.normal(size=(n, 3)) * spread, direction)
    normal = np.where(np.arange(n)[:, None] < surfaces, rng.normal(size=(n, 3)), -direction)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return Patches(
        origin=np.array(origin),
        center=center.astype(np.float32),
        radius=rng.uniform(0.0, 0.3, n).astype(np.float32),
        normal=encode_normal(normal),
        frame=rng.integers(0, frames, n).astype(np.uint16),
        cell=np.arange(n, dtype=np.uint32),
        color=rng.integers(0, 255, (n, 3)).astype(np.uint8),
        parts=rng.integers(0, 2**16, n).astype(np.uint16),
        surface_count=surfaces,
    )


def make_segment(patches, ordinal=0, frames=4):
    arranged, blocks = arrange(patches)
    source = SourceFrames(
        ordinal=np.arange(frames) + 10 * ordinal,
        time_s=np.arange(frames, dtype=np.float64),
        intrinsics=np.tile([40.0, 40.0, 32.0, 24.0], (frames, 1)),
        camera_to_world=np.tile(np.eye(4), (frames, 1, 1)),
        width=64,
        height=48,
    )
    return Segment(ordinal, arranged, blocks, source, token_columns=8)


def make_entry(segment, placement=None, *, sky=False, layer=0, hidden_from=None, ordinal_offset=0):
    shown = None if hidden_from is None else hidden_from != 0
    low, high = shown_box(segment.patches, shown, sky)
    placed = Transform.identity() if placement is None else placement
    return Entry(layer, segment, placed, sky, low, high, hidden_from, ordinal_offset)


def is_shown(entry, query):
    """The rule of `Entry.hidden_from`, `Query.as_of` and `Query.before`, one row at a time."""
    shown = []
    for row, frame in enumerate(entry.segment.patches.frame):
        ordinal = int(entry.segment.frames.ordinal[frame]) + entry.ordinal_offset
        hidden = NEVER_HIDDEN if entry.hidden_from is None else entry.hidden_from[row]
        known = (query.as_of is None or ordinal <= query.as_of) and (query.before is None or ordinal < query.before)
        there = None if query.as_of is None else query.as_of - entry.ordinal_offset  # retired by a frame of its own
        kept = hidden == NEVER_HIDDEN or (hidden != 0 and there is not None and there < hidden)
        shown.append(known and kept)
    return np.array(shown, bool)


def least_margin(entry, camera, query):
    """Returns by how much each sphere reaches into the half-space that it reaches least, in world metres."""
    patches, placement = entry.segment.patches, entry.placement
    centers = patches.center.astype(np.float64)
    if entry.sky:
        points, reach = centers @ placement.rotation.T @ camera.camera_to_world[:3, :3], patches.radius.astype(float)
    else:
        world = placement.apply(patches.origin + centers)
        points, reach = (
            (world - camera.center) @ camera.camera_to_world[:3, :3],
            placement.scale * patches.radius.astype(float),
        )
    x, y, z = points.T
    left, right = camera.cx / camera.fx, (camera.width - camera.cx) / camera.fx
    top, bottom = camera.cy / camera.fy, (camera.height - camera.cy) / camera.fy
    distances = [
        (x + left * z) / np.hypot(1, left),
        (right * z - x) / np.hypot(1, right),
        (y + top * z) / np.hypot(1, top),
        (bottom * z - y) / np.hypot(1, bottom),
    ]
    if not entry.sky:
        distances += [z - query.near_m, query.far_m - z]
    return np.min(distances, axis=0) + reach


def assert_search_is_exact(scene, camera, query):
    found = search(scene, camera, query)
    assert len(np.unique(np.stack([found.entry, found.row]), axis=1).T) == len(found), "an instance came twice"
    for position, entry in enumerate(scene.entries):
        part = np.arange(len(entry.segment.patches)) >= entry.segment.patches.surface_count
        margin = np.where(is_shown(entry, query) & (part == entry.sky), least_margin(entry, camera, query), -np.inf)
        size = 1 + np.abs(camera.center).max() + np.abs(entry.placement.translation).max()
        rows = set(found.row[found.entry == position].tolist())
        must, may = margin > ROUNDING * size, margin >= -ROUNDING * size
        assert set(np.flatnonzero(must).tolist()) <= rows, "a patch was missed"
        assert rows <= set(np.flatnonzero(may).tolist()), "a patch outside came along"
    return found


def keys(scene, found):
    """Returns (layer, segment, sky, row) of candidates, in their order."""
    entries = [scene.entries[i] for i in found.entry]
    return [(e.layer, e.segment.ordinal, e.sky, int(row)) for e, row in zip(entries, found.row, strict=True)]


CAMERA = Camera(40, 45, 30, 20, 64, 48, look_at((0, -5, 1), (0, 0, 0)))

# Strategies draw plain numbers, and the test builds values from them: beartype, which watches memstore, draws random
# numbers of its own, and Hypothesis minds that while it draws.
placements = st.tuples(st.sampled_from([0.1, 1.0, 10.0]), st.floats(-3, 3), st.floats(-4, 4), st.floats(-4, 4))
cameras = st.tuples(
    st.tuples(st.floats(-6, 6), st.floats(-6, -1), st.floats(-2, 2)),
    st.sampled_from([5.0, 40.0, 4000.0]),
    st.sampled_from([-20.0, 0.0, 32.0]),
    st.sampled_from([(1, 1), (64, 48), (8, 640)]),
)
queries = st.builds(
    lambda near, extra, as_of, before: Query(near_m=near, far_m=near + extra, as_of=as_of, before=before),
    st.sampled_from([0.05, 1.0, 4.0]),
    st.sampled_from([0.0, 3.0, np.inf]),
    st.none() | st.integers(0, 15),
    st.none() | st.integers(0, 15),
)


plans = st.lists(
    st.tuples(
        st.sampled_from([(0, 5), (1, 0), (300, 280), (700, 3)]), st.booleans(), st.sampled_from([-5, 0, 5]), placements
    ),
    max_size=3,
)


def build_placement(scale, angle, x, y):
    return Transform.translate(x, y, 0) @ Transform.rotate((1, 2, 3), angle) @ Transform.scaling(scale)


def build_camera(eye, focal, cx, size):
    return Camera(focal, 1.2 * focal, cx, 10, *size, look_at(eye, (0.1, 0.2, 0.3)))


def build_scene(seed, plan):
    """Builds one segment an item of the plan, shown twice: its surfaces and its sky."""
    rng = np.random.default_rng(seed)
    entries = []
    for ordinal, ((surfaces, sky), masked, offset, placed) in enumerate(plan):
        placement = build_placement(*placed)
        segment = make_segment(make_patches(rng, surfaces, sky, origin=rng.normal(size=3) * 2), ordinal)
        mask = rng.choice(np.array([0, 3, 12, NEVER_HIDDEN], np.uint32), surfaces + sky) if masked else None
        entries += [
            make_entry(segment, placement, sky=shows_sky, layer=ordinal, hidden_from=mask, ordinal_offset=offset)
            for shows_sky in (False, True)
        ]
    return Scene(tuple(entries), ("a", "b", "c"))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), plans, cameras, queries)
def test_search_finds_what_the_slow_oracle_finds(seed, plan, camera, query):
    assert_search_is_exact(build_scene(seed, plan), build_camera(*camera), query)


def test_scales_of_a_tenth_one_and_ten_meet_in_one_view():
    segment = make_segment(make_patches(np.random.default_rng(0), 2000))
    entries = [make_entry(segment, Transform.scaling(scale), layer=i) for i, scale in enumerate((0.1, 1.0, 10.0))]
    found = assert_search_is_exact(Scene(tuple(entries), ("a", "b", "c")), CAMERA, Query(far_m=30))
    assert set(found.entry.tolist()) == {0, 1, 2}


def test_a_world_far_from_its_origin_is_searched_as_well():
    far = np.array([3e5, -2e5, 100.0])
    segment = make_segment(make_patches(np.random.default_rng(1), 2000, origin=far))
    camera = CAMERA.placed(Transform.translate(*far))
    assert len(assert_search_is_exact(Scene((make_entry(segment),), ("a",)), camera, Query())) > 50


def test_patches_behind_the_camera_are_no_candidates():
    patches = make_patches(np.random.default_rng(2), 500)
    behind = replace(patches, center=patches.center - np.float32([0, 40, 0]))
    assert not len(search(Scene((make_entry(make_segment(behind)),), ("a",)), CAMERA, Query()))


def test_patches_on_the_side_planes_are_candidates_at_any_radius():
    camera = Camera(1, 1, 1, 1, 2, 2, np.eye(4))
    corners = np.array([[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1], [2, 2, 2]], np.float32)
    patches = make_patches(np.random.default_rng(3), 5)
    on_planes = replace(patches, center=corners, radius=np.full(5, 1e-6, np.float32))
    assert len(search(Scene((make_entry(make_segment(on_planes)),), ("a",)), camera, Query())) == 5


def test_equal_near_and_far_still_cut_a_slice():
    segment = make_segment(make_patches(np.random.default_rng(4), 2000))
    found = assert_search_is_exact(Scene((make_entry(segment),), ("a",)), CAMERA, Query(near_m=5, far_m=5))
    assert 0 < len(found) < 400


def test_an_edit_hides_for_good_and_retirement_only_from_its_ordinal_on():
    patches = make_patches(np.random.default_rng(5), 3, spread=0.1)
    hidden_from = np.array([0, 7, NEVER_HIDDEN], np.uint32)
    scene = Scene((make_entry(make_segment(patches), hidden_from=hidden_from),), ("a",))
    assert search(scene, CAMERA, Query()).row.tolist() == [2]
    assert search(scene, CAMERA, Query(as_of=6)).row.tolist() == [1, 2]
    assert search(scene, CAMERA, Query(as_of=7)).row.tolist() == [2]


def test_as_of_and_before_count_with_the_ordinal_offset():
    patches = make_patches(np.random.default_rng(6), 200, spread=0.1)
    scene = Scene((make_entry(make_segment(patches), ordinal_offset=-2),), ("a",))
    frames = scene.entries[0].segment.patches.frame
    for query in (Query(as_of=0), Query(before=1)):
        assert set(frames[search(scene, CAMERA, query).row].tolist()) == {0, 1, 2}


def test_sky_feels_no_translation_no_near_and_no_far():
    segment = make_segment(make_patches(np.random.default_rng(7), 0, 3000))
    here = Scene((make_entry(segment, sky=True),), ("a",))
    there = Scene((make_entry(segment, Transform.translate(1e4, 0, 7), sky=True),), ("a",))
    found = search(here, CAMERA, Query())
    assert len(found) > 50
    for other in (search(there, CAMERA, Query()), search(here, CAMERA, Query(near_m=2, far_m=3))):
        assert found.row.tolist() == other.row.tolist()


def test_the_order_of_entries_carries_no_meaning():
    rng = np.random.default_rng(8)
    segments = [make_segment(make_patches(rng, 300, 300), ordinal) for ordinal in range(3)]
    entries = [make_entry(s, layer=layer, sky=sky) for s in segments for layer in (1, 0) for sky in (True, False)]
    scene = Scene(tuple(entries), ("a", "b"))
    found = keys(scene, search(scene, CAMERA, Query()))
    assert found == sorted(found, key=lambda key: (key[2], key[0], key[1], key[3]))
    shuffled = Scene(tuple(entries[i] for i in rng.permutation(len(entries))), ("a", "b"))
    assert found == keys(shuffled, search(shuffled, CAMERA, Query()))


def test_distant_copies_of_the_walk_change_no_candidate():
    segment = make_segment(make_patches(np.random.default_rng(9), 2000))
    alone = Scene((make_entry(segment),), ("a",))
    copies = [make_entry(segment, Transform.translate(500.0 * (i + 1), -900, 0), layer=i + 1) for i in range(64)]
    crowded = Scene((*copies, *alone.entries), tuple(str(i) for i in range(65)))
    assert keys(alone, search(alone, CAMERA, Query())) == keys(crowded, search(crowded, CAMERA, Query()))


def test_a_scene_without_entries_or_with_nothing_shown_has_no_candidates():
    assert not len(search(Scene((), ()), CAMERA, Query()))
    segment = make_segment(make_patches(np.random.default_rng(10), 50))
    nothing = make_entry(segment, hidden_from=np.zeros(50, np.uint32))
    assert not len(search(Scene((nothing, make_entry(segment, sky=True)), ("a",)), CAMERA, Query()))


def test_memory_mapped_segments_are_searched_as_they_are(tmp_path):
    segment = make_segment(make_patches(np.random.default_rng(11), 900))
    np.save(tmp_path / "center.npy", segment.patches.center)
    mapped = replace(segment, patches=replace(segment.patches, center=np.load(tmp_path / "center.npy", mmap_mode="r")))
    scenes = [Scene((make_entry(s),), ("a",)) for s in (segment, mapped)]
    rows = [search(scene, CAMERA, Query()).row.tolist() for scene in scenes]
    assert rows[0] == rows[1] != []


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (0, 1), (256, 256), (257, 513)])
def test_blocks_never_mix_surface_and_sky_and_hold_their_patches(counts):
    patches, blocks = arrange(make_patches(np.random.default_rng(12), *counts))
    assert blocks.start[0] == 0
    assert blocks.start[-1] == sum(counts)
    assert blocks.start[blocks.surface_blocks] == counts[0]
    for b in range(len(blocks)):
        rows = np.s_[blocks.start[b] : blocks.start[b + 1]]
        assert 1 <= blocks.start[b + 1] - blocks.start[b] <= BLOCK_ROWS
        center, radius = patches.center[rows].astype(float), patches.radius[rows, None].astype(float)
        assert (blocks.low[b] <= center - radius).all()
        assert (blocks.high[b] >= center + radius).all()


def test_arranging_keeps_every_patch_whole():
    patches = make_patches(np.random.default_rng(13), 700, 300)
    arranged, _ = arrange(patches)
    assert sorted(arranged.cell[:700].tolist()) == list(range(700))
    for name in ("center", "radius", "normal", "frame", "color", "parts"):
        np.testing.assert_array_equal(getattr(arranged, name), getattr(patches, name)[arranged.cell])


def test_morton_order_interleaves_the_bits_of_the_cells():
    points = np.random.default_rng(14).uniform(size=(50, 3)).astype(np.float32)
    corner = points.min(axis=0).astype(float)
    cells = ((points - corner) / (points.max(axis=0) - corner).max() * (2**21 - 1)).astype(int)
    bits = [
        sum(((int(c[axis]) >> bit) & 1) << (3 * bit + axis) for bit in range(21) for axis in range(3)) for c in cells
    ]
    assert morton(points).tolist() == bits


def test_morton_order_of_one_place_is_one_number():
    assert set(morton(np.full((4, 3), 7, np.float32)).tolist()) == {0}


def test_the_shown_box_holds_the_spheres_of_what_is_shown_and_is_tight():
    patches = make_patches(np.random.default_rng(15), 100, 20, origin=(5.0, 6.0, 7.0))
    shown = np.arange(120) % 3 == 0
    low, high = shown_box(patches, shown, sky=False)
    center = patches.origin + patches.center[:100][shown[:100]]
    radius = patches.radius[:100][shown[:100], None]
    np.testing.assert_allclose(low, (center - radius).min(axis=0), atol=1e-6)
    np.testing.assert_allclose(high, (center + radius).max(axis=0), atol=1e-6)
    sky_low, _ = shown_box(patches, None, sky=True)
    np.testing.assert_allclose(sky_low, (patches.center[100:] - patches.radius[100:, None]).min(axis=0), atol=1e-6)


def test_the_box_of_nothing_is_empty():
    low, high = shown_box(make_patches(np.random.default_rng(16), 3), np.zeros(3, bool), sky=False)
    assert (low > high).all()


def test_runs_are_stretches_of_one_entry():
    candidates = Candidates(np.array([2, 2, 0, 2], np.uint32), np.arange(4, dtype=np.uint32))
    assert list(candidates.runs()) == [(2, slice(0, 2)), (0, slice(2, 3)), (2, slice(3, 4))]
    assert list(Candidates(np.empty(0, np.uint32), np.empty(0, np.uint32)).runs()) == []
