from __future__ import annotations

import pytest

from models.step_sizes import StepSizeError, StepSizes, localiser_window


def test_sizes_at_16_khz() -> None:
    sizes = StepSizes.of(16000, step_s=0.176, look_ahead_s=0.7)
    assert (sizes.window_frames, sizes.hop_frames, sizes.n_step, sizes.n_ahead) == (1024, 256, 11, 4)
    assert sizes.latency_frames == (11 * 5 + 3) * 256
    assert sizes.latency_frames / 16000 < 1.0


def test_sizes_grow_with_the_rate() -> None:
    assert StepSizes.of(48000, 0.176, 0.7).window_frames == 4096
    assert localiser_window(16000) == (512, 256)
    assert localiser_window(48000) == (2048, 1024)


@pytest.mark.parametrize(("step_s", "look_ahead_s"), [(0.0, 0.7), (0.1, -0.1)])
def test_what_cannot_be_cut(step_s: float, look_ahead_s: float) -> None:
    with pytest.raises(StepSizeError) as caught:
        StepSizes.of(16000, step_s, look_ahead_s)
    assert str(caught.value) == f"step_s must be over 0 and look_ahead_s at least 0, found {step_s} and {look_ahead_s}"
