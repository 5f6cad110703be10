"""Mel bands against a slow computation in double precision, and by what they must do."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from models.log_mel import log_mel


def slow_log_mel(samples: np.ndarray, frame: int) -> np.ndarray:
    """One frame, sum by sum, as the docstring of the module says it: an explicit Fourier sum, and triangles one by one."""
    piece = [float(value) for value in samples[160 * frame : 160 * frame + 400]]
    mean = math.fsum(piece) / 400
    piece = [value - mean for value in piece]
    piece = [piece[0] - 0.97 * piece[0], *(now - 0.97 * before for before, now in pairwise(piece))]
    piece = [value * (0.5 - 0.5 * math.cos(2 * math.pi * place / 399)) ** 0.85 for place, value in enumerate(piece)]
    turns = np.exp(-2j * np.pi * np.outer(np.arange(256), np.arange(400)) / 512)
    power = np.abs(turns @ np.array(piece)) ** 2

    def mel(hertz: float) -> float:
        return 1127.0 * math.log(1.0 + hertz / 700.0)

    width = (mel(8000.0) - mel(20.0)) / 81
    bands = np.zeros(80)
    for band in range(80):
        middle = mel(20.0) + (band + 1) * width
        for place in range(256):
            bands[band] += max(0.0, 1.0 - abs(mel(place * 31.25) - middle) / width) * power[place]
    return np.log(np.maximum(bands, np.finfo(np.float32).eps))


def test_bands_are_those_of_the_slow_computation() -> None:
    random = np.random.default_rng(1)
    samples = (random.normal(0, 0.1, 1600) + 0.2 * np.sin(np.arange(1600) * 0.3) + 0.05).astype(np.float32)
    bands = log_mel(samples)
    assert bands.dtype == np.float32
    assert bands.shape == (8, 80)
    for frame in (0, 3, 7):
        np.testing.assert_allclose(bands[frame], slow_log_mel(samples, frame), atol=2e-5)


def test_ten_times_as_loud_is_the_same_step_in_every_band() -> None:
    samples = np.random.default_rng(2).normal(0, 0.01, 8000).astype(np.float32)
    np.testing.assert_allclose(log_mel(10 * samples) - log_mel(samples), math.log(100.0), atol=1e-4)


def test_a_constant_and_silence_lie_on_the_floor_and_a_tone_in_its_own_band() -> None:
    floor = math.log(np.finfo(np.float32).eps)
    for samples in (np.zeros(800, dtype=np.float32), np.full(800, 0.25, dtype=np.float32)):
        np.testing.assert_allclose(log_mel(samples), floor, rtol=1e-6)
    time_s = np.arange(4000) / 16000
    loudest = [int(log_mel(np.sin(2 * np.pi * hertz * time_s).astype(np.float32)).mean(axis=0).argmax()) for hertz in (300, 1000, 4000)]
    expected = [
        round((math.log1p(hertz / 700) - math.log1p(20 / 700)) / (math.log1p(8000 / 700) - math.log1p(20 / 700)) * 81) - 1
        for hertz in (300, 1000, 4000)
    ]
    assert loudest == pytest.approx(expected, abs=1)


def test_only_whole_frames_count() -> None:
    samples = np.random.default_rng(3).normal(0, 0.1, 719).astype(np.float32)
    assert log_mel(samples).shape == (2, 80)
    assert np.array_equal(log_mel(samples[:560]), log_mel(samples)), "what lies after the last whole frame is not heard"
