"""Reading again: where trees over likeness and words are in doubt whether a line holds an asked fact, a reader decides with them.

The likeliest lines alone are read, since reading takes some milliseconds a line (retrieve, then read: Chen et al. 2017, arXiv 1704.00051; a
reader of question and passage together judges better than vectors made of each alone: Nogueira and Cho 2019, arXiv 1901.04085). How the
two are weighed is fitted by `python -m tools.fit_reader`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stages.memory.rows import LineRow
from stages.recall.encoder_fits import reading_fit
from stages.recall.english import ANY_QUESTION_WORD, AUXILIARY
from stages.recall.fact_features import NAMES, Features, asks_when_said
from stages.recall.question import Question
from stages.recall.reader import Reader
from stages.recall.search import Ranked
from stages.recall.terms import stems

MOST_READ = 8
MOST_WORDS = 120
"""Of long-winded lines fewer are read: reading takes time for each word, of some fifty of a line and twenty of what was asked before it."""
_LOOKED_AT_BEFORE, _LOOKED_AT = 20, 50
_UNREAD = -20.0
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_CLOSING = " \t\r\n\"')]\u201d\u2019"
# Some transcripts have no marks: "how many of us are coming".
_MARKS = frozenset(".!?")
_ASKS_FIRST = re.compile(
    rf"(?:and |so |but |well )?(?:{ANY_QUESTION_WORD}|{AUXILIARY}|should) ",
    re.I,
)
# "How about the meadow?", "Why don't we meet at six?" and "When the bus leaves at nine, right?" tell something.
_ASKS_FOR = re.compile(r"(?:and |so |but |well,? )?(?:who(?:se|m)?|(?:what|how)(?! about)|which|when|where)\b[^.!?,]*\?", re.I)
_LIKENESS = (
    "cosine", "centre of the stretch", "best of the stretch", "words", "words beside", "words around", "below the best cosine",
)  # fmt: skip
_LIKE = [NAMES.index(name) for name in ("cosine", "cosine of the question before", "centre of the stretch")]
# To the reader the price of the brakes is one of the pool: where neither a line nor its talk is like the question, it raises nothing.
_LEAST_LIKENESS = 0.3
# "When did Ruth say she would sell the car?" has it that she spoke of the car: where nobody did beside a line, the line is not it.
_SAID = [NAMES.index(name) for name in ("words", "words with the question before", "words beside")]
_KINDS = stems("day date time hour place name colour number amount")
_BESIDE = [NAMES.index(name) for name in _LIKENESS]
WEIGHED = ("trees", "reader", "below the reader's best", *_LIKENESS)
"""What the regression weighs. Trees do not go by likeness beyond what they saw; the reader does not know what else was talked about."""

Floats = npt.NDArray[np.float64]


def read_again(question: Question, ranked: Ranked, lines: Sequence[LineRow], rows: Features, log_odds: Floats, reader: Reader) -> Floats:
    """The log-odds of lines after reading, float64, shape (lines,), of those that the trees give; the same where they are sure.

    `rows` are the lines' features, of which the trees made their log-odds.
    """
    fit = reading_fit(ranked.encoder, reader.name)
    if not fit.in_doubt(float(log_odds.max())):
        return log_odds
    tells = np.array([not _only_asks(line.text) for line in lines])
    picked = likeliest(np.where(tells, log_odds, -np.inf))
    picked = picked[tells[picked]]
    found = np.full(len(lines), _UNREAD)
    if not len(picked):
        return found
    texts = [(asked_before(ranked, lines[place]), lines[place].text) for place in picked]
    picked = picked[: _affordable(texts)]
    scores = reader.scores(question.own_words or question.text, texts[: len(picked)])
    found[picked] = fit.log_odds(reading_features(rows[picked], log_odds[picked], scores.astype(np.float64)))
    is_far = rows[:, _LIKE].max(axis=1) < _LEAST_LIKENESS
    if asks_when_said(question.text) and not _KINDS.issuperset(question.terms):
        is_far |= rows[:, _SAID].max(axis=1) == 0.0
    return np.where(is_far, np.minimum(found, log_odds), found)


def _affordable(texts: Sequence[tuple[str, str]]) -> int:
    """How many of some lines, each with what was asked before it, are read, from the first on."""
    n_words = np.cumsum([min(_LOOKED_AT_BEFORE, len(before.split())) + min(_LOOKED_AT, len(line.split())) for before, line in texts])
    return int(np.searchsorted(n_words, MOST_WORDS, side="right"))


def likeliest(log_odds: Floats) -> npt.NDArray[np.intp]:
    """The places of the lines to read, the likeliest first."""
    return np.argsort(-log_odds, kind="stable")[:MOST_READ]


def reading_features(rows: Features, log_odds: Floats, scores: Floats) -> Floats:
    """What is weighed for each line that was read, float64, shape (lines, len(WEIGHED))."""
    return np.column_stack([log_odds, scores, scores - scores.max(), rows[:, _BESIDE]])


def asked_before(ranked: Ranked, line: LineRow) -> str:
    """What was asked right before a line in its conversation; "" where nothing was.

    That alone is read with it: "Fourteen." means nothing without "How many of them?", and what else was said tells little of the line.
    """
    chain, place = ranked.talk(line)
    return last_question(chain[place - 1].text) if place else ""


def _only_asks(text: str) -> bool:
    """Whether a line is a question for something: it may be like what is asked, but tells nothing."""
    return _ASKS_FOR.fullmatch(text.strip()) is not None


def last_question(text: str) -> str:
    """What a text asks at its end: its last sentence where that is a question, and all of it where it asks without any mark; else ""."""
    said = text.strip().rstrip(_CLOSING)
    if said.endswith("?"):
        return _BETWEEN_SENTENCES.split(said)[-1]
    return said if _ASKS_FIRST.match(said) and _MARKS.isdisjoint(said) else ""
