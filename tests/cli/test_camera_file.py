import json

import numpy as np
import pytest

from memstore import Camera, look_at
from memstore.cli.camera_file import FIELDS, read_camera
from memstore.errors import InvalidInput, NotFound

CAMERA = Camera(100, 120, 33, 21, 64, 48, look_at((1, 2, 3), (4, 5, 6)))


def _values() -> dict:
    return {name: np.asarray(getattr(CAMERA, name)).tolist() for name in FIELDS}


def test_a_camera_is_read_from_json(tmp_path):
    (tmp_path / "camera.json").write_text(json.dumps(_values()))
    assert read_camera(tmp_path / "camera.json") == CAMERA


def test_a_camera_is_read_from_npz(tmp_path):
    np.savez(tmp_path / "camera.npz", **_values())
    assert read_camera(tmp_path / "camera.npz") == CAMERA


def test_a_missing_field_is_named(tmp_path):
    values = _values()
    del values["fy"]
    (tmp_path / "camera.json").write_text(json.dumps(values))
    with pytest.raises(InvalidInput, match="lacks fy"):
        read_camera(tmp_path / "camera.json")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.json", b"{", "is no JSON"),
        ("a.json", b"[1]", "one JSON object, found a list"),
        ("a.npz", b"PK", "is no .npz file"),
    ],
)
def test_broken_files_are_told_apart(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        read_camera(tmp_path / name)


def test_a_value_that_is_no_number_is_invalid(tmp_path):
    (tmp_path / "camera.json").write_text(json.dumps({**_values(), "fx": "wide"}))
    with pytest.raises(InvalidInput, match="holds no usable camera"):
        read_camera(tmp_path / "camera.json")


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="there is no camera file"):
        read_camera(tmp_path / "camera.json")
