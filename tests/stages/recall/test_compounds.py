"""Words for kinds of things in a question: where they ask for one, and where they are part of a name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stages.recall.compounds import kind_words
from stages.recall.question import parse
from stages.recall.time_phrase import Moments

MOMENTS = Moments(datetime(2026, 3, 4, 10, 45, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("What did they decide about the day room?", "day room"),
        ("Did anybody mention the waiting room?", "waiting room"),
        ("What did they say about the time table?", "time table"),
        ("Who wears the name badge?", "wears name badge"),
        ("What is the colour scheme?", "colour scheme"),
        ("What colour is the waiting room?", "waiting room"),
        ("Will the town council vote?", "town council vote"),
        ("Who knows Anna's phone number?", "knows anna's phone number"),
    ],
)
def test_a_compound_is_kept_whole(text: str, gist: str) -> None:
    assert parse(text, MOMENTS).gist == gist


@pytest.mark.parametrize(
    "text",
    [
        "Which room is it?",
        "What is the room number of the hotel?",
        "When did Clara say what the start number was?",
        "What's the name of the dog?",
        "When is the release date?",
        "Where is the best place for fishing?",
        "Does the place open on Sunday?",
        "What is the name Anna chose?",
    ],
)
def test_what_asks_for_a_kind_falls_away(text: str) -> None:
    assert kind_words(text) >= {"room", "number", "name", "date", "place"}
