"""Places mono sound in stereo by its direction, evens loudness, and keeps the sum from clipping."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

HEAD_RADIUS_M = 0.0875
SOUND_M_S = 343.0
NEAR_EAR = 0.95
"""How far to one side a sound may go, 0 to 1: at 1 the far ear would hear nothing at all of what comes from the side."""
LEVEL_DBFS = -23.0
CEILING = 10 ** (-1.0 / 20.0)
_MOST_GAIN_DB = 30.0
_FRAME_S = 0.02
_QUIET_SHARE = 0.1
_LOOK_AHEAD_S = 0.005


def lateral_angle(azimuth_deg: float, facing_deg: float = 0.0) -> float:
    """How far to the left (positive) a direction lies, in radians, -pi/2 to pi/2, for a listener who faces `facing_deg`.

    Azimuths grow counter-clockwise, so the left is 90 degrees on. What is behind sounds as far to the side as its mirror image in front,
    as it does to two ears.
    """
    return math.asin(math.sin(math.radians(azimuth_deg - facing_deg)))


def time_difference_s(lateral: float) -> float:
    """By how much sound reaches the left ear earlier, for a lateral angle in radians: Woodworth's formula, (a/c)(theta + sin theta)."""
    return HEAD_RADIUS_M / SOUND_M_S * (lateral + math.sin(lateral))


def gains(lateral: float) -> tuple[float, float]:
    """The gains of left and right for a lateral angle in radians; their squares add to 1 wherever it is."""
    side = NEAR_EAR * math.sin(lateral)
    return math.sqrt((1.0 + side) / 2.0), math.sqrt((1.0 - side) / 2.0)


def placed(samples: Float32Array, sample_rate_hz: int, azimuth_deg: float | None, facing_deg: float = 0.0) -> Float32Array:
    """Mono samples, float32, shape (frames,), as stereo, shape (2, frames + a few), left first; without a bearing in the middle.

    The far ear hears it later by a delay that need not be whole samples: it is made in the frequency domain, with silence around.
    """
    lateral = 0.0 if azimuth_deg is None else lateral_angle(azimuth_deg, facing_deg)
    room = math.ceil(time_difference_s(math.pi / 2) * sample_rate_hz) + 1
    padded = np.concatenate([samples, np.zeros(room, dtype=np.float32)])
    delay_s = time_difference_s(lateral)
    left, right = gains(lateral)
    return np.stack(
        [left * _delayed(padded, max(0.0, -delay_s) * sample_rate_hz), right * _delayed(padded, max(0.0, delay_s) * sample_rate_hz)]
    ).astype(np.float32)


def _delayed(samples: Float32Array, n_frames: float) -> npt.NDArray[np.float64]:
    if n_frames == 0.0:
        return samples.astype(np.float64)
    # As long again in zeros, so that what a fractional delay leaves before the first sample does not come round to the end.
    n_fft = 2 * len(samples)
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(n_fft) * n_frames)
    later: npt.NDArray[np.float64] = np.fft.irfft(np.fft.rfft(samples, n_fft) * turns, n_fft)
    return later[: len(samples)]


def levelled(samples: Float32Array, sample_rate_hz: int, level_dbfs: float = LEVEL_DBFS) -> Float32Array:
    """Samples, float32, shape (frames,), whose loud parts have a root mean square of `level_dbfs`; silence stays silence.

    Pauses do not count: only frames of 20 ms within 20 dB of the loudest ones do. Nothing is raised by more than 30 dB.
    """
    size = max(1, round(_FRAME_S * sample_rate_hz))
    n_frames = len(samples) // size
    powers = np.mean(np.square(samples[: n_frames * size].reshape(n_frames, size), dtype=np.float64), axis=1) if n_frames else np.zeros(0)
    if not powers.size or powers.max() == 0.0:
        return samples.astype(np.float32, copy=True)
    loud = powers[powers >= _QUIET_SHARE**2 * np.quantile(powers, 0.95)]
    gain_db = min(_MOST_GAIN_DB, level_dbfs - 10.0 * math.log10(float(loud.mean())))
    return (samples * np.float32(10.0 ** (gain_db / 20.0))).astype(np.float32)


def limited(samples: Float32Array, sample_rate_hz: int, ceiling: float = CEILING) -> Float32Array:
    """Samples, float32, shape (channels, frames), none of which is over `ceiling`: the gain of all channels falls before a peak.

    The gain that each moment needs is spread over 5 ms around it and then averaged over the same 5 ms, so it is smooth and never too high.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    peak = np.abs(samples).max(axis=0, initial=0.0).astype(np.float64)
    if not peak.size or peak.max() <= ceiling:
        return samples.astype(np.float32, copy=True)
    needed = np.minimum(1.0, ceiling / np.maximum(peak, 1e-12))
    width = 2 * round(_LOOK_AHEAD_S * sample_rate_hz) + 1
    smooth = uniform_filter1d(minimum_filter1d(needed, width, mode="nearest"), width, mode="nearest")
    out: Float32Array = np.clip(samples * smooth, -ceiling, ceiling).astype(np.float32)
    return out
