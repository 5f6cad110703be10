"""Does what comes from a bearing sound like speech? A steered look at the last moments, and Silero's opinion of it.

The look is a linearly constrained beam (Van Veen and Buckley 1988): one towards the bearing, nothing from the bearings that are known
already, and as little as can be of diffuse noise. It is worked out anew for each question, so it costs nothing while nobody asks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.silero import CHUNK_FRAMES, Silero, SileroState
from models.steering import diffuse_coherence, steering_vectors, unit_vector

Float32Array = npt.NDArray[np.float32]
Bearing = tuple[float, float | None]
WINDOW_FRAMES = 512
HOP_FRAMES = 256
WHITE_NOISE_DB = -20.0
LOUDEST = 0.1
LOWEST_HZ = 100.0
"""There is no speech below, but often rumble, next to which the rest would be too quiet to be judged."""


def steered(
    samples: Float32Array, positions_m: npt.NDArray[np.float64], sample_rate_hz: int, towards: Bearing, away: Sequence[Bearing]
) -> Float32Array:
    """What came from one bearing and not from others, above 100 Hz.

    Args:
        samples: of all microphones, float32, shape (channels, frames).
        positions_m: of the microphones, shape (channels, 3).
        sample_rate_hz: of the samples.
        towards: azimuth and elevation in degrees; the elevation may be None.
        away: bearings to leave out; only so many that all bearings are at most half as many as microphones.

    Returns:
        float32, shape (frames,), shorter by less than a hop.
    """
    n_channels = len(positions_m)
    bearings = [towards, *away][: max(1, n_channels // 2)]
    vectors = np.stack([unit_vector(positions_m, *bearing) for bearing in bearings])
    frequency_hz = np.arange(WINDOW_FRAMES // 2 + 1) * sample_rate_hz / WINDOW_FRAMES
    constraints = np.swapaxes(steering_vectors(positions_m, vectors, frequency_hz, 0), 1, 2)
    noise = diffuse_coherence(positions_m, frequency_hz) + 10.0 ** (WHITE_NOISE_DB / 10.0) * np.eye(n_channels)
    quiet = np.linalg.solve(noise, constraints)
    # What two bearings have in common at low frequencies cannot be had from one and not from the other: a little slack.
    inner = np.swapaxes(constraints.conj(), 1, 2) @ quiet + 1e-2 * np.eye(len(bearings))
    wanted = np.zeros((len(bearings), 1))
    wanted[0] = 1.0
    weights = (quiet @ np.linalg.solve(inner, np.broadcast_to(wanted, (len(inner), *wanted.shape))))[:, :, 0]
    weights[frequency_hz < LOWEST_HZ] = 0.0
    window = np.sqrt(np.hanning(WINDOW_FRAMES + 1)[:-1])
    n_windows = max(0, (samples.shape[1] - WINDOW_FRAMES) // HOP_FRAMES + 1)
    out = np.zeros(n_windows * HOP_FRAMES + WINDOW_FRAMES - HOP_FRAMES)
    for first in range(0, n_windows * HOP_FRAMES, HOP_FRAMES):
        spectra = np.fft.rfft(samples[:, first : first + WINDOW_FRAMES] * window, axis=1)
        out[first : first + WINDOW_FRAMES] += window * np.fft.irfft(np.einsum("fm,mf->f", weights.conj(), spectra), WINDOW_FRAMES)
    return out.astype(np.float32)


def speech_probabilities(signal: Float32Array, silero: Silero) -> list[float]:
    """What Silero thinks of each chunk of 32 ms, from a fresh state, at a usual level (so that quiet talkers count as well)."""
    level = at_usual_level(signal)
    state = SileroState()
    return [
        silero.probability(level[first : first + CHUNK_FRAMES], state) for first in range(0, len(level) - CHUNK_FRAMES + 1, CHUNK_FRAMES)
    ]


def at_usual_level(signal: Float32Array) -> Float32Array:
    """A signal with its loudest sample at 0.1, float32, shape (frames,): networks know speech at that level."""
    loudest = float(np.abs(signal).max(initial=0.0))
    return signal * np.float32(LOUDEST / loudest) if loudest > 0.0 else signal
