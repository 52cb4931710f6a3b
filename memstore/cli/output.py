"""How the command line speaks: answers on stdout, as words or as one JSON document; everything else on stderr."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, TypeAlias, TypeVar, cast

import numpy as np
import typer
from rich.console import Console, RenderableType
from rich.text import Text

from memstore.errors import MemstoreError
from memstore.summary import Bounds

Item = TypeVar("Item")
Json: TypeAlias = Any
"""None, bool, int, float, str, and lists and string-keyed dicts of these."""

PIPED_WIDTH = 160
"""Columns of answers that go into a pipe or a file: one row stays one line."""

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
    if isinstance(value, np.ndarray | np.generic):
        return to_json(cast("Any", value).tolist())
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, Iterable):
        return [to_json(item) for item in cast("Iterable[Any]", value)]
    return str(value)


def without(value: object, *names: str) -> dict[str, object]:
    """Returns the fields of a dataclass by name, some left out, such as pictures: they go into files."""
    assert is_dataclass(value)
    return {field.name: getattr(value, field.name) for field in fields(value) if field.name not in names}


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
    """Returns a table of rows, numbers to the right, or the sentence `empty`; words stand there as they are."""
    from rich.table import Table

    kept = list(rows)
    if not kept:
        return empty
    table = Table(box=None, pad_edge=False, header_style="dim")
    for i, column in enumerate(columns):
        number = isinstance(kept[0][i], int | float)
        table.add_column(column, justify="right" if number else "left")
    for row in kept:
        table.add_row(*(_cell(cell) for cell in row))
    return table


def _cell(cell: object) -> Text:
    """Returns what stands in a table; unlike markup, text of people may hold brackets."""
    if isinstance(cell, Text):
        return cell
    return Text(f"{cell:,}" if isinstance(cell, int) else str(cell))


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


@contextmanager
def progress(words: str) -> Generator[Callable[[int, int, str], None]]:
    """Yields what is to be told of (done, all, stage), and shows it; only on a terminal."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total, stage: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total, stage: bar.update(
            task, completed=done, total=total, description=f"{words}: {stage}" if stage else words
        )


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


def age_in_words(seconds: float) -> str:
    """Returns how long ago something was, for people.

    >>> [age_in_words(seconds) for seconds in (0.4, 75, 7300, 200_000)]
    ['now', '1 min', '2 h', '2 days']
    """
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= length * (2 if unit == "days" else 1):
            return f"{int(seconds // length)} {unit}"
    return "now"


def bounds_in_words(bounds: Bounds | None) -> str:
    """Returns a box for people: where its middle is and how large it is.

    >>> bounds_in_words(Bounds((0, 0, 0), (2, 4, 1)))
    '2.0 x 4.0 x 1.0 m at (1.00, 2.00, 0.50)'
    """
    if bounds is None:
        return "-"
    pairs = list(zip(bounds.low, bounds.high, strict=True))
    size = " x ".join(f"{high - low:.1f}" for low, high in pairs)
    return f"{size} m at ({', '.join(f'{(low + high) / 2:.2f}' for low, high in pairs)})"


def _console(*, stderr: bool) -> Console:
    """Returns a console on the stream as it stands now: programs that capture output swap the streams."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console
