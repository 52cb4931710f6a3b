"""Summaries as messages: worlds, commits, databases and new heads."""

from __future__ import annotations

from memstore.summary import CommitSummary, DatabaseSummary, HeadMoved, WorldSummary
from memstore.v1 import history_service_pb2 as history_pb
from memstore.v1 import system_service_pb2 as system_pb
from memstore.v1 import world_service_pb2 as world_pb
from memstore.wire.fields import require, under
from memstore.wire.names import WorldName
from memstore.wire.values import spec_from_message, spec_to_message


def world_to_message(summary: WorldSummary) -> world_pb.World:
    """Returns a world as a message."""
    return world_pb.World(
        name=str(WorldName(summary.name)),
        world_id=summary.world_id,
        latents=spec_to_message(summary.latents),
        up=summary.up,
        branch=str(WorldName(summary.name, summary.branch)),
        head=summary.head,
        frame_count=summary.frame_count,
        patch_count=summary.patch_count,
        layer_count=summary.layer_count,
        created_s=summary.created_s,
        deleted_s=summary.deleted_s,
    )


def world_from_message(message: world_pb.World) -> WorldSummary:
    """Reads a world.

    Raises:
        InvalidInput: a field is missing or no good.
    """
    require(message, "latents")
    with under("latents"):
        latents = spec_from_message(message.latents)
    branch = WorldName.parse(message.branch, "branch")
    return WorldSummary(
        name=branch.world,
        world_id=message.world_id,
        latents=latents,
        up=message.up,
        branch=branch.branch,
        head=message.head,
        frame_count=message.frame_count,
        patch_count=message.patch_count,
        layer_count=message.layer_count,
        created_s=message.created_s,
        deleted_s=message.deleted_s if message.HasField("deleted_s") else None,
    )


def commit_to_message(summary: CommitSummary) -> history_pb.Commit:
    """Returns a commit as a message."""
    return history_pb.Commit(**vars(summary))


def commit_from_message(message: history_pb.Commit) -> CommitSummary:
    """Reads a commit."""
    fields = {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
    return CommitSummary(parents=tuple(fields.pop("parents")), **fields)


def database_to_message(summary: DatabaseSummary) -> system_pb.GetDatabaseResponse:
    """Returns a database as a message."""
    fields = dict(vars(summary))
    return system_pb.GetDatabaseResponse(disk_bytes=fields.pop("bytes_on_disk"), **fields)


def database_from_message(message: system_pb.GetDatabaseResponse) -> DatabaseSummary:
    """Reads a database."""
    fields = {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
    return DatabaseSummary(bytes_on_disk=fields.pop("disk_bytes"), **fields)


def moved_to_message(moved: HeadMoved) -> world_pb.HeadMoved:
    """Returns a new head as a message."""
    return world_pb.HeadMoved(
        branch=str(WorldName(moved.world, moved.branch)), head=moved.head, previous=moved.previous
    )


def moved_from_message(message: world_pb.HeadMoved) -> HeadMoved:
    """Reads a new head.

    Raises:
        InvalidInput: the branch has no good name.
    """
    name = WorldName.parse(message.branch, "branch")
    return HeadMoved(name.world, name.branch, message.head, message.previous)
