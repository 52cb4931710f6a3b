"""What memory answers for a view that it never saw, against the depth that was truly there."""

from pathlib import Path

import numpy as np
from benchmarks import retrieval_quality

import memstore as ms


def test_a_view_never_seen_is_answered_with_nearly_all_that_is_there_and_little_else():
    clip = ms.read_clip(Path(ms.__file__).parent / "clips" / "freedoom-indoor")
    scene, unseen = retrieval_quality.remembered([clip[i] for i in range(len(clip) // 3)])
    found = [retrieval_quality.judge(scene, frame, ms.Query()) for frame in unseen]
    assert len(found) == 8
    assert np.mean([each.precision for each in found]) >= 0.97
    assert np.mean([each.recall for each in found]) >= 0.93
