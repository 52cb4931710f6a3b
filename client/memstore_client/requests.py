"""Requests: each verb as a value, ready for any transport. No input or output happens here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from google.protobuf.message import Message

from memstore.errors import InvalidInput
from memstore.latent import LatentSpec
from memstore.summary import Bounds, CommitSummary, DatabaseSummary, WorldSummary
from memstore.v1 import history_service_pb2 as history_pb
from memstore.v1 import memory_service_pb2 as memory_pb
from memstore.v1 import system_service_pb2 as system_pb
from memstore.v1 import world_service_pb2 as world_pb
from memstore.wire.names import WorldName
from memstore.wire.summary import commit_from_message, database_from_message, world_from_message
from memstore.wire.values import bounds_from_message, spec_to_message
from memstore_client.options import TransportOptions
from memstore_client.rpc import RPCS, Rpc

T = TypeVar("T")
Patience = Literal["connect", "metadata", "query", "edit"]
MAX_PAGE = 1000


@dataclass(frozen=True)
class Call(Generic[T]):
    """One question with one answer."""

    rpc: Rpc
    """The method."""
    request: Message
    """The question."""
    patience: Patience
    """Which of the options' timeouts applies."""
    read: Callable[[Any], T]
    """Turns the answer into a value."""

    def timeout_s(self, options: TransportOptions) -> float:
        """Returns how long the answer may take, unless the caller says otherwise."""
        return {
            "connect": options.connect_timeout_s,
            "metadata": options.metadata_timeout_s,
            "query": options.query_timeout_s,
            "edit": options.edit_timeout_s,
        }[self.patience]


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list."""

    entries: tuple[T, ...]
    """What it lists."""
    next_token: str
    """Asks for the next page, "" at the end."""


@dataclass(frozen=True)
class ServerInfo:
    """What a server is and allows."""

    server_version: str
    """Version of its package."""
    protocol_version: int
    """Version of the protocol."""
    format_version: int
    """Version of the files of its database."""
    codecs: tuple[str, ...]
    """Codecs that it can encode colours with."""
    max_message_bytes: int
    """Largest message that it receives."""
    max_frame_bytes: int
    """Largest frame that it takes."""
    heartbeat_s: float
    """Longest quiet time of a watch."""


def new_request_id() -> str:
    """Returns a request id that nobody has used."""
    return uuid.uuid4().hex


def sendable(build: Callable[[], T]) -> T:
    """Returns what `build` returns.

    Raises:
        InvalidInput: a value does not fit its field.
    """
    try:
        return build()
    except (TypeError, OverflowError, UnicodeEncodeError) as error:
        raise InvalidInput(f"this cannot be sent: {error}.") from error
    except ValueError as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"this cannot be sent: {error}.") from error


def create_world(name: str, latents: LatentSpec | None, up: str, exist_ok: bool, request_id: str) -> Call[WorldSummary]:
    """Makes a world."""
    request = sendable(
        lambda: world_pb.CreateWorldRequest(
            world_id=name,
            latents=None if latents is None else spec_to_message(latents),
            up=up,
            exist_ok=exist_ok,
            request_id=request_id or new_request_id(),
        )
    )
    return Call(RPCS["CreateWorld"], request, "edit", _world)


def get_world(name: WorldName, commit: str = "") -> Call[WorldSummary]:
    """Says how a world stands, or stood at a commit."""
    request = sendable(lambda: world_pb.GetWorldRequest(name=str(name), commit=commit))
    return Call(RPCS["GetWorld"], request, "metadata", _world)


def list_worlds(deleted: bool, token: str) -> Call[Page[WorldSummary]]:
    """Lists worlds, a page at a time."""
    request = world_pb.ListWorldsRequest(page_size=MAX_PAGE, page_token=token, deleted=deleted)
    return Call(RPCS["ListWorlds"], request, "metadata", _worlds)


def delete_world(name: str) -> Call[None]:
    """Deletes a world."""
    request = sendable(lambda: world_pb.DeleteWorldRequest(name=str(WorldName(name))))
    return Call(RPCS["DeleteWorld"], request, "edit", nothing_of)


def undelete_world(name: str) -> Call[None]:
    """Brings a world back."""
    request = sendable(lambda: world_pb.UndeleteWorldRequest(name=str(WorldName(name))))
    return Call(RPCS["UndeleteWorld"], request, "edit", nothing_of)


def list_commits(world: WorldName, commit: str, limit: int, token: str) -> Call[Page[CommitSummary]]:
    """Lists steps, at most `limit` of them, a page at a time."""
    request = history_pb.ListCommitsRequest(
        world=str(world), commit=commit, page_size=min(limit, MAX_PAGE), page_token=token
    )
    return Call(RPCS["ListCommits"], request, "metadata", _commits)


def get_bounds(world: WorldName, commit: str) -> Call[Bounds | None]:
    """Says how far a world reaches."""
    request = memory_pb.GetBoundsRequest(world=str(world), commit=commit)
    return Call(RPCS["GetBounds"], request, "query", _bounds)


def get_server_info() -> Call[ServerInfo]:
    """Says what the server is."""
    return Call(RPCS["GetServerInfo"], system_pb.GetServerInfoRequest(), "connect", _server)


def get_database() -> Call[DatabaseSummary]:
    """Says how the database stands."""
    return Call(RPCS["GetDatabase"], system_pb.GetDatabaseRequest(), "metadata", database_from_message)


def _world(response: Any) -> WorldSummary:
    return world_from_message(response.world)


def _worlds(response: world_pb.ListWorldsResponse) -> Page[WorldSummary]:
    return Page(tuple(world_from_message(world) for world in response.worlds), response.next_page_token)


def _commits(response: history_pb.ListCommitsResponse) -> Page[CommitSummary]:
    return Page(tuple(commit_from_message(commit) for commit in response.commits), response.next_page_token)


def _bounds(response: memory_pb.GetBoundsResponse) -> Bounds | None:
    return bounds_from_message(response.bounds) if response.HasField("bounds") else None


def _server(response: system_pb.GetServerInfoResponse) -> ServerInfo:
    return ServerInfo(
        server_version=response.server_version,
        protocol_version=response.protocol_version,
        format_version=response.format_version,
        codecs=tuple(response.codecs),
        max_message_bytes=response.limits.message_bytes,
        max_frame_bytes=response.limits.frame_bytes,
        heartbeat_s=response.limits.heartbeat_s,
    )


def nothing_of(response: object) -> None:
    """Returns nothing, which is all that some answers say."""
    return
