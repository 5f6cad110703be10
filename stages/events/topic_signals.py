"""What tells, before a line, that a new topic begins there: signals of meaning, company and wording, from a bounded window.

Vectors are centred on the slow mean of their own conversation, and lines count by their words and by how sure the recogniser was.
Meaning is compared on two time scales: a few lines on each side, and a long past against what follows. Of two windows with sums l
and r of centred vectors, |l| + |r| - |l + r| is the log likelihood ratio of two von Mises-Fisher topics over one, for great
concentrations (Banerjee et al. 2005), and 1 - cos(l, r) its part that length does not move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stages.events.spoken_line import SpokenLine
from stages.events.wording import Wording, wording_of

SIGNALS = (
    "kernel",
    "slow_kernel",
    "before",
    "two_before",
    "after",
    "across",
    "windows",
    "past",
    "past_evidence",
    "own",
    "company",
    "slow_company",
    "length",
    "length_before",
    "length_after",
    "question",
    "answer",
    "opener",
    "refers_back",
    "goes_on",
    "address",
)
"""The signals, in the order in which `TopicSignals.at` gives them."""

_COMPARED_LINES = 24
_NEAR_COMPANY_LINES = 8
_LENGTH_LINES = 4
_CENTRE_PRIOR_LINES = 5.0
_CENTRE_KEPT = 0.998
_FULL_LINE_WORDS = 10
_LEAST_WEIGHT = 0.02
_KAPPA = 5.0
_SLOW_DECAY = 0.92
_BACKGROUND = 0.3
_TELLING_WORDS = 4

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Said:
    """What stays of a line besides its vectors."""

    track: str
    wording: Wording
    log_words: float
    kernel: float
    slow_kernel: float
    before: float
    two_before: float
    own: float


class TopicSignals:
    """Feed it the lines of one conversation; `at` gives the signals before a line, once enough lines have followed.

    `n_near` lines on each side are compared closely, and `n_past` lines with at most `n_ahead` that follow. Its state is bounded by
    these, however long the talk. Lines are numbered from 0.
    """

    def __init__(self, dimension: int, n_near: int, n_past: int, n_ahead: int) -> None:
        self._n_near, self._n_past, self._n_ahead = n_near, n_past, n_ahead
        self._kept = max(n_past, _COMPARED_LINES, _NEAR_COMPANY_LINES) + n_ahead + 2
        self._units: _Floats = np.zeros((2 * self._kept, dimension))
        # Row k is the sum of all weighted lines before line k, from the oldest kept one on; so with their weights.
        self._sums: _Floats = np.zeros((2 * self._kept + 1, dimension))
        self._totals: _Floats = np.zeros(2 * self._kept + 1)
        self._weights: _Floats = np.zeros(2 * self._kept)
        self._said: list[_Said] = []
        self._first = 0
        self._centre: _Floats = np.zeros(dimension)
        self._count = 0.0
        self._decays = _SLOW_DECAY ** np.arange(_COMPARED_LINES)

    @property
    def n_lines(self) -> int:
        """How many lines have been taken in."""
        return self._first + len(self._said)

    def take(self, line: SpokenLine, surprise_nats: float) -> None:
        """Take in a line, and how surprising its vector was after the few before it."""
        if len(self._said) == 2 * self._kept:
            self._forget()
        row = len(self._said)
        wording = wording_of(line.text)
        weight = (min(wording.n_words, _FULL_LINE_WORDS) / _FULL_LINE_WORDS + _LEAST_WEIGHT) * line.confidence
        vector = line.vector.astype(np.float64)
        self._centre = self._centre * _CENTRE_KEPT + weight * vector
        self._count = self._count * _CENTRE_KEPT + weight
        centred = vector - self._centre / (self._count + _CENTRE_PRIOR_LINES)
        self._sums[row + 1] = self._sums[row] + weight * vector
        self._totals[row + 1] = self._totals[row] + weight
        self._units[row] = centred / max(math.sqrt(float(centred @ centred)), 1e-9)
        self._weights[row] = weight
        # The newest line before this one comes first.
        past = range(row - 1, max(row - 1 - _COMPARED_LINES, -1), -1)
        likeness = (self._units[past.stop + 1 : row] @ self._units[row])[::-1] if row else np.zeros(0)
        self._said.append(
            _Said(
                track=line.track,
                wording=wording,
                log_words=math.log1p(wording.n_words),
                kernel=surprise_nats,
                slow_kernel=self._slow_kernel(likeness, past) * min(1.0, wording.n_words / _TELLING_WORDS),
                before=-float(likeness[0]) if row else 0.0,
                two_before=-float(likeness[1]) if row > 1 else 0.0,
                own=-next((float(likeness[back]) for back, place in enumerate(past) if self._said[place].track == line.track), 0.0),
            )
        )

    def at(self, place: int) -> _Floats:
        """The signals before line `place`, float64, shape (len(SIGNALS),), from the lines that have come; it must be one of the kept."""
        row, n_rows = place - self._first, len(self._said)
        here, before = self._said[row], self._said[row - 1]
        after = self._said[row + 1] if row + 1 < n_rows and self._n_ahead > 1 else None
        end = min(n_rows, row + self._n_ahead)
        near = self._compared(row, max(0, row - self._n_near), min(end, row + self._n_near))
        past = self._compared(row, max(0, row - self._n_past), end)
        said = self._said
        return np.array(
            [
                here.kernel,
                here.slow_kernel,
                here.before,
                here.two_before,
                after.before if after else 0.0,
                after.two_before if after else 0.0,
                near[0],
                past[0],
                past[1],
                here.own,
                *self._company(row, end),
                here.log_words,
                _mean([entry.log_words for entry in said[max(0, row - _LENGTH_LINES) : row]]),
                _mean([entry.log_words for entry in said[row : min(end, row + _LENGTH_LINES)]]),
                here.wording.asks,
                before.wording.asks,
                here.wording.opens,
                here.wording.refers_back,
                here.wording.goes_on,
                here.wording.addresses,
            ]
        )

    def _slow_kernel(self, likeness: _Floats, past: range) -> float:
        """-ln of a von Mises-Fisher kernel density around many earlier lines, those of few words counting little."""
        if not len(likeness):
            return 0.0
        weights = self._decays[: len(likeness)] * self._weights[past.stop + 1 : past.start + 1][::-1]
        near = float(weights @ np.exp(_KAPPA * (likeness - 1.0))) / max(float(weights.sum()), 1e-9)
        return -math.log((1.0 - _BACKGROUND) * near + _BACKGROUND * math.exp(-_KAPPA))

    def _compared(self, row: int, begin: int, end: int) -> tuple[float, float]:
        """1 - cos, and the log likelihood ratio of two topics over one, of the lines before and after a place."""
        centre = self._centre / (self._count + _CENTRE_PRIOR_LINES)
        left = self._sums[row] - self._sums[begin] - centre * (self._totals[row] - self._totals[begin])
        right = self._sums[end] - self._sums[row] - centre * (self._totals[end] - self._totals[row])
        long_left, long_right = (math.sqrt(float(side @ side)) for side in (left, right))
        product = float(left @ right)
        together = math.sqrt(max(long_left**2 + long_right**2 + 2.0 * product, 0.0))
        return 1.0 - product / max(long_left * long_right, 1e-9), long_left + long_right - together

    def _company(self, row: int, end: int) -> tuple[float, float]:
        """How different the shares of words are that each has before and after, from near and from far: 0 to 1 (total variation)."""
        far: dict[str, list[int]] = {}
        near: dict[str, list[int]] = {}
        for place in range(max(0, row - _COMPARED_LINES), min(end, row + _COMPARED_LINES)):
            entry = self._said[place]
            n_words, side = entry.wording.n_words or 1, int(place >= row)
            far.setdefault(entry.track, [0, 0])[side] += n_words
            if -_NEAR_COMPANY_LINES <= place - row < _NEAR_COMPANY_LINES:
                near.setdefault(entry.track, [0, 0])[side] += n_words
        return _variation(near), _variation(far)

    def _forget(self) -> None:
        """Keep the newest half."""
        n_rows, kept = len(self._said), self._kept
        gone = n_rows - kept
        self._units[:kept] = self._units[gone:n_rows].copy()
        self._sums[: kept + 1] = self._sums[gone : n_rows + 1] - self._sums[gone]
        self._totals[: kept + 1] = self._totals[gone : n_rows + 1] - self._totals[gone]
        self._weights[:kept] = self._weights[gone:n_rows].copy()
        del self._said[:gone]
        self._first += gone


def _variation(words: dict[str, list[int]]) -> float:
    """Half the sum of the differences of shares, of words before and after by who said them."""
    n_before = sum([entry[0] for entry in words.values()]) or 1
    n_after = sum([entry[1] for entry in words.values()]) or 1
    return 0.5 * sum([abs(before / n_before - after / n_after) for before, after in words.values()])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
