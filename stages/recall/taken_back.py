"""Whether what somebody said was taken back later in its conversation, judged by a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from pipeline.packets import Float32Array
from stages.answer.corrections import CORRECTED_WITHIN_NS, says_again
from stages.memory.rows import LineRow
from stages.recall.material import Found
from stages.recall.reader import Reader, whether_taken_back
from stages.recall.untranscribed import is_untranscribed

LEAST_LOG_ODDS = 2.0
"""By the reader. Of 88 lines that are taken back in talks that it was not taught with .38 are found, of 358 others .04 are taken for one
(tools/LOG.md): at 1 it would be .44 and .07, at 3 .28 and .02."""
_MOST_READ = 2
_LEAST_LIKENESS = 0.25
_CLOSE = 0.9
_MOST_STEPS = 3

Vectors = Callable[[Iterable[LineRow]], Mapping[str, Float32Array]]
"""The vectors of lines by id, float32, shape (dimension,)."""


def with_corrections(found: Sequence[Found], queries: Float32Array, vectors: Vectors, reader: Reader, n_asked: int = 2) -> list[Found]:
    """Found lines, the first ones with the line that says what holds instead, where they were taken back.

    `queries` are the vectors of the question, float32, shape (n, dimension): a correction names what it is about, so of what was said
    later only the two lines are read that are most like the question or the line. The first `n_asked` lines that were found are asked
    about, where they are about as good as the first. One that was taken back itself leads on to what holds in the end, which is no
    correction where it is what the line said.
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
        and not _asks(other)
    ]
    if not later or _asks(line):
        return None
    known = vectors([line, *later])
    asked = np.concatenate([queries, known[line.id][None]])
    likeness = (np.stack([known[other.id] for other in later]) @ asked.T).max(axis=1)
    likeliest = (later[place] for place in np.argsort(-likeness, kind="stable") if likeness[place] >= _LEAST_LIKENESS)
    picked = list(islice((other for other in likeliest if not says_again(line.text, other.text)), _MOST_READ))
    if not picked:
        return None
    scores = reader.scores(whether_taken_back(line.text), [("", other.text) for other in picked])
    best = int(scores.argmax())
    return picked[best] if scores[best] >= LEAST_LOG_ODDS else None


def _asks(line: LineRow) -> bool:
    return line.text.rstrip().endswith("?")
