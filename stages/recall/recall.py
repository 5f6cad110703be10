"""Recall: a question in, an answer with evidence out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import datetime

from pipeline.stage import Resource
from stages.recall.answer_parts import AnswerPart, Final
from stages.recall.answers import Answer


class UnfinishedAnswerError(RuntimeError):
    """A recall ended its parts without the whole answer: a fault of its class."""


class Recall(Resource):
    """Answers questions about what was heard."""

    @abstractmethod
    def ask_stream(
        self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None
    ) -> Iterator[AnswerPart]:
        """Answer a question part by part: one Draft, then a Worded for each claim that gets better words, at last one Final.

        `now` is the wall-clock moment it is asked at; with `at`, the answer is as of then and nothing later is known. Both carry their
        UTC offset. `facing_deg` is the azimuth that the asker faces, instead of the one in the settings. A question that cannot be
        served, or that nothing heard answers, gets an answer that abstained and says why.
        """

    def ask(self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None) -> Answer:
        """The whole answer to a question: the last part of `ask_stream`."""
        for part in self.ask_stream(question, at=at, now=now, facing_deg=facing_deg):
            if isinstance(part, Final):
                return part.answer
        raise UnfinishedAnswerError(f"{type(self).__name__}: ask_stream ended without a Final")
