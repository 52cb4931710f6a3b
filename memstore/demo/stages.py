"""Which stages there are, and how they follow each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from memstore.cli.output import Json, to_json
from memstore.demo.edit import run_edit
from memstore.demo.memory import run_memory
from memstore.demo.report import DemoReport, EditsReport, MemoryReport
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


STAGES: Mapping[str, Callable[[Setting], MemoryReport | EditsReport]] = {
    "memory": lambda setting: run_memory(setting.out, setting.clips, keep=setting.keep),
    "edit": lambda setting: run_edit(setting.out, setting.clips),
}
"""The stages by name, in order."""


def run_demo(out: Path, *, stage: str = "all", clips: Sequence[Path] | None = None, keep: bool = False) -> DemoReport:
    """Runs a stage, or all of them, writes OUT/report.json and returns what it says.

    Args:
        out: folder for worlds, pictures, films and the report.
        stage: name of a stage, or `all`.
        clips: the clips to remember; the bundled ones by default.
        keep: look again at the worlds of an earlier run.

    Raises:
        InvalidInput: there is no such stage.
        NotFound: the stage needs an earlier run, and there is none; or the bundled clips are missing.
    """
    if stage != "all" and stage not in STAGES:
        raise InvalidInput(f"stage must be all or one of {', '.join(STAGES)}, got {stage!r}.", field="stage")
    setting = Setting(out, tuple(clips or bundled_clips()), keep)
    reports = {name: run(setting) for name, run in STAGES.items() if stage in (name, "all")}
    found = DemoReport(memory=reports.get("memory"), edit=reports.get("edit"))  # pyright: ignore[reportArgumentType]
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(written(found), indent=2) + "\n")
    return found


def written(report: DemoReport) -> dict[str, Json]:
    """Returns what report.json says: the findings of the memory, and below `edits` and `edit` those of the edits."""
    content: dict[str, Json] = {}
    if report.memory is not None:
        content |= to_json(report.memory)  # pyright: ignore[reportOperatorIssue]
    if report.edit is not None:
        whole = to_json(report.edit)
        assert isinstance(whole, dict)  # a dataclass becomes one
        content |= {"edits": whole.pop("edits"), "edit": whole}
    return content


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
