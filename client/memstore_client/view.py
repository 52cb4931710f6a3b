"""What the synchronous and the asynchronous world share: what they know, and the requests that they build."""

from __future__ import annotations

from collections.abc import Sequence

from memstore.camera import Camera
from memstore.errors import InvalidInput, NotFound, ReadOnly, Reason
from memstore.latent import LatentSpec
from memstore.query import Query
from memstore.summary import WorldSummary
from memstore.v1 import memory_service_pb2 as pb
from memstore.wire.names import WorldName
from memstore_client.answering import Limits
from memstore_client.reading import ReadingFrames, ReadingPatches, Retrieving
from memstore_client.requests import ServerInfo, new_request_id, sendable
from memstore_client.sending import IngestSession
from memstore_client.target import Target


class WorldView:
    """A world as it was last heard of."""

    def __init__(self, target: Target, server: ServerInfo, summary: WorldSummary, pinned: str) -> None:
        """Knows the world of `summary`; `pinned` fixes the commit that is read."""
        self._target = target
        self._server = server
        self._summary = summary
        self._pinned = pinned
        self._name = WorldName(summary.name, summary.branch)

    @property
    def name(self) -> str:
        """The world's name."""
        return self._summary.name

    @property
    def latents(self) -> LatentSpec:
        """What its latents are."""
        return self._summary.latents

    @property
    def up(self) -> str:
        """The axis that points up."""
        return self._summary.up

    @property
    def branch_name(self) -> str:
        """The branch that this handle follows."""
        return self._summary.branch

    @property
    def pinned(self) -> str:
        """The commit that this handle is pinned to, "" for the branch's head."""
        return self._pinned

    @property
    def place(self) -> str:
        """The address of its server."""
        return str(self._target.address)

    def __repr__(self) -> str:
        known = self._summary
        pinned = ", pinned" if self._pinned else ""
        return (
            f"{type(self).__name__}({known.name!r} on {self._target.address}, {known.patch_count:,} patches of "
            f"{known.frame_count:,} frames in {known.layer_count} layers when last asked, {known.branch} at "
            f"{known.head[:10]}{pinned})"
        )

    def _repr_html_(self) -> str:
        return f"<code>{self!r}</code>".replace("'", "&#39;")

    def _retrieving(self, camera: object, query: Query) -> Retrieving | None:
        """Returns the question to a list of cameras; `None` when it is empty."""
        listed = list(camera) if isinstance(camera, Sequence) else [camera]
        cameras = [one for one in listed if isinstance(one, Camera)]
        if len(cameras) < len(listed):
            i, found = next((i, type(one).__name__) for i, one in enumerate(listed) if not isinstance(one, Camera))
            raise InvalidInput(f"retrieve takes a Camera or a list of them, got {found} at {i}.", field="camera")
        limit = self._target.options.max_frame_bytes
        return Retrieving(self._name, self._pinned, cameras, query, limit) if cameras else None

    def _reading_frames(self, start: int, stop: int | None, as_of: int | None) -> ReadingFrames:
        return ReadingFrames(self._name, self._pinned, start, stop, as_of, self._target.options.max_frame_bytes)

    def _reading_patches(self, ids: object) -> ReadingPatches:
        limit = self._target.options.max_frame_bytes
        return ReadingPatches(self._name, self._pinned, ids, limit, self._server.max_message_bytes)

    def _session(self, message: str, author: str, request_id: str, forgetting: bool | None) -> IngestSession:
        start = sendable(
            lambda: pb.IngestFramesRequest.Start(
                world=str(self._name), message=message, author=author, request_id=request_id or new_request_id()
            )
        )
        if forgetting is not None:
            start.forgetting = forgetting
        options = self._target.options
        return IngestSession(
            start,
            self.latents,
            frame_limit_bytes=min(options.max_frame_bytes, self._server.max_frame_bytes),
            part_bytes=options.part_bytes,
            resend_bytes=options.resend_bytes,
        )

    @property
    def _limits(self) -> Limits:
        return Limits(self._server.max_message_bytes, self._target.options.max_frame_bytes)

    def _live(self, verb: str) -> WorldName:
        """Returns the name of the branch.

        Raises:
            ReadOnly: the handle is pinned to a commit.
        """
        if self._pinned:
            raise ReadOnly(f"{self.name!r} is pinned at {self._pinned}; {verb} the live world.")
        return self._name

    def _branch_called(self, name: str) -> WorldName:
        """Returns the name of a branch of the world.

        Raises:
            NotFound: it is "", which would stand for the main branch on the wire.
        """
        if not name:
            raise NotFound(f"there is no branch '' of world {self.name!r}.", reason=Reason.BRANCH_NOT_FOUND, name=name)
        return WorldName(self.name, name)

    def _query_s(self, timeout_s: float | None) -> float:
        return self._target.options.query_timeout_s if timeout_s is None else timeout_s

    def _idle_s(self, timeout_s: float | None) -> float:
        return self._target.options.idle_timeout_s if timeout_s is None else timeout_s

    def _silence_s(self) -> float:
        """Returns how long a watch may be silent, heartbeats included."""
        return max(3 * self._server.heartbeat_s, self._target.options.idle_timeout_s)
