import pytest

from memstore.cli.place import folder_of, is_address, open_place
from memstore.errors import NotFound, NotImplementedHere, Unavailable


@pytest.mark.parametrize("address", ["localhost:7070", "127.0.0.1:1", "[::1]:7070", "unix:/run/memstore.sock"])
def test_addresses_are_told_from_folders(address):
    assert is_address(address)


@pytest.mark.parametrize("folder", ["worlds", "./worlds", "/data/a:7070/worlds", "C:\\worlds", "a:b", "worlds:123456"])
def test_folders_are_told_from_addresses(folder):
    assert not is_address(folder)


def test_reading_never_makes_a_database(tmp_path):
    with pytest.raises(NotFound, match="there is no database at"), open_place(str(tmp_path / "none"), read_only=True):
        pass
    assert not (tmp_path / "none").exists()


def test_a_database_is_made_when_told_to(tmp_path):
    with open_place(str(tmp_path / "new"), create=True) as database:
        assert database.worlds() == []


def test_nobody_at_an_address_is_unavailable(memstore):
    answer = memstore("world", "list", "--db", "127.0.0.1:1", "--json")
    assert answer.code == 9
    assert answer.json["error"]["kind"] == Unavailable.__name__


def test_work_on_files_is_refused_at_an_address():
    with pytest.raises(NotImplementedHere, match="run it on that machine with --db FOLDER"):
        folder_of("localhost:7070", "verify")


@pytest.mark.parametrize("words", [("verify",), ("migrate",), ("collect",), ("world", "export", "a", "b")])
def test_commands_that_need_the_files_exit_with_11_at_an_address(memstore, words):
    assert memstore(*words, "--db", "localhost:7070").code == 11


def test_the_environment_names_the_database(memstore, monkeypatch, tmp_path):
    monkeypatch.setenv("MEMSTORE_DB", str(tmp_path / "elsewhere"))
    assert "elsewhere" in memstore("world", "list").err
