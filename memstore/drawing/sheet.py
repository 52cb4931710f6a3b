"""Contact sheets: rows of panels under column headings, with captions and colour scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from memstore.drawing.ramp import Ramp
from memstore.errors import InvalidInput

Rgb = UInt8[np.ndarray, "h w 3"]
Ink = tuple[int, int, int]

PAPER, INK, FAINT_INK = (250, 250, 248), (24, 24, 28), (104, 104, 110)
MARGIN_PX, GAP_PX, COLUMN_GAP_PX = 16, 6, 12
TITLE_PX, CAPTION_PX = 16, 13
LEGEND_PX = 56


@dataclass(frozen=True)
class Column:
    """One column of a contact sheet."""

    heading: str
    """What its panels show."""
    ramp: Ramp | None = None
    """The colours of its panels, drawn as a scale beside the heading."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a contact sheet."""

    caption: str
    """What the row shows, one line above it."""
    panels: tuple[Rgb, ...]
    """Pictures, one a column."""


def contact_sheet(title: str, columns: Sequence[Column], rows: Sequence[Row]) -> Rgb:
    """Returns rows of panels as one picture: a column is as wide as its widest panel, a row as high as its highest.

    Raises:
        InvalidInput: there is no row, or a row has another number of panels than there are columns.
    """
    counts = [len(row.panels) for row in rows]
    if not rows or set(counts) != {len(columns)}:
        raise InvalidInput(f"a contact sheet of {len(columns)} columns needs rows of as many panels, got {counts}.")
    layout = _Layout.of(columns, rows)
    image = Image.new("RGB", (layout.width, layout.height), PAPER)
    pen = ImageDraw.Draw(image)
    _write(pen, MARGIN_PX, MARGIN_PX, title, TITLE_PX, INK)
    for column, left, width in zip(columns, layout.lefts, layout.widths, strict=True):
        _draw_heading(image, pen, column, left, width)
    for row, top in zip(rows, layout.tops, strict=True):
        _write(pen, MARGIN_PX, top, row.caption, CAPTION_PX, FAINT_INK)
        for panel, left in zip(row.panels, layout.lefts, strict=True):
            image.paste(Image.fromarray(panel), (left, top + CAPTION_PX + GAP_PX))
    return np.array(image)


def write_png(path: Path, image: Rgb) -> None:
    """Writes a picture, making its folder.

    Raises:
        InvalidInput: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, format="PNG")
    except OSError as error:
        raise InvalidInput(f"cannot write the picture {path}: {error}; choose a file in a folder of yours.") from error


@dataclass(frozen=True)
class _Layout:
    """Where everything goes, pixels."""

    lefts: list[int]
    """Left edge of each column."""
    widths: list[int]
    """Width of each column."""
    tops: list[int]
    """Top of each row, its caption included."""
    width: int
    """Width of the sheet."""
    height: int
    """Height of the sheet."""

    @classmethod
    def of(cls, columns: Sequence[Column], rows: Sequence[Row]) -> _Layout:
        """Lays out a sheet."""
        panels = [max(row.panels[i].shape[1] for row in rows) for i in range(len(columns))]
        widths = [max(panel, _heading_width(column)) for panel, column in zip(panels, columns, strict=True)]
        lefts = _edges(MARGIN_PX, [width + COLUMN_GAP_PX for width in widths])
        heights = [max(panel.shape[0] for panel in row.panels) + CAPTION_PX + 3 * GAP_PX for row in rows]
        tops = _edges(MARGIN_PX + 2 * (TITLE_PX + 2 * GAP_PX), heights)
        return cls(
            lefts[:-1], widths, tops[:-1], lefts[-1] - COLUMN_GAP_PX + MARGIN_PX, tops[-1] - 2 * GAP_PX + MARGIN_PX
        )


def _edges(first: int, sizes: Sequence[int]) -> list[int]:
    return np.cumsum([first, *sizes]).tolist()


def _heading_width(column: Column) -> int:
    words = _length(column.heading, TITLE_PX)
    return words if column.ramp is None else words + 4 * GAP_PX + _legend_width(column.ramp)


def _draw_heading(image: Image.Image, pen: ImageDraw.ImageDraw, column: Column, left: int, width: int) -> None:
    top = MARGIN_PX + TITLE_PX + 2 * GAP_PX
    _write(pen, left, top, column.heading, TITLE_PX, INK)
    if column.ramp is not None:
        _draw_legend(image, pen, column.ramp, left + width - _legend_width(column.ramp), top + 2)


def _draw_legend(image: Image.Image, pen: ImageDraw.ImageDraw, ramp: Ramp, left: int, top: int) -> None:
    """Draws `low [colours] high`."""
    bar = left + _length(ramp.low_label, CAPTION_PX) + GAP_PX
    colors = ramp(np.tile(np.linspace(0, 1, LEGEND_PX), (CAPTION_PX - 2, 1)))
    _write(pen, left, top, ramp.low_label, CAPTION_PX, FAINT_INK)
    image.paste(Image.fromarray(colors), (bar, top + 2))
    _write(pen, bar + LEGEND_PX + GAP_PX, top, ramp.high_label, CAPTION_PX, FAINT_INK)


def _legend_width(ramp: Ramp) -> int:
    return _length(ramp.low_label, CAPTION_PX) + _length(ramp.high_label, CAPTION_PX) + LEGEND_PX + 2 * GAP_PX


def _write(pen: ImageDraw.ImageDraw, left: int, top: int, words: str, size: int, ink: Ink) -> None:
    pen.text((left, top), words, fill=ink, font=ImageFont.load_default(size))


def _length(words: str, size: int) -> int:
    return int(np.ceil(ImageFont.load_default(size).getlength(words)))
