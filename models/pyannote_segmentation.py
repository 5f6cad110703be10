"""Who of up to three talkers speaks when on one microphone, overlap included: pyannote's segmentation network in torch.

PyanNet of Bredin and Laurent, "End-to-end speaker segmentation for overlap-aware resegmentation" (2021, arXiv 2104.04045), with the
powerset output of Plaquet and Bredin, "Powerset multi-class cross entropy loss for neural speaker diarization" (2023, arXiv
2310.13025): learnt band-pass filters (SincNet, Ravanelli and Bengio 2018, arXiv 1808.00158), two convolutions, four bidirectional
LSTM layers of 128, and seven classes: nobody, one of three talkers, or two of them. Weights: segmentation-3.0 of the
pyannote project (MIT). They were trained on windows of 10 s, among others of the AMI meetings' training part.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16000
STEP_FRAMES = 270
"""Samples from one step of the output to the next: 16.875 ms."""
REACH_FRAMES = 991
"""Samples that one step of the output sees before the recurrent layers."""
N_TALKERS = 3
WINDOW_FRAMES = 10 * SAMPLE_RATE_HZ
"""The length on which the network was trained."""
_SETS = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
_LAYERS = 4
_UNITS = 128
_BANDS = 40
_LEAST_HZ = 50.0
_FIRST_STRIDE = 10


class SegmentationError(ValueError):
    """The network was handed something that it cannot hear, or a weight file that is none of its own."""


class PyannoteSegmentation:
    """The loaded network. It holds no stream; the same sound gives the same activity."""

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        """Raises SegmentationError when the file is not the network's."""
        import torch

        self._n_threads = n_threads
        self._lstm = torch.nn.LSTM(60, _UNITS, _LAYERS, bidirectional=True, batch_first=True)
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
            self._lstm.load_state_dict({key.removeprefix("lstm."): value for key, value in state.items() if key.startswith("lstm.")})
            self._filters = _band_passes({key.rpartition(".")[2]: value for key, value in state.items() if ".filterbank." in key})
            self._norms = [_norm(state, "sincnet.wav_norm1d"), *(_norm(state, f"sincnet.norm1d.{layer}") for layer in range(3))]
            self._layers = {
                name: (state[f"{name}.weight"], state[f"{name}.bias"])
                for name in ("sincnet.conv1d.1", "sincnet.conv1d.2", "linear.0", "linear.1", "classifier")
            }
            if self._layers["classifier"][0].shape[0] != len(_SETS):
                raise SegmentationError(f"its output has {self._layers['classifier'][0].shape[0]} classes, {len(_SETS)} are expected")
        except Exception as error:
            raise SegmentationError(
                f"{path}: these are no weights of pyannote's segmentation-3.0 ({type(error).__name__}: {error}); fetch them anew with "
                "`echoic models fetch pyannote_segmentation.pt`"
            ) from error
        self._lstm.eval()
        self._members = torch.zeros(len(_SETS), N_TALKERS)
        for place, members in enumerate(_SETS):
            self._members[place, list(members)] = 1.0

    def activity(self, samples: Float32Array) -> Float32Array:
        """How probable it is that each of three talkers speaks.

        Who is first, second and third is the network's choice and changes from window to window.

        Args:
            samples: float32, shape (frames,), at 16 kHz, at least 991; about 10 s are best.

        Returns:
            float32, shape (steps, 3), 0 to 1; step k is about the sound around sample 270 k + 495.

        Raises:
            SegmentationError: the samples have another shape, are too few or not finite.
        """
        import torch
        from torch.nn import functional

        from models.torch_threads import limit_torch_threads

        if samples.ndim != 1 or len(samples) < REACH_FRAMES or not np.isfinite(samples).all():
            raise SegmentationError(
                f"PyannoteSegmentation: samples have shape {samples.shape}; (frames,) of at least {REACH_FRAMES} finite numbers is needed"
            )
        limit_torch_threads(self._n_threads)
        with torch.inference_mode():
            heard = functional.instance_norm(torch.tensor(samples, dtype=torch.float32)[None, None], **self._norms[0])
            for layer in range(3):
                if layer == 0:
                    heard = functional.conv1d(heard, self._filters, stride=_FIRST_STRIDE).abs()
                else:
                    heard = functional.conv1d(heard, *self._layers[f"sincnet.conv1d.{layer}"])
                heard = functional.instance_norm(functional.max_pool1d(heard, 3, 3), **self._norms[layer + 1])
                heard = functional.leaky_relu(heard)
            heard, _ = self._lstm(heard.transpose(1, 2))
            for name in ("linear.0", "linear.1"):
                heard = functional.leaky_relu(functional.linear(heard, *self._layers[name]))
            classes = functional.softmax(functional.linear(heard, *self._layers["classifier"]), dim=-1)[0]
            return (classes @ self._members).clamp(0.0, 1.0).numpy()


def _norm(state: dict[str, Any], name: str) -> dict[str, Any]:
    return {"weight": state[f"{name}.weight"], "bias": state[f"{name}.bias"]}


def _band_passes(bank: dict[str, Any]) -> Any:
    """Even and odd band-pass filters from their learnt corner frequencies: a tensor of shape (80, 1, 251)."""
    import torch

    low_hz = _LEAST_HZ + bank["low_hz_"].abs()
    high_hz = torch.clamp(low_hz + _LEAST_HZ + bank["band_hz_"].abs(), _LEAST_HZ, SAMPLE_RATE_HZ / 2)
    width_hz = (high_hz - low_hz)[:, 0]
    # `n_` holds 2 pi t of the first half of each filter, `window_` the first half of a Hamming window.
    phase, window = bank["n_"], bank["window_"]
    low, high = low_hz @ phase, high_hz @ phase
    filters = []
    for left, middle, sign in (
        (torch.sin(high) - torch.sin(low), 2 * width_hz[:, None], 1.0),
        (torch.cos(low) - torch.cos(high), torch.zeros(_BANDS, 1), -1.0),
    ):
        half = left / (phase / 2) * window
        filters.append(torch.cat([half, middle, sign * torch.flip(half, dims=[1])], dim=1) / (2 * width_hz[:, None]))
    return torch.cat(filters)[:, None, :]
