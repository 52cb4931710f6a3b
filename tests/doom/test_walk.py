import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("vizdoom")

from memstore.doom import render_walk
from memstore.doom.develop import lens_for
from memstore.doom.game import screen_for
from memstore.errors import InvalidInput, NotFound

DIGEST = """
import hashlib
from memstore.doom import render_walk
digest = hashlib.sha256()
for frame in render_walk("E1M5", "freedoom1.wad", frames=6, seed=8, width=80, height=64, summon_every=40):
    digest.update(frame.rgb.tobytes() + frame.depth_m.tobytes() + frame.moving.tobytes())
    digest.update(frame.camera.camera_to_world.tobytes() + frame.caption.encode())
print(digest.hexdigest())
"""


def test_the_same_walk_is_filmed_in_every_process() -> None:
    runs = [subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout


def test_frames_say_where_and_when_they_were_taken() -> None:
    frames = list(render_walk("e1m5", "freedoom1.wad", frames=3, seed=8, width=80, height=64, tics_per_frame=5))
    assert [frame.metadata["map"] for frame in frames] == ["E1M5"] * 3
    assert [frame.metadata["seed"] for frame in frames] == [8] * 3
    assert all(frame.time_s == frame.metadata["tic"] / 35 for frame in frames)
    assert all(frame.caption.startswith(("indoors", "outdoors")) for frame in frames)
    assert np.allclose([frame.camera.fy / frame.camera.fx for frame in frames], 1.2)


def test_summoned_creatures_move_and_a_place_without_them_stands_still() -> None:
    still = list(render_walk("E1M5", "freedoom1.wad", frames=4, seed=8, width=80, height=64, monsters="none"))
    full = list(
        render_walk("E1M5", "freedoom1.wad", frames=20, seed=8, width=80, height=64, monsters="idle", summon_every=40)
    )
    assert not any(frame.moving.any() for frame in still)
    assert any(frame.moving.any() for frame in full)
    assert max(frame.moving.mean() for frame in full) <= 0.3


@pytest.mark.parametrize(("width", "height"), [(256, 160), (80, 64), (128, 96), (160, 96), (33, 77)])
def test_a_picture_keeps_the_view_of_the_screen_it_is_cut_from(width: int, height: int) -> None:
    screen = screen_for(width, height, 2)
    lens = lens_for(screen, width, height)
    assert screen.samples >= 2
    assert lens.fx * screen.samples == pytest.approx(screen.height * 2 / 3)
    assert lens.cx * screen.samples == pytest.approx(width * screen.samples / 2 + 0.5, abs=0.51)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"monsters": "angry"}, "none, idle, hunting"),
        ({"frames": 0}, "frames must be at least 1"),
        ({"tics_per_frame": 0}, "tics_per_frame must be at least 1"),
        ({"summon_every": 0}, "summon_every must be at least 1"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"width": 4000}, "cannot be rendered"),
        ({"samples": 0}, "cannot be rendered"),
    ],
)
def test_wrong_wishes_are_told_at_once(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        render_walk(**wrong)


def test_an_unknown_map_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"MAP77 is not in .* it has MAP01, MAP02"):
        render_walk("MAP77")


def test_an_unknown_wad_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"freedoom1\.wad"):
        render_walk("MAP01", "doom9.wad")


def test_a_file_that_is_no_wad_is_told_by_its_first_bytes(tmp_path) -> None:
    (tmp_path / "picture.wad").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InvalidInput, match="is no WAD file"):
        render_walk("MAP01", str(tmp_path / "picture.wad"))
