from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stages.recall.boosted_trees import BoostedTrees
from stages.recall.fact_features import NAMES
from tools.fit_examples import Example
from tools.reader_lessons import Lessons, Read, SomeOf


def example(number: int, *, kind: str = "fact", near: tuple[str, ...] = (), also: tuple[str, ...] = ()) -> Example:
    """A question with ten lines, of which the first answers, and the second is of the answer."""
    lines = tuple((f"before {number} {place}", f"line {number} {place}") for place in range(10))
    rows = np.zeros((10, len(NAMES)))
    rows[:, 0] = np.arange(10) / 10
    places = np.arange(10)
    return Example(f"topic {number}", kind, f"How much {number}?", lines, rows, places == 0, places == 1, also, near)


@pytest.fixture(scope="module")
def trees() -> BoostedTrees:
    """A tree for which a line is the likelier the further behind it stands, up to the seventh."""
    found = BoostedTrees.leaves(NAMES, 0.0, (7, 3))
    for number in range(7):
        found.feature[number, 0], found.threshold[number, 0] = 0, number / 10 - 0.05
        found.left[number, 0], found.right[number, 0] = 1, 2
        found.value[number, 1:] = (0.0, 1.0)
    return found


def test_the_likeliest_lines_that_do_not_answer_are_learnt_and_those_of_the_answer_are_not(trees: BoostedTrees) -> None:
    assert trees.log_odds(example(0).rows).argmax() == 6
    read, right = Lessons([example(0)], trees).round(0)
    assert [question for question, _, _ in read] == ["How much 0?"] * 4
    assert [line for _, _, line in read] == ["line 0 0", "line 0 6", "line 0 7", "line 0 8"]
    assert right == [True] + [False] * 3


def test_of_a_round_some_are_kept_where_more_would_be_too_many(trees: BoostedTrees) -> None:
    examples = [example(number) for number in range(20)]
    every, few = Lessons(examples, trees).round(1), Lessons(examples, trees, 30).round(1)
    assert len(few[0]) == len(few[1]) == 30 < len(every[0])
    pairs = set(zip(*every, strict=True))
    assert set(zip(*few, strict=True)) < pairs


def test_a_line_that_answers_a_question_on_another_topic_is_learnt_as_no_answer(trees: BoostedTrees) -> None:
    read, right = Lessons([example(number) for number in range(20)], trees).round(0)
    others = [
        (question, line) for (question, _, line), is_right in zip(read, right, strict=True) if question.split()[2][:-1] != line.split()[1]
    ]
    assert 4 < len(others) < 16
    assert {line.split()[2] for _, line in others} == {"0"}
    assert sum(right) == 20


def test_questions_are_asked_in_other_words_and_for_what_nothing_answers(trees: BoostedTrees) -> None:
    examples = [example(number, also=("So how much?", "At what price?"), near=("Who paid?",)) for number in range(400)]
    lessons = Lessons(examples, trees)
    read, right = lessons.round(0)
    asked = Counter("near" if question == "Who paid?" else "also" if question[0] in "SA" else "own" for question, _, _ in read)
    assert 0.1 < asked["near"] / len(read) < 0.25
    assert 0.35 < asked["also"] / len(read) < 0.6
    assert not any(is_right for (question, _, _), is_right in zip(read, right, strict=True) if question == "Who paid?")
    of_near = {line.split()[2] for question, _, line in read if question == "Who paid?"}
    assert "0" in of_near
    assert sum(right) == len({line.split()[1] for (_, _, line), is_right in zip(read, right, strict=True) if is_right})
    assert lessons.round(0) == (read, right)
    assert lessons.round(1) != (read, right)


def test_what_was_said_before_is_often_left_out_or_exchanged(trees: BoostedTrees) -> None:
    read, _ = Lessons([example(number) for number in range(300)], trees).round(0)
    own = [before == line.replace("line", "before") for _, before, line in read]
    left_out = [before == "" for _, before, _ in read]
    assert 0.5 < sum(own) / len(read) < 0.6
    assert 0.25 < sum(left_out) / len(read) < 0.35
    assert all(before == "" or before.startswith("before ") for _, before, _ in read)


def test_easy_lessons_have_one_line_that_answers_and_one_that_does_not(trees: BoostedTrees) -> None:
    lessons = Lessons([example(number, also=("So how much?",), near=("Who paid?",)) for number in range(40)], trees)
    steps = [lessons.easy(number) for number in range(20)]
    for read, right in steps:
        assert [question.split()[0] for question, _, _ in read] == ["How"] * 32
        assert {before for _, before, _ in read} == {""}
        assert right == [True, False] * 16
        for (question, _, answers), (same, _, other) in zip(read[::2], read[1::2], strict=True):
            assert question == same
            assert answers == f"line {question.split()[2][:-1]} 0"
            assert other not in {answers, f"{answers[:-1]}1"}
    others = [line.split()[1] == question.split()[2][:-1] for read, _ in steps for question, _, line in read[1::2]]
    assert 0.5 < sum(others) / len(others) < 0.7
    assert lessons.easy(3) == steps[3] != steps[4]


def test_questions_that_nothing_answers_are_not_easy(trees: BoostedTrees) -> None:
    answered, never = example(0), example(1)
    never.right[:] = False
    assert {question for question, _, _ in Lessons([answered, never], trees).easy(0)[0]} == {answered.question}


def test_some_of_a_round_are_kept_with_what_is_so_of_them() -> None:
    class Numbers:
        def round(self, number: int) -> tuple[list[Read], list[bool]]:
            return [(f"{number}", "", f"{place}") for place in range(50)], [place % 3 == 0 for place in range(50)]

    some = SomeOf(Numbers(), 20)
    read, right = some.round(4)
    assert (read, right) == some.round(4)
    assert len(set(read)) == 20
    assert right == [int(line) % 3 == 0 for _, _, line in read]
    assert {question for question, _, _ in read} == {"4"}
    assert [line for _, _, line in read] != [line for _, _, line in some.round(5)[0]]
    assert len(SomeOf(Numbers(), 80).round(0)[0]) == 50
