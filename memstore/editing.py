"""An edit block: operations are gathered, tried, and become one commit when the block ends, or nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, runtime_checkable

from memstore.camera import Camera
from memstore.edited import EditReport, OperationReport, SelectionReport
from memstore.errors import FailedPrecondition, InvalidInput, Reason
from memstore.operation import (
    Align,
    Concatenate,
    Delete,
    Duplicate,
    HideLayers,
    Invert,
    NameLayer,
    Operation,
    Pivot,
    Relocate,
    Restore,
    ShowLayers,
    Side,
    Stitch,
)
from memstore.selection import Made, Selection
from memstore.shape import Shape
from memstore.summary import Bounds
from memstore.transform import Transform


@dataclass(frozen=True)
class Selected:
    """A selection that was looked at: what it means, and what its layers shall be called."""

    selection: Selection
    """The selection."""
    report: SelectionReport
    """What it meant when it was looked at."""
    name: str = ""
    """Name for the layers that operations make of it, "" to let them choose."""
    allow_empty: bool = False
    """Whether operations on nothing are fine."""

    @property
    def count(self) -> int:
        """Instances of patches selected."""
        return self.report.patch_count

    @property
    def bounds(self) -> Bounds | None:
        """Box around the surfaces selected."""
        return self.report.bounds


class Outcome:
    """What one operation makes. It can be selected in later operations of the same edit."""

    def __init__(self, operation: int) -> None:
        """Stands for the operation at that place in the edit."""
        self.selection = Made(operation)
        self._report: OperationReport | None = None

    def learn(self, report: OperationReport | None) -> None:
        """Takes in what the operation did, once that is known."""
        self._report = report or self._report

    @property
    def report(self) -> OperationReport:
        """What the operation did.

        Raises:
            FailedPrecondition: a server has not been asked yet; call `preview()`, or wait for the end of the block.
        """
        if self._report is None:
            raise FailedPrecondition(
                f"what operation {self.selection.operation} does is not known yet: on a server it is worked out by "
                "preview(), or when the edit ends."
            )
        return self._report

    def __repr__(self) -> str:
        known = "" if self._report is None else f", {self._report.operation} of {self._report.selected_count} patches"
        return f"Outcome(operation {self.selection.operation}{known})"


Chosen = Selection | Selected | Outcome
"""What operations take: a selection, one that was looked at, or what an earlier operation made."""


class Operations(ABC):
    """The verbs of an edit, for any transport: each adds an operation and returns what it makes."""

    def __init__(self, place: str = "") -> None:
        """Begins without operations; `place` is the database that they are for."""
        self._place = place
        self.operations: list[Operation] = []
        self._outcomes: list[Outcome] = []
        self._over = False

    def add(self, operation: Operation) -> Outcome:
        """Adds an operation that is at hand as a value, such as a step of an edit script."""
        self._require_open()
        outcome = Outcome(len(self.operations))
        outcome.learn(self._try(operation))
        self.operations.append(operation)
        self._outcomes.append(outcome)
        return outcome

    def delete(self, chosen: Chosen) -> Outcome:
        """Hides a selection."""
        selection, _, empty = read_chosen(chosen)
        return self.add(Delete(selection, empty))

    def duplicate(self, chosen: Chosen, *placements: Transform, pivot: Pivot = "origin", name: str = "") -> Outcome:
        """Shows a selection again elsewhere, once for each placement; the selection itself stays."""
        selection, known, empty = read_chosen(chosen)
        return self.add(Duplicate(selection, placements, pivot, name or (known and f"{known}-copy"), empty))

    def relocate(self, chosen: Chosen, transform: Transform, *, pivot: Pivot = "origin", name: str = "") -> Outcome:
        """Moves, turns and scales a selection about `pivot`."""
        selection, known, empty = read_chosen(chosen)
        return self.add(Relocate(selection, transform, pivot, name or known, empty))

    def invert(
        self, chosen: Chosen, *, height_m: float | None = None, axis: int = 0, keep: bool = False, name: str = ""
    ) -> Outcome:
        """Turns a selection upside down about a horizontal axis at `height_m`, so that it hangs in the sky."""
        selection, known, empty = read_chosen(chosen)
        return self.add(Invert(selection, height_m, axis, keep, name or known, empty))

    def name(self, chosen: Chosen, name: str) -> Outcome:
        """Makes a selection a layer of its own, where it is: an object that people can move by name."""
        selection, _, empty = read_chosen(chosen)
        return self.add(NameLayer(selection, name, empty))

    def show(self, *layers: str) -> Outcome:
        """Shows layers that were hidden."""
        return self.add(ShowLayers(layers))

    def hide(self, *layers: str) -> Outcome:
        """Hides whole layers."""
        return self.add(HideLayers(layers))

    def restore(self, chosen: Chosen) -> Outcome:
        """Shows again what deletions and forgetting hid, where it was."""
        selection, _, empty = read_chosen(chosen)
        return self.add(Restore(selection, empty))

    def concatenate(
        self,
        world: str | NamedWorld,
        *,
        side: Side = "+x",
        gap_m: float = 1.0,
        commit: str = "",
        sky: bool = False,
        name: str = "",
    ) -> Outcome:
        """Shows another world beside this one, beyond its bounds."""
        other, branch, commit = _world(world, commit, self._place)
        return self.add(Concatenate(other, side, gap_m, branch, commit, sky, name))

    def stitch(
        self,
        world: str | NamedWorld,
        at: Transform | None = None,
        *,
        align: Align = "none",
        region: Shape | None = None,
        commit: str = "",
        sky: bool = False,
        name: str = "",
    ) -> Outcome:
        """Shows another world joined to this one at `at`; with `align="boundary"` that is a guess to be fitted."""
        other, branch, commit = _world(world, commit, self._place)
        return self.add(Stitch(other, at or Transform.identity(), align, region, branch, commit, sky, name))

    def _require_open(self) -> None:
        if self._over:
            raise FailedPrecondition("this edit is over; open another with world.edit().", reason=Reason.CLOSED)

    def _learn(self, report: EditReport) -> EditReport:
        for outcome, known in zip(self._outcomes, report.operations, strict=True):
            outcome.learn(known)
        return report

    @abstractmethod
    def _try(self, operation: Operation) -> OperationReport | None:
        """Tries an operation on top of those before it, where that costs nothing."""


@runtime_checkable
class NamedWorld(Protocol):
    """A world as edits name it."""

    @property
    def name(self) -> str:
        """The world's name."""
        ...

    @property
    def branch_name(self) -> str:
        """The branch that the handle follows."""
        ...

    @property
    def pinned(self) -> str:
        """The commit that the handle is pinned to, "" for the branch's head."""
        ...

    @property
    def place(self) -> str:
        """Where its database is."""
        ...


@runtime_checkable
class EditSession(Protocol):
    """Where an edit is worked out: the engine, or a server."""

    def add(self, operation: Operation) -> OperationReport | None:
        """Tries an operation on top of those before it; `None` where that has to wait for `preview` or `commit`."""
        ...

    def inspect(self, selection: Selection, camera: Camera | None, *, allow_empty: bool) -> SelectionReport:
        """Says what a selection means after the operations so far."""
        ...

    def preview(self, camera: Camera | None) -> EditReport:
        """Says what the operations so far would do; writes nothing."""
        ...

    def commit(self) -> EditReport:
        """Makes one commit of the operations, durable on return."""
        ...


class Edit(Operations):
    """One commit, or nothing. Use it as a context manager; an error inside, or `abort`, leaves the world as it was."""

    def __init__(self, session: EditSession, place: str = "") -> None:
        """Works out operations in `session`, for the database at `place`; `World.edit` is the door."""
        super().__init__(place)
        self._session = session
        self.report: EditReport | None = None
        """What the edit did; `None` until the block has ended, and when there was nothing to do."""

    def select(
        self, chosen: Chosen, *, name: str = "", allow_empty: bool = False, camera: Camera | None = None
    ) -> Selected:
        """Returns a selection with its count, bounds and picture; writes nothing.

        Args:
            chosen: what is meant.
            name: what the layers that operations make of it shall be called.
            allow_empty: whether nothing is fine.
            camera: where the picture is taken from; chosen where it is not given.

        Raises:
            InvalidInput: nothing is selected; the message names the nearest patches and the bounds.
        """
        self._require_open()
        selection, known, empty = read_chosen(chosen)
        report = self._session.inspect(selection, camera, allow_empty=allow_empty or empty)
        return Selected(selection, report, name or known, allow_empty or empty)

    def preview(self, camera: Camera | None = None) -> EditReport:
        """Returns what the operations so far would do: counts, bounds, pictures before and after. Writes nothing."""
        self._require_open()
        return self._learn(self._session.preview(camera))

    def abort(self) -> None:
        """Ends the edit without a commit. Idempotent."""
        self._over = True

    def _try(self, operation: Operation) -> OperationReport | None:
        return self._session.add(operation)

    def __enter__(self) -> Edit:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        over, self._over = self._over, True
        if error is None and not over and self.operations:
            self.report = self._learn(self._session.commit())
        return False


def read_chosen(chosen: object) -> tuple[Selection, str, bool]:
    """Returns the selection, the name for its layers, and whether nothing is fine."""
    match chosen:
        case Selected():
            return chosen.selection, chosen.name, chosen.allow_empty
        case Outcome():
            return chosen.selection, "", False
        case Selection():
            return chosen, "", False
        case _:
            raise InvalidInput(
                f"operations take a selection, got {type(chosen).__name__}; use a shape, PatchIds, Layers, Kinds, "
                "Frames, Ordinals, Finer, Everything() or what edit.select or another operation returned.",
                field="selection",
            )


def require_here(world: str | NamedWorld, place: str) -> None:
    """Raises InvalidInput for a handle of another database than the one at `place`: its name may mean another world."""
    if place and not isinstance(world, str) and world.place != place:
        raise InvalidInput(
            f"world {world.name!r} is in another database ({world.place}) than the one that is edited ({place}); "
            "world.stitch() of an embedded world copies it over, or export it there and import it here.",
            field="world",
        )


def _world(world: str | NamedWorld, commit: str, place: str) -> tuple[str, str, str]:
    """Returns the name, the branch and the commit of a world that is to be joined. Errors as `require_here`."""
    if isinstance(world, str):
        return world, "main", commit
    require_here(world, place)
    return world.name, world.branch_name, commit or world.pinned
