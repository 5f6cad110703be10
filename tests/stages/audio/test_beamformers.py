"""Mvdr, FixedMvdr and DelayAndSum: the same ports, timing and meaning; Mvdr separates best."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pipeline.geometry import load_array
from pipeline.packets import AudioBlock, BeamBlock, Float32Array, Gap, Packet, Track, Tracks
from pipeline.testing import audio_blocks, merged, run_stage
from stages.audio.beam_stage import BeamStageError
from stages.audio.delay_and_sum import DelayAndSum
from stages.audio.fixed_mvdr import FixedMvdr
from stages.audio.mvdr import Mvdr
from tests.sound_fields import RATE_HZ, bursts, diffuse, plane_wave, si_sdr_db

UMA8 = load_array("uma8")
ALL: list[Any] = [pytest.param(Mvdr, id="mvdr"), pytest.param(FixedMvdr, id="fixed_mvdr"), pytest.param(DelayAndSum, id="delay_and_sum")]
Beamformer = type[Mvdr] | type[FixedMvdr] | type[DelayAndSum]
A, B = Track("t1", 40.0, 0.0), Track("t2", 150.0, 0.0)


def _mix(duration_s: float = 2.5) -> tuple[Float32Array, Float32Array, Float32Array]:
    a, b = bursts(duration_s, seed=1), bursts(duration_s, seed=6)
    return plane_wave(UMA8, 40.0, a) + plane_wave(UMA8, 150.0, b) + diffuse(UMA8, duration_s, seed=2, level=0.002), a, b


def _tracks(blocks: list[AudioBlock], *tracks: Track) -> list[Tracks]:
    return [Tracks(pts_ns=block.pts_ns, duration_ns=block.duration_ns, tracks=tracks) for block in blocks]


def _by_track(packets: list[Packet]) -> dict[str, list[BeamBlock]]:
    assert [packet.end_ns for packet in packets] == sorted(packet.end_ns for packet in packets)
    beams: dict[str, list[BeamBlock]] = defaultdict(list)
    for packet in packets:
        assert isinstance(packet, BeamBlock)
        beams[packet.track.name].append(packet)
    return beams


def _audio(beams: list[BeamBlock]) -> Float32Array:
    return np.concatenate([beam.samples for beam in beams])


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("block_frames", [512, 333, 4000])
def test_a_block_for_each_track_and_block_at_exactly_its_time(kind: Beamformer, block_frames: int) -> None:
    mix, a, _ = _mix()
    blocks = audio_blocks(mix, UMA8, block_frames=block_frames, start_ns=7_000_000_000)
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    assert set(beams) == {"t1", "t2"}
    for blocks_of in beams.values():
        assert [(beam.pts_ns, beam.duration_ns, len(beam.samples)) for beam in blocks_of] == [
            (block.pts_ns, block.duration_ns, block.samples.shape[1]) for block in blocks
        ]
    audio = _audio(beams["t1"])
    correlation = np.fft.irfft(np.fft.rfft(audio, 131072) * np.fft.rfft(a, 131072).conj())
    assert int(np.argmax(correlation)) == 0
    assert audio.dtype == np.float32
    assert all(0.0 <= beam.presence <= 1.0 for beam in beams["t1"])


def test_mvdr_separates() -> None:
    mix, a, b = _mix(4.0)
    blocks = audio_blocks(mix, UMA8)
    beams = _by_track(run_stage(Mvdr(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    summed = _by_track(run_stage(DelayAndSum(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    for name, source in (("t1", a), ("t2", b)):
        assert si_sdr_db(_audio(beams[name]), source) > si_sdr_db(mix[0], source) + 12.0
        assert si_sdr_db(_audio(beams[name]), source) > si_sdr_db(_audio(summed[name]), source) + 8.0


def test_fixed_mvdr_stands_between() -> None:
    mix, a, b = _mix(4.0)
    blocks = audio_blocks(mix, UMA8)
    fixed = _by_track(run_stage(FixedMvdr(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    summed = _by_track(run_stage(DelayAndSum(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    for name, source in (("t1", a), ("t2", b)):
        assert si_sdr_db(_audio(fixed[name]), source) > si_sdr_db(_audio(summed[name]), source) + 3.0


def test_masks_of_directions_are_a_setting() -> None:
    mix, a, _ = _mix(4.0)
    blocks = audio_blocks(mix, UMA8)
    guided, plain = (
        _audio(_by_track(run_stage(Mvdr(masks=masks), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])["t1"])
        for masks in ("guided", "direction")
    )
    assert si_sdr_db(plain, a) > si_sdr_db(mix[0], a) + 10.0
    assert np.abs(guided - plain).max() > 0.0


@pytest.mark.parametrize("kind", ALL)
def test_nothing_comes_later_than_promised(kind: Beamformer) -> None:
    mix, _, _ = _mix()
    blocks = audio_blocks(mix, UMA8)
    stage = kind()
    assert stage.delay_ns <= 10**9
    stage.start()
    passed = 0
    for port, packet in merged({"audio": blocks, "tracks": _tracks(blocks, A, B)}):
        for emit in list(getattr(stage, f"on_{port}")(packet)):
            assert emit.packet.end_ns >= stage.promise(passed)
        passed = packet.end_ns if port == "tracks" else passed
    assert all(emit.packet.end_ns >= stage.promise(passed) for emit in list(stage.flush()))
    stage.stop()


@pytest.mark.parametrize("kind", ALL)
def test_a_new_track_is_heard_from_before_it_was_found(kind: Beamformer) -> None:
    mix, a, _ = _mix()
    blocks = audio_blocks(mix, UMA8)
    tracks = _tracks(blocks, B)
    born = 50
    tracks[born:] = _tracks(blocks[born:], B, A)
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": tracks})["beams"])["t1"]
    assert beams[0].pts_ns <= tracks[born].end_ns - 700_000_000
    assert all(before.end_ns == after.pts_ns for before, after in pairwise(beams))
    assert beams[-1].end_ns == blocks[-1].end_ns
    first = round(beams[0].pts_ns * RATE_HZ / 1e9)
    audio = _audio(beams)
    assert si_sdr_db(audio, a[first:]) > si_sdr_db(mix[0, first:], a[first:])


@pytest.mark.parametrize("kind", ALL)
def test_a_sleeping_track_has_a_beam_a_little_longer_then_none(kind: Beamformer) -> None:
    mix, _, _ = _mix()
    blocks = audio_blocks(mix, UMA8)
    asleep = Track("t1", 40.0, 0.0, active=False)
    tracks = _tracks(blocks[:30], A) + _tracks(blocks[30:], asleep)
    beams = _by_track(run_stage(kind(hold_s=0.5), {"audio": blocks, "tracks": tracks})["beams"])["t1"]
    fell_asleep_ns = tracks[30].pts_ns
    assert fell_asleep_ns + 400_000_000 <= beams[-1].end_ns <= fell_asleep_ns + 900_000_000
    never = run_stage(kind(), {"audio": blocks, "tracks": _tracks(blocks, asleep)})["beams"]
    assert never == []


@pytest.mark.parametrize("kind", ALL)
def test_a_beam_carries_its_track_as_it_stood_at_the_time(kind: Beamformer) -> None:
    mix, _, _ = _mix()
    blocks = audio_blocks(mix, UMA8)
    moving = [
        Tracks(pts_ns=block.pts_ns, duration_ns=block.duration_ns, tracks=(Track("t1", 40.0 + index * 0.05, 0.0),))
        for index, block in enumerate(blocks)
    ]
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": moving})["beams"])["t1"]
    assert [beam.track for beam in beams] == [tracks.tracks[0] for tracks in moving]


def test_presence_is_low_in_the_beam_of_a_silent_talker() -> None:
    samples = plane_wave(UMA8, 40.0, bursts(2.5, seed=1)) + diffuse(UMA8, 2.5, seed=2, level=0.001)
    blocks = audio_blocks(samples, UMA8)
    beams = _by_track(run_stage(Mvdr(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    loud = [index for index, block in enumerate(blocks) if np.sqrt(np.mean(block.samples**2)) > 0.02]
    assert float(np.mean([beams["t1"][index].presence for index in loud])) > 0.85
    assert float(np.mean([beams["t2"][index].presence for index in loud])) < 0.2


@pytest.mark.parametrize("kind", ALL)
def test_a_gap_ends_the_beams_and_the_next_stretch_begins_anew(kind: Beamformer) -> None:
    mix, a, _ = _mix()
    first = audio_blocks(mix[:, :20000], UMA8)
    second = audio_blocks(mix[:, 20000:], UMA8, start_ns=3 * 10**9)
    gap = Gap(pts_ns=first[-1].end_ns, duration_ns=second[0].pts_ns - first[-1].end_ns, reason="overrun")
    blocks: list[Any] = [*first, gap, *second]
    tracks: list[Any] = [*_tracks(first, A), gap, *_tracks(second, A)]
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": tracks})["beams"])["t1"]
    assert [(beam.pts_ns, beam.end_ns) for beam in beams] == [(block.pts_ns, block.end_ns) for block in [*first, *second]]
    assert si_sdr_db(_audio(beams), a) > 0.0


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", ["mono", "two_lanes"])
def test_without_bearing_channels_pass_unchanged(kind: Beamformer, name: str) -> None:
    array = load_array(name)
    samples = np.stack([bursts(0.2, seed=seed) for seed in range(array.n_channels)])
    blocks = audio_blocks(samples, array)
    lanes = [Track(f"t{lane + 1}", None, lane=lane) for lane in range(array.n_channels)]
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": _tracks(blocks, *lanes)})["beams"])
    for lane, track in enumerate(lanes):
        np.testing.assert_array_equal(_audio(beams[track.name]), samples[lane])
        assert all(beam.presence == 1.0 and beam.track == track for beam in beams[track.name])


@pytest.mark.parametrize("kind", ALL)
def test_a_stage_can_be_used_again_and_gives_the_same(kind: Beamformer) -> None:
    mix, _, _ = _mix()
    blocks = audio_blocks(mix, UMA8)
    stage = kind()
    runs = [_by_track(run_stage(stage, {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"]) for _ in range(2)]
    for name in ("t1", "t2"):
        np.testing.assert_array_equal(_audio(runs[0][name]), _audio(runs[1][name]))


@pytest.mark.parametrize("kind", ALL)
def test_no_nan_comes_out(kind: Beamformer) -> None:
    mix = _mix()[0].copy()
    mix[3, 10000:10100] = np.nan
    mix[:, 20000:22000] = 0.0
    mix[5] *= 1000.0
    blocks = audio_blocks(mix, UMA8)
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": _tracks(blocks, A, B)})["beams"])
    assert all(bool(np.isfinite(_audio(of)).all()) for of in beams.values())


@pytest.mark.parametrize("kind", ALL)
def test_a_stream_shorter_than_the_look_ahead_is_not_lost(kind: Beamformer) -> None:
    mix, _, _ = _mix()
    blocks = audio_blocks(mix[:, :1000], UMA8)
    beams = _by_track(run_stage(kind(), {"audio": blocks, "tracks": _tracks(blocks, A)})["beams"])["t1"]
    assert [len(beam.samples) for beam in beams] == [512, 488]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Mvdr(memory_s=0.0), "Mvdr: memory_s must be over 0, found 0.0: it is the time in which older sound fades"),
        (lambda: Mvdr(loading=-1.0), "Mvdr: loading must be at least 0, found -1.0"),
        (lambda: DelayAndSum(hold_s=-0.1), "DelayAndSum: hold_s must be at least 0, found -0.1"),
        (lambda: FixedMvdr(null_power=-1.0), "FixedMvdr: null_power must be at least 0, found -1.0"),
        (lambda: FixedMvdr(n_threads=0), "FixedMvdr: n_threads must be at least 1, found 0"),
    ],
)
def test_settings_that_no_beam_can_be_made_with_are_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(BeamStageError) as caught:
        make()
    assert str(caught.value) == said
    assert caught.value.exit_code == 2
