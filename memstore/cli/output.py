"""How the command line speaks: answers on stdout, as words or as one JSON document; everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeAlias, TypeVar, cast

import typer
from rich.console import Console, RenderableType

from memstore.errors import MemstoreError

Item = TypeVar("Item")
Json: TypeAlias = Any
"""None, bool, int, float, str, and lists and string-keyed dicts of these."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of words.")]


def to_json(value: object) -> Json:
    """Returns a value of memstore as JSON: dataclasses by field, tuples as lists, what is not finite as null.

    >>> to_json((1, float("inf")))
    [1, None]
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Iterable):
        return [to_json(item) for item in cast("Iterable[Any]", value)]
    return str(value)


def answer(value: object, words: RenderableType, *, as_json: bool) -> None:
    """Prints a command's answer: `value` as JSON, or `words`."""
    if as_json:
        print_json(value)
    else:
        _console(stderr=False).print(words)


def print_json(value: object) -> None:
    """Prints one JSON document to stdout, at once."""
    sys.stdout.write(json.dumps(to_json(value), ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def note(words: str) -> None:
    """Tells the person something that is not the answer."""
    _console(stderr=True).print(words)


def print_error(error: MemstoreError, *, as_json: bool) -> None:
    """Prints an error: one red sentence, or the document {"error": ...}."""
    if as_json:
        kind = {"kind": type(error).__name__, "reason": str(error.reason)}
        print_json({"error": {**kind, "message": error.message, "details": error.details}})
    else:
        from rich.text import Text

        _console(stderr=True).print(Text(f"error: {error.message}", style="red"), soft_wrap=True)


def two_columns(title: str, facts: Mapping[str, object]) -> RenderableType:
    """Returns facts one a line under a title, names to the left."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for name, fact in facts.items():
        table.add_row(name, str(fact))
    return table


def listing(columns: tuple[str, ...], rows: Iterable[tuple[object, ...]], empty: str) -> RenderableType:
    """Returns a table of rows, numbers to the right, or the sentence `empty`."""
    from rich.table import Table

    kept = list(rows)
    if not kept:
        return empty
    table = Table(box=None, pad_edge=False, header_style="dim")
    for i, column in enumerate(columns):
        number = isinstance(kept[0][i], int | float)
        table.add_column(column, justify="right" if number else "left")
    for row in kept:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    return table


@contextmanager
def working(words: str) -> Generator[None]:
    """Shows that something of unknown length goes on; only on a terminal."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(words):
        yield


def counted(items: Iterable[Item], words: str, total: int | None) -> Generator[Item]:
    """Yields items and shows how many of `total` went by; only on a terminal."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    from rich.progress import track

    yield from track(items, words, total=total, console=console, transient=True)


def bytes_in_words(count: int) -> str:
    """Returns a number of bytes for people.

    >>> bytes_in_words(2_600_000)
    '2.6 MB'
    """
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def time_in_words(seconds_since_1970: float) -> str:
    """Returns a moment for people, local time."""
    import time

    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds_since_1970))


def _console(*, stderr: bool) -> Console:
    """Returns a console on the stream as it stands now: programs that capture output swap the streams."""
    return Console(stderr=stderr, highlight=False)
