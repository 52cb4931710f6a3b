"""Maps as they lie in a Doom WAD file: lines between sectors, each sector with a floor and a ceiling height.

A WAD is a directory of named lumps. A map is a marker lump (`MAP01`, `E1M1`) followed by its ten lumps in fixed order.
Lengths here are map units; 32 of them are a metre (the player stands 56 units tall).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, Int64, Shaped

from memstore.errors import CorruptData, InvalidInput, NotFound

UNITS_PER_METRE = 32.0
VOID = -1
"""The sector number of the outside, where there is no floor and no ceiling."""
MAP_NAME = re.compile(r"MAP\d\d|E\dM\d")

LINEDEF = np.dtype([(name, "<u2") for name in ("start", "end", "flags", "special", "tag", "front", "back")])
SIDEDEF = np.dtype([("x", "<i2"), ("y", "<i2"), ("upper", "S8"), ("lower", "S8"), ("middle", "S8"), ("sector", "<u2")])
SECTOR = np.dtype(
    [("floor", "<i2"), ("ceiling", "<i2"), ("floor_flat", "S8"), ("ceiling_flat", "S8")]
    + [(name, "<i2") for name in ("light", "special", "tag")]
)
NO_SIDE = 65_535


@dataclass(frozen=True, eq=False)
class DoomMap:
    """The geometry of one map, x to the east and y to the north."""

    lines: Float64[np.ndarray, "n 4"]
    """x1 y1 x2 y2 of every line, map units."""
    front: Int64[np.ndarray, "n"]
    """Sector on the right hand of every line, looking from its first end to its second; `VOID` for none."""
    back: Int64[np.ndarray, "n"]
    """Sector on the left hand of every line; `VOID` makes the line a solid wall."""
    fenced: Bool[np.ndarray, "n"]
    """True where a see-through texture (a grate, a window, a vine) hangs between the two sides."""
    heights: Float64[np.ndarray, "s 2"]
    """Floor and ceiling of every sector as the map begins, map units."""
    sky: Bool[np.ndarray, "s"]
    """True where the sector has the sky for a ceiling."""


def read_map(path: Path, name: str) -> DoomMap:
    """Returns the geometry of one map of a WAD file.

    Raises:
        NotFound: no such file, or no such map in it.
        InvalidInput: the file is no WAD.
        CorruptData: a lump of the map is cut short or points outside another.
    """
    if not path.is_file():
        raise NotFound(
            f"the WAD file {path} does not exist; name freedoom1.wad, freedoom2.wad or a path.", path=str(path)
        )
    lumps = _lumps_of(path.read_bytes(), str(path), name)
    try:
        return _assemble(lumps)
    except (KeyError, ValueError, IndexError) as error:
        raise CorruptData(f"map {name} of {path} cannot be read ({error}); is it a classic Doom map?") from error


def sectors_at(
    doom_map: DoomMap, xs: Float64[np.ndarray, "w"], ys: Float64[np.ndarray, "h"]
) -> Int64[np.ndarray, "h w"]:
    """Returns the sector under every point of a grid, `VOID` outside the map.

    Goes along each row from line crossing to line crossing: a point lies in the sector that the next line to the east
    turns to the west.
    """
    return np.stack([_sectors_in_row(doom_map, xs, y) for y in ys])


def _sectors_in_row(doom_map: DoomMap, xs: np.ndarray, y: float) -> np.ndarray:
    x1, y1, x2, y2 = doom_map.lines.T
    crossed = np.flatnonzero((y1 > y) != (y2 > y))
    crossing = x1[crossed] + (y - y1[crossed]) / (y2[crossed] - y1[crossed]) * (x2[crossed] - x1[crossed])
    west = np.where(y1[crossed] > y2[crossed], doom_map.front[crossed], doom_map.back[crossed])
    order = np.argsort(crossing, kind="stable")
    return np.append(west[order], VOID)[np.searchsorted(crossing[order], xs)]


def _lumps_of(content: bytes, path: str, name: str) -> dict[str, bytes]:
    """Returns the lumps of one map by name."""
    if content[:4] not in (b"IWAD", b"PWAD"):
        raise InvalidInput(f"{path} is no WAD file: it begins with {content[:4]!r}, not IWAD or PWAD.", path=path)
    count, offset = struct.unpack_from("<ii", content, 4)
    entries = [struct.unpack_from("<ii8s", content, offset + 16 * i) for i in range(count)]
    names = [raw.rstrip(b"\0").decode("ascii", "replace").upper() for _, _, raw in entries]
    if name.upper() not in names:
        known = ", ".join(n for n in names if MAP_NAME.fullmatch(n))
        raise NotFound(f"map {name} is not in {path}; it has {known or 'no maps'}.", map=name)
    first = names.index(name.upper()) + 1
    span = range(first, min(first + 10, count))
    return {names[i]: content[entries[i][0] : entries[i][0] + entries[i][1]] for i in span}


def _assemble(lumps: dict[str, bytes]) -> DoomMap:
    vertices = np.frombuffer(lumps["VERTEXES"], "<i2").reshape(-1, 2).astype(np.float64)
    lines = np.frombuffer(lumps["LINEDEFS"], LINEDEF)
    sides = np.frombuffer(lumps["SIDEDEFS"], SIDEDEF)
    sectors = np.frombuffer(lumps["SECTORS"], SECTOR)
    return DoomMap(
        lines=np.concatenate([vertices[lines["start"]], vertices[lines["end"]]], axis=1),
        front=_sector_beside(lines["front"], sides),
        back=_sector_beside(lines["back"], sides),
        fenced=(lines["back"] != NO_SIDE) & (_hangs(lines["front"], sides) | _hangs(lines["back"], sides)),
        heights=np.stack([sectors["floor"], sectors["ceiling"]], axis=1).astype(np.float64),
        sky=np.array([flat.upper().startswith(b"F_SKY") for flat in sectors["ceiling_flat"].tolist()], bool),
    )


def _sector_beside(side: Shaped[np.ndarray, "n"], sides: Shaped[np.ndarray, "m"]) -> Int64[np.ndarray, "n"]:
    return np.where(side == NO_SIDE, VOID, sides["sector"][np.where(side == NO_SIDE, 0, side)].astype(np.int64))


def _hangs(side: Shaped[np.ndarray, "n"], sides: Shaped[np.ndarray, "m"]) -> Bool[np.ndarray, "n"]:
    """True where a side has a middle texture; `-` is the name of none."""
    return (side != NO_SIDE) & (sides["middle"][np.where(side == NO_SIDE, 0, side)] != b"-")
