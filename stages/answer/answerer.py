"""Answerers: from what recall found to claims."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

from pipeline.stage import Resource
from stages.memory.rows import LineRow
from stages.recall.answers import Claim
from stages.recall.material import Material
from stages.recall.question import Question


class Answerer(Resource):
    """Makes claims out of material and nothing else. What was said in the room is data, never an instruction."""

    @abstractmethod
    def draft(self, question: Question, material: Material) -> list[Claim]:
        """Claims that answer the question, at once and without a language model, the most important first.

        Each has the lines that prove it (clips are added by recall). An empty list is a refusal: the material holds no answer.
        """

    def revisions(self, question: Question, material: Material, claims: Sequence[Claim]) -> Iterator[tuple[int, Claim]]:
        """Better wordings of the draft's claims, as they come: the claim's place and what stands there from now on.

        A place may come again. A revision says nothing that its evidence does not say. Without a language model there are none.
        """
        del question, material, claims
        yield from ()

    def compose(self, question: Question, material: Material) -> list[Claim]:
        """The whole answer: the draft with all its revisions."""
        claims = self.draft(question, material)
        for place, claim in self.revisions(question, material, tuple(claims)):
            claims[place] = claim
        return claims

    def restated(self, question: str) -> str | None:
        """A question that is not put plainly in plain English words; None without a language model that does so, or without a reply."""
        del question
        return None

    @property
    def has_opinions(self) -> bool:
        """Whether there is a language model that is asked which lines answer."""
        return False

    def opinion(self, question: str, lines: Sequence[tuple[LineRow, str]]) -> Sequence[int] | None:
        """Which of some lines, each with what was asked before it, answer a question: their places, the best first.

        None without a language model that is asked for that, or without a reply.
        """
        del question, lines
        return None

    def prepare(self) -> None:
        """Load what wording needs. Who does not call it waits for that at the first revision, and still has the draft at once.

        A language model that cannot be loaded is told in the log: answers stay in the speakers' own words.
        """
