"""Words as a text, and the audio of an utterance between two times."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.packets import Track, Utterance
from stages.speech.word_text import joined

MS = 10**6


@pytest.mark.parametrize(
    ("words", "whole", "text"),
    [
        (["the", " dog ", "barks."], "Then the dog barks.", "the dog barks."),
        (["犬", "が"], "犬が吠える", "犬が"),
        (["Yes."], " Yes.", "Yes."),
        ([], "a b", ""),
    ],
)
def test_words_have_spaces_between_them_where_their_text_has(words: list[str], whole: str, text: str) -> None:
    assert joined(words, whole) == text


def test_the_audio_between_two_times_starts_before_the_utterance_does_and_ends_where_it_ends() -> None:
    samples = np.arange(16, dtype=np.float32)
    track = Track(name="t1", azimuth_deg=None)
    utterance = Utterance(pts_ns=102 * MS, duration_ns=14 * MS, lead_ns=2 * MS, samples=samples, sample_rate_hz=1000, track=track)
    assert utterance.between(100 * MS, 116 * MS).tolist() == samples.tolist()
    assert utterance.between(103 * MS, 106 * MS).tolist() == [3.0, 4.0, 5.0]
    assert utterance.between(90 * MS, 102 * MS).tolist() == [0.0, 1.0]
    assert utterance.between(114 * MS, 200 * MS).tolist() == [14.0, 15.0]
    assert utterance.between(10 * MS, 90 * MS).size == utterance.between(120 * MS, 130 * MS).size == 0
    assert utterance.between(106 * MS, 103 * MS).size == 0
    assert np.shares_memory(utterance.between(100 * MS, 116 * MS), samples)
