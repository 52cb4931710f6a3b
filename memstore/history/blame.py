"""Blame: which steps put an instance of a patch where it is shown.

1. Taken in: the commit that added the frame from which the patch came, and listed its segment first.
2. Placed: back from the head, as long as some parent shows the instance in the same layer at the same place. A merge is
   followed into the branch that it took in.
"""

from __future__ import annotations

import numpy as np

from memstore.compared import Blamed
from memstore.errors import NotFound, Reason
from memstore.history.branch import Branch
from memstore.history.steps import step_of, steps
from memstore.layer import Layer, Mask
from memstore.patch import split_ids
from memstore.showing import Showing
from memstore.storage.commits import Commit
from memstore.summary import CommitSummary


def blame_instance(branch: Branch, showing: Showing, head: str, layer_id: str, patch_id: int) -> Blamed:
    """Returns who put an instance of a patch where it is shown in the commit `head`.

    Raises:
        NotFound: that layer does not show that patch there.
    """
    return _Blame(branch, showing, head, layer_id, patch_id).told()


class _Blame:
    """The search for one instance."""

    def __init__(self, branch: Branch, showing: Showing, head: str, layer_id: str, patch_id: int) -> None:
        self._branch, self._showing, self._head = branch, showing, head
        self._commits = branch.store.commits
        ordinals, rows = split_ids(np.array([patch_id], np.uint64))
        self._patch_id, self._segment, self._row = patch_id, int(ordinals[0]), int(rows[0])
        self._seen = dict[str, bool]()
        self._layer = self._shown_by(layer_id)

    def told(self) -> Blamed:
        segment = self._branch.store.segments.open(self._segment)
        frame = segment.patches.frame[self._row : self._row + 1]
        ordinal = int(segment.frames.ordinal[frame[0]])
        home = int(segment.payload_of(frame)[0][0])
        return Blamed(
            patch_id=self._patch_id,
            layer_id=self._layer.layer_id,
            layer=self._layer.name,
            ordinal=ordinal + self._layer.ordinal_offset,
            observed_by=self._taken_in(home, ordinal),
            placed_by=self._placed(),
        )

    def _taken_in(self, segment: int, ordinal: int) -> CommitSummary | None:
        """Returns the step that added a frame and listed its segment first; `None` when another world did."""
        for commit_id, commit in self._commits.ancestors(self._head):
            is_its_time = commit.frame_end - commit.frame_count <= ordinal < commit.frame_end
            if is_its_time and commit.parents and commit.frame_count:
                before = self._commits.read(commit.parents[0])
                if self._records(commit, segment) and not self._records(before, segment):
                    return self._whole_step(commit_id)
        return None

    def _records(self, commit: Commit, segment: int) -> bool:
        recorded = (layer for layer in self._commits.layers(commit) if layer.kind in ("observed", "generated", "sky"))
        return any(part.segment == segment for layer in recorded for part in self._showing.parts(layer.segments))

    def _placed(self) -> CommitSummary:
        """Returns the step since which the instance is shown where it is."""
        at = self._head
        while True:
            parents = self._commits.read(at).parents
            same = next((parent for parent in parents if self._is_same(self._commits.read(parent))), None)
            if same is None:
                return self._whole_step(at)
            at = same

    def _whole_step(self, commit_id: str) -> CommitSummary:
        """Returns the step of a commit, with what it did after it; of a branch that was merged in, up to there."""
        mine = self._commits.read(commit_id).step(commit_id)
        for step in steps(self._commits, self._head):
            if step.name == mine:
                return step.summary()
        return step_of(self._commits, commit_id).summary()

    def _is_same(self, commit: Commit) -> bool:
        """Whether a commit shows the instance in the same layer at the same place."""
        layer = next((one for one in self._commits.layers(commit) if one.layer_id == self._layer.layer_id), None)
        if layer is self._layer:
            return True
        return layer is not None and layer.visible and layer.placement == self._layer.placement and self._shows(layer)

    def _shows(self, layer: Layer) -> bool:
        if layer.segments not in self._seen:
            parts = [part for part in self._showing.parts(layer.segments) if part.segment == self._segment]
            self._seen[layer.segments] = any(_shows(self._showing.mask(part), self._row) for part in parts)
        return self._seen[layer.segments]

    def _shown_by(self, layer_id: str) -> Layer:
        found = next((layer for layer in self._showing.layers(self._head) if layer.layer_id == layer_id), None)
        if found is None or not self._shows(found):
            raise NotFound(
                f"layer {layer_id!r} shows no patch {self._patch_id} in commit {self._head[:10]}; `pick` names what a "
                "pixel shows.",
                reason=Reason.PATCH_NOT_FOUND,
                patch=self._patch_id,
            )
        return found


def _shows(mask: Mask | None, row: int) -> bool:
    """Whether a mask shows a row as of now."""
    if mask is None:
        return True
    return (row in mask.rows) == mask.shows and not any(row in rows for _, rows in mask.retired)
