"""Lists as trees of immutable objects, sharing what did not change.

A node is {"height": h, "count": n, "items": [...]}: at height 0 the items themselves, above that the names of nodes.
All nodes but those on the right edge are full, so a position says its path, and a list that grows by one item writes
only its right edge: the k-th commit is no larger for k.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from memstore.storage.objects import Objects

FANOUT = 32
"""Items or children of one node: a list of 1,000 has two levels, of 30,000 three."""


class Lists:
    """Reads lists and stages new ones among objects; a list is named by its root."""

    def __init__(self, objects: Objects) -> None:
        """Keeps nodes among `objects`."""
        self._objects = objects

    def of(self, items: Iterable[Any]) -> str:
        """Stages a list of JSON values and returns its name."""
        nodes = [self._put(0, len(run), run) for run in _runs(list(items))]
        height = 0
        while len(nodes) > 1:
            height += 1
            nodes = [self._put(height, sum(map(self.length, run)), run) for run in _runs(nodes)]
        return nodes[0]

    def length(self, root: str) -> int:
        """Returns how many items a list holds."""
        return self._objects.get_json(root)["count"]

    def items(self, root: str) -> Iterator[Any]:
        """Yields the items of a list in order."""
        node = self._objects.get_json(root)
        for item in node["items"]:
            if node["height"]:
                yield from self.items(item)
            else:
                yield item

    def appended(self, root: str, item: Any, changes: Mapping[int, Any] = MappingProxyType({})) -> str:
        """Stages the list with one more item, and some others replaced, by position, and returns its name."""
        node = self._objects.get_json(root)
        height, count, span = node["height"], node["count"], FANOUT ** node["height"]
        if count == FANOUT * span:
            return self._put(height + 1, count + 1, [self.replaced(root, changes), self._column(height, item)])
        edge = count // span * span if height else count  # where the child begins that takes the item
        children = self._replaced_children(node, {at: new for at, new in changes.items() if at < edge})
        if edge == count:
            return self._put(height, count + 1, [*children, self._column(height - 1, item) if height else item])
        inside = {at - edge: new for at, new in changes.items() if at >= edge}
        return self._put(height, count + 1, [*children[:-1], self.appended(children[-1], item, inside)])

    def replaced(self, root: str, changes: Mapping[int, Any]) -> str:
        """Stages the list with some items replaced, by position, and returns its name."""
        if not changes:
            return root
        node = self._objects.get_json(root)
        return self._put(node["height"], node["count"], self._replaced_children(node, changes))

    def _replaced_children(self, node: Mapping[str, Any], changes: Mapping[int, Any]) -> list[Any]:
        """Returns the items or children of a node with some items below it replaced, by position."""
        span = FANOUT ** node["height"]
        children = list(node["items"])
        for child in {position // span for position in changes}:
            inside = {at - child * span: item for at, item in changes.items() if at // span == child}
            children[child] = self.replaced(children[child], inside) if node["height"] else inside[0]
        return children

    def _column(self, height: int, item: Any) -> str:
        """Stages a list of one item under `height` nodes."""
        return self._put(height, 1, [self._column(height - 1, item) if height else item])

    def _put(self, height: int, count: int, items: list[Any]) -> str:
        return self._objects.put_json({"height": height, "count": count, "items": items})


def _runs(items: list[Any]) -> list[list[Any]]:
    return [items[i : i + FANOUT] for i in range(0, len(items), FANOUT)] or [[]]
