import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from memstore.clip.image import color_bytes, mask_bytes, read_color, read_mask
from memstore.errors import InvalidInput, Reason


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "1"])
def test_pictures_of_other_modes_become_three_channels(tmp_path, mode):
    image = Image.fromarray(np.full((4, 6, 3), 255, np.uint8)).convert(mode)
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_color(tmp_path / "a.png"), np.full((4, 6, 3), 255))


def test_sixteen_bit_colours_are_refused_instead_of_cut_off(tmp_path):
    Image.fromarray(np.full((4, 6), 40_000, np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InvalidInput, match=r"a\.png should hold 8-bit colours, found Pillow mode I;16"):
        read_color(tmp_path / "a.png")


def test_a_mask_uses_whatever_is_not_black(tmp_path):
    moving = np.array([[True, False], [False, True]])
    (tmp_path / "m.png").write_bytes(mask_bytes(moving))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), ~moving)
    Image.fromarray(np.array([[0, 1, 255]], np.uint8)).save(tmp_path / "m.png")
    assert read_mask(tmp_path / "m.png").tolist() == [[False, True, True]]


@pytest.mark.parametrize("color", ["png", "webp", "jpg"])
@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), place=st.integers(0, 400), bits=st.integers(1, 255))
def test_broken_pictures_give_our_error_or_a_picture(tmp_path_factory, color, cut, place, bits):
    content = bytearray(color_bytes(np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8), color))
    content[place % len(content)] ^= bits
    path = tmp_path_factory.mktemp("broken") / f"a.{color}"
    path.write_bytes(content[: max(0, len(content) - cut)])
    try:
        found = read_color(path).ndim
    except InvalidInput as error:
        found = (error.reason, str(path) in str(error))
    assert found in (3, (Reason.INVALID_CLIP, True))
