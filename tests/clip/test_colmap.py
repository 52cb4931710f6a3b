from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from memstore.clip import read_clip, write_clip
from memstore.clip.depth import dense_bytes
from memstore.errors import InvalidInput

PINHOLE = "1 PINHOLE 6 4 5.0 5.5 3.0 2.0\n"


@pytest.fixture
def model(tmp_path):
    """Returns what writes a model with a picture of 6x4 for each name, and depth of 1, 2, ... metres beside it."""

    def write(*names, cameras=PINHOLE, images=None, place="sparse/0", depth="depth"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        lines = [f"{n + 1} 1 0 0 0 0 0 {n} 1 {name}\n1.5 2.5 -1 3 4 7\n" for n, name in enumerate(names)]
        (tmp_path / place / "cameras.txt").write_text("# Camera list\n" + cameras)
        (tmp_path / place / "images.txt").write_text("# Image list\n" + ("".join(lines) if images is None else images))
        for n, name in enumerate(names):
            picture = tmp_path / "images" / name
            picture.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 6, 3), 9, np.uint8)).save(picture)
            put_depth(tmp_path / depth / f"{name}.png", n + 1)
        return tmp_path

    return write


def put_depth(path, depth_m):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 6), 1000 * depth_m, np.uint16)).save(path)


@pytest.mark.parametrize("place", [".", "sparse", "sparse/0"])
def test_the_model_may_lie_in_the_folder_or_in_sparse(model, place):
    clip = read_clip(model("a.png", place=place))
    assert (clip.format, len(clip), clip[0].depth_m.max()) == ("colmap", 1, 1.0)


def test_world_to_camera_is_turned_around(model):
    # A quarter turn about x: camera y = -world z, camera z = world y; then 2 along camera z.
    folder = model("a.png", images="1 0.7071067811865476 0.7071067811865476 0 0 0 0 2 1 a.png\n\n")
    camera = read_clip(folder)[0].camera
    np.testing.assert_allclose(camera.forward, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(camera.center, [0, -2, 0], atol=1e-12)
    assert (camera.fx, camera.fy, camera.cx, camera.cy, camera.width) == (5, 5.5, 3, 2, 6)


def test_frames_come_in_order_of_names_with_numbers_by_value(model):
    clip = read_clip(model("f10.png", "f9.png", "f1.png"))
    assert [shot.color[0].name for shot in clip.shots] == ["f1.png", "f9.png", "f10.png"]
    assert [frame.depth_m.max() for frame in clip] == [3.0, 2.0, 1.0]


def test_names_may_hold_blanks_and_folders(model):
    clip = read_clip(model("left eye/my first picture.png"))
    assert clip[0].rgb.shape == (4, 6, 3)


def test_an_empty_line_of_points_is_fine(model):
    images = "1 1 0 0 0 0 0 0 1 a.png\n\n2 1 0 0 0 0 0 1 1 b.png\n\n"
    assert len(read_clip(model("a.png", "b.png", images=images))) == 2
    assert len(read_clip(model("a.png", "b.png", images=images.rstrip("\n")))) == 2


def test_a_file_without_lines_of_points_is_not_read_at_half(model):
    images = "1 1 0 0 0 0 0 0 1 a.png\n2 1 0 0 0 0 0 1 1 b.png\n"
    with pytest.raises(InvalidInput, match=r"line 3 of .*images\.txt should be `POINTS2D"):
        read_clip(model("a.png", "b.png", images=images))


def test_dense_stereo_stands_before_other_maps_and_geometric_before_photometric(model):
    folder = model("a.png", depth="stereo/depth_maps")
    maps = folder / "stereo" / "depth_maps"
    assert read_clip(folder)[0].depth_m.max() == 1.0
    for kind, depth_m in (("photometric", 3.25), ("geometric", 4.125)):
        (maps / f"a.png.{kind}.bin").write_bytes(dense_bytes(np.full((4, 6), depth_m, np.float32)))
        assert read_clip(folder)[0].depth_m.max() == depth_m


@pytest.mark.parametrize("place", ["depth/a.png", "depths/a.png", "depth/a.png.png", "depth/a.npy", "depth/a.png.npy"])
def test_depth_is_found_under_the_name_of_the_picture(model, place):
    folder = model("a.png")
    (folder / "depth" / "a.png.png").unlink()
    (folder / place).parent.mkdir(exist_ok=True)
    if place.endswith(".npy"):
        np.save(folder / place, np.full((4, 6), 6.5, np.float32))
        assert read_clip(folder)[0].depth_m.max() == 6.5
    else:
        put_depth(folder / place, 6)
        assert read_clip(folder)[0].depth_m.max() == 6.0
        assert read_clip(folder, depth_unit_m=0.01)[0].depth_m.max() == 60.0


def test_a_model_without_depth_says_where_to_put_it(model):
    folder = model("a.png", depth="elsewhere")
    with pytest.raises(InvalidInput, match=r"has none of stereo/depth_maps, depth, depths; run COLMAP"):
        read_clip(folder)


def test_black_in_a_mask_is_moving(model):
    folder = model("a.png", "b.png")
    (folder / "masks").mkdir()
    Image.fromarray(np.array([[0] * 6] + [[255] * 6] * 3, np.uint8)).save(folder / "masks" / "a.png.png")
    first, second = read_clip(folder)
    assert first.moving.sum() == 6
    assert second.moving is None


@pytest.mark.parametrize(
    ("line", "focals"),
    [
        ("1 SIMPLE_PINHOLE 6 4 5 3 2", (5, 5)),
        ("1 SIMPLE_RADIAL 6 4 5 3 2 0", (5, 5)),
        ("1 OPENCV 6 4 5 5.5 3 2 0 0 0 0.0", (5, 5.5)),
    ],
)
def test_pinholes_under_other_names_are_read(model, line, focals):
    camera = read_clip(model("a.png", cameras=line + "\n"))[0].camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (*focals, 3, 2)


@pytest.mark.parametrize("line", ["1 SIMPLE_RADIAL 6 4 5 3 2 0.01", "1 OPENCV_FISHEYE 6 4 5 5 3 2 0 0 0 0"])
def test_distortion_asks_to_undistort_first(model, line):
    with pytest.raises(InvalidInput, match=r"camera 1 of .* found .*; run COLMAP's image_undistorter"):
        read_clip(model("a.png", cameras=line + "\n"))


@pytest.mark.parametrize(
    "line", ["1 PINHOLE 6", "1 PINHOLE 6 4 5 5 3", "1 PINHOLE 6.5 4 5 5 3 2", "1 PINHOLE a b 5 5 3"]
)
def test_a_broken_camera_is_named_with_its_line(model, line):
    with pytest.raises(InvalidInput, match=r"line 2 of .*cameras\.txt should be `CAMERA_ID MODEL WIDTH HEIGHT PARAMS"):
        read_clip(model("a.png", cameras=line + "\n"))


@pytest.mark.parametrize(
    "line", ["1 1 0 0 0 0 0 0 1", "1 one 0 0 0 0 0 0 1 a.png", "1 0 0 0 0 0 0 0 1 a.png", "1 1 0 0 0 0 0 0 8 a.png"]
)
def test_a_broken_picture_is_named_with_its_line(model, line):
    with pytest.raises(InvalidInput, match=r"line 2 of .*images\.txt should be `.*CAMERA_ID NAME"):
        read_clip(model("a.png", images=line + "\n\n"))


def test_a_broken_label_is_named_with_its_line(model):
    folder = model("a.png")
    (folder / "memstore.jsonl").write_text('{"color": "a.png", "time": 3.5}\n\n{"colour": 1}\n')
    with pytest.raises(InvalidInput, match=r'line 3 of .*memstore\.jsonl should be `\{"color": name'):
        read_clip(folder)
    (folder / "memstore.jsonl").write_text('{"color": "a.png", "time": 3.5}\n')
    assert read_clip(folder)[0].time_s == 3.5


def test_depth_is_written_as_floats_of_any_size(tmp_path, walk):
    far = replace(walk[0], depth_m=np.full((8, 12), 123456.78, np.float32))
    clip = write_clip(tmp_path / "a", [far], format="colmap")
    np.testing.assert_array_equal(clip[0].depth_m, far.depth_m)
    with pytest.raises(InvalidInput, match=r"depth_unit_m=0\.01 was asked, but COLMAP's depth maps are floats"):
        write_clip(tmp_path / "b", walk, format="colmap", depth_unit_m=0.01)


def test_lenses_are_shared_between_pictures_that_have_the_same(tmp_path, walk):
    other = replace(walk[2], camera=replace(walk[2].camera, fx=99.0))
    clip = write_clip(tmp_path, [walk[0], walk[1], other], format="colmap")
    assert len((tmp_path / "sparse" / "0" / "cameras.txt").read_text().splitlines()) == 2
    assert [frame.camera.fx for frame in clip] == [10.5, 10.5, 99.0]
