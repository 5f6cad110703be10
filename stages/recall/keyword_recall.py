"""Recall by words alone: no encoder, so synonyms are not found."""

from __future__ import annotations

from stages.answer.answerer import Answerer
from stages.memory.long_term_memory import LongTermMemory
from stages.recall.memory_recall import MemoryRecall
from stages.recall.second_look import SecondLook


class KeywordRecall(MemoryRecall):
    """FTS5 and contiguity. It answers only where the words of a question were said, forms and small slips of them included.

    `facing_deg` is the azimuth that the listener faces, which gives left, right, behind and in front their bearings; None: unknown.
    """

    def __init__(
        self, memory: LongTermMemory, answerer: Answerer, second_look: SecondLook | None = None, facing_deg: float | None = None
    ) -> None:
        super().__init__(memory, answerer, second_look, facing_deg)

    @property
    def encoder(self) -> None:
        """There is none."""
        return None
