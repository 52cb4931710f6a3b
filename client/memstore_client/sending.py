"""An ingest as it is sent: what may go out now, what must be kept, and where to go on after a break.

No input or output happens here. A driver repeats, until `settled`:

    1. open a stream if there is none, and send all of `messages()`;
    2. give the next response to `receive`, or call `interrupted` when the stream broke.

Frames are kept until the server says that they are durable. After a break they are numbered anew by what the server
tells, those that became durable meanwhile are dropped, and the rest is sent again: none is lost, none taken twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal

from memstore.errors import Conflict, FailedPrecondition, Reason
from memstore.frame import Frame
from memstore.latent import LatentSpec
from memstore.v1 import memory_service_pb2 as pb
from memstore.wire.arrays import Outgoing, too_large
from memstore.wire.frame import frame_bytes, frame_to_message
from memstore_client.requests import sendable
from memstore_client.rpc import RPCS

Question = Literal["flush", "finish", "discard"]


class IngestSession:
    """The state of one ingest on the caller's side."""

    rpc = RPCS["IngestFrames"]

    def __init__(
        self,
        start: pb.IngestFramesRequest.Start,
        spec: LatentSpec,
        *,
        frame_limit_bytes: int,
        part_bytes: int,
        resend_bytes: int,
    ) -> None:
        """Begins an ingest into a world of `spec`."""
        self._start = start
        self._spec = spec
        self._frame_limit_bytes = frame_limit_bytes
        self._part_bytes = part_bytes
        self._resend_bytes = resend_bytes
        self._kept: deque[Frame] = deque()
        self._kept_bytes = 0
        self._first_kept = 0
        self._next = 0
        self._may_send_to = 0
        self._start_sent = self._started = self._question_sent = False
        self._question: Question | None = None
        self._known = False
        self.ended = False
        """Whether the server has said that the ingest is over."""
        self.resume_from = 0
        """Frames that this request had made durable before this ingest began."""
        self.first_ordinal: int | None = None
        """Ordinal of the first frame taken in, once it is known."""

    @property
    def acknowledged(self) -> int:
        """Frames of this ingest that are known to be durable."""
        return self._first_kept - self.resume_from

    @property
    def settled(self) -> bool:
        """Whether all is sent, every question answered, and little enough kept."""
        return self._started and self._next == self._end and self._question is None

    def add(self, frame: Frame) -> None:
        """Queues a frame.

        Raises:
            InvalidInput: its image cannot be cut into patches.
            ResourceLimit: it is larger than either side allows.
        """
        self._require_open()
        self._spec.token_grid(frame.camera.width, frame.camera.height)
        if frame_bytes(frame) > self._frame_limit_bytes:
            raise too_large("frame", frame_bytes(frame), self._frame_limit_bytes)
        self._kept.append(frame)
        self._kept_bytes += frame_bytes(frame)
        if self._kept_bytes > self._resend_bytes:
            self._question, self._question_sent = "flush", False

    def ask(self, question: Question) -> None:
        """Queues a question after all frames; a discard forgets the frames that have not been sent."""
        self._require_open()
        if question == "discard":
            self._forget_unsent()
        self._question, self._question_sent = question, False

    def messages(self) -> Iterator[pb.IngestFramesRequest]:
        """Yields what may be sent now."""
        if not self._start_sent:
            self._start_sent = True
            yield pb.IngestFramesRequest(start=self._start)
        while self._started and self._next < min(self._end, self._may_send_to):
            frame = self._kept[self._next - self._first_kept]
            self._next += 1
            yield from self._parts(frame)
        if self._started and self._question and not self._question_sent and self._next == self._end:
            self._question_sent = True
            request = pb.IngestFramesRequest()
            getattr(request, self._question).SetInParent()
            yield request

    def receive(self, response: pb.IngestFramesResponse) -> None:
        """Takes a response.

        Raises:
            Conflict: the server has lost frames that it had acknowledged.
        """
        if response.cause == pb.IngestFramesResponse.CAUSE_STARTED:
            self._begin(response)
        self._drop_durable(response.acknowledged)
        self._may_send_to = response.received + response.credit
        if response.HasField("first_ordinal"):
            known = self.first_ordinal
            self.first_ordinal = response.first_ordinal if known is None else min(known, response.first_ordinal)
        flushed = response.cause == pb.IngestFramesResponse.CAUSE_FLUSHED
        if flushed and self._question == "flush":
            # A server that leaves flushes unasked; then the question is still open unless nothing is kept.
            self._question_sent = False
            self._question = "flush" if self._kept else None
        if response.cause == pb.IngestFramesResponse.CAUSE_ENDED:
            self._question, self.ended = None, True

    def interrupted(self) -> None:
        """Prepares to begin again on another stream."""
        self._start_sent = self._started = self._question_sent = False

    def _begin(self, response: pb.IngestFramesResponse) -> None:
        if not self._known:
            self.resume_from = self._first_kept = response.acknowledged
            self._known = True
        if response.acknowledged < self._first_kept:
            raise Conflict(
                f"the server has {response.acknowledged} frames of this ingest and had acknowledged "
                f"{self._first_kept}: its database was put back to an earlier state; begin another ingest.",
                acknowledged=self._first_kept,
                found=response.acknowledged,
            )
        self._started = True
        self._next = response.received

    def _drop_durable(self, acknowledged: int) -> None:
        while self._first_kept < acknowledged and self._kept:
            self._kept_bytes -= frame_bytes(self._kept.popleft())
            self._first_kept += 1

    def _forget_unsent(self) -> None:
        while self._end > self._next:
            self._kept_bytes -= frame_bytes(self._kept.pop())

    def _parts(self, frame: Frame) -> Iterator[pb.IngestFramesRequest]:
        out = Outgoing(self._part_bytes)
        first = pb.IngestFramesRequest()
        sendable(lambda: frame_to_message(first.frame, frame, out))
        yield first
        for rest in out.rest():
            yield pb.IngestFramesRequest(rest=rest)

    def _require_open(self) -> None:
        if self.ended:
            raise FailedPrecondition("this ingest is over; open another with world.ingest().", reason=Reason.CLOSED)

    @property
    def _end(self) -> int:
        """Number of the frame after the last."""
        return self._first_kept + len(self._kept)
