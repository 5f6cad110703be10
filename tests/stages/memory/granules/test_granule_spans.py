"""From a line to the words of it that are meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.text_model import TextModelError
from pipeline.packets import NS_PER_S, Float32Array
from stages.memory.granules.granule_spans import LEAST_WORDS, N_PIECES, best_span
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import WordRow
from stages.recall.clips import ClipCutter
from tests.stages.memory.made import ENCODER, line, session_row

RAMBLING = (
    "well I was thinking about nothing much, the ferry to the island leaves on Saturday morning, and anyway"
    " my brother still has not painted that old wooden fence"
)


def words_of(text: str, pauses: Sequence[int] = ()) -> list[WordRow]:
    """Words of a fifth of a second each, with half a second of silence before those at `pauses`."""
    rows, now = [], 0
    for place, word in enumerate(text.split()):
        now += NS_PER_S // 2 if place in pauses else 0
        rows.append(WordRow(word, now, now + NS_PER_S // 5))
        now += NS_PER_S // 5
    return rows


def said(words: Sequence[WordRow], question: str) -> str:
    span = best_span(words, ENCODER.encode([question])[0], ENCODER.encode)
    assert span is not None
    return " ".join(word.text for word in words[span.first : span.last])


def test_the_words_that_are_meant_are_found_between_commas() -> None:
    assert said(words_of(RAMBLING), "ferry island Saturday") == "the ferry to the island leaves on Saturday morning,"
    assert "fence" in said(words_of(RAMBLING), "painted wooden fence")
    assert "ferry" not in said(words_of(RAMBLING), "painted wooden fence")


def test_without_punctuation_pauses_are_borders() -> None:
    bare = RAMBLING.replace(",", "")
    first, last = bare.split().index("the"), bare.split().index("and")
    assert said(words_of(bare, (first, last)), "ferry island Saturday") == "the ferry to the island leaves on Saturday morning"


def test_a_short_line_is_a_span_as_it_is_and_one_without_words_is_none() -> None:
    assert said(words_of("the ferry leaves"), "boats") == "the ferry leaves"
    assert best_span([], ENCODER.encode(["x"])[0], ENCODER.encode) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=0, max_size=6), min_size=1, max_size=60), st.data())
def test_whatever_is_said_the_work_is_bounded_and_nothing_is_better(texts: list[str], data: st.DataObject) -> None:
    words = [WordRow(text, place * 10, place * 10 + data.draw(st.integers(1, 10))) for place, text in enumerate(texts)]
    asked: list[str] = []

    def encode(given_texts: Sequence[str]) -> Float32Array:
        asked.extend(given_texts)
        return ENCODER.encode(given_texts)

    vector = ENCODER.encode(["what was said"])[0]
    span = best_span(words, vector, encode)
    assert span is not None
    assert 0 <= span.first < span.last <= len(words)
    assert span.last - span.first >= min(LEAST_WORDS, len(words))
    assert len(asked) <= N_PIECES * (N_PIECES + 1) // 2
    assert span.score == pytest.approx(max(float(row @ vector) for row in ENCODER.encode(asked)), abs=1e-5)
    assert span == best_span(words, vector, ENCODER.encode)


def test_a_clip_can_be_as_short_as_the_words(tmp_path: Path) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line(RAMBLING, 1.0, 10.0, audio_s=10.0), line("nothing to see here", 20.0)], 30 * NS_PER_S)
    (span,) = memory.granules.search(ENCODER.encode(["ferry island Saturday"])[0], 1, "span")
    (row,) = memory.lines(ids=[span.id])
    assert (span.level, span.key, span.session) == ("span", "words", "s1")
    assert row.start_ns < span.start_ns < span.end_ns < row.end_ns
    cutter = ClipCutter(str(tmp_path))
    short, whole = cutter.cut(row, span.start_ns, span.end_ns), cutter.cut(row)
    assert short is not None
    assert whole is not None
    assert (tmp_path / short).stat().st_size < 0.6 * (tmp_path / whole).stat().st_size
    memory.stop()


@pytest.mark.usefixtures("weights")
def test_meanings_find_words_that_were_put_otherwise() -> None:
    encoder = MinilmOnnx()
    encoder.start()
    words = words_of(RAMBLING)
    span = best_span(words, encoder.encode(["When does the boat depart?"])[0], encoder.encode)
    assert span is not None
    found = " ".join(word.text for word in words[span.first : span.last])
    assert "ferry" in found
    assert "leaves" in found
    assert "fence" not in found
    encoder.stop()
    with pytest.raises(TextModelError, match="start\\(\\) has not been called"):
        best_span(words, np.zeros(384, dtype=np.float32), encoder.encode)


def test_the_encoder_decides_what_is_alike() -> None:
    encoder = HashedWords(64)
    span = best_span(words_of(RAMBLING), encoder.encode(["painted wooden fence"])[0], encoder.encode)
    assert span is not None
    assert span.last == len(RAMBLING.split())
