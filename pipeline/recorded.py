"""Samples as a recording gives them back, and how its frames stand in session time."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.packets import NS_PER_S, Float32Array, Gap
from pipeline.pcm import Quantised, to_float

NOT_A_NUMBER = "not a number"
UNREADABLE = "unreadable"


def frames_to_ns(frames: int, sample_rate_hz: int) -> int:
    """The session time of a frame."""
    return frames * NS_PER_S // sample_rate_hz


def ns_to_frames(time_ns: int, sample_rate_hz: int) -> int:
    """The first frame at or after a session time; gives back exactly what `frames_to_ns` was given."""
    return -(-time_ns * sample_rate_hz // NS_PER_S)


def gap_at(first_frame: int, n_frames: int, sample_rate_hz: int, reason: str) -> Gap:
    """A gap over a stretch of frames."""
    start, end = frames_to_ns(first_frame, sample_rate_hz), frames_to_ns(first_frame + n_frames, sample_rate_hz)
    return Gap(pts_ns=start, duration_ns=end - start, reason=reason)


@dataclass(frozen=True)
class Recorded:
    """What was made of samples that were handed in: as everybody will hear them, float32, shape (channels, frames)."""

    samples: Float32Array
    gaps: tuple[Gap, ...]
    n_clipped: int


def as_recorded(quantised: Quantised, first_frame: int, sample_rate_hz: int) -> Recorded:
    """Samples as a recording gives them back, when the first of them is frame `first_frame` of the session."""
    gaps = tuple(gap_at(first_frame + first, n, sample_rate_hz, NOT_A_NUMBER) for first, n in quantised.bad)
    return Recorded(to_float(quantised.levels), gaps, quantised.n_clipped)
