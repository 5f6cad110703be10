"""How well a ranking of turns finds what is relevant to a question about a meeting, and the table of it.

hit@k: one of the first k turns is in a relevant span of the meeting that was asked about. MRR: one over the rank of the first such turn,
0 where none of the first 200 is one. coverage@k: the share of the relevant turns within two turns of one of the first k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

DEPTH = 200
"""How many turns of a ranking are looked at."""
_BESIDE = 2


class Scores(NamedTuple):
    """Of one question, or the means over several; all from 0 to 1."""

    hit_5: float
    hit_10: float
    mrr: float
    coverage_20: float
    coverage_50: float


NAMES = ("hit@5", "hit@10", "MRR", "coverage@20", "coverage@50")
Turn = tuple[str, int]
"""A meeting's name and the place of a turn in it."""


def score(ranking: Sequence[Turn], meeting: str, relevant: frozenset[int]) -> Scores:
    """The scores of a ranking, best first, for a question about a meeting whose relevant turns are at some places."""
    right = [name == meeting and place in relevant for name, place in ranking[:DEPTH]]
    first = right.index(True) + 1 if True in right else None
    return Scores(
        hit_5=float(any(right[:5])),
        hit_10=float(any(right[:10])),
        mrr=0.0 if first is None else 1.0 / first,
        coverage_20=_coverage(ranking[:20], meeting, relevant),
        coverage_50=_coverage(ranking[:50], meeting, relevant),
    )


def mean(scores: Sequence[Scores]) -> Scores:
    """The means over questions."""
    return Scores(*np.mean(np.array(scores, dtype=np.float64).reshape(-1, len(NAMES)), axis=0).tolist())


def table(found: Mapping[str, Mapping[str, Sequence[Scores]]], ours: str) -> str:
    """Markdown: the means by setting and method, and how far `ours` is above the best of the others in each.

    `found` has, by setting (such as "per meeting, held-out"), the scores of the questions by method.
    """
    lines = [f"| | questions | method | {' | '.join(NAMES)} |", f"|---|---:|---|{'---:|' * len(NAMES)}"]
    for setting, by_method in found.items():
        means = {method: mean(scores) for method, scores in by_method.items()}
        for method, values in means.items():
            lines.append(f"| {setting} | {len(by_method[method])} | {method} | {' | '.join(f'{value:.3f}' for value in values)} |")
        best = [max(values[place] for method, values in means.items() if method != ours) for place in range(len(NAMES))]
        above = [f"{100.0 * (own / other - 1.0):+.1f} %" if other else "" for own, other in zip(means[ours], best, strict=True)]
        lines.append(f"| {setting} | | {ours} above the best other | {' | '.join(above)} |")
    return "\n".join(lines)


def _coverage(ranking: Sequence[Turn], meeting: str, relevant: frozenset[int]) -> float:
    near = {place + step for name, place in ranking if name == meeting for step in range(-_BESIDE, _BESIDE + 1)}
    return len(relevant & near) / max(len(relevant), 1)
