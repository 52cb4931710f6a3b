import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import memstore_client
from memstore import errors
from memstore.errors import Reason
from memstore_client.database import require_same_protocol
from memstore_client.options import TransportOptions
from memstore_client.requests import ServerInfo
from memstore_client.rpc import RPCS, service_config

CLIENT = Path(memstore_client.__file__).parent
HEAVY = ("lancedb", "lance", "zarr", "torch", "numba", "scipy", "pyarrow")


def test_the_door_loads_nothing_heavy():
    code = f"import sys, memstore_client, memstore_client.aio; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_name_of_the_door_is_there_and_sorted():
    names = memstore_client.__all__
    assert names == sorted(names)
    assert all(hasattr(memstore_client, name) for name in names)


def test_no_method_of_the_service_is_missing_in_the_client():
    used = {
        node.slice.value
        for path in CLIENT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "RPCS"
    }
    assert used == set(RPCS)


def test_both_clients_have_the_same_verbs():
    from memstore_client import aio

    def verbs(kind):
        return {name for name in dir(kind) if not name.startswith("_")}

    for name in ("RemoteDatabase", "RemoteWorld", "RemoteIngest"):
        assert verbs(getattr(memstore_client, name)) == verbs(getattr(aio, name))


def test_only_what_may_be_repeated_is_and_only_when_the_server_is_away():
    (config,) = json.loads(service_config(TransportOptions(attempts=4)))["methodConfig"]
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert config["retryPolicy"]["maxAttempts"] == 4
    repeated = {name["method"] for name in config["name"]}
    assert set(RPCS) - repeated == {"DeleteWorld", "UndeleteWorld", "IngestFrames"}


def test_nobody_at_the_address_is_said_within_the_timeout(tmp_path):
    with pytest.raises(errors.Unavailable, match=r"no memstore server answers at unix:.*start one there with"):
        memstore_client.connect(f"unix:{tmp_path}/none.sock", timeout_s=5)


@pytest.mark.parametrize(("version", "upgrade"), [(0, "server"), (2, "client")])
def test_another_protocol_is_not_called_a_failure_to_connect(version, upgrade):
    server = ServerInfo("9.9", version, 1, (), 1, 1, 1.0)
    with pytest.raises(errors.FailedPrecondition, match=f"speaks protocol {version}, .*upgrade the {upgrade}"):
        require_same_protocol(server, "localhost:7070")


def test_a_closed_connection_says_so(tmp_path):
    from memstore_client.target import Target
    from memstore_client.transport import Transport

    transport = Transport(Target.of("localhost:1", None, None, None))
    transport.close()
    with pytest.raises(errors.FailedPrecondition, match="was closed; connect again") as caught:
        _ = transport.channel
    assert caught.value.reason is Reason.CLOSED


def test_tls_is_on_for_other_machines_and_off_at_home():
    from memstore_client.target import Target

    assert Target.of("127.0.0.1:7070", None, None, None).tls is None
    assert Target.of("unix:/run/memstore.sock", None, None, None).tls is None
    assert Target.of("places.example:7070", None, None, None).tls is not None
    assert Target.of("places.example:7070", None, False, None).tls is None
