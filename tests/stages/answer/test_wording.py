from __future__ import annotations

from dataclasses import replace

import pytest

from stages.answer.wording import Wording, bearing, bearings, listed, offset, people, person, quote
from tests.stages.answer.materials import DOGS, FERRY, SESSIONS, START, stretch
from tests.stages.recall.line_rows import line_row


@pytest.mark.parametrize(("time_ns", "text"), [(0, "0:00"), (42_900_000_000, "0:42"), (61 * 10**9, "1:01"), (3725 * 10**9, "1:02:05")])
def test_offsets(time_ns: int, text: str) -> None:
    assert offset(time_ns) == text


def test_several_sessions_are_named() -> None:
    two = {**SESSIONS, "other": replace(SESSIONS["s"], id="other", started_at=START)}
    assert Wording(SESSIONS).moment("s", 42 * 10**9) == "0:42"
    assert Wording(two).moment("s", 42 * 10**9) == "0:42 (10:00:42 on 2 March 2026, session s)"
    assert Wording(two).span("s", 0, 42 * 10**9) == "0:00-0:42 of session s"
    assert Wording({}).moment("s", 42 * 10**9) == "0:42"


def test_people_and_bearings() -> None:
    assert person(DOGS[0]) == "speaker-1 (30 degrees)"
    assert person(line_row("x", azimuth_deg=None)) == "speaker-1"
    assert people(stretch(FERRY)) == "at 260 and 200 degrees two people (speaker-4 and speaker-3)"
    assert bearings([stretch(DOGS), stretch(FERRY)]) == "30, 75, 200 and 260 degrees"
    assert bearings([]) == ""
    assert bearing(359.7) == "0 degrees"


def test_people_at_one_microphone_are_all_told() -> None:
    talk = (
        line_row("The ferry is late again today", 1.0, track="t1", speaker="Anna", azimuth_deg=None),
        line_row("Is it", 5.0, track="t1", speaker="Ben", azimuth_deg=None),
    )
    assert people(stretch(talk)) == "two people (Anna and Ben)"


def test_lists_and_quotes() -> None:
    assert [listed(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert quote('He said "yes"') == "\"He said 'yes'\""
    assert quote("word " * 50).endswith('word ..."')
