"""The reader: a resource that reads a question and a line together, and tells how surely the line answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pipeline.packets import Float32Array
from pipeline.stage import Resource


class Reader(Resource):
    """Scores lines for a question.

    `name` says which reader it is: its scores mean what they meant when recall learnt to weigh them (`stages/recall/fits`). With
    `knows_corrections` it also tells whether a line takes back an earlier one, asked with `whether_taken_back`: a logit of 2 or more.
    With `knows_topics` it tells whether a stretch of talk is about something, asked with `whether_about`.
    """

    name: str
    knows_corrections: ClassVar[bool] = False
    knows_topics: ClassVar[bool] = False

    @abstractmethod
    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """A logit for each line, float32, shape (len(lines),), of what was asked right before it ("" for nothing) and the line itself."""

    def scores_of_each(self, asked: Sequence[tuple[str, str, str]]) -> Float32Array:
        """As `scores`, of lines with a question each: (question, what was asked right before, line). A reader may read them together."""
        return np.array([self.scores(question, [(before, line)])[0] for question, before, line in asked], dtype=np.float32)


def whether_taken_back(line: str) -> str:
    """The question to a reader whether a later line of the talk says that something else holds than a line says."""
    return f"Was this taken back: {line}"


def whether_about(topic: str) -> str:
    """The question to a reader whether a stretch of talk is about something."""
    return f"Did they talk about {topic}?"
