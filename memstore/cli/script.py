"""Edit scripts: operations in JSON, as the service's message `Operation` is written in JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from memstore.errors import InvalidInput, MemstoreError, NotFound, Reason
from memstore.operation import Operation


def read_script(file: Path) -> list[Operation]:
    """Returns the operations of a script; `-` is what comes in.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is no JSON list of operations; the message names the place.
    """
    listed = _listed(file)
    return [_read(step, _place(file, i)) for i, step in enumerate(listed)]


@contextmanager
def naming_steps(file: Path) -> Generator[None]:
    """Puts the place in a script before what is wrong with an operation of it."""
    try:
        yield
    except MemstoreError as error:
        i = error.details.get("operation")
        if not isinstance(i, int) or error.reason == Reason.SELECTION_CHANGED:  # that one names it itself
            raise
        raise type(error)(f"{_place(file, i)}: {error.message}", reason=error.reason, **error.details) from error


def _place(file: Path, i: int) -> str:
    return f"operation {i} of {'the script' if str(file) == '-' else file}"


def _listed(file: Path) -> list[Any]:
    if str(file) != "-" and not file.is_file():
        raise NotFound(f"there is no script {file}; write one, or give - and pipe it in.", path=str(file))
    try:
        script = json.loads(sys.stdin.read() if str(file) == "-" else file.read_text())
    except ValueError as error:
        raise InvalidInput(f"{file} is no JSON: {error}.", field="script") from error
    if not isinstance(script, list) or not script:
        raise InvalidInput(
            f'{file} should hold a list of operations, such as [{{"hide": {{"names": ["chair"]}}}}], found '
            f"{'an empty one' if script == [] else f'a {type(script).__name__}'}.",
            field="script",
        )
    return cast("list[Any]", script)


def _read(step: Any, place: str) -> Operation:
    from google.protobuf import json_format

    from memstore.v1 import operation_pb2 as pb
    from memstore.wire.operation import operation_from_message

    try:
        message = json_format.ParseDict(step, pb.Operation())
    except (json_format.ParseError, AttributeError, TypeError) as error:
        raise InvalidInput(f"{place} is none: {error}", field="script") from error
    try:
        return operation_from_message(message)
    except InvalidInput as error:
        at = error.details.get("field")
        raise InvalidInput(f"{place}{f', at {at}' if at else ''}: {error.message}", reason=error.reason) from error
