from __future__ import annotations

from itertools import pairwise

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
        heard("there is no time for all of these many words to be said in so little sound " + " ".join(f"word{n:04d}" for n in range(20))),
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


SNOW = "My dog was so happy in the snow this morning."
# Word times of two texts that Whisper base wrote over the demo's room, in seconds from the start of the audio.
SNOW_ENDS_S = [0.38, 0.62, 0.82, 1.0, 1.3, 1.5, 1.58, 1.82, 2.06, 2.42]
DOCTOR = "The animal doctor says that my dog is too heavy."
WALKS = "She needs long walks every day."
DOCTOR_ENDS_S = [0.16, 1.14, 1.54, 1.82, 2.02, 2.16, 2.44, 2.66, 2.84, 3.12, 3.8, 4.0, 4.26, 4.6, 4.98, 5.24]


def squeezed(said: str, ends_s: list[float], start_s: float, made_up: str, last: SpokenWord | None = None) -> Recognition:
    ends_s = [start_s, *ends_s, *(ends_s[-1] + 0.02 * (n + 1) for n in range(len(made_up.split())))]
    words = [SpokenWord(text, *times, 0.95) for text, times in zip(f"{said} {made_up}".split(), pairwise(ends_s), strict=True)]
    words += [last] if last else []
    return Recognition(" ".join(word.text for word in words), tuple(words), "en", -0.24, 0.01)


def test_a_sentence_that_is_said_again_in_no_time_is_struck() -> None:
    snow = squeezed(SNOW, SNOW_ENDS_S, 0.27, f"Yes, my dog. Yes, my dog. {SNOW}", SpokenWord("Yes,", 3.07, 3.46, 0.63))
    assert not snow.is_loop
    assert snow.n_squeezed == 17
    assert snow.is_doubtful(0.6)
    assert texts(snow) == SNOW
    said = f"{DOCTOR} {WALKS}"
    doctor = squeezed(said, DOCTOR_ENDS_S, 0.0, f"{said} {DOCTOR} She")
    assert doctor.is_doubtful(0.6)
    assert texts(doctor, tone(200, 5.5)) == said
    assert not heard(said).is_doubtful(0.6)


def test_a_repeat_is_struck_where_it_is_squeezed_in_part_or_not_in_the_sound() -> None:
    spread = [0.2 * (n + 1) for n in range(len(SNOW.split()))]
    # The alignment gives the first two words of the repeat the time up to the end of the sound.
    words = [SpokenWord(text, *times, 0.95) for text, times in zip(SNOW.split(), pairwise([0.0, *spread]), strict=True)]
    again_s = [2.0, 2.3, 2.6, *(2.6 + 0.02 * (n + 1) for n in range(8))]
    again = [SpokenWord(text, *times, 0.95) for text, times in zip(SNOW.split(), pairwise(again_s), strict=True)]
    assert texts(Recognition("", (*words, *again), "en", -0.2, 0.0)) == SNOW
    later = [SpokenWord(word.text, word.start_s + 3, word.end_s + 3, 0.95) for word in words]
    twice = Recognition("", (*words, *later), "en", -0.2, 0.0)
    assert texts(twice, np.concatenate([tone(200, 2.5), np.zeros(48000, np.float32)])) == SNOW
    assert texts(twice, tone(200, 5.5)) == f"{SNOW} {SNOW}", "who says it twice has said it twice"


def test_of_several_attempts_the_one_whose_words_are_in_the_sound_is_best() -> None:
    made_up, good = squeezed(SNOW, SNOW_ENDS_S, 0.27, SNOW), heard(SNOW, log_probability=-0.5)
    assert best_of([made_up, good]) is good
    assert best_of([made_up]) is made_up
