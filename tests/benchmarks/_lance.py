"""What plain Lance costs for the same edits: a table of as many patches, changed in place, copied and cloned.

Lance does not wait for the disk (its files are written and not fsynced), so these figures have no fsync in them.
"""

from __future__ import annotations

from pathlib import Path

import lance
import numpy as np
import pyarrow as pa

from benchmarks import _measure

FRAGMENT_ROWS = 40_960
"""Rows of a fragment: as many as a segment of the scene has patches."""


def figures(root: Path, patches: int, repeats: int) -> dict[str, float]:
    """Returns what each change costs, milliseconds; every one on a version of its own of the same table."""
    root.mkdir()
    table = lance.write_dataset(_rows(patches), str(root / "patches"), max_rows_per_file=FRAGMENT_ROWS)
    first = table.version
    tenth = f"x < {patches // 10}"

    def anew() -> lance.LanceDataset:
        """Goes back to the first version, as a new version."""
        old = lance.dataset(table.uri, version=first)
        old.restore()
        return old

    def updated() -> None:
        anew().update({"z": "z + 1.0"}, where=tenth)

    def copied() -> None:
        lance.write_dataset(anew().to_table(filter=tenth), table.uri, mode="append")

    def deleted() -> None:
        anew().delete("id % 10 = 3")

    def joined() -> None:
        lance.write_dataset(anew().to_table(), table.uri, mode="append", max_rows_per_file=FRAGMENT_ROWS)

    numbered = iter(range(10**9))
    restored = _median(anew, repeats)
    return {
        "update_in_place_100k_ms": _median(updated, repeats) - restored,
        "copy_append_100k_ms": _median(copied, repeats) - restored,
        "delete_10pct_ms": _median(deleted, repeats) - restored,
        "copy_append_1m_ms": _median(joined, min(repeats, 5)) - restored,
        "restore_ms": restored,
        "shallow_clone_ms": _median(lambda: table.shallow_clone(root / f"clone-{next(numbered)}", first), repeats),
        "tag_ms": _median(lambda: table.tags.create(f"tag-{next(numbered)}", first), repeats),
    }


def _median(action: object, repeats: int) -> float:
    assert callable(action)
    return _measure.p50(_measure.milliseconds(action, repeats))


def _rows(patches: int) -> pa.Table:
    """Returns patches as the catalog keeps them, in an order in which a box is a run of rows."""
    rng = np.random.default_rng(7)
    n = np.arange(patches)
    return pa.table(
        {
            "id": n.astype(np.uint64),
            "x": n.astype(np.float32),
            "y": rng.random(patches, np.float32),
            "z": rng.random(patches, np.float32),
            "radius": rng.random(patches, np.float32),
            "normal": pa.FixedSizeListArray.from_arrays(rng.integers(0, 999, 2 * patches, np.int16), 2),
            "frame": (n % 64).astype(np.uint16),
            "cell": (n % 640).astype(np.uint32),
            "color": pa.FixedSizeListArray.from_arrays(rng.integers(0, 255, 3 * patches, np.uint8), 3),
            "parts": np.full(patches, 0xFFFF, np.uint16),
        }
    )
