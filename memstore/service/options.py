"""Every dial of a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memstore.wire.arrays import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, PART_BYTES


@dataclass(frozen=True)
class TlsFiles:
    """A certificate and its key, PEM files."""

    certificate: Path
    """The certificate chain, leaf first."""
    key: Path
    """The private key."""


@dataclass(frozen=True)
class ServerOptions:
    """Limits and times of a server. The defaults suit one machine and some tens of callers."""

    threads: int = 8
    """Threads that do the engine's work; the event loop does none."""
    max_waiting: int = 256
    """Pieces of work that may wait for a thread before calls are turned away with RESOURCE_EXHAUSTED."""
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """Largest message received; values larger than that come in parts."""
    max_frame_bytes: int = MAX_FRAME_BYTES
    """Largest frame taken, all arrays together."""
    part_bytes: int = PART_BYTES
    """Payload of one message of a stream."""
    ingest_credit: int = 16
    """Frames that an ingest may have on the way beyond those taken."""
    page_size: int = 100
    """Entries of a page when the caller names no size."""
    max_page_size: int = 1000
    """Longest page of a list."""
    heartbeat_s: float = 5.0
    """Longest quiet time of a watch."""
    watch_interval_s: float = 0.1
    """How often a watch looks at its head."""
    drain_s: float = 30.0
    """How long calls may go on after the first SIGTERM."""
    retry_after_s: float = 1.0
    """When to come back, told to callers that are turned away."""
