from __future__ import annotations

import numpy as np

from models.voice_activity import active_steps, contrast_db
from pipeline.testing import noise, tone


def test_sound_between_silences_is_active() -> None:
    samples = np.concatenate([np.zeros(8000, np.float32), tone(300, 0.5), np.zeros(8000, np.float32)])
    active = active_steps(samples, 16000)
    assert len(active) == 150
    assert active[52:98].all()
    assert not active[:48].any()
    assert not active[102:].any()


def test_a_soft_tail_under_a_loud_word_is_still_active() -> None:
    samples = np.concatenate(
        [noise(1.0, amplitude=1e-4), tone(300, 1.0, amplitude=0.3), tone(300, 0.2, amplitude=0.02), noise(1.0, amplitude=1e-4)]
    )
    active = active_steps(samples, 16000)
    assert active[102:218].all()
    assert not active[225:].any()


def test_steady_noise_says_nothing_so_all_of_it_is_active() -> None:
    assert active_steps(noise(2.0, amplitude=0.05), 16000).all()


def test_silence_is_never_active_and_nothing_gives_nothing() -> None:
    assert not active_steps(np.zeros(16000, np.float32), 16000).any()
    assert active_steps(np.zeros(0, np.float32), 16000).shape == (0,)
    assert active_steps(np.zeros(161, np.float32), 16000).shape == (2,)


def test_the_contrast_is_that_of_loud_and_soft() -> None:
    word, rest = tone(300, 1.0, amplitude=0.1), noise(1.0, amplitude=0.1 / np.sqrt(2.0) / 10.0)
    assert abs(contrast_db(np.concatenate([word, rest]), 16000) - 20.0) < 1.5
    assert contrast_db(noise(2.0, amplitude=0.05), 16000) < 5.0
    assert contrast_db(np.zeros(0, np.float32), 16000) == 0.0
