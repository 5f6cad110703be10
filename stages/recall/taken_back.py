"""Whether what somebody said was taken back later in its conversation, judged by a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from pipeline.packets import Float32Array
from stages.answer.corrections import CORRECTED_WITHIN_NS, correction_of, says_again, takes_nothing_back
from stages.memory.rows import LineRow
from stages.recall.english import is_question
from stages.recall.material import Found
from stages.recall.reader import Reader, whether_taken_back
from stages.recall.untranscribed import is_untranscribed

LEAST_LOG_ODDS = 2.0
"""By the reader. Of 88 lines that are taken back in talks that it was not taught with .38 are found, of 358 others .04 are taken for one
(tools/LOG.md): at 1 it would be .44 and .07, at 3 .28 and .02."""
_MOST_READ = 2
_MOST_RIVALS = 3
_LEAST_LIKENESS = 0.25
_CLOSE = 0.9
_MOST_STEPS = 3

Vectors = Callable[[Iterable[LineRow]], Mapping[str, Float32Array]]
"""The vectors of lines by id, float32, shape (dimension,)."""


def with_corrections(found: Sequence[Found], queries: Float32Array, vectors: Vectors, reader: Reader, n_asked: int = 2) -> list[Found]:
    """Found lines, the first ones with the line that says what holds instead, where they were taken back.

    `queries` are the vectors of the question, float32, shape (n, dimension): a correction names what it is about, so of what was said
    later only the two lines are read that are most like the question or the line. The first `n_asked` lines that were found are asked
    about, where they are about as good as the first. A later line takes back the one that it fits best, by the reader or by rules: "he
    wants three hundred and fifty" is of the price of the band, and not of what is left in the till. One that was taken back itself leads
    on to what holds in the end, which is no correction where it is what the line said.
    """
    judged = []
    asked = [entry for entry in found[:n_asked] if entry.support >= _CLOSE * found[0].support]
    for entry in asked:
        held = entry.line
        for _ in range(_MOST_STEPS):
            if (later := _correction(held, entry.talk, queries, vectors, reader)) is None:
                break
            held = later
        is_corrected = held is not entry.line and not says_again(entry.line.text, held.text)
        judged.append(replace(entry, taken_back=held) if is_corrected else entry)
    return [*judged, *found[len(asked) :]]


def _correction(line: LineRow, talk: Sequence[LineRow], queries: Float32Array, vectors: Vectors, reader: Reader) -> LineRow | None:
    later = [
        other
        for other in talk
        if other.session == line.session
        and 0 < other.start_ns - line.start_ns <= CORRECTED_WITHIN_NS
        and not is_untranscribed(other)
        and not is_question(other.text)
        and not takes_nothing_back(other, line, talk)
    ]
    if not later or is_question(line.text):
        return None
    known = vectors([line, *later])
    asked = np.concatenate([queries, known[line.id][None]])
    likeness = (np.stack([known[other.id] for other in later]) @ asked.T).max(axis=1)
    likeliest = (later[place] for place in np.argsort(-likeness, kind="stable") if likeness[place] >= _LEAST_LIKENESS)
    picked = list(islice((other for other in likeliest if not says_again(line.text, other.text)), _MOST_READ))
    if not picked:
        return None
    scores = reader.scores(whether_taken_back(line.text), [("", other.text) for other in picked])
    backs = [picked[place] for place in np.argsort(-scores, kind="stable") if scores[place] >= LEAST_LOG_ODDS]
    if not backs:
        return None
    rivals = [other for other in talk if other not in [line, *backs] and not _says_the_same(other, line)]
    return next((back for back in backs if not _is_of_another(line, back, rivals, talk, vectors, reader)), None)


def _is_of_another(
    line: LineRow, back: LineRow, rivals: Sequence[LineRow], talk: Sequence[LineRow], vectors: Vectors, reader: Reader
) -> bool:
    """Whether what takes something back fits one of some other lines better: by rules, or by the reader of those that are most like it."""
    may_be = [
        other
        for other in rivals
        if other.session == back.session
        and 0 < back.start_ns - other.start_ns <= CORRECTED_WITHIN_NS
        and not (is_untranscribed(other) or is_question(other.text))
    ]
    if not may_be:
        return False
    known = vectors([back, *may_be])
    nearest = sorted(may_be, key=lambda other: -float(known[other.id] @ known[back.id]))[:_MOST_RIVALS]
    if correction_of(line, talk) != back and any(correction_of(other, talk) == back for other in nearest):
        return True
    score, *others = reader.scores_of_each([(whether_taken_back(one.text), "", back.text) for one in (line, *nearest)]).tolist()
    return bool(max(others) > score)


def _says_the_same(one: LineRow, other: LineRow) -> bool:
    return says_again(one.text, other.text) or says_again(other.text, one.text)
