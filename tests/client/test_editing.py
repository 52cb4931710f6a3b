"""Edits as the clients gather them, without a server."""

import asyncio

import pytest

from memstore import errors
from memstore.latent import LatentSpec
from memstore.summary import WorldSummary
from memstore.v1 import edited_pb2, history_service_pb2
from memstore_client import RemoteWorld, aio
from memstore_client.aio.transport import Transport as AsyncTransport
from memstore_client.answering import Answer, Flattening, Limits
from memstore_client.requests import ServerInfo
from memstore_client.rpc import RPCS
from memstore_client.target import Target
from memstore_client.transport import Transport

SERVER = ServerInfo("1", 1, 1, (), 4 << 20, 1 << 28, 5.0)
LIMITS = Limits(1000, 1 << 20)


def world(kind, transport, name, port):
    summary = WorldSummary(name, "id", LatentSpec.pixel(), "+z", "main", "c0", 0, 0, 0, 0.0)
    return kind(transport(Target.of(f"localhost:{port}", None, None, None)), SERVER, summary)


def test_a_world_of_another_server_is_not_taken_for_one_of_its_name_here():
    here, there = world(RemoteWorld, Transport, "hall", 1), world(RemoteWorld, Transport, "garden", 2)
    with pytest.raises(errors.InvalidInput, match=r"'garden' is in another database \(localhost:2\)"):
        here.stitch(there)


def test_a_world_of_another_server_is_not_taken_for_one_of_its_name_here_by_async_code():
    here, there = (world(aio.RemoteWorld, AsyncTransport, *which) for which in (("hall", 1), ("garden", 2)))
    with pytest.raises(errors.InvalidInput, match="is in another database"):
        asyncio.run(here.stitch(there))


def answer(request):
    return Answer(RPCS["DiffCommits"], request, lambda message, arrays: message.after, LIMITS, 1.0)


def test_an_answer_that_breaks_off_is_asked_for_again_from_its_beginning():
    asked = answer(history_service_pb2.DiffCommitsRequest(world="worlds/hall"))
    picture = {"element_type": 2, "shape": [2, 1, 3]}
    head = history_service_pb2.DiffCommitsResponse(diff={"after": "c1", "picture_after": picture})
    assert not asked.begun
    assert asked.feed(head) == ()
    assert asked.begun
    assert asked.request().world == "worlds/hall"
    assert asked.feed(head) == ()
    assert asked.feed(history_service_pb2.DiffCommitsResponse(rest=b"123456")) == ("c1",)
    asked.end()


def test_an_answer_that_ends_early_is_a_bug_of_the_server():
    asked = answer(history_service_pb2.DiffCommitsRequest())
    with pytest.raises(errors.Internal, match="ended DiffCommits without an answer"):
        asked.end()


def test_a_question_that_fits_no_message_is_not_sent():
    with pytest.raises(errors.ResourceLimit, match="this DiffCommitsRequest has"):
        answer(history_service_pb2.DiffCommitsRequest(before="x" * 2000))


def test_news_of_a_flattening_is_handed_on_until_its_report_comes():
    heard = []
    asked = Flattening(history_service_pb2.FlattenBranchRequest(), lambda *news: heard.append(news))
    quiet = history_service_pb2.Progress()
    assert asked.feed(history_service_pb2.FlattenBranchResponse(progress=quiet)) == ()
    busy = history_service_pb2.Progress(done=1, total=4, stage="rows")
    assert asked.feed(history_service_pb2.FlattenBranchResponse(progress=busy)) == ()
    with pytest.raises(errors.Internal, match="ended a flattening without its report"):
        asked.end()
    done = history_service_pb2.FlattenBranchResponse(report=edited_pb2.EditReport(commit="c1"))
    (report,) = asked.feed(done)
    assert (report.commit, heard) == ("c1", [(1, 4, "rows")])
    asked.end()
