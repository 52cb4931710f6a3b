"""Lines of text files: read with their numbers, written whole."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from memstore.errors import InvalidInput, Reason, ResourceLimit


@dataclass(frozen=True)
class Line:
    """One line of a text file, knowing where it stands."""

    path: Path
    """The file."""
    number: int
    """Its number, from 1."""
    text: str
    """What it says, without the line break and outer blanks."""

    def numbers(self, words: Sequence[str], meaning: str) -> list[float]:
        """Returns `words` as finite numbers; `meaning` says in an error what they should have been."""
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = [math.nan]
        if not all(map(math.isfinite, values)):
            raise self.wrong(meaning)
        return values

    def wrong(self, wanted: str) -> InvalidInput:
        """Returns the error that this line is not what was `wanted`."""
        return invalid_clip(
            f"line {self.number} of {self.path} should be `{wanted}`, found {self.text[:80]!r}; mend or remove the "
            "line.",
            self.path,
        )


def invalid_clip(message: str, path: Path) -> InvalidInput:
    """Returns the error of a clip that cannot be read or written as it is."""
    return InvalidInput(message, reason=Reason.INVALID_CLIP, path=str(path))


def read_text(path: Path) -> str:
    """Returns the whole of a UTF-8 file, without a byte order mark."""
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise invalid_clip(f"the clip needs {path}, which does not exist; bring the file back.", path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise invalid_clip(f"{path} cannot be read as UTF-8 text: {error}; write it again.", path) from error


def read_lines(path: Path) -> Iterator[Line]:
    """Yields every line of a text file that is no `#` comment; blank lines come as ""."""
    # Not splitlines: it also breaks at form feeds and Unicode separators, which names may hold.
    for number, text in enumerate(read_text(path).split("\n"), 1):
        if not text.startswith("#"):
            yield Line(path, number, text.strip())


def write_file(path: Path, content: bytes) -> None:
    """Writes a file whole, making its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise _not_written(path, error) from error


def write_index(path: Path, content: str) -> None:
    """Writes a text file so that it is there whole or not at all, even after a crash."""
    draft = path.with_name(f".{path.name}.draft")
    write_file(draft, content.encode())
    try:
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error


def remove_file(path: Path) -> None:
    """Removes a file if it is there."""
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> InvalidInput | ResourceLimit:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ResourceLimit(
            f"{path} does not fit on the disk; free some space and write the clip again.",
            reason=Reason.DISK_FULL,
            path=str(path),
        )
    return invalid_clip(f"{path} cannot be written: {error.strerror or error}; choose another folder.", path)
