"""Sound fields for tests of hearing: plane waves, and rooms by the image-source method of pyroomacoustics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.steering import SPEED_OF_SOUND_M_PER_S, unit_vector
from pipeline.geometry import ArrayGeometry

RATE_HZ = 16000
Floats = npt.NDArray[np.floating[Any]]


def plane_wave(array: ArrayGeometry, azimuth_deg: float, signal: Floats, elevation_deg: float | None = None) -> npt.NDArray[np.float32]:
    """What the microphones hear of a plane wave that is `signal` at the reference, float32, shape (channels, frames).

    The delays are exact (in the frequency domain, float64), independent of `models.steering`'s own spectra.
    """
    toward = unit_vector(array.positions, azimuth_deg, elevation_deg)
    lead_s = (array.positions - array.positions[array.reference]) @ toward / SPEED_OF_SOUND_M_PER_S
    n_fft = 2 * len(signal)
    spectrum = np.fft.rfft(signal, n_fft)
    frequency_hz = np.fft.rfftfreq(n_fft, 1.0 / RATE_HZ)
    channels = np.fft.irfft(spectrum * np.exp(2j * np.pi * frequency_hz * lead_s[:, None]), n_fft)
    return np.asarray(channels[:, : len(signal)], dtype=np.float32)


def bursts(duration_s: float, seed: int, rate_per_s: float = 4.0) -> npt.NDArray[np.float32]:
    """Noise in bursts with a speech-like spectrum and silences between: as sparse in time and frequency as speech."""
    generator = np.random.default_rng(seed)
    n_frames = round(duration_s * RATE_HZ)
    out = np.zeros(n_frames)
    for _ in range(round(duration_s * rate_per_s)):
        length = int(generator.uniform(0.1, 0.25) * RATE_HZ)
        start = int(generator.uniform(0, max(1, n_frames - length)))
        pitch = generator.uniform(100.0, 240.0)
        times = np.arange(length) / RATE_HZ
        burst = np.zeros(length)
        for harmonic in range(1, int(5000 / pitch)):
            burst += generator.uniform(0.1, 1.0) * np.sin(2 * np.pi * pitch * harmonic * times + generator.uniform(0, 6.3)) / harmonic**0.5
        piece = burst * np.hanning(length)
        out[start : start + length] += piece[: n_frames - start]
    return np.asarray(0.05 * out / np.sqrt(np.mean(out**2)), dtype=np.float32)


def diffuse(array: ArrayGeometry, duration_s: float, seed: int, level: float = 0.01) -> npt.NDArray[np.float32]:
    """Noise from everywhere at once, float32, shape (channels, frames): plane waves of independent noises from 64 directions."""
    return np.asarray(level * _unit_diffuse(array.name, array.positions_m, duration_s, seed), dtype=np.float32)


@cache
def _unit_diffuse(name: str, positions_m: tuple[tuple[float, float, float], ...], duration_s: float, seed: int) -> npt.NDArray[np.float32]:
    array = ArrayGeometry(name=name, positions_m=positions_m)
    generator = np.random.default_rng(seed)
    total = np.zeros((array.n_channels, round(duration_s * RATE_HZ)), dtype=np.float32)
    for azimuth_deg in np.linspace(0.0, 360.0 if array.rank > 1 else 180.0, 64, endpoint=False):
        wave = generator.standard_normal(total.shape[1])
        total += plane_wave(array, float(azimuth_deg), wave, float(generator.uniform(-60.0, 60.0)))
    return np.asarray(total / np.sqrt(np.mean(total**2)), dtype=np.float32)


@cache
def clip(shared: Path, name: str) -> npt.NDArray[np.float32]:
    """A clip of real speech from the shared data, float32, shape (frames,), its loud parts at an RMS of 0.05."""
    import soundfile

    samples, rate_hz = soundfile.read(shared / "data" / "speech" / f"{name}.flac", dtype="float32")
    assert rate_hz == RATE_HZ
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    return np.asarray(0.05 * samples / np.sqrt(np.mean(loud**2)), dtype=np.float32)


@dataclass(frozen=True)
class Scene:
    """A simulated room.

    `mix` is float32, shape (channels, frames); `images` is each talker alone, shape (talkers, channels, frames).
    """

    array: ArrayGeometry
    azimuths_deg: tuple[float, ...]
    mix: npt.NDArray[np.float32]
    images: npt.NDArray[np.float32]


def room(
    array: ArrayGeometry,
    talkers: Sequence[tuple[float, Floats, float]],
    rt60_s: float,
    snr_db: float = 30.0,
    size_m: tuple[float, float, float] = (6.0, 5.0, 2.8),
    at_m: tuple[float, float, float] = (2.7, 2.3, 1.0),
    distance_m: float = 1.4,
    seed: int = 0,
) -> Scene:
    """Talkers (azimuth, speech, start in seconds) around an array in a shoebox room, and white noise at each microphone."""
    import pyroomacoustics

    absorption, max_order = pyroomacoustics.inverse_sabine(rt60_s, size_m)
    centre = np.asarray(at_m) - array.positions.mean(axis=0)
    n_frames = max(int(start_s * RATE_HZ) + len(speech) for _, speech, start_s in talkers) + RATE_HZ // 2
    images = np.zeros((len(talkers), array.n_channels, n_frames), dtype=np.float32)
    for index, (azimuth_deg, speech, start_s) in enumerate(talkers):
        shoebox = pyroomacoustics.ShoeBox(
            size_m, fs=RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=max_order, use_rand_ism=False
        )
        angle = np.radians(azimuth_deg)
        shoebox.add_source(np.asarray(at_m) + distance_m * np.array([np.cos(angle), np.sin(angle), 0.0]), signal=speech)
        shoebox.add_microphone_array((array.positions + centre).T)
        shoebox.simulate()
        first = int(start_s * RATE_HZ)
        heard = shoebox.mic_array.signals[:, : n_frames - first]
        images[index, :, first : first + heard.shape[1]] = heard
    mix = images.sum(axis=0)
    noise = np.random.default_rng(seed).standard_normal(mix.shape)
    noise *= np.sqrt(np.mean(mix**2) / 10 ** (snr_db / 10.0))
    return Scene(array, tuple(azimuth for azimuth, _, _ in talkers), (mix + noise).astype(np.float32), images)


def si_sdr_db(estimate: Floats, reference: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019) of float arrays, shape (frames,)."""
    estimate, reference = estimate - estimate.mean(), reference - reference.mean()
    target = reference * (estimate @ reference) / (reference @ reference)
    return float(10.0 * np.log10(np.sum(target**2) / np.sum((estimate - target) ** 2)))
