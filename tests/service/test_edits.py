"""Edits and history as the server sees them: bad requests, lost answers, long work, large answers."""

import asyncio
import threading

import grpc
import numpy as np
import pytest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from memstore import errors
from memstore.errors import Reason
from memstore.selection import Everything, PatchIds
from memstore.service.job import Progress, followed
from memstore.service.offload import Offload
from memstore.shape import HalfSpace
from memstore.transform import Transform
from memstore.v1 import edit_service_pb2, history_service_pb2
from memstore.v1.edit_service_pb2_grpc import EditServiceStub
from memstore.v1.history_service_pb2_grpc import HistoryServiceStub

EAST = HalfSpace((1.0, 0.0, 0.0), 3.9)
WEST = HalfSpace((-1.0, 0.0, 0.0), 3.9)


@pytest.fixture
def hall(client, walk):
    world = client.create_world("hall")
    with world.ingest() as ingest:
        for frame in walk(4):
            ingest.add(frame)
    return world


@pytest.fixture
def channel(house, client):
    with grpc.insecure_channel(house.address) as channel:
        yield channel


def fields_of(failure: grpc.RpcError) -> list[str]:
    bad = BadRequest()
    status = Status.FromString(dict(failure.trailing_metadata())["grpc-status-details-bin"])
    assert any(detail.Unpack(bad) for detail in status.details)
    return [violation.field for violation in bad.field_violations]


def refused(method, request) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT") as caught:
        answer = method(request)
        list(answer if hasattr(answer, "__next__") else [])
    return caught.value


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "operations"),
        ({"operations": [{}]}, "operations[0].operation"),
        ({"operations": [{"delete": {"selection": {"sphere": {}}}}]}, "operations[0].delete.selection.sphere.center"),
        ({"operations": [{"show": {"names": ["a"]}}], "request_id": "x" * 129}, "request_id"),
        ({"operations": [{"show": {"names": ["a"]}}], "max_affected": -1}, "max_affected"),
        ({"operations": [{"show": {}}] * 10_001}, "operations"),
        ({"validate_only": True, "camera": {"fx": 1}}, "camera.camera_to_world"),
    ],
)
def test_a_bad_edit_is_refused_by_its_field(hall, channel, request_, field):
    request = json_format.ParseDict({"world": "worlds/hall", **request_}, edit_service_pb2.ApplyEditsRequest())
    assert fields_of(refused(EditServiceStub(channel).ApplyEdits, request)) == [field]


def test_a_question_without_a_selection_or_camera_is_refused(hall, channel):
    edits, history = EditServiceStub(channel), HistoryServiceStub(channel)
    inspect = edit_service_pb2.InspectSelectionRequest(world="worlds/hall")
    assert fields_of(refused(edits.InspectSelection, inspect)) == ["selection"]
    assert fields_of(refused(edits.PickPatch, edit_service_pb2.PickPatchRequest(world="worlds/hall"))) == ["camera"]
    blame = history_service_pb2.BlamePatchRequest(world="worlds/hall")
    assert fields_of(refused(history.BlamePatch, blame)) == ["camera"]


def test_a_policy_that_is_none_is_refused(hall, channel):
    merge = history_service_pb2.MergeBranchRequest(world="worlds/hall", target="main", policy="best")
    assert fields_of(refused(HistoryServiceStub(channel).MergeBranch, merge)) == ["policy"]


def test_an_edit_script_is_carried_out_as_it_stands(hall, channel):
    script = {
        "world": "worlds/hall",
        "message": "make room",
        "operations": [
            {"name": {"selection": {"half_space": {"normal": {"x": 1}, "offset_m": 3.9}}, "name": "wall"}},
            {"relocate": {"selection": {"made": {}}, "transform": {"translation": {"z": 1}}, "pivot": "centroid"}},
        ],
    }
    request = json_format.ParseDict(script, edit_service_pb2.ApplyEditsRequest())
    (answer,) = EditServiceStub(channel).ApplyEdits(request)
    assert answer.report.commit == hall.head
    assert [operation.operation for operation in answer.report.operations] == ["name", "relocate"]
    assert "wall" in {layer.name for layer in hall.layers()}


def test_an_edit_whose_answer_was_lost_happens_once(hall, monkeypatch):
    from memstore.edit.session import EngineSession

    commit, lost = EngineSession.commit, []

    def losing(session):
        report = commit(session)
        if not lost:
            lost.append(report.commit)
            raise errors.Unavailable("the line broke")
        return report

    monkeypatch.setattr(EngineSession, "commit", losing)
    steps = len(hall.log())
    with hall.edit() as edit:
        edit.delete(EAST)
    assert [edit.report.commit] == lost == [hall.head]
    assert len(hall.log()) == steps + 1


def test_an_edit_asks_the_server_only_when_it_must(hall, monkeypatch):
    asked = []
    monkeypatch.setattr(type(hall._transport), "answer", lambda self, question, timeout_s: asked.append(question))
    with hall.edit() as edit:
        wall = edit.relocate(EAST, Transform.translate(0, 0, 1))
        edit.duplicate(wall, Transform.identity())
        with pytest.raises(errors.FailedPrecondition, match="is not known yet: on a server"):
            _ = wall.report
        edit.abort()
    assert asked == []


def test_a_selection_of_more_ids_than_a_message_holds_is_refused_before_it_is_sent(hall):
    many = PatchIds(np.arange(600_000, dtype=np.uint64))
    with pytest.raises(errors.ResourceLimit, match=r"the limit is 4,194,304") as caught:
        hall.select(many)
    assert caught.value.reason is Reason.MESSAGE_TOO_LARGE


def test_pictures_larger_than_a_message_come_whole(hall, walk):
    view = walk(4)[0].camera.resized(1600, 1200)
    assert hall.select(Everything(), camera=view).picture.shape == (1200, 1600, 3)
    with hall.edit() as edit:
        edit.delete(EAST)
        report = edit.preview(view)
        edit.abort()
    assert report.before.shape == report.after.shape == (1200, 1600, 3)
    assert report.before.any()


def test_pages_of_layers_are_of_one_commit(hall, channel):
    with hall.edit() as edit:
        edit.duplicate(EAST, *[Transform.translate(i, 0, 0) for i in range(1, 5)])
    stub, names = EditServiceStub(channel), []
    ask = edit_service_pb2.ListLayersRequest(world="worlds/hall", page_size=2)
    expected = [layer.layer_id for layer in hall.layers()]
    while True:
        page = stub.ListLayers(ask)
        names += [layer.layer_id for layer in page.layers]
        with hall.edit() as edit:
            edit.duplicate(WEST, Transform.translate(0, 0, 1))
        if not page.next_page_token:
            break
        ask.page_token = page.next_page_token
    assert names == expected


def test_a_flatten_that_loses_its_line_goes_on_under_its_request(house, hall, monkeypatch):
    from memstore.world import World

    tried = []

    def flatten(world, *, request_id, on_progress, **_):
        tried.append(request_id)
        on_progress(1, 2, "rows")
        if len(tried) == 1:
            raise errors.Unavailable("the line broke")
        on_progress(2, 2, "rows")
        return report

    with hall.edit() as edit:
        edit.delete(EAST)
    report, heard = edit.report, []
    monkeypatch.setattr(World, "flatten", flatten)
    made = hall.flatten(on_progress=lambda *news: heard.append(news))
    assert made.commit == report.commit
    assert len(tried) == 2
    assert len(set(tried)) == 1


class TestFollowed:
    @pytest.fixture
    def offload(self):
        offload = Offload(2, 2, 1.0)
        yield offload
        offload.close()

    async def test_progress_comes_before_the_result(self, offload):
        def work(on_progress):
            on_progress(1, 2, "a")
            on_progress(2, 2, "b")
            return "done"

        news = [one async for one in followed(offload, work, 5.0)]
        assert news[-1] == "done"
        assert all(isinstance(one, Progress) for one in news[:-1])

    async def test_quiet_work_gives_signs_of_life(self, offload):
        wake = threading.Event()
        news = followed(offload, lambda _: wake.wait(20), 0.01)
        assert [await anext(news) for _ in range(4)] == [Progress()] * 4
        wake.set()
        assert [one async for one in news][-1] is True

    async def test_an_error_of_the_work_is_raised(self, offload):
        def work(_):
            raise errors.Conflict("no")

        with pytest.raises(errors.Conflict, match="no"):
            _ = [one async for one in followed(offload, work, 5.0)]

    async def test_work_whose_caller_left_ends_at_its_next_step(self, offload):
        wake, ended = threading.Event(), asyncio.get_running_loop().create_future()

        def work(on_progress):
            wake.wait(20)
            try:
                on_progress(1, 2, "a")
            except errors.Unavailable as error:
                ended.get_loop().call_soon_threadsafe(ended.set_result, error)
                raise

        news = followed(offload, work, 0.01)
        await anext(news)
        await news.aclose()
        wake.set()
        assert "the caller of this work has left" in str(await asyncio.wait_for(ended, 20))
