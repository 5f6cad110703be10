"""What stands around the decoder: batches, second attempts, the vocabulary and the language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recogniser import Float32Array, Recogniser, Search, placed
from models.recognition import RecogniserError, Recognition, SpokenWord
from pipeline.testing import tone

RATE = 16000


class Counter(Recogniser):
    """Writes how long a piece is; sure of it unless the piece is loud. With a vocabulary it writes that over a quiet hum."""

    def __init__(self, language: str = "en", vocabulary: Sequence[str] = ()) -> None:
        super().__init__(language, ["en", "de"], 1, 2.0, 0.6, vocabulary)
        self.calls: list[tuple[int, float, Search]] = []

    def decoded(self, pieces: Sequence[Float32Array], window_s: float, search: Search) -> list[Recognition]:
        self.calls.append((len(pieces), window_s, search))
        found = []
        for samples in pieces:
            level = float(np.abs(samples).max())
            text = " ".join(self.vocabulary) if self.vocabulary and search.with_vocabulary and level < 0.1 else str(len(samples))
            word = SpokenWord(text, 0.0, len(samples) / RATE, 0.9)
            unsure = level > 0.6 and search.beam_size == 1
            silent = level < 0.1 and not (self.vocabulary and search.with_vocabulary)
            found.append(Recognition(text, (word,), "en", -1.5 if unsure or silent else -0.1, 0.9 if silent else 0.0))
        return found


def hum(length_s: float, amplitude: float = 0.3) -> Float32Array:
    return tone(200, length_s, amplitude=amplitude)


@given(st.lists(st.sampled_from([0.05, 1.0, 1.5, 3.2, 3.7, 9.0]), max_size=8), st.integers(1, 4))
def test_results_come_in_order_and_do_not_depend_on_the_batches(lengths_s: list[float], size: int) -> None:
    pieces = [hum(length_s) for length_s in lengths_s]
    expected = [str(len(piece)) if len(piece) >= 1600 else "" for piece in pieces]
    batches = [pieces[at : at + size] for at in range(0, len(pieces), size)]
    assert [found.text for batch in batches for found in Counter().recognise(batch)] == expected


def test_what_shares_a_window_shares_a_batch() -> None:
    counter = Counter()
    counter.recognise([hum(1.5), hum(9.2), hum(1.9)])
    assert [(n, window_s) for n, window_s, _ in counter.calls] == [(2, 4.0), (1, 12.0)]
    assert len({search.n_tokens for n, _, search in counter.calls if n == 2}) == 1


def test_only_the_doubtful_piece_is_decoded_again() -> None:
    counter = Counter()
    found = counter.recognise([hum(1.5), hum(1.5, amplitude=0.9)])
    assert [(n, window_s, search.beam_size) for n, window_s, search in counter.calls] == [(2, 4.0, 1), (1, 30.0, 5)]
    assert found[1].confidence > 0.6


def test_a_vocabulary_is_not_believed_where_nobody_is_heard_without_it() -> None:
    found = Counter(vocabulary=["Falcon"]).recognise([hum(2.0, amplitude=0.05), hum(2.0)])
    assert found[0].text == "32000"
    assert found[0].is_silence
    assert found[1].text == "32000"
    counter = Counter(vocabulary=[" ", ""])
    assert counter.vocabulary_text == ""
    assert Counter(vocabulary=["Falcon", " Ada Yonath "]).vocabulary_text == " Falcon, Ada Yonath."


def test_a_language_is_worth_its_probability_and_a_fixed_one_what_it_is_beside_the_best() -> None:
    chances = [("en", 0.2), ("de", 0.4)]
    assert Counter("auto").language_of(chances) == ("de", 0.4)
    assert Counter("en").language_of(chances) == ("en", 0.5)
    assert Counter("de").language_of(chances) == ("de", 1.0)
    assert Recognition("x", (), "en", -0.01, 0.0, 0.3).confidence == 0.3
    with pytest.raises(RecogniserError, match="language 'nl' is not known; allowed are auto, de, en"):
        Counter("nl")


def test_a_text_of_marks_alone_has_no_words() -> None:
    assert placed([SpokenWord(" .", 0.1, 0.2, 0.5), SpokenWord(" .", 0.2, 0.4, 0.5)], hum(1.0)) == ()
    assert placed([], hum(1.0)) == ()
