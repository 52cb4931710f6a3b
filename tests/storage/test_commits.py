import pytest

from memstore.errors import AlreadyExists, Conflict, CorruptData, InvalidInput, NotFound
from memstore.layer import Layer
from memstore.storage.commits import Commit, Commits, Refs, check_name
from memstore.storage.lists import Lists
from memstore.storage.objects import Objects


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "objects")


@pytest.fixture
def commits(objects):
    return Commits(objects, Lists(objects))


def first(objects):
    return Commit("world", (), Lists(objects).of([]), "create", frame_end=0)


def test_a_commit_is_read_back_with_its_layers(objects, commits):
    root = first(objects)
    layer = Layer("id", "observed", "observed", Lists(objects).of([]))
    root_id = commits.write(root)
    grown = Commit("world", (root_id,), commits.stage_layers(root, (layer,)), "ingest", frame_end=8, frame_count=8)
    grown_id = commits.write(grown)
    found = commits.read(grown_id)
    assert found.parents == (root_id,)
    assert found.time_s > 0
    assert commits.layers(found) == (layer,)
    assert [name for name, _ in commits.walk(grown_id)] == [grown_id, root_id]
    assert {name for name, _ in commits.ancestors(grown_id)} == {grown_id, root_id}


def test_a_commit_that_does_not_exist_is_named(commits):
    with pytest.raises(NotFound, match="there is no commit 'abc'"):
        commits.read("abc")


def test_an_object_that_is_no_commit_is_no_commit(objects, commits):
    name = objects.put_json({"height": 0, "count": 0, "items": []})
    with pytest.raises(NotFound, match="there is no commit"):
        commits.read(name)


def test_a_head_moves_only_from_where_it_was_expected(tmp_path):
    heads = Refs(tmp_path, "branch")
    heads.create("main", "a")
    heads.move("main", "a", "b")
    with pytest.raises(Conflict, match="expected at a, but is at b") as caught:
        heads.move("main", "a", "c")
    assert caught.value.details == {"expected": "a", "actual": "b"}
    assert heads.read("main") == "b"


def test_refs_are_made_listed_and_removed(tmp_path):
    tags = Refs(tmp_path, "tag")
    tags.create("v1", "a")
    with pytest.raises(AlreadyExists, match="tag 'v1' exists already"):
        tags.create("v1", "b")
    assert tags.names() == ["v1"]
    tags.remove("v1")
    with pytest.raises(NotFound, match="there is no tag 'v1'; there are none"):
        tags.read("v1")


def test_a_garbled_head_is_corrupt_data(tmp_path):
    heads = Refs(tmp_path, "branch")
    heads.create("main", "a")
    heads.path("main").write_bytes(b'{"com')
    with pytest.raises(CorruptData, match="is garbled"):
        heads.read("main")


@pytest.mark.parametrize("name", ["", "Museum", "1st", "a b", "a/b", "..", "x" * 64, "name\n"])
def test_bad_names_are_refused_with_the_rule(name):
    with pytest.raises(InvalidInput, match="use a lower-case letter"):
        check_name(name, "world")
