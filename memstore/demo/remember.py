"""Remembering: a clip goes into a world over two sessions, each a process that ends before the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memstore.clip import Clip
from memstore.demo.child import run_command
from memstore.errors import InvalidInput, Reason
from memstore.frame import Frame
from memstore.held_out import is_held_out

HOLD_OUT = 8
"""Every so manieth frame is never shown to memory."""
FIRST_PART = 0.6
"""Share of a clip that the first session takes in."""
SESSIONS = ("first session", "second session")


@dataclass(frozen=True)
class Place:
    """A clip and the world that remembers it."""

    clip: Clip
    """What was filmed."""
    world: str
    """Name of the world."""

    @classmethod
    def of(cls, clip: Clip) -> Place:
        """Names the world after the clip's folder.

        Raises:
            InvalidInput: the clip is too short to hold a frame out.
        """
        if len(clip) < HOLD_OUT:
            raise InvalidInput(
                f"the clip at {clip.path} has {len(clip)} frames; the demo holds every {HOLD_OUT}th out and needs "
                f"{HOLD_OUT} or more.",
                reason=Reason.INVALID_CLIP,
            )
        words = re.sub(r"[^a-z0-9]+", "-", clip.path.resolve().name.lower()).strip("-")
        return cls(clip, words if words[:1].isalpha() else f"place-{words}".rstrip("-"))

    def held_out(self) -> Iterator[tuple[int, Frame]]:
        """Yields the frames that memory never saw, with their place in the clip."""
        return ((i, self.clip[i]) for i in range(len(self.clip)) if is_held_out(i, HOLD_OUT))


def remember(root: Path, place: Place, session: int) -> float:
    """Takes in a session's part of the clip in a new process, and returns frames a second."""
    border = round(len(place.clip) * FIRST_PART)
    part = ("--create", "--stop", str(border)) if session == 0 else ("--start", str(border))
    options = ("--db", str(root), "--hold-out", str(HOLD_OUT), "--message", SESSIONS[session])
    done = run_command("ingest", str(place.clip.path), place.world, *options, *part)
    return done["frames"] / done["seconds"]
