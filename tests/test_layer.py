import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from memstore.errors import CorruptData
from memstore.layer import Layer, LayerSegment, Mask, placed_box
from memstore.segment import NEVER_HIDDEN
from memstore.transform import Transform

ROWS = st.sets(st.integers(0, 299))


@given(shows=st.booleans(), rows=ROWS, retired=st.dictionaries(st.integers(1, 50), ROWS, max_size=3))
def test_a_mask_hides_what_a_dict_says(shows, rows, retired):
    mask = Mask(shows, BitMap(rows), tuple((ordinal, BitMap(gone)) for ordinal, gone in retired.items()))
    expected = {row: int(NEVER_HIDDEN) if (row in rows) == shows else 0 for row in range(300)}
    for ordinal, gone in retired.items():
        expected |= {row: min(expected[row], ordinal) for row in gone}
    assert Mask.from_bytes(mask.to_bytes()).hidden_from(300).tolist() == list(expected.values())


def test_bytes_that_are_no_mask_are_refused():
    with pytest.raises(CorruptData, match="should be a mask"):
        Mask.from_bytes(b'{"height": 0}')


def test_layers_and_their_parts_survive_json():
    placement = Transform.translate(1, 2, 3) @ Transform.rotate_z(30, degrees=True) @ Transform.scaling(2)
    layer = Layer("id", "chair", "placed", "segments", "observed", placement, visible=False, ordinal_offset=-5)
    assert Layer.from_json(layer.to_json()) == layer
    part = LayerSegment(7, 640, (0.0, 1.0, 2.0), (3.0, 4.0, 5.0), "mask")
    assert LayerSegment.from_json(part.to_json()) == part


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6), st.floats(-180, 180))
def test_a_placed_box_holds_every_placed_point(numbers, degrees):
    a, b = np.array(numbers[:3]), np.array(numbers[3:])
    low, high = np.minimum(a, b), np.maximum(a, b)
    placement = Transform.translate(1, -2, 3) @ Transform.rotate((1, 2, 3), degrees, degrees=True)
    points = low + np.random.default_rng(0).random((100, 3)) * (high - low)
    placed_low, placed_high = placed_box(low, high, placement)
    moved = placement.apply(points)
    assert (moved >= placed_low - 1e-9).all()
    assert (moved <= placed_high + 1e-9).all()
