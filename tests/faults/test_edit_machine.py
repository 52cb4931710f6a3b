"""Any order of edits, history verbs, crashes and openings against a model of plain dicts and sets."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from edit.shown import Shown, draft_of, shown
from faults.place import frame
from faults.steps import Crash, CrashAt, watched
from faults.test_stateful import CALM
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import memstore as ms
from memstore.editing import Edit, Outcome
from memstore.errors import Conflict, FailedPrecondition, InvalidInput
from memstore.selection import Selection
from memstore.world import World

WAYS = (
    ms.Transform.translate(3, 0, 0),
    ms.Transform.rotate_y(90, degrees=True),
    ms.Transform.translate(0, -2, 0) @ ms.Transform.scaling(0.5),
    ms.Transform.scaling(4).about((1, 0, 2)),
)
Patches = frozenset[int]


@dataclass(frozen=True)
class Sheet:
    """What a model knows of one layer."""

    name: str
    kind: str
    matrix: np.ndarray
    """world <- layer."""
    shown: Patches
    hidden: Patches = frozenset()
    """Patches that it could show."""
    visible: bool = True
    origin: str = ""
    taken: bool = False
    """Whether its patches were taken out of `origin`."""
    offset: int = 0

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Sheet)
        same = all(getattr(self, name) == getattr(other, name) for name in vars(self) if name != "matrix")
        return same and np.allclose(self.matrix, other.matrix, atol=1e-9)

    __hash__ = None  # type: ignore[assignment]


State = dict[str, Sheet]
"""The layers of a world by id, in order."""


@dataclass(frozen=True)
class Moment:
    """A state, and what undo and redo would do to it."""

    state: State
    past: tuple[State, ...] = ()
    """The states that undo leads back through, the newest last."""
    future: tuple[State, ...] = ()

    def after(self, state: State) -> Moment:
        return Moment(state, (*self.past, self.state))


@dataclass
class Model:
    """What a world ought to show, by branch and by tag."""

    branches: dict[str, Moment] = field(default_factory=dict)
    tags: dict[str, State] = field(default_factory=dict)
    base: State = field(default_factory=dict)
    """The state that both branches came from last."""
    places: dict[int, np.ndarray] = field(default_factory=dict)
    """Where the frames saw each patch."""


def chosen_in(state: State, wanted: Patches | None, name: str = "") -> dict[str, Patches]:
    """Returns the instances among `wanted`, or all, that visible layers show, by layer id; of one layer if named."""
    meant = {
        layer_id: sheet.shown if wanted is None else sheet.shown & wanted
        for layer_id, sheet in state.items()
        if sheet.visible and name in ("", sheet.name)
    }
    return {layer_id: patches for layer_id, patches in meant.items() if patches}


def without(sheet: Sheet, patches: Patches) -> Sheet:
    return replace(sheet, shown=sheet.shown - patches, hidden=sheet.hidden | patches)


def moved(state: State, chosen: dict[str, Patches], way: ms.Transform, made: Iterator[str], name: str) -> State:
    """Returns the state after what is chosen went elsewhere; `made` gives the ids of new layers."""
    after = dict(state)
    for layer_id, patches in chosen.items():
        sheet = after[layer_id]
        if patches == sheet.shown:
            kept = sheet.name if name in ("", sheet.name) else free(after, name)
            after[layer_id] = replace(sheet, matrix=way.matrix @ sheet.matrix, name=kept)
        else:
            taken = Sheet(
                free(after, name or sheet.name), "placed", way.matrix @ sheet.matrix, patches, origin=layer_id,
                taken=True, offset=sheet.offset,
            )  # fmt: skip
            after[layer_id] = without(sheet, patches)
            after[next(made)] = taken
    return after


def copied(state: State, chosen: dict[str, Patches], ways: Iterable[ms.Transform], made: Iterator[str]) -> State:
    after = dict(state)
    for way in ways:
        for layer_id, patches in chosen.items():
            sheet = state[layer_id]
            after[next(made)] = Sheet(
                free(after, f"{sheet.name}-copy"), "placed", way.matrix @ sheet.matrix, patches, origin=layer_id,
                offset=sheet.offset,
            )  # fmt: skip
    return after


def restorable(state: State, wanted: Patches | None) -> dict[str, Patches]:
    found: dict[str, Patches] = {}
    for layer_id, sheet in state.items():
        takers, away = {layer_id}, set[int]()
        for other_id, other in state.items():
            if other.taken and other.origin in takers:
                takers.add(other_id)
                away |= other.shown | other.hidden
        back = sheet.hidden - away
        if sheet.visible and (back := back if wanted is None else back & wanted):
            found[layer_id] = frozenset(back)
    return found


def free(state: State, wanted: str) -> str:
    taken = {sheet.name for sheet in state.values()}
    return next(name for name in (wanted, *(f"{wanted}-{i}" for i in range(2, 1_000))) if name not in taken)


def merged(base: State, ours: State, theirs: State) -> State | None:
    """Returns the merged state where no layer was changed by both sides, else `None`."""
    after: State = {}
    for layer_id in {**ours, **theirs}:
        before, here, there = (state.get(layer_id) for state in (base, ours, theirs))
        if here is None or there is None:
            if before is not None:
                return None
            after[layer_id] = here or there  # type: ignore[assignment]
        elif here in (before, there) or there == before:
            after[layer_id] = there if here == before else here
        else:
            return None
    return after


class Edits(RuleBasedStateMachine):
    """A world with two branches, and its model, moved in step."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="memstore-edits-"))
        self.db = ms.open(self.folder / "db")
        self.model = Model()
        self.next_frame = 0
        self.db.create_world("museum", up="-y")
        garden = self.db.create_world("garden", up="-y")
        with garden.ingest(forgetting=False) as ingest:
            ingest.add(frame(90))
        self.garden_frames = 1
        self.learn(garden)
        self.model.branches["main"] = Moment({})
        self.ingest("main", 2)

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            shutil.rmtree(self.folder)

    # Means

    def world(self, branch: str) -> World:
        return self.db.world("museum").branch(branch)

    def learn(self, world: World) -> None:
        """Remembers where patches were seen that the model does not know yet; of untouched worlds alone."""
        all_shown = shown(world)
        for patch, center in zip(all_shown.patch_id.tolist(), all_shown.center, strict=True):
            self.model.places.setdefault(patch, center)

    def some_branch(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model.branches)))

    def some_selection(self, data: st.DataObject, state: State) -> tuple[Selection, Patches | None, str]:
        """Draws a selection, with the patches and the layer that it means; `None` and "" mean all."""
        names = sorted(sheet.name for sheet in state.values())
        kind = data.draw(st.sampled_from(["patches", "patches", "layer", "patches of a layer", "everything"]))
        if kind == "everything" or not names:
            return ms.Everything(), None, ""
        name = data.draw(st.sampled_from(names))
        if kind == "layer":
            return ms.Layers(name), None, name
        known = sorted(self.model.places)
        step, start = data.draw(st.integers(1, 40)), data.draw(st.integers(0, len(known) - 1))
        ids = known[start::step]
        of = name if kind == "patches of a layer" else ""
        return ms.PatchIds(np.array(ids, np.uint64), of), frozenset(ids), of

    def change(
        self,
        branch: str,
        act: Callable[[Edit], Outcome],
        expected: Callable[[State, Iterator[str]], State],
        count: int,
    ) -> None:
        """Carries out an edit on a world and its model; `count` instances are meant, none is an error."""
        moment = self.model.branches[branch]
        if not count:
            with (
                pytest.raises(InvalidInput, match=r"selects nothing|nothing is selected|nothing hidden"),
                self.world(branch).edit(author="ada") as edit,
            ):
                act(edit)
            return
        with self.world(branch).edit(author="ada") as edit:
            outcome = act(edit)
        assert outcome.report.selected_count == count
        made = (layer.layer_id for layer in outcome.report.layers if layer.layer_id not in moment.state)
        self.model.branches[branch] = moment.after(expected(moment.state, made))

    # Edits

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        branch = self.some_branch(data)
        selection, wanted, name = self.some_selection(data, self.model.branches[branch].state)
        chosen = chosen_in(self.model.branches[branch].state, wanted, name)

        def expected(state: State, made: Iterator[str]) -> State:
            return {id: without(sheet, chosen.get(id, frozenset())) for id, sheet in state.items()}

        self.change(branch, lambda edit: edit.delete(selection), expected, sum(map(len, chosen.values())))

    @rule(data=st.data(), ways=st.lists(st.sampled_from(WAYS), min_size=1, max_size=2))
    def duplicate(self, data: st.DataObject, ways: list[ms.Transform]) -> None:
        branch = self.some_branch(data)
        selection, wanted, name = self.some_selection(data, self.model.branches[branch].state)
        chosen = chosen_in(self.model.branches[branch].state, wanted, name)
        self.change(
            branch,
            lambda edit: edit.duplicate(selection, *ways),
            lambda state, made: copied(state, chosen, ways, made),
            sum(map(len, chosen.values())),
        )

    @rule(data=st.data(), way=st.sampled_from(WAYS), called=st.sampled_from(["", "chair", "observed"]))
    def relocate(self, data: st.DataObject, way: ms.Transform, called: str) -> None:
        branch = self.some_branch(data)
        selection, wanted, name = self.some_selection(data, self.model.branches[branch].state)
        chosen = chosen_in(self.model.branches[branch].state, wanted, name)
        self.change(
            branch,
            lambda edit: edit.relocate(selection, way, name=called),
            lambda state, made: moved(state, chosen, way, made, called),
            sum(map(len, chosen.values())),
        )

    @rule(data=st.data(), called=st.sampled_from(["chair", "table"]))
    def name(self, data: st.DataObject, called: str) -> None:
        branch = self.some_branch(data)
        selection, wanted, name = self.some_selection(data, self.model.branches[branch].state)
        chosen = chosen_in(self.model.branches[branch].state, wanted, name)
        self.change(
            branch,
            lambda edit: edit.name(selection, called),
            lambda state, made: moved(state, chosen, ms.Transform.identity(), made, called),
            sum(map(len, chosen.values())),
        )

    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        branch = self.some_branch(data)
        selection, wanted, name = self.some_selection(data, self.model.branches[branch].state)
        state = self.model.branches[branch].state
        back = {id: some for id, some in restorable(state, wanted).items() if name in ("", state[id].name)}

        def expected(state: State, made: Iterator[str]) -> State:
            shows = {id: back.get(id, frozenset()) for id in state}
            return {
                id: replace(sheet, shown=sheet.shown | shows[id], hidden=sheet.hidden - shows[id])
                for id, sheet in state.items()
            }

        self.change(branch, lambda edit: edit.restore(selection), expected, sum(map(len, back.values())))

    @rule(data=st.data(), visible=st.booleans())
    def show_or_hide(self, data: st.DataObject, visible: bool) -> None:
        branch = self.some_branch(data)
        moment = self.model.branches[branch]
        if not moment.state:
            return
        name = data.draw(st.sampled_from(sorted(sheet.name for sheet in moment.state.values())))  # ids are random
        layer_id, sheet = next((id, sheet) for id, sheet in moment.state.items() if sheet.name == name)
        with self.world(branch).edit(author="ada") as edit:
            outcome = edit.show(sheet.name) if visible else edit.hide(sheet.name)
        count = len(sheet.shown) if sheet.visible != visible else 0
        assert outcome.report.affected_count == count
        after = {**moment.state, layer_id: replace(sheet, visible=visible)}
        self.model.branches[branch] = moment.after(after)

    @rule(data=st.data(), way=st.sampled_from(WAYS))
    def stitch(self, data: st.DataObject, way: ms.Transform) -> None:
        branch = self.some_branch(data)
        moment, garden = self.model.branches[branch], shown(self.db.world("garden"))
        with self.world(branch).edit(author="ada") as edit:
            outcome = edit.stitch("garden", way)
        (layer,) = outcome.report.layers
        new = Sheet(
            free(moment.state, "garden-observed"),
            "placed",
            way.matrix,
            frozenset(garden.patch_id.tolist()),
            offset=self.world(branch).describe().frame_count - self.garden_frames,
        )
        self.model.branches[branch] = moment.after({**moment.state, layer.layer_id: new})

    @rule(data=st.data())
    def fail_in_the_block(self, data: st.DataObject) -> None:
        with pytest.raises(RuntimeError, match="the phone rang"), self.world(self.some_branch(data)).edit() as edit:
            edit.stitch("garden")
            raise RuntimeError("the phone rang")

    # Frames

    def ingest(self, branch: str, count: int) -> None:
        world, moment = self.world(branch), self.model.branches[branch]
        with world.ingest(author="ada", forgetting=False) as ingest:
            for _ in range(count):
                ingest.add(frame(self.next_frame))
                self.next_frame += 1
        self.model.branches[branch] = moment.after(self.with_frames(moment.state, shown(world)))

    def with_frames(self, state: State, now: Shown) -> State:
        """Returns the state with the new patches of a segment where it ought to have them."""
        fresh = np.array([patch not in self.model.places for patch in now.patch_id.tolist()])
        patches = frozenset(now.patch_id[fresh].tolist())
        assert len(patches) == fresh.sum() > 0
        self.model.places.update(zip(now.patch_id[fresh].tolist(), now.center[fresh], strict=True))
        (layer_id,) = set(now.layer_id[fresh].tolist())
        home = next((id for id, sheet in state.items() if self.is_home(sheet)), None)
        if home is None:
            return {**state, layer_id: Sheet(free(state, "observed"), "observed", np.eye(4), patches)}
        assert layer_id == home
        return {**state, home: replace(state[home], shown=state[home].shown | patches)}

    def is_home(self, sheet: Sheet) -> bool:
        in_place = np.array_equal(sheet.matrix, np.eye(4)) and not sheet.offset
        return sheet.kind == "observed" and sheet.visible and in_place

    @rule(data=st.data(), count=st.integers(1, 2))
    def walk_on(self, data: st.DataObject, count: int) -> None:
        self.ingest(self.some_branch(data), count)

    # History

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        branch = self.some_branch(data)
        moment = self.model.branches[branch]
        if not moment.past:
            with pytest.raises(FailedPrecondition, match="undo"):
                self.world(branch).undo(author="ada")
            return
        self.world(branch).undo(author="ada")
        *past, before = moment.past
        self.model.branches[branch] = Moment(before, tuple(past), (*moment.future, moment.state))

    @rule(data=st.data())
    def redo(self, data: st.DataObject) -> None:
        branch = self.some_branch(data)
        moment = self.model.branches[branch]
        if not moment.future:
            with pytest.raises(FailedPrecondition, match="redo"):
                self.world(branch).redo(author="ada")
            return
        self.world(branch).redo(author="ada")
        *future, after = moment.future
        self.model.branches[branch] = Moment(after, (*moment.past, moment.state), tuple(future))

    @precondition(lambda self: "night" not in self.model.branches)
    @rule()
    def branch(self) -> None:
        self.world("main").branch("night", create=True)
        self.model.branches["night"] = self.model.branches["main"]
        self.model.base = self.model.branches["main"].state

    @precondition(lambda self: "night" in self.model.branches)
    @rule(into=st.sampled_from([("main", "night"), ("night", "main")]))
    def merge(self, into: tuple[str, str]) -> None:
        target, source = into
        ours, theirs = self.model.branches[target], self.model.branches[source]
        wanted = merged(self.model.base, ours.state, theirs.state)
        trial = self.world(source).merge_into(target, trial=True, author="ada")
        if trial.conflicts:
            with pytest.raises(Conflict, match=r"both sides|this side|the other side|one side"):
                self.world(source).merge_into(target, author="ada")
            return
        if wanted is None or self.names_clash(ours.state, theirs.state):
            return  # both changed one layer, in places of its own: the tests of merging say what becomes of it
        report = self.world(source).merge_into(target, author="ada")
        if report.commit:
            order = [layer.layer_id for layer in draft_of(self.world(target)).layers]
            assert set(order) == set(wanted)
            self.model.branches[target] = ours.after({layer_id: wanted[layer_id] for layer_id in order})
        self.model.base = theirs.state
        assert self.model.branches[target].state == wanted

    def names_clash(self, ours: State, theirs: State) -> bool:
        names = {id: sheet.name for id, sheet in (*ours.items(), *theirs.items())}
        return len(set(names.values())) < len(names)

    @rule(data=st.data(), name=st.sampled_from(["v1", "v2"]))
    def tag(self, data: st.DataObject, name: str) -> None:
        branch = self.some_branch(data)
        if name in self.model.tags:
            self.world(branch).delete_tag(name)
        self.world(branch).tag(name)
        self.model.tags[name] = self.model.branches[branch].state

    # Faults and upkeep

    @rule()
    def reopen(self) -> None:
        self.db.close()
        self.db = ms.open(self.folder / "db")

    @rule(data=st.data(), step=st.integers(1, 60))
    def crash(self, data: st.DataObject, step: int) -> None:
        branch = self.some_branch(data)
        moment, head = self.model.branches[branch], self.world(branch).head
        chosen = chosen_in(moment.state, None)
        if not chosen:
            return
        way, made, before = WAYS[0], list[str](), set(moment.state)
        try:
            with watched(CrashAt(step)), self.world(branch).edit(author="ada") as edit:
                outcome = edit.duplicate(ms.Everything(), way)
                made = [layer.layer_id for layer in outcome.report.layers]
        except Crash:
            pass
        self.reopen()
        assert before.isdisjoint(made)
        if self.world(branch).head != head:
            self.model.branches[branch] = moment.after(copied(moment.state, chosen, [way], iter(made)))

    @rule(grace_s=st.sampled_from([0.0, 3600.0]))
    def collect(self, grace_s: float) -> None:
        self.db.collect(grace_s=grace_s)

    @rule()
    def repair(self) -> None:
        assert self.db.verify(repair=True).problems == ()

    @invariant()
    def every_branch_shows_what_the_model_says(self) -> None:
        if not hasattr(self, "db"):
            return
        for branch, moment in self.model.branches.items():
            self.assert_shows(self.world(branch), moment.state)
        for name, state in self.model.tags.items():
            self.assert_shows(self.world("main").at(name), state)
        assert {one.name for one in self.world("main").branches()} == set(self.model.branches)
        assert {one.name for one in self.world("main").tags()} == set(self.model.tags)

    def assert_shows(self, world: World, state: State) -> None:
        layers = {layer.layer_id: layer for layer in draft_of(world).layers}
        assert {id: layer.name for id, layer in layers.items()} == {id: sheet.name for id, sheet in state.items()}
        assert {id: layer.visible for id, layer in layers.items()} == {id: one.visible for id, one in state.items()}
        now = shown(world)
        wanted = {(id, patch) for id, sheet in state.items() if sheet.visible for patch in sheet.shown}
        assert now.instances() == wanted
        for id, sheet in state.items():
            mine = now.layer_id == id
            seen = np.array([self.model.places[patch] for patch in now.patch_id[mine].tolist()]).reshape(-1, 3)
            placed = seen @ sheet.matrix[:3, :3].T + sheet.matrix[:3, 3]
            np.testing.assert_allclose(now.center[mine], placed, atol=1e-6)


def test_a_world_does_what_its_model_does() -> None:
    run_state_machine_as_test(
        Edits,
        settings=settings(
            max_examples=6, stateful_step_count=16, deadline=None, suppress_health_check=CALM, derandomize=True
        ),
    )


@pytest.mark.nightly
def test_a_world_does_what_its_model_does_for_long() -> None:
    run_state_machine_as_test(
        Edits, settings=settings(max_examples=80, stateful_step_count=50, deadline=None, suppress_health_check=CALM)
    )
