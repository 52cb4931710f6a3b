"""Errors on the wire: one table from class to status code, and the facts that bring the same error back.

A failed call carries a `google.rpc.Status`: the code and the message, `ErrorInfo` (reason, domain "memstore"),
`BadRequest` for a bad field, `RetryInfo` for a wait, and `memstore.v1.ErrorFacts` with the class and its details.
Everything together stays under 4 KiB: larger trailers arrive as a false RESOURCE_EXHAUSTED.
"""

from __future__ import annotations

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from memstore import errors
from memstore.errors import Detail, MemstoreError, Reason
from memstore.v1 import common_pb2 as pb
from memstore.wire.fields import scalars_from_message, scalars_to_message

DOMAIN = "memstore"
STATUS_KEY = "grpc-status-details-bin"
"""Name of the trailer that carries the status."""
MAX_STATUS_BYTES = 4096
MAX_MESSAGE_BYTES = 1000
MAX_FACTS = 20
MAX_FACT_BYTES = 100

CODES: dict[type[MemstoreError], int] = {
    errors.InvalidInput: code_pb2.INVALID_ARGUMENT,
    errors.NotFound: code_pb2.NOT_FOUND,
    errors.AlreadyExists: code_pb2.ALREADY_EXISTS,
    errors.Conflict: code_pb2.ABORTED,
    errors.FailedPrecondition: code_pb2.FAILED_PRECONDITION,
    errors.LatentSpecMismatch: code_pb2.FAILED_PRECONDITION,
    errors.TooManyAffected: code_pb2.FAILED_PRECONDITION,
    errors.ReadOnly: code_pb2.FAILED_PRECONDITION,
    errors.CorruptData: code_pb2.DATA_LOSS,
    errors.ResourceLimit: code_pb2.RESOURCE_EXHAUSTED,
    errors.Unavailable: code_pb2.UNAVAILABLE,
    errors.DeadlineExceeded: code_pb2.DEADLINE_EXCEEDED,
    errors.NotImplementedHere: code_pb2.UNIMPLEMENTED,
    errors.NotAllowed: code_pb2.UNAUTHENTICATED,
    errors.Internal: code_pb2.INTERNAL,
    MemstoreError: code_pb2.UNKNOWN,
}
"""Class to status code. Where classes share a code, `ErrorFacts.kind` tells them apart."""
_KINDS = {kind.__name__: kind for kind in CODES}
_PLAIN = {
    code_pb2.OUT_OF_RANGE: errors.InvalidInput,
    code_pb2.PERMISSION_DENIED: errors.NotAllowed,
    code_pb2.CANCELLED: errors.Unavailable,
    code_pb2.UNKNOWN: errors.Internal,
    **{code: kind for kind, code in reversed(CODES.items()) if kind is not MemstoreError},
}
"""Status code to class, for calls that failed without saying more."""


def error_to_status(error: MemstoreError) -> Status:
    """Returns the status of an error, at most 4 KiB."""
    message = _cut(error.message, MAX_MESSAGE_BYTES)
    facts = {name: _cut(v, MAX_FACT_BYTES) if isinstance(v, str) else v for name, v in error.details.items()}
    kept = dict(list(facts.items())[:MAX_FACTS])
    while (status := _status(error, message, kept)).ByteSize() > MAX_STATUS_BYTES and kept:
        kept.popitem()
    return status


def error_from_status(code: int, message: str, trailer: bytes | None) -> MemstoreError:
    """Returns the error that a call failed with: the same class, reason and details that the other side raised.

    Args:
        code: number of the status code.
        message: the status message.
        trailer: value of the trailer `STATUS_KEY`, `None` where there was none.
    """
    details = _details(trailer)
    info, facts = details.get(ErrorInfo), details.get(pb.ErrorFacts)
    if isinstance(info, ErrorInfo) and isinstance(facts, pb.ErrorFacts) and info.domain == DOMAIN:
        kind = _KINDS.get(facts.kind) or _PLAIN.get(code, errors.Internal)
        return _raised(kind, message, info.reason, dict(scalars_from_message(facts.facts)))
    return _PLAIN.get(code, errors.Internal)(message)


def _status(error: MemstoreError, message: str, facts: dict[str, Detail]) -> Status:
    status = Status(code=_code(error), message=message)
    status.details.add().Pack(ErrorInfo(reason=error.reason, domain=DOMAIN))
    if isinstance(error, errors.InvalidInput) and "field" in facts:
        violation = BadRequest.FieldViolation(field=str(facts["field"]), description=_cut(message, MAX_FACT_BYTES))
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    if "retry_after_s" in facts:
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(int(float(facts["retry_after_s"]) * 1000))
        status.details.add().Pack(retry)
    kept = pb.ErrorFacts(kind=_named(error).__name__)
    scalars_to_message(kept.facts, facts)
    status.details.add().Pack(kept)
    return status


def _named(error: MemstoreError) -> type[MemstoreError]:
    """Returns the nearest class of the table: subclasses elsewhere travel as what they are a kind of."""
    return next(kind for kind in type(error).__mro__ if kind in CODES)


def _code(error: MemstoreError) -> int:
    return CODES[_named(error)]


def _details(trailer: bytes | None) -> dict[type, object]:
    try:
        status = Status.FromString(trailer or b"")
        return {kind: found for kind in (ErrorInfo, pb.ErrorFacts) if (found := _unpacked(status, kind)) is not None}
    except DecodeError:
        return {}


def _unpacked(status: Status, kind: type[ErrorInfo] | type[pb.ErrorFacts]) -> object | None:
    def read(packed: AnyMessage) -> object:
        message = kind()
        packed.Unpack(message)
        return message

    return next((read(packed) for packed in status.details if packed.TypeName() == kind.DESCRIPTOR.full_name), None)


def _raised(kind: type[MemstoreError], message: str, reason: str, details: dict[str, Detail]) -> MemstoreError:
    known = Reason(reason) if reason in Reason.__members__ else None
    return kind(message, reason=known, **details)


def _cut(text: str, size_bytes: int) -> str:
    whole = text.encode(errors="replace")
    return whole.decode() if len(whole) <= size_bytes else whole[: size_bytes - 3].decode(errors="ignore") + "..."
