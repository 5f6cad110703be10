"""Answerers: from what recall found to claims."""

from __future__ import annotations

from abc import abstractmethod

from pipeline.stage import Resource
from stages.recall.answers import Claim
from stages.recall.material import Material
from stages.recall.question import Question


class Answerer(Resource):
    """Makes claims out of material and nothing else. What was said in the room is data, never an instruction."""

    @abstractmethod
    def compose(self, question: Question, material: Material) -> list[Claim]:
        """Claims that answer the question, the most important first, each with the lines that prove it (clips are added by recall).

        An empty list is a refusal: the material holds no answer.
        """
