"""A mosaic: the patches that one camera sees, placed in its image (MosaicMem's patch-and-compose memory).

Patches stay what they are: each keeps its own latents, its own source camera and its own depth, and says where it
lands in the target. What a model or a person needs is made from that on demand: token positions for Warped RoPE, a
canvas, Warped Latents, a picture.
"""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, Shaped, UInt8, UInt32, UInt64

from memstore.arrays import as_array
from memstore.camera import Camera
from memstore.canvas import Canvas
from memstore.codec import codec_for, has_codec
from memstore.errors import FailedPrecondition, InvalidInput, Reason
from memstore.latent import LatentSpec, from_tokens
from memstore.picture import png
from memstore.precedence import precedence
from memstore.tiles import Tiles
from memstore.warp import rope_positions, target_from_sources, warp_cells, warp_tiles

Unit = Literal["patch", "cell"]
HOLE_COLOR = (128, 128, 128)
"""Middle grey: what people see where the memory says nothing."""
PREVIEW_PX = 192
"""Largest side of the picture in a notebook."""


@dataclass(frozen=True, eq=False)
class SourceViews:
    """The s source frames that a mosaic draws on, as they stand in the target's world after placement."""

    segment: UInt32[np.ndarray, "s"]
    """Segment ordinal of each frame."""
    ordinal: Int64[np.ndarray, "s"]
    """Frame ordinal, with the layer's offset."""
    intrinsics: Float64[np.ndarray, "s 4"]
    """fx, fy, cx, cy in pixels."""
    size: Int32[np.ndarray, "s 2"]
    """Image width and height in pixels."""
    camera_to_world: Float64[np.ndarray, "s 4 4"]
    """world <- source camera, rotation and translation of the placed camera."""
    scale: Float64[np.ndarray, "s"]
    """Scale of the placement: world metres per metre of the source's depth."""
    sky: Bool[np.ndarray, "s"]
    """Whether this source is used for its sky (directions at infinity)."""

    def __post_init__(self) -> None:
        s = len(self.ordinal)
        _keep(self, "segment", np.uint32, (s,))
        _keep(self, "ordinal", np.int64, (s,))
        _keep(self, "intrinsics", np.float64, (s, 4))
        _keep(self, "size", np.int32, (s, 2))
        _keep(self, "camera_to_world", np.float64, (s, 4, 4))
        _keep(self, "scale", np.float64, (s,))
        _keep(self, "sky", np.bool_, (s,))

    def __len__(self) -> int:
        return len(self.ordinal)

    @classmethod
    def none(cls) -> SourceViews:
        """No source frames."""
        no = np.zeros(0, np.uint32)
        views = np.zeros((0, 4, 4))
        return cls(
            no,
            no.astype(np.int64),
            views[:, 0],
            no.astype(np.int32).reshape(0, 2),
            views,
            views[:, 0, 0],
            no.astype(np.bool_),
        )

    def camera(self, source: int) -> Camera:
        """Returns the placed camera of a source frame."""
        fx, fy, cx, cy = self.intrinsics[source].tolist()
        width, height = self.size[source].tolist()
        return Camera(fx, fy, cx, cy, width, height, self.camera_to_world[source])


@dataclass(frozen=True, eq=False)
class Content:
    """What n patches hold: their latents and the depth of each of their samples."""

    latents: Shaped[np.ndarray, "n l"]
    """Token-major latents in the spec's dtype; l = patch * patch * channels."""
    depth_m: Float32[np.ndarray, "n d"]
    """Planar depth in the source camera, metres before placement, at d = depths_per_side ** 2 samples, row-major;
    +inf is sky, NaN is unmeasured."""


@dataclass(frozen=True, eq=False)
class Mosaic:
    """The n patches that a camera sees, sorted by target token (row-major), best first within a token."""

    camera: Camera
    """The target camera."""
    spec: LatentSpec
    """What the latents are."""
    commit: str
    """The commit of the world that was asked."""
    ids: UInt64[np.ndarray, "n"]
    """Patch ids (segment << 32 | row)."""
    layer: UInt32[np.ndarray, "n"]
    """Position in `layers` of the layer that shows the patch; (layer, id) names an instance."""
    layers: tuple[str, ...]
    """Layer ids."""
    uv: Float32[np.ndarray, "n 2"]
    """Where the patch's centre lands, target pixels."""
    depth_m: Float32[np.ndarray, "n"]
    """Planar depth of the centre in the target camera, metres; +inf is sky."""
    radius_px: Float32[np.ndarray, "n"]
    """Radius of the patch in the target, pixels."""
    color: UInt8[np.ndarray, "n 3"]
    """Mean colour."""
    source: Int32[np.ndarray, "n"]
    """Position in `sources` of the frame that the patch was seen in."""
    cell: UInt32[np.ndarray, "n 2"]
    """Row and column of the patch in its source frame's token grid."""
    sources: SourceViews
    """The source frames."""
    coverage: Float32[np.ndarray, "rows cols"]
    """Share of each target token that the patches cover, 0 to 1."""
    content: Content | None
    """Latents and depths, or `None` when they were not asked for."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        _keep(self, "ids", np.uint64, (n,))
        _keep(self, "layer", np.uint32, (n,))
        _keep(self, "uv", np.float32, (n, 2))
        _keep(self, "depth_m", np.float32, (n,))
        _keep(self, "radius_px", np.float32, (n,))
        _keep(self, "color", np.uint8, (n, 3))
        _keep(self, "source", np.int32, (n,))
        _keep(self, "cell", np.uint32, (n, 2))
        _keep(self, "coverage", np.float32, self.spec.token_grid(self.camera.width, self.camera.height))
        _check_range("layer", self.layer, len(self.layers))
        _check_range("source", self.source, len(self.sources))
        if (np.diff(self.token) < 0).any():
            raise InvalidInput("the patches of a mosaic must be sorted by target token.", field="uv")
        if self.content is not None:
            object.__setattr__(self, "content", _checked_content(self.content, n, self.spec))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def token(self) -> Int64[np.ndarray, "n"]:
        """Row-major target token in which each patch's centre lands."""
        return tokens_of(self.uv, self.spec.token_px, self.coverage.shape)

    @property
    def instances(self) -> tuple[tuple[str, int], ...]:
        """(layer id, patch id) of each patch: what an edit can take hold of."""
        return tuple((self.layers[layer], patch) for layer, patch in zip(self.layer, self.ids.tolist(), strict=True))

    @property
    def coverage_mean(self) -> float:
        """Share of the view that the patches cover, 0 to 1."""
        return float(self.coverage.mean())

    def latents(self) -> Shaped[np.ndarray, "n l"]:
        """Returns the patches' own latents, token-major, in the spec's dtype, read-only.

        Raises:
            FailedPrecondition: the mosaic was retrieved without latents.
        """
        return self._content.latents

    def depths(self) -> Float32[np.ndarray, "n d"]:
        """Returns the patches' own depth samples, planar metres of the source camera before placement, read-only.

        Raises:
            FailedPrecondition: the mosaic was retrieved without latents.
        """
        return self._content.depth_m

    def rope_positions(self, t: float) -> Float32[np.ndarray, "n 3"]:
        """Returns Warped RoPE positions (t, row, column) for target latent frame `t`, fractions kept (`warp.py`)."""
        return rope_positions(self.uv, self.spec.token_px, t)

    def canvas(self, unit: Unit = "patch") -> Canvas:
        """Returns latents copied to the target's grid without resampling, in the spec's dtype.

        Args:
            unit: `patch` puts the best patch of each token on it as a whole. `cell` moves every latent cell by its own
                depth to the target cell in which its centre falls; the nearest surface wins, then the better patch.

        Raises:
            FailedPrecondition: the mosaic was retrieved without latents.
        """
        if unit not in ("patch", "cell"):
            raise InvalidInput(f"unit must be 'patch' or 'cell', got {unit!r}.", field="unit")
        return self._patch_canvas() if unit == "patch" else self._cell_canvas()

    def warped_latents(self) -> Canvas:
        """Returns Warped Latents: float32 latents resampled at the dense correspondence, holes masked (`warp.py`).

        Raises:
            FailedPrecondition: the mosaic was retrieved without latents.
        """
        return self._warped

    def image(self, holes: tuple[int, int, int] = HOLE_COLOR) -> UInt8[np.ndarray, "h w 3"]:
        """Returns the view as a picture for people.

        Warped Latents through the spec's codec; where this process has no such codec, or the mosaic no latents, each
        token shows the mean colour of its best patch.

        Args:
            holes: sRGB colour where the memory says nothing (see `image_mask`).
        """
        mask = self.image_mask()
        picture = self._decoded() if self._decodable else _enlarge(self._token_colors(), self.spec.token_px)
        return np.where(mask[..., None], picture, np.array(holes, np.uint8))

    def image_mask(self) -> Bool[np.ndarray, "h w"]:
        """Returns where `image` shows memory and not the colour of holes."""
        if self._decodable:
            return _enlarge(self._warped.mask, self.spec.stride)
        mask = np.zeros(self.coverage.shape, np.bool_)
        mask.ravel()[self.token] = True
        return _enlarge(mask, self.spec.token_px)

    @property
    def _content(self) -> Content:
        if self.content is None:
            raise FailedPrecondition(
                f"this mosaic of {len(self)} patches was retrieved without latents; retrieve it with latents=True.",
                reason=Reason.MISSING_LATENTS,
            )
        return self.content

    @property
    def _decodable(self) -> bool:
        return self.content is not None and has_codec(self.spec)

    @cached_property
    def _target_from_source(self) -> Float64[np.ndarray, "s 4 4"]:
        views = self.sources
        return target_from_sources(self.camera, views.intrinsics, views.camera_to_world, views.scale)

    @cached_property
    def _tiles(self) -> Tiles:
        spec, n, side = self.spec, len(self), self.spec.depths_per_side
        depth = self.depths()
        # A patch of a sky layer shows directions only: what else its pixels held is no longer its to show.
        stray = self.sources.sky[self.source][:, None] & np.isfinite(depth)
        return Tiles(
            latents=self.latents().reshape(n, spec.patch, spec.patch, spec.channels),
            depth_m=np.where(stray, np.float32(np.nan), depth).reshape(n, side, side),
            source=self.source,
            cell=self.cell.astype(np.int64),
            order=precedence(self.token, self.source),
            stride=spec.stride,
            depth_stride=spec.depth_stride,
        )

    @cached_property
    def _warped(self) -> Canvas:
        return warp_tiles(self._tiles, self._target_from_source, *self._latent_size)

    @property
    def _latent_size(self) -> tuple[int, int]:
        return self.camera.width // self.spec.stride, self.camera.height // self.spec.stride

    def _patch_canvas(self) -> Canvas:
        patch = self.spec.patch
        token, best = np.unique(self.token, return_index=True)
        tokens = np.zeros((self.coverage.size, self.spec.values_per_patch), self.spec.dtype)
        depth = np.full(self.coverage.size, np.nan, np.float32)
        tokens[token], depth[token] = self.latents()[best], self.depth_m[best]
        depth = _enlarge(depth.reshape(self.coverage.shape), patch)
        latents = from_tokens(tokens.reshape(*self.coverage.shape, -1), patch)
        return Canvas(latents, ~np.isnan(depth), depth)

    def _cell_canvas(self) -> Canvas:
        return warp_cells(self._tiles, self._target_from_source, *self._latent_size)

    def _token_colors(self) -> UInt8[np.ndarray, "rows cols 3"]:
        token, best = np.unique(self.token, return_index=True)
        colors = np.zeros((self.coverage.size, 3), np.uint8)
        colors[token] = self.color[best]
        return colors.reshape(*self.coverage.shape, 3)

    def _decoded(self) -> UInt8[np.ndarray, "h w 3"]:
        latents = self._warped.latents
        if np.issubdtype(self.spec.dtype, np.integer):
            latents = np.rint(latents)
        return codec_for(self.spec).decode(latents.astype(self.spec.dtype))

    def __repr__(self) -> str:
        size = f"{self.camera.width}x{self.camera.height}"
        held = "" if self.content is not None else ", without latents"
        return (
            f"Mosaic({size}, {len(self)} patches from {len(self.sources)} frames in {len(self.layers)} layers, "
            f"{self.coverage_mean:.0%} covered, at {self.commit[:8]}{held})"
        )

    def _repr_html_(self) -> str:
        step = -(-max(self.camera.width, self.camera.height) // PREVIEW_PX)
        picture = base64.b64encode(png(self.image()[::step, ::step])).decode("ascii")
        caption = html.escape(repr(self))
        return f'<figure><img src="data:image/png;base64,{picture}"/><figcaption>{caption}</figcaption></figure>'


def tokens_of(uv: Float32[np.ndarray, "n 2"], token_px: int, grid: tuple[int, ...]) -> Int64[np.ndarray, "n"]:
    """Returns the row-major token of pixels; those on or over the border belong to the outermost token.

    >>> tokens_of(np.array([[0, 0], [31, 9], [32, 20]], np.float32), 8, (2, 4)).tolist()
    [0, 7, 7]
    """
    rows, columns = grid
    column, row = np.floor(uv / np.float32(token_px)).astype(np.int64).T
    return np.clip(row, 0, rows - 1) * columns + np.clip(column, 0, columns - 1)


def _keep(value: object, name: str, dtype: type, shape: tuple[int | None, ...]) -> None:
    object.__setattr__(value, name, as_array(getattr(value, name), dtype, shape, name))


def _check_range(name: str, index: Int32[np.ndarray, "n"] | UInt32[np.ndarray, "n"], count: int) -> None:
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < count:
        raise InvalidInput(f"{name} must count from 0 to {count - 1}, got {index.min()} to {index.max()}.", field=name)


def _checked_content(content: Content, n: int, spec: LatentSpec) -> Content:
    latents = as_array(content.latents, spec.dtype, (n, spec.values_per_patch), "latents")
    return Content(latents, as_array(content.depth_m, np.float32, (n, spec.depths_per_side**2), "depth_m"))


def _enlarge(grid: Shaped[np.ndarray, "h w *c"], times: int) -> Shaped[np.ndarray, "big_h big_w *c"]:
    return grid if times == 1 else grid.repeat(times, axis=0).repeat(times, axis=1)
