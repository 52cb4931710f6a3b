import pytest

from memstore.held_out import is_held_out


@pytest.mark.parametrize("every", [2, 8])
def test_one_frame_of_each_run_is_held_out_and_never_the_first(every):
    held_out = [i for i in range(40) if is_held_out(i, every)]
    assert len(held_out) == 40 // every
    assert set(map(int, map(every.__rmod__, held_out))) == {every - 1}
