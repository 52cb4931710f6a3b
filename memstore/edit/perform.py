"""Perform: operations change a draft, and say what they did.

    delete      masks hide                            invert     half a turn: relocates, or duplicates
    duplicate   new layers show, nothing is hidden    name       new layers show what masks hide, where it was
    relocate    masks hide, new layers show;          restore    masks show again
                of a whole layer, its placement       show hide  layers as a whole
Concatenate and stitch are in `join.py`. No patch is ever copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64, UInt32
from pyroaring import BitMap

from memstore.draft import Draft
from memstore.edit.describe import summary_of
from memstore.edit.join import Joined, Neighbours, concatenate, stitch
from memstore.edit.resolve import Instances, require_some, resolve, resolve_entries
from memstore.edited import OperationReport
from memstore.errors import InvalidInput, Reason
from memstore.extent import Extent
from memstore.layer import Layer, LayerSegment, Mask, bitmap
from memstore.operation import (
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
    Stitch,
)
from memstore.segment import NEVER_HIDDEN, Entry
from memstore.selection import Selection
from memstore.showing import placed
from memstore.summary import Bounds
from memstore.transform import Transform

MAX_NAME = 128
Rows = Mapping[int, UInt32[np.ndarray, "k"]]
"""Rows by segment."""


@dataclass(frozen=True)
class Done:
    """What one operation did."""

    report: OperationReport
    """For people and programs."""
    made: frozenset[str]
    """Ids of the layers that it made or moved."""
    meaning: str
    """Digest of what its selection meant: run again elsewhere, the same digest means the same patches."""
    about: Instances = Instances(())  # noqa: RUF009
    """What its selection meant; nothing for operations without one."""


@dataclass
class Performer:
    """Performs the operations of one edit in order."""

    draft: Draft
    """What they change."""
    neighbours: Neighbours
    """What they need to know of this world and of others."""
    seed: str
    """Makes the ids of new layers: the same edit tried again gives the same ids."""
    done: list[Done] = field(default_factory=list[Done])
    """What the operations so far did."""

    def perform(self, operation: Operation) -> Done:
        """Performs an operation on the draft; one that is refused leaves the draft as it was.

        Raises:
            InvalidInput: nothing is selected, or an argument is no good.
            NotFound: it names a layer or a world that is not there.
        """
        before = self.draft.copy()
        try:
            done = self._perform(operation)
        except BaseException:
            self.draft = before
            raise
        self.done.append(done)
        return done

    def choose(self, selection: Selection, *, allow_empty: bool) -> Instances:
        """Returns what a selection means now."""
        instances = resolve(selection, self.draft, [done.made for done in self.done])
        return instances if allow_empty else require_some(instances, selection, self.draft)

    def _perform(self, operation: Operation) -> Done:
        match operation:
            case Delete():
                return self._delete(operation)
            case Duplicate():
                return self._duplicate("duplicate", operation)
            case Relocate():
                return self._relocate("relocate", operation)
            case Invert():
                return self._invert(operation)
            case NameLayer():
                return self._name(operation)
            case ShowLayers(names):
                return self._set_visible("show", names, True)
            case HideLayers(names):
                return self._set_visible("hide", names, False)
            case Restore():
                return self._restore(operation)
            case Concatenate():
                return self._joined("concatenate", concatenate(self.draft, operation, self.neighbours, self._new_id))
            case Stitch():
                return self._joined("stitch", stitch(self.draft, operation, self.neighbours, self._new_id))

    def _delete(self, operation: Delete) -> Done:
        chosen = self.choose(operation.selection, allow_empty=operation.allow_empty)
        self._hide(chosen)
        return self._did("delete", chosen, hidden=chosen.count)

    def _duplicate(self, verb: str, operation: Duplicate) -> Done:
        chosen = self.choose(operation.selection, allow_empty=operation.allow_empty)
        shares = {layer_id: self._share(layer_id, rows) for layer_id, rows in chosen.by_layer().items()}
        made: list[Layer] = []
        for placement in self._about(operation.placements, operation.pivot, chosen):
            for layer_id, parts in shares.items():
                source = self.draft.find(layer_id)
                name = operation.name or f"{source.name}-copy"
                made.append(self._new_layer(source, name, parts, placement @ source.placement, taken=False))
        count = chosen.count * len(operation.placements)
        return self._did(verb, chosen, shown=count, made=made)

    def _relocate(self, verb: str, operation: Relocate) -> Done:
        chosen = self.choose(operation.selection, allow_empty=operation.allow_empty)
        (transform,) = self._about((operation.transform,), operation.pivot, chosen)
        made = [self._moved(layer_id, rows, transform, operation.name) for layer_id, rows in chosen.by_layer().items()]
        return self._did(verb, chosen, hidden=chosen.count, shown=chosen.count, made=made)

    def _invert(self, operation: Invert) -> Done:
        chosen = self.choose(operation.selection, allow_empty=operation.allow_empty)
        turn = upside_down(chosen.bounds(), self.neighbours.up, operation.axis, operation.height_m)
        # What is meant is settled: selecting it again by its own layers would mean the same.
        if operation.keep:
            name = operation.name or "inverted"
            return self._duplicate(
                "invert", Duplicate(operation.selection, (turn,), "origin", name, operation.allow_empty)
            )
        return self._relocate(
            "invert", Relocate(operation.selection, turn, "origin", operation.name, operation.allow_empty)
        )

    def _name(self, operation: NameLayer) -> Done:
        _check_layer_name(operation.name)
        chosen = self.choose(operation.selection, allow_empty=operation.allow_empty)
        made = [
            self._moved(layer_id, rows, Transform.identity(), operation.name)
            for layer_id, rows in chosen.by_layer().items()
        ]
        return self._did("name", chosen, made=made)

    def _set_visible(self, verb: str, names: tuple[str, ...], visible: bool) -> Done:
        layers = list({layer.layer_id: layer for layer in map(self.draft.find, names)}.values())
        changed = [layer for layer in layers if layer.visible != visible]
        made = [self.draft.put(replace(layer, visible=visible)) for layer in changed]
        count = sum(self.draft.layer_count(layer.layer_id) for layer in changed)
        hidden, shown = (0, count) if visible else (count, 0)
        reports = tuple(summary_of(self.draft, layer) for layer in made)
        report = OperationReport(verb, count, hidden, shown, reports, None)
        return Done(
            report, frozenset(layer.layer_id for layer in layers), _digest([layer.layer_id for layer in layers])
        )

    def _restore(self, operation: Restore) -> Done:
        chosen = resolve_entries(
            operation.selection, self.draft, self._hidden_entries(), [done.made for done in self.done]
        )
        if not chosen.count and not operation.allow_empty:
            raise InvalidInput(
                "nothing hidden is selected: no deletion or forgetting hid a patch there; what was moved away is moved "
                "back by relocate or undo. Pass allow_empty=True if that is fine.",
                reason=Reason.EMPTY_SELECTION,
                field="selection",
            )
        for layer_id, rows in chosen.by_layer().items():
            self.draft.restore(layer_id, {segment: bitmap(some) for segment, some in rows.items()})
        return self._did("restore", chosen, shown=chosen.count)

    def _joined(self, verb: str, joined: Joined) -> Done:
        layers = tuple(summary_of(self.draft, layer) for layer in joined.layers)
        count = sum(layer.patch_count for layer in layers)
        report = OperationReport(verb, count, 0, count, layers, joined.bounds, joined.registration)
        return Done(report, frozenset(layer.layer_id for layer in joined.layers), joined.commit)

    def _moved(self, layer_id: str, rows: Rows, transform: Transform, name: str) -> Layer:
        """Returns the layer that holds `rows` of a layer elsewhere: itself, if that is all it shows."""
        layer = self.draft.find(layer_id)
        if sum(map(len, rows.values())) == self.draft.layer_count(layer_id):
            named = self.draft.free_name(_check_layer_name(name)) if name not in ("", layer.name) else layer.name
            return self.draft.put(replace(layer, placement=transform @ layer.placement, name=named))
        moved = self._new_layer(
            layer, name or layer.name, self._share(layer_id, rows), transform @ layer.placement, taken=True
        )
        self.draft.hide(layer_id, {segment: bitmap(some) for segment, some in rows.items()})
        return moved

    def _share(self, layer_id: str, rows: Rows) -> list[LayerSegment]:
        """Returns parts that can show only some rows of a layer; the layer's own, where that is all they ever show."""
        sky, parts = self.draft.find(layer_id).kind == "sky", self.draft.parts(layer_id)
        return [
            parts[segment]
            if len(some) == parts[segment].shown_count and not self._hides_some(parts[segment])
            else self.draft.part(segment, Mask(True, bitmap(some)), sky=sky)
            for segment, some in rows.items()
        ]

    def _hides_some(self, part: LayerSegment) -> bool:
        """Whether a part could show more than it does: `restore` would bring that back."""
        mask = self.draft.mask(part)
        return mask is not None and bool(mask.retired or (mask.rows and not mask.shows))

    def _new_layer(
        self, source: Layer, name: str, parts: list[LayerSegment], placement: Transform, *, taken: bool
    ) -> Layer:
        layer = Layer(
            layer_id=self._new_id(),
            name=self.draft.free_name(_check_layer_name(name)),
            kind="sky" if source.kind == "sky" else "placed",
            segments="",
            origin=source.layer_id,
            placement=placement,
            ordinal_offset=source.ordinal_offset,
            taken=taken,
        )
        return self.draft.add(layer, parts)

    def _new_id(self) -> str:
        place = f"{self.seed}:{len(self.done)}:{len(self.draft.layers)}"
        return hashlib.blake2b(place.encode(), digest_size=8).hexdigest()

    def _hide(self, chosen: Instances) -> None:
        for layer_id, rows in chosen.by_layer().items():
            self.draft.hide(layer_id, {segment: bitmap(some) for segment, some in rows.items()})

    def _about(self, transforms: tuple[Transform, ...], pivot: Pivot, chosen: Instances) -> tuple[Transform, ...]:
        if isinstance(pivot, str):
            if pivot == "origin":
                return transforms
            return tuple(transform.about(chosen.centroid()) for transform in transforms)
        return tuple(transform.about(pivot) for transform in transforms)

    def _did(
        self, verb: str, chosen: Instances, *, hidden: int = 0, shown: int = 0, made: list[Layer] | None = None
    ) -> Done:
        layers = made or []
        report = OperationReport(
            operation=verb,
            selected_count=chosen.count,
            hidden_count=hidden,
            shown_count=shown,
            layers=tuple(summary_of(self.draft, layer) for layer in layers),
            bounds=chosen.bounds(),
        )
        return Done(report, frozenset(layer.layer_id for layer in layers), _meaning(chosen), chosen)

    def _hidden_entries(self) -> Iterator[tuple[Layer, Entry]]:
        """Yields what deletions and forgetting hid, as entries that show just that."""
        for layer in self.draft.layers:
            if layer.visible:
                away = self._moved_away(layer)
                for part in self.draft.parts(layer.layer_id).values():
                    entry = self._hidden_entry(layer, part, away.get(part.segment))
                    if entry is not None:
                        yield layer, placed(entry, 0, layer)

    def _hidden_entry(self, layer: Layer, part: LayerSegment, away: BitMap | None) -> Entry | None:
        mask = self.draft.mask(part)
        if mask is None:
            return None
        segment = self.draft.showing.store.segments.open(part.segment)
        hidden = mask.hidden_from(len(segment.patches))
        could = np.zeros(len(hidden), np.bool_)
        could[np.array((mask.domain(len(hidden)) - (away or BitMap())).to_array(), np.uint32)] = True
        inverted = np.where(could & (hidden != NEVER_HIDDEN), NEVER_HIDDEN, np.uint32(0))
        sky = layer.kind == "sky"
        extent = Extent.of(segment.patches, inverted, sky)
        if not extent.shown_count:
            return None
        return Entry(0, segment, Transform.identity(), sky, extent.low, extent.high, inverted)

    def _moved_away(self, layer: Layer) -> Mapping[int, BitMap]:
        """Returns the rows of a layer that other layers took over, by segment, whether these show them or not."""
        takers, found = {layer.layer_id}, dict[int, BitMap]()
        for other in self.draft.layers:  # a layer stands after the one that it was taken from
            if other.taken and other.origin in takers:
                takers.add(other.layer_id)
                for part in self.draft.parts(other.layer_id).values():
                    found[part.segment] = found.get(part.segment, BitMap()) | self._domain(part)
        return found

    def _domain(self, part: LayerSegment) -> BitMap:
        row_count = len(self.draft.showing.store.segments.open(part.segment).patches)
        return (self.draft.mask(part) or Mask(False, BitMap())).domain(row_count)


def upside_down(bounds: Bounds | None, up: str, axis: int, height_m: float | None) -> Transform:
    """Returns half a turn about a horizontal line through the middle of `bounds`.

    Args:
        bounds: of what is turned; `None` turns about the origin.
        up: the world's up axis: one of +x -x +y -y +z -z.
        axis: which of the two horizontal axes the line runs along, 0 or 1.
        height_m: height of the line along up; `None` for the top of the bounds.

    >>> upside_down(Bounds((0, 0, 0), (2, 2, 1)), "+z", 0, None).apply([[1.0, 1.0, 0.0]]).round(6).tolist()
    [[1.0, 1.0, 2.0]]
    """
    vertical, sign = "xyz".index(up[1]), 1.0 if up[0] == "+" else -1.0
    horizontal = [i for i in range(3) if i != vertical]
    low, high = (np.zeros(3), np.zeros(3)) if bounds is None else (np.array(bounds.low), np.array(bounds.high))
    pivot: Float64[np.ndarray, "3"] = (low + high) / 2
    top = high[vertical] if sign > 0 else low[vertical]
    pivot[vertical] = top if height_m is None else sign * height_m
    rotation = -np.eye(3)
    rotation[horizontal[axis], horizontal[axis]] = 1.0
    return Transform(rotation, np.zeros(3)).about(pivot)


def _meaning(chosen: Instances) -> str:
    return _digest(
        f"{layer}:{segment}:{hashlib.blake2b(rows.tobytes(), digest_size=8).hexdigest()}"
        for layer, segments in sorted(chosen.by_layer().items())
        for segment, rows in sorted(segments.items())
    )


def _digest(words: Iterator[str] | list[str]) -> str:
    return hashlib.blake2b("\n".join(words).encode(), digest_size=16).hexdigest()


def _check_layer_name(name: str) -> str:
    """Returns a name for a layer.

    Raises:
        InvalidInput: it is empty, too long, or has control characters.
    """
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidInput(
            f"{name!r} is no name for a layer: use 1 to {MAX_NAME} printable characters.",
            reason=Reason.INVALID_NAME,
            field="name",
        )
    return name
