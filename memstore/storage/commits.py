"""Commits, branch heads and tags of a world.

Replacing a branch head is the only atomic point of the database: everything that a commit names is durable before, and
one small file is replaced by compare-and-swap under the writer's lock.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from memstore.errors import AlreadyExists, Conflict, InvalidInput, NotFound, Reason
from memstore.layer import Layer
from memstore.storage.durable import remove_file
from memstore.storage.lists import Lists
from memstore.storage.objects import Objects
from memstore.storage.sealed import read_sealed, write_sealed
from memstore.summary import CommitSummary

NAME_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,62}")
MAIN = "main"
CACHED_COMMITS = 16_384
CACHED_LAYERS = 16_384
NOT_FOUND = {"branch": Reason.BRANCH_NOT_FOUND, "tag": Reason.TAG_NOT_FOUND}


@dataclass(frozen=True)
class Commit:
    """One state of a world: its layers, and how they came to be."""

    world_id: str
    """The world that it is a state of."""
    parents: tuple[str, ...]
    """Commit ids; none for the first, two for a merge."""
    layers: str
    """Name of the list of layer objects."""
    operation: str
    """What was done."""
    frame_end: int
    """The next frame's ordinal: frames along the branch are 0 to frame_end - 1."""
    message: str = ""
    """Why, in the author's words."""
    author: str = ""
    """Who did it."""
    request_id: str = ""
    """The request that made it."""
    step_id: str = ""
    """Commits with the same step id are one step in log and undo; "" stands alone."""
    takes_back: str = ""
    """Step id of the step that this takes back, "" for none."""
    frame_count: int = 0
    """Frames added."""
    time_s: float = 0.0
    """When, seconds since 1970."""

    def to_json(self) -> dict[str, Any]:
        """Returns the commit as an object."""
        return {**asdict(self), "parents": list(self.parents)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Commit:
        """Reads what `to_json` wrote."""
        fields = dict(value)
        return cls(parents=tuple(fields.pop("parents")), **fields)

    def step(self, commit_id: str) -> str:
        """Returns what names its step: a step id, or for a commit that stands alone without one its own id."""
        return self.step_id or commit_id

    def summary(self, commit_id: str) -> CommitSummary:
        """Returns what people and programs see of it."""
        return CommitSummary(
            commit_id,
            self.parents,
            self.operation,
            self.message,
            self.author,
            self.time_s,
            self.request_id,
            self.frame_count,
            self.step(commit_id),
            self.takes_back,
        )


class Commits:
    """The commits of a database, all worlds together."""

    def __init__(self, objects: Objects, lists: Lists) -> None:
        """Keeps commits among `objects`, and their layers among `lists`."""
        self._objects = objects
        self._lists = lists
        self._commit = lru_cache(CACHED_COMMITS)(self.read_anew)
        self._layer = lru_cache(CACHED_LAYERS)(lambda name: Layer.from_json(objects.get_json(name)))

    def write(self, commit: Commit) -> str:
        """Makes a commit and all that was staged for it durable, and returns its id."""
        stamped = replace(commit, time_s=commit.time_s or time.time())
        commit_id = self._objects.put_json(stamped.to_json())
        self._objects.flush()
        return commit_id

    def read(self, commit_id: str) -> Commit:
        """Returns a commit, read once.

        Raises:
            NotFound: no such commit.
        """
        return self._commit(commit_id)

    def read_anew(self, commit_id: str) -> Commit:
        """Returns a commit as the objects have it now. Errors as `read`."""
        try:
            value = self._objects.get_json(commit_id)
            return Commit.from_json(value)
        except (NotFound, TypeError, KeyError, ValueError) as error:
            raise NotFound(
                f"there is no commit {commit_id!r} here; `log` lists those there are.",
                reason=Reason.COMMIT_NOT_FOUND,
                commit=commit_id,
            ) from error

    def walk(self, commit_id: str) -> Iterator[tuple[str, Commit]]:
        """Yields a commit and its first parents back to the first."""
        while True:
            commit = self.read(commit_id)
            yield commit_id, commit
            if not commit.parents:
                return
            commit_id = commit.parents[0]

    def ancestors(self, commit_id: str) -> Iterator[tuple[str, Commit]]:
        """Yields a commit and everything that it came from, each once."""
        waiting, seen = [commit_id], {commit_id}
        while waiting:
            name = waiting.pop()
            commit = self.read(name)
            yield name, commit
            fresh = [parent for parent in commit.parents if parent not in seen]
            seen.update(fresh)
            waiting.extend(fresh)

    def starting(self, prefix: str) -> list[tuple[str, Commit]]:
        """Returns the commits whose ids begin with `prefix`, two hex digits or more."""
        names = sorted(self._objects.starting(prefix))
        return [(name, commit) for name in names if (commit := self._read_or_none(name)) is not None]

    def layers(self, commit: Commit) -> tuple[Layer, ...]:
        """Returns the layers of a commit, in order; a layer that two commits share is one value."""
        return tuple(self._layer(name) for name in self._lists.items(commit.layers))

    def stage_layers(self, before: Commit, layers: tuple[Layer, ...]) -> str:
        """Stages a new list of layers and returns its name; layers that did not change are shared."""
        old = list(self._lists.items(before.layers))
        were = self.layers(before)
        known = {id(layer): name for layer, name in zip(were, old, strict=True)}
        names = [known.get(id(layer)) or self._objects.put_json(layer.to_json()) for layer in layers]
        if len(old) != len(names):
            return self._lists.of(names)
        return self._lists.replaced(
            before.layers, {i: new for i, (new, was) in enumerate(zip(names, old, strict=True)) if new != was}
        )

    def _read_or_none(self, name: str) -> Commit | None:
        try:
            return self.read(name)
        except NotFound:
            return None


class Refs:
    """The branch heads, or the tags, of one world: one small file each."""

    def __init__(self, folder: Path, word: str) -> None:
        """Keeps refs in `folder`; `word` is what messages call one: branch or tag."""
        self._folder = folder
        self._word = word

    def path(self, name: str) -> Path:
        """Returns the file of a ref."""
        return self._folder / f"{name}.json"

    def names(self) -> list[str]:
        """Returns all names, sorted."""
        return sorted(path.stem for path in self._folder.glob("*.json"))

    def read(self, name: str) -> str:
        """Returns the commit id that a ref names.

        Raises:
            NotFound: there is no such ref.
            CorruptData: its file is garbled.
        """
        try:
            # A name such as "../tags/v1" would lead out of the folder.
            return read_sealed(self.path(check_name(name, self._word)))["commit"]
        except (NotFound, InvalidInput):
            raise NotFound(
                f"there is no {self._word} {name!r}; {nearest(name, self.names()) or 'there are none'}.",
                reason=NOT_FOUND[self._word],
                name=name,
            ) from None

    def was_made_by(self, name: str, request_id: str) -> bool:
        """Whether a ref is there, and was made by this request, wherever it has moved since; never for ""."""
        if not request_id or not self.path(name).exists():
            return False
        return read_sealed(self.path(name)).get("request_id") == request_id

    def create(self, name: str, commit_id: str, request_id: str = "") -> None:
        """Makes a new ref, durable on return, that remembers the request that asked for it.

        Raises:
            AlreadyExists: the name is taken.
        """
        check_name(name, self._word)
        if self.path(name).exists():
            raise AlreadyExists(f"{self._word} {name!r} exists already; choose another name.", name=name)
        write_sealed(self.path(name), {"commit": commit_id} | ({"request_id": request_id} if request_id else {}))

    def move(self, name: str, expected: str, commit_id: str) -> None:
        """Moves a ref from one commit to another, durable on return; the caller holds the writer's lock.

        Raises:
            Conflict: it is no longer at `expected`.
        """
        found = self.read(name)
        if found != expected:
            raise Conflict(
                f"{self._word} {name!r} was expected at {expected}, but is at {found}; read it again and retry.",
                reason=Reason.HEAD_MOVED,
                expected=expected,
                actual=found,
            )
        write_sealed(self.path(name), {**read_sealed(self.path(name)), "commit": commit_id})

    def remove(self, name: str) -> None:
        """Removes a ref, durable on return."""
        self.read(name)
        remove_file(self.path(name))


def nearest(name: str, names: Sequence[str]) -> str:
    """Returns which names there are, the nearest to `name` if any is near, as part of a sentence; "" for none."""
    if near := difflib.get_close_matches(name, names, n=3):
        return f"the nearest names are {', '.join(near)}"
    return f"there are {', '.join(sorted(names)[:10])}" if names else ""


def check_name(name: str, word: str) -> str:
    """Returns `name` if it is a good one.

    Raises:
        InvalidInput: it is not.
    """
    if not NAME_PATTERN.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name for a {word}: use a lower-case letter, then up to 62 lower-case letters, "
            "digits or '-'.",
            reason=Reason.INVALID_NAME,
            field="name",
        )
    return name
