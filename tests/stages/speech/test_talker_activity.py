"""Who speaks when on one microphone, through the stage, with the real networks on real meetings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.packets import NS_PER_S, BeamBlock, Gap, Packet, TalkerBlock, TalkerVoice, Track
from pipeline.testing import beam_blocks, noise, run_stage
from stages.speech.speech_errors import SpeechError
from stages.speech.talker_activity import TalkerActivity

MONO = Track(name="t1", azimuth_deg=None, lane=0)


@pytest.fixture(scope="module")
def meeting(shared: Path) -> np.ndarray:
    """Half a minute in which three people speak, partly at once."""
    samples, _ = soundfile.read(shared / "data" / "ami_rttm" / "trn08.flac", dtype="float32")
    return np.asarray(samples)


@pytest.fixture
def stage(weights: Path) -> Iterator[TalkerActivity]:
    assert weights.is_dir()
    stage = TalkerActivity()
    yield stage
    stage.stop()


def _blocks(samples: np.ndarray, size: int = 1024, track: Track = MONO, start_ns: int = 0) -> list[Packet]:
    made: list[Packet] = []
    for first in range(0, len(samples), size):
        piece = samples[first : first + size].copy()
        edges = [start_ns + sample * NS_PER_S // 16000 for sample in (first, first + len(piece))]
        made.append(BeamBlock(pts_ns=edges[0], duration_ns=edges[1] - edges[0], samples=piece, sample_rate_hz=16000, track=track))
    return made


def _run(stage: TalkerActivity, packets: list[Packet]) -> tuple[list[TalkerBlock], list[TalkerVoice]]:
    out = run_stage(stage, {"beam": packets})
    return (
        [packet for packet in out["activity"] if isinstance(packet, TalkerBlock)],
        [packet for packet in out["voices"] if isinstance(packet, TalkerVoice)],
    )


def test_a_meeting_of_three_has_talkers_overlap_and_voices(stage: TalkerActivity, meeting: np.ndarray) -> None:
    blocks, voices = _run(stage, _blocks(meeting))
    talkers = {talker for block in blocks for talker in block.talkers}
    assert talkers == {voice.talker for voice in voices}
    assert len(talkers) >= 3
    assert sum(int((block.active.sum(axis=0) >= 2).sum()) * block.step_ns for block in blocks) > NS_PER_S
    told = [voice for voice in voices if voice.voice is not None and voice.seconds > 2]
    assert len(told) >= 2
    assert all(voice.voice is not None and np.linalg.norm(voice.voice) == pytest.approx(1.0, abs=1e-4) for voice in told)


def test_blocks_of_any_size_give_the_same(stage: TalkerActivity, meeting: np.ndarray) -> None:
    one, _ = _run(stage, _blocks(meeting[:160000], 1024))
    other, _ = _run(TalkerActivity(), _blocks(meeting[:160000], 777))
    assert [(block.pts_ns, block.talkers) for block in one] == [(block.pts_ns, block.talkers) for block in other]
    assert all(np.array_equal(mine.active, theirs.active) for mine, theirs in zip(one, other, strict=True))


def test_blocks_follow_each_other_without_a_hole_to_the_end(stage: TalkerActivity, meeting: np.ndarray) -> None:
    blocks, _ = _run(stage, _blocks(meeting[:200000], start_ns=5 * NS_PER_S))
    edges = [blocks[0].pts_ns] + [block.pts_ns + block.active.shape[1] * block.step_ns for block in blocks]
    assert all(block.pts_ns == edge for block, edge in zip(blocks, edges[:-1], strict=True))
    assert edges[0] - 5 * NS_PER_S < NS_PER_S // 20
    assert 5 * NS_PER_S + 12.5 * NS_PER_S - blocks[-1].end_ns == 0


def test_what_leaves_is_never_later_than_declared(stage: TalkerActivity, meeting: np.ndarray) -> None:
    stage.start()
    last_end = 0
    for packet in _blocks(meeting[:200000]):
        assert isinstance(packet, BeamBlock)
        for emit in stage.on_beam(packet):
            assert emit.packet.end_ns >= last_end
            last_end = emit.packet.end_ns
        assert stage.promise(packet.end_ns) >= packet.end_ns - stage.delay_ns


def test_a_track_with_a_bearing_gives_nothing_and_holds_nothing_back(stage: TalkerActivity) -> None:
    track = Track(name="t1", azimuth_deg=30.0)
    packets = _blocks(noise(3.0), track=track)
    assert _run(stage, packets) == ([], [])
    stage.start()
    for packet in packets:
        assert isinstance(packet, BeamBlock)
        list(stage.on_beam(packet))
        assert stage.promise(packet.end_ns) == packet.end_ns


def test_noise_and_a_sound_of_a_moment_are_nobody(stage: TalkerActivity) -> None:
    assert all(not block.talkers for block in _run(stage, list(beam_blocks(noise(6.0))))[0])
    assert _run(TalkerActivity(), _blocks(noise(0.05))) == ([], [])


def test_a_gap_ends_what_was_heard_and_behind_it_everybody_is_new(stage: TalkerActivity, meeting: np.ndarray) -> None:
    first, second = meeting[80000:160000], meeting[160000:240000]
    gap = Gap(pts_ns=5 * NS_PER_S, duration_ns=2 * NS_PER_S, reason="dropped")
    blocks, voices = _run(stage, [*_blocks(first), gap, *_blocks(second, start_ns=7 * NS_PER_S)])
    before = {talker for block in blocks if block.pts_ns < 5 * NS_PER_S for talker in block.talkers}
    after = {(talker, block.pts_ns) for block in blocks if block.pts_ns >= 7 * NS_PER_S for talker in block.talkers}
    assert before
    assert after
    assert all(block.end_ns <= 5 * NS_PER_S or block.pts_ns >= 7 * NS_PER_S for block in blocks)
    assert not before & {talker for talker, _ in after}
    assert before <= {voice.talker for voice in voices}


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"hop_s": 0.1},
        {"hop_s": 6.0},
        {"look_ahead_s": 2.5},
        {"hop_s": 4.0, "look_ahead_s": 8.0},
        {"n_threads": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(SpeechError, match="TalkerActivity: threshold"):
        TalkerActivity(**settings)  # type: ignore[arg-type] # settings of several types


def test_another_sample_rate_is_refused(stage: TalkerActivity) -> None:
    stage.start()
    block = BeamBlock(pts_ns=0, duration_ns=NS_PER_S // 10, samples=noise(0.1, 48000), sample_rate_hz=48000, track=MONO)
    with pytest.raises(SpeechError, match="48000 Hz; 16000 Hz is needed"):
        list(stage.on_beam(block))
