from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, BeamBlock, SpeechBlock, Track
from stages.speech.frame_grid import FrameGrid


def speech(first: int, length: int, probability: float = 0.5, presence: float = 1.0) -> SpeechBlock:
    start, end = (sample * NS_PER_S // 16000 for sample in (first, first + length))
    beam = BeamBlock(
        pts_ns=start,
        duration_ns=end - start,
        samples=np.arange(first, first + length, dtype=np.float32),
        sample_rate_hz=16000,
        track=Track(name="t1", azimuth_deg=None),
        presence=presence,
    )
    return SpeechBlock(pts_ns=start, duration_ns=end - start, beam=beam, probability=probability)


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=20))
def test_every_sample_comes_out_once_and_in_order(lengths: list[int]) -> None:
    grid, first, frames = FrameGrid(0, 16000), 0, []
    for length in lengths:
        assert grid.next_ns == first * NS_PER_S // 16000
        frames += grid.push(speech(first, length))
        first += length
    assert all(len(frame.samples) == 512 for frame in frames)
    assert grid.n_framed == 512 * len(frames)
    frames += grid.rest()
    assert grid.is_even
    assert grid.rest() == []
    assert np.array_equal(np.concatenate([frame.samples for frame in frames] or [np.zeros(0, np.float32)]), np.arange(first))
    assert [frame.first for frame in frames] == [512 * index for index in range(len(frames))]


def test_a_frame_over_two_blocks_has_their_weighted_means() -> None:
    grid = FrameGrid(0, 16000)
    assert grid.push(speech(0, 128, probability=1.0, presence=0.0)) == []
    (frame,) = grid.push(speech(128, 400, probability=0.2, presence=1.0))
    assert frame.probability == pytest.approx(0.25 * 1.0 + 0.75 * 0.2)
    assert frame.presence == pytest.approx(0.75)
    assert grid.time_ns(512) == 32_000_000
    (rest,) = grid.rest()
    assert (rest.first, rest.end) == (512, 528)
    assert rest.probability == pytest.approx(0.2)
