"""A world: what people and programs hold in their hands. Each verb hands on to the room that does it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

import numpy as np
from jaxtyping import UInt64

from memstore.camera import Camera
from memstore.compared import Blamed, Diff
from memstore.draft import Draft
from memstore.edit.bring import bring_over
from memstore.edit.contrast import pictured
from memstore.edit.describe import summary_of
from memstore.edit.look import pick
from memstore.edit.session import EngineSession
from memstore.edited import EditReport, EditRequest, LayerSummary, Picked, SelectionReport
from memstore.editing import Edit
from memstore.errors import CorruptData, InvalidInput
from memstore.flatten import OnProgress, flatten
from memstore.forget import ForgetOptions
from memstore.frame import Frame
from memstore.history.branch import Branch
from memstore.history.diff import without_ids
from memstore.history.refs import open_branch
from memstore.history.timeline import Timeline
from memstore.ingest import Ingest
from memstore.latent import LatentSpec
from memstore.layer import placed_box
from memstore.lift import LiftOptions
from memstore.mosaic import Mosaic
from memstore.query import Query
from memstore.recall import Recall
from memstore.replay import Replay
from memstore.selection import Selection
from memstore.storage.lease import Lease
from memstore.stored import StoredPatches
from memstore.summary import Bounds, HeadMoved, WorldSummary
from memstore.transform import Transform

WATCH_INTERVAL_S = 0.05
"""How often a watch looks at the head's file for writers in other processes: a stat takes a microsecond."""


class World(Timeline):
    """One branch of a world, live, or pinned to a commit by `at`. Its history verbs are those of `Timeline`."""

    def __init__(self, branch: Branch, recall: Recall, pinned: str | None = None) -> None:
        """Holds a branch; `pinned` fixes the commit that is read."""
        super().__init__(branch, recall.showing, pinned)
        self._recall = recall
        self._replay = Replay(branch.store, branch.record.latents)

    @property
    def name(self) -> str:
        """The world's name."""
        return self._branch.record.name

    @property
    def place(self) -> str:
        """The folder of its database."""
        return str(self._branch.store.root.resolve())

    @property
    def pinned(self) -> str:
        """The commit that this handle is pinned to, "" for the branch's head."""
        return self._pinned or ""

    @property
    def latents(self) -> LatentSpec:
        """What its latents are."""
        return self._branch.record.latents

    @property
    def up(self) -> str:
        """The axis that points up."""
        return self._branch.record.up

    def at(self, commit: str) -> World:
        """Returns this world pinned to a commit of it; reading only.

        Args:
            commit: a commit id, the beginning of one (4 digits or more), a tag or a branch.

        Raises:
            NotFound: nothing of this world is meant.
            InvalidInput: the commit is of another world, or several begin so.
        """
        return World(self._branch, self._recall, self._resolved(commit))

    def branch(self, name: str, *, create: bool = False, at: str = "", request_id: str = "") -> World:
        """Returns this world on another branch.

        Args:
            name: the branch.
            create: make it, at `at`; a branch shares all that it came from.
            at: the revision at which it is made, "" for the commit that this handle reads.
            request_id: a repeated request finds the branch that its first try made.

        Raises:
            NotFound: there is no such branch; the message names the nearest.
            AlreadyExists: it is to be made, and a branch or tag bears the name.
        """
        made_at = self._resolved(at) if create else ""
        return World(open_branch(self._branch, name, made_at, request_id), self._recall)

    @contextmanager
    def pin(self) -> Generator[World]:
        """Holds the present head for as long as the block lasts, against `collect` in any process."""
        commit = self.head
        with Lease(self._branch.store.root, commit):
            yield self.at(commit)

    def ingest(
        self,
        *,
        message: str = "",
        author: str = "",
        request_id: str = "",
        lifting: LiftOptions | None = None,
        forgetting: bool | ForgetOptions | None = None,
    ) -> Ingest:
        """Opens an ingest, to be used as a context manager: one step in the log, saved as it goes.

        Args:
            message: why, for the log.
            author: who, for the log and for undo.
            request_id: name of this ingest; one that was cut off goes on under the same name (`Ingest.resume_from`).
            lifting: rules by which pixels become patches.
            forgetting: whether, or when, stored patches that the frames look through are retired: a door that opened
                leaves no ghost. On by default, for measured depth; give False for frames that a model made.
        """
        self._require_live("ingest into")
        return Ingest(
            self._branch,
            message=message,
            author=author,
            request_id=request_id,
            lifting=lifting,
            forgetting=forgetting,
        )

    @overload
    def retrieve(self, camera: Camera, query: Query | None = None, **options: Any) -> Mosaic: ...
    @overload
    def retrieve(self, camera: Sequence[Camera], query: Query | None = None, **options: Any) -> list[Mosaic]: ...
    def retrieve(
        self, camera: Camera | Sequence[Camera], query: Query | None = None, **options: Any
    ) -> Mosaic | list[Mosaic]:
        """Returns what a camera sees of the memory; for a list of cameras, one mosaic each, of one commit.

        Args:
            camera: one camera, or several.
            query: how patches are chosen.
            **options: fields of `Query`, instead of `query`.

        Raises:
            InvalidInput: an option or a camera is no good.
        """
        asked = Query.of(query, options)
        with self._naming_itself():
            commit = self.head
            if isinstance(camera, Camera):
                return self._recall.mosaic(commit, camera, self.latents, asked)
            return [self._recall.mosaic(commit, one, self.latents, asked) for one in _cameras(camera)]

    def frames(self, start: int = 0, stop: int | None = None, *, as_of: int | None = None) -> Iterator[Frame]:
        """Yields the frames of ordinal `start` to before `stop`, as they went in, one at a time.

        Args:
            start: first ordinal.
            stop: the ordinal to stop before; `None` for all.
            as_of: leave out frames of a later ordinal.
        """
        end = stop if as_of is None else min(as_of + 1, as_of + 1 if stop is None else stop)
        return self._naming_itself_in(self._replay.frames(self.head, start, end))

    def patches(self, ids: UInt64[np.ndarray, "n"]) -> StoredPatches:
        """Returns patches by id, as they were observed; all or nothing.

        Raises:
            NotFound: some id names no patch of this world's segments.
        """
        with self._naming_itself():
            return self._replay.patches(self.head, ids)

    def bounds(self) -> Bounds | None:
        """Returns a box around everything that is shown but the sky, or `None` when nothing is."""
        entries = [entry for entry in self._recall.showing.scene(self.head).entries if not entry.sky]
        if not entries:
            return None
        boxes = [placed_box(entry.low, entry.high, entry.placement) for entry in entries]
        low = np.min([box[0] for box in boxes], axis=0)
        high = np.max([box[1] for box in boxes], axis=0)
        return Bounds(tuple(low.tolist()), tuple(high.tolist()))

    def edit(
        self,
        message: str = "",
        *,
        author: str = "",
        request_id: str = "",
        expected_head: str = "",
        max_affected: int | None = None,
    ) -> Edit:
        """Opens an edit, to be used as a context manager: one commit, or nothing.

        Args:
            message: why, for the log.
            author: who, for the log and for undo.
            request_id: name of this edit; one that is sent again is carried out once.
            expected_head: refuse when the head is another commit at the end.
            max_affected: refuse when more instances of patches would be hidden, shown or moved.
        """
        request = EditRequest((), message, author, request_id, "", expected_head, max_affected)
        return Edit(self.session(request), self.place)

    def session(self, request: EditRequest) -> EngineSession:
        """Opens an edit that is at hand as a value, its operations included; `edit` is the door for people."""
        self._require_live("edit")
        return EngineSession(self._branch, self._recall, request)

    def stitch(
        self,
        world: str | World,
        at: Transform | None = None,
        *,
        message: str = "",
        author: str = "",
        request_id: str = "",
        **options: Any,
    ) -> EditReport:
        """Shows another world joined to this one, as an edit of its own (see `Operations.stitch`).

        A world of another database is copied into this one first; the log says what was copied.
        """
        if isinstance(world, World) and world.place != self.place:
            brought = bring_over(self._branch.store, world._branch, world.pinned)
            world, message = World(brought.branch, self._recall), f"{message} ({brought})".lstrip()
            options["commit"] = brought.commit
        with self.edit(message, author=author, request_id=request_id) as edit:
            edit.stitch(world, at, **options)
        assert edit.report is not None  # there was an operation, and no error
        return edit.report

    def flatten(
        self,
        *,
        author: str = "",
        message: str = "",
        request_id: str = "",
        everything: bool = False,
        on_progress: OnProgress | None = None,
    ) -> EditReport:
        """Rewrites what many edits have scattered into fresh segments, so that it is found faster; all looks the same.

        No latent is copied; the patches that are rewritten get new ids. Raises as `memstore.flatten.flatten`.

        Args:
            author: who, for the log.
            message: why, for the log.
            request_id: a repeated request finds the work of its first try.
            everything: rewrite all that the branch shows, scattered or not.
            on_progress: called with the rows written, the rows to write, and the stage.
        """
        self._require_live("flatten")
        return flatten(
            self._branch,
            self._recall.showing,
            author=author,
            message=message,
            request_id=request_id,
            everything=everything,
            on_progress=on_progress,
        )

    def layers(self) -> list[LayerSummary]:
        """Returns the layers, in order."""
        showing = self._recall.showing
        draft = Draft(showing, showing.layers(self.head))
        return [summary_of(draft, layer) for layer in draft.layers]

    def select(
        self, selection: Selection, *, camera: Camera | None = None, allow_empty: bool = False
    ) -> SelectionReport:
        """Returns what a selection means: count, bounds, layers, and a picture with it tinted. Writes nothing."""
        session = EngineSession(self._branch, self._recall, EditRequest((), base=self.head))
        return session.inspect(selection, camera, allow_empty=allow_empty)

    def pick(self, camera: Camera, u: float, v: float) -> Picked | None:
        """Returns the patch that pixel (u, v) of a camera shows, or `None` where memory shows nothing."""
        return pick(self._recall, self.head, self.latents, camera, u, v)

    def diff(self, before: str, after: str = "", *, camera: Camera | None = None, patches: bool = False) -> Diff:
        """Returns how one commit differs from another, by layer, with pictures of both.

        Args:
            before: a revision: a commit id, the beginning of one, a tag or a branch.
            after: the other, "" for the commit that this handle reads.
            camera: where the pictures are taken from; chosen where it is not given.
            patches: whether to name the patches, and not only to count them.

        Raises:
            NotFound: nothing of this world is meant.
        """
        difference = pictured(self._difference(before, after), self._recall, self.latents, camera)
        return difference if patches else without_ids(difference)

    def blame(self, camera: Camera, u: float, v: float) -> Blamed | None:
        """Returns who put the patch there that pixel (u, v) of a camera shows, `None` where memory shows nothing."""
        world = self.at(self.head)
        picked = world.pick(camera, u, v)
        return None if picked is None else world.blame_instance(picked.layer_id, picked.patch_id)

    def watch(self, *, timeout_s: float | None = None) -> Iterator[HeadMoved]:
        """Yields every new head of the branch, by whichever process; ends when none came for `timeout_s`."""
        previous, since = self.head, time.monotonic()
        while timeout_s is None or time.monotonic() - since < timeout_s:
            with self._branch.store.head_moved:
                self._branch.store.head_moved.wait(WATCH_INTERVAL_S)
            head = self._branch.head()
            if head != previous:
                yield HeadMoved(self.name, self.branch_name, head, previous)
                previous, since = head, time.monotonic()

    def describe(self) -> WorldSummary:
        """Returns the world as it stands."""
        head = self.head
        commit = self._branch.store.commits.read(head)
        record = self._branch.record
        return WorldSummary(
            name=record.name,
            world_id=record.world_id,
            latents=record.latents,
            up=record.up,
            branch=self.branch_name,
            head=head,
            frame_count=commit.frame_end,
            patch_count=self._recall.showing.shown_count(head),
            layer_count=self._branch.store.lists.length(commit.layers),
            created_s=record.created_s,
            deleted_s=record.deleted_s,
        )

    @contextmanager
    def _naming_itself(self) -> Generator[None]:
        """Adds the world's name to what is wrong with its files."""
        try:
            yield
        except CorruptData as error:
            details = {**error.details, "world": self.name}
            raise CorruptData(f"world {self.name!r} cannot be read: {error}", reason=error.reason, **details) from error

    def _naming_itself_in(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        with self._naming_itself():
            yield from frames

    def __repr__(self) -> str:
        summary = self.describe()
        pinned = ", pinned" if self._pinned else ""
        return (
            f"World({self.name!r}, {summary.patch_count:,} patches of {summary.frame_count:,} frames in "
            f"{summary.layer_count} layers, {self.branch_name} at {summary.head[:10]}{pinned})"
        )

    def _repr_html_(self) -> str:
        return f"<code>{self!r}</code>".replace("'", "&#39;")


def _cameras(cameras: object) -> list[Camera]:
    listed = list(cameras) if isinstance(cameras, Sequence) else [cameras]
    for i, one in enumerate(listed):
        if not isinstance(one, Camera):
            raise InvalidInput(
                f"retrieve takes a Camera or a list of them, got {type(one).__name__} at {i}.", field="camera"
            )
    return listed  # pyright: ignore[reportReturnType]
