"""What the ghosts benchmark says of a hall of which the truth is known."""

from dataclasses import replace

import hall
import numpy as np
from benchmarks import ghosts

import memstore as ms


def visited(step: int) -> ms.Frame:
    """Returns a frame of a hall with a visitor in it, marked as moving, in the first ten."""
    frame = hall.frame(step, visitor=step < 10)
    return replace(frame, moving=np.asarray(frame.depth_m < hall.frame(step).depth_m))


def test_ghosts_are_counted_and_forgetting_leaves_few(tmp_path):
    with ms.open(tmp_path / "db") as db:
        figures = ghosts.measured(db, "hall", [visited(step) for step in range(30)], every=1)
    assert 0 < 3 * figures["ghost_rate"] < figures["ghost_rate_without"]
    assert figures["gone_rate"] > 0.3
    assert figures["wrongly_retired"] == figures["still_retired"] == 0


def test_where_nothing_moves_there_is_no_ghost(tmp_path):
    with ms.open(tmp_path / "db") as db:
        figures = ghosts.measured(db, "hall", [hall.frame(step) for step in range(8)], every=1)
    assert figures["ghost_rate"] == figures["ghost_rate_without"] == 0
