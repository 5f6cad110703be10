"""Plain talks imported and asked: what counts as right, and the table of it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from tools.recall_talks import Verdict, questions, table, transcript, verdicts
from tools.written_talks import Asked, WrittenTalk

TALK = WrittenTalk(
    name="ferry",
    lines=(
        (1, "Ana", "The ferry to the island leaves at nine on Thursday."),
        (2, "Ben", "Then I shall bring the sandwiches and the old thermos flask."),
        (3, "Ana", "My knee hurts since the race in the hills."),
    ),
    asked=(
        Asked(q="When does the ferry to the island leave?", a=(1,)),
        Asked(q="Who won the football match in Madrid?", near=(3,)),
        Asked(q="Who brings the sandwiches?", a=(1,)),
    ),
    about=("the ferry to the island",),
    not_about=("nuclear power stations",),
)


def test_a_talk_becomes_a_transcript(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in transcript(TALK, tmp_path).read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == [text for *_, text in TALK.lines]
    assert [row["speaker"] for row in rows] == ["Ana", "Ben", "Ana"]
    assert rows[0]["azimuth_deg"] == rows[2]["azimuth_deg"] != rows[1]["azimuth_deg"]
    assert all(one["end_s"] < other["start_s"] for one, other in pairwise(rows))


def test_every_question_comes_with_what_answers_it() -> None:
    asked = list(questions(TALK))
    assert [kind for kind, *_ in asked] == ["told", "near", "told", "about", "not about"]
    assert asked[0][2] == (TALK.text(1),)
    assert asked[1][2] == ()
    assert asked[3][1] == "Did they talk about the ferry to the island?"


def test_what_comes_of_questions(weights: Path) -> None:
    assert weights.is_dir()
    found = {one.question: one for one in verdicts([TALK], Path("configs/replay.yaml"))}
    assert found["When does the ferry to the island leave?"].came == "right"
    assert found["Who won the football match in Madrid?"].came == "refused"
    # The truth given for this one is false, so that what is cited is not it.
    assert found["Who brings the sandwiches?"].came == "wrong"
    assert found["Did they talk about the ferry to the island?"].came == "right"
    assert found["Did they talk about nuclear power stations?"].came == "refused"


def test_the_table_has_shares_by_kind() -> None:
    rows = [Verdict("t", "told", "q", came, "", 0.0) for came in ("right", "right", "refused", "wrong")]
    rows.append(Verdict("t", "near", "q", "refused", "", 0.0))
    assert table(rows).splitlines()[2:] == ["| told | 4 | 0.500 | 0.250 | 0.250 |", "| near | 1 | 0.000 | 1.000 | 0.000 |"]
