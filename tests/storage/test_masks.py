"""Masks among objects: packed, named by their place, and refused when they are not whole."""

import struct
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from memstore.errors import CorruptData, NotFound
from memstore.layer import Mask
from memstore.storage.masks import check_masks, object_of, read_mask, stage_masks
from memstore.storage.objects import Objects

MASKS = [
    Mask(False, BitMap()),
    Mask(True, BitMap(range(100))),
    Mask(True, BitMap([1, 5, 70_000]), ((0, BitMap([5])), (7, BitMap([1])))),
    Mask(False, BitMap(range(0, 4_000_000, 977)), ((3, BitMap([2**31])),)),
]
ANYHOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def objects(tmp_path):
    (tmp_path / "objects").mkdir()
    return Objects(tmp_path / "objects")


def stored(objects: Objects, content: bytes) -> str:
    name = objects.put(content)
    objects.flush()
    return name


def test_the_masks_of_a_commit_lie_in_one_object_and_come_back(objects):
    names = stage_masks(objects, MASKS)
    assert len({object_of(name) for name in names}) == 1
    assert [read_mask(objects, name) for name in names] == MASKS
    objects.flush()
    again = Objects(objects.root)
    assert [read_mask(again, name) for name in names] == MASKS
    assert len(list(objects.names())) == 1
    check_masks(again, names[0])


def test_no_masks_are_no_object(objects):
    assert stage_masks(objects, []) == []
    assert objects.flush() == 0


def test_the_same_masks_are_written_once(objects):
    assert stage_masks(objects, MASKS) == stage_masks(objects, MASKS)
    assert objects.flush() > 0
    stage_masks(objects, MASKS)
    assert objects.flush() == 0


def test_an_object_that_is_one_mask_is_read_too(objects):
    name = stored(objects, MASKS[2].to_bytes())
    assert object_of(name) == name
    assert read_mask(objects, name) == MASKS[2]
    check_masks(objects, name)


def test_a_missing_pack_is_not_found(objects):
    with pytest.raises(NotFound, match="is missing"):
        read_mask(objects, "0" * 32 + "/0")


def test_a_place_beyond_the_pack_is_refused(objects):
    (name,) = stage_masks(objects, MASKS[:1])
    with pytest.raises(CorruptData, match="holds 1 masks, number 1 was asked"):
        read_mask(objects, object_of(name) + "/1")


def test_every_truncated_pack_is_refused(objects):
    content = objects.get(object_of(stage_masks(objects, MASKS[:3])[0]))
    for length in range(len(content)):
        name = objects.put(content[:length])
        for act in (check_masks, read_mask):
            with pytest.raises(CorruptData, match="mask"):
                act(objects, f"{name}/0")


def test_every_truncated_mask_is_refused():
    content = MASKS[2].to_bytes()
    # What is cut between two groups reads as a mask with fewer; the checksum that names the object would tell.
    for length in set(range(len(content))) - _ends_of_groups(content):
        with pytest.raises(CorruptData, match="mask"):
            Mask.from_bytes(content[:length])


def _ends_of_groups(content: bytes) -> set[int]:
    ends, at = set[int](), 5
    while at < len(content):
        _, length = struct.unpack_from("<II", content, at)
        at += 8 + length
        ends.add(at)
    return ends


@ANYHOW
@given(at=st.integers(0, 10_000), to=st.integers(0, 255))
def test_a_garbled_pack_is_a_mask_or_an_error_and_never_a_crash(objects, at, to):
    content = bytearray(objects.get(object_of(stage_masks(objects, MASKS[:3])[0])))
    content[at % len(content)] = to
    name = objects.put(bytes(content))
    with suppress(CorruptData):
        assert all(isinstance(read_mask(objects, f"{name}/{place}"), Mask) for place in range(3))
        check_masks(objects, name)


@ANYHOW
@given(noise=st.binary(max_size=60))
def test_noise_is_no_mask(noise):
    with pytest.raises(CorruptData, match="mask"):
        Mask.from_bytes(b"MSK1\x00" + noise + b"\x01")
