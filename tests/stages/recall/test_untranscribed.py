"""Memories of which only who spoke, where and when, is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from stages.answer.extractive import Extractive
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import WordRow
from stages.recall.keyword_recall import KeywordRecall
from stages.recall.untranscribed import is_untranscribed
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.room_memory import Asker, load_rooms, remember


@pytest.fixture(scope="module")
def wordless() -> Iterator[Asker]:
    room = load_rooms("rooms.yaml")[0]
    lines = tuple(
        replace(line, text="[speech]", words=(WordRow("[speech]", line.start_ns, line.end_ns),), confidence=0.0) for line in room.lines
    )
    room = replace(room, lines=lines)
    encoder = HashedWords()
    encoder.start()
    memory = LongTermMemory(encoder)
    memory.start()
    remember(room, memory, encoder)
    yield Asker(room, memory, KeywordRecall(memory, Extractive()), room.started_at + timedelta(seconds=200))
    memory.stop()


def test_only_a_stand_in_without_confidence_counts() -> None:
    assert is_untranscribed(line_row("[speech]", confidence=0.0))
    assert not is_untranscribed(line_row("[laughter]", confidence=0.9))
    assert not is_untranscribed(line_row("Good morning", confidence=0.0))


@pytest.mark.parametrize(
    "text",
    [
        "Catch me up",
        "What was said between +0 and +20?",
        "What did I miss while I was listening to speaker-1?",
    ],
)
def test_who_spoke_where_and_when_is_told_without_words(wordless: Asker, text: str) -> None:
    answer = wordless.ask(text)
    assert not answer.abstained
    assert " spoke (0:" in answer.text
    assert " degrees " in answer.text
    assert "the words were not transcribed" in answer.text
    assert "[speech]" not in json.dumps(answer.to_json())


def test_who_was_at_a_bearing_is_told_without_words(wordless: Asker) -> None:
    answer = wordless.ask("Who spoke at 210 degrees?")
    assert answer.text == "speaker-3 was heard at 210 degrees, first at 0:02, last at 0:56; the words were not transcribed."
    assert "[speech]" not in json.dumps(answer.to_json())


@pytest.mark.parametrize(
    "text",
    [
        "When does the bus leave?",
        "Did anybody talk about a speech?",
        "How often did they mention the speech?",
        "What did speaker-1 say about dogs?",
        "Summarise the conversation about the speech",
        "What did I miss while I was following the conversation about a speech?",
    ],
)
def test_what_was_said_cannot_be_told(wordless: Asker, text: str) -> None:
    answer = wordless.ask(text)
    assert answer.abstained
    assert answer.claims == ()
    assert answer.retrieved
    assert answer.text.startswith("Nothing can be told on ")
    assert answer.text.endswith("spoke; the words were not transcribed.")
    assert "[speech]" not in json.dumps(answer.to_json())
