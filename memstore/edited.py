"""What edits did, or would do, as plain values: the same embedded and served."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt8

from memstore.camera import Camera
from memstore.errors import InvalidInput
from memstore.operation import MAX_OPERATIONS, Operation
from memstore.selection import Kind
from memstore.summary import Bounds
from memstore.transform import Transform


@dataclass(frozen=True)
class EditRequest:
    """All that one edit asks for: one commit, or nothing."""

    operations: tuple[Operation, ...]
    """What to do, in order."""
    message: str = ""
    """Why, for the log."""
    author: str = ""
    """Who, for the log and for undo."""
    request_id: str = ""
    """Names the request, "" for none: sent again, it is carried out once."""
    base: str = ""
    """The commit that the operations were thought out on; "" for the head. On a head that moved since, they are run
    again, and refused if any of them would now mean other patches."""
    expected_head: str = ""
    """Refuse when the head is another commit; "" to allow it."""
    max_affected: int | None = None
    """Refuse when more instances of patches than this would be hidden, shown or moved; `None` for no limit."""

    def __post_init__(self) -> None:
        if len(self.operations) > MAX_OPERATIONS:
            raise InvalidInput(
                f"an edit takes up to {MAX_OPERATIONS} operations, got {len(self.operations)}; split it.",
                field="operations",
            )
        if self.max_affected is not None and self.max_affected < 0:
            raise InvalidInput(f"max_affected must be at least 0, got {self.max_affected}.", field="max_affected")


@dataclass(frozen=True)
class LayerSummary:
    """One layer as it stands."""

    layer_id: str
    """Id for life."""
    name: str
    """Name, unique in the world."""
    kind: Kind
    """`observed`, `placed`, `generated` or `sky`."""
    origin: str
    """Id of the layer that it was taken from, "" for none."""
    placement: Transform
    """world <- layer."""
    visible: bool
    """Whether it is shown at all."""
    ordinal_offset: int
    """Added to the ordinals of its frames."""
    patch_count: int
    """Patches that it shows, or would show if it were visible."""
    bounds: Bounds | None
    """Box around them in the world; `None` for sky and for nothing."""


@dataclass(frozen=True)
class RegistrationSummary:
    """How well a stitched world fits."""

    transform: Transform
    """here <- other world, as it was fitted."""
    overlap: float
    """Share of the boundary's points that found a partner, 0 to 1."""
    residual_m: float
    """Median distance of partners along the normal, metres."""
    constraint: tuple[float, ...]
    """How well each degree of freedom is held (rotation about x, y, z, then shift along x, y, z): the standard
    deviation to be expected, radians and metres."""
    correction_m: float
    """How far the guess was moved, metres."""
    correction_rad: float
    """How far the guess was turned, radians."""


@dataclass(frozen=True)
class OperationReport:
    """What one operation did."""

    operation: str
    """Its name: delete, duplicate, relocate, invert, name, show, hide, restore, concatenate or stitch."""
    selected_count: int
    """Instances of patches that it was about."""
    hidden_count: int
    """Instances that are no longer shown where they were."""
    shown_count: int
    """Instances that are shown where they were not."""
    layers: tuple[LayerSummary, ...]
    """The layers that it made or moved."""
    bounds: Bounds | None
    """Box around what it was about, before; `None` for sky and for nothing."""
    registration: RegistrationSummary | None = None
    """Of a stitch that was aligned: how well it fits."""

    @property
    def affected_count(self) -> int:
        """Instances of patches that it hid, showed or moved, each counted once."""
        return max(self.hidden_count, self.shown_count)


@dataclass(frozen=True, eq=False)
class EditReport:
    """What an edit did, or, of a preview, would do."""

    commit: str
    """The commit that it made, "" for a preview."""
    base: str
    """The commit that it was made on."""
    operations: tuple[OperationReport, ...]
    """One report an operation."""
    patches_before: int
    """Instances of patches shown before."""
    patches_after: int
    """Instances of patches shown after."""
    bytes_written: int = 0
    """Bytes of the files that it wrote; 0 for a preview."""
    camera: Camera | None = None
    """Of a preview: where its pictures are taken from."""
    before: UInt8[np.ndarray, "h w 3"] | None = field(default=None, repr=False)
    """Of a preview: what that camera sees before."""
    after: UInt8[np.ndarray, "h w 3"] | None = field(default=None, repr=False)
    """Of a preview: what that camera would see after."""

    @property
    def affected_count(self) -> int:
        """Instances of patches that were hidden, shown or moved, all operations together."""
        return sum(report.affected_count for report in self.operations)


@dataclass(frozen=True)
class LayerCount:
    """How much of one layer is meant."""

    layer_id: str
    """The layer's id."""
    name: str
    """The layer's name."""
    patch_count: int
    """Instances of patches selected."""


@dataclass(frozen=True, eq=False)
class SelectionReport:
    """What a selection means now."""

    commit: str
    """The commit that was asked; operations of an edit that wait come on top of it."""
    patch_count: int
    """Instances of patches selected, sky included."""
    bounds: Bounds | None
    """Box around the surfaces selected; `None` where there are none."""
    layers: tuple[LayerCount, ...]
    """How much of which layer, most first."""
    camera: Camera | None
    """Where the picture is taken from: the camera asked for, or a source frame that saw much of it; `None` for
    nothing."""
    picture: UInt8[np.ndarray, "h w 3"] | None = field(repr=False)
    """What that camera sees, with the selection tinted; `None` for nothing."""


@dataclass(frozen=True)
class Picked:
    """The patch that a pixel shows."""

    patch_id: int
    """The patch."""
    layer_id: str
    """Id of the layer that shows it."""
    layer: str
    """Name of that layer."""
    position: tuple[float, float, float]
    """Where the pixel's ray meets it in the world, metres; of sky: a unit direction."""
    depth_m: float
    """Planar depth in the camera, metres; +inf is sky."""
    ordinal: int
    """Ordinal of the frame that it came from, as the world counts it."""
