"""Whether a line holds the fact that a question asks for, by boosted trees over what `fact_features.py` tells of it.

The trees of each encoder (`encoder_fits.py`) were grown by `python -m tools.fit_fact_support`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stages.memory.rows import LineRow
from stages.recall.asked_kind import tells_circumstance
from stages.recall.boosted_trees import BoostedTrees
from stages.recall.encoder_fits import fact_file, fact_fit
from stages.recall.english import is_question
from stages.recall.fact_features import NAMES, Features, features
from stages.recall.first_person import as_own
from stages.recall.measures import Measure, measured_in, measures_said, only_others
from stages.recall.numbered import Numbers, gives_another, numbers_said
from stages.recall.question import Question
from stages.recall.reader import Reader
from stages.recall.reading import read_again
from stages.recall.search import Ranked
from stages.recall.subjects import of_another, of_other_gender, of_what_was_named
from stages.recall.support import holds_wanted
from stages.recall.terms import holds, stems, tokens
from stages.recall.untranscribed import is_untranscribed
from stages.recall.word_lists import word_set

_MOST_JUDGED = 48
# "My dog loves his red ball" tells who loves his red ball, though a dog is no person by any list. Set by hand.
_ALL_SAID = 0.6
_ALL_SAID_LIKENESS = 0.5
_ALL_SAID_TERMS = 2
_SUBJECT_LIKENESS = 0.4
# "What is broken?" - "The boiler is broken again." "Who goes at five?" - "I have to go at five."
_SUBJECT_ASKED = re.compile(r"^(?:and |so |but )?(?:who|what)(?: else)? (?P<verb>[a-z']+) (?P<rest>\w[^,;:]*?)[ ?.!]*$", re.I)
_SHORT_IS = re.compile(r"(?<=\w)'s\b")
_CLAUSES = re.compile(r"[.,;:!?]")
_FORMS_OF = {form: forms for forms in (("is", "are", "am"), ("was", "were"), ("has", "have")) for form in forms}
_NO_SUBJECT = word_set(
    """
    what who if whether that nothing nobody something somebody it this he she they there once when because not never don't doesn't
    didn't won't can't would could might may maybe want wants
    """
)
_MOST_PREDICATE_WORDS = 4


def judged_lines(ranked: Ranked) -> tuple[LineRow, ...]:
    """The lines that are looked at, the most likely first."""
    return tuple(line for line in ranked.nearest if not is_untranscribed(line))[:_MOST_JUDGED]


def fact_support(question: Question, ranked: Ranked, lines: Sequence[LineRow], reader: Reader | None = None) -> list[float]:
    """The support of each line, 0 to 1, at least 0.5 for one that answers; 0 for one that cannot (`_may`).

    With a `reader`, it decides with the trees where these are in doubt (`reading.py`).
    """
    if not lines:
        return []
    rows = features(question, ranked, lines)
    log_odds = _trees(ranked.encoder).log_odds(rows)
    if reader is not None:
        log_odds = read_again(question, ranked, lines, rows, log_odds, reader)
    support = np.maximum(1.0 / (1.0 + np.exp(-log_odds)), _ALL_SAID * _says_all(question, lines, rows))
    measure, asked = measured_in(question.text), numbers_said(question.text)
    return [float(share) if _may(question, measure, asked, ranked, line) else 0.0 for line, share in zip(lines, support, strict=True)]


def _may(question: Question, measure: Measure | None, asked: Numbers, ranked: Ranked, line: LineRow) -> bool:
    """Whether all names that were asked for were said around a line, and it speaks of what was asked for, by its numbers and its "she"."""
    chain, place = ranked.talk(line)
    later = (other.text for other in chain[place + 1 :])
    if (measure is not None and only_others(measure, measures_said(line.text))) or gives_another(asked, line.text, later):
        return False
    if of_another(_own_words(question, line), line.text) or of_other_gender(question.text, line.text):
        return False
    if question.intent == "did_anybody" and of_what_was_named(question.text, _said_before(ranked, line), line.text):
        return False
    return all(holds(name, _said_around(ranked, line)) for name in question.names)


def _says_all(question: Question, lines: Sequence[LineRow], rows: Features) -> npt.NDArray[np.bool_]:
    """Which lines say every word of a question and lack no number, time, name or colour; shape (lines,).

    These are several words in a line that is like the question (and tells why, how or where, if it asks that), or all that is asked of a
    subject, word for word behind one.
    """
    likeness = rows[:, NAMES.index("cosine")]
    has_subject: npt.NDArray[np.bool_] = np.array([_tells_subject(question.text, line.text) for line in lines])
    said = has_subject & (likeness >= _SUBJECT_LIKENESS)
    if len(question.terms) >= _ALL_SAID_TERMS:
        said |= (likeness >= _ALL_SAID_LIKENESS) & np.array([tells_circumstance(question.text, line.text) for line in lines])
    said &= rows[:, NAMES.index("words")] == 1.0
    said &= np.array([holds_wanted(question, line) and not is_question(line.text) for line in lines])
    return said


def _tells_subject(asked: str, text: str) -> bool:
    """Whether a line says of somebody or something, word for word, all that a question asks of whom or what it is true."""
    match = _SUBJECT_ASKED.match(_SHORT_IS.sub(" is", asked))
    if match is None:
        return False
    verb = match["verb"].lower()
    verbs = _FORMS_OF.get(verb, (verb, verb.removesuffix("s"), verb.removesuffix("es")))
    rest = tokens(match["rest"])
    for clause in _CLAUSES.split(_SHORT_IS.sub(" is", text)) if len(rest) <= _MOST_PREDICATE_WORDS else ():
        said = tokens(clause)
        for place in range(1, len(said) - len(rest)):
            if said[place] in verbs and said[place + 1 : place + 1 + len(rest)] == rest:
                return _NO_SUBJECT.isdisjoint(said[:place])
    return False


def _own_words(question: Question, line: LineRow) -> str:
    """The question as the talker of a line would ask it; "" where it does not ask of that talker."""
    own = as_own(question.text, [line.speaker]) if line.speaker and not question.own_words else None
    return question.own_words if own is None else own[1]


def _said_before(ranked: Ranked, line: LineRow) -> str:
    chain, place = ranked.talk(line)
    return chain[place - 1].text if place else ""


def _said_around(ranked: Ranked, line: LineRow) -> frozenset[str]:
    return stems(" ".join(f"{other.text} {other.speaker or ''}" for other in (*ranked.context(line), *ranked.stretch(line))))


def _trees(encoder: str) -> BoostedTrees:
    trees = fact_fit(encoder)
    if trees.names != NAMES:
        raise ValueError(
            f"{fact_file(encoder)}: these trees were grown of other features than fact_features.py has; grow them anew with"
            " tools/fit_fact_support.py"
        )
    return trees
