"""The edit benchmark runs from end to end on a small world; what it measures there means nothing."""

import pytest

BARS = {
    "relocate_100k_ms",
    "duplicate_100k_ms",
    "delete_10pct_ms",
    "stitch_1m_1m_ms",
    "stitch_bytes",
    "undo_ms",
    "branch_ms",
    "tag_ms",
    "merge_ms",
    "retrieve_slowdown_100_edits",
}
SMALL = ("--patches", "10000", "--commits", "12", "--layers", "3", "--repeats", "1", "--views", "1")


@pytest.mark.nightly
def test_the_edit_benchmark_names_every_figure_that_has_a_bar(memstore):
    figures = memstore("bench", "edit", *SMALL, "--json").json
    assert figures.keys() >= BARS | {"fsync_ms", "lance", "machine"}
    assert (figures["layers"], figures["commits"]) == (3, 12)
    assert all(figures[name] > 0 for name in BARS)
