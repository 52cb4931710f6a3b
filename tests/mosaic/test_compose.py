from dataclasses import replace

import numpy as np
import pytest

from memstore.compose import compose
from memstore.errors import FailedPrecondition
from memstore.extent import shown_box
from memstore.frame import Frame
from memstore.index import arrange, search
from memstore.latent import LatentSpec, to_tokens
from memstore.lift import gather, lift
from memstore.patch import SourceFrames, split_ids
from memstore.query import Query
from memstore.segment import Entry, Scene, Segment
from memstore.transform import Transform
from memstore.visibility import see

SPEC = LatentSpec.pixel(8, depth_dtype="float32")
EYES = np.array([[0.0, -2.0, 1.4], [0.3, -1.8, 1.4], [0.1, -1.5, 1.3], [-0.2, -2.1, 1.5]])


class Frames:
    """Payload held in memory: frames by segment."""

    def __init__(self, frames):
        self.frames = frames

    def latents(self, segment, frames, cells):
        tokens = np.stack([to_tokens(frame.rgb, 8).reshape(-1, 192) for frame in self.frames[segment]])
        return tokens[frames, cells]

    def depths(self, segment, frames, cells):
        tokens = np.stack([to_tokens(frame.depth_m[..., None], 8).reshape(-1, 64) for frame in self.frames[segment]])
        return tokens[frames, cells]


@pytest.fixture
def segments(render_room, stand):
    """Two segments of two frames each of a room without a roof, and their payload."""
    frames = {}
    for ordinal, eyes in ((3, EYES[:2]), (8, EYES[2:])):
        cameras = [stand(eye) for eye in eyes]
        pictures = [render_room(camera, open_roof=True) for camera in cameras]
        frames[ordinal] = [Frame(c, depth, rgb) for c, (rgb, depth) in zip(cameras, pictures, strict=True)]
    return [_segment(ordinal, part) for ordinal, part in frames.items()], Frames(frames)


def _segment(ordinal, frames):
    patches, blocks = arrange(gather([lift(frame, SPEC) for frame in frames]))
    cameras = [frame.camera for frame in frames]
    source = SourceFrames(
        ordinal=np.arange(len(frames)) + 10 * ordinal,
        time_s=np.arange(len(frames)) / 10,
        intrinsics=np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras]),
        camera_to_world=np.array([c.camera_to_world for c in cameras]),
        width=256,
        height=160,
    )
    return Segment(ordinal, patches, blocks, source, token_columns=32)


def scene_of(segments, placement=None, sky_placement=None):
    entries = [
        Entry(
            layer=int(sky),
            segment=segment,
            placement=(sky_placement if sky else placement) or Transform.identity(),
            sky=sky,
            low=low,
            high=high,
            ordinal_offset=-5,
        )
        for segment in segments
        for sky in (False, True)
        for low, high in [shown_box(segment.patches, None, sky)]
    ]
    return Scene(tuple(entries), ("walls", "sky"))


def ask(scene, camera, reader, query=None):
    query = query or Query()
    visible = see(scene, camera, query, SPEC.token_px, search(scene, camera, query))
    return visible, compose(scene, visible, camera, SPEC, "c0ffee", reader)


def psnr(found, wanted, mask):
    return 10 * np.log10(255**2 / ((found[mask].astype(np.float64) - wanted[mask]) ** 2).mean())


def test_every_patch_keeps_its_own_source_and_payload(segments, stand):
    parts, reader = segments
    scene = scene_of(parts, Transform.rotate_z(0.1), Transform.rotate_z(0.1))
    visible, mosaic = ask(scene, stand(EYES[0]), reader)
    assert len(mosaic) == len(visible) > 1000
    assert len(mosaic.sources) == 8  # two segments of two frames, each as walls and as sky
    for i in range(0, len(mosaic), 37):
        entry, row = scene.entries[visible.entry[i]], int(visible.row[i])
        patches = entry.segment.patches
        frame, cell, source = int(patches.frame[row]), int(patches.cell[row]), int(mosaic.source[i])
        assert mosaic.layers[mosaic.layer[i]] == ("sky" if entry.sky else "walls")
        assert [int(part[i]) for part in split_ids(mosaic.ids)] == [entry.segment.ordinal, row]
        assert mosaic.cell[i].tolist() == list(divmod(cell, 32))
        assert mosaic.sources.segment[source] == entry.segment.ordinal
        assert mosaic.sources.ordinal[source] == entry.segment.frames.ordinal[frame] - 5
        assert mosaic.sources.sky[source] == entry.sky
        one = np.array([frame], np.uint16), np.array([cell], np.uint32)
        np.testing.assert_array_equal(mosaic.latents()[i], reader.latents(entry.segment.ordinal, *one)[0])
        np.testing.assert_array_equal(mosaic.depths()[i], reader.depths(entry.segment.ordinal, *one)[0])
        if not entry.sky:
            camera = entry.segment.frames.camera(frame).placed(entry.placement)
            np.testing.assert_allclose(mosaic.sources.camera(source).camera_to_world, camera.camera_to_world)


def test_the_whole_road_shows_the_room(segments, render_room, stand):
    parts, reader = segments
    target = stand(np.array([0.1, -1.8, 1.4]))
    _, mosaic = ask(scene_of(parts), target, reader)
    mask = mosaic.image_mask()
    assert mask.mean() > 0.93
    assert psnr(mosaic.image(), render_room(target, open_roof=True)[0].astype(float), mask) > 32
    assert mosaic.coverage_mean > 0.9


@pytest.mark.parametrize("scale", [0.1, 10.0])
def test_a_placed_world_looks_the_same_to_a_placed_camera(segments, stand, scale):
    parts, reader = segments
    placement = replace(Transform.rotate_z(0.7), translation=np.array([5.0, -2.0, 1.0]), scale=scale)
    target = stand(np.array([0.1, -1.8, 1.4]))
    query = Query(near_m=1e-3)
    _, wanted = ask(scene_of(parts), target, reader, query)
    _, found = ask(scene_of(parts, placement, placement), target.placed(placement), reader, query)
    assert np.abs(found.image().astype(int) - wanted.image()).mean() < 0.1
    assert (found.image_mask() == wanted.image_mask()).mean() > 0.995


def test_sky_turns_with_its_placement_and_does_not_move(segments, stand):
    parts, reader = segments
    moved = scene_of(parts, sky_placement=Transform.translate(50, 3, 8))
    _, mosaic = ask(moved, stand(EYES[0]), reader)
    _, still = ask(scene_of(parts), stand(EYES[0]), reader)
    np.testing.assert_array_equal(mosaic.image(), still.image())
    turned = scene_of(parts, Transform.rotate_z(0.3), Transform.rotate_z(0.3))
    _, mosaic = ask(turned, stand(EYES[0]).placed(Transform.rotate_z(0.3)), reader)
    assert np.abs(mosaic.image().astype(int) - still.image()).mean() < 0.1


def test_without_a_reader_there_is_no_content(segments, stand):
    _, mosaic = ask(scene_of(segments[0]), stand(EYES[0]), None)
    assert mosaic.image().shape == (160, 256, 3)
    with pytest.raises(FailedPrecondition, match="retrieve it with latents=True"):
        mosaic.latents()


def test_an_empty_scene_gives_an_empty_mosaic(stand):
    _, mosaic = ask(Scene((), ()), stand(EYES[0]), Frames({}))
    assert len(mosaic) == len(mosaic.sources) == 0
    assert mosaic.latents().shape == (0, 192)
    assert not mosaic.image_mask().any()
