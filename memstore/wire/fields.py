"""What every conversion needs: paths in errors, required fields, and scalars."""

from __future__ import annotations

from collections.abc import Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, get_args

from google.protobuf.message import Message

from memstore.errors import InvalidInput
from memstore.v1 import common_pb2 as pb

Scalar = str | int | float | bool
INT64 = 1 << 63


@contextmanager
def under(path: str) -> Generator[None, None, None]:
    """Puts `path` before the field that an InvalidInput of the block names."""
    try:
        yield
    except InvalidInput as error:
        field = error.details.get("field")
        full = f"{path}.{field}" if field else path
        raise InvalidInput(error.message, reason=error.reason, **{**error.details, "field": full}) from error


def require(message: Message, *names: str) -> None:
    """Raises InvalidInput for the first of the fields that is not set."""
    for name in names:
        if not message.HasField(name):
            raise InvalidInput(f"{name} is missing; send it.", field=name)


def whole(value: int, field: str) -> int:
    """Returns `value` if 64 bits hold it.

    Raises:
        InvalidInput: they do not.
    """
    if not -INT64 <= value < INT64:
        raise InvalidInput(f"{field} must fit 64 bits, got {value}.", field=field)
    return int(value)


def word(text: str, words: Any, field: str) -> Any:
    """Returns `text` if it is one of the `words`, a `Literal`.

    Raises:
        InvalidInput: it is none of them.
    """
    if text not in get_args(words):
        raise InvalidInput(f"{field} must be one of {', '.join(get_args(words))}, got {text[:80]!r}.", field=field)
    return text


def scalars_to_message(message: MutableMapping[str, pb.Scalar], scalars: Mapping[str, Scalar]) -> None:
    """Fills a map of scalars."""
    for name, value in scalars.items():
        _put_scalar(message[name], name, value)


def _put_scalar(message: pb.Scalar, name: str, value: Scalar) -> None:
    match value:
        case bool():
            message.truth = value
        case int():
            message.integer = whole(value, name)
        case float():
            message.number = value
        case str():
            message.text = value
        case _:
            raise InvalidInput(
                f"{name} must be text, a number or a truth value, got {type(value).__name__}.", field=name
            )


def scalars_from_message(message: Mapping[str, pb.Scalar]) -> dict[str, Scalar]:
    """Reads a map of scalars.

    Raises:
        InvalidInput: one has no value.
    """
    return {name: _scalar(name, scalar) for name, scalar in message.items()}


def _scalar(name: str, message: pb.Scalar) -> Scalar:
    kind = message.WhichOneof("value")
    if kind is None:
        raise InvalidInput(f"{name} has no value; send one.", field=name)
    return getattr(message, kind)
