"""An order of lines in which each of the first says something new: not the same stretch of talk ten times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.contiguity import apart_s, times_ns

_SAME_S = 24.0
_MOST_SAME = 0.95
_MOST_PLACED = 60
_MOST_AMONG = 400


def spread_out(lines: Sequence[LineRow], scores: Mapping[str, float], conversation: Mapping[str, int]) -> list[LineRow]:
    """Lines best first, each of the first 60 chosen so that the chance is greatest that one of those so far is right.

    The objective of Chen and Karger, "Less is more", SIGIR 2006: where a line is wrong, its neighbours in its conversation most likely are
    too, with a likelihood that falls with the seconds between them. `scores` are logarithms of chances, up to a constant;
    `conversation` says which one each line belongs to. The first line is always the one with the highest score. What is not among
    the best 400 keeps its order.
    """
    best = sorted(lines, key=lambda line: (-scores[line.id], line.id))
    ranked, rest = best[:_MOST_AMONG], best[_MOST_AMONG:]
    if not ranked:
        return []
    fresh: Float32Array = np.array([scores[line.id] for line in ranked], dtype=np.float32)
    talks = np.array([conversation[line.id] for line in ranked])
    starts_ns, ends_ns = times_ns(ranked)
    order: list[int] = []
    for _ in range(min(_MOST_PLACED, len(ranked))):
        place = int(fresh.argmax())
        order.append(place)
        fresh[place] = -np.inf
        beside = np.flatnonzero(talks == talks[place])
        gaps = apart_s(starts_ns[beside], ends_ns[beside], starts_ns[place], ends_ns[place])
        fresh[beside] += np.log1p(-_MOST_SAME * np.exp(-gaps / _SAME_S))
    order += np.flatnonzero(np.isfinite(fresh)).tolist()
    return [ranked[place] for place in order] + rest
