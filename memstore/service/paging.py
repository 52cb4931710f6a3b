"""Pages of lists: opaque tokens that keep their place while the list grows."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from memstore.errors import InvalidInput
from memstore.service.options import ServerOptions

T = TypeVar("T")


def page_size(asked: int, options: ServerOptions) -> int:
    """Returns the length of a page: what was asked, within the limit, or the default for 0."""
    return min(asked or options.page_size, options.max_page_size)


def token_of(*place: str | float | int) -> str:
    """Returns the token of a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_of(token: str, kinds: tuple[type, ...]) -> list[str | float | int] | None:
    """Returns the place that a token names, `None` for "".

    Raises:
        InvalidInput: it is no token of such a list.
    """
    if not token:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(token.encode()))
        fits = isinstance(place, list) and len(place) == len(kinds)
        if fits and all(isinstance(value, kind) for value, kind in zip(place, kinds, strict=True)):
            return place
    except (ValueError, binascii.Error):
        pass
    raise InvalidInput("page_token comes from no answer of this list; start again without one.", field="page_token")


def page_of(
    entries: Iterable[T], key: Callable[[T], tuple[str | float, ...]], token: str, kinds: tuple[type, ...], size: int
) -> tuple[list[T], str]:
    """Returns a page of entries in the order of their keys, and the token of the next page, "" at the end.

    Raises:
        InvalidInput: `token` is no token of such a list.
    """
    after = place_of(token, kinds)
    rest = [entry for entry in sorted(entries, key=key) if after is None or list(key(entry)) > after]
    return rest[:size], token_of(*key(rest[size - 1])) if len(rest) > size else ""
