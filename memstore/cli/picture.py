"""Pictures that commands write: what is meant, and before beside after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from memstore.camera import Camera
from memstore.cli.output import note

Rgb = UInt8[np.ndarray, "h w 3"]
HIGH_PX = 320
"""Smaller pictures are enlarged to about this height: people look at them."""


def draw_before_and_after(path: Path, title: str, camera: Camera | None, before: Rgb | None, after: Rgb | None) -> None:
    """Writes a picture of before and after; where there is nothing to see, says so."""
    if camera is None or before is None or after is None:
        note(f"There is nothing to see, and so no picture {path}.")
        return
    draw(path, title, camera, {"before": before, "after": after})


def draw(path: Path, title: str, camera: Camera, panels: dict[str, Rgb]) -> None:
    """Writes pictures that one camera sees, side by side under their names."""
    from memstore.drawing.sheet import Column, Row, contact_sheet, write_png

    x, y, z = camera.center
    row = Row(f"from ({x:.2f}, {y:.2f}, {z:.2f}) m", tuple(enlarged(panel) for panel in panels.values()))
    write_png(path, contact_sheet(title, [Column(name) for name in panels], [row]))


def enlarged(picture: Rgb) -> UInt8[np.ndarray, "larger_h larger_w 3"]:
    """Returns a picture, each of its pixels repeated so often that it is well seen.

    >>> enlarged(np.zeros((160, 256, 3), np.uint8)).shape
    (320, 512, 3)
    """
    times = max(1, HIGH_PX // picture.shape[0])
    return picture.repeat(times, axis=0).repeat(times, axis=1)
