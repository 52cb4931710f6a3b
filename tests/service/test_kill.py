"""A server in a process of its own, killed and started again under a caller."""

import pickle
import signal
import subprocess
import sys

import pytest

import memstore
import memstore_client
from memstore import errors

SERVE = """
import sys
from memstore.service import serve
serve(sys.argv[1], [sys.argv[2]], on_ready=lambda addresses: print(*addresses, flush=True))
"""


class Process:
    """`serve` in a process, on a Unix socket."""

    def __init__(self, root, path):
        self.address = f"unix:{path}/memstore.sock"
        command = [sys.executable, "-c", SERVE, str(root), self.address]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline().strip() == self.address

    def end(self, number):
        self._process.send_signal(number)
        self._process.stdout.close()
        return self._process.wait(30)


def test_a_server_killed_in_mid_ingest_is_not_noticed_once_it_is_back(tmp_path, walk):
    frames = walk(150)
    first = Process(tmp_path / "db", tmp_path)
    with memstore_client.connect(first.address) as client:
        world = client.create_world("hall")
        with world.ingest(message="one walk") as ingest:
            for i, frame in enumerate(frames):
                if i == 100:
                    assert first.end(signal.SIGKILL) == -signal.SIGKILL
                    acknowledged = ingest.acknowledged
                    second = Process(tmp_path / "db", tmp_path)
                ingest.add(frame)
        assert 64 <= acknowledged <= 100
        assert ingest.acknowledged == 150
        assert [frame.caption for frame in world.frames()] == [frame.caption for frame in frames]
        assert [step.frame_count for step in world.log()] == [150, 0]
    assert second.end(signal.SIGTERM) == 0


def test_a_signal_makes_durable_what_came_and_lets_the_next_writer_in(tmp_path, walk):
    server = Process(tmp_path / "db", tmp_path)
    options = memstore_client.TransportOptions(resume_s=0.5)
    client = memstore_client.connect(server.address, options=options)
    ingest = client.create_world("hall").ingest()
    for frame in walk(40):
        ingest.add(frame)
    assert server.end(signal.SIGTERM) == 0
    with pytest.raises(errors.Unavailable, match=r"server"):
        ingest.flush()
    assert ingest.acknowledged >= 24
    client.close()
    with memstore.open(tmp_path / "db") as database:
        assert database.world("hall").describe().frame_count >= ingest.acknowledged
        database.create_world("attic")


FORK = """
import os, sys, memstore_client
with memstore_client.connect(sys.argv[1]) as client:
    world = client.create_world("hall")
    child = os.fork()
    if not child:
        os._exit(0 if client.world("hall").describe() == world.describe() else 1)
    ended = os.waitpid(child, 0)
    sys.exit(0 if ended == (child, 0) and client.world("hall").name == "hall" else 1)
"""


def test_a_connection_goes_along_into_a_forked_process(tmp_path):
    server = Process(tmp_path / "db", tmp_path)
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK, server.address], check=True, timeout=60)
    assert server.end(signal.SIGTERM) == 0


def test_a_world_can_be_sent_to_another_process(house, client):
    world = client.create_world("hall")
    again = pickle.loads(pickle.dumps(world))
    assert again.describe() == world.describe()
    again._transport.close()
