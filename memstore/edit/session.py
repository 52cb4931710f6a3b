"""Session: one edit, from its first word to its commit.

Operations are tried on a draft of the commit that the edit began on, so that a mistake is said at once. At the end the
draft becomes one commit. If the head has moved meanwhile, the operations run again on the new head, and the edit is
refused if any of them would now mean other patches.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memstore.camera import Camera
from memstore.draft import Draft
from memstore.edit.join import Neighbour
from memstore.edit.look import LOOK, camera_for, look_at_instances
from memstore.edit.perform import Done, Performer
from memstore.edit.resolve import Instances, resolve
from memstore.edited import EditReport, EditRequest, OperationReport, SelectionReport
from memstore.errors import Conflict, FailedPrecondition, InvalidInput, MemstoreError, Reason, TooManyAffected
from memstore.history import revision
from memstore.history.branch import Branch, Change
from memstore.operation import Operation
from memstore.recall import Recall
from memstore.selection import Layers, Selection
from memstore.storage.commits import Commit
from memstore.storage.objects import name_of, to_json
from memstore.storage.registry import Registry


class EngineSession:
    """Works out an edit in this process. It is the `EditSession` of embedded worlds, and of servers."""

    def __init__(self, branch: Branch, recall: Recall, request: EditRequest) -> None:
        """Begins an edit of a branch on `request.base`, or on the head.

        Operations in `request` are tried at once. Errors as `add`.
        """
        self._branch = branch
        self._recall = recall
        # A request that was carried out already is told what it did then, so it is tried where it was.
        earlier = branch.requested(request.request_id)
        self._base = earlier[-1].parents[0] if earlier else request.base or branch.head()
        self._request = replace(request, operations=())
        self._step = _step_of(branch, request.request_id)
        self._performer = self._begun(self._base)
        for operation in request.operations:
            self.add(operation)

    def add(self, operation: Operation) -> OperationReport:
        """Tries an operation on top of those before it; one that is refused changes nothing.

        Raises:
            InvalidInput: nothing is selected, or an argument is no good.
            NotFound: a layer, world or commit is not there.
            TooManyAffected: more would be affected than the edit allows.

        Their details hold the place of the operation in the edit.
        """
        try:
            return self._tried(operation)
        except MemstoreError as error:
            error.details = {**error.details, "operation": len(self._request.operations)}
            raise

    def _tried(self, operation: Operation) -> OperationReport:
        request = replace(self._request, operations=(*self._request.operations, operation))
        before = self._performer.draft.copy()
        done = self._performer.perform(operation)
        try:
            _require_few(self._performer.done, request.max_affected)
        except TooManyAffected:
            self._performer.done.pop()
            self._performer.draft = before
            raise
        self._request = request
        return done.report

    def inspect(self, selection: Selection, camera: Camera | None, *, allow_empty: bool) -> SelectionReport:
        """Says what a selection means after the operations so far."""
        draft, spec = self._performer.draft, self._branch.record.latents
        instances = self._performer.choose(selection, allow_empty=allow_empty)
        return look_at_instances(instances, draft, self._base, self._recall, spec, camera)

    def preview(self, camera: Camera | None) -> EditReport:
        """Says what the operations so far would do, with pictures before and after; writes nothing."""
        report = self._report(self._base, self._performer, commit="")
        view = camera or self._view()
        if view is None:
            return report
        spec, before = self._branch.record.latents, self._recall.showing.scene(self._base)
        pictures = [
            self._recall.mosaic_of(scene, self._base, view, spec, LOOK).image()
            for scene in (before, self._performer.draft.scene())
        ]
        return replace(report, camera=view, before=pictures[0], after=pictures[1])

    def commit(self) -> EditReport:
        """Makes one commit of the operations, durable on return; a repeated request finds the commit that it made.

        Raises:
            Conflict: the head is not `expected_head`, or moved so that operations would mean other patches.
        """
        with self._branch.store.writing():
            earlier = self._branch.requested(self._request.request_id)
            if earlier:
                return self._repeated(earlier[-1])
            head = self._branch.head()
            self._require_expected(head)
            performer = self._performer if head == self._base else self._again(head)
            return self._committed(head, performer)

    def _committed(self, head: str, performer: Performer) -> EditReport:
        objects = self._branch.store.objects
        written = objects.bytes_written
        commit = self._branch.advance(head, performer.draft.stage(), self._change(performer.done))
        report = self._report(head, performer, commit)
        return replace(report, bytes_written=objects.bytes_written - written)

    def _repeated(self, earlier: Commit) -> EditReport:
        """Returns the report of an earlier try of the same request."""
        performer = self._again(earlier.parents[0], checked=False)
        store = self._branch.store
        layers = store.commits.stage_layers(store.commits.read(earlier.parents[0]), performer.draft.stage())
        store.objects.abandon()
        if layers != earlier.layers:
            raise InvalidInput(
                f"request id {self._request.request_id!r} was used for another edit in the last 24 hours; take a new "
                "one.",
                field="request_id",
            )
        return self._report(earlier.parents[0], performer, name_of(to_json(earlier.to_json())))

    def _again(self, head: str, *, checked: bool = True) -> Performer:
        """Runs the operations on another commit.

        Raises:
            Conflict: `checked`, and an operation would mean other patches there.
            TooManyAffected: `checked`, and more would be affected there than the edit allows.
        """
        performer = self._begun(head)
        for i, (operation, first) in enumerate(zip(self._request.operations, self._performer.done, strict=True)):
            try:
                again = performer.perform(operation)
            except (InvalidInput, FailedPrecondition, KeyError) as error:
                raise self._moved(head, i, f"it would be refused there: {error}") from error
            if checked and again.meaning != first.meaning:
                raise self._moved(head, i, "it would mean other patches there")
        if checked:
            _require_few(performer.done, self._request.max_affected)
        return performer

    def _moved(self, head: str, i: int, why: str) -> Conflict:
        return Conflict(
            f"the edit was made on {self._base}, but the head moved to {head}; operation {i} "
            f"({type(self._request.operations[i]).__name__}) cannot be run again on it: {why}. Begin the edit anew.",
            reason=Reason.SELECTION_CHANGED,
            expected=self._base,
            actual=head,
            operation=i,
        )

    def _require_expected(self, head: str) -> None:
        expected = self._request.expected_head
        if expected and expected != head:
            raise Conflict(
                f"branch {self._branch.name!r} was expected at {expected}, but is at {head}; read it again and retry.",
                reason=Reason.HEAD_MOVED,
                expected=expected,
                actual=head,
            )

    def _begun(self, commit: str) -> Performer:
        showing = self._recall.showing
        frame_end = self._branch.store.commits.read(commit).frame_end
        neighbours = EngineNeighbours(self._branch, self._recall, commit, frame_end)
        return Performer(Draft(showing, showing.layers(commit)), neighbours, self._step)

    def _change(self, done: Sequence[Done]) -> Change:
        request = self._request
        verb = done[0].report.operation if len(done) == 1 else "edit"
        return Change(verb, request.message, request.author, request.request_id, self._step)

    def _report(self, base: str, performer: Performer, commit: str) -> EditReport:
        return EditReport(
            commit=commit,
            base=base,
            operations=tuple(done.report for done in performer.done),
            patches_before=self._recall.showing.shown_count(base),
            patches_after=performer.draft.shown_count(),
        )

    def _view(self) -> Camera | None:
        """Returns a camera that saw much of what the operations are about, `None` where they are about nothing."""
        performer = self._performer
        hits = [hits for done in performer.done for hits in done.about.hits]
        made = tuple({layer_id for done in performer.done for layer_id in done.made})
        about = Instances(tuple(hits)) if hits or not made else resolve(Layers(made), performer.draft)
        return camera_for(about)


@dataclass(frozen=True, eq=False)
class EngineNeighbours:
    """The other worlds of a database, as an edit of one branch sees them."""

    branch: Branch
    """The branch that is edited."""
    recall: Recall
    """Shows them."""
    commit: str
    """The commit that is edited."""
    frame_end: int
    """The next frame's ordinal of the world that is edited."""

    @property
    def up(self) -> str:
        """The up axis of the world that is edited."""
        return self.branch.record.up

    def open(self, world: str, branch: str, commit: str) -> Neighbour:
        """Returns another world. Errors as `join.Neighbours.open`."""
        store, showing = self.branch.store, self.recall.showing
        registry = Registry(store)
        record = registry.find(world)
        self.branch.record.latents.require_same(record.latents, f"world {world!r} keeps other latents")
        there = Branch(store, registry, record, branch)
        state = revision.resolve(there, commit)
        if record.world_id == self.branch.record.world_id and state == self.commit:
            raise FailedPrecondition(
                f"world {world!r} cannot be joined to itself as it stands; duplicate what you mean, or name an earlier "
                "commit of it."
            )
        draft = Draft(showing, showing.layers(state))
        return Neighbour(world, state, draft, store.commits.read(state).frame_end)


def _step_of(branch: Branch, request_id: str) -> str:
    """Returns the id of the step that an edit will be: a repeated request makes the same."""
    if not request_id:
        return uuid.uuid4().hex
    return hashlib.blake2b(f"{branch.record.world_id}:{request_id}".encode(), digest_size=16).hexdigest()


def _require_few(done: Sequence[Done], most: int | None) -> None:
    if most is None:
        return
    affected = sum(each.report.affected_count for each in done)
    if affected > most:
        raise TooManyAffected(
            f"the edit would affect {affected} instances of patches, max_affected is {most}; select less, or raise it.",
            affected=affected,
            max_affected=most,
        )
