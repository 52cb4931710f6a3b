"""What the program's exit code says: one number for each kind of error, the same on every command."""

from __future__ import annotations

from collections.abc import Mapping

from memstore import errors

EXIT_CODES: Mapping[type[errors.MemstoreError], int] = {
    errors.InvalidInput: 2,
    errors.NotFound: 3,
    errors.AlreadyExists: 4,
    errors.Conflict: 5,
    errors.FailedPrecondition: 6,
    errors.CorruptData: 7,
    errors.ResourceLimit: 8,
    errors.Unavailable: 9,
    errors.DeadlineExceeded: 10,
    errors.NotImplementedHere: 11,
    errors.NotAllowed: 12,
    errors.Internal: 70,
}
"""Kinds of error and their exit codes; a narrower kind has the code of the one that it belongs to."""
INTERRUPTED = 130
"""Stopped by the keyboard, as shells have it."""
CORRUPT = EXIT_CODES[errors.CorruptData]


def exit_code(error: errors.MemstoreError) -> int:
    """Returns the exit code of an error.

    >>> exit_code(errors.LatentSpecMismatch("the specs differ"))
    6
    """
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def exit_code_table() -> str:
    """Returns the codes in words, for --help."""
    listed = ", ".join(f"{code} {kind.__name__}" for kind, code in EXIT_CODES.items())
    return f"Exit codes: 0 done, {listed}, {INTERRUPTED} interrupted."
