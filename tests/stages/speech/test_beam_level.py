from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Track, Utterance
from stages.speech.beam_level import level_db


def test_the_level_is_that_of_the_time_that_was_asked_for() -> None:
    samples = np.concatenate([np.full(16000, 0.1), np.full(16000, 0.001), np.zeros(16000)]).astype(np.float32)
    beam = Utterance(
        pts_ns=NS_PER_S, duration_ns=2 * NS_PER_S, samples=samples, sample_rate_hz=16000, track=Track("t1", 0.0), lead_ns=NS_PER_S // 2
    )
    assert beam.audio_pts_ns == NS_PER_S // 2
    assert level_db(beam, NS_PER_S // 2, 3 * NS_PER_S // 2) == pytest.approx(-20.0, abs=0.01)
    assert level_db(beam, 3 * NS_PER_S // 2, 5 * NS_PER_S // 2) == pytest.approx(-60.0, abs=0.01)
    assert level_db(beam, 5 * NS_PER_S // 2, 7 * NS_PER_S // 2) == pytest.approx(-120.0, abs=0.01)
    assert level_db(beam, 9 * NS_PER_S, 10 * NS_PER_S) == pytest.approx(-120.0, abs=0.01)
