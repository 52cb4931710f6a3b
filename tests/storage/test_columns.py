"""Files of columns: read without a copy, by any safetensors reader, and sure of themselves."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load

from memstore.errors import CorruptData, NotFound
from memstore.storage.columns import ColumnFile, crc32c, encode_columns, map_file

DTYPES = ["<f8", "<f4", "<f2", "<i8", "<i4", "<i2", "i1", "<u8", "<u4", "<u2", "u1", "?"]


def example() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    columns = {f"c{i}": rng.integers(0, 2, (i + 1, 3)).astype(dtype) for i, dtype in enumerate(DTYPES)}
    return columns | {"empty": np.empty((0, 3), np.float32), "number": np.array(7.5)}


def written(folder: Path) -> Path:
    path = folder / "columns.safetensors"
    path.write_bytes(encode_columns(example(), {"of": 'a "note"'}))
    return path


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8),
        hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5)),
        max_size=6,
    )
)
def test_columns_come_back_as_they_went(
    tmp_path_factory: pytest.TempPathFactory, columns: dict[str, np.ndarray]
) -> None:
    path = tmp_path_factory.mktemp("columns") / "file"
    content = encode_columns(columns, {"note": "x"})
    path.write_bytes(content)
    file = ColumnFile(path)
    file.verify()
    others = load(content)
    assert set(file.names) == set(columns) == set(others)
    for name, array in columns.items():
        assert file[name].dtype == array.dtype
        assert file[name].tobytes() == array.tobytes() == others[name].tobytes()
        assert file[name].shape == array.shape


def test_notes_are_kept_and_bookkeeping_is_not_among_them(tmp_path: Path) -> None:
    assert dict(ColumnFile(written(tmp_path)).notes) == {"of": 'a "note"'}


def test_columns_are_aligned_read_only_views_of_one_map(tmp_path: Path) -> None:
    file = ColumnFile(written(tmp_path))
    for name in file.names:
        assert file[name].flags.aligned
        assert not file[name].flags.writeable
        assert not file[name].flags.owndata


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    for at in (*range(0, len(whole), 5), *range(8)):
        garbled = bytearray(whole)
        garbled[at] ^= 1 << at % 8
        path.write_bytes(garbled)
        with pytest.raises(CorruptData, match=r"columns\.safetensors .*--repair"):
            ColumnFile(path).verify()


def test_every_truncation_is_found_at_opening(tmp_path: Path) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 5), *range(16), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptData, match=r"truncated|garbled"):
            ColumnFile(path)
    path.write_bytes(whole + b"x")
    with pytest.raises(CorruptData, match="overlong"):
        ColumnFile(path)


def test_a_missing_file_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere is missing"):
        ColumnFile(tmp_path / "nowhere")
    with pytest.raises(CorruptData, match="no column 'nothing'"):
        ColumnFile(written(tmp_path))["nothing"]


def test_a_map_outlives_its_name_and_holds_no_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    before = len(os.listdir("/proc/self/fd"))
    held = [map_file(path) for _ in range(50)]
    assert len(os.listdir("/proc/self/fd")) == before
    path.unlink()
    assert all(mapped.tobytes() == b"abc" for mapped in held)


def test_the_checksum_is_the_published_crc32c() -> None:
    assert crc32c(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283
