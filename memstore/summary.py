"""What memstore says of itself: worlds, commits, databases and new heads, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from memstore.latent import LatentSpec


@dataclass(frozen=True)
class WorldSummary:
    """One world as it stands."""

    name: str
    """Name, unique among the worlds that are not deleted."""
    world_id: str
    """Id for life, kept when the world is renamed, deleted or brought back."""
    latents: LatentSpec
    """What its latents are."""
    up: str
    """The axis that points up: one of +x -x +y -y +z -z."""
    branch: str
    """The branch that this speaks of."""
    head: str
    """Commit id of that branch."""
    frame_count: int
    """Frames taken in along the branch."""
    patch_count: int
    """Instances of patches that the head shows, sky included."""
    layer_count: int
    """Layers of the head."""
    created_s: float
    """When it was made, seconds since 1970."""
    deleted_s: float | None = None
    """When it was deleted, or `None`."""


@dataclass(frozen=True)
class CommitSummary:
    """One step in the history of a world."""

    commit: str
    """Commit id."""
    parents: tuple[str, ...]
    """The commits it came from; empty for the first."""
    operation: str
    """What was done: create, ingest, or the name of an edit."""
    message: str
    """Why, in the author's words."""
    author: str
    """Who did it."""
    time_s: float
    """When, seconds since 1970."""
    request_id: str
    """The request that made it, "" for none; a request is carried out once."""
    frame_count: int
    """Frames that this step added."""
    step: str = ""
    """What names the step: commits of one step share it, and other steps take it back by it."""
    takes_back: str = ""
    """The step that this one takes back, "" for none."""


@dataclass(frozen=True)
class DatabaseSummary:
    """One database as it stands."""

    root: str
    """Where it lies."""
    database_id: str
    """Id for life."""
    format_version: int
    """Version of the files."""
    world_count: int
    """Worlds that are not deleted."""
    segment_count: int
    """Segments on disk."""
    patch_count: int
    """Patches on disk, each counted once however often it is shown."""
    bytes_on_disk: int
    """All files together."""


@dataclass(frozen=True)
class Bounds:
    """An axis-aligned box in world metres."""

    low: tuple[float, float, float]
    """Smallest corner."""
    high: tuple[float, float, float]
    """Largest corner."""


@dataclass(frozen=True)
class HeadMoved:
    """A branch has a new head."""

    world: str
    """Name of the world."""
    branch: str
    """Name of the branch."""
    head: str
    """The new commit id."""
    previous: str
    """The commit id before, "" when the watch began here."""
