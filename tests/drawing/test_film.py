import av
import numpy as np
import pytest

from memstore.drawing import film
from memstore.drawing.film import write_mp4
from memstore.errors import InvalidInput


def _pictures(count: int, size: tuple[int, int] = (32, 48)) -> list[np.ndarray]:
    return [np.full((*size, 3), 40 + 20 * i, np.uint8) for i in range(count)]


def _read(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [picture.to_ndarray(format="rgb24") for picture in container.decode(video=0)]


@pytest.mark.parametrize("codecs", [("libx264",), ("mpeg4",), ("nosuch", "mpeg4")])
def test_a_film_holds_its_pictures_in_order(tmp_path, monkeypatch, codecs):
    monkeypatch.setattr(film, "CODECS", codecs)
    assert write_mp4(tmp_path / "new" / "walk.mp4", iter(_pictures(6))) == 6
    read = _read(tmp_path / "new" / "walk.mp4")
    assert len(read) == 6
    for seen, made in zip(read, _pictures(6), strict=True):
        assert np.abs(seen.astype(int) - made).mean() < 6


def test_a_film_of_nothing_is_invalid_and_leaves_no_file(tmp_path):
    with pytest.raises(InvalidInput, match="at least one picture"):
        write_mp4(tmp_path / "walk.mp4", [])
    assert not (tmp_path / "walk.mp4").exists()


def test_odd_sizes_are_invalid(tmp_path):
    with pytest.raises(InvalidInput, match="even sizes, got 47x32"):
        write_mp4(tmp_path / "walk.mp4", _pictures(1, (32, 47)))
