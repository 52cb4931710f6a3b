"""What the server does with calls, good and bad, seen from plain gRPC."""

import threading
import time

import grpc
import numpy as np
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from memstore import errors
from memstore.errors import Reason
from memstore.service import ServerOptions
from memstore.v1 import common_pb2, memory_service_pb2, world_service_pb2
from memstore.v1.memory_service_pb2_grpc import MemoryServiceStub
from memstore.v1.world_service_pb2_grpc import WorldServiceStub
from memstore.wire.values import camera_to_message


@pytest.fixture
def channel(house, client):
    with grpc.insecure_channel(house.address) as channel:
        yield channel


def status_of(failure: grpc.RpcError) -> Status:
    return Status.FromString(dict(failure.trailing_metadata())["grpc-status-details-bin"])


def fields_of(failure: grpc.RpcError) -> list[str]:
    bad = BadRequest()
    assert any(detail.Unpack(bad) for detail in status_of(failure).details)
    return [violation.field for violation in bad.field_violations]


def refused(method, request) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT") as caught:
        answer = method(request)
        list(answer if hasattr(answer, "__next__") else [])
    return caught.value


def test_nonsense_bytes_are_refused_as_a_bad_request(channel):
    failure = refused(channel.unary_unary("/memstore.v1.WorldService/GetWorld"), b"\xff\xff\xff")
    assert "GetWorld cannot be read" in failure.details()
    assert fields_of(failure) == ["request"]


def test_nonsense_bytes_in_a_stream_are_refused_as_a_bad_request(channel):
    method = channel.stream_stream("/memstore.v1.MemoryService/IngestFrames")
    assert fields_of(refused(method, iter([b"\xff\xff\xff"]))) == ["request"]


def test_a_bad_name_is_refused_by_its_field(channel):
    failure = refused(WorldServiceStub(channel).GetWorld, world_service_pb2.GetWorldRequest(name="hall"))
    assert fields_of(failure) == ["name"]
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in status_of(failure).details)
    assert (info.domain, info.reason) == ("memstore", "INVALID_NAME")


def test_a_retrieve_without_cameras_or_with_a_bad_one_is_refused_by_its_field(channel, client, walk):
    client.create_world("hall")
    stub, camera = MemoryServiceStub(channel), camera_to_message(walk(1)[0].camera)
    bad = common_pb2.Camera(fx=1, fy=1)
    ask = memory_service_pb2.RetrieveRequest
    assert fields_of(refused(stub.Retrieve, ask(world="worlds/hall"))) == ["cameras"]
    assert fields_of(refused(stub.Retrieve, ask(world="worlds/hall", cameras=[camera, bad]))) == [
        "cameras[1].camera_to_world"
    ]
    query = common_pb2.Query(per_token=1000)
    assert fields_of(refused(stub.Retrieve, ask(world="worlds/hall", cameras=[camera], query=query))) == [
        "query.per_token"
    ]


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([{}], "start"),
        ([{"flush": {}}], "start"),
        ([{"start": {"world": "hall"}}], "start.world"),
        ([{"start": {"world": "worlds/hall"}}, {"start": {"world": "worlds/hall"}}], "start"),
        ([{"start": {"world": "worlds/hall"}}, {"rest": b"x"}], "rest"),
        ([{"start": {"world": "worlds/hall"}}, {}], "step"),
        ([{"start": {"world": "worlds/hall"}}, {"frame": {}}], "frame.camera"),
        ([{"start": {"world": "worlds/hall", "request_id": "x" * 129}}], "request_id"),
    ],
)
def test_an_ingest_out_of_step_is_refused_by_the_field(channel, client, steps, field):
    client.create_world("hall")
    requests = [memory_service_pb2.IngestFramesRequest(**step) for step in steps]
    assert fields_of(refused(MemoryServiceStub(channel).IngestFrames, iter(requests))) == [field]


def test_a_frame_that_claims_too_much_is_refused_before_its_bytes_come(channel, client):
    client.create_world("hall")
    large = common_pb2.Array(element_type=common_pb2.ELEMENT_TYPE_FLOAT32, shape=[1 << 20, 1 << 20])
    steps = [{"start": {"world": "worlds/hall"}}, {"frame": {"depth_m": large}}]
    requests = [memory_service_pb2.IngestFramesRequest(**step) for step in steps]
    with pytest.raises(grpc.RpcError, match="RESOURCE_EXHAUSTED"):
        list(MemoryServiceStub(channel).IngestFrames(iter(requests)))


def test_a_long_step_of_an_ingest_gives_signs_of_life(client, walk, monkeypatch):
    from memstore.ingest import Ingest

    flush = Ingest.flush

    def slow(ingest):
        time.sleep(1.0)
        return flush(ingest)

    monkeypatch.setattr(Ingest, "flush", slow)
    world = client.create_world("hall")
    with world.ingest(timeout_s=0.5) as ingest:  # the house's server gives a sign every 0.1 s
        ingest.add(walk(1)[0])
        assert ingest.flush() == 1
    assert world.describe().frame_count == 1


def test_a_token_of_another_list_is_refused(channel):
    stub = WorldServiceStub(channel)
    for token in ("nonsense", "W10=", "WyJhIiwgMV0="):
        failure = refused(stub.ListWorlds, world_service_pb2.ListWorldsRequest(page_token=token))
        assert fields_of(failure) == ["page_token"]


def test_pages_follow_each_other_without_gap_while_the_list_changes(channel, client):
    for name in ("a", "b", "c", "d"):
        client.create_world(name)
    stub = WorldServiceStub(channel)
    first = stub.ListWorlds(world_service_pb2.ListWorldsRequest(page_size=2))
    client.delete_world("a")
    client.create_world("e")
    ask = world_service_pb2.ListWorldsRequest(page_size=2, page_token=first.next_page_token)
    second = stub.ListWorlds(ask)
    ask.page_token = second.next_page_token
    third = stub.ListWorlds(ask)
    names = [[world.name.removeprefix("worlds/") for world in page.worlds] for page in (first, second, third)]
    assert names == [["a", "b"], ["c", "d"], ["e"]]
    assert third.next_page_token == ""


def test_a_watch_sends_heartbeats_and_a_token_that_goes_on_without_a_gap(channel, client, walk):
    world = client.create_world("hall")
    stub = WorldServiceStub(channel)
    watch = stub.WatchHead(world_service_pb2.WatchHeadRequest(name="worlds/hall"))
    beats = [next(watch) for _ in range(3)]
    watch.cancel()
    assert all(beat.HasField("heartbeat") and beat.resume_token == world.head for beat in beats)
    assert beats[0].heartbeat.next_within_s == pytest.approx(0.1)
    before = world.head
    with world.ingest() as ingest:
        ingest.add(walk(1)[0])
    again = stub.WatchHead(world_service_pb2.WatchHeadRequest(name="worlds/hall", resume_token=beats[-1].resume_token))
    moved = next(message.moved for message in again if message.HasField("moved"))
    again.cancel()
    assert (moved.previous, moved.head, moved.branch) == (before, world.head, "worlds/hall/branches/main")


def test_health_and_reflection_speak_of_every_service(channel):
    health = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    listed = {service.name for service in next(reflection(iter([ask]))).list_services_response.service}
    ours = {f"memstore.v1.{name}Service" for name in ("World", "Memory", "Edit", "History", "System")}
    assert listed == ours | {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    for name in ("", *ours):
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == serving


def test_a_branch_that_is_not_there_is_not_found(channel, client):
    client.create_world("hall")
    ask = world_service_pb2.GetWorldRequest(name="worlds/hall/branches/night")
    with pytest.raises(grpc.RpcError, match="there is no branch 'night'"):
        WorldServiceStub(channel).GetWorld(ask)


class Sleepy:
    """Stands between the server and an engine's world: each retrieve waits to be woken."""

    def __init__(self, monkeypatch):
        self.asleep = threading.Semaphore(0)
        self.wake = threading.Event()
        monkeypatch.setattr("memstore.world.World.retrieve", self._retrieve)

    def _retrieve(self, *_):
        self.asleep.release()
        self.wake.wait(20)
        raise ZeroDivisionError("a bug")


def test_a_deadline_ends_the_call_and_other_calls_go_on(client, walk, monkeypatch):
    world = client.create_world("hall")
    sleepy = Sleepy(monkeypatch)
    with pytest.raises(errors.DeadlineExceeded, match=r"Retrieve at .* did not answer within 0\.2 s"):
        world.retrieve(walk(1)[0].camera, timeout_s=0.2)
    assert sleepy.asleep.acquire(timeout=5)
    assert client.world("hall").name == "hall"
    sleepy.wake.set()


def test_a_bug_is_reported_without_its_insides(client, walk, monkeypatch, caplog):
    world = client.create_world("hall")
    Sleepy(monkeypatch).wake.set()
    with pytest.raises(errors.Internal, match="failed on the server with ZeroDivisionError") as caught:
        world.retrieve(walk(1)[0].camera)
    assert "a bug" not in caught.value.message.replace("This is a bug", "")
    assert caught.value.details["error"] in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


def test_too_much_waiting_work_is_turned_away_with_a_time_to_come_back(house, walk, monkeypatch):
    house.serve(ServerOptions(threads=1, max_waiting=0, retry_after_s=0.25))
    world = house.connect().create_world("hall")
    sleepy, camera = Sleepy(monkeypatch), walk(1)[0].camera

    def fail():
        with pytest.raises(errors.Internal, match="ZeroDivisionError"):
            world.retrieve(camera)

    busy = threading.Thread(target=fail)
    busy.start()
    assert sleepy.asleep.acquire(timeout=5)
    with pytest.raises(errors.ResourceLimit, match="the server takes no more than 1") as caught:
        world.bounds()
    assert caught.value.details["retry_after_s"] == 0.25
    sleepy.wake.set()
    busy.join()


def test_a_reader_that_stops_reading_stops_the_server_too(client, walk, monkeypatch):
    world = client.create_world("hall")
    frame = walk(1, 320, 240)[0]
    produced = []

    def endless(*_, **__):
        while True:
            produced.append(1)
            yield frame

    monkeypatch.setattr("memstore.world.World.frames", endless)
    frames = world.frames()
    next(frames)
    count = 0
    while count < len(produced):
        count = len(produced)
        time.sleep(0.3)
    one = frame.rgb.nbytes + frame.depth_m.nbytes
    assert count * one < 64 << 20
    frames.close()


def test_ids_that_fit_no_message_are_refused_before_they_are_sent(client):
    world = client.create_world("hall")
    with pytest.raises(
        errors.ResourceLimit, match=r"this list of ids has 8,000,\d+ bytes and the limit is 4,194,304"
    ) as caught:
        world.patches(np.zeros(1_000_000, np.uint64))
    assert caught.value.reason is Reason.MESSAGE_TOO_LARGE


def test_a_frame_larger_than_the_server_takes_is_refused_before_it_is_sent(house, walk):
    house.serve(ServerOptions(max_frame_bytes=1000))
    world = house.connect().create_world("hall")
    with world.ingest() as ingest, pytest.raises(errors.ResourceLimit, match="the limit is 1,000; send smaller frames"):
        ingest.add(walk(1)[0])
