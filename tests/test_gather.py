"""A gathered segment shows what its shares show: the same instances, latents and pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.camera import Camera
from memstore.compose import compose
from memstore.extent import Extent
from memstore.gather import Share, alike, cut, gather, groups
from memstore.index import arrange, search
from memstore.latent import LatentSpec
from memstore.patch import Patches, SourceFrames, encode_normal
from memstore.query import Query
from memstore.segment import NEVER_HIDDEN, Entry, Homes, Scene, Segment
from memstore.transform import Transform
from memstore.visibility import see

SPEC = LatentSpec.pixel(patch=8)
FRAMES, WIDTH, HEIGHT = 4, 64, 48
CELLS = (WIDTH // 8) * (HEIGHT // 8)


class Payload:
    """Latents and depths that tell where they were read."""

    def latents(self, segment, frames, cells):
        told = np.stack([np.full(len(frames), segment), frames, cells], axis=1).astype(np.uint8)
        return np.tile(told, (1, SPEC.values_per_patch // 3))

    def depths(self, segment, frames, cells):
        return np.tile((1000.0 * segment + 100.0 * frames + cells).astype(np.float32)[:, None], (1, 64))


def some_segment(rng, ordinal, origin, surfaces=60, sky=20, width=WIDTH):
    n = surfaces + sky
    direction = rng.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    is_surface = np.arange(n)[:, None] < surfaces
    normal = rng.normal(size=(n, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    place = rng.permutation(FRAMES * CELLS)[:n]
    patches = Patches(
        origin=np.array(origin, np.float64) + rng.normal(size=3),
        center=np.where(is_surface, rng.normal(size=(n, 3)) * 2, direction).astype(np.float32),
        radius=rng.uniform(0.05, 0.3, n).astype(np.float32),
        normal=encode_normal(np.where(is_surface, normal, -direction)),
        frame=(place // CELLS).astype(np.uint16),
        cell=(place % CELLS).astype(np.uint32),
        color=rng.integers(0, 255, (n, 3)).astype(np.uint8),
        parts=rng.integers(0, 2**16, n).astype(np.uint16),
        surface_count=surfaces,
    )
    arranged, blocks = arrange(patches)
    camera_to_world = np.tile(np.eye(4), (FRAMES, 1, 1))
    camera_to_world[:, :3, 3] = patches.origin + rng.normal(size=(FRAMES, 3))
    frames = SourceFrames(
        ordinal=np.arange(FRAMES) + 10 * ordinal,
        time_s=np.arange(FRAMES) / 10,
        intrinsics=np.tile([40.0, 40.0, 32.0, 24.0], (FRAMES, 1)),
        camera_to_world=camera_to_world,
        width=width,
        height=HEIGHT,
    )
    return Segment(ordinal, arranged, blocks, frames, token_columns=8)


def some_mask(rng, segment, sky):
    """Hides rows for good, from some ordinal on, or never; of the other kind all for good."""
    choices = np.array([0, 5, 25, NEVER_HIDDEN, NEVER_HIDDEN], np.uint32)
    hidden = rng.choice(choices, len(segment.patches))
    split = segment.patches.surface_count
    hidden[:split] *= not sky
    hidden[split:] *= sky
    return hidden


def entry_of(segment, hidden, sky, placement):
    extent = Extent.of(segment.patches, hidden, sky)
    return Entry(int(sky), segment, placement, sky, extent.low, extent.high, hidden, ordinal_offset=-3)


def shares_of(segments, masks):
    rows = [np.flatnonzero(hidden).astype(np.uint32) for hidden in masks]
    return [Share(s, r, m[r]) for s, r, m in zip(segments, rows, masks, strict=True) if len(r)]


def seen_by(camera, entries, query):
    scene = Scene(tuple(entries), ("things", "sky"))
    visible = see(scene, camera, query, 8, search(scene, camera, query))
    mosaic = compose(scene, visible, camera, SPEC, "", Payload())
    order = np.lexsort((mosaic.ids, mosaic.layer))
    return mosaic, order


def assert_alike(camera, left, right, query):
    """Checks that two lists of entries give one mosaic, but for the order of its patches."""
    (one, i), (other, j) = seen_by(camera, left, query), seen_by(camera, right, query)
    np.testing.assert_array_equal(one.ids[i], other.ids[j])
    np.testing.assert_array_equal(one.layer[i], other.layer[j])
    np.testing.assert_array_equal(one.latents()[i], other.latents()[j])
    np.testing.assert_array_equal(one.content.depth_m[i], other.content.depth_m[j])
    np.testing.assert_array_equal(one.cell[i], other.cell[j])
    np.testing.assert_allclose(one.uv[i], other.uv[j], atol=1e-3)
    np.testing.assert_allclose(one.depth_m[i], other.depth_m[j], rtol=1e-5)
    for field in ("segment", "ordinal", "camera_to_world", "scale", "sky"):
        mine, theirs = (getattr(m.sources, field)[m.source] for m in (one, other))
        np.testing.assert_allclose(mine[i], theirs[j], rtol=1e-12, atol=1e-12)
    return len(i)


def some_view(rng, at):
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * np.sign(np.linalg.det(rotation))
    matrix[:3, 3] = at - 3 * matrix[:3, 2]
    return Camera.from_fov(WIDTH, HEIGHT, 80, matrix, degrees=True)


def some_placement(rng, at):
    turned = Transform.rotate_z(float(rng.uniform(-3, 3)))
    moved = Transform.translate(*(rng.normal(size=3) + at - turned.apply(np.array([at]))[0]).tolist())
    return moved @ turned


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 5),
    far=st.sampled_from([0.0, 1e5]),
    as_of=st.sampled_from([None, 3, 12, 30]),
    ranking=st.sampled_from(["newest", "closest", "sharpest", "frames"]),
)
def test_what_is_gathered_is_seen_as_what_is_masked(seed, count, far, as_of, ranking):
    rng = np.random.default_rng(seed)
    at = np.array([far, -far / 3, 0.5])
    segments = [some_segment(rng, ordinal, at) for ordinal in rng.permutation(9)[:count].tolist()]
    query = Query(as_of=as_of, min_facing=-1, near_m=0.5, ranking=ranking, max_frames=3)
    placement = some_placement(rng, at)
    masked, gathered = [], []
    for sky in (False, True):
        masks = [some_mask(rng, segment, sky) for segment in segments]
        masked += [entry_of(s, hidden, sky, placement) for s, hidden in zip(segments, masks, strict=True)]
        runs = groups(shares_of(segments, masks))
        gathered += [entry_of(*gather(run, sky=sky), sky, placement) for run in runs]
    for _ in range(3):
        assert_alike(some_view(rng, at), masked, gathered, query)


def test_the_comparison_above_has_something_to_compare():
    rng = np.random.default_rng(0)
    segments = [some_segment(rng, 1, np.zeros(3)), some_segment(rng, 2, np.zeros(3))]
    entries = [entry_of(s, some_mask(rng, s, False), False, Transform.identity()) for s in segments]
    assert assert_alike(some_view(rng, np.zeros(3)), entries, entries[::-1], Query(min_facing=-1)) > 20


def test_what_is_gathered_twice_is_as_what_is_gathered_once():
    rng = np.random.default_rng(3)
    segments = [some_segment(rng, ordinal, np.zeros(3)) for ordinal in (4, 2, 9)]
    masks = [some_mask(rng, segment, False) for segment in segments]
    once, hidden = gather(shares_of(segments, masks), sky=False)
    halves = [gather(shares_of(segments[a:b], masks[a:b]), sky=False) for a, b in ((0, 2), (2, 3))]
    twice, again = gather(shares_of(*zip(*halves, strict=True)), sky=False)
    np.testing.assert_array_equal(np.sort(once.homes.ids), np.sort(twice.homes.ids))
    np.testing.assert_array_equal(hidden[np.argsort(once.homes.ids)], again[np.argsort(twice.homes.ids)])
    assert_alike(
        some_view(rng, np.zeros(3)),
        [entry_of(once, hidden, False, Transform.identity())],
        [entry_of(twice, again, False, Transform.identity())],
        Query(min_facing=-1, near_m=0.5),
    )


def test_a_frame_that_several_shares_draw_on_is_listed_once():
    rng = np.random.default_rng(5)
    origin = some_segment(rng, 7, np.zeros(3))
    rows = np.arange(60, dtype=np.uint32)
    hidden = np.full(80, NEVER_HIDDEN)
    halves = [gather([Share(origin, part, hidden[part])], sky=False)[0] for part in (rows[:30], rows[30:])]
    shares = [Share(half, np.arange(30, dtype=np.uint32), hidden[:30]) for half in halves]
    whole, _ = gather(shares, sky=False)
    assert len(whole.frames) == FRAMES
    assert whole.homes.segment.tolist() == [7] * FRAMES
    assert whole.homes.frame.tolist() == list(range(FRAMES))
    np.testing.assert_array_equal(whole.frames.ordinal, origin.frames.ordinal)
    assert whole.homes.segments() == [7]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 4), rows_each=st.integers(1, 90), sky=st.booleans())
def test_cutting_keeps_every_row_once_in_even_local_runs(seed, count, rows_each, sky):
    rng = np.random.default_rng(seed)
    segments = [some_segment(rng, ordinal, np.zeros(3)) for ordinal in range(count)]
    shares = shares_of(segments, [some_mask(rng, segment, sky) for segment in segments])
    runs = list(cut(shares, rows_each, sky=sky))
    sizes = [sum(len(share.rows) for share in run) for run in runs]
    assert max(sizes) <= rows_each
    assert max(sizes) - min(sizes) <= 1
    for share in shares:
        mine = [part for run in runs for part in run if part.segment is share.segment]
        assert all((np.diff(part.rows.astype(int)) > 0).all() for part in mine)
        rows = np.concatenate([part.rows for part in mine])
        order = np.argsort(rows)
        np.testing.assert_array_equal(rows[order], share.rows)
        np.testing.assert_array_equal(np.concatenate([part.hidden_from for part in mine])[order], share.hidden_from)


def test_runs_are_local():
    rng = np.random.default_rng(1)
    segments = [some_segment(rng, ordinal, (10.0 * ordinal, 0, 0)) for ordinal in range(3)]
    shares = shares_of(segments, [np.full(80, NEVER_HIDDEN) * (np.arange(80) < 60) for _ in segments])
    boxes = [gather(run, sky=False)[0].patches.center for run in cut(shares, 20, sky=False)]
    assert len(boxes) == 9
    assert np.mean([np.prod(np.ptp(box, axis=0)) for box in boxes]) < 0.3 * np.prod([28.0, 9.0, 9.0])


def test_only_shares_of_one_size_and_one_neighbourhood_are_gathered():
    rng = np.random.default_rng(2)
    near, beside = some_segment(rng, 1, (5, 5, 5)), some_segment(rng, 2, (8, 6, 5))
    wide, away = some_segment(rng, 3, (5, 5, 5), width=128), some_segment(rng, 4, (500, 5, 5))
    rows = np.arange(3, dtype=np.uint32)
    shares = [Share(one, rows, rows) for one in (near, wide, beside, away)]
    found = [[share.segment.ordinal for share in kind] for kind in alike(shares)]
    assert sorted(found) == [[1, 2], [3], [4]]


@pytest.mark.parametrize("recorded", [(), (9, 2)])
def test_homes_name_each_segment_once(recorded):
    homes = Homes(np.array([5, 2, 5], np.uint32), np.zeros(3, np.uint16), np.array(recorded, np.uint32))
    assert homes.segments() == sorted({5, 2, *recorded})
