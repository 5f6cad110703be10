"""Searching a memory: once for each question, however often it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.packets import Float32Array
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.recall.question import parse
from stages.recall.scope import scope_of
from stages.recall.search import Searcher
from tests.stages.recall.room_memory import load_rooms, remember
from tests.stages.recall.test_scope import MOMENTS


class Counting(HashedWords):
    """Counts the texts that it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.n_texts = 0

    def encode_together(self, texts: Sequence[str]) -> Float32Array:
        self.n_texts += len(texts)
        return super().encode_together(texts)


def test_the_same_search_is_made_once_and_another_scope_is_another_search() -> None:
    encoder, room = Counting(), load_rooms("rooms.yaml")[0]
    memory = LongTermMemory(encoder)
    memory.start()
    try:
        remember(room, memory, encoder)
        sessions = memory.sessions()
        scope = scope_of(parse("What was said about the oven?", MOMENTS), sessions, {row.id: row.duration_ns for row in sessions})
        speaker = next(line.speaker for line in memory.lines() if line.speaker)
        searcher, encoder.n_texts = Searcher(memory, encoder, None), 0
        first = searcher.search("the oven", "oven", scope)
        assert searcher.search("the oven", "oven", replace(scope)) is first
        assert encoder.n_texts == 2
        theirs = searcher.search("the oven", "oven", replace(scope, speaker=speaker))
        assert {line.speaker for line in theirs.lines} == {speaker}
        assert {line.speaker for line in first.lines} > {speaker}
    finally:
        memory.stop()
