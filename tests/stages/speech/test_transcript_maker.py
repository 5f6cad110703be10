from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recognition import Recognition, SpokenWord
from pipeline.packets import NS_PER_S, Track, Utterance
from pipeline.testing import tone
from stages.speech.speech_errors import SpeechError
from stages.speech.transcript_maker import TranscriptMaker, check_rate

MS = 10**6
SOUND = tone(200, 12.5)


def utterance(start_ms: int, length_ms: int, lead_ms: int = 0, track: str = "t1") -> Utterance:
    return Utterance(
        pts_ns=start_ms * MS,
        duration_ns=length_ms * MS,
        samples=SOUND[: (lead_ms + length_ms + 200) * 16],
        sample_rate_hz=16000,
        track=Track(name=track, azimuth_deg=None),
        lead_ns=lead_ms * MS,
    )


def heard(*times_s: tuple[float, float], log_probability: float = -0.2) -> Recognition:
    words = tuple(SpokenWord(f"word{index}", start, end, 0.9) for index, (start, end) in enumerate(times_s))
    return Recognition(" ".join(word.text for word in words), words, "en", log_probability, 0.0)


def test_words_are_placed_on_the_session_clock() -> None:
    made = TranscriptMaker().transcript(utterance(5000, 2000, lead_ms=300), heard((0.25, 0.8), (0.8, 2.3)))
    assert made is not None
    assert [(word.start_ns // MS, word.end_ns // MS) for word in made.words] == [(4950, 5500), (5500, 7000)]
    assert (made.pts_ns, made.end_ns) == (4950 * MS, 7000 * MS)
    assert made.confidence == pytest.approx(math.exp(-0.2))
    assert (made.text, made.language, made.copy_of, made.key) == ("word0 word1", "en", None, "t1-00004950")


def test_no_believed_word_no_transcript() -> None:
    assert TranscriptMaker().transcript(utterance(0, 1000), heard()) is None
    assert TranscriptMaker().transcript(utterance(0, 1000), heard((0.1, 0.5), log_probability=-2.5)) is None


def test_text_is_made_of_the_words_that_are_left() -> None:
    silent_end = np.concatenate([SOUND[:16000], np.zeros(32000, np.float32)])
    spoken = Utterance(
        pts_ns=0, duration_ns=3 * NS_PER_S, samples=silent_end, sample_rate_hz=16000, track=Track(name="t1", azimuth_deg=None)
    )
    words = (SpokenWord("Right.", 0.2, 0.8, 0.9), SpokenWord("Bye.", 2.0, 2.5, 0.1))
    made = TranscriptMaker().transcript(spoken, Recognition("Right. Bye.", words, "en", -0.3, 0.1))
    assert made is not None
    assert made.text == "Right."
    assert made.words[-1].end_ns == 800 * MS
    assert made.end_ns == 3 * NS_PER_S - TranscriptMaker.delay_ns, "no earlier than the declared delay before the end of the utterance"


def test_an_earlier_last_word_on_another_track_does_not_turn_the_order() -> None:
    maker = TranscriptMaker()
    first = maker.transcript(utterance(0, 2000, track="a"), heard((0.0, 2.0)))
    second = maker.transcript(utterance(500, 1550, track="b"), heard((0.0, 1.2)))
    assert first is not None
    assert second is not None
    assert second.words[-1].end_ns == 1700 * MS
    assert second.end_ns == first.end_ns == 2000 * MS


def test_a_question_asked_of_a_running_stage_keeps_its_own_end() -> None:
    maker = TranscriptMaker()
    assert maker.transcript(utterance(50_000, 2000), heard((0.0, 2.0))) is not None
    question = maker.transcript(utterance(0, 1000), heard((0.0, 0.9)))
    assert question is not None
    assert question.end_ns <= 1000 * MS


def test_another_rate_is_refused() -> None:
    wrong = Utterance(pts_ns=0, duration_ns=1, samples=SOUND[:8], sample_rate_hz=8000, track=Track(name="t9", azimuth_deg=None))
    with pytest.raises(SpeechError) as caught:
        check_rate(wrong, "FasterWhisper")
    assert str(caught.value) == "FasterWhisper: an utterance of track t9 comes at 8000 Hz; 16000 Hz is needed"


spans = st.lists(st.tuples(st.integers(0, 60_000), st.integers(200, 12_000), st.integers(0, 300)), min_size=1, max_size=8)


@given(spans, st.data())
def test_ends_never_fall_and_stay_within_the_declared_delay(pieces: list[tuple[int, int, int]], data: st.DataObject) -> None:
    utterances = sorted((utterance(start + lead, length, lead) for start, length, lead in pieces), key=lambda u: u.end_ns)
    maker, made = TranscriptMaker(), []
    for piece in utterances:
        borders = sorted(data.draw(st.lists(st.floats(0, len(piece.samples) / 16000), min_size=2, max_size=6)))
        transcript = maker.transcript(piece, heard(*pairwise(borders)))
        if transcript is None:
            continue
        made.append(transcript)
        assert piece.end_ns - maker.delay_ns <= transcript.end_ns <= piece.end_ns
        assert transcript.pts_ns == transcript.words[0].start_ns >= piece.audio_pts_ns
        assert transcript.words[-1].end_ns <= transcript.end_ns
        assert all(word.start_ns <= word.end_ns for word in transcript.words)
    assert all(a.end_ns <= b.end_ns for a, b in pairwise(made))
