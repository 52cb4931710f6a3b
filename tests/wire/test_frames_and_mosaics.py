from dataclasses import fields, replace

import numpy as np
import pytest

from memstore.camera import Camera
from memstore.errors import InvalidInput
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.mosaic import Content, Mosaic, SourceViews
from memstore.stored import StoredPatches
from memstore.v1 import common_pb2, memory_service_pb2
from memstore.wire.arrays import Incoming, Outgoing
from memstore.wire.frame import frame_bytes, frame_from_message, frame_to_message
from memstore.wire.mosaic import mosaic_from_message, mosaic_to_message, stored_from_message, stored_to_message

RNG = np.random.default_rng(3)
CAMERA = Camera.from_fov(32, 16, 1.0)


def a_frame(**changes) -> Frame:
    frame = Frame(
        camera=CAMERA,
        depth_m=np.where(RNG.random((16, 32)) < 0.1, np.inf, RNG.random((16, 32))).astype(np.float32),
        rgb=RNG.integers(0, 255, (16, 32, 3), np.uint8),
        time_s=1.25,
        moving=RNG.random((16, 32)) < 0.5,
        latents=RNG.random((2, 4, 48)).astype(np.float16),
        caption="a hall, gr\u00fcn",
        metadata={"exposure": 0.1, "shots": 3, "indoor": True, "lens": "wide"},
        ordinal=7,
    )
    return replace(frame, **changes)


def a_mosaic(n: int, s: int = 3, *, latents: bool = True) -> Mosaic:
    spec = LatentSpec.pixel()
    content = Content(RNG.integers(0, 255, (n, 192), np.uint8), RNG.random((n, 64)).astype("f4"))
    return Mosaic(
        camera=CAMERA,
        spec=spec,
        commit="c0ffee",
        ids=RNG.integers(0, 1 << 63, n).astype("u8"),
        layer=np.zeros(n, "u4"),
        layers=("observed", "sky"),
        uv=RNG.random((n, 2)).astype("f4"),
        depth_m=RNG.random(n).astype("f4"),
        radius_px=RNG.random(n).astype("f4"),
        color=RNG.integers(0, 255, (n, 3), np.uint8),
        source=np.zeros(n, "i4"),
        cell=RNG.integers(0, 9, (n, 2)).astype("u4"),
        sources=SourceViews(
            segment=np.arange(s, dtype="u4"),
            ordinal=np.arange(s, dtype="i8"),
            intrinsics=RNG.random((s, 4)),
            size=np.full((s, 2), 32, "i4"),
            camera_to_world=np.tile(np.eye(4), (s, 1, 1)),
            scale=np.ones(s),
            sky=np.zeros(s, bool),
        ),
        coverage=RNG.random((2, 4)).astype("f4"),
        content=content if latents else None,
    )


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if hasattr(a, "__dataclass_fields__") and type(a).__eq__ is object.__eq__:
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return a == b


def over_the_wire(value, kind, write, read, part_bytes):
    message, out = kind(), Outgoing(part_bytes)
    write(message, value, out)
    again = kind.FromString(message.SerializeToString())
    incoming = Incoming(again)
    for run in out.rest():
        incoming.extend(run)
    assert incoming.missing == 0
    return read(again, incoming)


@pytest.mark.parametrize("part_bytes", [1, 300, 1 << 20])
@pytest.mark.parametrize(
    "changes", [{}, {"rgb": None}, {"latents": None, "moving": None}, {"ordinal": None, "metadata": {}, "caption": ""}]
)
def test_a_frame_comes_back_in_one_part_or_many(part_bytes, changes):
    frame = a_frame(**changes)
    back = over_the_wire(frame, common_pb2.Frame, frame_to_message, frame_from_message, part_bytes)
    assert same(frame, back)
    assert {k: type(v) for k, v in back.metadata.items()} == {k: type(v) for k, v in frame.metadata.items()}


@pytest.mark.parametrize("part_bytes", [100, 1 << 20])
@pytest.mark.parametrize("mosaic", [a_mosaic(50), a_mosaic(50, latents=False), a_mosaic(0, 0)])
def test_a_mosaic_comes_back_in_one_part_or_many(mosaic, part_bytes):
    kind = memory_service_pb2.Mosaic
    assert same(mosaic, over_the_wire(mosaic, kind, mosaic_to_message, mosaic_from_message, part_bytes))


@pytest.mark.parametrize("n", [0, 40])
def test_stored_patches_come_back(n):
    stored = StoredPatches(
        ids=np.arange(n, dtype="u8"),
        center=RNG.random((n, 3)),
        radius=RNG.random(n).astype("f4"),
        normal=RNG.random((n, 3)).astype("f4"),
        ordinal=np.arange(n),
        color=np.zeros((n, 3), "u1"),
        sky=np.zeros(n, bool),
        latents=RNG.random((n, 192)).astype("f2"),
    )
    kind = memory_service_pb2.Patches
    assert same(stored, over_the_wire(stored, kind, stored_to_message, stored_from_message, 256))


def test_no_message_of_a_large_mosaic_comes_near_4_mib():
    message, out = memory_service_pb2.RetrieveResponse(), Outgoing()
    mosaic_to_message(message.mosaic, a_mosaic(30_000), out)
    sizes = [message.ByteSize(), *(len(run) for run in out.rest())]
    assert max(sizes) < (1 << 20) + 4096
    assert sum(sizes) > 10 << 20


def test_no_field_of_a_value_is_forgotten():
    for kind, message in (
        (Frame, common_pb2.Frame),
        (Mosaic, memory_service_pb2.Mosaic),
        (SourceViews, memory_service_pb2.SourceViews),
        (Content, memory_service_pb2.Content),
        (StoredPatches, memory_service_pb2.Patches),
    ):
        assert {f.name for f in fields(kind)} == {f.name for f in message.DESCRIPTOR.fields}, kind


def test_the_bytes_of_a_frame_are_those_of_its_arrays():
    assert frame_bytes(a_frame()) == 16 * 32 * (4 + 3 + 1) + 2 * 4 * 48 * 2


def broken(change) -> common_pb2.Frame:
    message = common_pb2.Frame()
    frame_to_message(message, a_frame(), Outgoing())
    change(message)
    return message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda m: m.ClearField("camera"), "camera"),
        (lambda m: m.ClearField("depth_m"), "depth_m"),
        (lambda m: (m.ClearField("rgb"), m.ClearField("latents")), "rgb"),
        (lambda m: setattr(m.camera, "fx", float("nan")), "camera.fx"),
        (lambda m: setattr(m.camera, "width", 33), "depth_m"),
        (lambda m: setattr(m, "time_s", float("inf")), "time_s"),
        (lambda m: m.metadata["empty"].SetInParent(), "metadata.empty"),
        (lambda m: m.depth_m.CopyFrom(m.moving), "depth_m"),
    ],
)
def test_a_frame_with_a_bad_field_is_refused_by_the_path_of_the_field(change, field):
    message = broken(change)
    with pytest.raises(InvalidInput, match=field.split(".")[-1]) as caught:
        frame_from_message(message, Incoming(message))
    assert caught.value.details["field"] == field


def test_a_mosaic_whose_columns_differ_in_length_is_refused():
    message = memory_service_pb2.Mosaic()
    mosaic_to_message(message, a_mosaic(5), Outgoing())
    message.uv.ClearField("shape")
    message.uv.shape.extend([2, 5])
    with pytest.raises(InvalidInput, match=r"uv must have shape \(5, 2\), got \(2, 5\)"):
        mosaic_from_message(message, Incoming(message))


def test_metadata_too_large_for_64_bits_is_refused_by_its_name():
    frame = a_frame(metadata={"count": 1 << 64})
    with pytest.raises(InvalidInput, match="count must fit 64 bits") as caught:
        frame_to_message(common_pb2.Frame(), frame, Outgoing())
    assert caught.value.details["field"] == "metadata.count"
