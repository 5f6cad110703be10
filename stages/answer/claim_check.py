"""Whether a sentence says nothing that its evidence does not say, and how closely it keeps to it.

Numbers, names and their order, negation, mood, words and meaning must agree; rules and an encoder, no language model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stages.answer.joined import gives_other_value
from stages.answer.moods import Mood, is_attributed, is_framed, is_hedged, pieces, spoken
from stages.answer.settled import settled
from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import speaker_of
from stages.recall.terms import content_terms, coverage, holds, numbers, stems, tokens

_NEGATIONS = frozenset(["no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "cannot", "without"])
_LEAST_WORDS = 0.6
_LEAST_LIKENESS = 0.45
_ALMOST = 0.8
_TOLD_AS_FACT: dict[Mood, str] = {
    "order": "an order told as a fact",
    "question": "a question told as a fact",
    "condition": "a condition that was left out",
}
_PASSIVE = re.compile(r"\b(?:by|was|were|been|being|from|than|and)\b", re.I)

_FIRST_PERSON = re.compile(r"\b(?:I|I'm|I'll|I've|I'd|me|my|mine|we|we're|we'll|we've|our|ours|us|you|your|yours)\b")
_AGREED = re.compile(r"\b(?:agree[ds]?|agreement|decide[ds]?|decision|settled?)\b", re.I)
_AGREEING = stems("agree agreement decide decision settle deal")


@dataclass(frozen=True)
class Check:
    """What became of a sentence. `fault` says in words what it says that its evidence does not; None where it holds.

    `score` (0 to 1; 0 for a sentence with a fault) says how closely it keeps to the evidence: the mean of the share of its content words
    that were said and, with an encoder, the cosine of both texts.
    """

    fault: str | None
    score: float = 0.0


def check(sentence: str, evidence: Sequence[LineRow], question: str, encoder: TextEncoder | None, around: Sequence[LineRow] = ()) -> Check:
    """Compare a sentence with the lines that it stands on.

    The words of the question may be used, its numbers and names may not: they can be wrong. `around` are lines near the evidence: an
    order that begins in the line before makes one of both.
    """
    said = " ".join(line.text for line in evidence)
    if _FIRST_PERSON.search(sentence):
        return Check("a talker's own words told as the answerer's")
    added = sorted(numbers(sentence) - numbers(said))
    if added:
        return Check(f"numbers that were not said: {', '.join(added)}")
    heard = stems(said) | {speaker_of(line).lower() for line in evidence}
    strange = [name for name in _names(sentence) if not coverage(content_terms(name), heard)]
    if strange:
        return Check(f"names that were not said: {', '.join(strange)}")
    if gives_other_value(sentence, [line.text for line in evidence]):
        return Check("a value of something else")
    fault = _meant_otherwise(sentence, evidence, [*around, *evidence])
    if fault is not None:
        return Check(fault)
    if _AGREED.search(sentence) and not heard & _AGREEING and not settled(evidence):
        return Check("an agreement that nobody made")
    named = coverage(content_terms(sentence), heard | stems(question))
    if named < _LEAST_WORDS:
        return Check("too many words that were not said")
    if encoder is None:
        return Check(None, named)
    one, other = encoder.encode([sentence, said])
    likeness = float(one @ other)
    if likeness < _LEAST_LIKENESS:
        return Check("another meaning than what was said")
    return Check(None, (named + min(1.0, likeness)) / 2)


def problem(
    sentence: str, evidence: Sequence[LineRow], question: str, encoder: TextEncoder | None, around: Sequence[LineRow] = ()
) -> str | None:
    """What a sentence says that the lines do not, in words; None for a sentence that they support."""
    return check(sentence, evidence, question, encoder, around).fault


def proving(sentence: str, lines: Sequence[LineRow]) -> list[LineRow]:
    """The fewest of some lines that hold as many of a sentence's content words as all of them, in their order (greedily)."""
    terms = list(content_terms(sentence))
    said = {line.id: stems(line.text) for line in lines}
    chosen: set[str] = set()
    while terms:
        held = {line.id: [term for term in terms if holds(term, said[line.id])] for line in lines if line.id not in chosen}
        best = max(held, key=lambda name: len(held[name]), default=None)
        if best is None or not held[best]:
            break
        chosen.add(best)
        terms = [term for term in terms if term not in held[best]]
    return [line for line in lines if line.id in chosen] or list(lines)


def is_negated(text: str) -> bool:
    """Whether a text denies something."""
    return any(token in _NEGATIONS or token.endswith("n't") for token in tokens(text))


def _meant_otherwise(sentence: str, evidence: Sequence[LineRow], around: Sequence[LineRow]) -> str | None:
    """What the parts of the evidence that a sentence comes from were meant as, where that is not what it makes of them."""
    terms = content_terms(sentence)
    scored = [(coverage(terms, stems(piece)), piece, meant, line) for line in evidence for piece, meant in pieces(spoken(line, around))]
    best = max((score for score, *_ in scored), default=0.0)
    if best == 0.0:
        return None
    sources = [entry for entry in scored if entry[0] >= _ALMOST * best]
    # A negation in a short answer ("No, never.") belongs to what it answers: words are not all that it can rest on.
    denied = is_negated(sentence)
    if all(is_negated(piece) != denied for _, piece, _, _ in sources) and not (denied and _denies_shortly(evidence)):
        return "a negation that does not agree"
    tellers = [name for name in {speaker_of(line) for line in around} if _tells(name, sentence)]
    if tellers and not any(speaker_of(line) in tellers for *_, line in sources):
        return "words told as another talker's"
    if any(_changed_places(sentence, piece) for _, piece, _, _ in sources):
        return "names that changed places"
    if is_hedged(sentence):
        return None
    moods = [meant for _, _, meant, _ in sources]
    if "order" in moods:
        return _TOLD_AS_FACT["order"]
    if "statement" in moods:
        stated_in = [piece for _, piece, meant, _ in sources if meant == "statement"]
        framed = not is_attributed(sentence) and all(is_framed(piece, terms) for piece in stated_in)
        return "words of another sentence told as a fact" if framed else None
    # A question and its answer share the words of a fact.
    asked = frozenset[str]().union(*(stems(piece) for _, piece, meant, _ in scored if meant != "statement"))
    stated = frozenset[str]().union(*(stems(piece) for _, piece, meant, _ in scored if meant == "statement"))
    if moods[0] == "question" and coverage([term for term in terms if not coverage([term], asked)] or ["?"], stated) == 1.0:
        return None
    return _TOLD_AS_FACT[moods[0]]


def _denies_shortly(evidence: Sequence[LineRow]) -> bool:
    return any(is_negated(piece) and len(tokens(piece)) <= 4 for line in evidence for piece, _ in pieces(line.text))


def _tells(name: str, sentence: str) -> bool:
    """Whether a sentence says that somebody of that name said it."""
    verbs = "said|says|asked|asks|told|tells|thinks|thought|claimed|claims|agreed|mentioned|explained|wants|wanted|suggested|answered"
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])(?: also)? (?:{verbs})\b", sentence, re.I) is not None


def _changed_places(sentence: str, piece: str) -> bool:
    """Whether two names stand in a sentence in the other order than in what was said, without a word that would turn it round."""
    names = [token for token in dict.fromkeys(_names(f". {piece}") + _names(f"x {piece}")) if token in sentence]
    if len(names) < 2 or _PASSIVE.search(sentence) or _PASSIVE.search(piece):
        return False
    said = sorted(names, key=piece.index)
    return said != sorted(names, key=sentence.index)


def _names(sentence: str) -> list[str]:
    """Capitalised words that do not begin a sentence."""
    return re.findall(r"(?<=[\w,;] )[A-Z][a-z]+\b", sentence)
