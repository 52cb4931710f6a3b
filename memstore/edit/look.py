"""Look: pictures of what is selected or changed, and the patch that a pixel shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from memstore.camera import Camera
from memstore.draft import Draft
from memstore.edit.resolve import Instances
from memstore.edited import LayerCount, Picked, SelectionReport
from memstore.errors import InvalidInput, Reason
from memstore.latent import LatentSpec
from memstore.layer import Layer
from memstore.mosaic import Mosaic
from memstore.patch import PARTS, decode_normal, split_ids
from memstore.query import Query
from memstore.recall import Recall
from memstore.segment import Entry

GREEN, RED = (64, 224, 96), (240, 64, 64)
"""Tints: what is selected or comes, and what goes."""
TINT = 0.6
"""Share of the tint in a tinted pixel."""
ADMITTED = 200_000
"""Instances that are asked which frame saw most of them; more are thinned out."""
LOOK = Query(ranking="closest", per_token=8)
GRAZING = 0.02
"""Below this cosine a patch is seen edge-on: its own depth stands for where the ray meets it."""


def look_at_instances(
    instances: Instances, draft: Draft, commit: str, recall: Recall, spec: LatentSpec, camera: Camera | None
) -> SelectionReport:
    """Returns what a selection means, with a picture that shows it.

    Args:
        instances: what it means.
        draft: what is shown.
        commit: the commit that the draft stands on.
        recall: draws the picture.
        spec: what the world's latents are.
        camera: where the picture is taken from; `None` for the frame that saw most of it.
    """
    view = camera or camera_for(instances)
    picture = None
    if view is not None:
        mosaic = recall.mosaic_of(draft.scene(), commit, view, spec, LOOK)
        picture = tinted(mosaic, among(mosaic, instances), GREEN)
    counts = sorted(instances.counts().items(), key=lambda pair: -pair[1])
    layers = tuple(LayerCount(layer_id, draft.find(layer_id).name, count) for layer_id, count in counts)
    return SelectionReport(commit, instances.count, instances.bounds(), layers, view, picture)


def camera_for(instances: Instances) -> Camera | None:
    """Returns the camera of the source frame that saw most of the instances, where their layer puts it."""
    best, found = 0, None
    stride = max(1, instances.count // ADMITTED)
    for hits in instances.hits:
        frames, counts = np.unique(hits.entry.segment.patches.frame[hits.rows[::stride]], return_counts=True)
        if counts.max() > best:
            best, found = int(counts.max()), (hits.entry, int(frames[counts.argmax()]))
    return None if found is None else _placed_camera(*found)


def among(mosaic: Mosaic, instances: Instances) -> Bool[np.ndarray, "n"]:
    """Returns which patches of a mosaic are among some instances."""
    found = np.zeros(len(mosaic), np.bool_)
    for hits in instances.hits:
        if hits.layer.layer_id in mosaic.layers:
            mine = mosaic.layer == mosaic.layers.index(hits.layer.layer_id)
            found[mine] |= np.isin(mosaic.ids[mine], hits.ids())
    return found


def tinted(mosaic: Mosaic, chosen: Bool[np.ndarray, "n"], color: Sequence[int]) -> UInt8[np.ndarray, "h w 3"]:
    """Returns the picture of a mosaic, with the tokens tinted whose best patch is chosen."""
    token, best = np.unique(mosaic.token, return_index=True)
    cells = np.zeros(mosaic.coverage.shape, np.bool_)
    cells.ravel()[token] = chosen[best]
    where = cells.repeat(mosaic.spec.token_px, axis=0).repeat(mosaic.spec.token_px, axis=1)[..., None]
    picture = mosaic.image()
    mixed = (1 - TINT) * picture + TINT * np.array(color)
    return np.where(where, np.rint(mixed), picture).astype(np.uint8)


def pick(recall: Recall, commit: str, spec: LatentSpec, camera: Camera, u: float, v: float) -> Picked | None:
    """Returns the patch that a pixel shows: the first that its ray meets, else the sky; `None` for a hole.

    Args:
        recall: finds what is seen.
        commit: the commit that is looked at.
        spec: what the world's latents are.
        camera: who looks.
        u: pixels from the left edge of the image.
        v: pixels from its top edge.

    Raises:
        InvalidInput: the pixel lies outside the image.
    """
    if not (0 <= u < camera.width and 0 <= v < camera.height):
        raise InvalidInput(
            f"pixel ({u}, {v}) lies outside the image of {camera.width}x{camera.height}.",
            reason=Reason.INVALID_CAMERA,
            field="u",
        )
    mosaic = recall.mosaic(commit, camera, spec, replace(LOOK, latents=False))
    reach = np.maximum(mosaic.radius_px, spec.token_px)
    near = np.flatnonzero(np.abs(mosaic.uv - [u, v]).max(axis=1) <= reach)
    layers = {layer.layer_id: layer for layer in recall.showing.layers(commit)}
    ray = _ray(camera, u, v)
    asked = ((_meets(recall, mosaic, at, layers, camera, ray), at) for at in near.tolist())
    met = [pair for pair in asked if not math.isnan(pair[0])]
    if not met:
        return None
    depth, at = min(met)
    layer = layers[mosaic.layers[mosaic.layer[at]]]
    x, y, z = (ray / np.linalg.norm(ray) if math.isinf(depth) else camera.center + depth * ray).tolist()
    ordinal = int(mosaic.sources.ordinal[mosaic.source[at]])
    return Picked(int(mosaic.ids[at]), layer.layer_id, layer.name, (x, y, z), depth, ordinal)


def _ray(camera: Camera, u: float, v: float) -> Float64[np.ndarray, "3"]:
    """Returns the direction of a pixel in the world, of planar depth 1."""
    return camera.camera_to_world[:3, :3] @ [(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0]


def _meets(
    recall: Recall, mosaic: Mosaic, at: int, layers: Mapping[str, Layer], camera: Camera, ray: Float64[np.ndarray, "3"]
) -> float:
    """Returns the planar depth at which a ray meets what a patch covers: +inf for sky, NaN where it passes by."""
    if math.isinf(mosaic.depth_m[at]):
        return math.inf
    ordinals, rows = split_ids(mosaic.ids[at : at + 1])
    patches = recall.showing.store.segments.open(int(ordinals[0])).patches
    placement = layers[mosaic.layers[mosaic.layer[at]]].placement
    center = placement.apply(patches.origin + patches.center[rows[0]])
    normal = placement.rotation @ decode_normal(patches.normal[rows])[0]
    slope = float(normal @ ray)
    depth = float(normal @ (center - camera.center)) / slope if abs(slope) > GRAZING else float(mosaic.depth_m[at])
    met = camera.center + depth * ray
    covered = depth > 0 and _covers(mosaic, at, int(patches.parts[rows[0]]), met)
    return depth if covered else math.nan


def _covers(mosaic: Mosaic, at: int, parts: int, met: Float64[np.ndarray, "3"]) -> bool:
    """Whether a patch covers a point of its plane: where its source camera saw it, in the parts that it fills."""
    uv, depth = mosaic.sources.camera(int(mosaic.source[at])).project(met[None])
    if not (depth[0] > 0 and np.isfinite(uv).all()):
        return False
    column, row = np.floor(uv[0] / mosaic.spec.token_px * PARTS).astype(int).tolist()
    inside = [row // PARTS, column // PARTS] == mosaic.cell[at].tolist()
    return bool(inside and parts >> (PARTS * (row % PARTS) + column % PARTS) & 1)


def _placed_camera(entry: Entry, frame: int) -> Camera:
    camera = entry.segment.frames.camera(frame)
    if not entry.sky:
        return camera.placed(entry.placement)
    matrix = camera.camera_to_world.copy()
    matrix[:3, :3] = entry.placement.rotation @ matrix[:3, :3]
    return Camera(camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height, matrix)
