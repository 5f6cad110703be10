"""SrpPhat and Music: the same ports, the same meaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.bearing_peak import angle_between_deg
from pipeline.geometry import ArrayGeometry, load_array
from pipeline.packets import Directions, Gap, Packet
from pipeline.testing import audio_blocks, line_array, run_stage
from stages.audio.music import Music
from stages.audio.srp_phat import SrpPhat
from tests.sound_fields import bursts, diffuse, plane_wave

UMA8 = load_array("uma8")
BOTH: list[Any] = [pytest.param(SrpPhat, id="srp_phat"), pytest.param(Music, id="music")]
Localiser = type[SrpPhat] | type[Music]


def _directions(stage: SrpPhat | Music, blocks: list[Any]) -> list[Directions]:
    packets: list[Packet] = run_stage(stage, {"audio": blocks})["directions"]
    return [packet for packet in packets if isinstance(packet, Directions)]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("block_frames", [160, 512, 1600])
def test_a_packet_for_each_block_at_its_time(kind: Localiser, block_frames: int) -> None:
    blocks = audio_blocks(plane_wave(UMA8, 75.0, bursts(1.0, seed=1)), UMA8, block_frames=block_frames, start_ns=5_000)
    packets = _directions(kind(), blocks)
    assert [(packet.pts_ns, packet.duration_ns) for packet in packets] == [(block.pts_ns, block.duration_ns) for block in blocks]
    found = [packet.directions[0] for packet in packets if packet.directions]
    assert len(found) > 0.3 * len(blocks)
    assert float(np.median([angle_between_deg(direction.azimuth_deg, 75.0) for direction in found])) < 3.0
    assert all(0.0 <= direction.power <= 1.0 and direction.elevation_deg is not None for direction in found)


@pytest.mark.parametrize("kind", BOTH)
def test_a_line_has_angles_from_0_to_180_and_no_elevation(kind: Localiser) -> None:
    array = load_array("linear8")
    packets = _directions(kind(), audio_blocks(plane_wave(array, 110.0, bursts(1.0, seed=1)), array))
    found = [direction for packet in packets for direction in packet.directions]
    assert found
    assert all(0.0 <= direction.azimuth_deg <= 180.0 and direction.elevation_deg is None for direction in found)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["mono", "two_lanes"])
def test_arrays_without_bearing_have_no_directions(kind: Localiser, name: str) -> None:
    array = load_array(name)
    samples = np.tile(bursts(0.3, seed=1), (array.n_channels, 1))
    packets = _directions(kind(), audio_blocks(samples, array))
    assert len(packets) == 10
    assert all(packet.directions == () for packet in packets)


@pytest.mark.parametrize("kind", BOTH)
def test_silence_has_no_directions(kind: Localiser) -> None:
    assert all(not packet.directions for packet in _directions(kind(), audio_blocks(np.zeros((7, 16000), dtype=np.float32), UMA8)))


@pytest.mark.parametrize("kind", BOTH)
def test_at_most_so_many_directions(kind: Localiser) -> None:
    samples = plane_wave(UMA8, 30.0, bursts(1.0, seed=1)) + plane_wave(UMA8, 150.0, bursts(1.0, seed=2))
    packets = _directions(kind(max_directions=1), audio_blocks(samples, UMA8))
    assert max(len(packet.directions) for packet in packets) == 1


@pytest.mark.parametrize("kind", BOTH)
def test_after_a_gap_the_past_is_forgotten(kind: Localiser) -> None:
    before = audio_blocks(plane_wave(UMA8, 30.0, bursts(1.0, seed=1)), UMA8)
    after = audio_blocks(np.zeros((7, 5120), dtype=np.float32), UMA8, start_ns=2 * 10**9)
    gap = Gap(pts_ns=before[-1].end_ns, duration_ns=after[0].pts_ns - before[-1].end_ns, reason="dropped")
    packets = _directions(kind(), [*before, gap, *after])
    assert all(packet.directions == () for packet in packets[len(before) :])


@pytest.mark.parametrize("kind", BOTH)
def test_another_array_in_mid_stream_is_taken_up(kind: Localiser) -> None:
    other: ArrayGeometry = line_array(4)
    first = audio_blocks(plane_wave(UMA8, 30.0, bursts(0.5, seed=1)), UMA8)
    second = audio_blocks(plane_wave(other, 60.0, bursts(0.5, seed=1)), other, start_ns=first[-1].end_ns)
    packets = _directions(kind(), [*first, *second])
    late = [direction.azimuth_deg for packet in packets[len(first) :] for direction in packet.directions[:1]]
    assert float(np.median(late)) == pytest.approx(60.0, abs=5.0)


@pytest.mark.parametrize("kind", BOTH)
def test_the_same_stage_again_gives_the_same(kind: Localiser) -> None:
    samples = plane_wave(UMA8, 200.0, bursts(1.0, seed=1)) + diffuse(UMA8, 1.0, seed=2, level=0.002)
    stage = kind()
    assert _directions(stage, audio_blocks(samples, UMA8)) == _directions(stage, audio_blocks(samples, UMA8))


def test_music_on_two_microphones_uses_one_source_per_bin() -> None:
    array = load_array("stereo")
    packets = _directions(Music(n_sources=3), audio_blocks(plane_wave(array, 50.0, bursts(1.0, seed=1)), array))
    late = [direction.azimuth_deg for packet in packets for direction in packet.directions[:1]]
    assert float(np.median(late)) == pytest.approx(50.0, abs=5.0)
