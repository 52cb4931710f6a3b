"""Answers that come as a stream: one value, in parts where it is large, or after news of its making.

No input or output happens here; see `reading.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from memstore.edited import EditReport
from memstore.errors import Internal
from memstore.v1 import history_service_pb2 as history_pb
from memstore.wire.arrays import Incoming, too_large
from memstore.wire.edited import edit_report_from_message
from memstore_client.reading import Parts
from memstore_client.rpc import RPCS, Rpc

T = TypeVar("T")
OnProgress = Callable[[int, int, str], None]
"""Called with what is done, how much there is, and the stage."""


@dataclass(frozen=True)
class Limits:
    """How much either side takes."""

    send_bytes: int
    """Largest message that the server receives."""
    receive_bytes: int
    """Largest value that this side puts together."""


class Answer(Generic[T]):
    """One value."""

    def __init__(
        self, rpc: Rpc, request: Message, read: Callable[[Any, Incoming], T], limits: Limits, patience_s: float
    ) -> None:
        """Asks `request`, whose answer `read` reads.

        Raises:
            ResourceLimit: the request does not fit one message.
        """
        if request.ByteSize() > limits.send_bytes:
            raise too_large(type(request).__name__, request.ByteSize(), limits.send_bytes)
        self.rpc = rpc
        self.begun = False
        self.patience_s = patience_s
        """How long the answer may take, unless the caller says otherwise."""
        self._request, self._read, self._limits = request, read, limits
        self._parts = Parts(read, limits.receive_bytes)
        self._known = False

    def request(self) -> Message:
        """Asks for all of it."""
        self._parts = Parts(self._read, self._limits.receive_bytes)
        return self._request

    def feed(self, response: Any) -> Sequence[T]:
        """Returns the value when its last part comes."""
        self.begun = self.rpc.may_repeat
        values = self._parts.feed(response)
        self._known = self._known or bool(values)
        return values

    def end(self) -> None:
        """Raises if the value is incomplete."""
        self._parts.end()
        if not self._known:
            raise Internal(f"the server ended {self.rpc.name} without an answer.")


class Flattening:
    """The report of a flattening, after news of its progress."""

    rpc = RPCS["FlattenBranch"]

    def __init__(self, request: history_pb.FlattenBranchRequest, on_progress: OnProgress | None) -> None:
        """Asks `request`, and hands what is heard of its progress to `on_progress`."""
        self._request, self._on_progress = request, on_progress
        self._known = False
        self.begun = False

    def request(self) -> history_pb.FlattenBranchRequest:
        """Asks for the same again: work that ended meanwhile is found by its request id."""
        return self._request

    def feed(self, response: history_pb.FlattenBranchResponse) -> Sequence[EditReport]:
        """Returns the report when it comes."""
        self.begun = True
        if response.WhichOneof("event") == "report":
            self._known = True
            return (edit_report_from_message(response.report, Incoming(response.report)),)
        news = response.progress
        if self._on_progress is not None and news.total:
            self._on_progress(news.done, news.total, news.stage)
        return ()

    def end(self) -> None:
        """Raises if no report came."""
        if not self._known:
            raise Internal("the server ended a flattening without its report.")
