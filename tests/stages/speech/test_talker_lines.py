"""Lines of several talkers, cut where the talker changes."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import TalkerBlock, Track, Transcript, Utterance, Word
from pipeline.testing import run_stage
from stages.speech.talker_lines import TalkerLines

MS = 10**6
ONE = Track(name="t1", azimuth_deg=None, lane=0)
STEP_NS = 20 * MS


def _transcript(words: list[tuple[str, int, int]], track: Track = ONE, copy_of: str | None = None) -> Transcript:
    spoken = tuple(Word(text, start * MS, end * MS, 0.9) for text, start, end in words)
    start_ns, end_ns = spoken[0].start_ns, spoken[-1].end_ns
    samples = np.ones((end_ns - start_ns) * 16 // MS, dtype=np.float32)
    utterance = Utterance(pts_ns=start_ns, duration_ns=end_ns - start_ns, samples=samples, sample_rate_hz=16000, track=track)
    return Transcript(
        pts_ns=start_ns,
        duration_ns=end_ns - start_ns,
        utterance=utterance,
        text=" ".join(text for text, _, _ in words),
        words=spoken,
        language="en",
        confidence=0.9,
        copy_of=copy_of,
    )


def _block(start: int, end: int, **spans: tuple[int, int]) -> TalkerBlock:
    """Activity from `start` to `end` (ms); `a7=(from, to)` says when talker 7 speaks."""
    edges = np.arange(start, end, 20)
    rows = [(edges >= begin) & (edges < stop) for begin, stop in spans.values()]
    return TalkerBlock(
        pts_ns=start * MS,
        duration_ns=(end - start) * MS,
        track=ONE,
        talkers=tuple(int(name[1:]) for name in spans),
        active=np.array(rows, dtype=bool).reshape(len(rows), len(edges)),
        step_ns=STEP_NS,
    )


def _lines(transcript: Transcript, *blocks: TalkerBlock) -> list[tuple[str, int | None]]:
    out = run_stage(TalkerLines(), {"transcript": [transcript], "activity": list(blocks)})["transcripts"]
    return [(packet.text, packet.talker) for packet in out if isinstance(packet, Transcript)]


WORDS = [("Where", 100, 300), ("is", 300, 400), ("it?", 400, 600), ("Over", 700, 900), ("there.", 900, 1200)]


def test_a_line_of_one_talker_stays_whole_and_says_whose_it_is() -> None:
    assert _lines(_transcript(WORDS), _block(0, 1200, a7=(80, 1200))) == [("Where is it? Over there.", 7)]


def test_a_line_is_cut_where_somebody_else_goes_on() -> None:
    blocks = (_block(0, 800, a7=(80, 620), a9=(680, 800)), _block(800, 1200, a9=(800, 1200)))
    assert _lines(_transcript(WORDS), *blocks) == [("Where is it?", 7), ("Over there.", 9)]


def test_in_an_overlap_who_has_the_floor_keeps_it() -> None:
    assert _lines(_transcript(WORDS), _block(0, 1200, a7=(80, 800), a9=(280, 1200))) == [("Where is it? Over", 7), ("there.", 9)]


def test_words_under_which_nobody_is_active_go_with_their_neighbours() -> None:
    blocks = _block(0, 1200, a7=(280, 420), a9=(880, 1200))
    assert _lines(_transcript(WORDS), blocks) == [("Where is it?", 7), ("Over there.", 9)]
    assert _lines(_transcript(WORDS), _block(0, 1200)) == [("Where is it? Over there.", None)]


def test_the_parts_hold_their_own_audio_and_words() -> None:
    stage = TalkerLines()
    blocks = [_block(0, 1200, a7=(80, 620), a9=(680, 1200))]
    out = run_stage(stage, {"transcript": [_transcript(WORDS)], "activity": blocks})["transcripts"]
    first, second = (packet for packet in out if isinstance(packet, Transcript))
    assert [word.text for word in first.words + second.words] == [text for text, _, _ in WORDS]
    assert len(first.utterance.samples) + len(second.utterance.samples) == len(_transcript(WORDS).utterance.samples)
    assert first.key != second.key


@pytest.mark.parametrize("track", [Track(name="t1", azimuth_deg=90.0), ONE])
def test_a_track_with_a_bearing_and_a_copy_pass_as_they_are(track: Track) -> None:
    transcript = _transcript(WORDS, track, copy_of=None if track.azimuth_deg is not None else "t2")
    assert _lines(transcript, _block(0, 1200, a7=(80, 620), a9=(680, 1200))) == [("Where is it? Over there.", None)]


def test_an_hour_of_activity_is_not_kept() -> None:
    stage = TalkerLines()
    for second in range(0, 3600):
        list(stage.on_activity(_block(second * 1000, second * 1000 + 1000, a1=(second * 1000, second * 1000 + 500))))
    assert sum(len(blocks) for blocks in stage._blocks.values()) <= 62
