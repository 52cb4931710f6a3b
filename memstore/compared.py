"""What histories say, as plain values: differences, merges, blame. The same embedded and served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import UInt8, UInt64

from memstore.camera import Camera
from memstore.selection import Kind
from memstore.summary import CommitSummary
from memstore.transform import Transform

Policy = Literal["fail", "ours", "theirs"]
"""What a merge does about conflicts: refuse, keep this side's state, or take the other's."""
ConflictKind = Literal["patches", "placement", "name", "visible", "layer", "flatten"]
"""What two sides disagree on: patches that one moved and both hid, a layer's placement, name or visibility, a layer
that one removed and the other changed, or a flattened branch."""


@dataclass(frozen=True)
class BranchSummary:
    """One branch, or tag."""

    name: str
    """Its name."""
    commit: str
    """Commit id that it stands at."""


@dataclass(frozen=True)
class DroppedHead:
    """A head that a reset or the removal of a branch left behind; it can be returned to for 30 days."""

    branch: str
    """The branch."""
    commit: str
    """Commit id that it stood at."""
    time_s: float
    """When it was left, seconds since 1970."""


@dataclass(frozen=True, eq=False)
class LayerDiff:
    """How one layer differs."""

    layer_id: str
    """The layer's id."""
    name: str
    """Its name after, or before when it is gone."""
    kind: Kind
    """Its kind."""
    change: Literal["added", "removed", "changed"]
    """Whether the layer is new, gone, or in both."""
    shown_count: int
    """Instances of patches shown after and not before."""
    hidden_count: int
    """Instances of patches shown before and not after."""
    moved: tuple[Transform, Transform] | None = None
    """Placement before and after, if it differs."""
    renamed: tuple[str, str] | None = None
    """Name before and after, if it differs."""
    visible: tuple[bool, bool] | None = None
    """Whether it was shown at all, before and after, if that differs."""
    shown: UInt64[np.ndarray, "n"] | None = field(default=None, repr=False)
    """Ids of the patches shown after and not before; `None` unless asked for."""
    hidden: UInt64[np.ndarray, "m"] | None = field(default=None, repr=False)
    """Ids of the patches shown before and not after; `None` unless asked for."""


@dataclass(frozen=True, eq=False)
class Diff:
    """How one commit differs from another."""

    before: str
    """Commit id."""
    after: str
    """Commit id."""
    layers: tuple[LayerDiff, ...]
    """The layers that differ."""
    camera: Camera | None = None
    """Where the pictures are taken from: the camera asked for, or a source frame that saw much of what differs; `None`
    for no difference."""
    picture_before: UInt8[np.ndarray, "h w 3"] | None = field(default=None, repr=False)
    """What that camera sees before, with what goes tinted red."""
    picture_after: UInt8[np.ndarray, "h w 3"] | None = field(default=None, repr=False)
    """What that camera sees after, with what comes tinted green."""

    @property
    def shown_count(self) -> int:
        """Instances of patches shown after and not before."""
        return sum(layer.shown_count for layer in self.layers)

    @property
    def hidden_count(self) -> int:
        """Instances of patches shown before and not after."""
        return sum(layer.hidden_count for layer in self.layers)


@dataclass(frozen=True)
class MergeConflict:
    """One thing that the two sides of a merge disagree on."""

    kind: ConflictKind
    """What it is about."""
    layer_id: str
    """The layer, "" for the branch as a whole."""
    layer: str
    """The layer's name."""
    message: str
    """What each side did, in words."""
    patch_count: int = 0
    """Patches that it is about, if it is about patches."""


@dataclass(frozen=True)
class MergeReport:
    """What a merge did, or would do."""

    commit: str
    """The commit that it made; "" when nothing was to be merged, or for a trial."""
    base: str
    """The newest commit that both sides came from."""
    ours: str
    """Head of the branch that was merged into."""
    theirs: str
    """Head of the branch that was merged."""
    conflicts: tuple[MergeConflict, ...]
    """What the sides disagreed on; settled by the policy, unless this is a trial."""
    layers: tuple[LayerDiff, ...]
    """What the merge changes in `ours`, without patch ids."""


@dataclass(frozen=True)
class Blamed:
    """Who put the patch there that one looks at."""

    patch_id: int
    """The patch."""
    layer_id: str
    """Id of the layer that shows it."""
    layer: str
    """Name of that layer."""
    ordinal: int
    """Ordinal of the frame that it came from, as the world counts it."""
    observed_by: CommitSummary | None
    """The step that took it in; `None` when that happened in another world."""
    placed_by: CommitSummary
    """The step since which it is shown where it is."""
