"""How streams of samples are cut for the Fourier transforms of hearing. Whole numbers only: no arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass

BEAM_WINDOW_S = 0.064
HOPS_PER_WINDOW = 4


class StepSizeError(ValueError):
    """A step or look-ahead that cannot be cut."""


def localiser_window(sample_rate_hz: int) -> tuple[int, int]:
    """Window and hop, in samples, for telling directions: about 32 ms and 16 ms."""
    hop = 2 ** max(4, round(math.log2(0.016 * sample_rate_hz)))
    return 2 * hop, hop


@dataclass(frozen=True)
class StepSizes:
    """A beamformer's window and hop in samples, its step in hops, and its look-ahead in steps."""

    window_frames: int
    n_step: int
    n_ahead: int

    @classmethod
    def of(cls, sample_rate_hz: int, step_s: float, look_ahead_s: float) -> StepSizes:
        """The sizes for times in seconds.

        Raises StepSizeError where the step is not positive or the look-ahead is below 0.
        """
        if not step_s > 0 or not look_ahead_s >= 0:
            raise StepSizeError(f"step_s must be over 0 and look_ahead_s at least 0, found {step_s} and {look_ahead_s}")
        window = 2 ** max(4, round(math.log2(BEAM_WINDOW_S * sample_rate_hz)))
        hop_s = window // HOPS_PER_WINDOW / sample_rate_hz
        n_step = max(1, round(step_s / hop_s))
        return cls(window, n_step, round(look_ahead_s / (hop_s * n_step)))

    @property
    def hop_frames(self) -> int:
        """Samples from one window to the next."""
        return self.window_frames // HOPS_PER_WINDOW

    @property
    def latency_frames(self) -> int:
        """How many samples must have come from the first sample of a step on before the step can be worked through."""
        return (self.n_step * (1 + self.n_ahead) + HOPS_PER_WINDOW - 1) * self.hop_frames
