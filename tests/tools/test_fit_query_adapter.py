"""Learning where to move questions: from examples by hand, and from a meeting and a room as they are searched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.memory.hashed_words import HashedWords
from stages.recall.encoder_fits import relevance_fit
from stages.recall.relevance import FEATURES, MEANT
from tools.fit_query_adapter import QUESTIONS, learnt, place_of_first, table
from tools.query_examples import QueryExample, from_meetings, from_rooms
from tools.recall_meetings_data import Meeting, MeetingQuestion, MeetingsError, MeetingTurn, read_meetings, tuning_half, with_questions_of
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import FITTED, left_out, topics

_N_LINES, _DIMENSION = 6, 8


def made_examples(n: int = 40) -> list[QueryExample]:
    """What answers a question lies along the next axis; what is worded like it does not answer."""
    generator = np.random.default_rng(5)
    found = []
    for number in range(n):
        axis = int(generator.integers(_DIMENSION // 2)) * 2
        lines = 0.1 * generator.normal(size=(_N_LINES, _DIMENSION))
        lines[3, axis + 1] += 1.0
        lines[5, axis] += 1.0
        meaning = np.eye(_DIMENSION)[axis] + 0.05 * generator.normal(size=_DIMENSION)
        windows = (lines / np.linalg.norm(lines, axis=1, keepdims=True)).astype(np.float32)
        right = np.arange(_N_LINES) == 3
        rest = np.zeros((_N_LINES, len(FEATURES)), dtype=np.float32)
        asked = (meaning / np.linalg.norm(meaning)).astype(np.float32)
        places = np.arange(_N_LINES, dtype=np.int64)
        found.append(QueryExample(f"g{number}", "made", asked, (windows,) * len(MEANT), places, rest, right))
    return found


def test_what_is_learnt_moves_questions_to_what_answers_them() -> None:
    start = relevance_fit("").weights
    examples = made_examples()
    fit = learnt(examples[:32], start, rank=4, rounds=40, rate=0.05)
    without = [place_of_first(example, example.meaning, start) for example in examples[32:]]
    moved = [place_of_first(example, fit.moved(example.meaning), fit.relevance.weights) for example in examples[32:]]
    assert np.mean(without) > 2.0
    assert np.mean(np.array(moved) == 1) >= 0.75
    meant = [FEATURES.index(name) for name in MEANT]
    assert fit.relevance.weights[meant].sum() == pytest.approx(start[meant].sum(), rel=1e-5)
    assert fit.relevance.weights.min() >= 0.0
    assert "| made, moved | 8 |" in table({"made": (without, moved)})


def test_the_same_examples_give_the_same_fit() -> None:
    start = relevance_fit("").weights
    one, other = (learnt(made_examples(10), start, rank=2, rounds=2) for _ in range(2))
    meaning = np.eye(_DIMENSION, dtype=np.float32)[0]
    assert np.array_equal(one.moved(meaning), other.moved(meaning))
    assert not np.array_equal(one.moved(meaning), meaning)
    assert np.array_equal(one.relevance.weights, other.relevance.weights)


def test_a_meeting_is_searched_and_labelled_as_recall_would() -> None:
    texts = ["the budget is tight", "lunch was late", "who opens the window", "it rains again", "we sell remotes"]
    turns = tuple(MeetingTurn(2 * place, 5.0 * place, 5.0 * place + 3.0, "A", text) for place, text in enumerate(texts))
    meeting = Meeting("ES1a", turns, (MeetingQuestion("What about the budget?", frozenset({0, 1})), MeetingQuestion("?", frozenset())))
    about, nothing = from_meetings([meeting], HashedWords())
    assert about.group == "ES1"
    assert about.right.sum() == 1
    assert place_of_first(about, about.meaning, relevance_fit("").weights) == 1.0
    assert not nothing.right.any()
    assert place_of_first(nothing, nothing.meaning, relevance_fit("").weights) == np.inf


@pytest.mark.usefixtures("weights")
def test_questions_to_a_room_stand_with_the_lines_that_answer_them(tmp_path: Path) -> None:
    known = [topic for topic in topics(FITTED) if topic.name in left_out()]
    with RecallOfRooms(Path("configs/replay.yaml")) as recalls:
        found = list(from_rooms(recalls, known, [30_000], tmp_path))
    assert {"fact", "speaker on topic"} <= {example.kind for example in found}
    assert all(example.right.any() for example in found)
    assert all(len(example.rest) == len(example.places) == len(example.right) for example in found)
    assert min(place_of_first(example, example.meaning, relevance_fit("").weights) for example in found) == 1.0


def test_the_written_questions_are_of_the_tuning_half_and_of_turns_that_it_has(shared: Path) -> None:
    meetings = read_meetings(shared / "data" / "qmsum")
    tuning = tuning_half(meetings)
    assert {path.stem for path in QUESTIONS.glob("*.json")} == tuning
    for meeting in meetings:
        if meeting.name in tuning:
            written = with_questions_of(meeting, QUESTIONS).questions
            texts = {question.text for question in written}
            assert len(written) == len(texts) > 30
            assert texts.isdisjoint(question.text for question in meeting.questions)


@pytest.mark.parametrize(
    ("told", "match"),
    [
        (None, "FileNotFoundError"),
        ('[{"q": "Who?"}]', "not a file of questions"),
        ('[{"q": "Who?", "spans": [[0, 2]]}]', r"Who\?.*turns 0 to 2"),
        ('[{"q": "Who?", "spans": []}]', r"Who\?.*no turn"),
    ],
)
def test_questions_to_turns_that_a_meeting_has_not_are_told(tmp_path: Path, told: str | None, match: str) -> None:
    turns = tuple(MeetingTurn(place, 5.0 * place, 5.0 * place + 3.0, "A", "yes") for place in range(2))
    if told is not None:
        (tmp_path / "ES9.json").write_text(told, encoding="utf-8")
    with pytest.raises(MeetingsError, match=match):
        with_questions_of(Meeting("ES9", turns, ()), tmp_path)
