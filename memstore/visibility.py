"""See: from candidate patches to those that a camera sees and keeps.

1. Every surface candidate is drawn with its footprint into a z-buffer of 4 x 4 samples a token; the nearest wins. The
   footprint is what its source camera saw of it: the filled parts of its token's square, on its own plane, within its
   bounding sphere. So it hides nothing beyond an edge that the patch straddles. Backs are drawn as fronts are: a wall
   hides what is behind it from either side. Nothing nearer than `near_m` or farther than `far_m` is drawn.
2. A surface is seen when its centre lies inside the image and between near and far, when the cosine between its normal
   and the direction to the camera is at least `min_facing`, and when its centre's depth is at most
   front * (1 + depth_tolerance) + radius_tolerance * radius. `front` is the depth of the patch that owns the sample
   under the centre: at the sample or, on that patch's plane, at the centre itself, whichever is farther. So neighbours
   on one slanted surface never hide each other, however grazing the view.
3. Sky is seen where no surface owns the sample under its centre, whichever way it faces.
4. Each token keeps the best `per_token` of the patches whose centres land in it, and the view the best `budget`
   (`ranking`). The answer is sorted by token, best first.
5. Coverage is the share of a token's samples that meet the footprint of a returned patch where nothing hides it (rule
   2 at the sample); of sky, the filled parts of its token's square of directions where no surface owns the sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt32

from memstore.camera import Camera
from memstore.errors import InvalidInput, Reason
from memstore.footprint import Footprints
from memstore.index import Candidates
from memstore.query import Query
from memstore.ranking import Contenders, View, choose
from memstore.sample_grid import SAMPLES_PER_TOKEN, SampleGrid
from memstore.segment import Scene
from memstore.zbuffer import ZBuffer


@dataclass(frozen=True)
class Visible:
    """n patches that a camera sees, sorted by token, best first."""

    entry: UInt32[np.ndarray, "n"]
    """Position in the scene's entries."""
    row: UInt32[np.ndarray, "n"]
    """Row in the entry's segment."""
    uv: Float32[np.ndarray, "n 2"]
    """Where the centre lands, pixels."""
    depth_m: Float32[np.ndarray, "n"]
    """Planar depth of the centre, metres; +inf for sky."""
    radius_px: Float32[np.ndarray, "n"]
    """Radius of the patch's sphere at that depth, pixels along x."""
    token: UInt32[np.ndarray, "n"]
    """Row-major target token in which the centre lands."""
    coverage: Float32[np.ndarray, "rows cols"]
    """Share of each token that the returned patches cover, 0 to 1."""

    def __len__(self) -> int:
        return len(self.row)


def see(scene: Scene, camera: Camera, query: Query, token_px: int, candidates: Candidates) -> Visible:
    """Returns which candidates `camera` sees and `query` keeps; the rules are this module's docstring.

    Args:
        scene: what the candidates were found in.
        camera: the target camera, in world metres.
        query: near, far, facing, tolerances, ranking and budget.
        token_px: pixels along a side of the target's tokens.
        candidates: what `search` gave for the same scene, camera and query.

    Raises:
        InvalidInput: the camera's image is no multiple of `token_px`.
    """
    rows, columns = _token_grid(camera, token_px)
    footprints = Footprints.of(scene, camera, candidates)
    buffer = ZBuffer.of(footprints, SampleGrid.of(camera, token_px, query))
    seen, uv = buffer.seen(footprints, query)
    depth = np.where(footprints.sky[seen], np.inf, footprints.center[seen, 2])
    across, down = (np.floor(uv / token_px).astype(np.int64)).T
    token = np.minimum(down, rows - 1) * columns + np.minimum(across, columns - 1)
    contenders = Contenders(candidates.take(seen), token, depth)
    won = choose(View(scene, camera, rows * columns), query, contenders)
    winners = footprints.take(seen[won])
    return Visible(
        entry=candidates.entry[seen[won]],
        row=candidates.row[seen[won]],
        uv=uv[won].astype(np.float32),
        depth_m=depth[won].astype(np.float32),
        radius_px=(camera.fx * winners.radius / winners.center[:, 2]).astype(np.float32),
        token=token[won].astype(np.uint32),
        coverage=_share(buffer.covered(winners, query)),
    )


def _token_grid(camera: Camera, token_px: int) -> tuple[int, int]:
    if camera.width % token_px or camera.height % token_px:
        raise InvalidInput(
            f"a view of {camera.width}x{camera.height} cannot be cut into tokens of {token_px}x{token_px} pixels; "
            f"resize or crop its camera to a multiple of {token_px} (Camera.resized, Camera.cropped).",
            reason=Reason.INVALID_CAMERA,
            width=camera.width,
            height=camera.height,
            token_px=token_px,
        )
    return camera.height // token_px, camera.width // token_px


def _share(covered: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "rows cols"]:
    height, width = (side // SAMPLES_PER_TOKEN for side in covered.shape)
    tokens = covered.reshape(height, SAMPLES_PER_TOKEN, width, SAMPLES_PER_TOKEN)
    return tokens.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
