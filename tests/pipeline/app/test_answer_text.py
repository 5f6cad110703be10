from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.app.answer_text import answer_text, bearing, when

STARTS = {"s1": datetime(2026, 11, 22, 19, 45, tzinfo=UTC)}
EVIDENCE: dict[str, Any] = {
    "utterance": "s1-t2-00012400",
    "session": "s1",
    "start_s": 12.4,
    "end_s": 17.1,
    "azimuth_deg": 209.6,
    "speaker": "speaker-2",
    "text": "The key is in the blue box.",
    "clip": "clips/a.flac",
}


def answer(**changes: Any) -> dict[str, Any]:
    claim = {"text": "speaker-2 said where the key is.", "confidence": 0.93, "evidence": [EVIDENCE]}
    return {"answer": "The key is in the blue box.", "claims": [claim], "gaps": [], "abstained": False, **changes}


def test_each_claim_says_who_where_when_the_words_and_the_clip() -> None:
    assert answer_text(answer(), STARTS, Path("mem")) == (
        "The key is in the blue box.\n\n"
        "1. speaker-2 said where the key is.  (sure to 93%)\n"
        "   speaker-2, at 210°, 2026-11-22 19:45:12 (+12.4 to +17.1 s of s1)\n"
        "   “The key is in the blue box.”\n"
        "   play mem/clips/a.flac"
    )


def test_a_claim_that_stands_in_the_answer_is_not_repeated() -> None:
    text = answer_text(answer(answer="speaker-2 said where the key is."), STARTS, Path("mem"))
    assert text.splitlines()[2] == "1. speaker-2, at 210°, 2026-11-22 19:45:12 (+12.4 to +17.1 s of s1)  (sure to 93%)"


def test_an_abstaining_answer_is_one_line() -> None:
    assert answer_text(answer(answer="Nobody spoke of that.", claims=[]), STARTS, Path("mem")) == "Nobody spoke of that."


def test_what_was_not_heard_is_told_once() -> None:
    gap = {"session": "s1", "start_s": 3.0, "end_s": 4.0, "reason": "overrun"}
    told = "Nobody spoke of that. Not heard: 0:03 to 0:04 is missing (the disk was too slow)."
    assert answer_text(answer(answer=told, gaps=[gap], claims=[]), STARTS, Path("mem")) == told


def test_without_bearing_or_known_session() -> None:
    assert bearing(None) == "no bearing"
    assert when({**EVIDENCE, "session": "gone"}, STARTS) == "+12.4 to +17.1 s of gone"
