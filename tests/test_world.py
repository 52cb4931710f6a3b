import numpy as np
import pytest

import memstore as ms
from memstore.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidInput,
    LatentSpecMismatch,
    NotFound,
    ReadOnly,
    Reason,
)


@pytest.fixture
def db(tmp_path):
    with ms.open(tmp_path / "db") as db:
        yield db


@pytest.fixture
def museum(db, walk):
    world = db.create_world("museum")
    with world.ingest(message="first walk", author="ada") as ingest:
        for frame in walk(12, open_sky=True):
            ingest.add(frame)
    return world


def test_a_place_lasts_across_sessions(tmp_path, walk):
    frames = walk(16)
    with ms.open(tmp_path / "db") as db:
        with db.create_world("museum").ingest() as ingest:
            for frame in frames[:8]:
                ingest.add(frame)
        first = db.world("museum").retrieve(frames[0].camera)
    with ms.open(tmp_path / "db") as db:
        museum = db.world("museum")
        again = museum.retrieve(frames[0].camera)
        np.testing.assert_array_equal(again.ids, first.ids)
        np.testing.assert_array_equal(again.latents(), first.latents())
        with museum.ingest() as ingest:
            for frame in frames[8:]:
                ingest.add(frame)
            assert ingest.waiting == 8
        assert ingest.acknowledged == 8
        assert ingest.first_ordinal == 8
        assert museum.describe().frame_count == 16


def test_frames_come_back_as_they_went_in(museum, walk):
    frames = walk(12, open_sky=True)
    back = list(museum.frames())
    assert [frame.ordinal for frame in back] == list(range(12))
    for before, after in zip(frames, back, strict=True):
        assert after.camera == before.camera
        np.testing.assert_array_equal(after.rgb, before.rgb)
        np.testing.assert_array_equal(after.latents, before.rgb)
        np.testing.assert_array_equal(after.sky, before.sky)
        np.testing.assert_allclose(after.depth_m[before.measured], before.depth_m[before.measured], rtol=2**-11)
        assert (after.time_s, after.caption, dict(after.metadata)) == (
            before.time_s,
            before.caption,
            dict(before.metadata),
        )
    assert [frame.ordinal for frame in museum.frames(3, 6)] == [3, 4, 5]
    assert [frame.ordinal for frame in museum.frames(9, as_of=10)] == [9, 10]


def test_masks_come_back_and_keep_patches_out(db, walk):
    (frame,) = walk(1)
    moving = np.zeros((48, 64), bool)
    moving[8:16, 16:40] = True
    world = db.create_world("street")
    with world.ingest() as ingest:
        ingest.add(ms.Frame(frame.camera, frame.depth_m, frame.rgb, moving=moving))
    np.testing.assert_array_equal(next(world.frames()).moving, moving)
    seen = world.retrieve(frame.camera, per_token=1)
    assert seen.coverage[1, 2:5].max() < 0.9
    assert len(seen.ids) == 6 * 8 - 3


def test_the_own_camera_of_a_frame_gets_the_frame_back(museum, walk):
    frame = walk(12, open_sky=True)[5]
    mosaic = museum.retrieve(frame.camera, as_of=5, ranking="closest")
    assert mosaic.coverage.mean() > 0.94  # tokens across an edge cover their own side of it
    error = np.abs(mosaic.image().astype(int) - frame.rgb.astype(int)).mean()
    assert error < 6
    assert np.isposinf(mosaic.depth_m).any()


def test_a_moment_may_be_named_by_its_time(museum, walk):
    camera = walk(8)[2].camera
    by_time = museum.retrieve(camera, as_of_s=0.45, per_token=64)  # between frames 4 and 5
    assert by_time.ids.tolist() == museum.retrieve(camera, as_of=4, per_token=64).ids.tolist()
    with pytest.raises(InvalidInput, match=r"no frame is as old as -5.0 s; the first is of 0.0 s"):
        museum.retrieve(camera, as_of_s=-5.0)


def test_as_of_and_before_leave_later_frames_out(museum, walk):
    cameras = [frame.camera for frame in walk(12, open_sky=True)]

    def ordinals(**options):
        return {o for mosaic in museum.retrieve(cameras, **options) for o in mosaic.sources.ordinal.tolist()}

    assert ordinals(per_token=64) == set(range(12))
    assert ordinals(per_token=64, as_of=4) == {0, 1, 2, 3, 4}
    assert ordinals(per_token=64, before=4) == {0, 1, 2, 3}
    assert ordinals(per_token=64, before=4, as_of=2) == {0, 1, 2}


def test_an_empty_world_gives_an_empty_mosaic(db, walk):
    world = db.create_world("empty")
    mosaic = world.retrieve(walk(1)[0].camera)
    assert len(mosaic.ids) == 0
    assert mosaic.coverage.shape == (6, 8)
    assert mosaic.coverage.max() == 0
    assert mosaic.image().shape == (48, 64, 3)
    assert world.bounds() is None
    assert list(world.frames()) == []


def test_a_list_of_cameras_gives_a_mosaic_each_of_one_commit(museum, walk):
    cameras = [frame.camera for frame in walk(3)]
    mosaics = museum.retrieve(cameras)
    assert [mosaic.camera for mosaic in mosaics] == cameras
    assert {mosaic.commit for mosaic in mosaics} == {museum.head}
    assert museum.retrieve([]) == []


def test_retrieve_refuses_nonsense_with_what_it_knows(museum, walk):
    camera = walk(1)[0].camera
    with pytest.raises(InvalidInput, match="knows no option rankng; it knows ranking"):
        museum.retrieve(camera, rankng="newest")
    with pytest.raises(InvalidInput, match="ranking must be one of newest"):
        museum.retrieve(camera, ranking="best")
    with pytest.raises(InvalidInput, match=r"crop or resize it to 56x48"):
        museum.retrieve(camera.resized(60, 48))


def test_bounds_hold_the_room(museum):
    box = museum.bounds()
    assert box is not None
    np.testing.assert_allclose(box.high[:2], (4, 4), atol=2.5)
    np.testing.assert_allclose(box.low, (-4, -4, -1.5), atol=2.5)


def test_patches_come_by_id_in_the_order_asked_for(museum, walk):
    mosaic = museum.retrieve(walk(12, open_sky=True)[0].camera)
    stored = museum.patches(mosaic.ids[::-1])
    np.testing.assert_array_equal(stored.latents, mosaic.latents()[::-1])
    np.testing.assert_array_equal(stored.sky, np.isposinf(mosaic.depth_m[::-1]))
    np.testing.assert_array_equal(stored.color, mosaic.color[::-1])
    with pytest.raises(NotFound, match="1 of 2 patch ids") as caught:
        museum.patches(np.array([mosaic.ids[0], 2**63], np.uint64))
    assert caught.value.reason is Reason.PATCH_NOT_FOUND


def test_the_log_shows_an_ingest_as_one_step(db, walk):
    world = db.create_world("museum")
    with world.ingest(message="two segments", author="ada") as ingest:
        for frame in walk(3):
            ingest.add(frame)
        ingest.flush()
        for frame in walk(2):
            ingest.add(frame)
    newest, oldest = world.log()
    assert (newest.operation, newest.message, newest.author, newest.frame_count) == ("ingest", "two segments", "ada", 5)
    assert (oldest.operation, oldest.parents) == ("create", ())
    assert newest.parents == (oldest.commit,)
    assert newest.commit == world.head


def test_a_pinned_world_stays_as_it_was(museum, walk):
    camera = walk(1)[0].camera
    then = museum.at(museum.head)
    before = then.retrieve(camera)
    with museum.ingest() as ingest:
        for frame in walk(4):
            ingest.add(frame)
    np.testing.assert_array_equal(then.retrieve(camera).ids, before.ids)
    assert then.describe().frame_count == 12
    with pytest.raises(ReadOnly, match="pinned"):
        then.ingest()


def test_a_commit_of_another_world_is_refused(db, museum):
    other = db.create_world("other")
    with pytest.raises(InvalidInput, match="belongs to another world"):
        other.at(museum.head)
    with pytest.raises(NotFound, match="there is no commit"):
        other.at("feedbeef")


def test_watch_yields_new_heads(museum, walk):
    heads = museum.watch(timeout_s=5)
    import threading

    before = museum.head

    def ingest():
        with museum.ingest() as ingest:
            ingest.add(walk(1)[0])

    writer = threading.Timer(0.2, ingest)
    writer.start()
    moved = next(heads)
    writer.join()
    assert (moved.previous, moved.head) == (before, museum.head)


def test_worlds_are_made_listed_deleted_and_brought_back(db):
    db.create_world("garden", up="-y")
    assert [(world.name, world.up) for world in db.worlds()] == [("garden", "-y")]
    with pytest.raises(AlreadyExists, match="'garden' exists already"):
        db.create_world("garden")
    db.create_world("garden", exist_ok=True)
    with pytest.raises(LatentSpecMismatch, match="patch"):
        db.create_world("garden", ms.LatentSpec.pixel(patch=4), exist_ok=True)
    db.delete_world("garden")
    assert db.worlds() == []
    assert [world.name for world in db.worlds(deleted=True)] == ["garden"]
    with pytest.raises(NotFound, match="there is no world 'garden'"):
        db.world("garden")
    db.undelete_world("garden")
    assert db.world("garden").up == "-y"


def test_an_unknown_world_names_the_nearest(db):
    db.create_world("museum")
    with pytest.raises(NotFound, match="the nearest names are museum"):
        db.world("musuem")


def test_a_repeated_request_makes_a_world_once(db):
    db.create_world("garden", request_id="r1")
    db.create_world("garden", request_id="r1")
    with pytest.raises(AlreadyExists, match="exists already"):
        db.create_world("garden", request_id="r2")


def test_an_ingest_goes_on_under_its_request_id(db, walk):
    frames = walk(9)
    world = db.create_world("museum")
    with pytest.raises(RuntimeError, match="the camera fell"), world.ingest(request_id="walk-1") as ingest:
        for frame in frames[:5]:
            ingest.add(frame)
        raise RuntimeError("the camera fell")
    with world.ingest(request_id="walk-1") as ingest:
        assert ingest.resume_from == 5
        for frame in frames[ingest.resume_from :]:
            ingest.add(frame)
    assert [frame.caption for frame in world.frames()] == [frame.caption for frame in frames]
    assert [step.frame_count for step in world.log()] == [9, 0]


def test_a_discarded_ingest_leaves_nothing_to_see(museum, walk):
    camera = walk(12)[0].camera
    before = museum.retrieve(camera).ids
    with museum.ingest(request_id="r1") as ingest:
        for frame in walk(4):
            ingest.add(frame)
        ingest.flush()
        ingest.discard()
    assert museum.ingest(request_id="r1").resume_from == 0
    np.testing.assert_array_equal(museum.retrieve(camera).ids, before)
    with pytest.raises(FailedPrecondition, match="this ingest is over"):
        ingest.add(walk(1)[0])


def test_a_frame_that_does_not_fit_is_refused_and_the_rest_stays(museum, walk):
    good, bad = walk(2)
    before = museum.describe().frame_count
    with museum.ingest() as ingest:
        ingest.add(good)
        with pytest.raises(InvalidInput, match="no measured depth"):
            ingest.add(ms.Frame(bad.camera, np.zeros((48, 64), np.float32), bad.rgb))
        with pytest.raises(InvalidInput, match=r"latents of this frame must have shape \(48, 64, 3\)"):
            ingest.add(ms.Frame(bad.camera, bad.depth_m, latents=np.zeros((2, 2, 3), np.uint8)))
    assert museum.describe().frame_count == before + 1


def test_ready_latents_enter_a_world_without_its_codec(db, walk):
    spec = ms.LatentSpec.wan22()
    world = db.create_world("wan", spec)
    (frame,) = walk(1, 64, 64)
    latents = np.random.default_rng(0).normal(size=(4, 4, 48)).astype(np.float16)
    with world.ingest() as ingest:
        with pytest.raises(FailedPrecondition, match=r"no codec 'wan2.2' is registered"):
            ingest.add(frame)
        ingest.add(ms.Frame(frame.camera, frame.depth_m, latents=latents))
    (back,) = world.frames()
    np.testing.assert_array_equal(back.latents, latents)
    mosaic = world.retrieve(frame.camera)
    assert mosaic.latents().shape == (4, 192)
    assert mosaic.latents().dtype == np.float16


def test_frames_of_two_sizes_share_a_world(db, walk):
    world = db.create_world("mixed")
    with world.ingest() as ingest:
        for frame in [*walk(2, 64, 48), *walk(2, 32, 32)]:
            ingest.add(frame)
    assert [frame.rgb.shape for frame in world.frames()] == [(48, 64, 3)] * 2 + [(32, 32, 3)] * 2


def test_a_folder_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FailedPrecondition, match="is no memstore database") as caught:
        ms.open(tmp_path)
    assert caught.value.reason is Reason.NOT_A_DATABASE
    with pytest.raises(NotFound, match="there is no database"):
        ms.open(tmp_path / "nowhere", read_only=True)


def test_reading_only_never_writes(tmp_path, museum, walk):
    with ms.open(tmp_path / "db", read_only=True) as reader:
        assert len(reader.world("museum").retrieve(walk(1)[0].camera).ids) > 0
        with pytest.raises(ReadOnly, match="open for reading only"):
            reader.create_world("other")


def test_a_world_survives_its_file(tmp_path, db, museum, walk):
    camera = walk(1)[0].camera
    with museum.ingest(message="second") as ingest:
        ingest.add(walk(3)[2])
    db.export_world("museum", tmp_path / "museum.memstore")
    with ms.open(tmp_path / "other") as other:
        copy = other.import_world(tmp_path / "museum.memstore", "copy")
        assert copy.name == "copy"
        assert [(s.operation, s.message, s.author, s.time_s) for s in copy.log()] == [
            (s.operation, s.message, s.author, s.time_s) for s in museum.log()
        ]
        one, two = museum.retrieve(camera), copy.retrieve(camera)
        np.testing.assert_array_equal(one.latents(), two.latents())
        np.testing.assert_array_equal(one.uv, two.uv)
        for before, after in zip(museum.frames(), copy.frames(), strict=True):
            np.testing.assert_array_equal(before.depth_m, after.depth_m)
            assert before.metadata == after.metadata
        assert other.verify().clean
        with pytest.raises(AlreadyExists, match="'copy' exists already"):
            other.import_world(tmp_path / "museum.memstore", "copy")
    with pytest.raises(AlreadyExists, match="exists already; choose another file"):
        db.export_world("museum", tmp_path / "museum.memstore")


def test_an_abandoned_ingest_keeps_what_was_acknowledged_and_no_more(db, walk):
    world = db.create_world("museum")
    first, second = walk(2)
    with world.ingest() as ingest:
        ingest.add(first)
        ingest.flush()
        ingest.add(second)
        ingest.abandon()
    assert [frame.caption for frame in world.frames()] == [first.caption]


def test_a_clip_with_a_hole_keeps_what_came_before_it(tmp_path, db, walk):
    ms.write_clip(tmp_path / "clip", walk(6))
    next((tmp_path / "clip").glob("images/*3.png")).unlink()
    world = db.create_world("museum")
    with pytest.raises(InvalidInput, match=r"000003.png: no such file") as caught, world.ingest() as ingest:
        for frame in ms.read_clip(tmp_path / "clip"):
            ingest.add(frame)
    assert caught.value.reason is Reason.INVALID_CLIP
    assert [frame.caption for frame in world.frames()] == ["frame 0", "frame 1", "frame 2"]
    assert ingest.acknowledged == 3


def test_a_black_frame_is_remembered_like_any_other(db, walk):
    (seen,) = walk(1)
    world = db.create_world("night")
    with world.ingest() as ingest:
        ingest.add(ms.Frame(seen.camera, seen.depth_m, np.zeros_like(seen.rgb)))
    mosaic = world.retrieve(seen.camera)
    assert mosaic.image()[mosaic.image_mask()].max() == 0
    assert mosaic.image_mask().mean() > 0.9
