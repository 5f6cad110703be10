"""Fusing rankings, and telling which lines belong to one conversation: pure functions over hits and rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stages.memory.rows import Hit, LineRow

RRF_CONSTANT = 60
"""Of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009."""


def fused(rankings: Iterable[Sequence[Hit]]) -> dict[str, float]:
    """Reciprocal rank fusion of several rankings: score by line id, 1 / (60 + rank) summed over the rankings."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            scores[hit.line] = scores.get(hit.line, 0.0) + 1.0 / (RRF_CONSTANT + rank)
    return scores


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

    for session, track, event in dict.fromkeys((line.session, line.track, line.event) for line in rows):
        if event is not None:
            root[find((session, f"track {track}"))] = find((session, f"event {event}"))
    talks = {(session, track): find((session, f"track {track}")) for session, track in {(line.session, line.track) for line in rows}}
    groups: dict[tuple[str, str], list[LineRow]] = {}
    for line in rows:
        groups.setdefault(talks[line.session, line.track], []).append(line)
    return list(groups.values())
