"""SRP-PHAT and MUSIC: the same stream in, votes for directions out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from models.bearing_peak import Peak, angle_between_deg
from models.direction_peaks import PeakPicker
from models.music import Music, MusicError
from models.srp_phat import SrpPhat
from models.steering import steering_vectors
from models.stft import Stft
from models.torch_threads import limit_torch_threads
from pipeline.geometry import ArrayGeometry, load_array
from pipeline.packets import Float32Array
from tests.sound_fields import RATE_HZ, bursts, diffuse, plane_wave

BLOCK = 512


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    limit_torch_threads(1)


Localiser = SrpPhat | Music
BOTH: list[Any] = [pytest.param(SrpPhat, id="srp_phat"), pytest.param(Music, id="music")]


def _heard(localiser: Localiser, samples: Float32Array) -> list[list[Peak]]:
    """The bearings of each block of 32 ms."""
    picker = PeakPicker(localiser.grid, least_share=0.065)
    starts = range(0, samples.shape[1] - BLOCK + 1, BLOCK)
    return [picker.push(localiser.push(samples[:, start : start + BLOCK]), BLOCK / RATE_HZ) for start in starts]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("name", "azimuth_deg"), [("uma8", 0.0), ("uma8", 47.0), ("uma8", 301.5), ("respeaker4", 200.0), ("linear8", 65.0), ("stereo", 120.0)]
)
def test_one_source_is_found_within_3_degrees(kind: type[Localiser], name: str, azimuth_deg: float) -> None:
    array = load_array(name)
    samples = plane_wave(array, azimuth_deg, bursts(2.0, seed=1)) + diffuse(array, 2.0, seed=2, level=0.002)
    strongest = [peaks[0].azimuth_deg for peaks in _heard(kind(array.positions, RATE_HZ), samples) if peaks]
    assert len(strongest) > 15
    errors = [angle_between_deg(found, azimuth_deg, array.rank > 1) for found in strongest]
    assert float(np.median(errors)) < 3.0
    assert float(np.mean(np.array(errors) < 10.0)) > 0.95


@pytest.mark.parametrize("kind", BOTH)
def test_two_sources_at_once_are_told_apart(kind: type[Localiser]) -> None:
    array = load_array("uma8")
    samples = plane_wave(array, 40.0, bursts(3.0, seed=1)) + plane_wave(array, 100.0, bursts(3.0, seed=5))
    samples = samples + diffuse(array, 3.0, seed=2, level=0.001)
    peaks = [peak for block in _heard(kind(array.positions, RATE_HZ), samples) for peak in block]
    near = [[peak for peak in peaks if angle_between_deg(peak.azimuth_deg, truth) < 10.0] for truth in (40.0, 100.0)]
    assert min(len(found) for found in near) > 20
    assert sum(len(found) for found in near) > 0.85 * len(peaks)


def test_the_prior_leaves_no_grating_lobe() -> None:
    array = load_array("uma8")
    samples = plane_wave(array, 280.0, bursts(2.0, seed=1)) + diffuse(array, 2.0, seed=2, level=0.001)
    astray = []
    for recall_s in (0.0, 0.05):
        peaks = [peak for block in _heard(SrpPhat(array.positions, RATE_HZ, recall_s=recall_s), samples) for peak in block]
        assert len(peaks) > 20
        astray.append(sum(angle_between_deg(peak.azimuth_deg, 280.0) > 15.0 for peak in peaks) / len(peaks))
    assert astray[1] <= 0.01
    assert astray[1] <= astray[0]


@pytest.mark.parametrize("kind", BOTH)
def test_elevation_of_a_high_source(kind: type[Localiser]) -> None:
    array = load_array("uma8")
    samples = plane_wave(array, 120.0, bursts(2.0, seed=1), elevation_deg=50.0) + diffuse(array, 2.0, seed=2, level=0.001)
    found = [peaks[0] for peaks in _heard(kind(array.positions, RATE_HZ), samples) if peaks]
    assert float(np.median([angle_between_deg(peak.azimuth_deg, 120.0) for peak in found])) < 3.0
    elevations = [peak.elevation_deg for peak in found if peak.elevation_deg is not None]
    assert float(np.median(elevations)) == pytest.approx(50.0, abs=12.0)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["uma8", "linear8", "stereo"])
def test_silence_has_no_bearing_and_diffuse_noise_few_and_weak_ones(kind: type[Localiser], name: str) -> None:
    array = load_array(name)
    assert not any(_heard(kind(array.positions, RATE_HZ), np.zeros((array.n_channels, RATE_HZ), dtype=np.float32)))
    blocks = _heard(kind(array.positions, RATE_HZ), diffuse(array, 4.0, seed=3))
    assert sum(bool(peaks) for peaks in blocks) <= 0.08 * len(blocks)
    assert max((peak.share for peaks in blocks for peak in peaks), default=0.0) < 0.15


@pytest.mark.parametrize("kind", BOTH)
def test_cuts_and_reset_make_no_difference(kind: type[Localiser]) -> None:
    array = load_array("respeaker4")
    samples = plane_wave(array, 70.0, bursts(0.8, seed=4))
    localiser = kind(array.positions, RATE_HZ)
    whole = sum(localiser.push(samples[:, start : start + 256]).votes for start in range(0, samples.shape[1], 256))
    localiser.reset()
    again = sum(localiser.push(samples[:, start : start + 256]).votes for start in range(0, samples.shape[1], 256))
    np.testing.assert_array_equal(whole, again)


def test_votes_are_those_of_a_float64_reference() -> None:
    array = load_array("uma8")
    samples = plane_wave(array, 210.0, bursts(0.5, seed=8)) + diffuse(array, 0.5, seed=9, level=0.001)
    localiser = SrpPhat(array.positions, RATE_HZ, snr_db=-200.0, least_fit=0.0, recall_s=0.0)
    votes = localiser.push(samples)
    frequency_hz = np.arange(257) * RATE_HZ / 512
    bins = (frequency_hz >= 300.0) & (frequency_hz <= 6000.0)
    spectra = Stft(7, 512, 256).push(torch.from_numpy(samples)).numpy().astype(np.complex128)[:, :, bins]
    steering = steering_vectors(array.positions, localiser.grid.vectors, frequency_hz[bins], 0)
    phases = spectra / np.abs(spectra)
    power = np.abs(np.einsum("fgm,mtf->tfg", steering.conj(), phases) / 7.0) ** 2
    share = np.exp(30.0 * power)
    share /= share.sum(axis=2, keepdims=True)
    # What has decayed is no new sound: the same rule, in float64.
    energy, envelope = (np.abs(spectra) ** 2).mean(axis=0), np.zeros(int(bins.sum()))
    expected = np.zeros(len(localiser.grid.vectors))
    for now, vote, steered in zip(energy, share, power, strict=True):
        envelope *= 10.0 ** (-120.0 * 256 / RATE_HZ / 10.0)
        expected += ((now > 1e-8) & (now >= envelope)) * steered.max(axis=1) @ vote
        envelope = np.maximum(envelope, now)
    np.testing.assert_allclose(votes.votes, expected, rtol=2e-2, atol=0.05)


def test_pyroomacoustics_finds_the_same_bearing() -> None:
    import pyroomacoustics

    array = load_array("uma8")
    samples = plane_wave(array, 143.0, bursts(2.0, seed=1)) + diffuse(array, 2.0, seed=2, level=0.001)
    oracle = pyroomacoustics.doa.SRP(array.positions.T[:2], RATE_HZ, 512, c=343.0, num_src=1, n_grid=360)
    oracle.locate_sources(pyroomacoustics.transform.stft.analysis(samples.T, 512, 256).transpose(2, 1, 0), freq_range=[300.0, 6000.0])
    theirs = float(np.degrees(oracle.azimuth_recon[0]) % 360.0)
    ours = float(np.median([peaks[0].azimuth_deg for peaks in _heard(SrpPhat(array.positions, RATE_HZ), samples) if peaks]))
    assert angle_between_deg(theirs, ours) < 2.0


def test_music_needs_a_noise_subspace() -> None:
    with pytest.raises(MusicError) as caught:
        Music(load_array("stereo").positions, RATE_HZ, n_sources=2)
    assert str(caught.value) == "n_sources is 2; with 2 microphones it must be from 1 to 1"


@pytest.mark.gpu
@pytest.mark.parametrize("kind", BOTH)
def test_cuda_gives_the_same_votes(kind: type[Localiser]) -> None:
    array: ArrayGeometry = load_array("uma8")
    samples = plane_wave(array, 33.0, bursts(1.0, seed=1)) + diffuse(array, 1.0, seed=2, level=0.002)
    here, there = kind(array.positions, RATE_HZ), kind(array.positions, RATE_HZ, device="cuda:0")
    for start in range(0, samples.shape[1], BLOCK):
        block = samples[:, start : start + BLOCK]
        np.testing.assert_allclose(here.push(block).votes, there.push(block).votes, atol=0.05)
