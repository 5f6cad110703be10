"""The denoiser: cleaner speech, at exactly the times of the beam."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.gtcrn import Gtcrn as Network
from models.gtcrn import GtcrnError, GtcrnState
from models.weights import path_of
from pipeline.packets import BeamBlock, Float32Array, Gap, Track
from pipeline.testing import beam_blocks, noise, run_stage
from stages.audio.gtcrn import Gtcrn, GtcrnStageError
from tests.sound_fields import RATE_HZ, clip, si_sdr_db

pytestmark = pytest.mark.usefixtures("weights")


def _noisy(shared: Path, snr_db: float) -> tuple[Float32Array, Float32Array]:
    speech = clip(shared, "jfk")[: 5 * RATE_HZ]
    hiss = np.random.default_rng(0).standard_normal(len(speech))
    hiss *= np.sqrt(np.mean(speech**2) / 10 ** (snr_db / 10.0))
    return speech, (speech + hiss).astype(np.float32)


def _cleaned(samples: Float32Array, block_frames: int = 512, **settings: float) -> list[BeamBlock]:
    stage = Gtcrn(**settings)  # type: ignore[arg-type]  # the settings of a test
    return [packet for packet in run_stage(stage, {"beam": beam_blocks(samples, block_frames=block_frames)})["cleaned"]]  # type: ignore[misc] # the port has beam blocks alone


@pytest.mark.parametrize(("snr_db", "gain_db"), [(0.0, 6.0), (5.0, 5.0)])
def test_noise_goes_and_speech_stays(snr_db: float, gain_db: float, shared: Path) -> None:
    speech, noisy = _noisy(shared, snr_db)
    clean = np.concatenate([block.samples for block in _cleaned(noisy)])
    assert si_sdr_db(clean, speech) - si_sdr_db(noisy, speech) >= gain_db


@pytest.mark.parametrize("block_frames", [160, 512, 4000])
def test_blocks_keep_their_times_and_the_cut_does_not_matter(block_frames: int, shared: Path) -> None:
    _, noisy = _noisy(shared, 5.0)
    noisy = noisy[: 2 * RATE_HZ + 77]
    blocks = beam_blocks(noisy, block_frames=block_frames)
    cleaned = _cleaned(noisy, block_frames)
    assert [(b.pts_ns, b.duration_ns, b.samples.shape, b.track, b.presence) for b in cleaned] == [
        (b.pts_ns, b.duration_ns, b.samples.shape, b.track, b.presence) for b in blocks
    ]
    whole = np.concatenate([block.samples for block in _cleaned(noisy, len(noisy) // 5)])
    np.testing.assert_array_equal(np.concatenate([block.samples for block in cleaned]), whole)


def test_speech_comes_out_when_it_went_in(shared: Path) -> None:
    speech, noisy = _noisy(shared, 5.0)
    clean = np.concatenate([block.samples for block in _cleaned(noisy)])
    lags = range(-40, 41)
    likeness = [float(np.dot(np.roll(clean, lag), speech)) for lag in lags]
    assert lags[int(np.argmax(likeness))] == 0


def test_all_of_the_beam_may_be_kept(shared: Path) -> None:
    _, noisy = _noisy(shared, 5.0)
    kept = np.concatenate([block.samples for block in _cleaned(noisy[:RATE_HZ], kept=1.0)])
    np.testing.assert_allclose(kept, noisy[:RATE_HZ], atol=1e-6)


def test_a_track_that_was_away_begins_anew_and_tracks_do_not_mix(shared: Path) -> None:
    _, noisy = _noisy(shared, 5.0)
    noisy = noisy[:RATE_HZ]
    track = Track(name="t2", azimuth_deg=90.0)
    first, later = beam_blocks(noisy), beam_blocks(noisy, start_ns=3 * 10**9)
    other = beam_blocks(noise(1.0), track)
    packets = run_stage(Gtcrn(), {"beam": [*sorted(first + other, key=lambda block: block.end_ns), *later]})["cleaned"]
    ends = [packet.end_ns for packet in packets]
    assert ends == sorted(ends)
    mine = [packet for packet in packets if isinstance(packet, BeamBlock) and packet.track.name == "t1"]
    alone = np.concatenate([block.samples for block in _cleaned(noisy)])
    np.testing.assert_array_equal(np.concatenate([block.samples for block in mine]), np.concatenate([alone, alone]))


def test_no_nan_comes_out_and_a_gap_ends_the_stretch() -> None:
    samples = noise(1.0)
    samples[100:120] = np.nan
    samples[500] = np.inf
    blocks = beam_blocks(samples)
    gap = Gap(pts_ns=10**9, duration_ns=10**9, reason="overrun")
    packets = run_stage(Gtcrn(kept=0.5), {"beam": [*blocks, gap]})["cleaned"]
    assert len(packets) == len(blocks)
    assert all(np.isfinite(packet.samples).all() for packet in packets if isinstance(packet, BeamBlock))


def test_what_it_cannot_clean_is_refused() -> None:
    with pytest.raises(GtcrnStageError, match=r"^Gtcrn: kept is 2; it must be from 0 \(the cleaned beam\) to 1 \(the beam as it was\)$"):
        Gtcrn(kept=2.0)
    stage = Gtcrn()
    with pytest.raises(GtcrnStageError, match=r"^Gtcrn: the stage has not been started; call start\(\) first$"):
        stage.promise(0)
    stage.start()
    block = beam_blocks(noise(0.1, 8000), sample_rate_hz=8000)[0]
    with pytest.raises(GtcrnStageError, match=r"^Gtcrn: track t1 comes at 8000 Hz; 16000 Hz is needed$"):
        list(stage.on_beam(block))
    with pytest.raises(GtcrnError, match=r"^GTCRN: samples of shape \(2, 9\); there must be one dimension, at 16000 Hz$"):
        Network(path_of("gtcrn.onnx")).push(np.zeros((2, 9), dtype=np.float32), GtcrnState())
