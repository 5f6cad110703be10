"""Searching again where the first round does not cover what a question asks for: each part by itself, or a talker's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stages.recall.answers import Claim
from stages.recall.cues import HAS_OFTEN
from stages.recall.gaps import Span
from stages.recall.lookup import Outcome
from stages.recall.material import Material
from stages.recall.question import Question
from stages.recall.question_reader import QuestionReader
from stages.recall.refusals import nobody_said, nothing_answers
from stages.recall.scope import Scope
from stages.recall.terms import coverage, stems
from stages.recall.topic_lines import encoded_texts

_COVERED = 0.5
_QUOTE = re.compile(r'"[^"]*"')

Answering = Callable[[Question, Scope], Outcome]
"""What the memory holds for a question."""
Drafting = Callable[[Question, Material], list[Claim]]
"""The extractive claims of some material."""
Encoding = Callable[[Sequence[str]], object]
"""Makes the vectors of texts that are wanted soon, all at once."""


@dataclass(frozen=True)
class Round:
    """One question, or a part of one: what was found for it, and the claims that came of it."""

    question: Question
    scope: Scope
    outcome: Outcome
    claims: tuple[Claim, ...]

    @property
    def lacks(self) -> str:
        """What a part of a question has no answer for, in a sentence; "" where it has one."""
        refused = self.outcome.refused or nobody_said(self.question)
        told = (nobody_said(self.question), nothing_answers(self.question))
        return "" if self.claims else next((said for said in told if refused.startswith(said)), refused)


class Rounds:
    """The rounds of one question: as it stands, and where that does not cover its parts, each part (at most `parts.MOST_PARTS`)."""

    def __init__(self, reader: QuestionReader, answering: Answering, drafting: Drafting, encoding: Encoding) -> None:
        self._reader = reader
        self._answering = answering
        self._drafting = drafting
        self._encoding = encoding

    def of(self, question: Question, scope: Scope) -> list[Round]:
        """What the answer is made of: one round, or one for each part of which at least one has an answer."""
        parts, are_apart = self._reader.parts(question)
        first = None if are_apart else self._round(question, scope)
        if first is not None and (not parts or _covers(first, parts)):
            return [self._otherwise(first)]
        self._encoding([text for part in parts if part.refusal is None and part.topic for text in encoded_texts(part)])
        further = [self._otherwise(self._round(part, self._reader.scope(part))) for part in parts]
        if first is None or any(part.claims for part in further):
            return once_each(further)
        return [first]

    def _otherwise(self, first: Round) -> Round:
        """A round that found nothing, asked again in the other ways that it may be meant; as it is where none finds anything."""
        return first if first.claims else self._by_talker(first) or self._by_count(first) or self._by_place(first) or first

    def _by_talker(self, first: Round) -> Round | None:
        """A question about a talker that nothing answered, asked again of what they say of themselves; None where that finds nothing."""
        own = self._reader.of_talker(first.question)
        if own is None:
            return None
        again = self._round(replace(own[0], speaker=own[1]), replace(first.scope, speaker=own[1]))
        # Whether Ben has a dog is not told by what he said when somebody else got one.
        is_named = all(found.named == 1.0 for found in again.outcome.material.found)
        return again if again.claims and (is_named or first.question.intent != "did_anybody") else None

    def _by_count(self, first: Round) -> Round | None:
        """How often something was, which nobody told, asked again as how often it was spoken of; None where that finds nothing."""
        if first.question.intent != "what" or HAS_OFTEN.search(first.question.text) is None:
            return None
        again = self._round(replace(first.question, intent="count"), first.scope)
        return again if again.claims else None

    def _by_place(self, first: Round) -> Round | None:
        """Who a talker is or where one was, which nobody told, asked again as when and where they were heard; None for anything else."""
        own = self._reader.of_place(first.question)
        again = self._round(own, replace(first.scope, speaker=own.speaker)) if own is not None else None
        return again if again is not None and again.claims else None

    def _round(self, question: Question, scope: Scope) -> Round:
        outcome = self._answering(question, scope)
        return Round(question, scope, outcome, () if outcome.refused is not None else tuple(self._drafting(question, outcome.material)))


def merged(rounds: Sequence[Round]) -> Outcome:
    """One outcome of all rounds, with the lines that they looked at in turn; refused where all of them were."""
    if len(rounds) == 1:
        return rounds[0].outcome
    longest = max(len(one.outcome.retrieved) for one in rounds)
    ids = [one.outcome.retrieved[place] for place in range(longest) for one in rounds if place < len(one.outcome.retrieved)]
    spans: list[Span] = [span for one in rounds for span in one.outcome.spans]
    notes = [note for one in rounds for note in (*one.scope.notes, *one.outcome.notes)]
    answered = next((one for one in rounds if one.claims), None)
    refused = (
        None if answered is not None else " ".join([*(one.lacks for one in rounds[:-1]), rounds[-1].outcome.refused or rounds[-1].lacks])
    )
    material = (answered or rounds[0]).outcome.material
    return Outcome(material, tuple(dict.fromkeys(ids)), refused, tuple(dict.fromkeys(spans)), tuple(dict.fromkeys(notes)))


def once_each(rounds: Sequence[Round]) -> list[Round]:
    """The rounds without claims that add neither a line nor a quote to what earlier ones told, or whose words another one has whole."""
    told: set[str] = set()
    texts = {claim.text for one in rounds for claim in one.claims}
    kept = []
    for one in rounds:
        own = [claim for claim in one.claims if not any(claim.text in text for text in texts - {claim.text})]
        new = [claim for claim in own if not _of(claim) <= told]
        told.update(*(_of(claim) for claim in own))
        if new or not one.claims:
            kept.append(replace(one, claims=tuple(new)))
    return kept


def _of(claim: Claim) -> set[str]:
    """The lines and the quotes of a claim."""
    return {*(evidence.utterance for evidence in claim.evidence), *_QUOTE.findall(claim.text)}


def _covers(first: Round, parts: Sequence[Question]) -> bool:
    """Whether what the first round tells has about as many words of each part as may be missing in any answer."""
    if not first.claims:
        return False
    told = frozenset[str]().union(*(stems(evidence.text) for claim in first.claims for evidence in claim.evidence))
    for part in parts:
        own = [term for term in part.terms if not all(term in other.terms for other in parts)]
        if coverage(own, told) < _COVERED:
            return False
    return True
