"""Two statements joined by "and": in "The bus leaves at nine and lunch is at one" nine is the time of the bus alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from stages.answer.values import values_in
from stages.recall.measures import is_unit
from stages.recall.terms import content_terms, has_amount, holds, is_calendar, is_ordinal

_VERB = (
    r"(?:is|are|was|were|will|has|have|had|goes|go|comes|come|leaves|leave|starts|start|begins|begin|ends|end|finishes|finish|opens|open"
    r"|closes|close|meets|meet|arrives|arrive|departs|depart|costs|cost|takes|take|lasts|last|needs|need|picks|lands|sails|runs)"
)
_DETERMINER = r"(?:the|a|an|my|our|your|his|her|their|this|that)"
# "Five and six are free" and "she sings and is at home" join other things.
_JOINT = re.compile(
    rf",? and (?=(?!(?:it|that|this|he|she|they|which|who|then|there|we|i|you|is|are)\b)(?:{_DETERMINER} )?(?:[a-z'-]+ ){{1,2}}{_VERB}\b)",
    re.I,
)
_CLAUSES = re.compile(r"[,.;:!?](?!\d)|\b(?:and|so|but|because)\b", re.I)
_SAYS = re.compile(rf"\b{_VERB}\b|'s\b", re.I)


@lru_cache(maxsize=4096)
def statements(text: str) -> tuple[str, ...]:
    """The statements of a text in which each has a value of its own; the whole text where that is not certain."""
    parts = tuple(_JOINT.split(text))
    return parts if len(parts) > 1 and all(values_in(part) and _SAYS.search(part) for part in parts) else (text,)


def statement_of(text: str, terms: Iterable[str]) -> str:
    """The only statement of a text that has any of some stems that are no values; the whole text where that is none, or several."""
    things = [term for term in terms if not (has_amount(term) or is_calendar(term) or is_ordinal(term) or is_unit(term))]
    parts = [(part, content_terms(part)) for part in statements(text)]
    # "Leaves" in both of them tells nothing.
    things = [term for term in things if not all(holds(term, said) for _, said in parts)]
    own = [part for part, said in parts if any(holds(term, said) for term in things)]
    return own[0] if len(own) == 1 else text


def is_of_another(text: str, asked: Iterable[str], later: str) -> bool:
    """Whether what was said later is of one statement of a text, and what is asked, given by its stems, of another one."""
    one = statement_of(text, asked)
    others = {statement_of(text, content_terms(clause)) for clause in _CLAUSES.split(later) if values_in(clause)}
    return len(others) == 1 and text not in (one, *others) and one not in others


def gives_other_value(sentence: str, texts: Iterable[str]) -> bool:
    """Whether a sentence gives something the value that a joined statement gives another thing, and nothing else that was said does."""
    told = list(texts)
    for part in statements(sentence):
        for text in told:
            own = statement_of(text, content_terms(part))
            if own == text:
                continue
            held = [values_in(own), *(values_in(other) for other in told if other != text)]
            for kind, values in values_in(part).items():
                was_said = values <= values_in(text).get(kind, frozenset())
                if was_said and kind in held[0] and not any(values <= one.get(kind, frozenset()) for one in held):
                    return True
    return False
