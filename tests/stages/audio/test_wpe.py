"""The stage for dereverberation: drier channels at exactly the times of the input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.geometry import load_array
from pipeline.packets import AudioBlock, Float32Array, Gap, Packet
from pipeline.testing import audio_blocks, one_microphone, run_stage
from stages.audio.wpe import Wpe, WpeStageError, spread_channels
from tests.sound_fields import RATE_HZ, bursts, clip, plane_wave, si_sdr_db

RESPEAKER = load_array("respeaker4")


def _joined(packets: list[Packet]) -> Float32Array:
    return np.concatenate([packet.samples for packet in packets if isinstance(packet, AudioBlock)], axis=1)


def _reverberant(speech: Float32Array, rt60_s: float) -> tuple[Float32Array, npt.NDArray[np.float64]]:
    """Speech in a room at the array, and at its reference only the direct sound and the first 50 ms."""
    import pyroomacoustics
    from scipy.signal import oaconvolve

    size_m = (5.0, 4.0, 2.6)
    absorption, order = pyroomacoustics.inverse_sabine(rt60_s, size_m)
    shoebox = pyroomacoustics.ShoeBox(size_m, fs=RATE_HZ, materials=pyroomacoustics.Material(absorption), max_order=min(order, 25))
    middle = np.array([2.3, 1.9, 1.0])
    shoebox.add_source(middle + np.array([1.3, 0.9, 0.3]))
    shoebox.add_microphone_array((RESPEAKER.positions + middle).T)
    shoebox.compute_rir()
    responses = [response[0] for response in shoebox.rir]
    wet = np.stack([oaconvolve(speech, response)[: len(speech)] for response in responses])
    nearest = responses[RESPEAKER.reference]
    early = np.where(np.arange(len(nearest)) < np.argmax(np.abs(nearest)) + 800, nearest, 0.0)
    wet += 1e-4 * np.random.default_rng(0).standard_normal(wet.shape)
    return wet.astype(np.float32), np.asarray(oaconvolve(speech, early)[: len(speech)])


def test_reverberation_goes_in_a_room_of_half_a_second(shared: Path) -> None:
    wet, early = _reverberant(clip(shared, "jfk"), 0.5)
    dry = _joined(run_stage(Wpe(), {"audio": audio_blocks(wet, RESPEAKER)})["dry"])
    first, later = slice(0, 3 * RATE_HZ), slice(4 * RATE_HZ, None)
    at_first_db, gain_db = (
        si_sdr_db(dry[RESPEAKER.reference, part], early[part]) - si_sdr_db(wet[RESPEAKER.reference, part], early[part])
        for part in (first, later)
    )
    assert gain_db > 3.0
    assert at_first_db > 0.0, "first words stay whole"


@pytest.mark.parametrize("block_frames", [160, 512, 3000])
def test_blocks_keep_their_times_and_the_cut_does_not_matter(block_frames: int) -> None:
    samples = plane_wave(RESPEAKER, 40.0, bursts(1.0, 0))[:, :15_777]
    blocks = audio_blocks(samples, RESPEAKER, block_frames=block_frames)
    packets = run_stage(Wpe(taps=3), {"audio": blocks})["dry"]
    assert [(p.pts_ns, p.duration_ns) for p in packets] == [(b.pts_ns, b.duration_ns) for b in blocks]
    whole = _joined(run_stage(Wpe(taps=3), {"audio": audio_blocks(samples, RESPEAKER, block_frames=8000)})["dry"])
    np.testing.assert_allclose(_joined(packets), whole, atol=1e-6)


def test_what_is_above_the_highest_frequency_passes_as_it_is() -> None:
    samples = plane_wave(RESPEAKER, 40.0, bursts(1.0, 0))
    packets = run_stage(Wpe(highest_hz=1.0), {"audio": audio_blocks(samples, RESPEAKER)})["dry"]
    spectrum = np.abs(np.fft.rfft(_joined(packets) - samples))
    assert spectrum[:, 200:].max() < 1e-3 * np.abs(np.fft.rfft(samples)).max()


def test_it_keeps_its_delay() -> None:
    stage = Wpe(taps=3)
    stage.start()
    heard_ns = 0
    for block in audio_blocks(plane_wave(RESPEAKER, 40.0, bursts(1.0, 0)), RESPEAKER):
        for emit in stage.on_audio(block):
            heard_ns = emit.packet.end_ns
        assert heard_ns >= block.end_ns - stage.delay_ns - block.duration_ns
    stage.stop()


def test_a_gap_and_another_array_end_the_stretch() -> None:
    first = audio_blocks(plane_wave(RESPEAKER, 40.0, bursts(0.5, 0)), RESPEAKER)
    after = audio_blocks(plane_wave(RESPEAKER, 40.0, bursts(0.5, 1)), RESPEAKER, start_ns=2 * 10**9)
    mono = audio_blocks(bursts(0.5, 2)[None], one_microphone(), start_ns=3 * 10**9)
    gap = Gap(pts_ns=5 * 10**8, duration_ns=15 * 10**8, reason="overrun")
    packets = run_stage(Wpe(taps=3), {"audio": [*first, gap, *after, *mono]})["dry"]
    assert [(p.pts_ns, p.duration_ns) for p in packets] == [(b.pts_ns, b.duration_ns) for b in [*first, *after, *mono]]


def test_separate_recordings_pass_and_no_nan_comes_out() -> None:
    lanes = audio_blocks(np.stack([bursts(0.5, 0), bursts(0.5, 1)]), load_array("two_lanes"))
    assert run_stage(Wpe(), {"audio": lanes})["dry"] == lanes
    broken = plane_wave(RESPEAKER, 40.0, bursts(0.5, 0))
    broken[1, 3000:3020] = np.nan
    broken[2, 4000] = np.inf
    assert np.isfinite(_joined(run_stage(Wpe(taps=3), {"audio": audio_blocks(broken, RESPEAKER)})["dry"])).all()


def test_predictors_are_the_reference_and_those_far_from_it() -> None:
    assert spread_channels(load_array("linear8"), 3) == [0, 3, 7]
    assert spread_channels(one_microphone(), 3) == [0]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(WpeStageError, match=r"^Wpe: taps 0, delay 3, alpha 0.9995, max_predictors 3, highest_hz 6000; allowed are "):
        Wpe(taps=0)
