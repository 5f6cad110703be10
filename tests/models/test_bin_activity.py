from __future__ import annotations

import torch

from models.bin_activity import BinActivity

HOP_S = 0.016


def _noise(n_spectra: int, level: float = 1e-4, seed: int = 0) -> torch.Tensor:
    """Energies of white noise: exponentially distributed, shape (spectra, bins)."""
    return level * torch.empty(n_spectra, 100).exponential_(generator=torch.Generator().manual_seed(seed))


def test_steady_noise_is_hardly_ever_active() -> None:
    active = BinActivity(100, HOP_S, 1.0).push(_noise(600))
    assert float(active[100:].float().mean()) < 0.1


def test_silence_is_never_active() -> None:
    assert not bool(BinActivity(100, HOP_S, 1.0).push(torch.zeros(200, 100)).any())


def test_sound_over_the_noise_is_active_and_its_tail_is_not() -> None:
    energy = _noise(300)
    energy[200, 50] = 1.0
    for later in range(1, 20):
        # Reverberation that decays by 60 dB in 0.8 s, slower than what is taken for new sound here.
        energy[200 + later, 50] = 10.0 ** (-7.5 * later * HOP_S - 0.15)
    active = BinActivity(100, HOP_S, 1.0, decay_db_per_s=60.0).push(energy)
    assert bool(active[200, 50])
    assert not bool(active[201:219, 50].any())


def test_a_floor_that_rises_is_followed() -> None:
    louder = torch.cat([_noise(100), _noise(1500, level=1e-3, seed=1)])
    active = BinActivity(100, HOP_S, 1.0).push(louder)
    assert float(active[100:150].float().mean()) > 0.2
    assert float(active[-300:].float().mean()) < 0.1


def test_cuts_make_no_difference_and_reset_forgets() -> None:
    energy = _noise(90)
    activity = BinActivity(100, HOP_S, 1.0)
    whole = activity.push(energy)
    activity.reset()
    parts = torch.cat([activity.push(energy[:1]), activity.push(energy[1:40]), activity.push(energy[40:])])
    assert torch.equal(parts, whole)
