from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Track, Utterance
from stages.speech.beam_presence import presence_over


def _beam(presences: list[float], samples: np.ndarray) -> Utterance:
    return Utterance(
        pts_ns=NS_PER_S,
        duration_ns=2 * NS_PER_S,
        samples=samples.astype(np.float32),
        sample_rate_hz=16000,
        track=Track("t1", 0.0),
        lead_ns=NS_PER_S // 2,
        presences=np.array(presences, dtype=np.float32),
    )


def test_it_is_the_mean_of_the_time_that_was_asked_for_weighed_by_energy() -> None:
    beam = _beam([1.0, 0.2, 0.5], np.concatenate([np.full(16000, 0.1), np.full(16000, 0.2), np.zeros(16000)]))
    half = NS_PER_S // 2
    assert presence_over(beam, half, 3 * half) == pytest.approx(1.0)
    assert presence_over(beam, 3 * half, 5 * half) == pytest.approx(0.2)
    assert presence_over(beam, half, 5 * half) == pytest.approx((1.0 * 1 + 0.2 * 4) / 5)


def test_nothing_is_known_of_silence_nor_where_it_was_not_kept() -> None:
    beam = _beam([1.0, 0.5], np.concatenate([np.full(16000, 0.1), np.zeros(16000)]))
    assert presence_over(beam, 2 * NS_PER_S, 5 * NS_PER_S // 2) is None
    assert presence_over(beam, 9 * NS_PER_S, 10 * NS_PER_S) is None
    assert presence_over(_beam([], np.ones(16000)), NS_PER_S, 2 * NS_PER_S) is None
