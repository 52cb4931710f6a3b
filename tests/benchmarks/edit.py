"""What edits and history cost on a world that has seen much, and how much slower it is to see afterwards.

The world is a street of rooms, walked frame by frame through the engine. Before anything is timed it carries 1,000
commits, 100 layers (99 balls cut out of the street and turned, one by one) and a scattered 10 % delete. Every edit is
timed from `world.edit()` to its commit on disk, and undone before the next.

    relocate_100k    a box across the street that holds a tenth of the patches moves up
    duplicate_100k   the same box is shown again, beside
    delete_10pct     a tenth of the patches, scattered over all segments
    stitch_1m_1m     a second street of the same size is shown beside this one
    undo             of each of these; the median of the slowest
    merge            each side moved or hid 1 % of the patches, scattered over all segments, other ones
    branch tag       of the head
    retrieve_slowdown_100_edits   40 relocations, 30 deletions and 20 duplications of 1 % each of what still stands
                     where it was seen, scattered over all segments, and 10 stitches of a world of 1 %, in mixed
                     order; on the fresh street and on the carried one: the worse of the two

Options: --patches N (default 1000000), --commits N (default 1000), --layers N (default 100), --repeats N (default 15),
--views N (default 24), --folder PATH.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt64

import memstore as ms
from benchmarks import _lance, _measure, _scene
from memstore.database import Database
from memstore.edited import EditReport
from memstore.editing import Edit
from memstore.errors import InvalidInput
from memstore.patch import patch_ids
from memstore.showing import Showing

OBSERVED = "observed"
UP = ms.Transform.translate(0, 0, 1)
BESIDE = ms.Transform.translate(0, 40, 0)
TURN = ms.Transform.rotate_z(30, degrees=True)
Action = Callable[[Edit], object]


def run(arguments: list[str]) -> dict[str, object]:
    """Measures and returns figures by name."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="memstore-bench-") as folder:
        root = Path(folder)
        before = _measure.fsync_ms(root)
        with ms.open(root / "database") as db:
            figures = _figures(Place(db, options.patches), options)
        return {
            "machine": _measure.machine(),
            "fsync_ms": before,
            "fsync_afterwards_ms": _measure.fsync_ms(root),
            **figures,
            "lance": _lance.figures(root / "lance", options.patches, options.repeats),
        }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="memstore bench edit", description=__doc__)
    parser.add_argument("--patches", type=int, default=1_000_000)
    parser.add_argument("--commits", type=int, default=1_000)
    parser.add_argument("--layers", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; a disk, not a tmpfs")
    return parser.parse_args(arguments)


@dataclass
class Place:
    """A street, a second one, and a yard of a hundredth of their size."""

    db: Database
    """Where they are."""
    patches: int
    """How many patches a street has at least; it gets as many more as fill its last frame."""
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    """Picks what is scattered."""

    def __post_init__(self) -> None:
        self.street, self.garden = (_walked(self.db, name, self.patches) for name in ("street", "garden"))
        self.yard = _walked(self.db, "yard", self.patches // 100)
        self.rooms = -(-self.patches // _patches_per_frame() // _scene.ROUND)
        self.ids = _ids(self.db, self.street)
        self._untouched = self.rng.permutation(self.ids)

    def some(self, share: float) -> ms.PatchIds:
        """Returns patches of the street, scattered over all its segments, that no earlier call returned."""
        count = round(share * len(self.ids))
        if count > len(self._untouched):
            self.forget()
        taken, self._untouched = np.split(self._untouched, [count])
        return ms.PatchIds(taken)

    def forget(self) -> None:
        """Makes all patches untouched again."""
        self._untouched = self.rng.permutation(self.ids)

    def tenth(self) -> ms.Box:
        """Returns a box across the street that holds a tenth of all instances that it shows now."""
        bounds = self.street.bounds()
        assert bounds is not None
        low, high = np.array(bounds.low), np.array(bounds.high)
        wanted, narrow, wide = len(self.ids) // 10, 0.0, 0.5
        for _ in range(12):
            share = (narrow + wide) / 2
            size = (high - low) * (share, 1.5, 1.5)
            box = ms.Box(center=_vector((low + high) / 2), size_m=_vector(size))
            found = _count(self.street, box)
            narrow, wide = (share, wide) if found < wanted else (narrow, share)
        return box

    def ball(self) -> ms.Sphere:
        """Returns a ball around some patch of the street as it was walked."""
        center = self.street.patches(self.rng.choice(self.ids, 1)).center[0]
        return ms.Sphere(center=_vector(center), radius_m=0.5)


def _figures(place: Place, options: argparse.Namespace) -> dict[str, object]:
    fresh = _slowdown(place, "fresh", options.views)
    place.forget()
    _carry(place, options.commits, options.layers)
    state = {
        "patches": len(place.ids),
        "commits": len(place.street.log(limit=10 * options.commits)),
        "layers": len(place.street.layers()),
        "shown_patches": place.street.describe().patch_count,
    }
    timed = {**_edits(place, options.repeats), **_history(place, options.repeats)}
    place.forget()
    carried = _slowdown(place, "carried", options.views)
    slowdown = max(fresh["fresh_slowdown"], carried["carried_slowdown"])
    return {**state, **timed, "retrieve_slowdown_100_edits": slowdown, **fresh, **carried}


# The world


def _walked(db: Database, name: str, patches: int) -> ms.World:
    """Returns a new world of at least so many patches; nothing moves in it, so nothing is forgotten."""
    world = db.create_world(name)
    with world.ingest(forgetting=False) as ingest:
        for frame in _scene.frames(-(-patches // _patches_per_frame())):
            ingest.add(frame)
    return world


def _patches_per_frame() -> int:
    return (256 // 8) * (160 // 8)


def _ids(db: Database, world: ms.World) -> UInt64[np.ndarray, "n"]:
    """Returns the ids of all patches of a world that was walked and not edited yet."""
    showing = Showing(db.store)
    parts = [part for layer in showing.layers(world.head) for part in showing.parts(layer.segments)]
    rows = [np.arange(len(db.store.segments.open(part.segment).patches), dtype=np.uint32) for part in parts]
    return np.concatenate([patch_ids(part.segment, some) for part, some in zip(parts, rows, strict=True)])


def _carry(place: Place, commits: int, layers: int) -> None:
    """Gives the street a past: a delete of a tenth, layers, and commits up to `commits`."""
    made = len(place.street.log(limit=commits))
    _edit(place.street, _deletion(place.some(0.1)))
    balls = layers - 1
    for i in range(balls):
        _cut_out(place, f"ball-{i}")
    for i in range(commits - made - layers):
        _edit(place.street, _small_change(place, i, balls))


def _cut_out(place: Place, name: str) -> None:
    """Makes a layer of a ball that holds something yet."""
    while True:
        chosen = place.ball() & ms.Layers((OBSERVED,))
        with suppress(InvalidInput):
            _edit(place.street, lambda edit: edit.relocate(chosen, TURN, pivot="centroid", name=name))  # noqa: B023
            return


def _small_change(place: Place, i: int, balls: int) -> Action:
    if i % 2:
        return _deletion(ms.PatchIds(place.rng.choice(place.ids, 20)))
    layer = ms.Layers((f"ball-{i % balls}",))
    return lambda edit: edit.relocate(layer, TURN, pivot="centroid")


# Edits


def _edits(place: Place, repeats: int) -> dict[str, object]:
    box = place.tenth()
    verbs: dict[str, Callable[[], Action]] = {
        "relocate_100k": lambda: lambda edit: edit.relocate(box, UP),
        "duplicate_100k": lambda: lambda edit: edit.duplicate(box, BESIDE),
        "delete_10pct": lambda: _deletion(place.some(0.1)),
        "stitch_1m_1m": lambda: lambda edit: edit.stitch(place.garden, BESIDE),
    }
    found: dict[str, object] = {"box_patches": _count(place.street, box)}
    undone: dict[str, float] = {}
    for name, action in verbs.items():
        taken, back, written = _timed(place, action, repeats)
        found |= {f"{name}_ms": _measure.p50(taken), f"{name}_p95_ms": _measure.p95(taken)}
        found |= {f"{name.partition('_')[0]}_bytes": int(np.median(written))}
        undone[f"undo_{name}_ms"] = _measure.p50(back)
    return {**found, "undo_ms": max(undone.values()), **undone}


def _count(world: ms.World, chosen: ms.Box) -> int:
    """Returns how many instances a box holds."""
    with world.edit() as edit:
        count = edit.delete(chosen).report.selected_count
        edit.abort()
    return count


def _deletion(chosen: ms.PatchIds) -> Action:
    return lambda edit: edit.delete(chosen)


def _timed(place: Place, action: Callable[[], Action], repeats: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Returns milliseconds of an edit and of its undo, and the bytes that the edit wrote."""
    taken, back, written = np.empty(repeats), np.empty(repeats), list[int]()
    for i in range(-1, repeats):  # the first warms up
        change = action()
        start = time.perf_counter()
        report = _edit(place.street, change)
        middle = time.perf_counter()
        place.street.undo()
        taken[i], back[i] = 1e3 * (middle - start), 1e3 * (time.perf_counter() - middle)
        written.append(report.bytes_written)
    return taken, back, written


def _edit(world: ms.World, action: Action) -> EditReport:
    with world.edit() as edit:
        action(edit)
    assert edit.report is not None
    return edit.report


# History


def _history(place: Place, repeats: int) -> dict[str, object]:
    street = place.street
    numbered = iter(range(10**9))
    branching = _measure.milliseconds(lambda: street.branch(f"branch-{next(numbered)}", create=True), repeats)
    tagging = _measure.milliseconds(lambda: street.tag(f"tag-{next(numbered)}"), repeats)
    merging = [_merge_ms(place, f"side-{i}") for i in range(repeats)]
    return {
        "branch_ms": _measure.p50(branching),
        "tag_ms": _measure.p50(tagging),
        "merge_ms": _measure.p50(np.array(merging)),
    }


def _merge_ms(place: Place, name: str) -> float:
    """Returns how long it takes to merge a branch that moved 1 % into one that hid 1 %; the street stays as it was."""
    head = place.street.head
    side = place.street.branch(name, create=True)
    theirs, ours = place.some(0.01), place.some(0.01)
    _edit(side, lambda edit: edit.relocate(theirs, UP))
    _edit(place.street, lambda edit: edit.delete(ours))
    start = time.perf_counter()
    side.merge_into("main")
    taken = 1e3 * (time.perf_counter() - start)
    place.street.reset(head)
    return taken


# Seeing


def _slowdown(place: Place, name: str, views: int) -> dict[str, float]:
    """Returns what it costs to see a branch before and after 100 edits, milliseconds, and their ratio."""
    world = place.street.branch(name, create=True)
    cameras = _scene.cameras(views, place.rooms)
    before = _seeing(world, cameras)
    edits = [*["relocate"] * 40, *["delete"] * 30, *["duplicate"] * 20, *["stitch"] * 10]
    for i, verb in enumerate(place.rng.permutation(edits).tolist()):
        _edit(world, _hundredth(place, verb, i))
    first = _measure.p50(_measure.milliseconds(lambda: world.retrieve(cameras[0]), 1, warmup=0))
    after = _seeing(world, cameras)
    return {
        f"{name}_slowdown": after / before,
        f"{name}_retrieve_before_ms": before,
        f"{name}_retrieve_after_ms": after,
        f"{name}_first_retrieve_after_edit_ms": first,
        f"{name}_layers_after": len(world.layers()),
    }


def _seeing(world: ms.World, cameras: list[ms.Camera]) -> float:
    """Returns the median over views of the median of several retrievals, milliseconds."""
    taken = [_measure.p50(_measure.milliseconds(partial(world.retrieve, camera), 5)) for camera in cameras]
    return float(np.median(taken))


def _hundredth(place: Place, verb: str, i: int) -> Action:
    chosen = ms.PatchIds(place.some(0.01).ids, layer=OBSERVED)
    room = ms.Transform.translate(2 * _scene.ROOM[0] * float(place.rng.integers(place.rooms)), 0, 0)
    match verb:
        case "relocate":
            return lambda edit: edit.relocate(chosen, ms.Transform.translate(0, 0, 0.01 * i))
        case "duplicate":
            return lambda edit: edit.duplicate(chosen, ms.Transform.translate(0, 0.01 * i, 0))
        case "delete":
            return lambda edit: edit.delete(chosen)
        case _:
            return lambda edit: edit.stitch(place.yard, room)


def _vector(values: np.ndarray) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
