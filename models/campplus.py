"""Voice vectors by CAM++: a convolutional network that maps speech of any length to a unit vector that tells voices apart.

Wang, Zheng, Chen, Cheng and Chen, "CAM++: A fast and efficient network for speaker verification using context-aware masking" (2023,
arXiv 2303.00332): a small residual network over time and frequency, then a densely connected network over time (D-TDNN) each of whose
layers weighs its channels by the mean of the whole piece and of the second around, and the mean and deviation over time. Weights:
campplus_cn_en_common.pt of the 3D-Speaker project (Apache-2.0), trained on Chinese and English.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.log_mel import SAMPLE_RATE_HZ, log_mel

if TYPE_CHECKING:
    from torch import Tensor

Float32Array = npt.NDArray[np.float32]

DIMENSION = 192
LEAST_FRAMES = SAMPLE_RATE_HZ // 2
"""Shorter sound is repeated until it is so long: half a second."""
_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers of each dense block, and how far apart in time the three steps are that a layer sees."""
_GROWTH = 32
_SEGMENT = 100
"""Steps of 20 ms over which a layer hears what is around."""
_SMALLEST_VARIANCE = 1e-5
_LEVEL = 10.0 ** (-25.0 / 20.0)
_LEAST_RMS = 1e-6


class CampplusError(ValueError):
    """The encoder was handed something that it cannot hear, or a weight file that is none of its own."""


class Campplus:
    """The loaded encoder. It holds no stream; the same sound gives the same vector."""

    def __init__(self, path: Path, n_threads: int = 1) -> None:
        """Raises CampplusError when the file is not the encoder's."""
        import torch

        self._n_threads = n_threads
        try:
            self._weights = _merged(torch.load(path, map_location="cpu", weights_only=True))
            self.voice(np.zeros(LEAST_FRAMES, dtype=np.float32))
        except Exception as error:
            found = str(error) if isinstance(error, CampplusError) else type(error).__name__
            raise CampplusError(
                f"{path}: this is no CAM++ encoder ({found}); fetch it anew with `echoic models fetch campplus.pt`"
            ) from error

    def voice(self, samples: Float32Array) -> Float32Array:
        """The voice of a piece of speech.

        How loud it is makes no difference: it is brought to -25 dBFS, because what the network hears ends at a fixed floor. About 4 MB
        are needed for each second.

        Args:
            samples: float32, shape (frames,), at 16 kHz. It is repeated from its beginning until it fills whole halves of a
                second.

        Returns:
            Float32, shape (192,), of unit length.
        """
        import torch

        from models.torch_threads import limit_torch_threads

        if samples.ndim != 1 or not len(samples):
            raise CampplusError(f"CAM++: samples have shape {samples.shape}; one channel with at least one frame is needed")
        if not np.isfinite(samples).all():
            raise CampplusError(f"CAM++: {int((~np.isfinite(samples)).sum())} of {len(samples)} samples are not finite numbers")
        # torch keeps a plan for every length that it has met, about 1 MB each: few lengths, few plans.
        samples = np.resize(samples, -(-len(samples) // LEAST_FRAMES) * LEAST_FRAMES)
        rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
        bands = log_mel((samples * (_LEVEL / max(rms, _LEAST_RMS))).astype(np.float32))
        bands -= bands.mean(axis=0, dtype=np.float64).astype(np.float32)
        limit_torch_threads(self._n_threads)
        with torch.inference_mode():
            vector = self._dense(self._head(torch.from_numpy(bands.T.copy())[None, None]))
            return np.asarray(torch.nn.functional.normalize(vector, dim=0).numpy(), dtype=np.float32)

    def _head(self, image: Tensor) -> Tensor:
        """The residual network: from (1, 1, 80, frames) to (320, frames)."""
        from torch.nn import functional

        image = self._plane(image, "head.conv1").relu_()
        for block in ("head.layer1.0", "head.layer1.1", "head.layer2.0", "head.layer2.1"):
            stride = 2 if f"{block}.shortcut.0" in self._weights else 1
            inner = self._plane(self._plane(image, f"{block}.conv1", stride).relu_(), f"{block}.conv2")
            if stride == 2:
                weight, bias = self._weights[f"{block}.shortcut.0"]
                image = functional.conv2d(image, weight, bias, stride=(stride, 1))
            image = inner.add_(image).relu_()
        image = self._plane(image, "head.conv2", 2).relu_()
        return image.reshape(-1, image.shape[-1])

    def _dense(self, frames: Tensor) -> Tensor:
        """The network over time: from (320, frames) to (192,)."""
        import torch
        from torch.nn import functional

        weight, bias = self._weights["xvector.tdnn.linear"]
        steps = functional.conv1d(frames[None], weight, bias, stride=2, padding=2)[0].relu_()
        for number, (n_layers, dilation) in enumerate(_BLOCKS, start=1):
            n_had, n_steps = steps.shape
            grown = steps.new_empty(n_had + n_layers * _GROWTH, n_steps)
            grown[:n_had] = steps
            for layer in range(n_layers):
                n_now = n_had + layer * _GROWTH
                grown[n_now : n_now + _GROWTH] = self._layer(grown[:n_now], f"xvector.block{number}.tdnnd{layer + 1}", dilation)
            steps = self._linear(self._norm(grown, f"xvector.transit{number}.nonlinear"), f"xvector.transit{number}.linear")
        steps = steps.relu_()
        deviation, mean = torch.std_mean(steps, dim=1, keepdim=True)
        return self._linear(torch.cat([mean, deviation]), "xvector.dense.linear")[:, 0]

    def _layer(self, steps: Tensor, name: str, dilation: int) -> Tensor:
        """What one layer of a dense block adds: (channels, steps) to (32, steps)."""
        from torch.nn import functional

        inner = self._linear(self._norm(steps, f"{name}.nonlinear1"), f"{name}.linear1").relu_()
        weight, _ = self._weights[f"{name}.cam_layer.linear_local"]
        heard = functional.conv1d(inner[None], weight, padding=dilation, dilation=dilation)[0]
        around = functional.avg_pool1d(inner[None], _SEGMENT, _SEGMENT, ceil_mode=True)[0]
        context = inner.mean(dim=1, keepdim=True) + around
        mask = self._linear(self._linear(context, f"{name}.cam_layer.linear1").relu_(), f"{name}.cam_layer.linear2").sigmoid_()
        return heard.mul_(mask.repeat_interleave(_SEGMENT, dim=1)[:, : steps.shape[1]])

    def _plane(self, image: Tensor, name: str, stride: int = 1) -> Tensor:
        """A convolution over 3 bands and 3 frames; the stride is over bands."""
        from torch.nn import functional

        weight, bias = self._weights[name]
        return functional.conv2d(image, weight, bias, stride=(stride, 1), padding=1)

    def _linear(self, steps: Tensor, name: str) -> Tensor:
        import torch

        weight, bias = self._weights[name]
        return torch.addmm(bias, weight, steps)

    def _norm(self, steps: Tensor, name: str) -> Tensor:
        """A normalisation that no convolution comes before, and a rectifier."""
        import torch

        scale, shift = self._weights[name]
        return torch.addcmul(shift, scale, steps).relu_()


def _merged(state: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution with the normalisation after it worked in; scale and shift of the other normalisations."""
    merged: dict[str, tuple[Tensor, Tensor]] = {}
    norms = {}
    for name in state:
        if name.endswith(".running_mean"):
            norm = name.removesuffix(".running_mean")
            scale = (state[f"{norm}.running_var"].double() + _SMALLEST_VARIANCE).rsqrt()
            if f"{norm}.weight" in state:
                scale = scale * state[f"{norm}.weight"].double()
            shift = -state[name].double() * scale
            if f"{norm}.bias" in state:
                shift = shift + state[f"{norm}.bias"].double()
            norms[norm] = scale, shift
    for name, weight in state.items():
        base = name.removesuffix(".weight")
        if not name.endswith(".weight") or base in norms:
            continue
        after = norms.pop(_norm_after(base), None)
        kernel = weight.double()
        bias = state[f"{base}.bias"].double() if f"{base}.bias" in state else kernel.new_zeros(len(kernel))
        if after is not None:
            kernel = kernel * after[0].reshape(-1, *[1] * (kernel.ndim - 1))
            bias = bias * after[0] + after[1]
        if kernel.ndim == 3 and kernel.shape[2] == 1:  # one step of time: a matrix
            merged[base] = kernel[:, :, 0].float().contiguous(), bias[:, None].float()
        else:
            merged[base] = kernel.float(), bias.float()
    for norm, (scale, shift) in norms.items():
        merged[norm.removesuffix(".batchnorm")] = scale[:, None].float(), shift[:, None].float()
    if (n_numbers := len(merged["xvector.dense.linear"][0])) != DIMENSION:
        raise CampplusError(f"its vectors have {n_numbers} numbers, {DIMENSION} are expected")
    return merged


def _norm_after(convolution: str) -> str:
    """The normalisation that follows a convolution without anything between them, "" where there is none."""
    stem, _, last = convolution.rpartition(".")
    if convolution == "xvector.transit3.linear":
        return "xvector.out_nonlinear.batchnorm"
    if last.startswith("conv"):
        return f"{stem}.bn{last[-1]}"
    if stem.endswith("shortcut"):
        return f"{stem}.1"
    if stem in ("xvector.tdnn", "xvector.dense"):
        return f"{stem}.nonlinear.batchnorm"
    return f"{stem}.nonlinear2.batchnorm" if last == "linear1" and not stem.endswith("cam_layer") else ""
