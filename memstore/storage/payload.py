"""The payload of a segment: latents, depth and moving masks of its frames, as Zarr v3 arrays read by memory map.

    <directory>/latents   [frames, rows, cols, l]    the spec's dtype, token-major: a patch is one run of bytes
    <directory>/depth     [frames, rows, cols, d*d]  1 / depth as float16 or float32; 0 is sky, NaN is unmeasured
    <directory>/moving    [frames, height, bytes]    bits, most significant first; only if some frame has a mask

Each array is one shard whose inner chunk is one frame; a chunk ends with its crc32c, the shard with an index of n x
(offset, byte count) and a crc32c of that. Any Zarr reads the arrays. This reader maps the shard, checks a chunk when it
is first touched and gathers patches at their byte offsets: 4,000 patches of 60 frames in 0.3 to 1.3 ms.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import zarr
from jaxtyping import Bool, Float, Float32, Integer, Shaped
from zarr.codecs import BytesCodec, Crc32cCodec

from memstore.errors import CorruptData, InvalidInput, Reason
from memstore.latent import LatentSpec, from_tokens, to_tokens
from memstore.storage.columns import map_file
from memstore.storage.durable import explain_os_errors, make_directory, sync_directory, sync_tree

CRC_BYTES = 4
SAME_SURFACE = 0.05
"""Share of inverse depth by which neighbouring pixels may differ and still be averaged into one sample."""


def write_payload(
    directory: Path,
    tokens: Shaped[np.ndarray, "f rows cols l"],
    depth_m: Float32[np.ndarray, "f h w"],
    moving: Bool[np.ndarray, "f h w"] | None,
    spec: LatentSpec,
) -> int:
    """Writes the payload of a segment, durable on return, and returns its bytes on disk.

    Raises:
        InvalidInput: the arrays do not fit each other or the spec.
        ResourceLimit: the disk is full.
    """
    _require_fitting(tokens, depth_m, spec)
    samples = encode_depth(sample_depth(depth_m, spec.depth_stride), spec.depth_dtype)
    arrays = {"latents": tokens, "depth": to_tokens(samples[..., None], spec.depths_per_side)}
    if moving is not None and moving.any():
        arrays["moving"] = np.packbits(moving, axis=-1)
    with explain_os_errors(directory, sum(array.nbytes for array in arrays.values())):
        make_directory(directory.parent)
        group = zarr.open_group(str(directory), mode="w", zarr_format=3)
        for name, array in arrays.items():
            _write_array(group, name, array)
        sync_tree(directory)
        sync_directory(directory.parent)
        return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def sample_depth(depth_m: Float32[np.ndarray, "f h w"], stride: int) -> Float32[np.ndarray, "f sh sw"]:
    """Returns one depth for each square of `stride` pixels, at the square's centre.

    An odd stride takes the pixel there. An even one looks at the four pixels around it: of one surface it averages the
    inverse depth, which is exact for planes; at an edge it takes the nearest, so that no point floats between two.
    """
    first = (stride - 1) // 2
    if stride % 2:
        return depth_m[:, first::stride, first::stride]
    four = np.stack([depth_m[:, first + j :: stride, first + i :: stride] for j in (0, 1) for i in (0, 1)])
    inverse = encode_depth(four, "float32")
    nearest, farthest = np.fmax.reduce(inverse), np.fmin.reduce(inverse)
    measured = ~np.isnan(inverse)
    mean = np.where(measured, inverse, 0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    smooth = nearest - farthest <= SAME_SURFACE * nearest
    return decode_depth(np.where(smooth, mean, nearest).astype(np.float32))


def encode_depth(depth_m: Float32[np.ndarray, "*shape"], dtype: str) -> Float[np.ndarray, "*shape"]:
    """Returns 1 / depth: 0 for sky, NaN for unmeasured.

    As float16 the relative error is at most 2^-11 (and a rounding of float32) from 0.02 mm to 16,384 m and grows from
    there on; what is measured always stays measured, at most 16,777 km away.

    >>> encode_depth(np.array([2, np.inf, 0, np.nan], np.float32), "float16").tolist()
    [0.5, 0.0, nan, nan]
    """
    limits = np.finfo(dtype)
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
        inverse = 1 / depth_m
        # What is measured must become neither sky (0) nor unmeasured: only sky itself is left out of the clip.
        np.clip(inverse, limits.smallest_subnormal, limits.max, out=inverse, where=depth_m < np.inf)
        inverse[~(depth_m > 0)] = np.nan
        return inverse.astype(dtype)


def decode_depth(inverse: Float[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Returns the depth in metres of `encode_depth`: +inf for sky, NaN for unmeasured."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        return 1 / inverse.astype(np.float32)


class PayloadReader:
    """The payload of one segment, mapped into memory. Safe to share between threads."""

    def __init__(self, directory: Path, spec: LatentSpec) -> None:
        """Maps the arrays and checks their indexes.

        Raises:
            NotFound: a file is missing.
            CorruptData: a file is truncated, garbled, or of other latents than `spec`.
        """
        self.spec = spec
        self._latents = _Shard(directory / "latents", spec.dtype)
        self._depth = _Shard(directory / "depth", spec.depth_dtype)
        self._moving = _Shard(directory / "moving", "uint8") if (directory / "moving").exists() else None
        self._latents.require_values(spec.values_per_patch)
        self._depth.require_values(spec.depths_per_side**2)

    @property
    def frame_count(self) -> int:
        """Frames of the segment."""
        return self._latents.layout.shape[0]

    def latents(self, frames: Integer[np.ndarray, "n"], cells: Integer[np.ndarray, "n"]) -> Shaped[np.ndarray, "n l"]:
        """Returns the latents of patches by frame of the segment and cell of the token grid, as one array.

        Raises:
            InvalidInput: a frame or cell is out of range.
            CorruptData: a frame that is touched for the first time fails its checksum.
        """
        return self._latents.gather(frames, cells)

    def depths(self, frames: Integer[np.ndarray, "n"], cells: Integer[np.ndarray, "n"]) -> Float32[np.ndarray, "n d"]:
        """Returns the depth samples of patches, metres, row-major in the patch; +inf is sky, NaN unmeasured.

        Errors as `latents`.
        """
        return decode_depth(self._depth.gather(frames, cells))

    def frame_latents(self, frame: int) -> Shaped[np.ndarray, "h w c"]:
        """Returns the latent map of a frame."""
        return from_tokens(self._latents.chunk(frame), self.spec.patch)

    def frame_depth(self, frame: int) -> Float32[np.ndarray, "h w"]:
        """Returns the depth samples of a frame, metres; sample (j, i) lies at pixel ((i + 0.5), (j + 0.5)) * stride."""
        return decode_depth(from_tokens(self._depth.chunk(frame), self.spec.depths_per_side)[..., 0])

    def frame_moving(self, frame: int) -> Bool[np.ndarray, "h w"] | None:
        """Returns where something moves in a frame, or `None` when no frame of the segment has a mask."""
        if self._moving is None:
            return None
        width = self._latents.layout.shape[2] * self.spec.token_px
        return np.unpackbits(self._moving.chunk(frame), axis=-1, count=width).astype(np.bool_)

    def problems(self) -> list[CorruptData]:
        """Takes every checksum anew and returns what fails."""
        shards = [self._latents, self._depth, *([self._moving] if self._moving is not None else [])]
        return [error for shard in shards for error in shard.problems()]


@dataclass(frozen=True)
class _Layout:
    """What an array's zarr.json says that matters here."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a frame without its checksum."""
        return int(np.prod(self.shape[1:])) * np.dtype(self.dtype).itemsize


class _Shard:
    """One array: its only shard, mapped."""

    def __init__(self, directory: Path, dtype: str) -> None:
        self.layout = _read_layout(directory / "zarr.json")
        self._path = Path(directory, "c", *"0" * len(self.layout.shape))
        self._segment = directory.parent.parent.name
        if self.layout.dtype != dtype:
            raise self._corrupt(f"holds {self.layout.dtype} where the segment's latents say {dtype}")
        self._bytes = map_file(self._path)
        self._offsets = self._read_index()
        self._checked = np.zeros(self.layout.shape[0], np.bool_)

    def require_values(self, count: int) -> None:
        """Raises CorruptData unless a patch has that many values."""
        if len(self.layout.shape) != 4 or self.layout.shape[3] != count:
            raise self._corrupt(f"has shape {self.layout.shape} where the segment's latents say {count} values a patch")

    def gather(self, frames: Integer[np.ndarray, "n"], cells: Integer[np.ndarray, "n"]) -> Shaped[np.ndarray, "n l"]:
        """Returns one run of bytes a patch, as an array of its own."""
        count, rows, columns, values = self.layout.shape
        _require_below(frames, count, "frames")
        _require_below(cells, rows * columns, "cells")
        for frame in np.flatnonzero(np.bincount(frames.astype(np.int64), minlength=count) * ~self._checked).tolist():
            self._check(frame)
        size = self.layout.chunk_bytes // (rows * columns)
        starts = self._offsets[frames] + cells.astype(np.int64) * size
        # Every byte of the file as the start of a patch: one fancy index is then one memcpy a patch.
        runs = np.ndarray(len(self._bytes) - size + 1, np.dtype((np.void, size)), self._bytes.data, strides=(1,))
        return runs[starts].view(self.layout.dtype).reshape(len(starts), values)

    def chunk(self, frame: int) -> Shaped[np.ndarray, "*shape"]:
        """Returns all values of a frame, without a copy."""
        _require_below(np.array([frame]), self.layout.shape[0], "frame")
        if not self._checked[frame]:
            self._check(frame)
        begin = int(self._offsets[frame])
        return (
            self._bytes[begin : begin + self.layout.chunk_bytes].view(self.layout.dtype).reshape(self.layout.shape[1:])
        )

    def problems(self) -> list[CorruptData]:
        """Returns an error for each frame that fails its checksum now."""
        found: list[CorruptData] = []
        for frame in range(self.layout.shape[0]):
            try:
                self._check(frame)
            except CorruptData as error:
                found.append(error)
        return found

    def _check(self, frame: int) -> None:
        begin = int(self._offsets[frame])
        end = begin + self.layout.chunk_bytes
        if _crc_fails(self._bytes[begin : end + CRC_BYTES]):
            raise self._corrupt(f"fails the checksum of frame {frame}", Reason.CHECKSUM_MISMATCH, frame=frame)
        self._checked[frame] = True

    def _read_index(self) -> Shaped[np.ndarray, "f"]:
        count, stored = self.layout.shape[0], self.layout.chunk_bytes + CRC_BYTES
        expected = count * (stored + 16) + CRC_BYTES
        if len(self._bytes) != expected:
            raise self._corrupt(
                f"has {len(self._bytes):,} bytes where {count} frames take {expected:,}: it is truncated"
            )
        tail = self._bytes[count * stored :]
        index = np.frombuffer(tail[:-CRC_BYTES].tobytes(), "<u8").reshape(count, 2)
        if _crc_fails(tail) or (index[:, 1] != stored).any() or (index[:, 0] + index[:, 1] > count * stored).any():
            raise self._corrupt("has a garbled index", Reason.CHECKSUM_MISMATCH)
        return index[:, 0].astype(np.int64)

    def _corrupt(self, found: str, reason: Reason = Reason.CORRUPT_DATA, **details: int) -> CorruptData:
        return CorruptData(
            f"{self._path} of segment {self._segment} {found}; restore this file from a copy.",
            reason=reason,
            file=str(self._path),
            segment=self._segment,
            **details,
        )


def _write_array(group: zarr.Group, name: str, array: Shaped[np.ndarray, "f *rest"]) -> None:
    target = group.create_array(
        name,
        shape=array.shape,
        dtype=array.dtype,
        shards=array.shape,
        chunks=(1, *array.shape[1:]),
        filters=None,
        serializer=BytesCodec(endian="little"),
        compressors=[Crc32cCodec()],
        fill_value=0,
        config={"write_empty_chunks": True},  # else an all-zero frame is left out of the shard
    )
    target[:] = array


def _read_layout(path: Path) -> _Layout:
    content = map_file(path).tobytes()
    try:
        fields: dict[str, Any] = json.loads(content)
        layout = _Layout(tuple(int(n) for n in fields["shape"]), np.dtype(fields["data_type"]).name)
        (sharding,) = (codec["configuration"] for codec in fields["codecs"])
        one_shard = fields["chunk_grid"]["configuration"]["chunk_shape"] == list(layout.shape)
        frames = sharding["chunk_shape"] == [1, *layout.shape[1:]] and sharding["index_location"] == "end"
        plain = [codec["name"] for codec in sharding["codecs"]] == ["bytes", "crc32c"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptData(f"{path} is garbled ({error}); restore it from a copy.", file=str(path)) from error
    if not (one_shard and frames and plain and min(layout.shape) > 0):
        raise CorruptData(f"{path} is not laid out as memstore writes it; restore it from a copy.", file=str(path))
    return layout


def _crc_fails(content: Shaped[np.ndarray, "n"]) -> bool:
    """Whether bytes do not end with their own crc32c."""
    return google_crc32c.value(content[:-CRC_BYTES]) != int.from_bytes(content[-CRC_BYTES:].tobytes(), "little")


def _require_below(numbers: Integer[np.ndarray, "n"], limit: int, name: str) -> None:
    if len(numbers) and (int(numbers.min()) < 0 or int(numbers.max()) >= limit):
        found = f"{numbers.min()} to {numbers.max()}"
        raise InvalidInput(
            f"{name} must be from 0 to {limit - 1}, got {found}.", reason=Reason.FRAME_NOT_FOUND, field=name
        )


def _require_fitting(
    tokens: Shaped[np.ndarray, "f rows cols l"], depth_m: Float32[np.ndarray, "f h w"], spec: LatentSpec
) -> None:
    frames, height, width = depth_m.shape
    wanted = (frames, *spec.token_grid(width, height), spec.values_per_patch)
    if tokens.shape != wanted or tokens.dtype != np.dtype(spec.dtype) or not frames:
        raise InvalidInput(
            f"tokens of {frames} frames of {width}x{height} must be {spec.dtype} of shape {wanted}, got "
            f"{tokens.dtype} of shape {tokens.shape}.",
            field="tokens",
        )
