"""Ordering lines by likeness and by contiguity: pure functions over hits and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stages.memory.rows import Hit, LineRow

RRF_CONSTANT = 60
"""Of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009."""
NEIGHBOUR_SHARE = 0.3
MOST_STEPS = 2


def fused(rankings: Iterable[Sequence[Hit]]) -> dict[str, float]:
    """Reciprocal rank fusion of several rankings: score by line id, 1 / (60 + rank) summed over the rankings."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.line] = scores.get(hit.line, 0.0) + 1.0 / (RRF_CONSTANT + rank)
    return scores


def with_neighbours(scores: Mapping[str, float], chains: Iterable[Sequence[str]]) -> dict[str, float]:
    """Scores after contiguity: what was said just before and after something alike is likely to belong to it (EM-LLM, arXiv 2407.09450).

    A line gets a share of its neighbour's score, less with each step of distance. `chains` are the ids of lines that follow each
    other in one
    conversation.
    """
    spread = dict(scores)
    for chain in chains:
        for place, name in enumerate(chain):
            for step in range(1, MOST_STEPS + 1):
                share = NEIGHBOUR_SHARE**step
                for other in (place - step, place + step):
                    if 0 <= other < len(chain) and (score := scores.get(chain[other], 0.0)):
                        spread[name] = spread.get(name, 0.0) + share * score
    return spread


def conversations(lines: Iterable[LineRow]) -> list[list[LineRow]]:
    """Lines that follow each other in one conversation, each by start.

    Tracks that share an event talk with each other, so do tracks that share a partner.
    """
    rows = sorted(lines, key=lambda line: (line.session, line.start_ns, line.id))
    root: dict[tuple[str, str], tuple[str, str]] = {}

    def find(key: tuple[str, str]) -> tuple[str, str]:
        while root.setdefault(key, key) != key:
            key = root[key]
        return key

    for line in rows:
        track = find((line.session, f"track {line.track}"))
        if line.event is not None:
            root[track] = find((line.session, f"event {line.event}"))
    groups: dict[tuple[str, str], list[LineRow]] = {}
    for line in rows:
        groups.setdefault(find((line.session, f"track {line.track}")), []).append(line)
    return list(groups.values())
