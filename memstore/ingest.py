"""Ingest: frames in, one segment and one commit at a time; only then are its frames acknowledged."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from itertools import takewhile
from types import TracebackType
from typing import Any, Literal

import numpy as np
from jaxtyping import Shaped

from memstore.codec import codec_for
from memstore.errors import FailedPrecondition, InvalidInput, MemstoreError, Reason
from memstore.extent import shown_box
from memstore.forget import ForgetOptions, FreeSpace
from memstore.frame import Frame
from memstore.history.branch import Branch, Change
from memstore.index import arrange
from memstore.latent import LatentSpec, to_tokens
from memstore.layer import Layer, LayerSegment
from memstore.lift import LiftedFrame, LiftOptions, gather, lift
from memstore.patch import Patches, SourceFrames
from memstore.retire import NO_CHANGES, Changes, is_in_place, retire
from memstore.storage.new_segment import NewSegment

SEGMENT_FRAMES = 64
"""Frames of one segment: one commit, and so one wait for the disk, for each."""
OBSERVED, SKY = "observed", "sky"


@dataclass(frozen=True, eq=False)
class _Lifted:
    """A frame that waits for its segment to fill."""

    frame: Frame
    tokens: Shaped[np.ndarray, "rows cols l"]
    patches: LiftedFrame


class Ingest:
    """Takes frames into a branch. Use it as a context manager; leaving it commits what still waits.

    An error inside the block keeps every frame that was added before it. `discard` takes the whole ingest back.
    """

    def __init__(
        self,
        branch: Branch,
        *,
        message: str = "",
        author: str = "",
        request_id: str = "",
        lifting: LiftOptions | None = None,
        forgetting: bool | ForgetOptions | None = None,
    ) -> None:
        """Prepares to take frames in; a `request_id` that was used before goes on where it stopped."""
        done = branch.requested(request_id)
        self.resume_from = sum(commit.frame_count for commit in done)
        """Frames that this request had made durable before: give the next one first."""
        self.acknowledged = 0
        """Frames that this ingest has made durable."""
        self.first_ordinal: int | None = None
        """Ordinal of the first frame taken in, once it is durable."""
        step_id = done[0].step_id if done else uuid.uuid4().hex
        self._change = Change("ingest", message, author, request_id, step_id)
        self._branch = branch
        self._lifting = lifting or LiftOptions()
        self._forgetting = ForgetOptions.of(forgetting)
        self._waiting: list[_Lifted] = []
        self._before = done[-1].parents[0] if done else None
        self._tried_from: str | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Frames added but not yet durable."""
        return len(self._waiting)

    def add(self, frame: Frame) -> None:
        """Lifts a frame; every 64 frames a segment is committed.

        Raises:
            InvalidInput: the frame has no measured depth, or does not fit the world's latents.
            FailedPrecondition: colours alone were given and no codec is registered for the world's latents.
        """
        if self._closed:
            raise FailedPrecondition("this ingest is over; open another with world.ingest().", reason=Reason.CLOSED)
        lifted = self._lift(frame)
        if self._waiting and _size(self._waiting[0].frame) != _size(frame):
            self.flush()
        self._waiting.append(lifted)
        if len(self._waiting) >= SEGMENT_FRAMES:
            self.flush()

    def flush(self) -> int:
        """Commits what waits and returns how many frames of this ingest are durable."""
        if self._waiting:
            with self._branch.store.writing():
                self._settle()
                if self._waiting:
                    self._commit()
        return self.acknowledged

    def discard(self) -> None:
        """Takes the whole ingest back, frames of an earlier try under the same request too.

        Raises:
            Conflict: the branch has moved on since; revert the step instead.
        """
        self._closed = True
        if self._before is None and self._tried_from is None:
            self._waiting.clear()
            return
        with self._branch.store.writing():
            self._settle()
            self._waiting.clear()
            if self._before is not None:
                self._take_back(self._before)

    def abandon(self) -> None:
        """Ends the ingest without saving what still waits; what was acknowledged stays. Idempotent."""
        self._waiting.clear()
        self._closed = True

    def __enter__(self) -> Ingest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        if not self._closed and (error is None or isinstance(error, Exception)):
            self._finish(error)
        self.abandon()
        return False

    def _finish(self, error: BaseException | None) -> None:
        try:
            self.flush()
        except MemstoreError as failure:
            if error is None:
                raise
            error.add_note(f"{self.waiting} frames added before this could not be saved either: {failure}")

    def _lift(self, frame: Frame) -> _Lifted:
        spec = self._branch.record.latents
        grid = spec.token_grid(frame.camera.width, frame.camera.height)
        if not (frame.measured.any() or frame.sky.any()):
            raise InvalidInput(
                "the frame has no measured depth and no sky, so nothing in it has a place; give depth_m in metres "
                "(0 is unmeasured, +inf is sky).",
                reason=Reason.INVALID_FRAME,
                field="depth_m",
            )
        latents = frame.latents if frame.latents is not None else codec_for(spec).encode(_colours(frame))
        return _Lifted(frame, to_tokens(_checked(latents, grid, spec), spec.patch), lift(frame, spec, self._lifting))

    def _commit(self) -> None:
        store, waiting = self._branch.store, self._waiting
        head = self._branch.head()
        before = store.commits.read(head)
        self._tried_from = head
        segment = self._new_segment(before.frame_end)
        ordinal = store.segments.allocate()
        store.segments.write(ordinal, segment)
        free = FreeSpace.of([lifted.frame for lifted in waiting], before.frame_end, self._forgetting)
        layers, surfaces = store.commits.layers(before), _part(ordinal, segment.patches, sky=False)
        surfaces, changes = retire(store, layers, surfaces, free, self._forgetting)
        layers = _shown_in(self._branch, layers, OBSERVED, surfaces, changes)
        if len(segment.patches) > segment.patches.surface_count:
            layers = _shown_in(self._branch, layers, SKY, _part(ordinal, segment.patches, sky=True))
        self._branch.advance(head, layers, replace(self._change, frame_count=len(waiting)))
        self._acknowledge(before.frame_end, len(waiting))

    def _settle(self) -> None:
        """Acknowledges what a failed try brought in after all: the head had moved, and only then did a fsync fail."""
        if self._tried_from is None:
            return
        head, commits = self._branch.head(), self._branch.store.commits
        since = takewhile(lambda pair: pair[0] != self._tried_from, commits.walk(head))
        for _, commit in [pair for pair in since if pair[1].step_id == self._change.step_id]:
            self._branch.heads.move(self._branch.name, head, head)
            self._acknowledge(commit.frame_end - commit.frame_count, commit.frame_count)

    def _acknowledge(self, first_ordinal: int, frame_count: int) -> None:
        self._before = self._before or self._tried_from
        self._tried_from = None
        self.first_ordinal = first_ordinal if self.first_ordinal is None else self.first_ordinal
        self.acknowledged += frame_count
        self._waiting = self._waiting[frame_count:]

    def _new_segment(self, first_ordinal: int) -> NewSegment:
        frames = [lifted.frame for lifted in self._waiting]
        patches, blocks = arrange(gather([lifted.patches for lifted in self._waiting]))
        return NewSegment(
            patches=patches,
            blocks=blocks,
            frames=_source_frames(frames, first_ordinal),
            captions=tuple(frame.caption for frame in frames),
            metadata=tuple(frame.metadata for frame in frames),
            tokens=np.stack([lifted.tokens for lifted in self._waiting]),
            depth_m=np.stack([frame.depth_m for frame in frames]),
            moving=_moving(frames),
            spec=self._branch.record.latents,
            world_id=self._branch.record.world_id,
        )

    def _take_back(self, before: str) -> None:
        store = self._branch.store
        head = self._branch.head()
        if store.commits.read(head).step_id != self._change.step_id:
            raise FailedPrecondition(
                "other changes followed this ingest, so it cannot be discarded any more; revert the step instead."
            )
        layers = store.commits.layers(store.commits.read(before))
        taken_back = Change("discard", self._change.message, self._change.author, takes_back=self._change.step_id)
        self._branch.advance(head, layers, taken_back)


def _part(ordinal: int, patches: Patches, *, sky: bool) -> LayerSegment:
    low, high = shown_box(patches, None, sky)
    shown_count = len(patches) - patches.surface_count if sky else patches.surface_count
    return LayerSegment(ordinal, shown_count, tuple(low.tolist()), tuple(high.tolist()))


def _shown_in(
    branch: Branch,
    layers: tuple[Layer, ...],
    kind: Literal["observed", "sky"],
    part: LayerSegment,
    changes: Changes = NO_CHANGES,
) -> tuple[Layer, ...]:
    """Returns the layers with a new part shown in place, and with the changes to other parts."""
    lists, item = branch.store.lists, part.to_json()
    home = next((layer.layer_id for layer in layers if layer.kind == kind and is_in_place(layer)), None)
    lists_now = {
        layer.layer_id: lists.appended(layer.segments, item, changes.get(layer.layer_id, {}))
        if layer.layer_id == home
        else lists.replaced(layer.segments, changes.get(layer.layer_id, {}))
        for layer in layers
    }
    kept = tuple(replace(layer, segments=lists_now[layer.layer_id]) for layer in layers)
    if home is not None:
        return kept
    names = {layer.name for layer in layers}
    name = next(n for n in (kind, *(f"{kind}-{i}" for i in range(2, len(layers) + 3))) if n not in names)
    return (*kept, Layer(uuid.uuid4().hex[:16], name, kind, lists.of([item])))


def _source_frames(frames: list[Frame], first_ordinal: int) -> SourceFrames:
    cameras = [frame.camera for frame in frames]
    return SourceFrames(
        ordinal=np.arange(first_ordinal, first_ordinal + len(frames), dtype=np.int64),
        time_s=np.array([frame.time_s for frame in frames], np.float64),
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras], np.float64),
        camera_to_world=np.stack([c.camera_to_world for c in cameras]),
        width=cameras[0].width,
        height=cameras[0].height,
    )


def _moving(frames: list[Frame]) -> Any:
    if all(frame.moving is None for frame in frames):
        return None
    still = np.zeros(frames[0].depth_m.shape, np.bool_)
    return np.stack([still if frame.moving is None else frame.moving for frame in frames])


def _colours(frame: Frame) -> np.ndarray:
    if frame.rgb is None:
        raise InvalidInput("the frame has neither rgb nor latents.", reason=Reason.INVALID_FRAME, field="rgb")
    return frame.rgb


def _size(frame: Frame) -> tuple[int, int]:
    return frame.camera.width, frame.camera.height


def _checked(latents: np.ndarray, grid: tuple[int, int], spec: LatentSpec) -> Shaped[np.ndarray, "h w c"]:
    """Returns latents in the spec's dtype.

    Raises:
        InvalidInput: wrong shape or dtype, or values that are not finite.
    """
    wanted = (grid[0] * spec.patch, grid[1] * spec.patch, spec.channels)
    if latents.shape != wanted:
        raise InvalidInput(
            f"latents of this frame must have shape {wanted} ({spec.codec}), got {latents.shape}.",
            reason=Reason.INVALID_FRAME,
            field="latents",
        )
    if latents.dtype != np.dtype(spec.dtype) and not np.can_cast(latents.dtype, spec.dtype, "same_kind"):
        raise InvalidInput(
            f"latents must be {spec.dtype}, got {latents.dtype}.", reason=Reason.INVALID_FRAME, field="latents"
        )
    kept = latents.astype(spec.dtype, copy=False)
    if not np.isfinite(kept).all():
        raise InvalidInput(
            f"latents must be finite in {spec.dtype}, got NaN, infinity or an overflow.",
            reason=Reason.INVALID_FRAME,
            field="latents",
        )
    return kept
