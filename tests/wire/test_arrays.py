import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from memstore.errors import InvalidInput, Reason, ResourceLimit
from memstore.v1 import memory_service_pb2 as pb
from memstore.wire.arrays import Incoming, Outgoing

DTYPES = ("?", "u1", "u2", "u4", "u8", "i2", "i4", "i8", "f2", "f4", "f8")
COLUMNS = ("ids", "center", "radius", "normal", "ordinal", "color", "sky", "latents")


def sent(arrays: dict, part_bytes: int) -> tuple[pb.Patches, list[bytes]]:
    message, out = pb.Patches(), Outgoing(part_bytes)
    for name, array in arrays.items():
        out.put(getattr(message, name), array)
    return message, list(out.rest())


def received(message: pb.Patches, runs: list[bytes]) -> Incoming:
    incoming = Incoming(message)
    for run in runs:
        incoming.extend(run)
    return incoming


@settings(deadline=None, max_examples=60)
@given(
    arrays=st.lists(
        st.sampled_from(DTYPES).flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0))),
        min_size=1,
        max_size=len(COLUMNS),
    ),
    part_bytes=st.integers(1, 200),
)
def test_arrays_come_back_bit_for_bit_whatever_the_part_size(arrays, part_bytes):
    named = dict(zip(COLUMNS, arrays, strict=False))
    message, runs = sent(named, part_bytes)
    incoming = received(pb.Patches.FromString(message.SerializeToString()), runs)
    assert incoming.missing == 0
    for name, array in named.items():
        back = incoming.array(name, array.dtype, array.shape)
        assert back.dtype == array.dtype
        assert back.shape == array.shape
        assert back.tobytes() == array.tobytes()
        assert not back.flags.writeable


def test_no_run_is_longer_than_a_part_and_only_the_last_is_shorter():
    message, runs = sent({"ids": np.arange(1000, dtype="u8"), "latents": np.ones((7, 11), "f4")}, 512)
    assert not message.ids.data
    assert [len(run) for run in runs[:-1]] == [512] * (len(runs) - 1)
    assert 0 < len(runs[-1]) <= 512
    assert sum(map(len, runs)) + len(message.latents.data) == 8000 + 308


def test_a_big_endian_or_strided_array_arrives_as_what_it_says():
    array = np.arange(24, dtype=">i4").reshape(4, 6)[:, ::2]
    message, runs = sent({"latents": array}, 1 << 20)
    assert np.array_equal(received(message, runs).array("latents", "i4", (4, 3)), array)


def test_arrays_of_nested_messages_are_named_by_their_path():
    mosaic = pb.Mosaic()
    Outgoing().put(mosaic.content.latents, np.zeros((2, 3), "u1"))
    assert Incoming(mosaic).array("content.latents", "u1", (2, 3)).shape == (2, 3)


def test_an_array_of_another_type_or_shape_is_refused_by_its_path():
    message, runs = sent({"ids": np.arange(4, dtype="i8")}, 1 << 20)
    incoming = received(message, runs)
    with pytest.raises(InvalidInput, match="ids must be uint64, got int64"):
        incoming.array("ids", "u8", (4,))
    with pytest.raises(InvalidInput, match=r"ids must have shape \(5\), got \(4,\)"):
        incoming.array("ids", "i8", (5,))
    with pytest.raises(InvalidInput, match="sky is missing") as caught:
        incoming.array("sky", "?", (4,))
    assert caught.value.details["field"] == "sky"


def test_bytes_that_do_not_fit_their_shape_are_refused():
    message, _ = sent({"ids": np.arange(4, dtype="u8")}, 1 << 20)
    message.ids.data = message.ids.data[:-1]
    with pytest.raises(InvalidInput, match=r"ids.data must have 32 bytes for shape \(4,\), got 31"):
        Incoming(message)


def test_an_element_type_from_the_future_is_refused():
    message = pb.Patches()
    message.ids.element_type = 99  # pyright: ignore
    message.ids.shape.append(1)
    with pytest.raises(InvalidInput, match=r"ids.element_type is missing or unknown here, got 99"):
        Incoming(message)


def test_more_bytes_than_the_shapes_allow_are_refused():
    message, runs = sent({"ids": np.arange(100, dtype="u8")}, 64)
    incoming = received(message, runs)
    with pytest.raises(InvalidInput, match="3 bytes more came"):
        incoming.extend(b"abc")


def test_a_shape_that_claims_too_much_is_refused_before_a_byte_is_kept():
    message = pb.Patches()
    message.ids.element_type = 5
    message.ids.shape.extend([1 << 40, 1 << 40])
    with pytest.raises(ResourceLimit, match="the limit is 1,000") as caught:
        Incoming(message, limit_bytes=1000)
    assert caught.value.reason == Reason.MESSAGE_TOO_LARGE
    assert caught.value.details["limit_bytes"] == 1000


def test_a_dtype_that_cannot_travel_is_refused_with_those_that_can():
    with pytest.raises(InvalidInput, match=r"complex128 cannot be sent; convert it to one of bool, uint8"):
        Outgoing().put(pb.Patches().ids, np.zeros(2, complex))
