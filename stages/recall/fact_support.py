"""Whether a line holds the fact that a question asks for, by boosted trees over what `fact_features.py` tells of it.

The trees of each encoder (`encoder_fits.py`) were grown by `python -m tools.fit_fact_support`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stages.memory.rows import LineRow
from stages.recall.boosted_trees import BoostedTrees
from stages.recall.encoder_fits import fact_file, fact_fit
from stages.recall.fact_features import NAMES, Features, features
from stages.recall.measures import Measure, measured_in, measures_said, only_others
from stages.recall.question import Question
from stages.recall.reader import Reader
from stages.recall.reading import read_again
from stages.recall.search import Ranked
from stages.recall.support import holds_wanted
from stages.recall.terms import holds, stems
from stages.recall.untranscribed import is_untranscribed

_MOST_JUDGED = 48
# "My dog loves his red ball" tells who loves his red ball, though a dog is no person by any list. Set by hand.
_ALL_SAID = 0.6
_ALL_SAID_LIKENESS = 0.5
_ALL_SAID_TERMS = 2


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
    measure = measured_in(question.text)
    return [float(share) if _may(question, measure, ranked, line) else 0.0 for line, share in zip(lines, support, strict=True)]


def _may(question: Question, measure: Measure | None, ranked: Ranked, line: LineRow) -> bool:
    """Whether all names that were asked for were said around a line, and its numbers can count what was asked for."""
    if measure is not None and only_others(measure, measures_said(line.text)):
        return False
    return all(holds(name, _said_around(ranked, line)) for name in question.names)


def _says_all(question: Question, lines: Sequence[LineRow], rows: Features) -> npt.NDArray[np.bool_]:
    """Which lines say every word of a question of some words, are like it, and lack no number, time, name or colour; shape (lines,)."""
    said: npt.NDArray[np.bool_] = (rows[:, NAMES.index("words")] == 1.0) & (rows[:, NAMES.index("cosine")] >= _ALL_SAID_LIKENESS)
    said &= len(question.terms) >= _ALL_SAID_TERMS
    said &= np.array([holds_wanted(question, line) and not line.text.rstrip().endswith("?") for line in lines])
    return said


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
