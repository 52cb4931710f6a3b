import json
from dataclasses import replace

import pytest

import memstore as ms
from memstore.errors import FailedPrecondition, NotFound, ReadOnly, Reason
from memstore.storage.durable import WriterLock
from memstore.storage.migrate import migrate
from memstore.storage.store import FORMAT_VERSION, GATHERED_FORMAT, read_identity, write_identity


@pytest.fixture
def root(tmp_path):
    ms.open(tmp_path / "db").close()
    return tmp_path / "db"


def set_format(root, version):
    write_identity(root, replace(read_identity(root), format=version))


def test_an_older_format_is_refused_with_the_command_that_mends_it(root):
    set_format(root, FORMAT_VERSION - 1)
    with pytest.raises(FailedPrecondition, match="run `memstore migrate") as caught:
        ms.open(root)
    assert caught.value.reason is Reason.OLDER_FORMAT


def test_a_newer_format_is_refused(root):
    set_format(root, GATHERED_FORMAT + 1)
    with pytest.raises(FailedPrecondition, match="upgrade memstore") as caught:
        ms.open(root)
    assert caught.value.reason is Reason.NEWER_FORMAT
    with pytest.raises(FailedPrecondition, match="newer than"):
        migrate(root)


def test_migration_goes_one_step_at_a_time_and_keeps_the_identity(root):
    before = read_identity(root)
    set_format(root, FORMAT_VERSION - 2)
    seen = []
    steps = {FORMAT_VERSION - 2: lambda path: seen.append("a"), FORMAT_VERSION - 1: lambda path: seen.append("b")}
    assert migrate(root, steps=steps) == [FORMAT_VERSION - 1, FORMAT_VERSION]
    assert seen == ["a", "b"]
    assert read_identity(root) == before
    ms.open(root).close()


def test_a_migration_that_is_cut_off_goes_on_where_it_stopped(root):
    set_format(root, FORMAT_VERSION - 2)
    seen = []

    def fails(path):
        raise KeyboardInterrupt

    steps = {FORMAT_VERSION - 2: lambda path: seen.append("a"), FORMAT_VERSION - 1: fails}
    with pytest.raises(KeyboardInterrupt):
        migrate(root, steps=steps)
    assert json.loads((root / "memstore.json").read_bytes())["format"] == FORMAT_VERSION - 1
    assert migrate(root, steps={FORMAT_VERSION - 1: lambda path: seen.append("b")}) == [FORMAT_VERSION]
    assert seen == ["a", "b"]


def test_migrating_what_is_current_does_nothing(root):
    assert migrate(root) == []


def test_migrating_needs_a_database_and_the_writers_lock(root, tmp_path):
    with pytest.raises(NotFound, match="there is no database"):
        migrate(tmp_path / "nowhere")
    with WriterLock(root / "writer.lock"), pytest.raises(ReadOnly, match="writ"):
        migrate(root)
