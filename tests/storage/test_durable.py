"""Bytes that last, errors of a full disk, and the lock of the one writer."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memstore.errors import ReadOnly, Reason, ResourceLimit, Unavailable
from memstore.storage import durable
from memstore.storage.durable import (
    WriterLock,
    remove_file,
    remove_files,
    remove_tree,
    sync_tree,
    unfinished_files,
    write_file,
    write_files,
)


class Calls:
    """Notes what was asked of the kernel, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str]] = []
        fsync, replace = os.fsync, Path.replace

        def noted_fsync(file: int) -> None:
            self.made.append(("fsync", os.readlink(f"/proc/self/fd/{file}")))
            fsync(file)

        def noted_replace(path: Path, target: Path) -> Path:
            self.made.append(("rename", str(target)))
            return replace(path, target)

        monkeypatch.setattr(os, "fsync", noted_fsync)
        monkeypatch.setattr(Path, "replace", noted_replace)


def test_a_file_is_synced_before_its_name_and_the_directory_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    write_file(tmp_path / "a", b"content")
    assert [kind for kind, _ in calls.made] == ["fsync", "rename", "fsync"]
    assert calls.made[0][1].endswith(".unfinished")
    assert calls.made[1:] == [("rename", str(tmp_path / "a")), ("fsync", str(tmp_path))]
    assert (tmp_path / "a").read_bytes() == b"content"


def test_a_batch_syncs_each_directory_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / room / name for room in "xy" for name in "abc"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    calls = Calls(monkeypatch)
    write_files({path: path.name.encode() for path in paths})
    directories = [path for kind, path in calls.made if kind == "fsync" and "unfinished" not in path]
    assert sorted(directories) == [str(tmp_path / "x"), str(tmp_path / "y")]
    assert all(path.read_bytes() == path.name.encode() for path in paths)


def test_missing_directories_are_made_and_their_names_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch)
    write_file(tmp_path / "a" / "b" / "c", b"")
    assert calls.made[:2] == [("fsync", str(tmp_path)), ("fsync", str(tmp_path / "a"))]


def test_a_crash_before_the_rename_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path / "a", b"old")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        write_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(unfinished_files(tmp_path)) == []


def test_unfinished_files_of_a_killed_process_are_found(tmp_path: Path) -> None:
    program = (
        f"import os, sys; sys.path.insert(0, {str(Path(durable.__file__).parents[1])!r})\n"
        "from pathlib import Path; from memstore.storage.durable import write_file\n"
        "Path.replace = lambda *_: os._exit(9)\n"
        f"write_file(Path({str(tmp_path / 'room' / 'a')!r}), b'x')"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    (left,) = unfinished_files(tmp_path)
    assert left.parent == tmp_path / "room"
    remove_files([left])
    assert list(unfinished_files(tmp_path)) == []


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, bytes(content[:3])))
    write_file(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_says_what_was_asked_and_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, call: str
) -> None:
    write_file(tmp_path / "a", b"old")

    def full(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(ResourceLimit, match=r"no room to write 1,234 bytes .* bytes free") as caught:
            write_file(tmp_path / "a", bytes(1234))
    assert caught.value.reason == Reason.DISK_FULL
    assert caught.value.details["asked_bytes"] == 1234
    assert (tmp_path / "a").read_bytes() == b"old"
    assert list(unfinished_files(tmp_path)) == []


@pytest.mark.parametrize(
    ("code", "kind"), [(errno.EROFS, ReadOnly), (errno.EACCES, ReadOnly), (errno.EIO, Unavailable)]
)
def test_other_failures_of_the_disk_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    def fail(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(kind, match=r"cannot be written.*check"):
        write_file(tmp_path / "a", b"x")


def test_nothing_to_write_is_nothing_done(tmp_path: Path) -> None:
    write_files({})
    assert list(tmp_path.iterdir()) == []


def test_what_is_gone_already_is_removed_without_complaint(tmp_path: Path) -> None:
    remove_file(tmp_path / "never")
    remove_file(tmp_path / "no" / "such" / "room")
    remove_tree(tmp_path / "nor this")


def test_a_tree_goes_at_once_and_all_of_it(tmp_path: Path) -> None:
    write_files({tmp_path / "tree" / room / "a": b"x" for room in "xyz"})
    sync_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    with WriterLock(tmp_path / "writer.lock"):
        with pytest.raises(ReadOnly, match=f"written by process {os.getpid()} on .* since") as caught:
            WriterLock(tmp_path / "writer.lock").acquire()
        assert caught.value.reason == Reason.WRITER_EXISTS
        assert caught.value.details["pid"] == os.getpid() == json.loads((tmp_path / "writer.lock").read_text())["pid"]
    with WriterLock(tmp_path / "writer.lock") as again:
        again.release()
        again.release()


def test_a_holder_that_left_no_name_is_still_a_holder(tmp_path: Path) -> None:
    with WriterLock(tmp_path / "writer.lock"):
        (tmp_path / "writer.lock").write_text("garbled")
        with pytest.raises(ReadOnly, match="process unknown"):
            WriterLock(tmp_path / "writer.lock").acquire()


def test_the_kernel_lets_go_of_the_lock_of_a_killed_process(tmp_path: Path) -> None:
    program = (
        f"import sys, time; sys.path.insert(0, {str(Path(durable.__file__).parents[1])!r})\n"
        "from pathlib import Path; from memstore.storage.durable import WriterLock\n"
        f"WriterLock(Path({str(tmp_path / 'writer.lock')!r})).acquire(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(ReadOnly, match=f"process {child.pid}"):
            WriterLock(tmp_path / "writer.lock").acquire()
        child.kill()
    with WriterLock(tmp_path / "writer.lock"):
        assert (tmp_path / "writer.lock").exists()
