"""The stage that works around faulty channels; what comes after it keeps its tracks."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from models.channel_faults import Finding
from pipeline.geometry import load_array
from pipeline.packets import AudioBlock, Float32Array, Gap, Packet, Tracks
from pipeline.testing import audio_blocks, one_microphone, run_stage
from stages.audio.bearing_tracker import BearingTracker
from stages.audio.channel_check import ChannelCheck
from stages.audio.srp_phat import SrpPhat
from tests.sound_fields import RATE_HZ, bursts, diffuse, plane_wave

UMA8 = load_array("uma8")


def _talk(seconds: float, bearing_deg: float = 70.0) -> Float32Array:
    noise = np.tile(diffuse(UMA8, 1.0, 1, level=0.002), round(seconds))
    waves = [plane_wave(UMA8, bearing_deg, bursts(1.0, turn)) for turn in range(round(seconds))]
    return np.asarray(noise + np.concatenate(waves, axis=1), dtype=np.float32)


def _checked(blocks: list[AudioBlock], stage: ChannelCheck | None = None) -> list[AudioBlock]:
    packets: list[Packet] = run_stage(stage or ChannelCheck(), {"audio": blocks})["checked"]
    return [packet for packet in packets if isinstance(packet, AudioBlock)]


def test_a_healthy_array_passes_untouched() -> None:
    blocks = audio_blocks(_talk(6.0), UMA8)
    stage = ChannelCheck()
    stage.start()
    for block in blocks:
        (emit,) = stage.on_audio(block)
        assert emit.packet is block
    assert stage.findings == ()


def test_a_dead_channel_is_left_out_and_the_array_with_it(caplog: pytest.LogCaptureFixture) -> None:
    samples = _talk(6.0)
    samples[0, RATE_HZ:] = 0.0
    blocks = audio_blocks(samples, UMA8)
    with caplog.at_level(logging.WARNING, logger="echoic.channels"):
        checked = _checked(blocks)
    assert [(b.pts_ns, b.duration_ns) for b in checked] == [(b.pts_ns, b.duration_ns) for b in blocks]
    assert checked[0] is blocks[0]
    last = checked[-1]
    assert last.array.positions_m == UMA8.positions_m[1:]
    assert last.array.channels == (1, 2, 3, 4, 5, 6)
    assert last.array.reference == 0
    np.testing.assert_array_equal(last.samples, blocks[-1].samples[1:])
    assert [record.getMessage() for record in caplog.records] == [
        "array uma8, 1.3 s: channel 0 (counted from 0) is silent while the others hear something: it is left out until it is heard again"
    ]


def test_inverted_and_swapped_channels_are_set_right() -> None:
    samples = np.concatenate([_talk(6.0, bearing) for bearing in (20.0, 95.0, 150.0)], axis=1)
    broken = samples.copy()
    broken[5] *= -1.0
    broken[[1, 2]] = broken[[2, 1]]
    last = _checked(audio_blocks(broken, UMA8))[-1]
    assert last.array is UMA8
    np.testing.assert_array_equal(last.samples, samples[:, -last.samples.shape[1] :])


def test_without_repair_it_only_tells(caplog: pytest.LogCaptureFixture) -> None:
    samples = _talk(4.0)
    samples[5] *= -1.0
    blocks = audio_blocks(samples, UMA8)
    stage = ChannelCheck(repair=False)
    stage.start()
    with caplog.at_level(logging.WARNING, logger="echoic.channels"):
        out = [emit.packet for block in blocks for emit in stage.on_audio(block)]
    assert all(found is given for found, given in zip(out, blocks, strict=True))
    assert [(finding.kind, finding.channels) for finding in stage.findings] == [("inverted", (5,))]
    (record,) = caplog.records
    assert record.getMessage().endswith("channel 5 (counted from 0) has the polarity opposite to the others': nothing is done about it")


def test_samples_that_are_not_finite_become_0_and_only_they() -> None:
    samples = _talk(3.0)
    samples[2, 100:110] = np.nan
    samples[4, 9000] = -np.inf
    blocks = audio_blocks(samples, UMA8)
    checked = _checked(blocks)
    np.testing.assert_array_equal(np.concatenate([b.samples for b in checked], axis=1), np.where(np.isfinite(samples), samples, 0.0))
    assert sum(found is not given for found, given in zip(checked, blocks, strict=True)) == 2


def test_one_microphone_is_only_freed_of_nan() -> None:
    samples = bursts(3.0, 0)[None] * 50.0
    samples = np.clip(samples, -1.0, 1.0)
    samples[0, 77] = np.nan
    stage = ChannelCheck()
    stage.start()
    out = [emit.packet for block in audio_blocks(samples, one_microphone()) for emit in stage.on_audio(block)]
    assert all(isinstance(packet, AudioBlock) and np.isfinite(packet.samples).all() for packet in out)
    assert all(isinstance(packet, AudioBlock) and packet.array == one_microphone() for packet in out)
    assert [finding.kind for finding in stage.findings] == ["not finite", "overload"]


def test_what_was_learnt_outlives_a_gap_and_another_array_begins_anew() -> None:
    samples = _talk(4.0)
    samples[5] *= -1.0
    before, after = audio_blocks(samples, UMA8), audio_blocks(samples[:, :512], UMA8, start_ns=10 * 10**9)
    stage = ChannelCheck()
    stage.start()
    for block in before:
        list(stage.on_audio(block))
    list(stage.on_gap(Gap(pts_ns=4 * 10**9, duration_ns=6 * 10**9, reason="overrun")))
    (emit,) = stage.on_audio(after[0])
    assert isinstance(emit.packet, AudioBlock)
    np.testing.assert_array_equal(emit.packet.samples[5], -samples[5, :512])
    list(stage.on_audio(audio_blocks(bursts(1.0, 0)[None], one_microphone(), start_ns=11 * 10**9)[0]))
    assert stage.findings == ()


def test_tracks_keep_their_names_when_a_channel_dies() -> None:
    samples = _talk(9.0)
    samples[3, 4 * RATE_HZ :] = 0.0
    blocks = _checked(audio_blocks(samples, UMA8))
    assert {block.array.n_channels for block in blocks} == {6, 7}
    directions = run_stage(SrpPhat(), {"audio": blocks})["directions"]
    tracks = run_stage(BearingTracker(), {"audio": blocks, "directions": directions})["tracks"]
    heard = {track.name for packet in tracks if isinstance(packet, Tracks) for track in packet.tracks}
    assert heard == {"t1"}
    last = tracks[-1]
    assert isinstance(last, Tracks)
    assert last.tracks[0].azimuth_deg == pytest.approx(70.0, abs=4.0)


def test_a_finding_says_what_when_and_how_much() -> None:
    samples = _talk(3.0)
    samples[6] = 0.0
    stage = ChannelCheck()
    stage.start()
    for block in audio_blocks(samples, UMA8):
        list(stage.on_audio(block))
    assert stage.findings == (Finding("dead", (6,), 0.256, "is silent while the others hear something", 0.0),)
