"""A small world whose history is made by hand: every commit changes a draft, and what is shown is a dict of sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from pyroaring import BitMap

import memstore as ms
from memstore.draft import Draft, new_layer_id
from memstore.history.branch import Branch, Change
from memstore.layer import Layer, Mask
from memstore.showing import Showing
from memstore.transform import Transform

Shown = dict[str, set[tuple[int, int]]]
"""Which (segment, row) each layer shows, by the layer's name."""


class Place:
    """A world at hand, with its branches and what they show."""

    def __init__(self, db: ms.Database, world: ms.World) -> None:
        self.db = db
        self.world = world
        self.showing = Showing(db.store)

    def branch(self, name: str = "main") -> Branch:
        return Branch(self.db.store, self.db.registry, self.db.registry.find(self.world.name), name)

    def draft(self, revision: str = "") -> Draft:
        return Draft(self.showing, self.showing.layers(self.world.at(revision).head))

    def commit(
        self,
        change: Callable[[Draft], object],
        author: str = "",
        *,
        on: str = "main",
        operation: str = "edit",
        request_id: str = "",
        message: str = "",
    ) -> str:
        """Commits what `change` makes of a draft of a branch's head."""
        branch = self.branch(on)
        with self.db.store.writing():
            head = branch.head()
            draft = Draft(self.showing, self.showing.layers(head))
            change(draft)
            return branch.advance(head, draft.stage(), Change(operation, message, author, request_id))

    def hide(
        self, rows: Iterable[int], author: str = "", *, layer: str = "observed", segment: int = 0, on: str = "main"
    ):
        return self.commit(lambda draft: hide(draft, layer, segment, rows), author, on=on)

    def restore(self, rows: Iterable[int], author: str = "", *, layer: str = "observed", segment: int = 0, on="main"):
        rows = BitMap(rows)
        return self.commit(
            lambda draft: draft.restore(draft.find(layer).layer_id, {self.segment(segment): rows}), author, on=on
        )

    def move(
        self, rows: Iterable[int], name: str, author: str = "", *, segment: int = 0, x: float = 1, on: str = "main"
    ):
        """Takes rows of `observed` into a new layer, `x` metres along."""

        def change(draft: Draft) -> None:
            hide(draft, "observed", segment, rows)
            show(draft, name, segment, rows, x)

        return self.commit(change, author, on=on)

    def copy(self, rows: Iterable[int], name: str, author: str = "", *, segment: int = 0, on: str = "main"):
        return self.commit(lambda draft: show(draft, name, segment, rows, 1), author, on=on)

    def shift(self, name: str, author: str = "", *, x: float = 1, on: str = "main"):
        def change(draft: Draft) -> None:
            layer = draft.find(name)
            draft.put(replace(layer, placement=Transform.translate(x, 0, 0) @ layer.placement))

        return self.commit(change, author, on=on)

    def remove(self, name: str, author: str = "", *, on: str = "main"):
        return self.commit(lambda draft: draft.remove(draft.find(name).layer_id), author, on=on)

    def segment(self, i: int) -> int:
        """Returns the ordinal of the i-th segment that was taken in."""
        return sorted(self.db.store.segments.listed())[i]

    def shown(self, revision: str = "") -> Shown:
        """Returns what each layer of a commit shows."""
        draft = self.draft(revision)
        return {layer.name: shown_by(draft, layer) for layer in draft.layers}


def hide(draft: Draft, layer: str, segment: int, rows: Iterable[int]) -> None:
    found = draft.find(layer)
    draft.hide(found.layer_id, {sorted(draft.parts(found.layer_id))[segment]: BitMap(rows)})


def show(draft: Draft, name: str, segment: int, rows: Iterable[int], x: float) -> None:
    ordinal = sorted(draft.showing.store.segments.listed())[segment]
    layer = Layer(new_layer_id(), name, "placed", "", placement=Transform.translate(x, 0, 0))
    draft.add(layer, [draft.part(ordinal, Mask(True, BitMap(rows)), sky=False)])


def shown_by(draft: Draft, layer: Layer) -> set[tuple[int, int]]:
    found = set[tuple[int, int]]()
    for segment, part in draft.parts(layer.layer_id).items():
        patches = draft.showing.store.segments.open(segment).patches
        first, stop = (patches.surface_count, len(patches)) if layer.kind == "sky" else (0, patches.surface_count)
        rows = first + np.flatnonzero(draft.hidden_from(part)[first:stop])
        found |= {(segment, row) for row in rows.tolist()}
        assert part.shown_count == len(rows)
    return found
