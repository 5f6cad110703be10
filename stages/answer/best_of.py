"""Several answerers at once: of each claim the wording that its evidence supports best."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from stages.answer.answerer import Answerer
from stages.memory.rows import LineRow
from stages.recall.answers import Claim
from stages.recall.material import Material
from stages.recall.question import Question

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Offer:
    """A wording that an answerer offers for a claim; None where it has ended."""

    answerer: int
    place: int = 0
    claim: Claim | None = None


class BestOf(Answerer):
    """Asks two or three answerers at the same time and takes, claim by claim, the wording with the highest confidence.

    The draft is that of `first`. A wording's confidence is that of the draft's claim times how closely it keeps to its evidence
    (claim_check.py, and the model's own judgement where it gives one), so wordings of one claim can be compared; the quote itself, which
    can only be right, stays where nobody offers a wording that holds. Of two alike the earlier answerer's counts.
    """

    def __init__(self, first: Answerer, second: Answerer, third: Answerer | None = None) -> None:
        self.first = first
        self.second = second
        self.third = third

    @property
    def parts(self) -> tuple[Answerer, ...]:
        """The answerers, in their order."""
        return tuple(answerer for answerer in (self.first, self.second, self.third) if answerer is not None)

    def draft(self, question: Question, material: Material) -> list[Claim]:
        """The draft of the first answerer."""
        return self.first.draft(question, material)

    def revisions(self, question: Question, material: Material, claims: Sequence[Claim]) -> Iterator[tuple[int, Claim]]:
        """Every wording that is better than those before, as they come. The last for each place does not hang on who was quicker."""
        answerers = self.parts
        offers: queue.SimpleQueue[_Offer] = queue.SimpleQueue()

        def work(number: int) -> None:
            try:
                for place, claim in answerers[number].revisions(question, material, claims):
                    offers.put(_Offer(number, place, claim))
            except RuntimeError as error:
                _log.warning("%s gave no more wordings: %s", type(answerers[number]).__name__, error)
            finally:
                offers.put(_Offer(number))

        best: dict[int, tuple[float, int]] = {}
        with ThreadPoolExecutor(len(answerers), thread_name_prefix="echoic-answer") as pool:
            working = [pool.submit(work, number) for number in range(len(answerers))]
            left = len(working)
            while left:
                offer = offers.get()
                if offer.claim is None:
                    left -= 1
                    continue
                rank = (offer.claim.confidence, -offer.answerer)
                if offer.place not in best or rank > best[offer.place]:
                    best[offer.place] = rank
                    yield offer.place, offer.claim
            for ended in working:
                ended.result()

    def restated(self, question: str) -> str | None:
        """By the first of them that says it anew."""
        return next((plain for answerer in self.parts if (plain := answerer.restated(question)) is not None), None)

    @property
    def has_opinions(self) -> bool:
        """Whether one of them has."""
        return any(answerer.has_opinions for answerer in self.parts)

    def opinion(self, question: str, lines: Sequence[tuple[LineRow, str]]) -> Sequence[int] | None:
        """That of the first of them that has one."""
        return next((named for answerer in self.parts if (named := answerer.opinion(question, lines)) is not None), None)

    def prepare(self) -> None:
        """Prepare all of them."""
        for answerer in self.parts:
            answerer.prepare()
