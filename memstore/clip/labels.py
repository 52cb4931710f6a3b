"""Times, captions and metadata beside formats that have no place for them: memstore.jsonl, one frame a line.

Other tools do not look at the file; a clip without it is whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memstore.clip.sequence import Label
from memstore.clip.text import invalid_clip, read_lines
from memstore.frame import Frame, Scalar

FILE_NAME = "memstore.jsonl"


def label_json(frame: Frame, **more: Any) -> str:
    """Returns the label of a frame as one line of JSON, along with `more`."""
    said = {"time": frame.time_s, "caption": frame.caption or None, "metadata": dict(frame.metadata) or None}
    return json.dumps({**more, **{name: value for name, value in said.items() if value is not None}}, allow_nan=False)


def label_from_json(entry: Mapping[str, Any], path: Path) -> Label:
    """Returns the label in a JSON object; what other tools keep under the same names in another shape is left alone."""
    time_s, caption, metadata = entry.get("time", 0.0), entry.get("caption"), entry.get("metadata")
    if isinstance(time_s, bool) or not isinstance(time_s, int | float) or not math.isfinite(time_s):
        raise invalid_clip(f"`time` in {path} should be a finite number of seconds, found {time_s!r}; mend it.", path)
    named: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    kept: dict[str, Scalar] = {name: value for name, value in named.items() if _is_scalar(value)}
    return Label(float(time_s), caption if isinstance(caption, str) else "", kept)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def read_labels(folder: Path) -> Mapping[str, Label]:
    """Returns the labels of the frames by the name of their colours; empty if the folder has none."""
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    labels: dict[str, Label] = {}
    for line in read_lines(path):
        if not line.text:
            continue
        try:
            entry = json.loads(line.text)
            labels[entry["color"]] = label_from_json(entry, path)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise line.wrong('{"color": name, "time": seconds, "caption": text, "metadata": {}}') from error
    return labels
