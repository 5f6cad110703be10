"""The gate before short-term memory: what is said again, or says nothing, takes no place there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.short_term_store.short_term import Trace

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_FILLERS = frozenset(
    _WORD.findall(
        "ah aha alright er erm hm hmm huh i like mean mhm mm mmhmm mmm no oh ok okay right so sure uh uhhuh um well yeah yep yes you know"
    )
)


class AttentionGateError(ValueError):
    """A setting that the gate cannot work with."""


@dataclass(frozen=True)
class AttentionGate:
    """Lets novel lines through, as LightMem's sensory memory filters before it stores (ICLR 2026), but by meaning and without a model.

    A line that has a cosine of at least `likeness` with one of the `n_recent` latest traces is a repeat; one with fewer than `min_words`
    words besides fillers ("uh", "yeah, right") says nothing new. 1.01 and 0 let everything through. Gated lines are stored and found
    like all others.
    """

    likeness: float = 0.85
    min_words: int = 2
    n_recent: int = 64

    def __post_init__(self) -> None:
        if not 0.0 < self.likeness <= 1.01:
            raise AttentionGateError(f"attention gate: likeness must be above 0 and at most 1.01 (off), found {self.likeness}")
        if self.min_words < 0:
            raise AttentionGateError(f"attention gate: min_words must be 0 (off) or more, found {self.min_words}")
        if self.n_recent < 1:
            raise AttentionGateError(f"attention gate: n_recent must be at least 1, found {self.n_recent}")

    def repeats(self, vector: Float32Array, traces: Sequence[Trace]) -> int | None:
        """The place of the trace that a line says again, the likest; None where there is none. `vector` as in `Trace`."""
        first = max(0, len(traces) - self.n_recent)
        if first == len(traces):
            return None
        likeness = np.stack([trace.vector for trace in traces[first:]]) @ vector
        best = int(np.argmax(likeness))
        return first + best if float(likeness[best]) >= self.likeness else None

    def is_empty(self, text: str) -> bool:
        """Whether a line has too few words that say something. Scripts without spaces count each run of letters as its characters."""
        n_words = 0
        for word in _WORD.findall(text.lower().replace("-", "")):
            n_words += 0 if word in _FILLERS else 1 if word.isascii() else max(1, len(word) // 2)
        return n_words < self.min_words
