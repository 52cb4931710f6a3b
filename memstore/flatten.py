"""Flatten: the scattered rows of a heavily edited branch, written together; the world stays as it looks.

1. A part of a layer is thin when it shows fewer than three quarters of what its segment has of the layer's kind. Thin
   parts are rewritten, or all parts when everything is asked for.
2. Layer by layer, the rows that these parts ever show are laid along one Z-order curve and cut into segments of
   neighbours. Such a segment holds geometry alone: its frames say in which segment's payload they lie. Retirements
   stay, so that `as_of` sees what it saw; rows that were hidden for good are left behind.
3. One commit puts the fresh parts in place of those that they hold. If the head moved meanwhile, what it did to other
   parts stays, and layers of which it changed the rewritten parts are done again.

Others write in between. A crash leaves the branch as it was, and segments that nothing names, which `collect` removes.
The old parts stay in history: to undo the commit is to have them back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt32

from memstore.draft import Draft
from memstore.edit.describe import bounds_of, summary_of
from memstore.edited import EditReport, OperationReport
from memstore.errors import Conflict, InvalidInput, Reason
from memstore.extent import Extent
from memstore.gather import Share, alike, cut, gather
from memstore.history.branch import Branch, Change
from memstore.layer import Layer, LayerSegment, Mask
from memstore.segment import NEVER_HIDDEN, Homes
from memstore.showing import Showing
from memstore.storage.commits import Commit
from memstore.storage.new_segment import GatheredSegment
from memstore.storage.objects import name_of, to_json
from memstore.storage.store import GATHERED_FORMAT

THIN = 0.75
"""A part that shows less than this share of its rows is rewritten: search still passes over the others."""
ROWS = 40_960
"""Rows of a fresh segment, at most: what 64 frames of 640 tokens hold."""
TRIES = 5
"""How often layers that others changed meanwhile are done again."""
OnProgress = Callable[[int, int, str], None]
"""Called with the rows written, the rows to write, and the stage."""


def flatten(
    branch: Branch,
    showing: Showing,
    *,
    author: str = "",
    message: str = "",
    request_id: str = "",
    everything: bool = False,
    on_progress: OnProgress | None = None,
) -> EditReport:
    """Rewrites the thin parts of a branch's layers into fresh segments and returns what became of them, durable.

    Where nothing is thin nothing is written: the report then names no commit. Patches that are rewritten get new ids.

    Args:
        branch: the branch.
        showing: reads its layers.
        author: who, for the log.
        message: why, for the log.
        request_id: a repeated request finds the work of its first try.
        everything: rewrite all parts, thin or not.
        on_progress: told after each segment.

    Raises:
        Conflict: others kept changing the very parts that were rewritten.
        ResourceLimit: the disk is full; the branch is as it was.
    """
    job = _Flattening(branch, showing, Change("flatten", message, author, request_id), everything, on_progress)
    return job.run()


@dataclass(frozen=True, eq=False)
class _Fresh:
    """A segment that was written."""

    ordinal: int
    """Its ordinal."""
    hidden_from: UInt32[np.ndarray, "n"]
    """Per row the frame ordinal from which it is hidden."""


@dataclass(frozen=True, eq=False)
class _Rewritten:
    """What became of one layer."""

    parts: frozenset[LayerSegment]
    """The parts that were rewritten."""
    fresh: tuple[_Fresh, ...]
    """The segments that hold their rows now."""


class _Flattening:
    """One flattening of one branch."""

    def __init__(
        self, branch: Branch, showing: Showing, change: Change, everything: bool, on_progress: OnProgress | None
    ) -> None:
        self._branch = branch
        self._store = branch.store
        self._showing = showing
        self._change = change
        self._thin = np.inf if everything else THIN
        self._on_progress = on_progress
        self._rewritten: dict[str, _Rewritten] = {}
        self._bytes = 0

    def run(self) -> EditReport:
        for _ in range(TRIES):
            earlier = self._branch.requested(self._change.request_id)
            if earlier:
                return self._repeated(earlier[0])
            self._rewrite(self._draft(self._branch.head()))
            report = self._commit()
            if report is not None:
                return report
        raise Conflict(
            f"{TRIES} times others changed parts of {self._branch.name!r} while these were rewritten; nothing was "
            "changed. Flatten when the branch is quieter.",
            reason=Reason.HEAD_MOVED,
        )

    # Rewriting: no lock is held but while one segment is written

    def _rewrite(self, draft: Draft) -> None:
        """Writes the rows of all layers that are worth it and not done yet."""
        todo = {layer.layer_id: self._shares(draft, layer) for layer in draft.layers if self._is_due(draft, layer)}
        total = sum(len(share.rows) for shares in todo.values() for share in shares.values())
        done = 0
        for layer_id, shares in todo.items():
            layer = draft.find(layer_id)
            if any(len(share.rows) for share in shares.values()):
                self._rewritten[layer_id] = self._write(layer, shares, done, total)
            done += sum(len(share.rows) for share in shares.values())

    def _write(self, layer: Layer, shares: dict[LayerSegment, Share], done: int, total: int) -> _Rewritten:
        fresh: list[_Fresh] = []
        recorded = _recorded(layer, shares)
        full = [share for share in shares.values() if len(share.rows)]
        for kind in alike(full):
            for run in cut(kind, ROWS, sky=layer.kind == "sky"):
                fresh.append(self._write_one(run, recorded, sky=layer.kind == "sky"))
                recorded = recorded[:0]
                done += len(fresh[-1].hidden_from)
                if self._on_progress is not None:
                    self._on_progress(done, total, "flatten")
        return _Rewritten(frozenset(shares), tuple(fresh))

    def _write_one(self, run: list[Share], recorded: UInt32[np.ndarray, "k"], *, sky: bool) -> _Fresh:
        segment, hidden = gather(run, sky=sky)
        frames = segment.payload_of(np.arange(len(segment.frames), dtype=np.uint16))
        new = GatheredSegment(
            patches=segment.patches,
            blocks=segment.blocks,
            frames=segment.frames,
            homes=Homes(*frames, recorded),
            spec=self._branch.record.latents,
            world_id=self._branch.record.world_id,
        )
        with self._store.writing():
            self._store.raise_format(GATHERED_FORMAT)
            ordinal = self._store.segments.allocate()
            self._bytes += self._store.segments.write_gathered(ordinal, new)
        return _Fresh(ordinal, hidden)

    def _shares(self, draft: Draft, layer: Layer) -> dict[LayerSegment, Share]:
        """Returns the rows that the layer's thin parts ever show."""
        found: dict[LayerSegment, Share] = {}
        for part in draft.parts(layer.layer_id).values():
            if part.mask is None and self._thin <= 1:
                continue
            segment = self._store.segments.open(part.segment)
            split, count = segment.patches.surface_count, len(segment.patches)
            first, last = (split, count) if layer.kind == "sky" else (0, split)
            hidden = draft.hidden_from(part)
            rows = first + np.flatnonzero(hidden[first:last])
            if len(rows) < self._thin * (last - first):
                found[part] = Share(segment, rows.astype(np.uint32), hidden[rows])
        return found

    # Committing: all under the writer's lock

    def _commit(self) -> EditReport | None:
        """Puts the fresh parts in place and returns the report; `None` when some have to be written again."""
        with self._store.writing():
            head = self._branch.head()
            draft = self._draft(head)
            rewritten = [layer for layer in draft.layers if layer.layer_id in self._rewritten]
            if any(self._is_due(draft, layer) for layer in rewritten):
                return None
            for layer in rewritten:
                self._put_in_place(draft, layer)
            if not rewritten:
                return self._report(head, "")
            written = self._store.objects.bytes_written
            commit = self._branch.advance(head, draft.stage(), self._change)
            self._bytes += self._store.objects.bytes_written - written
        return self._report(head, commit)

    def _is_due(self, draft: Draft, layer: Layer) -> bool:
        """Whether a layer has yet to be rewritten: not at all, or its parts changed since, or were collected."""
        done = self._rewritten.get(layer.layer_id)
        if done is None:
            return True
        gone = {one.ordinal for one in done.fresh} - set(self._store.segments.listed())
        return bool(gone) or not done.parts <= set(draft.parts(layer.layer_id).values())

    def _put_in_place(self, draft: Draft, layer: Layer) -> None:
        done = self._rewritten[layer.layer_id]
        fresh = [self._part(draft, one, sky=layer.kind == "sky") for one in done.fresh]
        kept = [part for part in draft.parts(layer.layer_id).values() if part not in done.parts]
        draft.add(layer, [*fresh, *kept])

    def _part(self, draft: Draft, fresh: _Fresh, *, sky: bool) -> LayerSegment:
        if (fresh.hidden_from != NEVER_HIDDEN).any():
            return draft.part(fresh.ordinal, Mask.of(fresh.hidden_from, None), sky=sky)
        extent = Extent.of(self._store.segments.open(fresh.ordinal).patches, fresh.hidden_from, sky)
        low, high = (tuple(corner.tolist()) for corner in (extent.low, extent.high))
        return LayerSegment(fresh.ordinal, extent.shown_count, low, high)

    def _repeated(self, earlier: Commit) -> EditReport:
        if earlier.operation != self._change.operation:
            raise InvalidInput(
                f"request id {self._change.request_id!r} was used for another change ({earlier.operation}) in the last "
                "24 hours; take a new one.",
                field="request_id",
            )
        return self._report(earlier.parents[0], name_of(to_json(earlier.to_json())))

    def _draft(self, commit: str) -> Draft:
        return Draft(self._showing, self._showing.layers(commit))

    def _report(self, base: str, commit: str) -> EditReport:
        """Reports what a flattening made of `base`; `commit` is "" for nothing."""
        before, after = self._draft(base), self._draft(commit or base)
        was = {layer.layer_id: layer.segments for layer in before.layers}
        layers = [layer for layer in after.layers if layer.segments != was[layer.layer_id]]
        fresh = [
            part
            for layer in layers
            for segment, part in after.parts(layer.layer_id).items()
            if segment not in before.parts(layer.layer_id)
        ]
        done = OperationReport(
            operation="flatten",
            selected_count=sum(part.shown_count for part in fresh),
            hidden_count=0,
            shown_count=0,
            layers=tuple(summary_of(after, layer) for layer in layers),
            bounds=bounds_of(after, layers),
        )
        return EditReport(commit, base, (done,), before.shown_count(), after.shown_count(), self._bytes)


def _recorded(layer: Layer, shares: dict[LayerSegment, Share]) -> UInt32[np.ndarray, "k"]:
    """Returns the segments whose frames these parts bring into the world: of observed and generated layers, theirs."""
    found: set[int] = set()
    if layer.kind in ("observed", "generated"):
        for part, share in shares.items():
            homes = share.segment.homes
            found.update([part.segment] if homes is None else homes.recorded.tolist())
    return np.array(sorted(found), np.uint32)
