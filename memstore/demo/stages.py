"""Which stages there are, and how they follow each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from memstore.cli.output import to_json
from memstore.demo.memory import run_memory
from memstore.demo.report import MemoryReport
from memstore.errors import InvalidInput, NotFound, Reason

BUNDLED_CLIPS = ("freedoom-indoor", "freedoom-outdoor")


@dataclass(frozen=True)
class Setting:
    """What every stage is given."""

    out: Path
    """Folder for worlds, pictures, films and the report."""
    clips: tuple[Path, ...]
    """The clips to remember, a world each."""
    keep: bool
    """Whether to look again at the worlds of an earlier run."""


STAGES: Mapping[str, Callable[[Setting], MemoryReport]] = {
    "memory": lambda setting: run_memory(setting.out, setting.clips, keep=setting.keep),
}
"""The stages by name, in order."""


def run_demo(out: Path, *, stage: str = "all", clips: Sequence[Path] | None = None, keep: bool = False) -> MemoryReport:
    """Runs a stage, or all of them, writes OUT/report.json and returns what it says.

    Args:
        out: folder for worlds, pictures, films and the report.
        stage: name of a stage, or `all`.
        clips: the clips to remember; the bundled ones by default.
        keep: look again at the worlds of an earlier run.

    Raises:
        InvalidInput: there is no such stage.
        NotFound: `keep`, and there is no earlier run; or the bundled clips are missing.
    """
    if stage != "all" and stage not in STAGES:
        raise InvalidInput(f"stage must be all or one of {', '.join(STAGES)}, got {stage!r}.", field="stage")
    setting = Setting(out, tuple(clips or bundled_clips()), keep)
    report = STAGES["memory"](setting)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(to_json(report), indent=2) + "\n")
    return report


def bundled_clips() -> list[Path]:
    """Returns the clips that come with the package.

    Raises:
        NotFound: the package was installed without them.
    """
    places = [Path(str(files("memstore") / "clips" / name)) for name in BUNDLED_CLIPS]
    if missing := [str(place) for place in places if not place.is_dir()]:
        raise NotFound(
            f"the clips of the demo are missing at {', '.join(missing)}; name one of yours with --clip.",
            reason=Reason.NOT_FOUND,
        )
    return places
