from __future__ import annotations

import numpy as np
import pytest

from models.recognition import Recognition, SpokenWord, best_of, token_bound
from models.text_guard import believed_words
from pipeline.testing import noise, tone

LOUD = tone(200, 4.0)


def heard(
    text: str, *, log_probability: float = -0.2, no_speech: float = 0.01, probability: float = 0.9, pace_s: float = 0.3
) -> Recognition:
    words = tuple(SpokenWord(word, i * pace_s, (i + 1) * pace_s, probability) for i, word in enumerate(text.split()))
    return Recognition(text, words, "en", log_probability, no_speech)


def texts(recognition: Recognition, samples: np.ndarray = LOUD) -> str:
    return " ".join(word.text for word in believed_words(recognition, samples, 16000))


def test_a_sure_text_is_believed() -> None:
    assert texts(heard("Could you bring the blue folder tomorrow?")) == "Could you bring the blue folder tomorrow?"
    assert texts(heard("Thank you.")) == "Thank you."
    assert texts(heard("No, no, no, no!")) == "No, no, no, no!"


@pytest.mark.parametrize(
    "recognition",
    [
        heard("We are here", log_probability=-1.2, no_speech=0.8),
        heard("We are here", log_probability=-1.8),
        heard("We are here", probability=0.1),
        heard("Thank you.", no_speech=0.4),
        heard("Thanks for watching!", log_probability=-0.8),
        heard("there is no time for all of these many words to be said " * 4 + "in so little sound"),
        heard(""),
    ],
)
def test_what_nobody_said_is_struck(recognition: Recognition) -> None:
    assert texts(recognition) == ""


def test_unlikely_words_in_silence_are_struck_and_the_rest_stays() -> None:
    samples = np.concatenate([tone(200, 1.0), np.zeros(48000, np.float32)])
    recognition = Recognition(
        "All right. Thank you.",
        (
            SpokenWord("All", 0.1, 0.4, 0.9),
            SpokenWord("right.", 0.4, 0.9, 0.9),
            SpokenWord("Thank", 3.0, 3.2, 0.2),
            SpokenWord("you.", 3.2, 3.5, 0.3),
        ),
        "en",
        -0.4,
        0.1,
    )
    assert texts(recognition, samples) == "All right."


def test_a_loop_is_cut_to_its_first_time() -> None:
    assert texts(heard("We begin " + "and so it goes " * 4, pace_s=0.2)) == "We begin and so it goes"


def test_nothing_can_be_said_in_silence() -> None:
    assert texts(heard("Hello there", probability=0.9), np.zeros(64000, np.float32)) == ""
    assert texts(heard("Hello there"), noise(4.0)) == "Hello there"


def test_of_several_attempts_a_loop_is_the_last_choice() -> None:
    loop, guess, good = (
        heard("so on " * 8, log_probability=-0.1),
        heard("so one", log_probability=-1.4),
        heard("so on", log_probability=-1.1),
    )
    assert loop.is_doubtful(0.6)
    assert guess.is_doubtful(0.6)
    assert best_of([loop, guess, good]) is good
    assert best_of([loop]) is loop
    assert not heard("so on and on").is_doubtful(0.6)
    assert token_bound(10.0) == 184
