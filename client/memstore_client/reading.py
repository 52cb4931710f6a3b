"""Streams that are read: each knows its request, puts values together, and asks for the rest when it was cut off.

No input or output happens here. A transport opens `rpc` with `request()`, gives each response to `feed` and hands on
the values that it returns; when the stream breaks, it opens `request()` again, which by then asks for the rest only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from google.protobuf.message import Message

from memstore.arrays import as_array
from memstore.camera import Camera
from memstore.errors import Internal, InvalidInput
from memstore.frame import Frame
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.stored import StoredPatches
from memstore.summary import HeadMoved
from memstore.v1 import memory_service_pb2 as memory_pb
from memstore.v1 import world_service_pb2 as world_pb
from memstore.wire.arrays import Incoming, Outgoing, too_large
from memstore.wire.frame import frame_from_message
from memstore.wire.mosaic import mosaic_from_message, stored_from_message
from memstore.wire.names import WorldName
from memstore.wire.summary import moved_from_message
from memstore.wire.values import camera_to_message, query_to_message
from memstore_client.requests import sendable
from memstore_client.rpc import RPCS, Rpc

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class Reading(Protocol[T_co]):
    """A stream that is read."""

    @property
    def rpc(self) -> Rpc:
        """The method."""
        ...

    @property
    def begun(self) -> bool:
        """Whether anything has come, so that asking again goes on instead of starting over."""
        ...

    def request(self) -> Message:
        """Returns the question for what has not come yet."""
        ...

    def feed(self, response: Any) -> Sequence[T_co]:
        """Takes a response and returns the values that it completes."""
        ...

    def end(self) -> None:
        """Raises unless all that was asked for has come."""
        ...


class Parts(Generic[T]):
    """Puts one value after the other together from its first message and the bytes that follow."""

    def __init__(self, read: Callable[[Any, Incoming], T], limit_bytes: int) -> None:
        """Reads values of at most `limit_bytes` with `read`."""
        self._read = read
        self._limit_bytes = limit_bytes
        self._open: tuple[Message, Incoming] | None = None

    def feed(self, response: Any) -> Sequence[T]:
        """Takes a response and returns the value that it completes, if it does."""
        part = response.WhichOneof("part")
        if part == "rest" and self._open is not None:
            self._open[1].extend(response.rest)
        elif part in (None, "rest"):
            raise Internal("the server sent bytes that belong to nothing.")
        else:
            head = getattr(response, part)
            self._open = (head, Incoming(head, limit_bytes=self._limit_bytes))
        head, arrays = self._opened()
        if arrays.missing:
            return ()
        self._open = None
        return (self._read(head, arrays),)

    def end(self) -> None:
        """Raises if a value is incomplete."""
        if self._open is not None:
            raise Internal(f"the stream ended {self._open[1].missing} bytes early.")

    def _opened(self) -> tuple[Message, Incoming]:
        assert self._open is not None
        return self._open


class Retrieving:
    """One mosaic a camera, all of one commit."""

    rpc = RPCS["Retrieve"]

    def __init__(
        self, world: WorldName, commit: str, cameras: Sequence[Camera], query: Query, limit_bytes: int
    ) -> None:
        """Asks what cameras see."""
        self._world, self._commit, self._query = world, commit, query
        self._left = list(cameras)
        self._parts = Parts(mosaic_from_message, limit_bytes)
        self._limit_bytes = limit_bytes
        self.begun = False

    def request(self) -> memory_pb.RetrieveRequest:
        """Asks for the mosaics that have not come."""
        self._parts = Parts(mosaic_from_message, self._limit_bytes)
        return sendable(
            lambda: memory_pb.RetrieveRequest(
                world=str(self._world),
                commit=self._commit,
                cameras=[camera_to_message(camera) for camera in self._left],
                query=query_to_message(self._query),
            )
        )

    def feed(self, response: memory_pb.RetrieveResponse) -> Sequence[Mosaic]:
        """Returns a mosaic when its last part comes."""
        mosaics = self._parts.feed(response)
        for mosaic in mosaics:
            self._commit, self.begun = mosaic.commit, True
            self._left.pop(0)
        return mosaics

    def end(self) -> None:
        """Raises if a mosaic is missing."""
        if self._left:
            raise Internal(f"the stream ended with {len(self._left)} mosaics missing.")


class ReadingFrames:
    """Frames by ordinal."""

    rpc = RPCS["Frames"]

    def __init__(
        self, world: WorldName, commit: str, start: int, stop: int | None, as_of: int | None, limit_bytes: int
    ) -> None:
        """Asks for the frames of ordinal `start` to before `stop`."""
        self._world, self._commit = world, commit
        self._start, self._stop, self._as_of = start, stop, as_of
        self._limit_bytes = limit_bytes
        self._parts = Parts(frame_from_message, limit_bytes)
        self.begun = False

    def request(self) -> memory_pb.FramesRequest:
        """Asks for the frames that have not come, in the commit that was read so far."""
        self._parts = Parts(frame_from_message, self._limit_bytes)
        return sendable(
            lambda: memory_pb.FramesRequest(
                world=str(self._world), commit=self._commit, start=self._start, stop=self._stop, as_of=self._as_of
            )
        )

    def feed(self, response: memory_pb.FramesResponse) -> Sequence[Frame]:
        """Returns a frame when its last part comes."""
        if response.WhichOneof("part") == "reading":
            self._commit, self.begun = response.reading.commit, True
            return ()
        frames = self._parts.feed(response)
        for frame in frames:
            self._start = self._start if frame.ordinal is None else frame.ordinal + 1
        return frames

    def end(self) -> None:
        """Raises if a frame is incomplete."""
        self._parts.end()


class ReadingPatches:
    """Patches by id."""

    rpc = RPCS["GetPatches"]

    def __init__(self, world: WorldName, commit: str, ids: object, limit_bytes: int, message_bytes: int) -> None:
        """Asks for patches.

        Raises:
            InvalidInput: the ids are no whole numbers.
            ResourceLimit: they do not fit one message of `message_bytes`.
        """
        self._request = memory_pb.GetPatchesRequest(world=str(world), commit=commit)
        Outgoing(part_bytes=1 << 62).put(self._request.ids, _checked_ids(ids))
        if self._request.ByteSize() > message_bytes:
            raise too_large("list of ids", self._request.ByteSize(), message_bytes)
        self._limit_bytes = limit_bytes
        self._parts = Parts(stored_from_message, limit_bytes)
        self.begun = False

    def request(self) -> memory_pb.GetPatchesRequest:
        """Asks for all of them."""
        self._parts = Parts(stored_from_message, self._limit_bytes)
        return self._request

    def feed(self, response: memory_pb.GetPatchesResponse) -> Sequence[StoredPatches]:
        """Returns the patches when their last part comes."""
        return self._parts.feed(response)

    def end(self) -> None:
        """Raises if they are incomplete."""
        self._parts.end()


class Watching:
    """New heads of a branch."""

    rpc = RPCS["WatchHead"]

    def __init__(self, world: WorldName) -> None:
        """Watches from now on."""
        self._world = world
        self._token = ""
        self.begun = False

    def request(self) -> world_pb.WatchHeadRequest:
        """Asks for news since the last message."""
        return world_pb.WatchHeadRequest(name=str(self._world), resume_token=self._token)

    def feed(self, response: world_pb.WatchHeadResponse) -> Sequence[HeadMoved]:
        """Returns the news of a message, none for a heartbeat."""
        self._token, self.begun = response.resume_token, True
        return (moved_from_message(response.moved),) if response.HasField("moved") else ()

    def end(self) -> None:
        """Raises: a watch has no end of its own."""
        raise Internal("the server ended a watch without saying why.")


def _checked_ids(ids: object) -> np.ndarray:
    array = as_array(ids, None, (None,), "ids")
    if not len(array):
        return array.astype(np.uint64)
    if array.dtype.kind not in "iu" or (array.dtype.kind == "i" and int(array.min()) < 0):
        raise InvalidInput(f"ids must be whole numbers from 0, got {array.dtype.name}.", field="ids")
    return array.astype(np.uint64)
