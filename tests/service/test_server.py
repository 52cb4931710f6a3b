"""Who may call, where a server listens, and how it leaves."""

import shutil
import subprocess
import threading
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

import memstore_client
from memstore import errors
from memstore.errors import Reason
from memstore.service import BackgroundServer, Server, ServerOptions, TlsFiles
from memstore.service.serving import read_token


def test_a_server_with_a_token_lets_only_its_bearers_in(house, monkeypatch):
    monkeypatch.delenv("MEMSTORE_TOKEN", raising=False)
    house.serve(token="open sesame")
    with pytest.raises(errors.NotAllowed, match="asks for a token and the call bore none"):
        house.connect()
    with pytest.raises(errors.NotAllowed, match="asks for a token and the call bore another"):
        house.connect(token="open barley")
    assert house.connect(token="open sesame").worlds() == []
    monkeypatch.setenv("MEMSTORE_TOKEN", "open sesame")
    assert house.connect().worlds() == []


def test_health_needs_no_token(house):
    house.serve(token="open sesame")
    with grpc.insecure_channel(house.address) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_token_never_shows_in_a_repr(house):
    house.serve(token="open sesame")
    client = house.connect(token="open sesame")
    assert "sesame" not in repr(client)
    assert "sesame" not in repr(client._transport.target)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.168.1.5:7070", "memstore.example:7070"])
def test_an_address_open_to_others_needs_token_and_tls(house, listen):
    with pytest.raises(
        errors.InvalidInput, match="can be reached from other machines, and there is no token and no tls"
    ):
        Server(house.database, [listen])
    with pytest.raises(errors.InvalidInput, match="there is no tls"):
        Server(house.database, [listen], token="t")
    Server(house.database, [listen], insecure=True)


@pytest.mark.parametrize("listen", ["", "7070", "localhost", "localhost:x", "localhost:70000", "unix:", "http://a:1"])
def test_an_address_of_another_form_is_refused(house, listen):
    with pytest.raises(errors.InvalidInput, match="an address must be host:port"):
        Server(house.database, [listen])
    with pytest.raises(errors.InvalidInput, match="an address must be host:port"):
        memstore_client.connect(listen)


def test_a_taken_port_is_refused(house):
    with BackgroundServer(house.database) as first:
        with pytest.raises(errors.FailedPrecondition, match=r"cannot listen on 127\.0\.0\.1:"):
            BackgroundServer(house.database, [first.address]).__enter__()
        with memstore_client.connect(first.address) as client:
            assert client.worlds() == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_tls_hides_the_calls_and_names_the_server(house, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=memstore.test"),
            *("-addext", "subjectAltName=DNS:memstore.test"),
        ],
        check=True,
        capture_output=True,
    )
    with BackgroundServer(house.database, tls=TlsFiles(certificate, key)) as server:
        trust = memstore_client.Tls(certificate, "memstore.test")
        with memstore_client.connect(server.address, tls=trust) as client:
            assert client.create_world("hall").name == "hall"
        with pytest.raises(errors.Unavailable, match="no memstore server answers"):
            memstore_client.connect(server.address, timeout_s=5)


def test_a_token_file_is_read_or_says_why_not(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMSTORE_TOKEN", "from the environment")
    assert read_token(None) == "from the environment"
    (tmp_path / "token").write_text("from the file\n")
    assert read_token(tmp_path / "token") == "from the file"
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(errors.InvalidInput, match="is empty"):
        read_token(tmp_path / "empty")
    with pytest.raises(errors.InvalidInput, match="cannot be read"):
        read_token(tmp_path / "none")


def test_a_server_that_leaves_lets_calls_end_and_turns_new_ones_away(house, client, walk):
    world = client.create_world("hall")
    frames = walk(30, 160, 120)
    with world.ingest() as ingest:
        for frame in frames:
            ingest.add(frame)
    reading = world.frames()
    first = next(reading)
    stopping = threading.Thread(target=house.server.stop)
    health = health_pb2_grpc.HealthStub(grpc.insecure_channel(house.address))
    stopping.start()
    while health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING:
        time.sleep(0.01)
    with pytest.raises(errors.Unavailable, match="the server is shutting down") as caught:
        client.worlds()
    assert caught.value.reason is Reason.DRAINING
    assert caught.value.details["retry_after_s"] == 0.05
    assert [first.ordinal, *(frame.ordinal for frame in reading)] == list(range(30))
    stopping.join()


def test_a_server_that_leaves_in_a_hurry_waits_for_nobody(house, client, walk):
    world = client.create_world("hall")
    ingest = world.ingest()
    ingest.add(walk(1)[0])
    watch = world.watch()
    threading.Timer(0.3, lambda: house.server.stop(now=True)).start()
    options = memstore_client.TransportOptions(resume_s=0.1)
    with pytest.raises(errors.Unavailable, match=r"server"):
        list(memstore_client.connect(house.address, options=options).world("hall").watch())
    watch.close()


def test_an_ingest_goes_on_at_the_next_server(house, client, walk):
    world, frames = client.create_world("hall"), walk(12)
    with world.ingest(message="one walk") as ingest:
        for i, frame in enumerate(frames):
            if i in (3, 7):
                house.server.stop()
                house.serve()
            ingest.add(frame)
    assert (ingest.acknowledged, ingest.first_ordinal) == (12, 0)
    assert [frame.caption for frame in world.frames()] == [frame.caption for frame in frames]
    assert [step.message for step in world.log()] == ["one walk", ""]


def test_frames_are_read_on_at_the_next_server(house, client, walk):
    world = client.create_world("hall")
    with world.ingest() as ingest:
        for frame in walk(40, 320, 240):
            ingest.add(frame)
    ordinals = []
    for frame in world.frames():
        ordinals.append(frame.ordinal)
        if frame.ordinal == 2:
            house.server.stop(now=True)
            house.serve()
    assert ordinals == list(range(40))


def test_a_watch_goes_on_at_the_next_server_and_tells_what_it_missed(house, client, walk):
    world = client.create_world("hall")
    before, told = world.head, []
    watching = threading.Thread(target=lambda: told.append(next(world.watch(timeout_s=20))))
    watching.start()
    time.sleep(0.3)
    house.server.stop()
    with house.database.world("hall").ingest() as ingest:
        ingest.add(walk(1)[0])
    house.serve()
    watching.join()
    assert [(moved.previous, moved.head) for moved in told] == [(before, world.head)]


def test_a_caller_that_vanishes_leaves_what_was_acknowledged_and_no_lock(house, client, walk):
    world, frames = client.create_world("hall"), walk(6)
    ingest = world.ingest(request_id="walk-1")
    for frame in frames[:3]:
        ingest.add(frame)
    assert ingest.flush() == 3
    ingest.add(frames[3])
    ingest._call.cancel()
    other = house.connect().world("hall")
    with other.ingest(request_id="walk-1") as again:
        assert again.resume_from == 3
        for frame in frames[3:]:
            again.add(frame)
    assert [frame.caption for frame in world.frames()] == [frame.caption for frame in frames]
    assert other.describe().frame_count == 6


def test_a_stream_that_comes_back_puts_the_old_one_out(house, client, walk):
    world, frames = client.create_world("hall"), walk(3)
    old = world.ingest(request_id="walk-1")
    old.add(frames[0])
    with house.connect().world("hall").ingest(request_id="walk-1") as new:
        for frame in frames[new.resume_from :]:
            new.add(frame)
        with pytest.raises(errors.Conflict, match="another stream has taken over"):
            old.flush()
    assert [frame.caption for frame in world.frames()] == [frame.caption for frame in frames]


def test_more_callers_may_watch_than_there_are_threads(house, walk):
    house.serve(ServerOptions(threads=1, watch_interval_s=0.01))
    world = house.connect().create_world("hall")
    told = []
    threads = [threading.Thread(target=lambda: told.append(next(world.watch(timeout_s=20)).head)) for _ in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    with world.ingest() as ingest:
        ingest.add(walk(1)[0])
    for thread in threads:
        thread.join()
    assert told == [world.head] * 12
