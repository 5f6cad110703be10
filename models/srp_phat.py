"""SRP-PHAT: steered response power of phase-transformed spectra, pooled over bins by soft votes.

Each microphone's spectrum keeps only its phase (PHAT; Knapp and Carter 1976), a beam is steered at every direction of a grid and
its power taken (SRP; DiBiase 2000). Speech is sparse, so a bin nearly always belongs to one talker: instead of adding up the
powers of all bins, which smears two talkers into one, each bin votes: a softmax over the directions of its own powers.
Bins in which no plane wave fits (diffuse noise, reverberation) weigh little.

A single bin cannot tell a direction from its grating lobes, nor at low frequencies from its neighbours: all bins of a moment together can.
So the votes of the last moments are the prior of each bin's vote, as the weights of a mixture are in the EM algorithm (Mandel, Weiss and
Ellis 2010, with directions in place of delays); a part of the prior stays even, for whoever begins to speak.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch

from models.bin_activity import BinActivity
from models.direction_peaks import Votes
from models.steering import DirectionGrid, direction_grid, steering_vectors
from models.step_sizes import localiser_window
from models.stft import Stft, power

N_ROUNDS = 2
EVEN_SHARE = 0.5


class SrpPhat:
    """A stream of samples in, votes for directions out.

    Args:
        positions_m: microphones, shape (channels, 3).
        sample_rate_hz: of the samples.
        azimuth_step_deg, elevation_step_deg: of the grid.
        lowest_hz, highest_hz: which bins vote.
        sharpness: how steep the softmax is. 0 gives every direction the same.
        least_fit: the share of a bin's power (0 to 1) that a plane wave must explain before the bin counts.
        snr_db: how far over the noise floor a bin must be.
        recall_s: over how long votes are averaged (time constant) to be the prior of the next; 0 for none.
        device: where the work is done.
    """

    def __init__(
        self,
        positions_m: npt.NDArray[np.float64],
        sample_rate_hz: int,
        azimuth_step_deg: float = 3.0,
        elevation_step_deg: float = 30.0,
        lowest_hz: float = 300.0,
        highest_hz: float = 6000.0,
        sharpness: float = 30.0,
        least_fit: float = 0.3,
        snr_db: float = 9.0,
        recall_s: float = 0.05,
        device: str = "cpu",
    ) -> None:
        self.grid: DirectionGrid = direction_grid(positions_m, azimuth_step_deg, elevation_step_deg)
        window, hop = localiser_window(sample_rate_hz)
        self._stft = Stft(len(positions_m), window, hop, device)
        frequency_hz = np.arange(self._stft.n_bins) * sample_rate_hz / window
        self._bins = torch.tensor(np.flatnonzero((frequency_hz >= lowest_hz) & (frequency_hz <= highest_hz)), device=device)
        steering = steering_vectors(positions_m, self.grid.vectors, frequency_hz[self._bins.cpu().numpy()], 0)
        self._steering = torch.tensor(steering.conj() / len(positions_m), dtype=torch.complex64, device=device)
        self._activity = BinActivity(len(self._bins), hop / sample_rate_hz, float(hop), snr_db=snr_db, device=device)
        self._sharpness = sharpness
        self._least_fit = least_fit
        self._recall_s = recall_s
        self._hop_s = hop / sample_rate_hz
        self._device = device
        self._past = torch.zeros(len(self.grid.vectors), device=device)

    def reset(self) -> None:
        """Forget everything: the next samples have nothing to do with those before."""
        self._stft.reset()
        self._activity.reset()
        self._past.zero_()

    def push(self, samples: npt.NDArray[np.float32]) -> Votes:
        """The votes of all bins that become complete with these samples, shape (channels, frames)."""
        spectra = self._stft.push(torch.tensor(samples))[:, :, self._bins]
        active = self._activity.push(power(spectra).mean(dim=0))
        n_bins = float(active.numel())
        at, bins = active.nonzero(as_tuple=True)
        if len(at) == 0:
            return Votes(np.zeros(len(self.grid.vectors)), 0.0, n_bins)
        phases = torch.sgn(spectra[:, at, bins]).T
        steered = power(torch.bmm(self._steering[bins], phases[:, :, None])[:, :, 0])
        fit = ((steered.amax(dim=1) - self._least_fit) / (1.0 - self._least_fit)).clamp(0.0, 1.0)
        likely = torch.softmax(self._sharpness * steered, dim=1)
        votes = self._with_prior(fit, likely, active.shape[0] * self._hop_s) if self._recall_s > 0.0 else fit @ likely
        return Votes(votes.double().cpu().numpy(), float(len(at)), n_bins)

    def _with_prior(self, fit: torch.Tensor, likely: torch.Tensor, duration_s: float) -> torch.Tensor:
        """Votes of bins with these weights and likelihoods, shapes (bins,) and (bins, directions), under the prior of the last votes."""
        keep = math.exp(-duration_s / self._recall_s)
        votes = fit @ likely
        for _ in range(N_ROUNDS):
            now = keep * self._past + (1.0 - keep) * votes
            prior = (1.0 - EVEN_SHARE) * now / now.sum().clamp(min=1e-12) + EVEN_SHARE / len(now)
            shared = likely * prior
            votes = (fit / shared.sum(dim=1).clamp(min=1e-30)) @ shared
        self._past = keep * self._past + (1.0 - keep) * votes
        return votes
