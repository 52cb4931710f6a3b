"""The errors that memstore raises, grouped by what a caller would do about them.

    MemstoreError
    ├── InvalidInput (ValueError)      mend the argument and call again
    ├── NotFound (KeyError)            name something that exists
    ├── AlreadyExists                  choose another name, or pass exist_ok
    ├── Conflict                       someone else was first: read the new head and try again
    ├── FailedPrecondition             change the state of the world or the database first
    │   ├── LatentSpecMismatch         the two sides keep different latents
    │   ├── TooManyAffected            the change reaches further than was allowed
    │   └── ReadOnly                   open for writing, or wait for the writer
    ├── CorruptData                    restore from a copy, or run `memstore verify --repair`
    ├── ResourceLimit                  ask for less, or raise the limit
    ├── Unavailable                    wait and try again
    ├── DeadlineExceeded               try again with a longer timeout
    ├── NotImplementedHere             this server or build lacks the feature
    ├── NotAllowed                     give the token that the server was started with
    └── Internal                       a bug: please report it

Every message says what was asked, what was found and what to do. `reason` is a stable word for programs, `details`
holds the facts of the message as short values. The same classes are raised embedded and over gRPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

Detail = str | int | float | bool


class Reason(StrEnum):
    """Stable words for programs. Words are only ever added, never renamed or removed."""

    INVALID_INPUT = "INVALID_INPUT"
    INVALID_CAMERA = "INVALID_CAMERA"
    INVALID_FRAME = "INVALID_FRAME"
    INVALID_CLIP = "INVALID_CLIP"
    INVALID_NAME = "INVALID_NAME"
    EMPTY_SELECTION = "EMPTY_SELECTION"
    NOT_FOUND = "NOT_FOUND"
    WORLD_NOT_FOUND = "WORLD_NOT_FOUND"
    BRANCH_NOT_FOUND = "BRANCH_NOT_FOUND"
    COMMIT_NOT_FOUND = "COMMIT_NOT_FOUND"
    LAYER_NOT_FOUND = "LAYER_NOT_FOUND"
    TAG_NOT_FOUND = "TAG_NOT_FOUND"
    PATCH_NOT_FOUND = "PATCH_NOT_FOUND"
    FRAME_NOT_FOUND = "FRAME_NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    CONFLICT = "CONFLICT"
    HEAD_MOVED = "HEAD_MOVED"
    SELECTION_CHANGED = "SELECTION_CHANGED"
    MERGE_CONFLICT = "MERGE_CONFLICT"
    UNDO_CONFLICT = "UNDO_CONFLICT"
    NOTHING_TO_UNDO = "NOTHING_TO_UNDO"
    UNRELATED_WORLDS = "UNRELATED_WORLDS"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    NOT_A_DATABASE = "NOT_A_DATABASE"
    NEWER_FORMAT = "NEWER_FORMAT"
    OLDER_FORMAT = "OLDER_FORMAT"
    MISSING_EXTRA = "MISSING_EXTRA"
    MISSING_LATENTS = "MISSING_LATENTS"
    LATENT_SPEC_MISMATCH = "LATENT_SPEC_MISMATCH"
    TOO_MANY_AFFECTED = "TOO_MANY_AFFECTED"
    NO_OVERLAP = "NO_OVERLAP"
    UNCONSTRAINED = "UNCONSTRAINED"
    POOR_FIT = "POOR_FIT"
    READ_ONLY = "READ_ONLY"
    WRITER_EXISTS = "WRITER_EXISTS"
    CLOSED = "CLOSED"
    CORRUPT_DATA = "CORRUPT_DATA"
    CHECKSUM_MISMATCH = "CHECKSUM_MISMATCH"
    RESOURCE_LIMIT = "RESOURCE_LIMIT"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    DISK_FULL = "DISK_FULL"
    UNAVAILABLE = "UNAVAILABLE"
    DRAINING = "DRAINING"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    NOT_ALLOWED = "NOT_ALLOWED"
    INTERNAL = "INTERNAL"


class MemstoreError(Exception):
    """Base of every error that memstore raises on purpose."""

    default_reason: ClassVar[Reason] = Reason.INTERNAL

    def __init__(self, message: str, *, reason: Reason | None = None, **details: Detail) -> None:
        """Keeps `message` for people, `reason` and `details` for programs."""
        super().__init__(message)
        self.message: str = message
        self.reason: Reason = reason or self.default_reason
        self.details: Mapping[str, Detail] = details

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.reason, dict(self.details))


def _rebuild(kind: type[MemstoreError], message: str, reason: Reason, details: dict[str, Detail]) -> MemstoreError:
    return kind(message, reason=reason, **details)


class InvalidInput(MemstoreError, ValueError):
    """An argument cannot be used as it is."""

    default_reason = Reason.INVALID_INPUT


class NotFound(MemstoreError, KeyError):
    """Nothing bears that name or id."""

    default_reason = Reason.NOT_FOUND


class AlreadyExists(MemstoreError):
    """Something else bears that name already."""

    default_reason = Reason.ALREADY_EXISTS


class Conflict(MemstoreError):
    """The state moved on since the caller last looked."""

    default_reason = Reason.CONFLICT


class FailedPrecondition(MemstoreError):
    """The request is fine, but not in the present state."""

    default_reason = Reason.FAILED_PRECONDITION


class LatentSpecMismatch(FailedPrecondition):
    """Latents of one kind were offered where another kind is kept."""

    default_reason = Reason.LATENT_SPEC_MISMATCH


class TooManyAffected(FailedPrecondition):
    """A change would touch more than its `max_affected`."""

    default_reason = Reason.TOO_MANY_AFFECTED


class ReadOnly(FailedPrecondition):
    """The database or world is open for reading only."""

    default_reason = Reason.READ_ONLY


class CorruptData(MemstoreError):
    """Stored bytes are not what was written."""

    default_reason = Reason.CORRUPT_DATA


class ResourceLimit(MemstoreError):
    """Memory, disk, message size or a quota is used up."""

    default_reason = Reason.RESOURCE_LIMIT


class Unavailable(MemstoreError):
    """The other side cannot answer now; the same call may work later."""

    default_reason = Reason.UNAVAILABLE


class DeadlineExceeded(MemstoreError):
    """The timeout ran out before the answer came."""

    default_reason = Reason.DEADLINE_EXCEEDED


class NotImplementedHere(MemstoreError):
    """This build or server does not offer the feature."""

    default_reason = Reason.NOT_IMPLEMENTED


class NotAllowed(MemstoreError):
    """The caller has not shown the right to do this."""

    default_reason = Reason.NOT_ALLOWED


class Internal(MemstoreError):
    """A bug in memstore."""

    default_reason = Reason.INTERNAL
