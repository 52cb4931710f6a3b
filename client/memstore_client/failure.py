"""Failed calls become memstore's errors."""

from __future__ import annotations

from typing import Any

import grpc

from memstore.errors import (
    DeadlineExceeded,
    MemstoreError,
    NotImplementedHere,
    Reason,
    ResourceLimit,
    Unavailable,
)
from memstore.wire.errors import STATUS_KEY, error_from_status

BROKEN_SEND = "Internal error from Core"
"""What grpc.aio says when the other side ends a stream in the middle of a write. The status that was sent is lost, so
the stream is opened again and what was not acknowledged goes out again: whoever refuses it will say so again."""


def error_of(failure: Any, address: str, method: str, timeout_s: float | None = None) -> MemstoreError:
    """Returns what the server raised, or what kept the call from reaching it.

    Args:
        failure: a `grpc.RpcError` of a finished call, synchronous or not.
        address: the server that was called.
        method: the method that was called.
        timeout_s: the time that it was given.
    """
    trailers = dict(failure.trailing_metadata() or ())
    details: str = failure.details() or ""
    if STATUS_KEY in trailers:
        return error_from_status(failure.code().value[0], details, trailers[STATUS_KEY])
    match failure.code():
        case grpc.StatusCode.UNAVAILABLE:
            return Unavailable(
                f"no memstore server answers at {address} ({details}); check the address, or start one there with "
                "`memstore serve`.",
                address=address,
            )
        case grpc.StatusCode.INTERNAL if details == BROKEN_SEND:
            return Unavailable(f"the stream to {address} broke while sending; try again.", address=address)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return too_late(address, method, timeout_s)
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return ResourceLimit(
                f"{method} at {address} met a message limit ({details}); raise max_message_bytes of TransportOptions "
                "here and of ServerOptions there.",
                reason=Reason.MESSAGE_TOO_LARGE,
            )
        case grpc.StatusCode.UNIMPLEMENTED:
            return NotImplementedHere(
                f"the server at {address} knows no {method}; it is older than this client: upgrade it.", method=method
            )
        case code:
            return error_from_status(code.value[0], f"{method} at {address} failed with {code.name}: {details}", None)


def too_late(address: str, method: str, timeout_s: float | None) -> DeadlineExceeded:
    """Returns the error of a call, or of a stream that fell silent, when its time is up."""
    given = "its time" if timeout_s is None else f"{timeout_s:g} s"
    return DeadlineExceeded(
        f"{method} at {address} did not answer within {given}; pass a longer timeout_s=, or raise it for all calls in "
        "TransportOptions.",
        method=method,
    )
