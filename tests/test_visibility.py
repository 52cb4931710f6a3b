import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput
from memstore.extent import shown_box
from memstore.frustum import CarriedCamera
from memstore.index import arrange, search
from memstore.patch import WHOLE, Patches, SourceFrames, decode_normal, encode_normal
from memstore.query import Query
from memstore.ranking import ANGLE_STEP_RAD, SAME_PLACE_M
from memstore.sample_grid import SAMPLES_PER_TOKEN
from memstore.segment import NEVER_HIDDEN, Entry, Scene, Segment
from memstore.transform import Transform
from memstore.visibility import see
from memstore.zbuffer import EDGE_ON

FRAMES = 6
SOURCE_TOKEN_PX = 8


def make_entry(
    center, normal, radius, sources, *, sky=0, frame=None, cell=None, parts=WHOLE, ordinal=0, layer=0, **more
):
    """Builds an entry of surfaces, or of the last `sky` patches when there are any; `sources` took the frames."""
    n = len(center)
    patches = Patches(
        origin=np.array([0.5, -0.25, 2.0]),
        center=(np.asarray(center) - np.where(np.arange(n)[:, None] < n - sky, [0.5, -0.25, 2.0], 0.0)).astype(
            np.float32
        ),
        radius=np.broadcast_to(np.float32(radius), n).copy(),
        normal=encode_normal(np.broadcast_to(np.asarray(normal, np.float64), (n, 3))),
        frame=np.zeros(n, np.uint16) if frame is None else np.asarray(frame, np.uint16),
        cell=np.arange(n, dtype=np.uint32) if cell is None else np.asarray(cell, np.uint32),
        color=np.zeros((n, 3), np.uint8),
        parts=np.broadcast_to(np.uint16(parts), n).copy(),
        surface_count=n - sky,
    )
    arranged, blocks = arrange(patches)
    frames = SourceFrames(
        ordinal=np.arange(len(sources)) + 10 * ordinal,
        time_s=np.zeros(len(sources)),
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in sources]),
        camera_to_world=np.stack([c.camera_to_world for c in sources]),
        width=sources[0].width,
        height=sources[0].height,
    )
    low, high = shown_box(arranged, None, sky > 0)
    placed = more.pop("placement", Transform.identity())
    segment = Segment(ordinal, arranged, blocks, frames, token_columns=frames.width // SOURCE_TOKEN_PX)
    return Entry(layer, segment, placed, sky > 0, low, high, **more)


def wall(distance, half=3.0, spacing=0.2, tilt=0.0, facing=-1.0):
    """Returns a square wall across +z, turned by `tilt` about y, a token a patch as a camera before it sees them."""
    steps = np.arange(-half, half + spacing / 2, spacing)
    across, down = (grid.ravel() for grid in np.meshgrid(steps, steps))
    right = -facing * np.array([math.cos(tilt), 0, math.sin(tilt)])
    normal = facing * np.array([-math.sin(tilt), 0, math.cos(tilt)])
    middle = np.array([0, 0, distance])
    center = across[:, None] * right + down[:, None] * [0, 1, 0] + middle
    pose = np.eye(4)
    pose[:3] = np.column_stack([right, [0, 1, 0], -normal, middle + 2 * normal])
    side = len(steps) * SOURCE_TOKEN_PX
    focal = 2 * SOURCE_TOKEN_PX / spacing
    source = Camera(focal, focal, side / 2, side / 2, side, side, pose)
    return center, normal, 0.75 * spacing, [source] * FRAMES  # the radius is a little over half a diagonal


def scene_of(*entries):
    return Scene(entries, tuple(str(i) for i in range(1 + max((e.layer for e in entries), default=0))))


def view(scene, camera, query=None, token_px=8):
    asked = query or Query()
    return see(scene, camera, asked, token_px, search(scene, camera, asked))


def instances(scene, visible):
    """Returns (layer, segment, sky, row) of what is visible, in its order."""
    entries = [scene.entries[i] for i in visible.entry]
    return [(e.layer, e.segment.ordinal, e.sky, int(row)) for e, row in zip(entries, visible.row, strict=True)]


CAMERA = Camera(50, 50, 32, 24, 64, 48, np.eye(4))
ALL = Query(per_token=64)


# The oracle: every rule of the module's docstring, one patch after the other, over every sample, with no short cut.


class Patch:
    """One shown patch in camera axes."""

    def __init__(self, entry, position, row, camera):
        patches = entry.segment.patches
        self.entry, self.position, self.row, self.sky = entry, position, row, entry.sky
        self.frame = int(patches.frame[row])
        carried = CarriedCamera.of(camera, entry.placement, patches.origin, sky=entry.sky)
        m, p = carried.matrix, patches.center[row].astype(np.float64)
        self.x, self.y, self.z = (
            m[k, 0] * p[0] + m[k, 1] * p[1] + m[k, 2] * p[2] + carried.offset[k] for k in range(3)
        )
        self.radius = carried.scale * float(patches.radius[row])
        n = self._normal(*(patches.normal[row] / 32_767))
        turn = carried.rotation
        nx, ny, nz = (turn[k, 0] * n[0] + turn[k, 1] * n[1] + turn[k, 2] * n[2] for k in range(3))
        height = nx * self.x + ny * self.y + nz * self.z
        distance = np.linalg.norm(n) * np.linalg.norm([self.x, self.y, self.z])
        self.flat = self.sky or abs(height) <= EDGE_ON * distance
        self.plane = (0.0, 0.0, 0.0) if self.flat else (nx / height, ny / height, nz / height)
        self.facing = 1.0 if self.sky else -height / distance if distance > 0 else 0.0
        self.depth = math.inf if self.sky else self.z

    @staticmethod
    def _normal(x, y):
        z = 1 - abs(x) - abs(y)
        if z < 0:
            x, y = (1 - abs(y)) * (1 if x >= 0 else -1), (1 - abs(x)) * (1 if y >= 0 else -1)
        return x, y, z

    def hits(self, camera, pixels, rays, query):
        """Returns the inverse depth at which each ray meets the plane, and where that is a part of the patch."""
        w = self.plane[0] * rays[0] + (self.plane[1] * rays[1] + self.plane[2])
        meets = (w > 0) & (w >= 1 / query.far_m) & (w <= 1 / query.near_m)
        points = camera.unproject(pixels, 1 / np.where(meets, w, 1.0))
        patches, placement = self.entry.segment.patches, self.entry.placement
        away = points - placement.apply(patches.origin + patches.center[self.row].astype(np.float64))
        normal = placement.rotation @ decode_normal(patches.normal[self.row : self.row + 1])[0]
        assert (np.abs(away @ normal)[meets] <= 1e-5 * (1 + np.linalg.norm(away, axis=-1)[meets])).all()
        uv, depth = self.source.project(points)
        return w, meets & (np.linalg.norm(away, axis=-1) <= self.radius) & (depth > 0) & self.fills(uv)

    def sees(self, camera, pixels):
        """Returns which directions lie on a part of this patch of sky."""
        upright = np.eye(4)
        upright[:3, :3] = self.source.camera_to_world[:3, :3]
        uv, depth = self.source.at(upright).project(
            camera.unproject(pixels, np.ones(pixels.shape[:-1])) - camera.center
        )
        return (depth > 0) & self.fills(uv)

    def fills(self, uv):
        """Returns which pixels of the source image lie in a filled part of the patch's token."""
        segment = self.entry.segment
        row, column = divmod(int(segment.patches.cell[self.row]), segment.token_columns)
        at = np.nan_to_num(uv, nan=-1e9) / SOURCE_TOKEN_PX - [column, row]
        inside = (at >= 0).all(axis=-1) & (at <= 1).all(axis=-1)
        part = np.minimum(np.floor(np.where(inside[..., None], at, 0) * 4), 3).astype(int)
        return inside & (int(segment.patches.parts[self.row]) >> (4 * part[..., 1] + part[..., 0]) & 1 == 1)

    @property
    def ordinal(self):
        return int(self.entry.segment.frames.ordinal[self.frame]) + self.entry.ordinal_offset

    @property
    def source(self):
        return self.entry.segment.frames.camera(self.frame).placed(self.entry.placement)

    @property
    def capture(self):
        return self.entry.segment.ordinal, self.entry.placement, self.frame


def shown_patches(scene, camera, query):
    order = sorted(
        range(len(scene.entries)),
        key=lambda i: (scene.entries[i].sky, scene.entries[i].layer, scene.entries[i].segment.ordinal),
    )
    found = []
    for position in order:
        entry = scene.entries[position]
        for row in range(len(entry.segment.patches)):
            patch = Patch(entry, position, row, camera)
            hidden = NEVER_HIDDEN if entry.hidden_from is None else entry.hidden_from[row]
            there = None if query.as_of is None else query.as_of - entry.ordinal_offset  # retired by a frame of its own
            kept = hidden == NEVER_HIDDEN or (hidden != 0 and there is not None and there < hidden)
            known = query.as_of is None or patch.ordinal <= query.as_of
            if (row >= entry.segment.patches.surface_count) == entry.sky and kept and known:
                found.append(patch)
    return found


class Oracle:
    def __init__(self, scene, camera, query, token_px):
        self.camera, self.query, self.token_px = camera, query, token_px
        self.step = token_px / SAMPLES_PER_TOKEN
        columns, rows = (size // token_px * SAMPLES_PER_TOKEN for size in (camera.width, camera.height))
        rays_x = ((np.arange(columns) + 0.5) * self.step - camera.cx) / camera.fx
        rays_y = ((np.arange(rows) + 0.5) * self.step - camera.cy) / camera.fy
        self.rays = np.meshgrid(rays_x, rays_y)
        self.pixels = np.stack(np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5), axis=-1) * self.step
        self.patches = shown_patches(scene, camera, query)
        self.nearest, self.owner = np.zeros((rows, columns)), np.full((rows, columns), -1)
        for i, patch in enumerate(self.patches):
            if not patch.flat:
                w, hit = patch.hits(camera, self.pixels, self.rays, query)
                wins = hit & (w > self.nearest)
                self.nearest[wins], self.owner[wins] = w[wins], i
        self.seen = [patch for patch in self.patches if self.is_seen(patch)]

    def pixel(self, patch):
        ray_x, ray_y = patch.x / patch.z, patch.y / patch.z
        return ray_x * self.camera.fx + self.camera.cx, ray_y * self.camera.fy + self.camera.cy

    def is_seen(self, patch):
        query = self.query
        if patch.z <= 0 or not (patch.sky or query.near_m <= patch.z <= query.far_m):
            return False
        u, v = self.pixel(patch)
        if not (0 <= u < self.camera.width and 0 <= v < self.camera.height):
            return False
        if query.min_facing > -1 and patch.facing < query.min_facing:
            return False
        at = int(v / self.step), int(u / self.step)
        if self.owner[at] < 0 or patch.sky:
            return self.owner[at] < 0
        plane = self.patches[self.owner[at]].plane
        w = min(self.nearest[at], plane[0] * (patch.x / patch.z) + (plane[1] * (patch.y / patch.z) + plane[2]))
        front = 1 / w if w > 0 else math.inf
        return patch.z <= front * (1 + query.depth_tolerance) + query.radius_tolerance * patch.radius

    def token(self, patch):
        u, v = self.pixel(patch)
        return int(v // self.token_px) * (self.camera.width // self.token_px) + int(u // self.token_px)

    def score(self, patch):
        if self.query.ranking == "closest":
            return np.linalg.norm(patch.source.center - self.camera.center)
        if self.query.ranking == "sharpest":
            source, target = 1.0, 1.0
            if not patch.sky:
                segment = patch.entry.segment
                point = segment.patches.origin + segment.patches.center[patch.row].astype(np.float64)
                _, depth = segment.frames.camera(patch.frame).project(point)
                source, target = patch.entry.placement.scale * max(depth, np.finfo(float).tiny), patch.z
            return abs(np.log(source / patch.source.fx) - np.log(target / self.camera.fx))
        return -patch.ordinal

    def of_chosen_frames(self):
        captures = list(dict.fromkeys(patch.capture for patch in self.seen))
        if self.query.frames_by == "coverage":
            chosen = self.frames_by_coverage()
        else:
            chosen = self.frames_by_pose({patch.capture: patch.source for patch in self.seen})
        assert len(chosen) <= min(self.query.max_frames, len(captures))
        return [patch for patch in self.seen if patch.capture in chosen]

    def capture_order(self):
        """Captures by segment and placement in the order in which they first come, then by frame."""
        groups = list(dict.fromkeys(patch.capture[:2] for patch in self.seen))
        return sorted({patch.capture for patch in self.seen}, key=lambda c: (groups.index(c[:2]), c[2]))

    def frames_by_coverage(self):
        tokens = {c: {self.token(p) for p in self.seen if p.capture == c} for c in self.capture_order()}
        chosen, covered = set(), set()
        while tokens and len(chosen) < self.query.max_frames:
            best = max(tokens, key=lambda c: len(tokens[c] - covered))
            if not tokens[best] - covered:
                break
            chosen.add(best)
            covered |= tokens[best]
        return chosen

    def frames_by_pose(self, sources):
        def rank(capture):
            camera = sources[capture]
            angle = np.arccos(np.clip(camera.forward @ self.camera.forward, -1, 1))
            return angle // ANGLE_STEP_RAD, np.linalg.norm(camera.center - self.camera.center)

        chosen = []
        for capture in sorted(self.capture_order(), key=rank):
            apart = [np.linalg.norm(sources[capture].center - sources[c].center) >= SAME_PLACE_M for c in chosen]
            if len(chosen) < self.query.max_frames and all(apart):
                chosen.append(capture)
        return set(chosen)

    def returned(self):
        pool = self.of_chosen_frames() if self.query.ranking == "frames" else self.seen
        tokens = {}
        for patch in pool:
            tokens.setdefault(self.token(patch), []).append(
                (self.score(patch), patch.depth, self.patches.index(patch), patch)
            )
        ranked = []
        for token, members in tokens.items():
            best = sorted(members, key=lambda member: member[:3])[: self.query.per_token]
            ranked += [((rank, *member[:3]), (token, rank), member[3]) for rank, member in enumerate(best)]
        within = sorted(ranked, key=lambda item: item[0])[: self.query.budget]
        return [patch for _, _, patch in sorted(within, key=lambda item: item[1])]

    def coverage(self):
        covered = np.zeros(self.owner.shape, bool)
        for patch in self.returned():
            if patch.sky:
                covered |= patch.sees(self.camera, self.pixels) & (self.owner < 0)
            elif not patch.flat:
                w, hit = patch.hits(self.camera, self.pixels, self.rays, self.query)
                front = 1 / np.where(self.nearest > 0, self.nearest, np.nan)
                limit = front * (1 + self.query.depth_tolerance) + self.query.radius_tolerance * patch.radius
                covered |= hit & (1 / np.where(hit, w, 1) <= limit)
        k = SAMPLES_PER_TOKEN
        return covered.reshape(covered.shape[0] // k, k, -1, k).mean(axis=(1, 3))


def assert_see_is_exact(scene, camera, query, token_px):
    visible, oracle = view(scene, camera, query, token_px), Oracle(scene, camera, query, token_px)
    expected = oracle.returned()
    assert list(zip(visible.entry, visible.row, strict=True)) == [(p.position, p.row) for p in expected]
    assert visible.token.tolist() == [oracle.token(p) for p in expected]
    np.testing.assert_allclose(visible.uv, np.reshape([oracle.pixel(p) for p in expected], (-1, 2)), rtol=1e-6)
    np.testing.assert_allclose(visible.depth_m, [p.depth for p in expected], rtol=1e-6)
    np.testing.assert_allclose(visible.radius_px, [camera.fx * p.radius / p.z for p in expected], rtol=1e-6)
    np.testing.assert_array_equal(visible.coverage, oracle.coverage().astype(np.float32))
    return visible


def random_sources(rng):
    target = np.array([0.0, 0.0, 9.0])
    poses = [
        look_at(rng.normal(size=3) * [1, 1, 0.5], target + rng.normal(size=3), (0, -1, 0.01)) for _ in range(FRAMES)
    ]
    return [
        Camera(focal, 1.1 * focal, 32, 24, 64, 48, pose)
        for focal, pose in zip(np.linspace(30, 60, FRAMES), poses, strict=True)
    ]


def random_entry(rng, ordinal, *, sky, placement, masked):
    """Builds patches that six cameras saw, half of them on one slanted plane, whole or in parts."""
    n, sources = 150, random_sources(rng)
    frame, cell = rng.integers(0, FRAMES, n), rng.integers(0, 48, n)
    middle = (np.stack([cell % 8, cell // 8], axis=1) + 0.5) * SOURCE_TOKEN_PX
    at_one = np.stack([sources[f].unproject(uv, np.ones(())) for f, uv in zip(frame, middle, strict=True)])
    eye = np.stack([sources[f].center for f in frame])
    slant, rays = np.array([-0.7, 0, 1]), at_one - eye
    depth = (3 - eye @ slant) / (rays @ slant)
    on_plane = (rng.random(n) < 0.5) & (depth > 0.1) & (depth < 20)
    depth = np.where(on_plane, depth, rng.uniform(0.3, 9, n))
    normal = np.where(on_plane[:, None], -slant, rng.normal(size=(n, 3)))
    center = eye + rays * depth[:, None]
    if sky:
        center = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        normal = -center
    hidden = rng.choice(np.array([0, 4, 12, NEVER_HIDDEN, NEVER_HIDDEN], np.uint32), n) if masked else None
    return make_entry(
        center,
        normal / np.linalg.norm(normal, axis=1, keepdims=True),
        rng.uniform(0, 0.2, n) * depth,
        sources,
        sky=n if sky else 0,
        frame=frame,
        cell=cell,
        parts=np.where(rng.random(n) < 0.5, WHOLE, rng.integers(0, 2**16, n)),
        ordinal=ordinal,
        layer=ordinal % 2,
        placement=placement,
        hidden_from=hidden,
        ordinal_offset=int(rng.integers(-3, 3)),
    )


# Plain numbers, for the reason given in test_index.py.
placements = st.tuples(
    st.sampled_from([0.1, 1.0, 10.0]), st.sampled_from([0.0, 0.1, -0.4, 3.0]), st.floats(-2, 2), st.floats(-2, 4)
)
cameras = st.tuples(
    st.sampled_from([(1, 1, 1), (64, 48, 8), (64, 48, 16), (8, 64, 4)]),
    st.sampled_from([4.0, 50.0, 300.0]),
    st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-3, 3)),
)
queries = st.builds(
    lambda near, depth, **fields: Query(near_m=near, far_m=near + depth, **fields),
    st.sampled_from([0.05, 2.0]),
    st.sampled_from([0.0, 5.0, math.inf]),
    ranking=st.sampled_from(["newest", "closest", "sharpest", "frames"]),
    frames_by=st.sampled_from(["pose", "coverage"]),
    max_frames=st.sampled_from([1, 3]),
    per_token=st.sampled_from([1, 2, 64]),
    budget=st.sampled_from([None, 1, 20]),
    min_facing=st.sampled_from([-1.0, 0.05, 0.5]),
    depth_tolerance=st.sampled_from([0.0, 0.02]),
    radius_tolerance=st.sampled_from([0.0, 0.5]),
    as_of=st.sampled_from([None, 5, 11]),
)


def build_placement(scale, angle, x, z):
    return Transform.translate(x, 0, z) @ Transform.rotate((1, 3, 2), angle) @ Transform.scaling(scale)


def build_camera(size, focal, eye):
    width, height, _ = size
    return Camera(focal, 1.1 * focal, width / 2, height / 3, width, height, look_at(eye, (0.1, 0.2, 4), (0, -1, 0.01)))


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(placements, st.booleans(), st.booleans()), max_size=3),
    cameras,
    queries,
)
def test_see_answers_as_the_slow_oracle_does(seed, plan, seen_from, query):
    rng = np.random.default_rng(seed)
    entries = [
        random_entry(rng, i, sky=sky, placement=build_placement(*placement), masked=masked)
        for i, (placement, sky, masked) in enumerate(plan)
    ]
    assert_see_is_exact(Scene(tuple(entries), ("a", "b")), build_camera(*seen_from), query, seen_from[0][2])


def test_scales_of_a_tenth_one_and_ten_meet_in_one_view():
    rng = np.random.default_rng(0)
    scales = [Transform.scaling(0.1), Transform.identity(), Transform.scaling(10)]
    entries = [random_entry(rng, i, sky=False, placement=scale, masked=False) for i, scale in enumerate(scales)]
    visible = assert_see_is_exact(Scene(tuple(entries), ("a", "b")), CAMERA, ALL, 8)
    assert set(visible.entry.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("seed", range(3))
def test_many_rough_takes_of_one_wall_are_drawn_as_the_oracle_draws_them(seed):
    rng = np.random.default_rng(seed)
    takes = []
    for ordinal in range(4):
        center, normal, radius, sources = wall(4, half=3.2, spacing=0.4, tilt=rng.uniform(-0.5, 0.5))
        eye = sources[0].center
        center = eye + (center - eye) * rng.uniform(0.7, 1.3, (len(center), 1))
        rough = normal + rng.normal(size=center.shape) * 0.1
        rough /= np.linalg.norm(rough, axis=1, keepdims=True)
        takes.append(make_entry(center, rough, radius, sources, ordinal=ordinal))
    strict = replace(ALL, depth_tolerance=0.0, radius_tolerance=0.0)
    assert 20 < len(assert_see_is_exact(scene_of(*takes), CAMERA, strict, 8)) < 500


def test_a_wall_hides_what_stands_a_metre_behind_it():
    scene = scene_of(make_entry(*wall(4)), make_entry(*wall(5), ordinal=1))
    assert {ordinal for _, ordinal, _, _ in instances(scene, view(scene, CAMERA, ALL))} == {0}


def test_a_wall_hides_what_is_behind_it_from_its_back_as_well():
    scene = scene_of(make_entry(*wall(4, facing=1.0)), make_entry(*wall(5), ordinal=1))
    visible = view(scene, CAMERA, ALL)
    assert not len(visible)
    assert not visible.coverage.any()


def test_deleting_a_wall_shows_what_was_hidden():
    front = make_entry(*wall(4), hidden_from=np.zeros(31 * 31, np.uint32))
    scene = scene_of(front, make_entry(*wall(5), ordinal=1))
    visible = view(scene, CAMERA, ALL)
    assert {ordinal for _, ordinal, _, _ in instances(scene, visible)} == {1}
    assert (visible.coverage[1:-1, 1:-1] == 1).all()  # what reaches into the image from outside is not returned


@pytest.mark.parametrize("degrees", [0, 45, 70, 80, 84])
def test_neighbours_on_one_slanted_wall_never_hide_each_other(degrees):
    center, normal, radius, sources = wall(4, spacing=0.4, tilt=math.radians(degrees))
    scene = scene_of(make_entry(center, normal, radius, sources))
    # A packed normal is off by up to 0.01 degrees, and a grazing view makes much of it.
    strict = replace(ALL, depth_tolerance=1e-3, radius_tolerance=0)
    uv, depth = CAMERA.project(center)
    facing = -(center @ normal) / np.linalg.norm(center, axis=1) >= ALL.min_facing
    inside = (uv >= 0).all(axis=1) & (uv < [64, 48]).all(axis=1) & (depth >= ALL.near_m) & facing
    assert len(view(scene, CAMERA, strict)) == inside.sum() > 10


def one_token(distance, side, **fields):
    """Builds a single patch of `side` metres across +z, seen straight ahead."""
    source = Camera(SOURCE_TOKEN_PX / side, SOURCE_TOKEN_PX / side, 4, 4, 8, 8, np.eye(4))
    source = source.placed(Transform.translate(0, 0, distance - 1))
    return make_entry([[0, 0, distance]], [0, 0, -1], side, [source], **fields)


def test_a_patch_hides_its_token_and_nothing_around_it():
    scene = scene_of(one_token(2, 0.8), make_entry(*wall(4, spacing=0.1), ordinal=1))
    visible = view(scene, CAMERA, ALL)
    off = np.abs(visible.uv[visible.entry == 1] - [32, 24]).max(axis=1)
    assert off.min() == pytest.approx(10, abs=1.25)  # half of 0.8 m at 2 m, within a step of the wall behind
    whole = len(view(scene_of(make_entry(*wall(4, spacing=0.1))), CAMERA, ALL))
    assert whole - len(off) == pytest.approx(16 * 16, abs=34)


def test_a_patch_that_straddles_an_edge_hides_nothing_beyond_the_edge():
    left_half = sum(0b0011 << (4 * row) for row in range(4))
    scene = scene_of(one_token(2, 0.8, parts=left_half), make_entry(*wall(4, spacing=0.1), ordinal=1))
    visible = view(scene, CAMERA, ALL)
    across, down = (visible.uv[visible.entry == 1] - [32, 24]).T
    assert ((across > 1) & (across < 9) & (np.abs(down) < 9)).sum() > 40
    assert not ((across < -1) & (across > -9) & (np.abs(down) < 9)).any()


def test_a_second_take_of_a_wall_within_tolerance_is_seen_beside_the_first():
    scene = scene_of(make_entry(*wall(4)), make_entry(*wall(4.05), ordinal=1))
    assert {ordinal for _, ordinal, _, _ in instances(scene, view(scene, CAMERA, ALL))} == {0, 1}
    strict = replace(ALL, depth_tolerance=0.0, radius_tolerance=0.0)
    assert {ordinal for _, ordinal, _, _ in instances(scene, view(scene, CAMERA, strict))} == {0}


def sky_entry(**fields):
    source = Camera(80, 80, 80, 80, 160, 160, np.eye(4))
    steps = (np.arange(20) + 0.5) * SOURCE_TOKEN_PX
    directions = source.unproject(np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2), np.ones(400))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return make_entry(directions, [0, 0, -1], 0.08, [source] * FRAMES, sky=400, **fields)


def test_sky_is_seen_only_beside_surfaces_and_lies_at_infinity():
    scene = scene_of(make_entry(*wall(4, half=0.8)), sky_entry(layer=1))
    visible = view(scene, CAMERA, ALL)
    is_sky = np.array([sky for _, _, sky, _ in instances(scene, visible)])
    assert np.isinf(visible.depth_m[is_sky]).all()
    assert np.isfinite(visible.depth_m[~is_sky]).all()
    assert (np.abs(visible.uv[is_sky] - [32, 24]).max(axis=1) > 9).all()
    assert is_sky.sum() > 50
    assert (~is_sky).sum() == 9 * 9
    assert (visible.coverage[:, 1:-1] == 1).all()


def test_distant_copies_of_the_walk_change_nothing():
    rng = np.random.default_rng(4)
    room = [make_entry(*wall(4), frame=rng.integers(0, FRAMES, 31 * 31)), sky_entry(layer=1)]
    copies = [replace(room[0], layer=i + 2, placement=Transform.translate(0, 0, 300.0 * (i + 1))) for i in range(64)]
    alone, crowded = Scene(tuple(room), tuple("ab")), Scene((*copies, *room), tuple(map(str, range(66))))
    for query in (
        Query(),
        Query(ranking="frames", frames_by="pose"),
        Query(ranking="frames"),
        Query(ranking="closest"),
    ):
        before, after = view(alone, CAMERA, query), view(crowded, CAMERA, query)
        assert instances(alone, before) == instances(crowded, after) != []
        np.testing.assert_array_equal(before.coverage, after.coverage)


def test_the_order_of_entries_carries_no_meaning():
    rng = np.random.default_rng(5)
    entries = [random_entry(rng, i, sky=i == 3, placement=Transform.identity(), masked=False) for i in range(4)]
    twins = [replace(entry, layer=entry.layer + 2) for entry in entries]
    scene = Scene((*entries, *twins), tuple("abcd"))
    shuffled = Scene(tuple(scene.entries[i] for i in rng.permutation(8)), tuple("abcd"))
    for ranking in ("newest", "closest", "sharpest", "frames"):
        query = Query(ranking=ranking, budget=30)
        assert instances(scene, view(scene, CAMERA, query)) == instances(shuffled, view(shuffled, CAMERA, query))


def test_the_newest_patch_wins_its_token():
    scene = scene_of(*(make_entry(*wall(4), ordinal=i) for i in (2, 0, 1)))
    chosen = instances(scene, view(scene, CAMERA, Query(per_token=1)))
    assert {ordinal for _, ordinal, _, _ in chosen} == {2}
    assert len(chosen) == 48


def test_an_ordinal_offset_makes_a_stitched_memory_older():
    scene = scene_of(make_entry(*wall(4), ordinal=2, ordinal_offset=-100), make_entry(*wall(4), ordinal=1))
    assert {ordinal for _, ordinal, _, _ in instances(scene, view(scene, CAMERA, Query(per_token=1)))} == {1}


def test_a_small_budget_keeps_the_best_of_every_token_first():
    scene = scene_of(make_entry(*wall(4, spacing=0.1)))
    full = view(scene, CAMERA, Query(per_token=4))
    assert len(full) > 100
    small = view(scene, CAMERA, Query(per_token=4, budget=48))
    assert small.token.tolist() == list(range(48))
    assert len(view(scene, CAMERA, Query(per_token=4, budget=5))) == 5


def test_frames_draws_on_no_more_than_max_frames():
    scene = scene_of(make_entry(*wall(4), frame=np.random.default_rng(6).integers(0, FRAMES, 31 * 31)))
    for frames_by in ("pose", "coverage"):
        visible = view(scene, CAMERA, Query(ranking="frames", frames_by=frames_by, max_frames=2))
        frames = scene.entries[0].segment.patches.frame[visible.row]
        # All source cameras stand in one place, so that suppression leaves `pose` a single frame.
        assert len(set(frames.tolist())) == (1 if frames_by == "pose" else 2)


def test_a_frame_and_its_sky_count_as_one_source():
    surfaces, sky = wall(4, half=0.8), sky_entry(layer=1)
    both = replace(sky.segment, ordinal=0)
    scene = scene_of(make_entry(*surfaces), replace(sky, segment=both))
    visible = view(scene, CAMERA, Query(ranking="frames", max_frames=1))
    assert {sky for _, _, sky, _ in instances(scene, visible)} == {True, False}


def test_coverage_counts_only_what_is_returned():
    scene = scene_of(make_entry(*wall(4)))
    assert (view(scene, CAMERA, ALL).coverage[1:-1, 1:-1] == 1).all()
    thin = view(scene, CAMERA, Query(per_token=1)).coverage
    assert ((thin > 0) & (thin < 1)).all()


def test_no_candidates_give_an_empty_answer():
    visible = view(Scene((), ()), CAMERA)
    assert len(visible) == 0
    assert visible.coverage.shape == (6, 8)
    assert not visible.coverage.any()


def test_a_view_that_is_no_multiple_of_a_token_is_refused():
    with pytest.raises(InvalidInput, match="64x48 cannot be cut into tokens of 7x7 pixels; resize or crop"):
        view(Scene((), ()), CAMERA, token_px=7)


@pytest.mark.parametrize("offset", [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, 0.0, 0.03)])
def test_a_camera_inside_a_patch_is_answered_like_any_other(offset):
    center, normal = np.array([offset, (0.0, 0.0, 2.0)]), np.array([0, 0.6, -0.8])
    before = [look_at(point + normal, point, (1, 0.3, 0)) for point in center]
    sources = [Camera(11, 11, 4, 4, SOURCE_TOKEN_PX, SOURCE_TOKEN_PX, pose) for pose in before]
    scene = scene_of(make_entry(center, normal, 0.5, sources, frame=[0, 1], cell=[0, 0]))
    assert_see_is_exact(scene, CAMERA, Query(min_facing=-1), 8)
