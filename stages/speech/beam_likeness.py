"""Whether two beams held the same sound at the same time: a pure function of their audio."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array, Utterance

ONE_SOUND = 0.4
"""Over this two beams hold one sound: in simulated rooms two voices on separated beams reached 0.18, one voice on beams that were not
separated 0.92 (tools/LOG.md)."""
_WINDOW_S = 0.064
_LOWEST_HZ = 300.0
_HIGHEST_HZ = 4000.0
# With fewer windows any two sounds look coherent: the mean for independent ones is one over their number.
_FEWEST_WINDOWS = 12
_TINY = 1e-20


def coherence(first: Utterance, second: Utterance, start_ns: int, end_ns: int) -> float | None:
    """How much of the sound of two beams is one sound, from 0 (none) to 1 (all).

    The magnitude-squared coherence (Carter, Knapp and Nuttall 1973) over `start_ns` to `end_ns`, from windows of 64 ms that overlap by
    half, between 300 and 4000 Hz, each band weighed by the geometric mean of the energies. Two people who say the same at once are about
    0.03; one voice on two beams that were not separated is over 0.9. None when too little of both is there to tell.
    """
    if first.sample_rate_hz != second.sample_rate_hz:
        return None
    one, other = (utterance.between(start_ns, end_ns) for utterance in (first, second))
    n_frames = min(len(one), len(other))
    size = round(_WINDOW_S * first.sample_rate_hz)
    if n_frames < size + (_FEWEST_WINDOWS - 1) * (size // 2):
        return None
    spectra_one, spectra_other = (_spectra(samples[:n_frames], size) for samples in (one, other))
    frequency_hz = np.fft.rfftfreq(size, 1.0 / first.sample_rate_hz)
    band = (frequency_hz >= _LOWEST_HZ) & (frequency_hz <= _HIGHEST_HZ)
    cross = np.abs(np.sum(spectra_one * spectra_other.conj(), axis=0)[band]) ** 2
    energies = np.sum(np.abs(spectra_one) ** 2, axis=0)[band] * np.sum(np.abs(spectra_other) ** 2, axis=0)[band]
    weights = np.sqrt(energies)
    if float(weights.sum()) <= _TINY:
        return None
    return float(np.sum(cross / (energies + _TINY) * weights) / weights.sum())


def _spectra(samples: Float32Array, size: int) -> npt.NDArray[np.complex128]:
    """Shape (windows, bins)."""
    windows = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), size)[:: size // 2]
    return np.fft.rfft(windows * np.hanning(size), axis=1)
