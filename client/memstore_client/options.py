"""Every dial of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memstore.wire.arrays import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, PART_BYTES


@dataclass(frozen=True)
class Tls:
    """How to trust a server."""

    root_certificates: Path | None = None
    """PEM file of the authorities to trust; `None` for those of the system."""
    server_name: str | None = None
    """Name that the certificate bears, when it is not the host of the address."""


@dataclass(frozen=True)
class TransportOptions:
    """Times, limits and retries. Every method also takes `timeout_s=` for one call."""

    connect_timeout_s: float = 5.0
    """How long `connect` waits for the server's first answer."""
    metadata_timeout_s: float = 10.0
    """How long calls about worlds, history and the server may take."""
    query_timeout_s: float = 30.0
    """How long `retrieve`, `patches` and `bounds` may take."""
    edit_timeout_s: float = 60.0
    """How long changes may take."""
    idle_timeout_s: float = 30.0
    """How long a stream (`frames`, `ingest`, `watch`) may bring nothing; its whole length is not limited."""
    keepalive_s: float = 30.0
    """How often a ping asks whether the other side is there."""
    keepalive_timeout_s: float = 10.0
    """How long the answer to a ping may take before the connection counts as broken."""
    attempts: int = 5
    """Tries of a call that may be repeated and finds the server UNAVAILABLE, from 2 to 5."""
    first_retry_s: float = 0.05
    """Wait before the second try; later waits grow threefold."""
    longest_retry_s: float = 2.0
    """Longest wait between two tries."""
    resume_s: float = 60.0
    """How long a broken stream is tried again, counted from its last message: long enough for a server to restart."""
    max_message_bytes: int = MAX_MESSAGE_BYTES
    """Largest message received; values larger than that come in parts."""
    max_frame_bytes: int = MAX_FRAME_BYTES
    """Largest frame or mosaic received, all arrays together."""
    part_bytes: int = PART_BYTES
    """Payload of one message of a stream that is sent."""
    resend_bytes: int = 256 << 20
    """Frames kept by an ingest until they are durable; beyond that it asks the server to make them durable."""
