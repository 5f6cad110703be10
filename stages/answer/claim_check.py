"""Whether a sentence says nothing that its evidence does not say: numbers, names, negation, words and meaning must agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.answers import speaker_of
from stages.recall.terms import content_terms, coverage, numbers, stems, tokens

_NEGATIONS = frozenset(["no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "cannot", "without"])
_LEAST_WORDS = 0.6
_LEAST_LIKENESS = 0.45


def problem(sentence: str, evidence: Sequence[LineRow], question: str, encoder: TextEncoder | None) -> str | None:
    """What a sentence says that the lines do not, in words; None for a sentence that they support.

    The words of the question may be used, its numbers and names may not: they can be wrong.
    """
    said = " ".join(line.text for line in evidence)
    added = sorted(numbers(sentence) - numbers(said))
    if added:
        return f"numbers that were not said: {', '.join(added)}"
    heard = stems(said) | {speaker_of(line).lower() for line in evidence}
    strange = [name for name in _names(sentence) if not coverage(content_terms(name), heard)]
    if strange:
        return f"names that were not said: {', '.join(strange)}"
    if is_negated(sentence) != any(is_negated(line.text) for line in evidence) and (
        is_negated(sentence) or all(is_negated(line.text) for line in evidence)
    ):
        return "a negation that does not agree"
    if coverage(content_terms(sentence), heard | stems(question)) < _LEAST_WORDS:
        return "too many words that were not said"
    if encoder is not None:
        one, other = encoder.encode([sentence, said])
        if float(one @ other) < _LEAST_LIKENESS:
            return "another meaning than what was said"
    return None


def is_negated(text: str) -> bool:
    """Whether a text denies something."""
    return any(token in _NEGATIONS or token.endswith("n't") for token in tokens(text))


def _names(sentence: str) -> list[str]:
    """Capitalised words that do not begin a sentence."""
    return re.findall(r"(?<=[\w,;] )[A-Z][a-z]+\b", sentence)
