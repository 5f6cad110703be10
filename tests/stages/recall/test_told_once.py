"""What sleep found to be said twice is told once in an answer, and all of it stays in what was retrieved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.packets import NS_PER_S
from stages.answer.extractive import Extractive
from stages.memory.attention.attention_row import Attention
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.row_writer import utc_ns
from stages.recall.answers import Answer
from stages.recall.keyword_recall import KeywordRecall
from tests.stages.memory.made import STARTED_AT
from tests.stages.memory.made_sleep import SUBJECTS, nap, opened, say


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    """A story that is told word for word again a minute later, and another one."""
    made = opened()
    say(made, 1, SUBJECTS[0], 0.0)
    say(made, 2, SUBJECTS[1], 30.0)
    say(made, 3, SUBJECTS[0], 60.0, ("t3", "t4"))
    yield made
    made.stop()


def ask(memory: LongTermMemory, question: str, at_s: float | None = None) -> Answer:
    at = None if at_s is None else STARTED_AT + timedelta(seconds=at_s)
    return KeywordRecall(memory, Extractive()).ask(question, at=at, now=STARTED_AT + timedelta(seconds=100))


def told(answer: Answer) -> int:
    return sum("ferry" in claim.text for claim in answer.claims)


@pytest.mark.parametrize("question", ["Catch me up", "What did I miss?"])
def test_once_it_was_found_out_a_copy_is_not_told_again(memory: LongTermMemory, question: str) -> None:
    assert told(ask(memory, question)) == 2
    nap(memory)
    assert memory.findings.same_as("s1-event-3") == "s1-event-1"
    answer = ask(memory, question)
    assert (told(answer), len(answer.claims), len(answer.retrieved)) == (1, 2, 6)


def test_a_copy_is_told_where_what_it_repeats_was_not_missed(memory: LongTermMemory) -> None:
    nap(memory)
    away = Attention("away", utc_ns(STARTED_AT) + 50 * NS_PER_S)
    memory.attention.declare([away])
    assert told(ask(memory, "What did I miss while I was away?")) == 1
    memory.attention.declare([Attention("away", utc_ns(STARTED_AT))])
    answer = ask(memory, "What did I miss?")
    assert (told(answer), [stretch.event for stretch in answer.missed if "ferry" in stretch.summary]) == (1, ["s1-event-1"])


def test_as_of_a_moment_before_the_copy_nothing_of_it_is_known(memory: LongTermMemory) -> None:
    nap(memory)
    assert told(ask(memory, "What did I miss?", at_s=50.0)) == 1
