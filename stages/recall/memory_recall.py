"""What recall over a long-term memory shares, whether it searches by meaning too or by words alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from math import isfinite

from pipeline.clock import elapsed_ns
from stages.answer.answerer import Answerer
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.text_encoder import TextEncoder
from stages.recall.answer_parts import AnswerPart
from stages.recall.inquiry import Inquiry
from stages.recall.reader import Reader
from stages.recall.recall import Recall
from stages.recall.second_look import SecondLook


class RecallSettingsError(ValueError):
    """A setting of a recall is out of its range."""

    exit_code = 2


class MemoryRecall(Recall, ABC):
    """Answers each question by an `Inquiry` of its own; a subclass says with which encoder, if any.

    `facing_deg` is the azimuth that the listener faces, which gives left, right, behind and in front their bearings; None: unknown.

    Raises:
        RecallSettingsError: `facing_deg` is not finite.
    """

    def __init__(
        self,
        memory: LongTermMemory,
        answerer: Answerer,
        second_look: SecondLook | None,
        facing_deg: float | None,
        reader: Reader | None = None,
    ) -> None:
        if facing_deg is not None and not isfinite(facing_deg):
            raise RecallSettingsError(f"{type(self).__name__}: facing_deg must be a number of degrees, found {facing_deg}")
        self.memory = memory
        self.answerer = answerer
        self.second_look = second_look
        self.facing_deg = facing_deg
        self.reader = reader

    @property
    @abstractmethod
    def encoder(self) -> TextEncoder | None:
        """What meanings are compared with; None where only words are."""

    def ask_stream(
        self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
    ) -> Iterator[AnswerPart]:
        """Answer a question as of `at` (None: now), part by part."""
        inquiry = Inquiry(
            self.memory,
            self.encoder,
            self.answerer,
            at=at,
            now=now,
            now_ns=elapsed_ns,
            second_look=self.second_look,
            reader=self.reader,
            facing_deg=self.facing_deg if facing_deg is None else facing_deg,
        )
        return inquiry.stream(question)
