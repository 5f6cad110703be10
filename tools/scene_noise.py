"""The noises of a scene: from all around, of each microphone, of a file, and those that come from one place."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.geometry import ArrayGeometry
from tools.room import SAMPLE_RATE_HZ, SPEED_OF_SOUND_M_PER_S
from tools.scene_parts import Noise, PointNoise, SceneError

N_DIRECTIONS = 48
CORNER_HZ = 100.0
Floats = npt.NDArray[np.float64]
Waves = npt.NDArray[np.complex128]


def background(noise: Noise, array: ArrayGeometry, n_frames: int, seed: int) -> Floats:
    """Noise of unit power at each microphone, float64, shape (channels, frames).

    `diffuse` falls by 5 dB per octave, as the telephone engineers' model of a room (Hoth noise; IEEE 269, ITU-T P.800), unless the script
    says otherwise, and comes from directions spread evenly over the sphere, so between microphones it is as coherent as the noise of a real
    room. A file of one channel comes from as many directions, from each another stretch of it.

    Raises SceneError where a file cannot be read or does not fit the array.
    """
    random = np.random.default_rng([seed, 1])
    if noise.kind == "none":
        return np.zeros((array.n_channels, n_frames))
    if noise.kind == "white":
        return random.standard_normal((array.n_channels, n_frames))
    n_fft = 1 << (n_frames + SAMPLE_RATE_HZ // 10 - 1).bit_length()
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE_HZ)
    recorded = read_sound(noise.file, "noise file") if noise.file is not None else None
    if recorded is not None and len(recorded) > 1:
        if len(recorded) != array.n_channels:
            raise SceneError(
                f"noise file {noise.file}: found {len(recorded)} channels; allowed are 1 or {array.n_channels} as the array {array.name}"
            )
        samples = _looped(recorded, n_frames, int(random.integers(recorded.shape[1])))
        return np.asarray(samples / np.sqrt(np.mean(samples[array.reference] ** 2)))
    tilt = _tilt(frequency_hz, noise.slope_db_per_octave)
    index = np.arange(N_DIRECTIONS) + 0.5
    polar, around = np.arccos(1 - 2 * index / N_DIRECTIONS), np.pi * (1 + math.sqrt(5)) * index
    ways = np.stack([np.cos(around) * np.sin(polar), np.sin(around) * np.sin(polar), np.cos(polar)], axis=1)
    delays_s = (array.positions - array.positions[array.reference]) @ ways.T / SPEED_OF_SOUND_M_PER_S
    spectrum = np.zeros((array.n_channels, len(frequency_hz)), dtype=np.complex128)
    for direction in range(N_DIRECTIONS):
        if recorded is None:
            wave: Waves = np.asarray(
                tilt * (random.standard_normal(len(tilt)) + 1j * random.standard_normal(len(tilt))), dtype=np.complex128
            )
        else:
            wave = np.fft.rfft(_looped(recorded, n_fft, int(random.integers(recorded.shape[1])))[0])
        for channel in range(array.n_channels):
            spectrum[channel] += wave * np.exp(2j * np.pi * frequency_hz * delays_s[channel, direction])
    samples = np.fft.irfft(spectrum, n_fft)[:, :n_frames]
    return np.asarray(samples / np.sqrt(np.mean(samples[array.reference] ** 2)))


def point_sound(point: PointNoise, name: str, n_frames: int, seed: int) -> Floats:
    """The dry sound of a noise from one place, float64, shape (frames,), faded in and out over 10 ms; zeros while it is off.

    Raises SceneError where it begins after the end of the scene or its file cannot be read.
    """
    first = round(point.start_s * SAMPLE_RATE_HZ)
    last = min(n_frames, n_frames if point.end_s is None else round(point.end_s * SAMPLE_RATE_HZ))
    if first >= last:
        raise SceneError(f"point {name}: start_s {point.start_s:g} is after the scene's end at {n_frames / SAMPLE_RATE_HZ:.1f} s")
    length = last - first
    if point.file is not None:
        sound = _looped(read_sound(point.file, f"point {name}: file"), length, 0)[0]
    else:
        random = np.random.default_rng([seed, 3, *name.encode()])
        n_fft = 1 << (length - 1).bit_length()
        tilt = _tilt(np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE_HZ), point.slope_db_per_octave)
        sound = np.fft.irfft(tilt * (random.standard_normal(len(tilt)) + 1j * random.standard_normal(len(tilt))), n_fft)[:length]
    fade = np.minimum(1.0, np.arange(1, length + 1) / (SAMPLE_RATE_HZ // 100))
    dry = np.zeros(n_frames)
    dry[first:last] = sound * fade * fade[::-1] / np.sqrt(np.mean(sound**2))
    return dry


def read_sound(path: Path, what: str) -> Floats:
    """A sound file at 16 kHz, float64, shape (channels, frames). Raises SceneError where it cannot be read or is silent."""
    import soundfile
    import soxr

    if not path.is_file():
        raise SceneError(f"{what} {path}: there is no such file")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SceneError(f"{what} {path}: cannot be read: {error}") from error
    if not np.isfinite(samples).all() or not samples.any():
        raise SceneError(f"{what} {path}: is silent, or has samples that are not finite")
    return np.ascontiguousarray(soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ).T)


def _tilt(frequency_hz: npt.NDArray[np.floating], slope_db_per_octave: float) -> Floats:
    tilt = np.maximum(frequency_hz, CORNER_HZ) ** (slope_db_per_octave / (20 * math.log10(2)))
    tilt[0] = 0.0
    return np.asarray(tilt)


def _looped(samples: Floats, n_frames: int, first: int) -> Floats:
    """As many frames as asked for, from `first` on, going around at the end; samples of shape (channels, frames)."""
    return np.asarray(samples[:, (first + np.arange(n_frames)) % samples.shape[1]])
