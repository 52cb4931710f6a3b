import pytest

from memstore.errors import CorruptData, NotFound
from memstore.storage.objects import Objects, name_of


def test_an_object_is_found_before_and_after_flush_and_in_another_process_view(tmp_path):
    objects = Objects(tmp_path)
    name = objects.put(b"a wall")
    assert objects.get(name) == b"a wall"
    assert objects.flush() == len(b"a wall")
    assert Objects(tmp_path).get(name) == b"a wall"
    assert list(objects.names()) == [name] == [name_of(b"a wall")]


def test_the_same_object_is_written_once(tmp_path):
    objects = Objects(tmp_path)
    objects.put(b"a wall")
    objects.flush()
    objects.put(b"a wall")
    assert objects.flush() == 0


def test_abandoned_objects_are_never_written(tmp_path):
    objects = Objects(tmp_path)
    name = objects.put(b"a wall")
    objects.abandon()
    assert objects.flush() == 0
    with pytest.raises(NotFound, match=f"object {name} is missing"):
        objects.get(name)


def test_a_changed_object_is_refused_by_name(tmp_path):
    objects = Objects(tmp_path)
    name = objects.put(b"a wall")
    objects.flush()
    objects.settle()
    objects.path(name).write_bytes(b"a door")
    with pytest.raises(CorruptData, match="does not match its name") as caught:
        objects.get(name)
    assert caught.value.details["file"] == str(objects.path(name))


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 32, "ab" * 17])
def test_a_name_that_is_no_hash_never_reaches_the_disk(tmp_path, name):
    with pytest.raises(NotFound, match="names no object"):
        Objects(tmp_path).get(name)


def test_a_torn_file_under_the_name_of_a_new_object_is_written_anew(tmp_path):
    content = b"what a crash tore, and what is now needed after all"
    objects = Objects(tmp_path)
    path = objects.path(name_of(content))
    path.parent.mkdir(parents=True)
    path.write_bytes(content[:7])
    name = objects.put(content)
    assert objects.flush() == len(content)
    assert objects.get(name) == content
    objects.settle()
    assert path.read_bytes() == content
