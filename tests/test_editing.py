"""The edit block without an engine: what is gathered, named, learnt and refused."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

import memstore as ms
from memstore.edited import EditReport, OperationReport, SelectionReport
from memstore.editing import Edit, EditSession, Outcome, Selected, read_chosen
from memstore.errors import FailedPrecondition, InvalidInput, Reason
from memstore.operation import (
    Concatenate,
    Delete,
    Duplicate,
    HideLayers,
    Invert,
    NameLayer,
    Operation,
    Relocate,
    Restore,
    ShowLayers,
    Stitch,
)
from memstore.selection import Made, Selection

BALL = ms.Sphere((0, 0, 0), 1)
UP = ms.Transform.translate(0, 0, 1)


def reported(operation: str) -> OperationReport:
    return OperationReport(operation, 3, 3, 0, (), None)


@dataclass
class Server:
    """Works nothing out until it is asked to."""

    operations: list[Operation] = field(default_factory=list)
    allowed_empty: list[bool] = field(default_factory=list)
    commits: int = 0

    def add(self, operation: Operation) -> OperationReport | None:
        self.operations.append(operation)

    def inspect(self, selection: Selection, camera: ms.Camera | None, *, allow_empty: bool) -> SelectionReport:
        self.allowed_empty.append(allow_empty)
        return SelectionReport("commit", 7, None, (), camera, None)

    def preview(self, camera: ms.Camera | None) -> EditReport:
        return EditReport("", "base", tuple(reported(type(one).__name__) for one in self.operations), 9, 6)

    def commit(self) -> EditReport:
        self.commits += 1
        return EditReport("made", "base", tuple(reported(type(one).__name__) for one in self.operations), 9, 6)


class Broken(Server):
    def add(self, operation: Operation) -> OperationReport | None:
        raise InvalidInput("nothing is selected.")

    def commit(self) -> EditReport:
        raise FailedPrecondition("the disk is gone.")


@dataclass(frozen=True)
class Named:
    name: str
    branch_name: str
    pinned: str = ""
    place: str = ""


def test_a_server_is_an_edit_session():
    assert isinstance(Server(), EditSession)


def test_every_verb_adds_its_operation():
    with Edit(server := Server()) as edit:
        chair = edit.select(BALL, name="chair")
        edit.delete(chair)
        edit.duplicate(chair, UP, UP, pivot="centroid")
        edit.duplicate(BALL, UP, name="twin")
        edit.relocate(chair, UP, pivot=(1, 2, 3))
        edit.relocate(chair, UP, name="stool")
        edit.invert(BALL, height_m=2.0, axis=1, keep=True)
        edit.name(chair, "throne")
        edit.show("a", "b")
        edit.hide("a")
        edit.restore(BALL)
        edit.concatenate("garden", side="-y", gap_m=2.0, sky=True, name="g", commit="c")
        edit.stitch(Named("park", "night"), UP, align="boundary", region=BALL)
        edit.stitch("park")
        edit.stitch(Named("park", "main", "c4"))
    assert edit.operations == server.operations
    assert server.operations == [
        Delete(BALL),
        Duplicate(BALL, (UP, UP), "centroid", "chair-copy"),
        Duplicate(BALL, (UP,), "origin", "twin"),
        Relocate(BALL, UP, (1, 2, 3), "chair"),
        Relocate(BALL, UP, "origin", "stool"),
        Invert(BALL, 2.0, 1, True),
        NameLayer(BALL, "throne"),
        ShowLayers(("a", "b")),
        HideLayers(("a",)),
        Restore(BALL),
        Concatenate("garden", "-y", 2.0, "main", "c", True, "g"),
        Stitch("park", UP, "boundary", BALL, "night"),
        Stitch("park"),
        Stitch("park", commit="c4"),
    ]
    assert server.commits == 1


def test_what_a_selection_allows_goes_with_it():
    with Edit(server := Server()) as edit:
        nothing = edit.select(BALL, allow_empty=True)
        again = edit.select(nothing, name="chair")
        assert (again.selection, again.name, again.allow_empty) == (BALL, "chair", True)
        assert (again.count, again.bounds) == (7, None)
        edit.delete(nothing)
        edit.restore(again)
        edit.name(again, "throne")
    assert server.allowed_empty == [True, True]
    assert [operation.allow_empty for operation in server.operations] == [True] * 3


def test_an_outcome_is_selected_by_its_place_and_knows_its_report_in_time():
    with Edit(server := Server()) as edit:
        moved = edit.relocate(BALL, UP)
        edit.delete(moved)
        assert server.operations[1] == Delete(Made(0))
        with pytest.raises(FailedPrecondition, match=r"what operation 0 does is not known yet.*preview\(\)"):
            _ = moved.report
        assert repr(moved) == "Outcome(operation 0)"
        edit.preview()
        assert moved.report == reported("Relocate")
    assert repr(moved) == "Outcome(operation 0, Relocate of 3 patches)"
    assert edit.report is not None
    assert edit.report.commit == "made"


def test_an_outcome_keeps_what_it_knows():
    outcome = Outcome(4)
    outcome.learn(reported("delete"))
    outcome.learn(None)
    assert outcome.report == reported("delete")
    assert outcome.selection == Made(4)


def test_an_edit_that_is_over_takes_nothing_more():
    with Edit(server := Server()) as edit:
        edit.delete(BALL)
    for act in (
        lambda: edit.delete(BALL),
        lambda: edit.stitch("garden"),
        lambda: edit.select(BALL),
        lambda: edit.preview(),
    ):
        with pytest.raises(FailedPrecondition, match=r"this edit is over; open another with world\.edit\(\)") as caught:
            act()
        assert caught.value.reason is Reason.CLOSED
    with pytest.raises(FailedPrecondition, match="this edit is over"), edit:
        edit.delete(BALL)
    assert server.commits == 1


def test_an_edit_is_committed_once_though_its_block_is_entered_again():
    server = Server()
    edit = Edit(server)
    with edit:
        edit.delete(BALL)
    with edit:
        pass
    assert server.commits == 1


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_an_error_in_the_block_commits_nothing(error):
    server = Server()
    with pytest.raises(type(error)), Edit(server) as edit:
        edit.delete(BALL)
        raise error
    assert server.commits == 0
    assert edit.report is None


def test_an_aborted_or_empty_edit_commits_nothing():
    with Edit(server := Server()) as edit:
        edit.delete(BALL)
        edit.abort()
    with Edit(server):
        pass
    assert server.commits == 0


def test_a_refused_operation_is_not_kept_and_a_failed_commit_ends_the_edit():
    with pytest.raises(FailedPrecondition, match="the disk is gone"), Edit(Broken()) as edit:
        with pytest.raises(InvalidInput, match="nothing is selected"):
            edit.delete(BALL)
        assert edit.operations == []
        edit.operations.append(Delete(BALL))
    with pytest.raises(FailedPrecondition, match="this edit is over"):
        edit.delete(BALL)


@pytest.mark.parametrize("chosen", [None, "chair", [BALL], 3, BALL.center])
def test_what_is_no_selection_is_refused_in_words(chosen):
    with pytest.raises(InvalidInput, match=r"operations take a selection, got .*; use a shape"):
        read_chosen(chosen)


def test_what_operations_take_is_read():
    report = SelectionReport("commit", 0, None, (), None, None)
    assert read_chosen(Selected(BALL, report, "chair", True)) == (BALL, "chair", True)
    assert read_chosen(Outcome(2)) == (Made(2), "", False)
    assert read_chosen(~BALL) == (~BALL, "", False)
