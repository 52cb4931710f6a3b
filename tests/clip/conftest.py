import numpy as np
import pytest

from memstore.camera import Camera, look_at
from memstore.frame import Frame


@pytest.fixture
def walk():
    """Five small frames of one lens, a tenth of a second apart: depth, sky, holes, masks and captions."""
    rng = np.random.default_rng(11)
    lens = Camera(10.5, 11.25, 6.125, 3.75, 12, 8, np.eye(4))

    def frame(number: int) -> Frame:
        depth_m = rng.uniform(0.5, 12, (8, 12)).astype(np.float32)
        depth_m[0], depth_m[1, :3] = np.inf, 0
        return Frame(
            camera=lens.at(look_at((number, 0.5, 1), (number + 0.3, 4, 1.2))),
            depth_m=depth_m,
            rgb=rng.integers(0, 256, (8, 12, 3), np.uint8),
            time_s=number / 10,
            moving=rng.random((8, 12)) < 0.2,
            caption=f"step {number}",
            metadata={"speed": 1.5 * number, "indoor": True},
        )

    return [frame(number) for number in range(5)]
