"""How long people talked, in words."""

from __future__ import annotations

import pytest

from stages.answer.extractive import Extractive
from stages.answer.spoken_time import lasted
from stages.recall.material import Found, Material
from tests.stages.answer.materials import DOGS, FERRY, SESSIONS, question, stretch
from tests.stages.recall.line_rows import line_row


@pytest.mark.parametrize(
    ("length_s", "words"),
    [
        (0.2, "less than a second"),
        (1.0, "1 second"),
        (59.6, "1 minute"),
        (125.0, "2 minutes and 5 seconds"),
        (3600.0, "1 hour"),
        (7985.0, "2 hours and 13 minutes"),
    ],
)
def test_a_length_in_words(length_s: float, words: str) -> None:
    assert lasted(round(length_s * 1e9)) == words


def test_parts_are_added_up_and_what_was_said_at_once_counts_once() -> None:
    later = line_row("The dog is back", 70.0, track="t1", event="s-back")
    material = Material(stretches=(stretch(DOGS), stretch(FERRY), stretch((later,))), sessions=SESSIONS)
    claim = Extractive().compose(question("How long did they talk?"), material)[0]
    assert claim.text.startswith(
        "speaker-1, speaker-2, speaker-3 and speaker-4 talked for 12 seconds in all, 2 times (0:01-0:11 and 1:10-1:11). At 0:01"
    )
    assert claim.confidence == pytest.approx(0.9 * 0.95)


def test_a_claim_is_as_sure_as_the_best_line_that_was_found() -> None:
    material = Material(found=(Found(DOGS[0], 1.0, 0.6, 1.0),), stretches=(stretch(DOGS),), sessions=SESSIONS)
    claim = Extractive().compose(question("Who talked most about the dog?"), material)[0]
    assert claim.text == (
        "speaker-1 (30 degrees) spoke most about it, for 3 seconds in 1 line; speaker-2 (75 degrees) for 2 seconds. "
        'At 0:01, speaker-1 (30 degrees) said: "My dog ran away in the park yesterday"'
    )
    assert claim.confidence == pytest.approx(0.6 * 0.95)


def test_a_part_of_what_there_is_tells_how_long_it_was_at_least() -> None:
    material = Material(stretches=(stretch(DOGS),), sessions=SESSIONS, is_part=True)
    claim = Extractive().compose(question("How long did they talk about the dog?"), material)[0]
    assert claim.text.startswith("speaker-1 and speaker-2 talked about it for at least ")
    assert claim.confidence == pytest.approx(0.9 * 0.95 * 0.7)
    claim = Extractive().compose(question("Who talked most about the dog?"), material)[0]
    assert claim.text.startswith("speaker-1 (30 degrees) spoke most about it, for at least 3 seconds in 1 line; speaker-2")


def test_who_spoke_without_known_words_is_counted_too() -> None:
    silent = line_row("[speech] [speech] [speech]", 1.0, track="t9", confidence=0.0)
    material = Material(stretches=(stretch((silent,)),), sessions=SESSIONS)
    claim = Extractive().compose(question("Who spoke most?"), material)[0]
    assert claim.text == (
        "speaker-9 (30 degrees) spoke most, for 1 second in 1 line. At 0:01, speaker-9 (30 degrees) spoke; the words were not transcribed."
    )
