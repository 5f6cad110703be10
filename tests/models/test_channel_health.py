"""Faulty channels are named; healthy arrays are left alone."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.channel_faults import Evidence, Repair
from models.channel_health import ChannelHealth, ChannelHealthError
from models.channel_levels import levels
from pipeline.geometry import ArrayGeometry, load_array
from tests.sound_fields import RATE_HZ, bursts, clip, diffuse, plane_wave, room

Samples = npt.NDArray[np.float32]
UMA8 = load_array("uma8")
ARRAYS = ["linear8", "respeaker4", "stereo", "uma8"]


def sound(array: ArrayGeometry = UMA8, seconds: float = 16.0, bearings: tuple[float, ...] = (20.0, 95.0, 140.0)) -> Samples:
    """Bursts from changing directions in diffuse noise, float32, shape (channels, frames)."""
    return _sound(array.name, seconds, bearings).copy()


@cache
def _sound(name: str, seconds: float, bearings: tuple[float, ...]) -> Samples:
    array = load_array(name)
    n = 2 * RATE_HZ
    pieces = [plane_wave(array, bearings[turn % len(bearings)], bursts(2.0, turn)) for turn in range(round(seconds / 2.0))]
    noise = np.tile(diffuse(array, 1.0, 1, level=0.002), 2)
    assert all(piece.shape[1] == n for piece in pieces)
    return np.concatenate([piece + noise for piece in pieces], axis=1)


def health_of(samples: Samples, array: ArrayGeometry = UMA8, block_frames: int = 512) -> ChannelHealth:
    health = ChannelHealth(array.positions if array.has_bearing else None, array.n_channels, RATE_HZ, array.reference)
    for first in range(0, samples.shape[1], block_frames):
        health.push(samples[:, first : first + block_frames])
    return health


def kinds(health: ChannelHealth) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.kind, finding.channels) for finding in health.findings]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("bearing_deg", [0.0, 30.0, 90.0, 180.0])
def test_one_talker_from_anywhere_is_no_fault(name: str, bearing_deg: float) -> None:
    array = load_array(name)
    health = health_of(sound(array, 12.0, (bearing_deg,)), array)
    assert health.findings == ()
    assert health.repair == Repair.none(array.n_channels)


@pytest.mark.parametrize(("name", "rt60_s"), [("uma8", 0.3), ("linear8", 0.5), ("respeaker4", 0.5), ("stereo", 0.6)])
def test_two_talkers_at_once_in_a_room_are_no_fault(name: str, rt60_s: float, shared: Path) -> None:
    array = load_array(name)
    scene = room(array, [(30.0, clip(shared, "jfk"), 0.0), (100.0, clip(shared, "librivox_0870"), 3.0)], rt60_s, snr_db=15.0)
    assert health_of(scene.mix, array).findings == ()


@pytest.mark.parametrize("name", ["an101", "an102"])
def test_the_real_array_recordings_are_no_fault(name: str, shared: Path) -> None:
    import soundfile

    folder = shared / "data" / "array_real"
    samples, _ = soundfile.read(folder / f"{name}-mtms-arr4A.wav", dtype="float32")
    line_m = json.loads((folder / "geometry_arr4A.json").read_text(encoding="utf-8"))["x_m"]
    array = ArrayGeometry(name="arr4A", positions_m=tuple((x, 0.0, 0.0) for x in line_m))
    assert health_of(np.tile(samples.T, 6), array).findings == ()


@pytest.mark.parametrize("name", ["tools/demo/room.flac", "tests/sessions/two_talkers.flac"])
def test_the_rooms_that_are_shipped_are_no_fault(name: str) -> None:
    import soundfile

    path = Path(__file__).resolve().parents[2] / name
    samples, _ = soundfile.read(path, dtype="float32", frames=40 * RATE_HZ)
    assert health_of(np.ascontiguousarray(samples.T[:7])).findings == ()


@pytest.mark.parametrize("channel", [0, 3])
def test_a_channel_that_goes_silent_is_dead_at_once_and_back_when_it_is_heard_again(channel: int) -> None:
    samples = sound(seconds=24.0)
    samples[channel, 4 * RATE_HZ : 8 * RATE_HZ] = 0.0
    health = health_of(samples[:, : 8 * RATE_HZ])
    assert kinds(health) == [("dead", (channel,))]
    assert 4.0 < health.findings[0].at_s < 5.0
    assert channel not in health.repair.source
    health.push(samples[:, 8 * RATE_HZ :])
    assert health.repair == Repair.none(7)
    assert kinds(health) == [("dead", (channel,))]


def test_a_channel_that_only_hisses_faintly_is_dead() -> None:
    samples = sound()
    samples[2] = 1e-5 * np.random.default_rng(0).standard_normal(samples.shape[1])
    health = health_of(samples)
    assert kinds(health) == [("dead", (2,))]
    assert health.repair.source == (0, 1, 3, 4, 5, 6)


def test_a_channel_that_hears_something_else_is_noisy() -> None:
    samples = sound()
    samples[2] = 0.05 * np.random.default_rng(0).standard_normal(samples.shape[1])
    assert kinds(health_of(samples)) == [("noisy", (2,))]


def test_a_quiet_channel_that_hears_the_same_is_no_fault() -> None:
    samples = sound()
    samples[4] *= 0.05
    assert health_of(samples).findings == ()


@pytest.mark.parametrize("name", ["linear8", "respeaker4", "uma8"])
@pytest.mark.parametrize("channel", [0, 2])
def test_an_inverted_channel_is_named(name: str, channel: int) -> None:
    array = load_array(name)
    samples = sound(array, 6.0)
    samples[channel] *= -1.0
    health = health_of(samples, array)
    assert kinds(health) == [("inverted", (channel,))]
    assert [sign < 0 for sign in health.repair.sign] == [index == channel for index in range(array.n_channels)]


def test_of_two_channels_that_oppose_each_other_the_reference_is_right() -> None:
    array = load_array("stereo")
    samples = sound(array, 6.0)
    samples[0] *= -1.0
    assert kinds(health_of(samples, array)) == [("inverted", (1 - array.reference,))]


def test_clipping_is_found_at_full_scale_and_at_flat_tops_under_it() -> None:
    samples = sound()
    samples[3] = np.clip(8.0 * samples[3], -1.0, 1.0)
    samples[5] = 0.4 * np.clip(8.0 * samples[5], -1.0, 1.0)
    health = health_of(samples)
    assert kinds(health) == [("clipped", (3,)), ("clipped", (5,))]
    assert health.repair.source == (0, 1, 2, 4, 6)


def test_when_all_channels_clip_none_is_left_out() -> None:
    health = health_of(np.clip(100.0 * sound(), -1.0, 1.0))
    assert kinds(health)[-1] == ("overload", ())
    assert health.repair.source == tuple(range(7))


@pytest.mark.parametrize(("name", "pair"), [("uma8", (1, 2)), ("uma8", (0, 4)), ("linear8", (2, 3)), ("linear8", (0, 6))])
def test_swapped_channels_are_named_and_changed_back(name: str, pair: tuple[int, int]) -> None:
    array = load_array(name)
    samples = sound(array)
    samples[list(pair)] = samples[list(pair[::-1])]
    health = health_of(samples, array)
    assert kinds(health) == [("swapped", pair)]
    assert health.repair.place == tuple(range(array.n_channels))
    expected = list(range(array.n_channels))
    expected[pair[0]], expected[pair[1]] = pair[1], pair[0]
    assert list(health.repair.source) == expected


def test_a_swap_that_looks_like_another_says_so() -> None:
    samples = sound()
    samples[[1, 5]] = samples[[5, 1]]
    (finding,) = health_of(samples).findings
    assert finding.channels == (1, 5)
    assert "or 2 and 4 have, which delays cannot tell" in finding.about


def test_a_swap_that_is_a_mirror_image_cannot_be_seen() -> None:
    array = load_array("respeaker4")
    samples = sound(array)
    samples[[0, 2]] = samples[[2, 0]]
    assert health_of(samples, array).findings == ()


def test_a_late_channel_does_not_stand_where_it_should() -> None:
    samples = sound()
    samples[3] = np.roll(samples[3], 3)
    health = health_of(samples)
    assert kinds(health) == [("misplaced", (3,))]
    assert health.repair.source == (0, 1, 2, 4, 5, 6)


@pytest.mark.parametrize("ppm", [20.0, -40.0])
def test_a_channel_with_another_clock_drifts(ppm: float) -> None:
    samples = sound(seconds=24.0)
    times = np.arange(samples.shape[1])
    samples[6] = _interpolated(samples[6], times * (1.0 + ppm * 1e-6))
    (finding,) = health_of(samples).findings
    assert (finding.kind, finding.channels) == ("drifting", (6,))
    assert finding.value == pytest.approx(-ppm, rel=0.3)


def _interpolated(samples: Samples, at: npt.NDArray[np.floating[Any]]) -> Samples:
    from scipy.signal import resample_poly

    fine = resample_poly(samples.astype(np.float64), 16, 1)
    return np.asarray(np.interp(at * 16, np.arange(len(fine)), fine), dtype=np.float32)


def test_a_geometry_that_does_not_fit_is_told() -> None:
    line = ArrayGeometry(name="line", positions_m=tuple((0.03 * index, 0.0, 0.0) for index in range(7)))
    assert kinds(health_of(sound(), line)) == [("geometry", ())]


def test_a_geometry_that_is_too_small_is_told() -> None:
    small = ArrayGeometry(name="small", positions_m=tuple((0.5 * x, 0.5 * y, z) for x, y, z in UMA8.positions_m))
    (finding,) = health_of(sound(), small).findings
    assert finding.about == "the delays between channels are longer than the geometry allows"


def test_an_offset_is_told() -> None:
    samples = sound()
    samples[2] += 0.05
    assert kinds(health_of(samples)) == [("offset", (2,))]


def test_steps_of_20_db_in_all_channels_are_no_fault() -> None:
    samples = sound()
    samples[:, 4 * RATE_HZ : 8 * RATE_HZ] *= 0.1
    samples[:, 10 * RATE_HZ : 11 * RATE_HZ] *= 10.0
    assert health_of(samples).findings == ()


def test_after_somebody_leant_on_the_array_all_channels_are_back() -> None:
    samples = sound(seconds=30.0)
    leaning = slice(5 * RATE_HZ, 9 * RATE_HZ)
    generator = np.random.default_rng(3)
    rumble = np.cumsum(generator.standard_normal((3, 4 * RATE_HZ)), axis=1)
    rumble -= rumble.mean(axis=1, keepdims=True)
    samples[1:4, leaning] = np.clip(0.02 * samples[1:4, leaning] + 2.0 * rumble / np.abs(rumble).max(), -1.0, 1.0)
    during, after = health_of(samples[:, : 9 * RATE_HZ]), health_of(samples)
    assert set(during.repair.source) >= {0, 4, 5, 6}
    assert {channel for finding in after.findings for channel in finding.channels} <= {1, 2, 3}
    assert after.repair == Repair.none(7)


def test_two_faults_at_once_are_both_named() -> None:
    samples = sound()
    samples[3, 5 * RATE_HZ :] = 0.0
    samples[5] *= -1.0
    health = health_of(samples)
    assert sorted(kinds(health)) == [("dead", (3,)), ("inverted", (5,))]
    assert health.repair == Repair((0, 1, 2, 4, 5, 6), (1, 1, 1, 1, -1, 1), (0, 1, 2, 4, 5, 6))


def test_when_too_few_channels_are_left_all_are_used() -> None:
    array = load_array("stereo")
    samples = sound(array, 6.0)
    samples[1] = 0.0
    health = health_of(samples, array)
    assert kinds(health) == [("dead", (1,)), ("too few", ())]
    assert health.repair == Repair.none(2)


@pytest.mark.parametrize("block_frames", [160, 4096, 100_000])
def test_findings_do_not_depend_on_the_cut_into_blocks(block_frames: int) -> None:
    samples = sound()
    samples[[1, 2]] = samples[[2, 1]]
    samples[3, 9 * RATE_HZ :] = 0.0
    samples[0, 1000:1010] = np.nan
    whole, cut = health_of(samples), health_of(samples, block_frames=block_frames)
    assert set(map(str, kinds(whole))) == {str(row) for row in [("not finite", (0,)), ("swapped", (1, 2)), ("dead", (3,))]}
    assert [f for f in cut.findings if f.kind != "not finite"] == [f for f in whole.findings if f.kind != "not finite"]
    assert cut.repair == whole.repair


def test_an_hour_of_silence_is_no_fault_and_costs_no_memory() -> None:
    health = ChannelHealth(UMA8.positions, 7, RATE_HZ)
    silence = np.zeros((7, 60 * RATE_HZ), dtype=np.float32)
    for _ in range(60):
        health.push(silence)
    assert health.findings == ()
    assert health.repair == Repair.none(7)


def test_separate_recordings_may_be_silent_for_long() -> None:
    health = ChannelHealth(None, 2, RATE_HZ)
    samples = np.stack([bursts(40.0, 1), np.zeros(40 * RATE_HZ, dtype=np.float32)])
    health.push(samples[:, : 25 * RATE_HZ])
    assert health.findings == ()
    health.push(samples[:, 25 * RATE_HZ :])
    assert kinds(health) == [("dead", (1,))]
    assert health.repair == Repair.none(2)


def test_samples_of_another_array_are_refused() -> None:
    health = ChannelHealth(UMA8.positions, 7, RATE_HZ)
    with pytest.raises(ChannelHealthError, match=r"^channel health: samples of shape \(2, 10\); there must be 7 rows, one a channel$"):
        health.push(np.zeros((2, 10), dtype=np.float32))


def test_evidence_adds_up_and_fades() -> None:
    evidence = Evidence(2, on_s=1.0, off_s=2.0)
    yes, no = np.array([True, False]), np.array([False, False])
    evidence.take(yes, ~yes, 0.5)
    assert evidence.suspected.tolist() == [True, False]
    assert not evidence.faulty.any()
    evidence.take(yes, no, 0.5)
    assert evidence.faulty.tolist() == [True, False]
    evidence.take(no, yes, 1.0)
    assert evidence.faulty.tolist() == [True, False]
    evidence.take(no, yes, 1.0)
    assert not evidence.faulty.any()


def test_a_single_peak_at_full_scale_is_no_clipping() -> None:
    tone = np.sin(np.arange(4096) * 0.05)
    chunk = np.stack([tone / tone.max(), np.clip(1.5 * tone, -1.0, 1.0)]).astype(np.float32)
    chunk[0] *= 0.9
    chunk[0, 17] = 1.0
    assert levels(chunk).clipped.tolist() == [False, True]


def test_samples_beyond_all_measure_end_nothing() -> None:
    samples = sound(seconds=4.0).copy()
    samples[2, RATE_HZ : RATE_HZ + 400] = 1e20
    health = ChannelHealth(UMA8.positions, UMA8.n_channels, RATE_HZ)
    health.push(samples)
    assert all(finding.channels == (2,) for finding in health.findings)
