"""Masks from a mixture that learns how each source really sounds at the microphones, guided by where the sources are.

Each time-frequency bin is a draw from one of several complex angular central Gaussians, one for each source and one for noise
(Ito, Araki and Nakatani 2016, eqs. 6 to 10). Their weights are not learnt but given for each bin by the masks of the directions, so
that classes cannot change places; guided source separation takes them from a diarization (Boeddeker et al. 2018). Expectation and
maximization run over a window that moves with the stream; what has left the window counts on as faded sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from models.hermitian_code import HermitianCode

LOADING = 1e-3
TINY = 1e-10


class GuidedMasks:
    """Follows the shape of each class, its covariance over the microphones without its level.

    A class that is not named in a step rests: what was learnt about it neither grows nor fades.

    Args:
        code: for matrices of the number of microphones.
        fade: what is left of the past after each step of the stream.
        prior_spectra: how many spectra the shape that is expected of a direction counts for.
        n_iterations: rounds of expectation and maximization at each step, after a first expectation.
    """

    def __init__(self, code: HermitianCode, fade: float, prior_spectra: float = 10.0, n_iterations: int = 1) -> None:
        self._code = code
        self._fade = fade
        self._prior_spectra = prior_spectra
        self._n_iterations = n_iterations
        self._past: dict[str, torch.Tensor] = {}

    def forget(self, keep: Iterable[str]) -> None:
        """Drop what was learnt about all classes but these."""
        kept = set(keep)
        self._past = {name: value for name, value in self._past.items() if name in kept}

    def weaken(self, name: str, factor: float) -> None:
        """Let what was learnt about a class count for less: it has moved."""
        if name in self._past:
            self._past[name] = factor * self._past[name]

    def step(
        self, names: Sequence[str], shapes: torch.Tensor, weights: torch.Tensor, expected: torch.Tensor, n_leaving: int
    ) -> torch.Tensor:
        """Tell to which class each bin of the window belongs, and take what leaves the window after this step into the past.

        Args:
            names: of the classes.
            shapes: codes of y y^H of the window, scaled to a trace of 1, float32, shape (bins, spectra, numbers). 0 for silence.
            weights: how likely each class is beforehand, float32, shape (bins, classes, spectra).
            expected: codes of the covariances that are expected of the classes, with a trace of the number of microphones,
                float32, shape (bins, classes, numbers).
            n_leaving: how many spectra leave at the beginning of the window.

        Returns:
            float32, shape (bins, classes, spectra); they add up to 1.
        """
        n_channels = self._code.n_channels
        log_weights = torch.log(weights + TINY)
        past = self._prior_spectra * expected
        for index, name in enumerate(names):
            if name in self._past:
                past[:, index] += self._past[name]
        over_numbers = shapes.transpose(1, 2)
        total = past
        for iteration in range(self._n_iterations + 1):
            inverse, log_det = self._inverse(total)
            form = torch.bmm(inverse, over_numbers).clamp(min=TINY)
            masks = torch.softmax(log_weights - log_det[:, :, None] - n_channels * torch.log(form), dim=1)
            share = n_channels * masks / form
            if iteration < self._n_iterations:
                total = past + torch.bmm(share, shapes)
        leaving = torch.bmm(share[:, :, :n_leaving], shapes[:, :n_leaving])
        for index, name in enumerate(names):
            old = self._past.get(name)
            self._past[name] = leaving[:, index] if old is None else self._fade * old + leaving[:, index]
        return masks

    def _inverse(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of matrices scaled to unit power and slightly loaded: the codes of their inverses and the logarithms of their determinants."""
        scale = self._code.n_channels / (self._code.trace(codes) + TINY)
        matrices = self._code.matrices(codes * scale[..., None])
        torch.diagonal(matrices, dim1=-2, dim2=-1).add_(LOADING)
        factor = torch.linalg.cholesky_ex(matrices).L
        log_det = 2.0 * torch.log(torch.diagonal(factor, dim1=-2, dim2=-1).real).sum(dim=-1)
        return self._code.of(torch.cholesky_inverse(factor)), log_det
