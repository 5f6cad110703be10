"""Recall by words alone: no encoder, so synonyms are not found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import isfinite

from pipeline.clock import elapsed_ns
from stages.answer.answerer import Answerer
from stages.memory.long_term_memory import LongTermMemory
from stages.recall.answer_parts import AnswerPart
from stages.recall.inquiry import Inquiry
from stages.recall.recall import Recall
from stages.recall.second_look import SecondLook


class KeywordRecall(Recall):
    """FTS5 and contiguity. It answers only where the words of a question were said, forms and small slips of them included.

    `facing_deg` is the azimuth that the listener faces, which gives left, right, behind and in front their bearings; None: unknown.
    """

    def __init__(
        self, memory: LongTermMemory, answerer: Answerer, second_look: SecondLook | None = None, facing_deg: float | None = None
    ) -> None:
        self.memory = memory
        if facing_deg is not None and not isfinite(facing_deg):
            raise ValueError(f"facing_deg must be a number of degrees, found {facing_deg}")
        self.answerer = answerer
        self.second_look = second_look
        self.facing_deg = facing_deg

    def ask_stream(
        self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
    ) -> Iterator[AnswerPart]:
        """Answer a question as of `at` (None: now), part by part."""
        facing = self.facing_deg if facing_deg is None else facing_deg
        inquiry = Inquiry(
            self.memory,
            None,
            self.answerer,
            at=at,
            now=now,
            now_ns=elapsed_ns,
            second_look=self.second_look,
            facing_deg=facing,
        )
        return inquiry.stream(question)
