import numpy as np
import pytest
from PIL import Image

from memstore.drawing.ramp import COVERAGE_RAMP
from memstore.drawing.sheet import PAPER, Column, Row, contact_sheet, write_png
from memstore.errors import InvalidInput

RED, GREEN = (np.broadcast_to(np.array(color, np.uint8), (40, 160, 3)) for color in ((255, 0, 0), (0, 255, 0)))
COLUMNS = (Column("truth"), Column("coverage", COVERAGE_RAMP))


def _box(sheet: np.ndarray, color: np.ndarray) -> list[tuple[int, int, int, int]]:
    """Boxes (top, left, height, width) of the panels of one colour, from top to bottom."""
    match = (sheet == color[0, 0]).all(axis=-1)
    rows = np.flatnonzero(match.sum(axis=1) >= 100)
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
    return [(g[0], np.flatnonzero(match[g[0]])[0], len(g), match[g[0]].sum()) for g in groups]


def test_panels_stand_whole_and_in_line():
    sheet = contact_sheet("a place", COLUMNS, [Row("first", (RED, GREEN)), Row("second", (RED, GREEN))])
    reds, greens = _box(sheet, RED), _box(sheet, GREEN)
    assert [box[2:] for box in (*reds, *greens)] == [(40, 160)] * 4
    assert [box[0] for box in reds] == [box[0] for box in greens]
    assert reds[0][1] == reds[1][1] < reds[0][1] + 160 < greens[0][1] == greens[1][1]


def test_words_and_scales_keep_off_the_panels_and_the_edge():
    sheet = contact_sheet("a place", COLUMNS, [Row("a caption", (RED, GREEN))])
    top = _box(sheet, RED)[0][0]
    ink = (sheet[:top] != PAPER).any(axis=-1)
    assert ink.any()
    assert not ink[:, -8:].any()
    assert not ink[-2:].any()


def test_headings_are_wider_than_small_panels():
    small = np.zeros((8, 8, 3), np.uint8)
    sheet = contact_sheet("", COLUMNS, [Row("", (small, small))])
    assert sheet.shape[1] > 150
    assert not (sheet[:, -8:] != PAPER).any()


@pytest.mark.parametrize("rows", [[], [Row("one panel only", (RED,))]])
def test_rows_need_a_panel_a_column(rows):
    with pytest.raises(InvalidInput, match="a contact sheet of 2 columns needs rows of as many panels"):
        contact_sheet("", COLUMNS, rows)


def test_a_picture_is_written_exactly_and_its_folder_made(tmp_path):
    write_png(tmp_path / "new" / "red.png", np.ascontiguousarray(RED))
    with Image.open(tmp_path / "new" / "red.png") as image:
        assert np.array_equal(np.asarray(image), RED)


def test_a_place_that_cannot_be_written_is_invalid(tmp_path):
    with pytest.raises(InvalidInput, match="cannot write the picture"):
        write_png(tmp_path, np.ascontiguousarray(RED))
