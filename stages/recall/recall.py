"""Recall: a question in, an answer with evidence out."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime

from pipeline.stage import Resource
from stages.recall.answers import Answer


class Recall(Resource):
    """Answers questions about what was heard."""

    @abstractmethod
    def ask(self, question: str, *, at: datetime | None = None, now: datetime, facing_deg: float | None = None) -> Answer:
        """Answer a question.

        `now` is the wall-clock moment it is asked at; with `at`, the answer is as of then and nothing later is known. `facing_deg` is the
        azimuth that the asker faces, instead of the one in the settings.

        Both carry their UTC offset. A question that cannot be served, or that nothing heard answers, gets an answer that
        abstained and says why.
        """
