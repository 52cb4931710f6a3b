"""A room cast ray by ray, and mosaics of it built by hand."""

import numpy as np
import pytest

from memstore.camera import Camera, look_at
from memstore.latent import LatentSpec, to_tokens
from memstore.mosaic import Content, Mosaic, SourceViews, tokens_of

LOW, HIGH = np.array([-2.0, -3.0, 0.0]), np.array([2.0, 3.0, 2.6])
PILLAR_LOW, PILLAR_HIGH = np.array([0.5, 1.2, 0.0]), np.array([0.9, 1.6, 1.6])
WAVES = (((4.0, 3.0, 5.0), 0.0), ((-3.0, 5.0, 4.0), 1.0), ((5.0, -4.0, 3.0), 2.0))


@pytest.fixture(scope="session")
def render_room():
    """Casts a smoothly textured room with a pillar: exact colours and exact planar depth from any camera."""

    def render(camera, *, open_roof=False):
        u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
        uv = np.stack([u, v], axis=-1)
        rays = camera.unproject(uv, np.ones(uv.shape[:2])) - camera.center
        rays = np.where(np.abs(rays) < 1e-12, 1e-12, rays)
        walls = np.maximum((LOW - camera.center) / rays, (HIGH - camera.center) / rays).min(axis=-1)
        near, far = np.sort([(PILLAR_LOW - camera.center) / rays, (PILLAR_HIGH - camera.center) / rays], axis=0)
        enters, leaves = near.max(axis=-1), far.min(axis=-1)
        depth = np.where((enters < leaves) & (enters > 0), enters, walls)
        points = camera.center + rays * depth[..., None]
        sky = open_roof & (points[..., 2] > HIGH[2] - 1e-6)
        at = np.where(sky[..., None], rays / np.linalg.norm(rays, axis=-1, keepdims=True), points)
        rgb = np.stack([np.sin(at @ np.array(wave) + phase) for wave, phase in WAVES], axis=-1)
        return np.rint(rgb * 90 + 128).astype(np.uint8), np.where(sky, np.inf, depth).astype(np.float32)

    return render


@pytest.fixture(scope="session")
def stand():
    """A camera that stands in the room and looks towards its far wall."""

    def camera(eye, target=(0.2, 1.0, 1.2), width=256, height=160):
        return Camera.from_fov(width, height, 80, look_at(eye, target), degrees=True)

    return camera


@pytest.fixture(scope="session")
def room_mosaic(render_room):
    """Mosaics of the room with every patch whose centre lands in the target, the first camera best."""

    def build(cameras, target, spec=None, *, scale=1.0, tints=None, open_roof=False):
        spec = spec or LatentSpec.pixel(8, depth_dtype="float32")
        grid = spec.token_grid(target.width, target.height)
        parts = [_patches(render_room, camera, spec, open_roof, scale) for camera in cameras]
        for part, tint in zip(parts, tints or [None] * len(parts), strict=True):
            if tint is not None:
                part["latents"] = np.full_like(part["latents"], tint)
        source = np.repeat(np.arange(len(parts)), [len(part["cell"]) for part in parts])
        every = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        uv, depth = target.project(every["center"])
        depth = np.where(every["sky"], np.inf, depth)
        seen = (depth > 0) & (uv >= 0).all(axis=1) & (uv < [target.width, target.height]).all(axis=1)
        token = tokens_of(np.nan_to_num(uv).astype(np.float32), spec.token_px, grid)
        kept = np.flatnonzero(seen)[np.argsort(token[seen], kind="stable")]
        n = len(kept)
        coverage = np.zeros(grid, np.float32)
        coverage.ravel()[token[kept]] = 1
        return Mosaic(
            camera=target,
            spec=spec,
            commit="c0ffee00c0ffee00",
            ids=kept.astype(np.uint64),
            layer=np.zeros(n, np.uint32),
            layers=("walls",),
            uv=uv[kept].astype(np.float32),
            depth_m=depth[kept].astype(np.float32),
            radius_px=np.full(n, spec.token_px / 2, np.float32),
            color=every["color"][kept],
            source=source[kept].astype(np.int32),
            cell=every["cell"][kept],
            sources=_views(cameras, scale),
            coverage=coverage,
            content=Content(every["latents"][kept], every["depth_m"][kept]),
        )

    return build


def _patches(render_room, camera, spec, open_roof, scale):
    rgb, depth = render_room(camera, open_roof=open_roof)
    cells = rgb.reshape(camera.height // spec.stride, spec.stride, camera.width // spec.stride, spec.stride, 3)
    cells = cells.mean(axis=(1, 3)).astype(spec.dtype)
    first, side = (spec.depth_stride - 1) // 2, spec.depths_per_side
    samples = to_tokens(depth[first :: spec.depth_stride, first :: spec.depth_stride, None], side)
    rows, columns, _ = samples.shape
    row, column = np.divmod(np.arange(rows * columns), columns)
    samples = samples.reshape(rows * columns, side * side)
    middle = samples[:, side * (side // 2) + side // 2]
    sky = np.isinf(middle)
    uv = (np.column_stack([column, row]) + 0.5) * spec.token_px
    return {
        "cell": np.column_stack([row, column]).astype(np.uint32),
        "center": camera.unproject(uv, np.where(sky, 1e6, middle)),
        "sky": sky,
        "latents": to_tokens(cells, spec.patch).reshape(rows * columns, -1),
        "depth_m": samples / np.float32(scale),
        "color": to_tokens(rgb, spec.token_px).reshape(rows * columns, -1, 3).mean(axis=1).astype(np.uint8),
    }


def _views(cameras, scale):
    s = len(cameras)
    return SourceViews(
        segment=np.zeros(s, np.uint32),
        ordinal=np.arange(s)[::-1].copy(),
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras]),
        size=np.array([[c.width, c.height] for c in cameras], np.int32),
        camera_to_world=np.array([c.camera_to_world for c in cameras]),
        scale=np.full(s, scale),
        sky=np.zeros(s, np.bool_),
    )
