"""What was taken back later than any line that a question finds: further on, after a silence, of any of several quotes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.small_rooms import STARTED, Ask, asking

SAID = (
    ("The plumber repairs the boiler on Tuesday.", "t1"),
    ("Then the bathroom will be warm at last.", "t2"),
    ("I have worn two pullovers since the weekend.", "t1"),
    ("My towels never get dry in there.", "t2"),
    ("The window does not close well either.", "t1"),
    ("We should have moved to the south.", "t2"),
    ("My cousin lives in Spain and swims every day.", "t1"),
    ("You never told me that you had a cousin.", "t2"),
    ("No wait, I misread my diary, it is Thursday.", "t1"),
)
EVERY_S = 4.5
# More like the question than what surrounds the correction, so that no search looks there.
BEFORE = tuple(
    f"{who} {what}."
    for who in ("The plumber", "A plumber from the village", "My neighbour the plumber")
    for what in ("knows every boiler", "likes old boilers", "repairs boilers and taps", "never repairs a boiler alone", "hates new boilers")
)


@pytest.fixture
def ask(encoder: MinilmOnnx) -> Iterator[Ask]:
    """Two people, of whom one takes back half a minute later what was said, beside somebody else who takes back something too."""
    before = [line_row(text, 5.0 * place, track="t5", session="before") for place, text in enumerate(BEFORE)]
    rows = [line_row(text, 1.0 + EVERY_S * place, track=track) for place, (text, track) in enumerate(SAID)]
    rows.append(line_row("No wait, the concert is on Saturday.", 30.0, track="t3", azimuth_deg=200.0))
    with asking(encoder, {"before": before, "s": rows}) as found:
        yield found


def test_the_answer_goes_on_to_what_holds(ask: Ask) -> None:
    answer = ask("When does the plumber repair the boiler?")
    assert [evidence.text for evidence in answer.claims[0].evidence] == [SAID[0][0], SAID[-1][0]]
    assert "That was taken back: at 0:37" in answer.text


def test_as_of_a_moment_before_it_was_taken_back_it_holds(ask: Ask) -> None:
    answer = ask("When does the plumber repair the boiler?", at=STARTED + timedelta(seconds=30))
    assert [evidence.text for evidence in answer.claims[0].evidence] == [SAID[0][0]]


def test_what_is_taken_back_after_a_silence_is_found_and_somebody_else_takes_back_nothing_of_it(encoder: MinilmOnnx) -> None:
    said = [line_row(text, 1.0 + EVERY_S * place, track=track, event="e1") for place, (text, track) in enumerate(SAID[:2])]
    other = line_row("No wait, I misread my diary, it is Friday.", 45.0, track="t7", azimuth_deg=200.0, event="e3")
    back = [line_row(SAID[-1][0], 55.0, track="t1", event="e2"), line_row("Then I shall be at home.", 60.0, track="t2", event="e2")]
    with asking(encoder, {"s": [*said, other, *back]}) as ask:
        answer = ask("When does the plumber repair the boiler?")
    assert [evidence.text for evidence in answer.claims[0].evidence] == [SAID[0][0], SAID[-1][0]]


def test_what_was_taken_back_is_told_of_every_quote(encoder: MinilmOnnx) -> None:
    weekdays = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    sessions = {
        f"s{place}": [
            line_row(
                f"The plumber comes for boiler number {place} on {told}, he said.", 1.0, session=f"s{place}", track="t1", event=f"e{place}"
            ),
            line_row("Plumber or no plumber, that boiler has never worked.", 6.0, session=f"s{place}", track="t2", event=f"e{place}"),
            line_row(f"No wait, I misread my diary, it is {holds}.", 30.0, session=f"s{place}", track="t1", event=f"late{place}"),
        ]
        for place, (told, holds) in enumerate(zip(weekdays[:5], weekdays[2:], strict=True))
    }
    with asking(encoder, sessions) as ask:
        answer = ask("What was said about the boiler?")
    assert len(answer.claims) == 5
    assert all("That was taken back: at 0:30" in claim.text for claim in answer.claims)
