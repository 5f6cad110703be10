from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.silero import Silero
from models.steered_speech import LOWEST_HZ, speech_probabilities, steered
from models.weights import path_of
from pipeline.geometry import load_array
from pipeline.testing import noise
from tests.sound_fields import RATE_HZ, bursts, clip, plane_wave

UMA8 = load_array("uma8")


def _power_db(signal: np.ndarray) -> float:
    return float(10.0 * np.log10(np.mean(np.square(signal, dtype=np.float64))))


def _over(lowest_hz: float, signal: np.ndarray) -> np.ndarray:
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(len(signal), 1.0 / RATE_HZ) < lowest_hz] = 0.0
    return np.fft.irfft(spectrum, len(signal))


def test_what_comes_from_the_bearing_passes_and_what_is_left_out_does_not() -> None:
    signal = bursts(1.0, seed=1)
    through = steered(plane_wave(UMA8, 40.0, signal, 10.0), UMA8.positions, RATE_HZ, (40.0, 10.0), [(130.0, 10.0)])
    kept_out = steered(plane_wave(UMA8, 130.0, signal, 10.0), UMA8.positions, RATE_HZ, (40.0, 10.0), [(130.0, 10.0)])
    assert len(signal) - 512 < len(through) <= len(signal)
    inside = slice(512, len(through) - 512)
    assert float(np.corrcoef(_over(2 * LOWEST_HZ, through[inside]), _over(2 * LOWEST_HZ, signal[inside]))[0, 1]) > 0.99
    assert _power_db(kept_out[inside]) < _power_db(through[inside]) - 15.0


@pytest.mark.parametrize("name", ["linear8", "stereo", "respeaker4"])
def test_any_array_and_more_bearings_than_it_can_leave_out(name: str) -> None:
    array = load_array(name)
    out = steered(
        plane_wave(array, 60.0, bursts(0.5, seed=1)), array.positions, RATE_HZ, (60.0, None), [(x, None) for x in (0.0, 100.0, 150.0)]
    )
    assert np.isfinite(out).all()
    assert _power_db(out) > -60.0
    assert steered(np.zeros((array.n_channels, 100), dtype=np.float32), array.positions, RATE_HZ, (60.0, None), []).size == 256


def test_rumble_is_left_out() -> None:
    rumble = (0.2 * np.sin(2.0 * np.pi * 30.0 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)
    samples = np.broadcast_to(rumble, (UMA8.n_channels, len(rumble)))
    inside = steered(np.ascontiguousarray(samples), UMA8.positions, RATE_HZ, (40.0, None), [])[512:-512]
    assert _power_db(inside) < _power_db(rumble) - 40.0


@pytest.mark.usefixtures("weights")
def test_speech_under_noise_from_elsewhere_is_speech_and_the_noise_is_not(shared: Path) -> None:
    silero = Silero(path_of("silero_vad.onnx"))
    speech = clip(shared, "librivox_0880")[RATE_HZ : 2 * RATE_HZ]
    samples = plane_wave(UMA8, 40.0, speech) + plane_wave(UMA8, 200.0, noise(1.0, amplitude=0.03))
    probabilities = [
        sorted(speech_probabilities(steered(samples, UMA8.positions, RATE_HZ, here, [there]), silero))
        for here, there in (((40.0, 0.0), (200.0, 0.0)), ((200.0, 0.0), (40.0, 0.0)))
    ]
    assert np.mean(probabilities[0][-5:]) > 0.7
    assert np.mean(probabilities[1][-5:]) < 0.4
    assert speech_probabilities(np.zeros(1024, dtype=np.float32), silero)[0] < 0.3
    assert speech_probabilities(np.zeros(100, dtype=np.float32), silero) == []
