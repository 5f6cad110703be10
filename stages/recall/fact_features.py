"""What tells whether a line answers a question for a fact: likeness, words, the talk around it, and the kind of thing asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.asked_kind import asked_kind, holds_kind, inner_names
from stages.recall.english import is_question
from stages.recall.measures import measured_in, measures_said
from stages.recall.question import Question
from stages.recall.search import Ranked
from stages.recall.terms import has_number, holds, stems

NAMES = (
    "cosine", "cosine of the question before", "centre of the stretch", "best of the stretch",
    "words", "words with the question before", "words beside", "words around",
    "holds the kind", "lacks the kind", "measure fits", "measure differs", "is a question", "names", "numbers",
    "below the best cosine", "below the best score", "alone",
)  # fmt: skip
"""The features in their order."""

_BESIDE = 2
_WHEN_SAID = re.compile(r"^\W*when did (?:\S+ ){1,3}?(?:say|mention|tell|announce)\b", re.I)

Features = npt.NDArray[np.float64]


def features(question: Question, ranked: Ranked, lines: Sequence[LineRow]) -> Features:
    """Float64, shape (len(lines), len(NAMES)): of each line what `NAMES` says. Rarity of words is that among these lines.

    Cosines are those of `ranked`, the likeness of a line with the question; shares of words are weighed by rarity, 0 to 1.
    """
    reader = _Reader(question, ranked, lines)
    return np.array([reader.of(line) for line in lines], dtype=np.float64).reshape(len(lines), len(NAMES))


def asks_when_said(text: str) -> bool:
    """Whether a question asks when somebody said something."""
    return _WHEN_SAID.match(text) is not None


class _Reader:
    """Reads the features of lines, one by one."""

    def __init__(self, question: Question, ranked: Ranked, lines: Sequence[LineRow]) -> None:
        self._ranked = ranked
        self._terms = question.terms
        # When somebody said something is known of every line: what counts is the kind of thing that was said.
        asks = _WHEN_SAID.sub("", question.text)
        self._kind = asked_kind(asks)
        self._measure = measured_in(asks)
        self._held: dict[str, npt.NDArray[np.bool_]] = {}
        n_holding = np.sum([self._holding(line) for line in lines], axis=0) if lines else np.zeros(len(self._terms))
        self._rarity = np.log1p((len(lines) - n_holding + 0.5) / (n_holding + 0.5))
        self._best_cosine = max((self._cosine(line, self._asked(line)) for line in lines), default=0.0)
        self._best_score = max((self._score(line, self._asked(line)) for line in lines), default=0.0)

    def of(self, line: LineRow) -> list[float]:
        """The features of one line."""
        beside = self._ranked.context(line, _BESIDE)
        around = self._ranked.stretch(line)
        cosine = self._cosine(line)
        asked = self._asked(line)
        # Something proposed ("could we say nine?") holds it too; that it asks is a feature of its own.
        holds_it = self._kind is not None and holds_kind(self._kind, line.text.rstrip(" ?"))
        said = measures_said(line.text) if self._measure is not None else frozenset()
        fits = self._measure is not None and bool(said & self._measure)
        return [
            cosine,
            self._cosine(asked) if asked is not None else 0.0,
            self._ranked.centres.get(line.id, 0.0),
            max((self._cosine(other) for other in around if other.id != line.id), default=0.0),
            self._share([line]),
            self._share([line] if asked is None else [asked, line]),
            self._share(beside),
            self._share([*around, *beside]),
            float(holds_it),
            float(self._kind is not None and not holds_it),
            float(fits),
            float(bool(said) and not fits),
            float(_only_asks(line)),
            float(bool(inner_names(line.text))),
            float(has_number(line.text)),
            self._cosine(line, asked) - self._best_cosine,
            self._score(line, asked) - self._best_score,
            float(len(self._ranked.talk(line)[0]) == 1),
        ]

    def _asked(self, line: LineRow) -> LineRow | None:
        """The question that a line may be the answer to: what somebody else said right before."""
        chain, place = self._ranked.talk(line)
        before = chain[place - 1] if place > 0 else line
        return before if is_question(before.text) and speaker_of(before) != speaker_of(line) else None

    def _cosine(self, *lines: LineRow | None) -> float:
        """That of the likest of some lines."""
        return max(self._ranked.cosines.get(line.id, 0.0) for line in lines if line is not None)

    def _score(self, *lines: LineRow | None) -> float:
        return max(self._ranked.scores.get(line.id, -np.inf) for line in lines if line is not None)

    def _holding(self, line: LineRow) -> npt.NDArray[np.bool_]:
        """Which of the question's words a line has, shape (n_terms,)."""
        if line.id not in self._held:
            said = stems(f"{line.text} {speaker_of(line)}")
            self._held[line.id] = np.array([holds(term, said) for term in self._terms], dtype=np.bool_)
        return self._held[line.id]

    def _share(self, lines: Sequence[LineRow]) -> float:
        if not self._terms:
            return 0.0
        said = np.any([self._holding(line) for line in lines], axis=0)
        return float(self._rarity @ said / max(float(self._rarity.sum()), 1e-9))


def _only_asks(line: LineRow) -> bool:
    """Whether a line is a question and nothing else."""
    return is_question(line.text) and not re.search(r"[.!]\s", line.text)
