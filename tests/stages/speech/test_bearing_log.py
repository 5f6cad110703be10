import numpy as np
import pytest

from pipeline.packets import BeamBlock, SpeechBlock, Track
from stages.speech.bearing_log import BearingLog

BLOCK_NS = 32_000_000


def block(index: int, azimuth_deg: float | None, level: float, presence: float = 1.0, elevation_deg: float | None = None) -> SpeechBlock:
    track = Track(name="t1", azimuth_deg=azimuth_deg, elevation_deg=elevation_deg)
    samples = np.full(512, level, dtype=np.float32)
    beam = BeamBlock(pts_ns=index * BLOCK_NS, duration_ns=BLOCK_NS, samples=samples, sample_rate_hz=16000, track=track, presence=presence)
    return SpeechBlock(pts_ns=beam.pts_ns, duration_ns=BLOCK_NS, beam=beam, probability=0.9)


def test_a_bearing_that_drifts_away_in_a_pause_does_not_move_what_was_said() -> None:
    log = BearingLog()
    for index in range(20):
        log.push(block(index, 100.0, 0.1, elevation_deg=10.0))
    for index in range(20, 60):
        log.push(block(index, 80.0, 0.003, presence=0.2, elevation_deg=40.0))
    placed = log.track(0, 60 * BLOCK_NS)
    assert placed.azimuth_deg == pytest.approx(100.0, abs=0.5)
    assert placed.elevation_deg == pytest.approx(10.0, abs=0.5)
    assert log.track(40 * BLOCK_NS, 60 * BLOCK_NS).azimuth_deg == pytest.approx(80.0)


def test_bearings_around_zero_are_averaged_around_the_circle() -> None:
    log = BearingLog()
    log.push(block(0, 350.0, 0.1))
    log.push(block(1, 10.0, 0.1))
    azimuth_deg = log.track(0, 2 * BLOCK_NS).azimuth_deg
    assert azimuth_deg is not None
    assert min(azimuth_deg, 360.0 - azimuth_deg) == pytest.approx(0.0, abs=1e-6)


def test_lanes_have_no_bearing_and_silence_changes_nothing() -> None:
    log = BearingLog()
    log.push(block(0, None, 0.1))
    assert log.track(0, BLOCK_NS).azimuth_deg is None
    log.push(block(1, 50.0, 0.0))
    assert log.track(BLOCK_NS, 2 * BLOCK_NS).azimuth_deg == 50.0


def test_the_log_is_bounded() -> None:
    log = BearingLog()
    for index in range(5000):
        log.push(block(index, 50.0, 0.1))
    assert len(log._entries) * BLOCK_NS < 61 * 10**9
