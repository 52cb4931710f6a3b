"""Every edit and history verb in one row, each under a request id, so that a row that was cut off goes on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from faults.place import walk_in
from faults.steps import watched

import memstore as ms
from memstore.database import Database
from memstore.draft import Draft
from memstore.editing import Edit
from memstore.showing import Showing, placed
from memstore.world import World

LEFT = ms.HalfSpace((-1, 0, 0), 0.5)
UP = ms.Transform.translate(0, -3, 0) @ ms.Transform.rotate_y(20, degrees=True)
Act = Callable[[Database, str], object]


def begin(root: Path) -> None:
    """Makes the database that the row of edits starts from."""
    with ms.open(root) as db:
        walk_in(db.create_world("museum", up="-y"), range(4))
        walk_in(db.create_world("garden", up="-y"), range(10, 12))


def _edit(change: Callable[[Edit], object]) -> Act:
    def act(db: Database, request_id: str) -> None:
        with db.world("museum").edit("a change", author="ada", request_id=request_id) as edit:
            change(edit)

    return act


def _several(edit: Edit) -> None:
    chair = edit.name(ms.Ordinals(1, 2) & ms.Layers("observed"), "chair")
    edit.duplicate(chair, UP, UP @ UP, name="chairs")
    edit.delete(ms.Layers("pillar"))


def _branch(db: Database, request_id: str) -> None:
    db.world("museum").branch("night", create=True, request_id=request_id)


def _edit_the_night(db: Database, request_id: str) -> None:
    with db.world("museum").branch("night").edit(author="ada", request_id=request_id) as edit:
        edit.delete(ms.Layers("chair"))


ACTS: dict[str, Act] = {
    "name": _edit(lambda edit: edit.name(ms.Frames((0,)), "pillar")),
    "relocate a layer": _edit(lambda edit: edit.relocate(ms.Layers("pillar"), UP)),
    "delete": _edit(lambda edit: edit.delete(LEFT & ms.Layers("observed"))),
    "relocate": _edit(lambda edit: edit.relocate(ms.Ordinals(2, 3) & ms.Layers("observed"), UP, name="bench")),
    "restore": _edit(lambda edit: edit.restore(LEFT)),
    "duplicate": _edit(lambda edit: edit.duplicate(ms.Layers("pillar"), UP, ms.Transform.scaling(2))),
    "invert": _edit(lambda edit: edit.invert(ms.Layers("bench"), keep=True, name="above")),
    "hide": _edit(lambda edit: edit.hide("above")),
    "show": _edit(lambda edit: edit.show("above")),
    "stitch": _edit(lambda edit: edit.stitch("garden", UP)),
    "concatenate": _edit(lambda edit: edit.concatenate("garden")),
    "tag": lambda db, request_id: db.world("museum").tag("evening", request_id=request_id),
    "several": _edit(_several),
    "undo": lambda db, request_id: db.world("museum").undo(author="ada", request_id=request_id),
    "redo": lambda db, request_id: db.world("museum").redo(author="ada", request_id=request_id),
    "branch": _branch,
    "edit a branch": _edit_the_night,
    "merge": lambda db, request_id: db.world("museum").branch("night").merge_into("main", request_id=request_id),
    "revert": lambda db, request_id: db.world("museum").revert("evening", author="ada", request_id=request_id),
}


def request_of(i: int) -> str:
    return f"act-{i}"


def perform(db: Database, i: int) -> None:
    """Carries out the `i`-th act, once however often it is asked for."""
    list(ACTS.values())[i](db, request_of(i))


State = dict[str, dict[str, tuple[int, np.ndarray]]]
"""By branch and tag, and by layer name: how many patches it shows, and their centres, each axis sorted."""


def state_of(db: Database) -> State:
    """Returns what all branches and tags of the museum show."""
    museum = db.world("museum")
    refs = {one.name: one.commit for one in (*museum.branches(), *museum.tags())}
    return {name: _shown(museum.at(commit)) for name, commit in refs.items()}


def assert_same_state(found: State, wanted: State) -> None:
    assert found.keys() == wanted.keys()
    for ref in wanted:
        assert {name: count for name, (count, _) in found[ref].items()} == {
            name: count for name, (count, _) in wanted[ref].items()
        }
        for name, (_, centers) in wanted[ref].items():
            np.testing.assert_allclose(found[ref][name][1], centers, atol=1e-5)


def _shown(world: World) -> dict[str, tuple[int, np.ndarray]]:
    showing = Showing(world._branch.store)
    draft = Draft(showing, showing.layers(world.head))
    found: dict[str, tuple[int, np.ndarray]] = {}
    for layer in draft.layers:
        centers = [np.empty((0, 3))]
        for entry in (placed(piece, 0, layer) for piece in draft.pieces(layer.layer_id) if layer.visible):
            patches, hidden = entry.segment.patches, entry.hidden_from
            shown = np.ones(len(patches), bool) if hidden is None else hidden == 2**32 - 1
            centers.append(entry.placement.apply(patches.center[shown].astype(np.float64) + patches.origin))
        together = np.concatenate(centers)
        found[layer.name] = len(together), np.sort(together, axis=0)
    return found


def edit_until_killed(template: str, root: str, told: Connection, step: int) -> None:
    """Carries out act after act, tells each that was acknowledged, and dies before its `step`-th step."""
    left = step

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    if not Path(root).exists():
        shutil.copytree(template, root)
    with watched(count), ms.open(root) as db:
        told.send(0)
        for i in range(len(ACTS)):
            perform(db, i)
            told.send(i + 1)
