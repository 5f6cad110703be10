"""Questions as people ask them, against what is to be understood of them (phrasings.yaml)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.recall.question import Question, parse
from stages.recall.time_phrase import Moments

NOW = datetime(2026, 3, 4, 10, 45, tzinfo=timezone(timedelta(hours=1)))
MOMENTS = Moments(NOW, NOW - timedelta(minutes=5), NOW - timedelta(minutes=45))
NAMES = ["Anna", "Ben", "Project Manager", "speaker-1"]
ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "phrasings.yaml").read_text(encoding="utf-8"))


def _understood(question: Question, row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"ask": row["ask"], "intent": question.intent}
    found |= {
        key: value
        for key in ("gist", "speaker", "azimuth_deg", "length_s", "pronoun", "edge", "asks_present", "duration")
        if (value := getattr(question, key)) not in (None, "") and value is not False
    }
    if question.refusal is not None:
        found["refusal"] = question.refusal[: len(row.get("refusal", ""))]
    if question.refers:
        found["refers"] = True
    if question.talkers:
        found["talkers"] = list(question.talkers)
    if question.aspects:
        found["aspects"] = list(question.aspects)
    if question.window is not None:
        found["window"] = [moment and moment.isoformat() for moment in (question.window.start, question.window.end)]
    if question.attended is not None:
        found["attended"] = question.attended.topic or question.attended.speaker or question.attended.azimuth_deg
    if question.follow_up is not None:
        found["follow_up"] = question.follow_up.kind
    if question.order is not None:
        found["order"] = [question.order.relation, *question.order.topics]
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["ask"])
def test_what_is_understood(row: dict[str, Any]) -> None:
    assert _understood(parse(row["ask"], MOMENTS, lambda: NAMES, facing_deg=90.0), row) == row


def test_there_are_enough_of_them() -> None:
    assert len({row["ask"] for row in ROWS}) >= 120


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (
            "What did the person on my left say?",
            'Echoic does not know which way you face; give the bearing in degrees, such as "at 90 degrees", or the azimuth that you face: '
            "--facing DEG, or facing_deg under recall: in the config",
        ),
        (
            "What was said at 90 degrees and at 210 degrees?",
            "The question names 2 bearings (90, 210 degrees); ask about one of them at a time",
        ),
        ("What was said on my left and behind me?", "The question names 2 places (left, behind); ask about one of them at a time"),
        (
            "What happened in the last five minutes yesterday?",
            '"yesterday" and "in the last five minutes" have no moment in common; ask about one of them',
        ),
        (
            "What was said between 2026-03-02T10:00 and 2026-03-02T09:00?",
            'The asked time ("between 2026-03-02T10:00 and 2026-03-02T09:00") ends before it begins: from 10:00:00 on 2 March 2026 to'
            " 09:00:00 on 2 March 2026; give the earlier time first",
        ),
        (
            "What was said tomorrow?",
            'The asked time ("tomorrow") has not come yet: it is 10:45:00 on 4 March 2026, and only what was heard can be told',
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(text: str, refusal: str) -> None:
    question = parse(text, MOMENTS, lambda: NAMES)
    assert (question.intent, question.refusal) == ("unservable", refusal)


def test_the_nearest_reading_is_told() -> None:
    window = parse("What was said yesterday between ten and nine?", MOMENTS).window
    assert window is not None
    assert window.note == '"between ten and nine" is read as 10:00 to 21:00 on 3 March.'


@pytest.mark.parametrize(("facing", "side", "azimuth"), [(0, "left", 90), (0, "right", 270), (270, "left", 0), (200, "behind", 20)])
def test_a_side_is_a_bearing_of_who_faces_a_known_way(facing: int, side: str, azimuth: int) -> None:
    place = "behind me" if side == "behind" else f"on my {side}"
    question = parse(f"What was said {place}?", MOMENTS, facing_deg=float(facing))
    assert (question.azimuth_deg, question.azimuth_tolerance_deg) == (float(azimuth), 45.0)


def test_a_book_is_refused_by_its_length() -> None:
    question = parse("dog " * 10_000, MOMENTS)
    assert question.refusal is not None
    assert question.refusal.startswith("The question has 10000 words; at most 200 are read.")
