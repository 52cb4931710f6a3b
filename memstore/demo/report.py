"""What the demo found, as values that become OUT/report.json."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeldOut:
    """How memory draws frames that it never saw."""

    views: int
    """Frames held out."""
    coverage_mean: float
    """Mean share of the view that patches cover, 0 to 1."""
    known_mean: float
    """Mean share of pixels that memory drew, 0 to 1."""
    psnr_covered_db_mean: float
    """Mean PSNR over the pixels that memory drew and that do not move, dB."""
    ssim_covered_mean: float
    """Mean SSIM over the same pixels."""


@dataclass(frozen=True)
class Walk:
    """The walk through memory alone."""

    pictures: int
    """Pictures of the film."""
    known_mean: float
    """Mean share of pixels that memory drew, 0 to 1."""
    nearest_recorded_m: float
    """Median distance from the walk's cameras to the nearest recorded one, metres."""


@dataclass(frozen=True)
class WorldReport:
    """What happened to one world."""

    world: str
    """Its name."""
    clip: str
    """The clip that it remembers."""
    frames: int
    """Frames in memory."""
    patches: int
    """Patches in memory."""
    sessions: int
    """Processes that added to it, one after another."""
    ingest_frames_per_s: float | None
    """Frames made durable a second in the second session, the start of its process left out; `None` with --keep."""
    retrieve_ms_p50: float
    """Median time of one retrieve, latents and all, milliseconds."""
    held_out: HeldOut
    """How it draws frames that it never saw."""
    walk: Walk
    """The walk through it."""
    served_equals_embedded: bool
    """Whether a server gave the very same mosaics of the views held out, bit for bit."""


@dataclass(frozen=True)
class MemoryReport:
    """What the stage `memory` found."""

    frames: int
    """Frames in memory, all worlds together."""
    patches: int
    """Patches in memory."""
    sessions: int
    """Processes that added to it."""
    bytes_on_disk: int
    """All files of the database."""
    held_out: HeldOut
    """How memory draws frames that it never saw, all worlds together."""
    served_equals_embedded: bool
    """Whether a server gave the very same mosaics, bit for bit."""
    seconds: float
    """Time of the stage."""
    worlds: tuple[WorldReport, ...]
    """World by world."""
    verified: bool
    """Whether `verify` found every reference and checksum in order."""


@dataclass(frozen=True)
class EditStep:
    """What one edit did."""

    edit: str
    """Its name."""
    world: str
    """The world that was edited."""
    operations: tuple[str, ...]
    """Its operations, one commit together."""
    selected: int
    """Instances of patches that it was about."""
    affected: int
    """Instances that were hidden, shown or moved."""
    patches_before: int
    """Instances shown before."""
    patches_after: int
    """Instances shown after."""
    milliseconds: float
    """From its first word until it was durable, registration included."""
    bytes_written: int
    """Bytes of the files that it wrote."""


@dataclass(frozen=True)
class Joint:
    """How well two parts of a walk were joined along what both saw."""

    off_cm: float
    """How far a place in the joined part is from where it belongs, centimetres."""
    off_degrees: float
    """How far it is turned from how it belongs, degrees."""
    overlap: float
    """Share of the boundary that found a partner, 0 to 1."""
    residual_mm: float
    """Median distance of partners, millimetres."""
    moved_m: float
    """How far the guess was moved, metres."""
    turned_degrees: float
    """How far the guess was turned, degrees."""


@dataclass(frozen=True)
class EditsReport:
    """What the stage `edit` found."""

    edits: tuple[EditStep, ...]
    """Edit by edit."""
    joint: Joint | None
    """The stitch that was fitted; `None` when it was refused."""
    undone: bool
    """Whether every view was as before, bit for bit, once all was undone."""
    verified: bool
    """Whether `verify` found every reference and checksum in order."""
    seconds: float
    """Time of the stage."""


@dataclass(frozen=True)
class DemoReport:
    """What the demo found."""

    memory: MemoryReport | None
    """The stage `memory`, if it ran."""
    edit: EditsReport | None
    """The stage `edit`, if it ran."""
