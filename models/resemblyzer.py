"""Voice vectors by Resemblyzer's encoder: a recurrent network that maps speech to a unit vector that tells voices apart.

The network is the GE2E d-vector of Wan, Wang, Papir and Lopez Moreno, "Generalized end-to-end loss for speaker verification"
(2018, arXiv 1710.10467): three LSTM layers of 256 over 40 mel bands, the last state through a linear layer and a ReLU, scaled to
unit length. Weights: resemblyzer.pt of the Resemblyzer project (Apache-2.0).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

SAMPLE_RATE_HZ = 16000
DIMENSION = 256
WINDOW_FRAMES = 160
"""The network was trained on windows of 160 mel frames: 1.6 s."""
FRAME_STEP = 160
_FFT = 400
_BANDS = 40
_UNITS = 256
_LAYERS = 3
_LOUDNESS_DBFS = -30.0
_MOST_AT_ONCE = 64
_LEAST_RMS = 1e-6
# Slaney's mel scale: linear to 1 kHz in steps of 200/3 Hz, and 27 steps for each factor of 6.4 above.
_MEL_STEP_HZ = 200.0 / 3.0
_MEL_BREAK_HZ = 1000.0
_MEL_BREAK = _MEL_BREAK_HZ / _MEL_STEP_HZ
_MEL_LOG_STEP = np.log(6.4) / 27.0


class ResemblyzerError(ValueError):
    """The encoder was handed something that it cannot hear, or a weight file that is none of its own."""


class Resemblyzer:
    """The loaded encoder. It holds no stream; the same sound gives the same vector."""

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        """Raises ResemblyzerError when the file is not the encoder's."""
        import torch

        self._n_threads = n_threads
        self._lstm = torch.nn.LSTM(_BANDS, _UNITS, _LAYERS, batch_first=True)
        self._linear = torch.nn.Linear(_UNITS, DIMENSION)
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
            for name, layer in (("lstm", self._lstm), ("linear", self._linear)):
                layer.load_state_dict({key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")})
        except Exception as error:
            raise ResemblyzerError(
                f"{path}: this is no Resemblyzer encoder ({type(error).__name__}); fetch it anew with `echoic models fetch resemblyzer.pt`"
            ) from error
        self._lstm.eval()
        self._linear.eval()

    def voices(self, mel: Float32Array, starts: npt.NDArray[np.int64]) -> Float32Array:
        """The voice in each window of 1.6 s.

        Args:
            mel: `mel_frames` of the sound, float32, shape (frames, 40), at least 160 frames.
            starts: first frame of each window, int64, shape (windows,); every window must lie within `mel`.

        Returns:
            Float32, shape (windows, 256), of unit length.
        """
        import torch

        from models.torch_threads import limit_torch_threads

        if len(starts) and (int(starts.min()) < 0 or int(starts.max()) + WINDOW_FRAMES > len(mel)):
            raise ResemblyzerError(
                f"Resemblyzer: windows of {WINDOW_FRAMES} frames from {int(starts.min())} to {int(starts.max())} do not lie within the "
                f"{len(mel)} frames of the sound"
            )
        limit_torch_threads(self._n_threads)
        found = np.zeros((len(starts), DIMENSION), dtype=np.float32)
        for first in range(0, len(starts), _MOST_AT_ONCE):
            part = starts[first : first + _MOST_AT_ONCE]
            windows = torch.from_numpy(np.stack([mel[start : start + WINDOW_FRAMES] for start in part]))
            with torch.inference_mode():
                _, (hidden, _) = self._lstm(windows)
                found[first : first + len(part)] = torch.nn.functional.normalize(torch.relu(self._linear(hidden[-1])), dim=1).numpy()
        return found

    def voice(self, samples: Float32Array, hop_s: float = 0.5) -> Float32Array:
        """The voice of a piece of speech: the mean over windows of 1.6 s, every `hop_s`.

        Args:
            samples: float32, shape (frames,), at 16 kHz. Sound shorter than a window is repeated until it fills one.
            hop_s: how far the windows are apart.

        Returns:
            Float32, shape (256,), of unit length.
        """
        if samples.ndim != 1 or not len(samples):
            raise ResemblyzerError(f"Resemblyzer: samples have shape {samples.shape}; one channel with at least one frame is needed")
        short = WINDOW_FRAMES * FRAME_STEP - len(samples)
        if short > 0:
            samples = np.resize(samples, WINDOW_FRAMES * FRAME_STEP)
        mel = mel_frames(samples)
        hop = max(1, round(hop_s * SAMPLE_RATE_HZ / FRAME_STEP))
        starts = np.arange(0, len(mel) - WINDOW_FRAMES + 1, hop, dtype=np.int64)
        if len(mel) - WINDOW_FRAMES - starts[-1] > hop // 2:
            starts = np.append(starts, len(mel) - WINDOW_FRAMES)
        return unit(self.voices(mel, starts).sum(axis=0))


def mel_frames(samples: Float32Array) -> Float32Array:
    """The power in 40 mel bands every 10 ms, as the network was trained on it: no logarithm, quiet sound lifted to -30 dBFS.

    Args:
        samples: float32, shape (frames,), at 16 kHz.

    Returns:
        Float32, shape (1 + frames // 160, 40).
    """
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    gain = max(1.0, 10.0 ** (_LOUDNESS_DBFS / 20.0) / max(rms, _LEAST_RMS))
    padded = np.pad(samples.astype(np.float64) * gain, _FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::FRAME_STEP]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    return ((np.square(spectrum.real) + np.square(spectrum.imag)) @ _FILTERS).astype(np.float32)


def unit(vector: npt.NDArray[np.floating]) -> Float32Array:
    """A vector of the same direction and unit length, float32; zeros stay zeros."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return (vector / length if length > 0.0 else vector).astype(np.float32)


def _hertz(mel: Float64Array) -> Float64Array:
    above = _MEL_BREAK_HZ * np.exp(_MEL_LOG_STEP * (mel - _MEL_BREAK))
    return np.where(mel < _MEL_BREAK, mel * _MEL_STEP_HZ, above)


def _mel_filters() -> Float64Array:
    """Triangles of unit area over the bins of the transform, shape (201, 40)."""
    top = _MEL_BREAK + np.log(SAMPLE_RATE_HZ / 2 / _MEL_BREAK_HZ) / _MEL_LOG_STEP
    edges = _hertz(np.linspace(0.0, top, _BANDS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))


_HANN: Float64Array = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(_FFT) / _FFT)
_FILTERS = _mel_filters()
