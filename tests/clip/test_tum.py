from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from memstore.camera import Camera
from memstore.clip import read_clip, write_clip
from memstore.errors import InvalidInput, Reason


def recording(folder, colors_s, depths_s, trajectory, calibration="5 5.5 2.5 1.5\n"):
    """Writes a recording of 6x4 as the benchmark lays it out; depth number n is n + 1 metres."""
    folder.mkdir(exist_ok=True)
    for name, times_s in (("rgb", colors_s), ("depth", depths_s)):
        (folder / name).mkdir()
        lines = ["# timestamp filename", *(f"{time_s:.6f} {name}/{time_s:.6f}.png" for time_s in times_s)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    for time_s in colors_s:
        Image.fromarray(np.full((4, 6, 3), 9, np.uint8)).save(folder / "rgb" / f"{time_s:.6f}.png")
    for n, time_s in enumerate(depths_s):
        Image.fromarray(np.full((4, 6), 5000 * (n + 1), np.uint16)).save(folder / "depth" / f"{time_s:.6f}.png")
    rows = ["# timestamp tx ty tz qx qy qz qw", *(" ".join(map(str, row)) for row in trajectory)]
    (folder / "groundtruth.txt").write_text("\n".join(rows) + "\n")
    if calibration is not None:
        (folder / "calibration.txt").write_text(calibration)
    return folder


def still(*times_s):
    return [(time_s, time_s, 0, 0, 0, 0, 0, 1) for time_s in times_s]


def test_a_trajectory_line_is_camera_to_world_with_x_y_z_w(tmp_path):
    x, y, z, w = Rotation.from_rotvec([0.3, -0.4, 0.5]).as_quat()
    frame = read_clip(recording(tmp_path / "r", [1.0], [1.0], [(1.0, 4, 5, 6, x, y, z, w)]))[0]
    np.testing.assert_allclose(frame.camera.center, [4, 5, 6])
    wanted = Rotation.from_rotvec([0.3, -0.4, 0.5]).as_matrix()
    np.testing.assert_allclose(frame.camera.camera_to_world[:3, :3], wanted, atol=1e-12)
    assert (frame.depth_m.max(), frame.time_s) == (1.0, 1.0)


def test_integer_pixel_centres_move_by_half_a_pixel(tmp_path):
    camera = read_clip(recording(tmp_path / "r", [1.0], [1.0], still(1.0)))[0].camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy, camera.width) == (5, 5.5, 3, 2, 6)


def test_pictures_without_depth_or_camera_in_time_are_left_out_and_counted(tmp_path):
    folder = recording(tmp_path / "r", [0.0, 0.1, 0.2, 0.3], [0.01, 0.15, 0.21, 0.31], still(0.0, 0.1, 0.2))
    clip = read_clip(folder)
    assert [frame.time_s for frame in clip] == [0.0, 0.2]
    assert [frame.depth_m.max() for frame in clip] == [1.0, 3.0]
    assert clip.skipped == 2
    assert "2 skipped" in repr(clip)
    assert len(read_clip(folder, max_depth_difference_s=0.06, max_pose_difference_s=0.1)) == 4


def test_the_camera_is_interpolated_in_time(tmp_path):
    clip = read_clip(recording(tmp_path / "r", [0.005], [0.005], still(0.0, 0.02)))
    np.testing.assert_allclose(clip[0].camera.center, [0.005, 0, 0])


def test_one_depth_map_serves_one_picture(tmp_path):
    clip = read_clip(recording(tmp_path / "r", [0.0, 0.012], [0.007], still(0.0, 0.02)))
    assert [frame.time_s for frame in clip] == [0.012]


def test_lines_out_of_order_and_commas_are_fine(tmp_path):
    folder = recording(tmp_path / "r", [0.2, 0.1], [0.2, 0.1], still(0.2, 0.1))
    rows = (folder / "groundtruth.txt").read_text().replace(" ", ",").replace("#,", "# ")
    (folder / "groundtruth.txt").write_text(rows)
    clip = read_clip(folder)
    assert [frame.depth_m.max() for frame in clip] == [2.0, 1.0]
    np.testing.assert_allclose([frame.camera.center[0] for frame in clip], [0.1, 0.2])


def test_intrinsics_come_from_the_caller_first(tmp_path):
    given = Camera(7, 8, 3.5, 2.5, 6, 4, np.eye(4))
    camera = read_clip(recording(tmp_path / "r", [1.0], [1.0], still(1.0)), intrinsics=given)[0].camera
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (7, 8, 3.5, 2.5)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_freiburg_folder_has_the_published_intrinsics(tmp_path, number):
    folder = recording(tmp_path / f"rgbd_dataset_freiburg{number}_desk", [1.0], [1.0], still(1.0), None)
    clip = read_clip(folder)
    lens = clip.shots[0].lens
    assert (lens.width, lens.height) == (640, 480)
    assert 515 < lens.fx < 540
    assert f"published for freiburg{number}" in clip.notes[0]
    assert ("distortion is left" in clip.notes[0]) == (number != 3)


def test_without_intrinsics_the_three_ways_to_give_them_are_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"no intrinsics.*freiburg1.*calibration\.txt, or pass intrinsics=Camera"):
        read_clip(recording(tmp_path / "r", [1.0], [1.0], still(1.0), None))


@pytest.mark.parametrize("text", ["1 2 3\n", "1 2 3 x\n", "1 2 3 4 5\n", "5 5 3 2 6.5 4\n", "# none\n"])
def test_a_broken_calibration_is_named(tmp_path, text):
    with pytest.raises(InvalidInput, match=r"calibration\.txt should (be|hold a line) `fx fy cx cy \[width height\]`"):
        read_clip(recording(tmp_path / "r", [1.0], [1.0], still(1.0), text))


@pytest.mark.parametrize("line", ["1 2 3", "1 2 3 4 0 0 0 0", "1 2 3 4 nan 0 0 1", "one 2 3 4 0 0 0 1"])
def test_a_broken_trajectory_line_is_named_with_its_number(tmp_path, line):
    folder = recording(tmp_path / "r", [1.0], [1.0], still(1.0))
    with (folder / "groundtruth.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InvalidInput, match=r"line 3 of .*groundtruth\.txt should be `timestamp tx ty tz qx qy qz qw`"):
        read_clip(folder)


def test_a_broken_list_is_named_with_its_line(tmp_path):
    folder = recording(tmp_path / "r", [1.0], [1.0], still(1.0))
    (folder / "rgb.txt").write_text("1.0\n")
    with pytest.raises(InvalidInput, match=r"line 1 of .*rgb\.txt should be `timestamp filename`, found '1\.0'"):
        read_clip(folder)


@pytest.mark.parametrize("empty", ["rgb", "depth"])
def test_lists_that_never_meet_say_by_how_much(tmp_path, empty):
    folder = recording(tmp_path / "r", [1.0], [1.0], still(1.0))
    (folder / f"{empty}.txt").write_text("")
    with pytest.raises(InvalidInput, match=r"no picture of .* has both a depth map within 0\.02 s .* mend the clocks"):
        read_clip(folder)


def test_an_empty_trajectory_is_named(tmp_path):
    with pytest.raises(InvalidInput, match=r"groundtruth\.txt should hold lines `timestamp tx ty tz .*`, found none"):
        read_clip(recording(tmp_path / "r", [1.0], [1.0], []))


def test_names_may_hold_blanks(tmp_path):
    folder = recording(tmp_path / "r", [1.0], [1.0], still(1.0))
    (folder / "rgb" / "1.000000.png").rename(folder / "rgb" / "my first picture.png")
    (folder / "rgb.txt").write_text("1.0 rgb/my first picture.png\n")
    assert read_clip(folder)[0].rgb.shape == (4, 6, 3)


def test_depth_of_65535_is_sky(tmp_path):
    folder = recording(tmp_path / "r", [1.0], [1.0], still(1.0))
    Image.fromarray(np.full((4, 6), 65535, np.uint16)).save(folder / "depth" / "1.000000.png")
    assert read_clip(folder)[0].sky.all()


def test_frames_need_increasing_times(tmp_path, walk):
    with pytest.raises(InvalidInput, match=r"tells frames by time, but time_s 0\.1 follows 0\.1; give"):
        write_clip(tmp_path / "a", [walk[1], walk[1]], format="tum")


def test_frames_need_one_lens(tmp_path, walk):
    other = replace(walk[1], camera=replace(walk[1].camera, fx=99.0))
    with pytest.raises(InvalidInput, match=r"one set of intrinsics, but .*; write it as nerfstudio or colmap"):
        write_clip(tmp_path / "a", [walk[0], other], format="tum")


def test_the_unit_is_fixed(tmp_path, walk):
    with pytest.raises(InvalidInput, match=r"depth_unit_m=0\.001 was asked, but TUM RGB-D has 5000 steps a metre"):
        write_clip(tmp_path / "a", walk, format="tum", depth_unit_m=0.001)
    far = replace(walk[0], depth_m=np.full((8, 12), 20.0, np.float32))
    with pytest.raises(InvalidInput, match=r"20 m does not fit: .*up to 13\.1068 m; TUM's unit is fixed") as raised:
        write_clip(tmp_path / "b", [far], format="tum")
    assert raised.value.reason == Reason.INVALID_CLIP
