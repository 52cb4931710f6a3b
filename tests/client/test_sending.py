"""The state of an ingest against a model of a server that breaks at any moment."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memstore import Camera, Frame, LatentSpec, errors
from memstore.v1 import memory_service_pb2 as pb
from memstore_client.sending import IngestSession

CREDIT = 3


@dataclass
class Server:
    """Takes frames, makes every fourth durable, forgets the others when it breaks."""

    durable: list = field(default_factory=list)
    waiting: list = field(default_factory=list)

    def answer(self, request):
        step = request.WhichOneof("step")
        if step == "start":
            self.waiting = []
            return self.state(pb.IngestFramesResponse.CAUSE_STARTED)
        if step == "frame":
            self.waiting.append(request.frame.caption)
            if len(self.waiting) == 4:
                self.settle()
            return self.state(pb.IngestFramesResponse.CAUSE_TAKEN)
        self.settle()
        flush = step == "flush"
        return self.state(pb.IngestFramesResponse.CAUSE_FLUSHED if flush else pb.IngestFramesResponse.CAUSE_ENDED)

    def settle(self):
        self.durable += self.waiting
        self.waiting = []

    def state(self, cause):
        received = len(self.durable) + len(self.waiting)
        return pb.IngestFramesResponse(
            cause=cause, acknowledged=len(self.durable), received=received, credit=CREDIT, first_ordinal=0
        )


class Line:
    """Carries requests to the server and answers back, until it breaks as planned."""

    def __init__(self, session, server, breaks):
        self.session, self.server, self.breaks = session, server, breaks
        self.requests, self.on_the_way = [], 0

    def settle(self):
        while True:
            for request in self.session.messages():
                self.requests.append(request)
                self.on_the_way += request.WhichOneof("step") == "frame"
                assert self.on_the_way <= CREDIT
            if self.session.settled:
                return
            if self.breaks and self.breaks.pop():
                reached = self.breaks.pop() if self.breaks else False
                if reached and self.requests:
                    self.server.answer(self.requests.pop(0))
                self.requests, self.on_the_way = [], 0
                self.session.interrupted()
                continue
            request = self.requests.pop(0)
            self.on_the_way -= request.WhichOneof("step") == "frame"
            self.session.receive(self.server.answer(request))


def a_session(**limits) -> IngestSession:
    settings = {"frame_limit_bytes": 1 << 20, "part_bytes": 1 << 20, "resend_bytes": 1 << 20, **limits}
    return IngestSession(pb.IngestFramesRequest.Start(world="worlds/hall"), LatentSpec.pixel(), **settings)


def a_frame(number: int, size: int = 8) -> Frame:
    import numpy as np

    camera = Camera.from_fov(size, size, 1.0)
    return Frame(camera, np.ones((size, size), "f4"), np.zeros((size, size, 3), "u1"), caption=str(number))


@settings(deadline=None, max_examples=200)
@given(
    count=st.integers(0, 20),
    flush_after=st.sets(st.integers(0, 20)),
    breaks=st.lists(st.booleans(), max_size=60),
    resend_frames=st.sampled_from([2, 7, 100]),
)
def test_every_frame_is_taken_once_and_in_order_whatever_breaks(count, flush_after, breaks, resend_frames):
    size = 8 * 8 * 7
    session, server = a_session(resend_bytes=resend_frames * size), Server()
    line = Line(session, server, breaks)
    line.settle()
    for number in range(count):
        session.add(a_frame(number))
        line.settle()
        if number in flush_after:
            session.ask("flush")
            line.settle()
            assert session.acknowledged == number + 1
    session.ask("finish")
    line.settle()
    assert session.ended
    assert server.durable == [str(number) for number in range(count)]
    assert session.acknowledged == count


def test_a_request_that_goes_on_counts_only_its_own_frames():
    server = Server(durable=["0", "1"])
    session = a_session()
    line = Line(session, server, [])
    line.settle()
    assert session.resume_from == 2
    session.add(a_frame(2))
    session.ask("flush")
    line.settle()
    assert (session.acknowledged, server.durable) == (1, ["0", "1", "2"])


def test_a_server_that_lost_what_it_had_acknowledged_is_found_out():
    session, server = a_session(), Server()
    line = Line(session, server, [])
    line.settle()
    session.add(a_frame(0))
    session.ask("flush")
    line.settle()
    server.durable.clear()
    session.interrupted()
    with pytest.raises(errors.Conflict, match="has 0 frames of this ingest and had acknowledged 1"):
        line.settle()


def test_a_frame_beyond_the_limit_is_refused_with_both_sizes():
    session = a_session(frame_limit_bytes=100)
    with pytest.raises(errors.ResourceLimit, match="this frame has 448 bytes and the limit is 100") as caught:
        session.add(a_frame(0))
    assert (caught.value.details["size_bytes"], caught.value.details["limit_bytes"]) == (448, 100)
