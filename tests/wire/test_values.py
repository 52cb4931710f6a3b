import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore.camera import Camera, look_at
from memstore.errors import InvalidInput
from memstore.latent import LatentSpec
from memstore.query import Query
from memstore.summary import Bounds, CommitSummary, DatabaseSummary, HeadMoved, WorldSummary
from memstore.transform import Transform
from memstore.v1 import common_pb2 as pb
from memstore.v1 import history_service_pb2 as history_pb
from memstore.wire import summary as summaries
from memstore.wire import values
from memstore.wire.names import WorldName


def over_the_wire(message):
    return type(message).FromString(message.SerializeToString())


def test_a_camera_comes_back_bit_for_bit():
    camera = Camera.from_fov(640, 360, 1.234567, look_at((1 / 3, 2, 0.1), (0, 0.7, 0)))
    assert values.camera_from_message(over_the_wire(values.camera_to_message(camera))) == camera


@settings(deadline=None)
@given(
    axis=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3),
    angle=st.floats(-7, 7) | st.sampled_from([math.pi, -math.pi, 0.0]),
    scale=st.floats(1e-3, 1e3),
)
def test_a_transform_comes_back_within_rounding(axis, angle, scale):
    transform = Transform.translate(1, -2, 3e5) @ Transform.rotate(axis, angle) @ Transform.scaling(scale)
    back = values.transform_from_message(over_the_wire(values.transform_to_message(transform)))
    assert np.abs(back.rotation - transform.rotation).max() < 1e-14
    assert np.array_equal(back.translation, transform.translation)
    assert back.scale == transform.scale


def test_a_quarter_turn_about_z_is_the_quaternion_that_everybody_writes():
    message = values.transform_to_message(Transform.rotate_z(90, degrees=True))
    q = message.rotation
    assert np.allclose([q.w, q.x, q.y, q.z], [math.sqrt(0.5), 0, 0, math.sqrt(0.5)], atol=1e-15)


def test_a_quaternion_of_another_length_is_refused():
    message = values.transform_to_message(Transform.identity())
    message.rotation.w = 2.0
    with pytest.raises(InvalidInput, match="rotation must be a quaternion of length 1, got 2"):
        values.transform_from_message(message)


def test_what_a_transform_leaves_out_changes_nothing():
    assert values.transform_from_message(pb.Transform()) == Transform.identity()
    moved = pb.Transform(translation=pb.Vector3(z=2))
    assert values.transform_from_message(moved) == Transform.translate(0, 0, 2)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_transform_of_no_good_scale_is_refused(scale):
    with pytest.raises(InvalidInput, match="scale must be positive and finite"):
        values.transform_from_message(pb.Transform(scale=scale))


@pytest.mark.parametrize("spec", [LatentSpec.pixel(), LatentSpec.wan22(), LatentSpec.pixel(4, "float32")])
def test_a_latent_spec_comes_back(spec):
    assert values.spec_from_message(over_the_wire(values.spec_to_message(spec))) == spec


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(latents=False, budget=7, as_of=0, before=3, far_m=12.5, min_facing=-1),
        *[Query(ranking=ranking) for ranking in ("newest", "closest", "sharpest", "frames")],
        Query(ranking="frames", frames_by="pose", max_frames=2, per_token=64),
    ],
)
def test_a_query_comes_back(query):
    assert values.query_from_message(over_the_wire(values.query_to_message(query))) == query


def test_an_empty_query_is_the_default_one():
    assert values.query_from_message(pb.Query()) == Query()


def test_a_ranking_from_the_future_is_refused():
    message = pb.Query()
    message.ranking = 77  # pyright: ignore
    with pytest.raises(InvalidInput, match="ranking 77 is unknown to this server, which knows newest"):
        values.query_from_message(message)


def test_a_number_beyond_64_bits_is_refused_by_its_name():
    with pytest.raises(InvalidInput, match="budget must fit 64 bits"):
        values.query_to_message(Query(budget=1 << 70))


def test_no_field_of_a_query_is_forgotten():
    assert {f.name for f in pb.Query.DESCRIPTOR.fields} == set(Query.__dataclass_fields__)
    assert {f.name for f in pb.LatentSpec.DESCRIPTOR.fields} == set(LatentSpec.__dataclass_fields__)
    assert {f.name for f in pb.Camera.DESCRIPTOR.fields} == set(Camera.__dataclass_fields__)
    assert {f.name for f in history_pb.Commit.DESCRIPTOR.fields} == set(CommitSummary.__dataclass_fields__)


def test_a_camera_among_several_is_named_by_its_place():
    good = values.camera_to_message(Camera.from_fov(64, 48, 1.0))
    bad = values.camera_to_message(Camera.from_fov(64, 48, 1.0))
    bad.fx = -1
    with pytest.raises(InvalidInput, match="fx must be finite and positive") as caught:
        values.cameras_from_messages([good, bad])
    assert caught.value.details["field"] == "cameras[1].fx"
    with pytest.raises(InvalidInput, match="cameras is empty"):
        values.cameras_from_messages([])


def test_a_camera_without_its_matrix_is_refused():
    with pytest.raises(InvalidInput, match="camera_to_world must have 12 numbers"):
        values.camera_from_message(pb.Camera(fx=1, fy=1, width=8, height=8))


def test_bounds_come_back():
    bounds = Bounds((-1.0, 0.1, 2.0), (1.0, 5.0, math.pi))
    assert values.bounds_from_message(over_the_wire(values.bounds_to_message(bounds))) == bounds


@pytest.mark.parametrize("deleted_s", [None, 12.5])
def test_a_world_summary_comes_back(deleted_s):
    world = WorldSummary("hall", "id", LatentSpec.pixel(), "+y", "main", "c0", 3, 1 << 40, 2, 1.5, deleted_s)
    assert summaries.world_from_message(over_the_wire(summaries.world_to_message(world))) == world


def test_commit_database_and_head_summaries_come_back():
    commit = CommitSummary("c2", ("c0", "c1"), "undo", "why", "who", 7.25, "r", 64, "s2", "s1")
    database = DatabaseSummary("/d", "id", 1, 2, 3, 1 << 50, 1 << 51)
    moved = HeadMoved("hall", "main", "c2", "c1")
    assert summaries.commit_from_message(over_the_wire(summaries.commit_to_message(commit))) == commit
    assert summaries.database_from_message(over_the_wire(summaries.database_to_message(database))) == database
    assert summaries.moved_from_message(over_the_wire(summaries.moved_to_message(moved))) == moved


@pytest.mark.parametrize("world", ["hall", "a/b", "50% off", "", "ü"])
def test_a_name_is_read_back_even_if_no_world_can_have_it(world):
    if not world:
        with pytest.raises(InvalidInput, match="name must be worlds/"):
            WorldName.parse(str(WorldName(world)))
        return
    assert WorldName.parse(str(WorldName(world, "night"))) == WorldName(world, "night")


def test_a_name_of_another_form_is_refused():
    for text in ("hall", "worlds/", "worlds/a/branches/", "worlds/a/tags/b"):
        with pytest.raises(InvalidInput, match="world must be worlds/"):
            WorldName.parse(text, "world")
