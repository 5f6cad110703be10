"""A model's opinion on which line answers: when it is asked for, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from stages.answer.chat_answerer import ChatAnswerer
from stages.memory.rows import LineRow
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.question import parse
from stages.recall.search import Ranked
from stages.recall.second_opinion import MOST_SHOWN, TopicOpinion, with_opinion
from stages.recall.support import THRESHOLD
from stages.recall.topic_support import judged, topic_of
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker
from tests.stages.recall.test_question import MOMENTS

UNIT = np.eye(4, dtype=np.float32)[0]
QUESTION = parse("When does the ferry leave?", MOMENTS)
LINES = tuple(line_row(f"line number {number}", 10.0 * number) for number in range(12))
RANKED = Ranked(LINES, {line.id: 0.5 for line in LINES}, {}, {}, {}, (LINES,))


def _never(text: str, lines: Sequence[tuple[LineRow, str]]) -> Sequence[int] | None:
    raise AssertionError(f"{text}: {lines}")


def _names(*places: int) -> Sequence[int]:
    return places


def test_what_a_model_names_answers_and_nothing_else() -> None:
    supports = [0.3, 0.6, 0.2, 0.1]
    found = with_opinion(QUESTION, RANKED, LINES[:4], supports, lambda _, __: _names(0))
    # The likeliest is shown first: place 0 is that of the second line.
    assert [support >= THRESHOLD for support in found] == [False, True, False, False]
    found = with_opinion(QUESTION, RANKED, LINES[:4], supports, lambda _, __: _names(2, 1))
    assert [support >= THRESHOLD for support in found] == [True, False, True, False]
    assert found[2] > found[0]
    assert max(with_opinion(QUESTION, RANKED, LINES[:4], supports, lambda _, __: ())) < THRESHOLD


@pytest.mark.parametrize("best", [0.0, 0.005, 0.97, 1.0])
def test_where_there_is_no_doubt_no_model_is_asked(best: float) -> None:
    supports = [best, 0.0]
    assert with_opinion(QUESTION, RANKED, LINES[:2], supports, _never) == supports


def test_no_opinion_and_no_line_leave_everything_as_it_was() -> None:
    supports = [0.3, 0.6]
    assert with_opinion(QUESTION, RANKED, LINES[:2], supports, lambda _, __: None) == supports
    assert with_opinion(QUESTION, RANKED, (), [], _never) == []


def test_the_likeliest_are_shown_with_what_was_asked_before_them() -> None:
    asked = line_row("And when does it leave?", 0.0)
    answer = line_row("At nine.", 10.0)
    shown: list[Sequence[tuple[LineRow, str]]] = []

    def keep(text: str, lines: Sequence[tuple[LineRow, str]]) -> None:
        assert text == QUESTION.text
        shown.append(lines)

    ranked = Ranked((answer, asked), {asked.id: 0.5, answer.id: 0.6}, {}, {}, {}, ((asked, answer),))
    with_opinion(QUESTION, ranked, (answer, asked), [0.4, 0.2], keep)
    assert [(line.text, before) for line, before in shown[0]] == [("At nine.", "And when does it leave?"), ("And when does it leave?", "")]
    with_opinion(QUESTION, RANKED, LINES, [0.3 + 0.01 * number for number in range(11)] + [0.0005], keep)
    assert [line.id for line, _ in shown[1]] == [line.id for line in LINES[10 : 10 - MOST_SHOWN : -1]]
    with_opinion(QUESTION, RANKED, LINES[:2], [0.3, 0.0005], keep)
    assert len(shown[2]) == 1


class Names(ChatAnswerer):
    """Names the line that has some words, 0 where none that is shown has them."""

    def __init__(self, words: str) -> None:
        super().__init__(most_worded=0, restates=False, judges=True)
        self.words = words
        self.n_asked = 0

    def reply(self, chat: Sequence[Mapping[str, str]]) -> str:
        self.n_asked += 1
        lines = [line for line in chat[-1]["content"].splitlines() if line.startswith("[")]
        return str(next((number for number, line in enumerate(lines, 1) if self.words in line), 0))


def test_a_fact_in_other_words_is_told_in_the_talkers_own(kitchen: Asker) -> None:
    """The words of an answer are never the model's: it only says which line is quoted."""
    asked = "What sum did the mechanic demand for his work?"
    assert kitchen.ask(asked).abstained
    assert isinstance(kitchen.recall, HybridRecall)
    kitchen.recall.answerer = model = Names("four hundred euros")
    answer = kitchen.ask(asked)
    assert model.n_asked
    assert [evidence.text for evidence in answer.claims[0].evidence][:1] == [
        "Yes, the brakes were worn out and it cost me four hundred euros."
    ]
    assert '"Yes, the brakes were worn out and it cost me four hundred euros."' in answer.text
    kitchen.recall.answerer = Names("no line has this")
    assert kitchen.ask(asked).abstained


def test_stretches_of_talk_are_judged_by_their_best_lines(kitchen: Asker) -> None:
    asked = "Did anybody talk about water damage?"
    by_itself = kitchen.ask(asked)
    assert isinstance(kitchen.recall, HybridRecall)
    kitchen.recall.answerer = model = Names("Water is coming through the roof")
    answer = kitchen.ask(asked)
    assert 1 <= model.n_asked <= 2
    assert {kitchen.room.section_of(evidence.utterance) for claim in answer.claims for evidence in claim.evidence} == {"roof"}
    kitchen.recall.answerer = Names("no stretch has this")
    assert kitchen.ask(asked).abstained
    # Without a model everything is as it was.
    kitchen.recall.answerer = Names("")
    kitchen.recall.answerer.judges = False
    assert (kitchen.ask(asked).text, kitchen.ask(asked).claims) == (by_itself.text, by_itself.claims)


def test_of_a_topic_a_model_is_asked_twice_at_most() -> None:
    n_asked = 0

    def opinion(text: str, lines: Sequence[tuple[LineRow, str]]) -> Sequence[int]:
        nonlocal n_asked
        n_asked += 1
        assert text == "Did they talk about the roof?"
        assert len(lines) == 2
        return [0]

    talk = judged(topic_of("the roof", UNIT), [LINES[:3]], [np.stack([UNIT, UNIT, UNIT])], "")[0]
    asked = TopicOpinion("the roof", opinion)
    assert asked.least(0.5) < 0.05
    for n_so_far in (1, 2, 2):
        found = asked.supports([talk, talk], {0: 0.3, 1: 0.6}, {0: 0, 1: 1})
        assert n_asked == n_so_far
    assert found == {0: 0.3, 1: 0.6}
    assert asked.least(0.5) == 0.5
    assert TopicOpinion("the roof", None).least(0.5) == 0.5
    assert TopicOpinion("the roof", opinion).supports([talk], {0: 0.99}, {0: 0}) == {0: 0.99}
    assert TopicOpinion("the roof", lambda _, __: None).supports([talk], {0: 0.3}, {0: 0}) == {0: 0.3}
    assert TopicOpinion("the roof", lambda _, __: [1]).supports([talk, talk], {0: 0.3, 1: 0.6}, {0: 0, 1: 1}) == {0: 0.8, 1: 0.4}
