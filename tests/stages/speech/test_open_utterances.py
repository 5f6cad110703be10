"""What the cutter shows of an utterance before it has ended."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, BeamBlock, OpenUtterance, Packet, SpeechBlock, Track, Utterance
from pipeline.testing import run_stage
from stages.speech.speech_errors import SpeechError
from stages.speech.utterance_cutter import UtteranceCutter

RATE, CHUNK = 16000, 512


def blocks(spans_s: list[tuple[float, float]], length_s: float, track: str = "t1", presence: float = 1.0) -> list[Packet]:
    """Blocks of 32 ms whose samples count up; speech in the given spans."""
    made: list[Packet] = []
    for first in range(0, round(length_s * RATE) - CHUNK + 1, CHUNK):
        start, end = (sample * NS_PER_S // RATE for sample in (first, first + CHUNK))
        samples = np.arange(first, first + CHUNK, dtype=np.float32) + 1
        beam = BeamBlock(
            pts_ns=start,
            duration_ns=end - start,
            samples=samples,
            sample_rate_hz=RATE,
            track=Track(name=track, azimuth_deg=None),
            presence=presence,
        )
        spoken = any(from_s <= start / NS_PER_S < to_s for from_s, to_s in spans_s)
        made.append(SpeechBlock(pts_ns=start, duration_ns=end - start, beam=beam, probability=0.9 if spoken else 0.0))
    return made


def cut(packets: list[Packet], partial_every_s: float) -> tuple[list[Packet], list[OpenUtterance]]:
    found = run_stage(UtteranceCutter(partial_every_s=partial_every_s), {"speech": packets})
    return found["utterances"], [packet for packet in found["open"] if isinstance(packet, OpenUtterance)]


def test_an_open_utterance_is_shown_as_it_grows_and_no_more_often_than_asked() -> None:
    (whole,), shown = cut(blocks([(1.0, 5.0)], 7.0), 1.0)
    assert isinstance(whole, Utterance)
    assert len(shown) == 4
    assert all(second.end_ns - first.end_ns >= NS_PER_S for first, second in pairwise(shown))
    for look in shown:
        so_far = look.so_far
        assert (look.pts_ns, so_far.pts_ns, so_far.lead_ns) == (whole.pts_ns, whole.pts_ns, whole.lead_ns)
        assert so_far.end_ns <= look.end_ns
        assert np.array_equal(so_far.samples, whole.samples[: len(so_far.samples)]), "nothing from the future, nothing lost"


def test_looking_changes_no_utterance_and_none_is_shown_unless_asked() -> None:
    both = sorted(blocks([(1.0, 5.0), (6.5, 20.0)], 22.0) + blocks([(3.0, 9.0)], 22.0, track="t2"), key=lambda block: block.end_ns)
    silent, none = cut(both, 0.0)
    looked, shown = cut(both, 0.5)
    assert none == []
    assert len(shown) > 20
    assert [(u.pts_ns, u.end_ns) for u in silent] == [(u.pts_ns, u.end_ns) for u in looked]
    assert all(first.end_ns <= second.end_ns for first, second in pairwise(shown)), "in the order of their ends"


def test_a_pause_a_click_and_a_leak_are_not_shown() -> None:
    _, shown = cut(blocks([(1.0, 1.1), (3.0, 4.04)], 6.0), 0.3)
    assert [look.pts_ns >= 2 * NS_PER_S for look in shown] == [True] * 4, "after the last word there is nothing new to show"
    assert cut(blocks([(1.0, 4.0)], 6.0, presence=0.2), 0.3) == ([], [])


def test_an_hour_of_silence_leaves_nothing_behind() -> None:
    cutter = UtteranceCutter(partial_every_s=0.5)
    silence = np.zeros(RATE // 2, np.float32)
    track = Track(name="t1", azimuth_deg=None)
    for index in range(7200):
        start = index * NS_PER_S // 2
        beam = BeamBlock(pts_ns=start, duration_ns=NS_PER_S // 2, samples=silence, sample_rate_hz=RATE, track=track)
        assert list(cutter.on_speech(SpeechBlock(pts_ns=start, duration_ns=NS_PER_S // 2, beam=beam, probability=0.0))) == []
    assert cutter.promise(3600 * NS_PER_S) > 3598 * NS_PER_S
    assert list(cutter.flush()) == []


def test_less_than_never_is_refused() -> None:
    with pytest.raises(SpeechError) as caught:
        UtteranceCutter(partial_every_s=-1.0)
    assert str(caught.value) == "UtteranceCutter: partial_every_s is -1.0; at least 0 is needed, 0 for none"
