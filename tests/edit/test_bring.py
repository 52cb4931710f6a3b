"""Worlds of another database: copied over by `stitch`, refused elsewhere."""

import pytest

import memstore as ms
from memstore.errors import InvalidInput


@pytest.fixture
def databases(tmp_path):
    with ms.open(tmp_path / "here") as here, ms.open(tmp_path / "there") as there:
        yield here, there


def remembered(database, name, frames):
    world = database.create_world(name)
    with world.ingest() as ingest:
        for frame in frames:
            ingest.add(frame)
    return world


def test_a_world_of_another_database_is_copied_and_the_log_says_what(databases, walk):
    here, there = databases
    museum, garden = remembered(here, "museum", walk(4)), remembered(there, "garden", walk(6))
    report = museum.stitch(garden, ms.Transform.translate(20, 0, 0), message="bring the garden")
    assert report.patches_after == museum.describe().patch_count == 10 * 48
    assert {world.name for world in here.worlds()} == {"museum", "garden"}
    assert museum.log()[0].message.startswith("bring the garden (copied world 'garden' from ")
    there.delete_world("garden")
    there.collect(grace_s=0)
    assert here.verify().clean
    assert len(museum.retrieve(walk(6)[2].camera.placed(ms.Transform.translate(20, 0, 0)))) > 0


def test_a_name_that_is_taken_here_does_not_stop_the_copy(databases, walk):
    here, there = databases
    museum = remembered(here, "museum", walk(4))
    museum.stitch(remembered(there, "museum", walk(2)), ms.Transform.translate(20, 0, 0))
    assert {world.name for world in here.worlds()} == {"museum", "museum-2"}


def test_the_commit_that_a_handle_is_pinned_to_is_the_one_that_comes(databases, walk):
    here, there = databases
    museum, garden = remembered(here, "museum", walk(4)), remembered(there, "garden", walk(2))
    then = garden.at(garden.head)
    with garden.ingest() as ingest:
        ingest.add(walk(3)[2])
    report = museum.stitch(then, ms.Transform.translate(20, 0, 0))
    assert report.operations[0].shown_count == then.describe().patch_count < garden.describe().patch_count


def test_within_an_edit_a_world_of_another_database_is_refused(databases, walk):
    here, there = databases
    museum, garden = remembered(here, "museum", walk(4)), remembered(there, "garden", walk(2))
    with (
        pytest.raises(InvalidInput, match=r"world 'garden' is in another database .* copies it over"),
        museum.edit() as edit,
    ):
        edit.concatenate(garden)
    assert museum.log()[0].operation == "ingest"
