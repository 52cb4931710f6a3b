"""Bytes that last: the only place that makes files survive kill -9 and power loss, and the lock of the one writer.

A file appears whole or not at all:
    1. write a hidden file beside the target and fsync it;
    2. rename it over the target;
    3. fsync the directory, so that the name lasts too.
A batch does each step for all its files, so that a directory is synced once however many files it gains.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from memstore.errors import ReadOnly, Reason, ResourceLimit, Unavailable

UNFINISHED = ".unfinished"
"""Ending of a file on its way; one that stays behind was left by a crash and means nothing."""
REMOVED = ".removed"
"""Ending of a directory on its way out."""


def write_file(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, durable on return; missing directories are made.

    Raises:
        ResourceLimit: the disk is full (reason DISK_FULL).
        ReadOnly: the file system refuses writing.
        Unavailable: the file system failed otherwise.
    """
    write_files({path: content})


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Writes files, each whole or not at all, all durable on return; each directory is synced once.

    A crash may leave some of the files and not others. Errors as `write_file`.
    """
    if not contents:
        return
    directories = sorted({path.parent for path in contents})
    with explain_os_errors(directories[0], sum(map(len, contents.values()))):
        for directory in directories:
            make_directory(directory)
        waiting = {path: path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}") for path in contents}
        try:
            for path, beside in waiting.items():
                _write_synced(beside, contents[path])
            for path, beside in waiting.items():
                beside.replace(path)
        except BaseException:
            for beside in waiting.values():
                beside.unlink(missing_ok=True)
            raise
        for directory in directories:
            sync_directory(directory)


@contextmanager
def replace_file(path: Path) -> Generator[BinaryIO]:
    """Gives a file to write at length; it appears at `path` whole or not at all, durable after the block.

    Errors as `write_file`.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{UNFINISHED}")
    with explain_os_errors(path.parent, 0):
        make_directory(path.parent)
        try:
            with beside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def make_directory(path: Path) -> None:
    """Makes a directory and its missing parents, durable on return."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        sync_directory(directory.parent)


def sync_file(path: Path) -> None:
    """Makes the bytes of a file last; its name lasts after `sync_directory`."""
    _sync(path, os.O_RDONLY)


def sync_directory(path: Path) -> None:
    """Makes the names in a directory last."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(path: Path) -> None:
    """Makes a directory and all below it last, leaves first."""
    for directory, _, files in os.walk(path, topdown=False):
        for name in files:
            sync_file(Path(directory, name))
        sync_directory(Path(directory))


def remove_file(path: Path) -> None:
    """Removes a file, durable on return; one that is gone already is no error."""
    remove_files([path])


def remove_files(paths: Iterable[Path]) -> None:
    """Removes files, durable on return; each directory is synced once."""
    paths = [path for path in paths if path.exists()]
    for path in paths:
        with explain_os_errors(path, 0):
            path.unlink(missing_ok=True)
    for directory in {path.parent for path in paths}:
        sync_directory(directory)


def remove_tree(path: Path) -> None:
    """Removes a directory at once for all who look, durable on return; a crash may leave `*.removed` behind."""
    if not path.exists():
        return
    leaving = path if path.name.endswith(REMOVED) else path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}{REMOVED}")
    path.rename(leaving)
    sync_directory(path.parent)
    shutil.rmtree(leaving)
    sync_directory(path.parent)


def unfinished_files(root: Path) -> Iterator[Path]:
    """Yields files below `root` that a crash left half written."""
    yield from root.rglob(f".*{UNFINISHED}")


@contextmanager
def explain_os_errors(path: Path, byte_count: int) -> Generator[None]:
    """Turns errors of the file system into errors that say what to do; `byte_count` is what is being written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path, byte_count) from error
        where, why = error.filename or path, error.strerror or error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ReadOnly(f"{where} cannot be written: {why}; check who owns it and how it is mounted.") from error
        raise Unavailable(f"{where} cannot be written: {why}; check the disk and try again.") from error


def disk_full(path: Path, byte_count: int) -> ResourceLimit:
    """Returns the error of a write of `byte_count` bytes for which the disk or quota at `path` has no room."""
    there = next(p for p in (path, *path.parents) if p.exists())
    free = shutil.disk_usage(there).free
    return ResourceLimit(
        f"no room to write {byte_count:,} bytes at {path}: the disk has {free:,} bytes free (a quota may allow less); "
        "free some space or move the database. Everything acknowledged before is safe.",
        reason=Reason.DISK_FULL,
        path=str(path),
        asked_bytes=byte_count,
        free_bytes=free,
    )


class WriterLock:
    """The right to write a database, held by one process at a time. A context manager.

    The kernel lets go of it when the process dies, however it dies: the file stays and is never to be deleted by hand.
    """

    def __init__(self, path: Path) -> None:
        """Locks nothing yet; `path` is the file that is locked and that names its holder."""
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Takes the lock without waiting.

        Raises:
            ReadOnly: someone else holds it (reason WRITER_EXISTS, with pid and host of the holder).
        """
        with explain_os_errors(self._path, 0):
            make_directory(self._path.parent)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise self._held() from None
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        os.ftruncate(file, 0)
        # For people only: a full disk leaves the name out, the lock itself needs no room.
        with suppress(OSError):
            os.pwrite(file, json.dumps(holder).encode(), 0)
        self._file = file

    def release(self) -> None:
        """Lets go of the lock. Idempotent."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def _held(self) -> ReadOnly:
        try:
            holder = json.loads(self._path.read_bytes())
            pid, host, since = int(holder["pid"]), str(holder["host"]), str(holder["since"])
        except (OSError, ValueError, KeyError, TypeError):
            pid, host, since = 0, "an unknown machine", "just now"
        return ReadOnly(
            f"the database at {self._path.parent} is being written by process {pid or 'unknown'} on {host} since "
            f"{since}; close it there, wait, or open this one with read_only=True.",
            reason=Reason.WRITER_EXISTS,
            pid=pid,
            host=host,
            since=since,
        )

    def __enter__(self) -> WriterLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _write_synced(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


def _sync(path: Path, how: int) -> None:
    with explain_os_errors(path, 0):
        file = os.open(path, how)
        try:
            os.fsync(file)
        finally:
            os.close(file)
