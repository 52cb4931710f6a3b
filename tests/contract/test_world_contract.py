"""One contract for the embedded database and for served ones: the same verbs, values and errors."""

import threading
import time
from dataclasses import fields

import numpy as np
import pytest

import memstore
from memstore import Camera, LatentSpec, Query, errors
from memstore.errors import Reason


@pytest.fixture
def hall(database):
    return database.create_world("hall")


def put(world, frames, **about):
    with world.ingest(**about) as ingest:
        for frame in frames:
            ingest.add(frame)
    return ingest


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if hasattr(a, "__dataclass_fields__") and type(a).__eq__ is object.__eq__:
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return a == b


class TestWorlds:
    def test_a_new_world_is_empty_and_says_what_it_is(self, database):
        world = database.create_world("hall", LatentSpec.pixel(4), up="-y")
        summary = world.describe()
        assert (world.name, world.latents, world.up, world.branch_name) == ("hall", LatentSpec.pixel(4), "-y", "main")
        assert (summary.frame_count, summary.patch_count, summary.layer_count) == (0, 0, 0)
        assert summary.head == world.head
        assert summary.deleted_s is None
        assert "hall" in repr(world)
        assert "\n" not in repr(world)

    def test_a_taken_name_is_refused_unless_that_is_fine(self, database):
        first = database.create_world("hall").describe()
        with pytest.raises(errors.AlreadyExists, match="a world 'hall' exists already") as caught:
            database.create_world("hall")
        assert caught.value.details["world"] == "hall"
        assert database.create_world("hall", exist_ok=True).describe() == first

    def test_a_repeated_request_finds_the_world_that_it_made(self, database):
        first = database.create_world("hall", request_id="r1").describe()
        assert database.create_world("hall", request_id="r1").describe() == first

    def test_a_taken_name_of_other_latents_is_refused_in_any_case(self, database):
        database.create_world("hall")
        with pytest.raises(errors.LatentSpecMismatch, match="differ in"):
            database.create_world("hall", LatentSpec.wan22(), exist_ok=True)

    @pytest.mark.parametrize("name", ["", "Hall", "a b", "a/b", "x" * 64])
    def test_a_name_that_cannot_be_is_refused(self, database, name):
        with pytest.raises(errors.InvalidInput, match=r"name") as caught:
            database.create_world(name)
        assert caught.value.reason is Reason.INVALID_NAME

    def test_an_axis_that_cannot_be_is_refused(self, database):
        with pytest.raises(errors.InvalidInput, match=r"up must be one of \+x"):
            database.create_world("hall", up="sideways")

    @pytest.mark.parametrize("name", ["hal", "a/b", "with space"])
    def test_a_world_that_is_not_there_is_named_with_the_nearest(self, database, name):
        database.create_world("hall")
        with pytest.raises(errors.NotFound, match=f"there is no world '{name}'; .*hall") as caught:
            database.world(name)
        assert caught.value.reason is Reason.WORLD_NOT_FOUND
        assert isinstance(caught.value, KeyError)

    def test_worlds_are_listed_oldest_first_however_many_there_are(self, database):
        names = ["zoo", "hall", "attic", "cellar", "barn", "mill", "quay"]
        for name in names:
            database.create_world(name)
        assert [world.name for world in database.worlds()] == names
        assert database.describe().world_count == len(names)

    def test_a_deleted_world_comes_back(self, database):
        before = database.create_world("hall").describe()
        database.delete_world("hall")
        assert database.worlds() == []
        assert [world.name for world in database.worlds(deleted=True)] == ["hall"]
        with pytest.raises(errors.NotFound, match="there is no world 'hall'"):
            database.world("hall")
        assert database.undelete_world("hall").describe() == before

    def test_what_was_never_deleted_cannot_come_back(self, database):
        with pytest.raises(errors.NotFound, match="no world 'hall' was deleted"):
            database.undelete_world("hall")
        with pytest.raises(errors.NotFound, match="there is no world 'hall'"):
            database.delete_world("hall")


class TestMemory:
    def test_frames_come_back_as_they_went_in(self, hall, walk):
        frames = walk(5, open_sky=True)
        ingest = put(hall, frames, message="first walk", author="ada")
        assert (ingest.acknowledged, ingest.first_ordinal, ingest.resume_from) == (5, 0, 0)
        back = list(hall.frames())
        assert [frame.ordinal for frame in back] == list(range(5))
        for went_in, came_out in zip(frames, back, strict=True):
            assert came_out.camera == went_in.camera
            assert np.array_equal(came_out.rgb, went_in.rgb)
            assert np.allclose(came_out.depth_m, went_in.depth_m, rtol=1e-3)
            assert (came_out.time_s, came_out.caption) == (went_in.time_s, went_in.caption)
            assert dict(came_out.metadata) == dict(went_in.metadata)

    def test_frames_can_be_cut_out_by_ordinal(self, hall, walk):
        put(hall, walk(6))
        assert [frame.ordinal for frame in hall.frames(2, 4)] == [2, 3]
        assert [frame.ordinal for frame in hall.frames(as_of=1)] == [0, 1]
        assert list(hall.frames(9)) == []
        with pytest.raises(errors.InvalidInput, match="frames counts from 0") as caught:
            list(hall.frames(-1))
        assert caught.value.details["field"] == "start"

    def test_a_mosaic_of_an_empty_world_is_empty(self, hall, walk):
        mosaic = hall.retrieve(walk(1)[0].camera)
        assert len(mosaic.ids) == 0
        assert mosaic.commit == hall.head

    def test_a_camera_sees_what_it_put_in(self, hall, walk):
        frames = walk(8)
        put(hall, frames)
        mosaic = hall.retrieve(frames[3].camera)
        assert len(mosaic.ids) > 0
        assert mosaic.camera == frames[3].camera
        assert mosaic.spec == hall.latents
        assert mosaic.commit == hall.head
        assert mosaic.content.latents.shape == (len(mosaic.ids), hall.latents.values_per_patch)
        assert not mosaic.content.latents.flags.writeable

    def test_several_cameras_get_one_mosaic_each_in_their_order(self, hall, walk):
        frames = walk(6)
        put(hall, frames)
        cameras = [frame.camera for frame in frames[:3]]
        mosaics = hall.retrieve(cameras, per_token=1, latents=False)
        assert [mosaic.camera for mosaic in mosaics] == cameras
        assert all(mosaic.content is None for mosaic in mosaics)
        assert same(mosaics[1], hall.retrieve(cameras[1], Query(per_token=1, latents=False)))
        assert hall.retrieve([]) == []

    def test_options_are_checked_in_the_same_words(self, hall, walk):
        camera = walk(1)[0].camera
        with pytest.raises(errors.InvalidInput, match="per_token must be from 1 to 64, got 0") as caught:
            hall.retrieve(camera, per_token=0)
        assert caught.value.details["field"] == "per_token"
        with pytest.raises(errors.InvalidInput, match="retrieve knows no option colour"):
            hall.retrieve(camera, colour=True)
        with pytest.raises(errors.InvalidInput, match="give either a query or options"):
            hall.retrieve(camera, Query(), per_token=2)

    def test_a_camera_whose_image_cannot_be_cut_into_patches_is_refused(self, hall):
        with pytest.raises(errors.InvalidInput, match="65x48 cannot be cut into patches") as caught:
            hall.retrieve(Camera.from_fov(65, 48, 1.0))
        assert caught.value.reason is Reason.INVALID_FRAME

    def test_patches_are_read_by_id_all_or_none(self, hall, walk):
        frames = walk(3)
        put(hall, frames)
        mosaic = hall.retrieve(frames[0].camera, latents=True)
        ids = mosaic.ids[::-1]
        stored = hall.patches(ids)
        assert np.array_equal(stored.ids, ids)
        assert np.array_equal(stored.latents, mosaic.content.latents[::-1])
        with pytest.raises(errors.NotFound, match=r"patch") as caught:
            hall.patches(np.append(ids, np.uint64(1 << 60)))
        assert caught.value.reason is Reason.PATCH_NOT_FOUND

    def test_bounds_hold_the_room(self, hall, walk):
        assert hall.bounds() is None
        put(hall, walk(8))
        bounds = hall.bounds()
        assert all(low < -1 and high > 1 for low, high in zip(bounds.low[:2], bounds.high[:2], strict=True))


class TestIngest:
    def test_an_ingest_is_one_step_in_the_log(self, hall, walk):
        put(hall, walk(3), message="first walk", author="ada", request_id="walk-1")
        newest, first = hall.log()
        assert (newest.operation, newest.message, newest.author) == ("ingest", "first walk", "ada")
        assert (newest.request_id, newest.frame_count, newest.parents) == ("walk-1", 3, (first.commit,))
        assert newest.commit == hall.head
        assert first.parents == ()

    def test_the_log_is_as_long_as_was_asked(self, hall, walk):
        frames = walk(1)
        for i in range(8):
            put(hall, frames, message=str(i))
        assert [step.message for step in hall.log(5)] == ["7", "6", "5", "4", "3"]
        assert len(hall.log()) == 9
        assert hall.log(0) == []

    def test_a_flush_makes_frames_durable_and_visible(self, hall, walk):
        frames = walk(4)
        with hall.ingest() as ingest:
            ingest.add(frames[0])
            ingest.add(frames[1])
            assert ingest.flush() == 2
            assert hall.describe().frame_count == 2
            ingest.add(frames[2])
        assert (ingest.acknowledged, ingest.first_ordinal) == (3, 0)
        assert hall.describe().frame_count == 3

    def test_a_finished_request_goes_on_where_it_stopped(self, hall, walk):
        frames = walk(5)
        put(hall, frames[:3], request_id="walk-1")
        with hall.ingest(request_id="walk-1") as ingest:
            assert ingest.resume_from == 3
            for frame in frames[ingest.resume_from :]:
                ingest.add(frame)
        assert (ingest.acknowledged, ingest.first_ordinal) == (2, 3)
        assert [frame.caption for frame in hall.frames()] == [frame.caption for frame in frames]
        assert hall.log()[0].frame_count == 5

    def test_an_error_in_the_block_keeps_what_was_added_before(self, hall, walk):
        with pytest.raises(ZeroDivisionError), hall.ingest() as ingest:
            ingest.add(walk(1)[0])
            raise ZeroDivisionError
        assert hall.describe().frame_count == 1

    def test_a_discarded_ingest_leaves_nothing(self, hall, walk):
        put(hall, walk(1))
        with hall.ingest() as ingest:
            for frame in walk(3):
                ingest.add(frame)
            ingest.flush()
            ingest.discard()
        assert len(list(hall.frames())) == 1
        with pytest.raises(errors.FailedPrecondition, match="this ingest is over") as caught:
            ingest.add(walk(1)[0])
        assert caught.value.reason is Reason.CLOSED

    def test_a_frame_that_cannot_be_cut_into_patches_is_refused_at_once(self, hall, walk):
        with hall.ingest() as ingest:
            with pytest.raises(errors.InvalidInput, match="60x48 cannot be cut into patches"):
                ingest.add(walk(1, 60, 48)[0])
            ingest.add(walk(1)[0])
        assert ingest.acknowledged == 1

    def test_a_frame_without_any_depth_ends_the_block_and_keeps_those_before(self, hall, walk):
        good = walk(1)[0]
        bad = memstore.Frame(good.camera, np.zeros_like(good.depth_m), good.rgb)
        with pytest.raises(errors.InvalidInput, match="no measured depth") as caught, hall.ingest() as ingest:
            ingest.add(good)
            ingest.add(bad)
        assert caught.value.reason is Reason.INVALID_FRAME
        assert hall.describe().frame_count == 1

    def test_frames_of_a_large_image_go_in_and_out(self, hall, walk):
        frame = walk(1, 640, 480)[0]
        put(hall, [frame])
        (back,) = hall.frames()
        assert np.array_equal(back.rgb, frame.rgb)

    def test_ready_latents_need_no_codec(self, database, walk):
        world = database.create_world("studio", LatentSpec.wan22(depth_stride=4))
        frame = walk(1, 64, 64)[0]
        latents = np.random.default_rng(0).normal(size=(4, 4, 48)).astype(np.float16)
        put(world, [memstore.Frame(frame.camera, frame.depth_m, latents=latents)])
        (back,) = world.frames()
        assert back.rgb is None
        assert np.array_equal(back.latents, latents)
        with pytest.raises(errors.FailedPrecondition, match=r"no codec 'wan2\.2' is registered"):
            put(world, [frame])


class TestHistory:
    def test_a_pinned_world_stays_as_it_was(self, hall, walk):
        frames = walk(4)
        put(hall, frames[:2])
        pinned = hall.at(hall.head)
        put(hall, frames[2:])
        assert len(list(pinned.frames())) == 2
        assert pinned.head == hall.log()[1].commit
        assert len(pinned.log()) == 2
        assert pinned.describe().frame_count == 2
        assert pinned.retrieve(frames[0].camera).commit == pinned.head
        with pytest.raises(errors.ReadOnly, match="is pinned at"):
            pinned.ingest()

    def test_an_unknown_commit_is_refused(self, hall):
        with pytest.raises(errors.NotFound, match=r"commit") as caught:
            hall.at("0" * 32)
        assert caught.value.reason is Reason.COMMIT_NOT_FOUND

    def test_a_commit_of_another_world_is_refused(self, database, hall):
        other = database.create_world("attic")
        with pytest.raises(errors.InvalidInput, match="belongs to another world"):
            hall.at(other.head)

    def test_a_watch_tells_of_a_new_head(self, hall, walk):
        before, frame = hall.head, walk(1)[0]

        def later():
            time.sleep(0.3)
            put(hall, [frame])

        writer = threading.Thread(target=later)
        writer.start()
        moved = next(iter(hall.watch(timeout_s=20)))
        writer.join()
        assert (moved.world, moved.branch, moved.previous, moved.head) == ("hall", "main", before, hall.head)

    def test_a_watch_ends_when_it_is_quiet_for_long_enough(self, hall):
        assert list(hall.watch(timeout_s=0.3)) == []


class TestClosing:
    def test_a_closed_database_says_so(self, database, hall, walk):
        database.close()
        with pytest.raises(errors.FailedPrecondition, match="closed") as caught:
            put(hall, walk(1))
        assert caught.value.reason is Reason.CLOSED
        database.close()
