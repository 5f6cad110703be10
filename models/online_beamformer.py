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
from models.fixed_beams import FixedBeams
from models.guided_masks import GuidedMasks
from models.hermitian_code import HermitianCode
from models.spatial_filters import souden_mvdr
from models.steering import unit_vector
from models.step_sizes import HOPS_PER_WINDOW, StepSizes
from models.stft import Stft, power

LOWEST_HZ = 300.0
HIGHEST_HZ = 5000.0
AZIMUTH_STEP_DEG = 2.0
ELEVATION_STEP_DEG = 10.0
PRIOR_SPECTRA = 20.0
LEAKAGE = 0.07
FORGETTING_DEG = 15.0
"""A turn after which what was learnt about a source counts for 1/e: its response from the room is another one then."""
TINY = 1e-20

Bearing = tuple[float, float | None]
Design = Literal["souden", "fixed", "delay_and_sum"]
Masks = Literal["guided", "direction"]


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
        design: `souden` for the MVDR that the masks drive, `fixed` and `delay_and_sum` for filters of the bearings alone (`FixedBeams`).
        masks: which bins are whose: `direction` goes by the bearings alone, `guided` learns from there how each source sounds.
        step_s: how much is worked through at once.
        look_ahead_s: how far ahead of a step its filter looks.
        memory_s: how fast old sound fades from the filters (time constant).
        loading: white noise added for robustness, relative to the noise (`spatial_filters`).
        null_power: power of each other source in the noise of `fixed`, relative to the diffuse noise; 0 ignores them.
        device: where the work is done.
    """

    def __init__(
        self,
        positions_m: npt.NDArray[np.float64],
        sample_rate_hz: int,
        reference: int = 0,
        design: Design = "souden",
        step_s: float = 0.176,
        look_ahead_s: float = 0.7,
        memory_s: float = 5.0,
        loading: float = 1e-3,
        device: str = "cpu",
        masks: Masks = "guided",
        null_power: float = 0.0,
    ) -> None:
        self._positions_m = positions_m
        self._reference = reference
        self._loading = loading
        self._device = device
        self.sizes = StepSizes.of(sample_rate_hz, step_s, look_ahead_s)
        self._fade = math.exp(-self.sizes.n_step * self.sizes.hop_frames / sample_rate_hz / memory_s)
        self._stft = Stft(len(positions_m), self.sizes.window_frames, self.sizes.hop_frames, device)
        self._frequency_hz = np.arange(self._stft.n_bins) * sample_rate_hz / self.sizes.window_frames
        self._heard_bins = torch.tensor((self._frequency_hz >= LOWEST_HZ) & (self._frequency_hz <= HIGHEST_HZ), device=device)
        self._masks = DirectionMasks(positions_m, self._frequency_hz, reference, device=device)
        self._code = HermitianCode(len(positions_m), device)
        self._guided = GuidedMasks(self._code, self._fade) if design == "souden" and masks == "guided" else None
        self._fixed: FixedBeams | None = None
        if design != "souden":
            power_of_others = null_power if design == "fixed" else 0.0
            self._fixed = FixedBeams(positions_m, self._frequency_hz, reference, design, loading, power_of_others, device)
        self._expected = self._code.of(self._masks.covariances)
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
            self._steps.append(self._taken(self._fresh[:, :, : self.sizes.n_step].contiguous()))
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
        first_frame = (self._n_done * self.sizes.n_step - HOPS_PER_WINDOW + 1) * self.sizes.hop_frames
        now = self._steps[0]
        result = BeamStep(first_frame, {}, {}, {})
        if self._fixed is None:
            masks, target, noise = self._learn(seen)
            if self._names:
                self._beam(now.spectra, masks, souden_mvdr(target, noise, self._reference, self._loading), result)
        elif self._names:
            self._beam(now.spectra, self._direction_masks(now), self._fixed.weights, result)
        self._steps.pop(0)
        self._n_done += 1
        self._before = torch.cat([self._before, now.spectra], dim=2)[:, :, -(HOPS_PER_WINDOW - 1) :]
        return result

    def forget(self, keep: Sequence[str]) -> None:
        """Drop what was learnt about all sources but these."""
        self._statistics = {name: value for name, value in self._statistics.items() if name in keep or name == ""}
        if self._guided is not None:
            self._guided.forget([*keep, ""])

    def _aim(self, bearings: Mapping[str, Bearing]) -> None:
        names = tuple(bearings)
        aimed = dict(zip(self._names, self._bearings, strict=True))
        rounded = tuple(_aimed(aimed.get(name), azimuth, rise or 0.0) for name, (azimuth, rise) in bearings.items())
        if names == self._names and rounded == self._bearings:
            return
        for name, bearing in zip(names, rounded, strict=True):
            if name in aimed:
                self._weaken(name, math.exp(-_turned_deg(aimed[name], bearing) / FORGETTING_DEG))
        self._names, self._bearings = names, rounded
        vectors = [unit_vector(self._positions_m, azimuth, elevation) for azimuth, elevation in rounded]
        self._vectors = np.array(vectors).reshape(-1, 3)
        self._masks.set_directions(self._vectors)
        self._expected = self._code.of(self._masks.covariances)
        if self._fixed is not None:
            self._fixed.set_directions(self._vectors)
        self._beams = {name: beam for name, beam in self._beams.items() if name in names}
        for data in self._steps:
            data.masks = None

    def _weaken(self, name: str, factor: float) -> None:
        """Let what was learnt about a source count for less, since it has moved."""
        if name in self._statistics:
            self._statistics[name] = factor * self._statistics[name]
        if self._guided is not None:
            self._guided.weaken(name, factor)

    def _taken(self, spectra: torch.Tensor) -> _StepData:
        """A step of the stream, with what is needed of it whatever the directions."""
        if self._fixed is not None:
            return _StepData(spectra, torch.empty(0), torch.empty(0))
        energy = power(spectra).sum(dim=1)
        unit = spectra / (energy.sqrt()[:, None] + TINY)
        return _StepData(spectra, self._code.of_products(unit), energy)

    def _direction_masks(self, data: _StepData) -> torch.Tensor:
        if data.masks is None:
            data.masks = self._masks.masks(self._masks.log_likelihood(data.spectra))
        return data.masks

    def _learn(self, seen: list[_StepData]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Attribute the bins of the current step and those ahead of it, and add the current one to what is known.

        Returns the masks of the current step, float32, shape (bins, sources + 1, spectra), and the covariances of each source and
        of all else as they are known with the look-ahead, complex64, shape (bins, sources, channels, channels).
        """
        names = [*self._names, ""]
        shapes = torch.cat([data.shapes for data in seen], dim=1)
        energy = torch.cat([data.energy for data in seen], dim=1)
        masks = torch.cat([self._direction_masks(data) for data in seen], dim=2)
        n_now = self.sizes.n_step
        if self._guided is not None:
            guided = self._guided.step(names, shapes, masks, self._expected, n_now)
            # With one source there is nothing to keep apart, and a mixture of it and noise alone drifts in noise (tools/LOG.md).
            masks = guided if len(self._names) > 1 else masks
        weighted = masks * energy[:, None]
        of_now = torch.bmm(weighted[:, :, :n_now], shapes[:, :n_now])
        known = torch.zeros_like(of_now)
        for index, name in enumerate(names):
            if name in self._statistics:
                known[:, index] = self._statistics[name]
            self._statistics[name] = self._fade * known[:, index] + of_now[:, index]
        level = PRIOR_SPECTRA * energy.mean(dim=1) / (len(self._positions_m) * len(names))
        sums = known + torch.bmm(weighted, shapes) + level[:, None, None] * self._expected
        noise = sums.sum(dim=1, keepdim=True) - sums[:, :-1]
        return masks[:, :, :n_now], self._code.matrices(sums[:, :-1]), self._code.matrices(noise)

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
    """A step of the stream: `spectra` is complex64, shape (bins, channels, spectra).

    For filters that learn, `energy` is the sum over the channels, float32, shape (bins, spectra), and `shapes` the codes of y y^H
    divided by it (`HermitianCode`), shape (bins, spectra, numbers). `masks` are those of the current directions.
    """

    spectra: torch.Tensor
    shapes: torch.Tensor
    energy: torch.Tensor
    masks: torch.Tensor | None = None


def _turned_deg(before: tuple[float, float], after: tuple[float, float]) -> float:
    """How far a source has moved around the array; elevations are too rough to tell."""
    return abs((after[0] - before[0] + 180.0) % 360.0 - 180.0)


def _aimed(before: tuple[float, float] | None, azimuth_deg: float, elevation_deg: float) -> tuple[float, float]:
    """Where to point: as before while a source is within a step of that, so that masks are not made anew for a wobble of a tracker."""
    if before is not None:
        turned_deg = _turned_deg(before, (azimuth_deg, elevation_deg))
        if turned_deg <= AZIMUTH_STEP_DEG and abs(elevation_deg - before[1]) <= ELEVATION_STEP_DEG:
            return before
    return _rounded(azimuth_deg, AZIMUTH_STEP_DEG), _rounded(elevation_deg, ELEVATION_STEP_DEG)


def _rounded(value_deg: float, step_deg: float) -> float:
    return round(value_deg / step_deg) * step_deg
