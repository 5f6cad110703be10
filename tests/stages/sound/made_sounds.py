"""Sounds made of sines and noise that people, and YAMNet, take for what they stand for. All float32, shape (frames,), 16 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tests.sound_fields import plane_wave

RATE_HZ = 16000
Floats = npt.NDArray[np.float32]


def _times(duration_s: float) -> npt.NDArray[np.float64]:
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def smoke_alarm(duration_s: float = 4.5) -> Floats:
    """Three beeps of half a second at 3.1 kHz, and a pause."""
    times = _times(duration_s)
    beeps = (times % 1.0 < 0.5) & (times % 4.0 < 3.0)
    return (0.12 * np.sin(2 * np.pi * 3100.0 * times) * beeps).astype(np.float32)


def phone(duration_s: float = 3.0) -> Floats:
    """The busy signal of a telephone: 480 and 620 Hz, half a second on, half a second off."""
    times = _times(duration_s)
    tones = np.sin(2 * np.pi * 480.0 * times) + np.sin(2 * np.pi * 620.0 * times)
    return (0.06 * tones * (times % 1.0 < 0.5)).astype(np.float32)


def thump() -> Floats:
    """Something heavy falls: a dull burst of a quarter of a second, which no class fits well."""
    generator = np.random.default_rng(0)
    times = _times(0.9)
    noise = generator.standard_normal(len(times)) * np.exp(-18.0 * times)
    dull = np.convolve(noise, np.hanning(24) / 12.0, mode="same")
    body = np.zeros(len(times))
    for hz, decay_per_s in ((60.0, 10.0), (95.0, 12.0), (180.0, 20.0)):
        body += np.exp(-decay_per_s * times) * np.sin(2 * np.pi * hz * times)
    sound = 2.0 * dull + body
    return np.asarray(0.3 * sound / np.abs(sound).max(), dtype=np.float32)


def rasp() -> Floats:
    """Half a second of noise, chopped 60 times a second, which no class fits well."""
    times = _times(0.5)
    noise = np.random.default_rng(1).standard_normal(len(times))
    return (0.12 * noise * (np.sin(2 * np.pi * 60.0 * times) > 0) * np.hanning(len(times))).astype(np.float32)


def room_with(array: ArrayGeometry, duration_s: float, parts: list[tuple[float, float, Floats]], noise: float = 0.001) -> Floats:
    """Sounds (start in seconds, azimuth, signal) as an array hears them in the open, with the noise of each microphone."""
    mix = (noise * np.random.default_rng(0).standard_normal((array.n_channels, round(duration_s * RATE_HZ)))).astype(np.float32)
    for start_s, azimuth_deg, signal in parts:
        first = round(start_s * RATE_HZ)
        wave = plane_wave(array, azimuth_deg, signal)
        length = min(wave.shape[1], mix.shape[1] - first)
        mix[:, first : first + length] += wave[:, :length]
    return mix
