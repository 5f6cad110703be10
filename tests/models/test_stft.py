from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.stft import Istft, Stft, StftError, power


def _noise(n_channels: int, n_frames: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).standard_normal((n_channels, n_frames)).astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(min_value=0, max_value=900), min_size=1, max_size=12), per_window=st.sampled_from([2, 4, 8]))
def test_any_cut_gives_the_same_spectra_and_the_signal_back(cuts: list[int], per_window: int) -> None:
    window, hop = 256, 256 // per_window
    samples = _noise(2, sum(cuts) + window)
    whole = Stft(2, window, hop).push(samples)
    cut = Stft(2, window, hop)
    inverse = Istft(2, window, hop)
    spectra, out, first = [], [], 0
    for length in [*cuts, window]:
        spectra.append(cut.push(samples[:, first : first + length]))
        out.append(inverse.push(spectra[-1]))
        first += length
    torch.testing.assert_close(torch.cat(spectra, dim=1), whole, rtol=0.0, atol=1e-5)
    back = torch.cat(out, dim=1)[:, inverse.latency_frames :]
    torch.testing.assert_close(back, samples[:, : back.shape[1]], rtol=0.0, atol=1e-5)


def test_spectra_are_those_of_float64_numpy() -> None:
    samples = _noise(1, 4096)
    spectra = Stft(1, 1024, 256).push(samples)[0].numpy()
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)) * np.sqrt(0.5)
    padded = np.concatenate([np.zeros(768), samples[0].numpy().astype(np.float64)])
    for index in range(spectra.shape[0]):
        expected = np.fft.rfft(window * padded[index * 256 : index * 256 + 1024])
        np.testing.assert_allclose(spectra[index], expected, atol=2e-4)


def test_an_impulse_comes_out_where_it_went_in() -> None:
    samples = torch.zeros(1, 4096)
    samples[0, 1000] = 1.0
    inverse = Istft(1)
    back = inverse.push(Stft(1).push(samples))[0, inverse.latency_frames :]
    assert int(back.abs().argmax()) == 1000


def test_nan_and_infinity_do_not_stay() -> None:
    samples = torch.zeros(1, 2048)
    samples[0, 10], samples[0, 20] = float("nan"), float("inf")
    stft = Stft(1)
    assert bool(torch.isfinite(power(stft.push(samples))).all())


def test_reset_forgets() -> None:
    samples, stft = _noise(1, 3000), Stft(1)
    first = stft.push(samples)
    stft.reset()
    torch.testing.assert_close(stft.push(samples), first)


@pytest.mark.parametrize(("window", "hop"), [(1024, 300), (512, 512), (512, 0)])
def test_a_hop_that_cannot_reconstruct(window: int, hop: int) -> None:
    message = f"a window of {window} samples cannot be cut in hops of {hop}: the hop must be the window divided by 2, 3, 4, ..."
    with pytest.raises(StftError, match=re.escape(message)):
        Stft(1, window, hop)
