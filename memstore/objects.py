"""Immutable objects named by the hash of their bytes, and lists of them that share what did not change.

Layers, masks, segment lists and commits are objects. Writing one twice writes it once, and a list that grows by one
item writes only the nodes on its right edge, so that the k-th commit is no larger for k.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from memstore.durable import write_files
from memstore.errors import CorruptData, NotFound, Reason

FANOUT = 32
"""Items or children of one list node: a list of 1,000 has two levels, of 30,000 three."""
CACHED_NODES = 16_384
_NAME = re.compile(r"[0-9a-f]{32}")


def name_of(content: bytes) -> str:
    """Returns the name of an object: 32 hex digits of BLAKE2b."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def to_json(value: Any) -> bytes:
    """Returns canonical JSON: the same value always gives the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class Objects:
    """The objects of a database. `put` stages, `flush` makes everything staged durable."""

    def __init__(self, root: Path) -> None:
        """Keeps objects below `root`, two hex digits a folder."""
        self.root = root
        self._staged: dict[str, bytes] = {}
        self._node = lru_cache(CACHED_NODES)(lambda name: json.loads(self.get(name)))

    def path(self, name: str) -> Path:
        """Returns where an object lies."""
        return self.root / name[:2] / name[2:]

    def put(self, content: bytes) -> str:
        """Stages an object and returns its name; it lasts only after `flush`."""
        name = name_of(content)
        self._staged[name] = content
        return name

    def put_json(self, value: Any) -> str:
        """Stages a JSON value and returns its name."""
        return self.put(to_json(value))

    def get(self, name: str) -> bytes:
        """Returns an object's bytes.

        Raises:
            NotFound: there is no such object.
            CorruptData: its bytes no longer match its name.
        """
        if name in self._staged:
            return self._staged[name]
        if not _NAME.fullmatch(name):
            raise NotFound(f"{name!r} names no object: names are 32 hex digits.", object=name)
        try:
            content = self.path(name).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"object {name} is missing from {self.root}; run `memstore verify`.", object=name) from None
        if name_of(content) != name:
            raise CorruptData(
                f"{self.path(name)} does not match its name: its bytes changed on disk; restore this file from a copy.",
                reason=Reason.CHECKSUM_MISMATCH,
                file=str(self.path(name)),
            )
        return content

    def get_json(self, name: str) -> Any:
        """Returns a JSON object, parsed once and shared: do not change it."""
        return self._node(name)

    def flush(self) -> int:
        """Makes every staged object durable and returns how many bytes were new."""
        new = {self.path(name): content for name, content in self._staged.items() if not self.path(name).exists()}
        write_files(new)
        self._staged.clear()
        return sum(map(len, new.values()))

    def abandon(self) -> None:
        """Forgets what was staged."""
        self._staged.clear()

    def names(self) -> Iterator[str]:
        """Yields the names of all objects on disk."""
        for path in self.root.glob("??/*"):
            if len(path.name) == 30:
                yield path.parent.name + path.name

    # Lists. A node is {"height": h, "count": n, "items": [...]}; at height 0 the items themselves, above names of nodes.

    def list_of(self, items: Iterable[Any]) -> str:
        """Stages a list and returns the name of its root."""
        nodes = [self._put_node(0, len(run), run) for run in _runs(list(items))]
        height = 0
        while len(nodes) > 1:
            height += 1
            nodes = [self._put_node(height, self._count(run), run) for run in _runs(nodes)]
        return nodes[0]

    def length(self, root: str) -> int:
        """Returns how many items a list holds."""
        return self.get_json(root)["count"]

    def items(self, root: str) -> Iterator[Any]:
        """Yields the items of a list in order."""
        node = self.get_json(root)
        for item in node["items"]:
            if node["height"]:
                yield from self.items(item)
            else:
                yield item

    def appended(self, root: str, item: Any) -> str:
        """Stages the list with one more item and returns its root; all but the right edge is shared."""
        node = self.get_json(root)
        if node["count"] == FANOUT ** (node["height"] + 1):
            return self._put_node(node["height"] + 1, node["count"] + 1, [root, self._column(node["height"], item)])
        return self._appended(node, item)

    def replaced(self, root: str, changes: Mapping[int, Any]) -> str:
        """Stages the list with some items replaced, by position, and returns its root."""
        node = self.get_json(root)
        span = FANOUT ** node["height"]
        children = list(node["items"])
        for child in sorted({position // span for position in changes}):
            inside = {p - child * span: item for p, item in changes.items() if p // span == child}
            children[child] = self.replaced(children[child], inside) if node["height"] else inside[0]
        return self._put_node(node["height"], node["count"], children)

    def reachable(self, root: str) -> Iterator[str]:
        """Yields the names of all nodes of a list, its root first."""
        yield root
        node = self.get_json(root)
        if node["height"]:
            for child in node["items"]:
                yield from self.reachable(child)

    def _appended(self, node: Any, item: Any) -> str:
        *left, last = node["items"] or [None]
        if not node["height"]:
            children = [*node["items"], item]
        elif self.length(last) < FANOUT ** node["height"]:
            children = [*left, self._appended(self.get_json(last), item)]
        else:
            children = [*left, last, self._column(node["height"] - 1, item)]
        return self._put_node(node["height"], node["count"] + 1, children)

    def _column(self, height: int, item: Any) -> str:
        """Stages a list of one item under `height` nodes."""
        below = self._column(height - 1, item) if height else item
        return self._put_node(height, 1, [below])

    def _put_node(self, height: int, count: int, items: list[Any]) -> str:
        return self.put_json({"height": height, "count": count, "items": items})

    def _count(self, nodes: list[str]) -> int:
        return sum(map(self.length, nodes))


def _runs(items: list[Any]) -> list[list[Any]]:
    return [items[i : i + FANOUT] for i in range(0, len(items), FANOUT)] or [[]]
