"""Masks among objects: those of one commit lie in one object, so that a scattered edit waits for the disk once.

A mask is named "<object>/<place>"; "<object>" alone is an object that is one mask.

    b"MSKP", count (uint32), the length of each mask (uint32), the masks
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate, pairwise

from memstore.errors import CorruptData
from memstore.layer import Mask
from memstore.storage.objects import Objects

_MAGIC = b"MSKP"


def object_of(name: str) -> str:
    """Returns the name of the object in which a mask lies."""
    return name.partition("/")[0]


def stage_masks(objects: Objects, masks: Sequence[Mask]) -> list[str]:
    """Stages masks as one object and returns the name of each."""
    if not masks:
        return []
    contents = [mask.to_bytes() for mask in masks]
    lengths = struct.pack(f"<I{len(contents)}I", len(contents), *map(len, contents))
    pack = objects.put(b"".join([_MAGIC, lengths, *contents]))
    return [f"{pack}/{place}" for place in range(len(masks))]


def read_mask(objects: Objects, name: str) -> Mask:
    """Returns a mask.

    Raises:
        NotFound: the object is missing.
        CorruptData: the object is not what was written, or holds no such mask.
    """
    return read_pack(objects, name)[name]


def read_pack(objects: Objects, name: str) -> dict[str, Mask]:
    """Returns all masks of the object in which a mask lies, by name. Errors as `read_mask`."""
    pack, _, place = name.partition("/")
    content = objects.get(pack)
    if not place:
        return {name: Mask.from_bytes(content)}
    items = _items(content)
    if int(place) >= len(items):
        raise CorruptData(f"an object holds {len(items)} masks, number {place} was asked; run `memstore verify`.")
    return {f"{pack}/{i}": Mask.from_bytes(item) for i, item in enumerate(items)}


def check_masks(objects: Objects, name: str) -> None:
    """Reads all masks of the object in which a mask lies. Errors as `read_mask`."""
    content = objects.get(object_of(name))
    for one in _items(content) if content.startswith(_MAGIC) else [content]:
        Mask.from_bytes(one)


def _items(content: bytes) -> list[bytes]:
    try:
        magic, count = struct.unpack_from("<4sI", content)
        lengths = struct.unpack_from(f"<{count}I", content, 8) if magic == _MAGIC else ()
    except struct.error:
        lengths = ()
    ends = list(accumulate(lengths, initial=8 + 4 * len(lengths)))
    if not lengths or ends[-1] != len(content):
        raise CorruptData("an object that should hold masks holds none; run `memstore verify`.")
    return [content[first:last] for first, last in pairwise(ends)]
