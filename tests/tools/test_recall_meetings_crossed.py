"""What is learnt without a meeting's series, and how a lead is told with its interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stages.recall.encoder_fits import relevance_fit
from tests.tools.test_fit_query_adapter import made_examples
from tools.fit_query_adapter import learnt
from tools.recall_meetings_crossed import crossed_fits, leads
from tools.recall_meetings_data import Meeting
from tools.recall_meetings_score import Scores


def test_a_meeting_is_asked_with_what_was_learnt_without_its_series() -> None:
    series = ("ES1", "ES2", "ES3", "ES4")
    asked = [replace(example, group=series[place % 4]) for place, example in enumerate(made_examples(24))]
    rooms = [replace(example, group="room") for example in made_examples(4)]
    meetings = [Meeting(f"{name}{letter}", (), ()) for name in series for letter in "ab"]
    fits = crossed_fits(meetings, asked, rooms)
    assert fits.keys() == {meeting.name for meeting in meetings}
    start = relevance_fit("").weights
    meaning = np.eye(8, dtype=np.float32)[0]
    for name in series:
        alone = learnt([*(example for example in asked if example.group != name), *rooms], start)
        assert fits[f"{name}a"] is fits[f"{name}b"]
        assert np.array_equal(fits[f"{name}a"].moved(meaning), alone.moved(meaning))
    assert not np.array_equal(fits["ES1a"].moved(meaning), fits["ES2a"].moved(meaning))


def test_a_lead_is_over_the_best_other_and_has_an_interval() -> None:
    right, wrong = Scores(1.0, 1.0, 1.0, 1.0, 1.0), Scores(0.0, 0.0, 0.0, 0.0, 0.0)
    told = leads({"Echoic": [right] * 30 + [wrong] * 10, "dense": [right] * 20 + [wrong] * 20, "words": [right] * 10 + [wrong] * 30}, 500)
    first = told.split(", ")[0]
    assert first.startswith("hit@5 +50.0 % (+")
    low, high = (float(part) for part in first.split("(")[1].rstrip(" %)").split(" to "))
    assert 15.0 < low < 50.0 < high < 110.0
