from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pipeline.geometry import load_array
from pipeline.packets import AudioBlock, BeamBlock, Track, Tracks
from pipeline.testing import audio_blocks, noise, one_microphone, run_stage
from stages.audio.array_part import heard_by
from stages.audio.channel_check import ChannelCheck
from stages.audio.mvdr import Mvdr
from stages.audio.speech_tracker import SpeechTracker
from stages.audio.srp_phat import SrpPhat
from tests.sound_fields import RATE_HZ, bursts, diffuse, plane_wave

UMA8 = load_array("uma8")
LESS = replace(UMA8, positions_m=(*UMA8.positions_m[:3], *UMA8.positions_m[4:]), channels=(0, 1, 2, 4, 5, 6), reference=0)


def _talk(bearing_deg: float, n_seconds: int) -> np.ndarray:
    waves = [plane_wave(UMA8, bearing_deg, bursts(1.0, turn)) for turn in range(n_seconds)]
    return np.asarray(np.concatenate(waves, axis=1) + diffuse(UMA8, float(n_seconds), 1, level=0.002), dtype=np.float32)


def _beams(blocks: list[AudioBlock], bearing_deg: float, from_ns: int = 0) -> list[BeamBlock]:
    tracks = [
        Tracks(
            pts_ns=block.pts_ns, duration_ns=block.duration_ns, tracks=(Track("t1", bearing_deg, 0.0),) if block.pts_ns >= from_ns else ()
        )
        for block in blocks
    ]
    out = run_stage(Mvdr(), {"audio": blocks, "tracks": tracks})["beams"]
    return [packet for packet in out if isinstance(packet, BeamBlock)]


def _dead_from(samples: np.ndarray, at_s: float, noticed_s: float) -> list[AudioBlock]:
    """Channel 3 falls silent, and is left out a little later."""
    broken = samples.copy()
    broken[3, round(at_s * RATE_HZ) :] = 0.0
    blocks = audio_blocks(broken, UMA8)
    return [
        block if block.pts_ns < noticed_s * 1e9 else replace(block, samples=np.delete(block.samples, 3, axis=0), array=LESS)
        for block in blocks
    ]


def test_the_channels_of_a_part_are_found_by_their_places() -> None:
    blocks = audio_blocks(np.arange(7 * 512, dtype=np.float32).reshape(7, 512), UMA8)
    turned = replace(LESS, positions_m=LESS.positions_m[::-1])
    (part,) = heard_by(blocks, turned) or []
    np.testing.assert_array_equal(part.samples, blocks[0].samples[[6, 5, 4, 2, 1, 0]])
    assert (part.array, part.pts_ns, part.duration_ns) == (turned, blocks[0].pts_ns, blocks[0].duration_ns)


def test_an_array_with_other_microphones_is_no_part() -> None:
    less = audio_blocks(noise(0.032)[None].repeat(6, axis=0), LESS)
    assert heard_by(less, UMA8) is None
    assert heard_by(less, load_array("linear8")) is None
    assert heard_by(less, one_microphone()) is None
    assert heard_by([], UMA8) == []


def test_a_microphone_that_falls_silent_is_never_heard_in_a_beam() -> None:
    samples = _talk(70.0, 4)
    healthy, broken = (_beams(blocks, 70.0) for blocks in (audio_blocks(samples, UMA8), _dead_from(samples, 2.0, 2.5)))
    assert [(beam.pts_ns, beam.duration_ns) for beam in broken] == [(beam.pts_ns, beam.duration_ns) for beam in healthy]
    whole, heard = (np.concatenate([beam.samples for beam in beams]) for beams in (healthy, broken))
    for first_s in np.arange(1.25, 3.5, 0.25):
        window = slice(round(first_s * RATE_HZ), round((first_s + 0.25) * RATE_HZ))
        assert np.sum((heard[window] - whole[window]) ** 2) < 0.2 * np.sum(whole[window] ** 2), f"at {first_s} s"


def test_who_is_found_just_after_a_microphone_was_left_out_is_heard_from_before() -> None:
    beams = _beams(_dead_from(_talk(70.0, 5), 2.0, 3.0), 70.0, from_ns=3_100_000_000)
    assert beams[0].pts_ns < 2_500_000_000
    assert all(before.end_ns == after.pts_ns for before, after in pairwise(beams))


def test_a_track_goes_on_through_the_loss_and_the_return_of_a_microphone() -> None:
    samples = _talk(70.0, 6)
    samples[3, 2 * RATE_HZ : 4 * RATE_HZ] = 0.0
    blocks = [
        packet for packet in run_stage(ChannelCheck(), {"audio": audio_blocks(samples, UMA8)})["checked"] if isinstance(packet, AudioBlock)
    ]
    back = [replace(block, pts_ns=block.pts_ns + blocks[-1].end_ns) for block in audio_blocks(_talk(70.0, 1), UMA8)]
    blocks += back
    assert [block.array.n_channels for block in blocks if block.array != UMA8].count(6) > 100
    directions = run_stage(SrpPhat(), {"audio": blocks})["directions"]
    tracks = run_stage(SpeechTracker(least_speech=0.0, least_talk=0.0), {"audio": blocks, "directions": directions})["tracks"]
    packets = [packet for packet in tracks if isinstance(packet, Tracks)]
    assert {track.name for packet in packets for track in packet.tracks} == {"t1"}
    assert all(track.active for packet in packets[60:] for track in packet.tracks)
    beams = [beam for beam in run_stage(Mvdr(), {"audio": blocks, "tracks": tracks})["beams"] if isinstance(beam, BeamBlock)]
    assert all(before.end_ns == after.pts_ns for before, after in pairwise(beams))
    assert beams[-1].end_ns == blocks[-1].end_ns
