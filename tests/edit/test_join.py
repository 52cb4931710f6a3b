"""Stitch and concatenate: another world is shown, nothing of it is copied, and it goes its own way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from edit.shown import draft_of, shown

import memstore as ms
from memstore.errors import FailedPrecondition, InvalidInput, LatentSpecMismatch, NotFound, Reason
from memstore.world import World

AT = ms.Transform.translate(20, 3, 0) @ ms.Transform.rotate_z(25, degrees=True)


@pytest.fixture
def garden(db):
    return db.world("garden")


def spots(world: World, begins: str) -> np.ndarray:
    """Returns what layers show whose names begin so."""
    all_shown = shown(world)
    return all_shown.spots(np.array([name.startswith(begins) for name in all_shown.name]))


# Where it goes


def test_a_stitched_world_is_shown_where_it_is_put_and_its_sky_stays_at_home(museum, garden):
    before, theirs = shown(museum), shown(garden)
    report = museum.stitch(garden, AT)
    after = shown(museum)
    stitched = after.name == "garden-observed"
    assert set(after.name) == {"observed", "sky", "garden-observed"}
    assert set(after.kind[stitched]) == {"placed"}
    assert before.instances() == after.instances(~stitched)
    surfaces = ~theirs.sky
    by_patch = dict(zip(theirs.patch_id[surfaces].tolist(), AT.apply(theirs.center[surfaces]), strict=True))
    wanted = np.array([by_patch[patch] for patch in after.patch_id[stitched].tolist()])
    np.testing.assert_allclose(after.center[stitched], wanted, atol=1e-9)
    (operation,) = report.operations
    assert (operation.operation, operation.selected_count, operation.hidden_count, operation.shown_count) == (
        "stitch",
        surfaces.sum(),
        0,
        surfaces.sum(),
    )
    assert report.patches_after == len(after)
    assert (np.array(operation.bounds.low) < after.center[stitched].min(axis=0)).all()
    assert (np.array(operation.bounds.high) > after.center[stitched].max(axis=0)).all()


def test_its_sky_comes_when_it_is_asked_for(museum, garden):
    museum.stitch(garden, AT, sky=True, name="park")
    assert {layer.name: layer.kind for layer in museum.layers()} == {
        "observed": "observed",
        "sky": "sky",
        "park-observed": "placed",
        "park-sky": "sky",
    }
    theirs = shown(garden)
    turned = theirs.center[theirs.sky] @ AT.rotation.T
    after = shown(museum)
    np.testing.assert_allclose(
        np.sort(after.center[after.name == "park-sky"], axis=0), np.sort(turned, axis=0), atol=1e-12
    )


def test_what_it_shows_is_retrieved_with_its_latents(museum, garden, walk):
    camera = walk(5, open_sky=True)[2].camera
    alone = garden.retrieve(camera, per_token=64)
    museum.stitch(garden, AT, sky=True)
    mosaic = museum.retrieve(camera.placed(AT), per_token=64)
    theirs = np.isin(mosaic.ids, alone.ids)
    assert np.isin(alone.ids, mosaic.ids).mean() > 0.95
    by_patch = dict(zip(alone.ids.tolist(), alone.latents(), strict=True))
    for patch, latents in zip(mosaic.ids[theirs].tolist(), mosaic.latents()[theirs], strict=True):
        np.testing.assert_array_equal(latents, by_patch[patch])


@pytest.mark.parametrize("side", ["+x", "-x", "+y", "-y"])
def test_a_concatenated_world_stands_beside_this_one_on_the_same_ground(museum, garden, side):
    here = museum.bounds()
    with museum.edit() as edit:
        edit.concatenate(garden, side=side, gap_m=2.0)
    there = edit.report.operations[0].bounds
    axis = "xyz".index(side[1])
    gap = there.low[axis] - here.high[axis] if side[0] == "+" else here.low[axis] - there.high[axis]
    assert gap == pytest.approx(2.0)
    across = 1 - axis
    assert sum((there.low[across], there.high[across])) == pytest.approx(sum((here.low[across], here.high[across])))
    assert there.low[2] == pytest.approx(here.low[2])
    assert edit.report.operations[0].operation == "concatenate"


@pytest.mark.parametrize(("side", "end"), [("+z", "high"), ("-z", "low")])
def test_a_concatenated_world_can_stand_above_or_below(museum, garden, side, end):
    here = museum.bounds()
    with museum.edit() as edit:
        edit.concatenate("garden", side=side, gap_m=0.5)
    there = edit.report.operations[0].bounds
    gap = there.low[2] - here.high[2] if end == "high" else here.low[2] - there.high[2]
    assert gap == pytest.approx(0.5)


def test_its_frames_count_as_older_than_the_join(museum, garden):
    assert (museum.describe().frame_count, garden.describe().frame_count) == (12, 5)
    museum.stitch(garden, AT)
    after = shown(museum)
    assert set(after.ordinal[after.name == "garden-observed"].tolist()) == set(range(7, 12))
    with museum.edit() as edit:
        moved = edit.relocate(ms.Ordinals(7, 9) & ms.Layers("garden-observed"), AT, name="old")
    assert set(shown(museum).ordinal[shown(museum).name == "old"].tolist()) == {7, 8}
    assert moved.report.layers[0].ordinal_offset == 7


def test_what_was_retired_there_is_retired_here_by_the_shifted_ordinal(db, museum, walk):
    street = db.create_world("street")
    (near,) = walk(1)
    in_the_way = near.depth_m.copy()
    in_the_way[8:24, 16:40] = 1.0
    with street.ingest() as ingest:
        ingest.add(ms.Frame(near.camera, in_the_way, near.rgb))
    with street.ingest() as ingest:
        for frame in (near, near, near):
            ingest.add(frame)
    far = ms.Transform.translate(100, 0, 0)
    museum.stitch(street, far)
    there, here = near.camera, near.camera.placed(far)
    seen = [set(street.retrieve(there, as_of=o, per_token=64).ids.tolist()) for o in range(4)]
    assert seen[0] - seen[3]
    for o in range(4):
        mosaic = museum.retrieve(here, as_of=o + 8, per_token=64, far_m=20)
        assert set(mosaic.ids[np.isfinite(mosaic.depth_m)].tolist()) == seen[o]


def test_hidden_layers_stay_at_home_and_names_are_made_unique(museum, garden):
    with garden.edit() as edit:
        edit.name(ms.Box((0, 3.5, 0), (4, 3, 3)), "wall")
        edit.hide("observed")
    museum.stitch(garden, AT)
    museum.stitch(garden, ms.Transform.translate(-30, 0, 0))
    assert [layer.name for layer in museum.layers()] == ["observed", "sky", "garden-wall", "garden-wall-2"]


def test_a_moved_part_of_a_stitched_world_knows_where_it_was_taken_from(museum, garden):
    with garden.edit() as edit:
        edit.relocate(ms.Box((0, 3.5, 0), (4, 3, 3)), ms.Transform.translate(0, 0, 9), name="wall")
    museum.stitch(garden, AT)
    before = shown(museum)
    with museum.edit() as edit:
        edit.delete(ms.HalfSpace((1, 0, 0), 15))
        edit.restore(ms.Everything())
    assert shown(museum).instances() == before.instances()


# Nothing is copied


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("verb", ["stitch", "concatenate"])
def test_no_patch_and_no_payload_is_written(db, museum, garden, verb):
    before = files(db.root)
    with museum.edit() as edit:
        getattr(edit, verb)(garden)
    fresh = {name: content for name, content in files(db.root).items() if before.get(name) != content}
    fresh.pop("writer.lock", None)
    heads = [name for name in fresh if name.startswith("worlds/")]
    assert len(heads) == 1
    assert all(name.startswith("objects/") for name in fresh if name not in heads)
    objects = [len(content) for name, content in fresh.items() if name.startswith("objects/")]
    assert 0 < edit.report.bytes_written <= sum(objects) < 4_000  # a journal adds the names of the objects
    assert set(before) <= set(files(db.root))


def test_the_source_can_be_edited_deleted_and_collected_around(db, museum, garden, walk):
    camera = walk(5)[1].camera.placed(AT)
    museum.stitch(garden, AT)
    stitched, seen = spots(museum, "garden"), museum.retrieve(camera)
    with garden.edit() as edit:
        edit.delete(ms.Everything())
    np.testing.assert_array_equal(spots(museum, "garden"), stitched)
    db.delete_world("garden")
    db.collect(grace_s=0)
    assert db.verify().problems == ()
    np.testing.assert_array_equal(spots(museum, "garden"), stitched)
    with ms.open(db.root, read_only=True) as reader:
        again = reader.world("museum").retrieve(camera)
        np.testing.assert_array_equal(again.ids, seen.ids)
        np.testing.assert_array_equal(again.latents(), seen.latents())


def test_edits_of_the_stitched_world_leave_the_source_alone(museum, garden):
    before = shown(garden)
    museum.stitch(garden, AT)
    with museum.edit() as edit:
        edit.delete(ms.Layers("garden-observed") & ms.Ordinals(7, 9))
        edit.relocate(ms.Layers("garden-observed"), AT)
    assert shown(garden).instances() == before.instances()
    np.testing.assert_array_equal(shown(garden).spots(), before.spots())


def test_a_world_is_stitched_as_of_a_commit_or_a_branch(museum, garden):
    then = garden.head
    garden.branch("night", create=True)
    with garden.edit() as edit:
        edit.delete(ms.Ordinals(0, 2))
    museum.stitch(garden, AT, name="now")
    museum.stitch(garden, AT, commit=then, name="then")
    museum.stitch(garden.branch("night"), AT, name="night")
    counts = {layer.name: layer.patch_count for layer in museum.layers()}
    assert counts["now-observed"] < counts["then-observed"] == counts["night-observed"]


def test_an_earlier_state_of_a_world_can_be_stitched_to_itself(museum):
    then, before = museum.head, shown(museum)
    with museum.edit() as edit:
        edit.delete(ms.Ordinals(0, 6))
    museum.stitch(museum, AT, commit=then, name="then")
    after = shown(museum)
    np.testing.assert_array_equal(
        np.sort(after.patch_id[after.name == "then-observed"]), np.sort(before.patch_id[~before.sky])
    )


# What is refused


def test_a_world_is_not_stitched_to_itself_as_it_stands(museum):
    for commit in ("", museum.head, museum.head[:8]):
        with pytest.raises(FailedPrecondition, match="cannot be joined to itself as it stands"):
            museum.stitch(museum, AT, commit=commit)
    with pytest.raises(FailedPrecondition, match="cannot be joined to itself"), museum.edit() as edit:
        edit.concatenate("museum")


def test_other_latents_are_refused(db, museum):
    db.create_world("wan", ms.LatentSpec.wan22())
    with pytest.raises(LatentSpecMismatch, match="world 'wan' keeps other latents"):
        museum.stitch("wan", AT)


def test_unknown_worlds_branches_and_commits_are_refused(db, museum, garden):
    head, gone = museum.head, garden.branch("night", create=True)
    garden.delete_branch("night")
    with pytest.raises(NotFound, match="there is no world 'gardn'; the nearest names are garden") as caught:
        museum.stitch("gardn", AT)
    assert caught.value.reason is Reason.WORLD_NOT_FOUND
    with pytest.raises(NotFound, match="there is no commit") as caught:
        museum.stitch(garden, AT, commit="feedbeef" * 4)
    assert caught.value.reason is Reason.COMMIT_NOT_FOUND
    with pytest.raises(InvalidInput, match="belongs to another world than 'garden'"):
        museum.stitch(garden, AT, commit=head)
    with pytest.raises(NotFound, match="there is no branch 'night'"), museum.edit() as edit:
        edit.stitch(gone)
    db.delete_world("garden")
    with pytest.raises(NotFound, match="there is no world 'garden'"):
        museum.stitch("garden", AT)
    assert museum.head == head


def test_nothing_stands_beside_a_world_without_surfaces(db, museum, garden):
    empty = db.create_world("empty")
    with pytest.raises(FailedPrecondition, match="this world shows no surface"), empty.edit() as edit:
        edit.concatenate(garden)
    with pytest.raises(FailedPrecondition, match="world 'empty' shows no surface"), museum.edit() as edit:
        edit.concatenate(empty)
    with pytest.raises(InvalidInput, match="gap_m must be finite"), museum.edit() as edit:
        edit.concatenate(garden, gap_m=float("nan"))
    empty.stitch(garden, AT)
    assert len(shown(empty)) == (~shown(garden).sky).sum()


# Along a boundary


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """A real walk in two worlds that share the middle of it, and one of another place."""
    clips = Path(ms.__file__).parent / "clips"
    indoor, outdoor = (list(ms.read_clip(clips / name)) for name in ("freedoom-indoor", "freedoom-outdoor"))
    count = len(indoor)
    parts = {"west": indoor[: count * 2 // 3], "east": indoor[count // 3 :], "elsewhere": outdoor[: count // 2]}
    with ms.open(tmp_path_factory.mktemp("halves") / "db") as db:
        for name, frames in parts.items():
            with db.create_world(name).ingest() as ingest:
                for frame in frames:
                    ingest.add(frame)
        yield db


def test_a_boundary_is_fitted_from_a_rough_guess(halves):
    west, east = halves.world("west"), halves.world("east")
    guess = ms.Transform.translate(0.5, -0.3, 0.1) @ ms.Transform.rotate_z(5, degrees=True).about(
        tuple((np.array(east.bounds().low) + east.bounds().high) / 2)
    )
    report = west.stitch(east, guess, align="boundary", name="fitted")
    fit = report.operations[0].registration
    layer = next(layer for layer in west.layers() if layer.name == "fitted-observed")
    np.testing.assert_allclose(layer.placement.matrix, fit.transform.matrix, atol=1e-12)
    middle = (np.array(layer.bounds.low) + layer.bounds.high) / 2
    assert np.linalg.norm(fit.transform.apply(middle) - middle) < 0.05
    assert np.degrees(np.arccos((np.trace(fit.transform.rotation) - 1) / 2)) < 1
    assert fit.overlap > 0.5
    assert fit.residual_m < 0.02
    assert len(fit.constraint) == 6
    assert fit.correction_rad == pytest.approx(np.radians(5), abs=np.radians(1))
    assert fit.correction_m > 0.1


def test_what_shares_no_boundary_is_refused_and_nothing_happens(halves):
    west = halves.world("west")
    head = west.head
    with pytest.raises(FailedPrecondition, match="share no boundary near the guess") as caught:
        west.stitch("elsewhere", ms.Transform.translate(500, 0, 0), align="boundary")
    assert caught.value.reason is Reason.NO_OVERLAP
    assert west.head == head


def test_a_boundary_is_looked_for_in_a_region_alone(halves):
    west = halves.world("west")
    nowhere = ms.Box((1000, 0, 0), (1, 1, 1))
    with pytest.raises(FailedPrecondition, match="share no boundary") as caught:
        west.stitch("east", align="boundary", region=nowhere)
    assert caught.value.reason is Reason.NO_OVERLAP


def test_a_world_without_alignment_stays_where_it_is_put(museum, garden):
    report = museum.stitch(garden, AT)
    assert report.operations[0].registration is None
    draft = draft_of(museum)
    np.testing.assert_allclose(draft.find("garden-observed").placement.matrix, AT.matrix, atol=1e-12)
