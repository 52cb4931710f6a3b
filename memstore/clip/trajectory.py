"""Things told together by time: which files belong to each other, and where the camera was in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from memstore import convention


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Measured cameras in order of time, no two at one time."""

    times_s: Float64[np.ndarray, "n"]
    """When each was measured."""
    places: Float64[np.ndarray, "n 3"]
    """Camera centres, metres."""
    quaternions: Float64[np.ndarray, "n 4"]
    """Rotations world <- camera, unit quaternions w x y z."""

    def at(self, times_s: Float64[np.ndarray, "m"]) -> Float64[np.ndarray, "m 4 4"]:
        """Returns camera_to_world interpolated at each time; outside, the first or last measured one."""
        after = np.searchsorted(self.times_s, times_s).clip(1, max(1, len(self.times_s) - 1))
        before, after = after - 1, np.minimum(after, len(self.times_s) - 1)
        span_s = self.times_s[after] - self.times_s[before]
        share = ((times_s - self.times_s[before]) / np.where(span_s > 0, span_s, 1.0)).clip(0, 1)[:, None]
        matrices = np.tile(np.eye(4), (len(times_s), 1, 1))
        matrices[:, :3, :3] = convention.rotation_from_quaternion(
            slerp(self.quaternions[before], self.quaternions[after], share)
        )
        matrices[:, :3, 3] = (1 - share) * self.places[before] + share * self.places[after]
        return matrices


def nearest(times_s: Float64[np.ndarray, "n"], among_s: Float64[np.ndarray, "m"]) -> Int64[np.ndarray, "n"]:
    """Returns for each time the place of the nearest among others in order; the earlier of two equally near."""
    after = np.searchsorted(among_s, times_s).clip(1, max(1, len(among_s) - 1))
    before, after = after - 1, np.minimum(after, len(among_s) - 1)
    return np.where(np.abs(among_s[after] - times_s) < np.abs(times_s - among_s[before]), after, before).astype(
        np.int64
    )


def mutually_nearest(
    colors_s: Float64[np.ndarray, "n"], depths_s: Float64[np.ndarray, "m"], within_s: float
) -> tuple[Int64[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Returns each colour's nearest depth, and whether that depth has no nearer colour and lies within `within_s`."""
    if not (len(colors_s) and len(depths_s)):
        return np.zeros(len(colors_s), np.int64), np.zeros(len(colors_s), np.bool_)
    depth_of = nearest(colors_s, depths_s)
    mutual = nearest(depths_s, colors_s)[depth_of] == np.arange(len(colors_s))
    return depth_of, mutual & (np.abs(depths_s[depth_of] - colors_s) <= within_s)


def slerp(
    start: Float64[np.ndarray, "n 4"], end: Float64[np.ndarray, "n 4"], share: Float64[np.ndarray, "n 1"]
) -> Float64[np.ndarray, "n 4"]:
    """Returns the quaternions `share` of the shorter way from start to end; of any length where both are near."""
    cosine = (start * end).sum(axis=1, keepdims=True)
    end, angle = np.where(cosine < 0, -end, end), np.arccos(np.abs(cosine).clip(0, 1))
    # Below 1e-6 radians the straight line is the arc to within rounding, and sin(angle) is no divisor.
    near = angle < 1e-6
    sine = np.where(near, 1.0, np.sin(angle))
    first = np.where(near, 1 - share, np.sin((1 - share) * angle) / sine)
    return first * start + np.where(near, share, np.sin(share * angle) / sine) * end
