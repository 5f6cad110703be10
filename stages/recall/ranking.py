"""Fusing rankings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stages.memory.rows import Hit

RRF_CONSTANT = 60
"""Of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009."""


def fused(rankings: Iterable[Sequence[Hit]]) -> dict[str, float]:
    """Reciprocal rank fusion of several rankings: score by line id, 1 / (60 + rank) summed over the rankings."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.line] = scores.get(hit.line, 0.0) + 1.0 / (RRF_CONSTANT + rank)
    return scores
