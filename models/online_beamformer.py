"""A beam per talker from a stream of array samples: masks from directions, running covariances, and an MVDR filter.

The stream is worked through in steps of a few spectra. A step's filter rests on everything up to `look_ahead_s` after it, with older
sound fading out; nothing later is used. Sources may come and go at any step: a new one gets audio from the current step
on, which lies in the past by the look-ahead, so what it said just before it was found is not lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from models.beam_overlap import BeamOverlap
from models.direction_masks import DirectionMasks
from models.spatial_filters import delay_and_sum, souden_mvdr
from models.steering import steering_vectors, unit_vector
from models.step_sizes import HOPS_PER_WINDOW, StepSizes
from models.stft import Stft, power

LOWEST_HZ = 300.0
HIGHEST_HZ = 5000.0
AZIMUTH_STEP_DEG = 2.0
ELEVATION_STEP_DEG = 10.0
PRIOR_SPECTRA = 20.0
LEAKAGE = 0.07

Bearing = tuple[float, float | None]


@dataclass(frozen=True)
class BeamStep:
    """The audio of all beams over one step.

    `first_frame` is the index in the stream of the first sample (below 0 before its beginning). `samples`, by name, are
    float32, shape (frames,). `own` and `whole` are the energies of each hop of them that came from the beam's own direction
    and in all (what must have leaked in included), shape (hops,).
    """

    first_frame: int
    samples: dict[str, npt.NDArray[np.float32]]
    own: dict[str, npt.NDArray[np.float32]]
    whole: dict[str, npt.NDArray[np.float32]]


class OnlineBeamformer:
    """Samples of an array and bearings in, beams out.

    Args:
        positions_m: microphones, shape (channels, 3).
        sample_rate_hz: of the samples.
        reference: the microphone as which the beams hear their source.
        design: `souden` for the mask-driven MVDR, `delay_and_sum` to only line up the channels.
        step_s: how much is worked through at once.
        look_ahead_s: how far ahead of a step its filter looks.
        memory_s: how fast old sound fades from the filters (time constant).
        loading: see `spatial_filters.souden_mvdr`.
        device: where the work is done.
    """

    def __init__(
        self,
        positions_m: npt.NDArray[np.float64],
        sample_rate_hz: int,
        reference: int = 0,
        design: Literal["souden", "delay_and_sum"] = "souden",
        step_s: float = 0.176,
        look_ahead_s: float = 0.7,
        memory_s: float = 5.0,
        loading: float = 1e-3,
        device: str = "cpu",
    ) -> None:
        self._positions_m = positions_m
        self._reference = reference
        self._design = design
        self._loading = loading
        self._device = device
        self.sizes = StepSizes.of(sample_rate_hz, step_s, look_ahead_s)
        self._fade = math.exp(-self.sizes.n_step * self.sizes.hop_frames / sample_rate_hz / memory_s)
        self._stft = Stft(len(positions_m), self.sizes.window_frames, self.sizes.hop_frames, device)
        self._frequency_hz = np.arange(self._stft.n_bins) * sample_rate_hz / self.sizes.window_frames
        self._heard_bins = torch.tensor((self._frequency_hz >= LOWEST_HZ) & (self._frequency_hz <= HIGHEST_HZ), device=device)
        self._masks = DirectionMasks(positions_m, self._frequency_hz, reference, device=device)
        self._steps: list[_StepData] = []
        self._statistics: dict[str, torch.Tensor] = {}
        self.reset()

    def reset(self) -> None:
        """Begin a new stream. What was learnt about the sources stays."""
        n_channels = len(self._positions_m)
        self._stft.reset()
        self._fresh = torch.zeros(self._stft.n_bins, n_channels, 0, dtype=torch.complex64, device=self._device)
        self._before = torch.zeros(self._stft.n_bins, n_channels, HOPS_PER_WINDOW - 1, dtype=torch.complex64, device=self._device)
        self._steps.clear()
        self._beams: dict[str, BeamOverlap] = {}
        self._names: tuple[str, ...] = ()
        self._bearings: tuple[tuple[float, float], ...] = ()
        self._n_done = 0

    def push(self, samples: npt.NDArray[np.float32]) -> None:
        """Take samples, shape (channels, frames)."""
        spectra = self._stft.push(torch.tensor(samples)).permute(2, 0, 1)
        self._fresh = torch.cat([self._fresh, spectra], dim=2)
        while self._fresh.shape[2] >= self.sizes.n_step:
            spectra = self._fresh[:, :, : self.sizes.n_step].contiguous()
            self._steps.append(_StepData(spectra, power(spectra).mean(dim=(1, 2))))
            self._fresh = self._fresh[:, :, self.sizes.n_step :]

    def finish(self) -> None:
        """The stream has ended: fill up with silence, so that all of it can be worked through."""
        n_channels = len(self._positions_m)
        self.push(np.zeros((n_channels, (HOPS_PER_WINDOW + self.sizes.n_step) * self.sizes.hop_frames), dtype=np.float32))

    def is_ready(self, *, at_end: bool = False) -> bool:
        """Whether a step can be worked through; at the end of a stream also without the sound after it."""
        return len(self._steps) > (0 if at_end else self.sizes.n_ahead)

    def step(self, bearings: Mapping[str, Bearing]) -> BeamStep:
        """Work through the next step with these sources in the room: a beam for each.

        `bearings` are (azimuth, elevation or None) in degrees by name. Call it only when `is_ready`.
        """
        self._aim(bearings)
        # More may have come at once than the look-ahead allows to be used.
        seen = self._steps[: self.sizes.n_ahead + 1]
        for data in seen:
            self._attribute(data)
        first_frame = (self._n_done * self.sizes.n_step - HOPS_PER_WINDOW + 1) * self.sizes.hop_frames
        now = self._steps[0]
        result = BeamStep(first_frame, {}, {}, {})
        if self._names:
            self._beam(now.spectra, self._attribute(now), self._filters(seen), result)
        for index, name in enumerate([*self._names, ""]):
            if now.covariances is not None:
                self._statistics[name] = self._fade * self._sum_of(name) + now.covariances[:, index]
        self._steps.pop(0)
        self._n_done += 1
        self._before = torch.cat([self._before, now.spectra], dim=2)[:, :, -(HOPS_PER_WINDOW - 1) :]
        return result

    def forget(self, keep: Sequence[str]) -> None:
        """Drop what was learnt about all sources but these."""
        self._statistics = {name: value for name, value in self._statistics.items() if name in keep or name == ""}

    def _aim(self, bearings: Mapping[str, Bearing]) -> None:
        names = tuple(bearings)
        aimed = dict(zip(self._names, self._bearings, strict=True))
        rounded = tuple(_aimed(aimed.get(name), azimuth, rise or 0.0) for name, (azimuth, rise) in bearings.items())
        if names == self._names and rounded == self._bearings:
            return
        self._names, self._bearings = names, rounded
        vectors = [unit_vector(self._positions_m, azimuth, elevation) for azimuth, elevation in rounded]
        self._vectors = np.array(vectors).reshape(-1, 3)
        self._masks.set_directions(self._vectors)
        self._beams = {name: beam for name, beam in self._beams.items() if name in names}
        for data in self._steps:
            data.masks = data.covariances = None

    def _attribute(self, data: _StepData) -> torch.Tensor:
        """Say which bins of a step belong to whom, as masks, and add up the covariances."""
        if data.masks is not None:
            return data.masks
        data.masks = self._masks.masks(self._masks.log_likelihood(data.spectra))
        if self._design == "delay_and_sum":
            return data.masks
        n_bins, n_channels, n_spectra = data.spectra.shape
        weighted = (data.masks[:, :, None, :] * data.spectra[:, None]).reshape(n_bins, -1, n_spectra)
        outer = torch.bmm(weighted, data.spectra.conj().transpose(1, 2))
        data.covariances = outer.reshape(n_bins, -1, n_channels, n_channels)
        return data.masks

    def _sum_of(self, name: str) -> torch.Tensor:
        known = self._statistics.get(name)
        if known is not None:
            return known
        n_bins, n_channels, _ = self._before.shape
        return torch.zeros(n_bins, n_channels, n_channels, dtype=torch.complex64, device=self._device)

    def _filters(self, seen: list[_StepData]) -> torch.Tensor:
        """The filter of each beam for the current step, from it and the steps after it: complex64, shape (bins, beams, channels)."""
        if self._design == "delay_and_sum":
            steering = steering_vectors(self._positions_m, self._vectors, self._frequency_hz, self._reference)
            return delay_and_sum(torch.tensor(steering, dtype=torch.complex64, device=self._device))
        sums = torch.stack([self._sum_of(name) for name in [*self._names, ""]], dim=1)
        energy = torch.zeros(sums.shape[0], device=self._device)
        for data in seen:
            if data.covariances is not None:
                sums = sums + data.covariances
            energy = energy + data.energy
        level = PRIOR_SPECTRA * energy / (len(seen) * sums.shape[1])
        sums = sums + level[:, None, None, None] * self._masks.covariances
        target = sums[:, :-1]
        return souden_mvdr(target, sums.sum(dim=1, keepdim=True) - target, self._reference, self._loading)

    def _beam(self, now: torch.Tensor, masks: torch.Tensor, filters: torch.Tensor, result: BeamStep) -> None:
        filters = filters.conj()
        spectra = torch.bmm(filters, now)
        energy = power(spectra[self._heard_bins])
        own = (energy * masks[self._heard_bins, :-1]).sum(dim=0)
        whole = energy.sum(dim=0)
        heard = power(now[self._heard_bins, self._reference]).sum(dim=0)
        # Of what a filter takes away, about this much gets through: it is what a beam holds when its own source is silent.
        whole = whole + LEAKAGE * (heard - whole).clamp(min=0.0)
        for index, name in enumerate(self._names):
            beam = self._beams.get(name)
            if beam is None:
                beam = self._beams[name] = BeamOverlap(self._stft.window_frames, self.sizes.hop_frames, self._device)
                earlier = torch.bmm(filters[:, index : index + 1], self._before)[:, 0].T
                beam.push(earlier, torch.zeros(earlier.shape[0], device=self._device), torch.zeros(earlier.shape[0], device=self._device))
            samples, of_own, of_all = beam.push(spectra[:, index].T, own[index], whole[index])
            result.samples[name] = samples.cpu().numpy()
            result.own[name] = of_own.cpu().numpy()
            result.whole[name] = of_all.cpu().numpy()


@dataclass
class _StepData:
    """A step of the stream: `spectra` is complex64, shape (bins, channels, spectra), `energy` the mean of each bin.

    The rest is made for the current directions: `masks` as of `DirectionMasks`, `covariances` complex64, shape
    (bins, directions + 1, channels, channels), summed over the spectra.
    """

    spectra: torch.Tensor
    energy: torch.Tensor
    masks: torch.Tensor | None = None
    covariances: torch.Tensor | None = None


def _aimed(before: tuple[float, float] | None, azimuth_deg: float, elevation_deg: float) -> tuple[float, float]:
    """Where to point: as before while a source is within a step of that, so that masks are not made anew for a wobble of a tracker."""
    if before is not None:
        turned = abs((azimuth_deg - before[0] + 180.0) % 360.0 - 180.0)
        if turned <= AZIMUTH_STEP_DEG and abs(elevation_deg - before[1]) <= ELEVATION_STEP_DEG:
            return before
    return _rounded(azimuth_deg, AZIMUTH_STEP_DEG), _rounded(elevation_deg, ELEVATION_STEP_DEG)


def _rounded(value_deg: float, step_deg: float) -> float:
    return round(value_deg / step_deg) * step_deg
