"""Who talks with whom among some lines, whenever they were said: tracks that share events.

This needs no talk without holes, as `talks.py` does, which tells how conversations went on in time and who joined or left them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations

from stages.memory.rows import LineRow

GOOD_PART = 0.4
"""Which share of what one of two people said has to lie in their common events, where a few lines of one event are not enough: before it
was heard who talks with whom, an event may hold two conversations."""


def conversations(lines: Iterable[LineRow], least_shared: float = 0.0) -> list[list[LineRow]]:
    """Lines that belong to one conversation, each by start, by the start of the first.

    Two tracks talk with each other where they share events for more than nothing and at least `least_shared` (0 to 1) of the lines of one
    of them, and so do tracks that share a partner. A track without an event talks with nobody.
    """
    rows = sorted(lines, key=lambda line: (line.session, line.start_ns, line.id))
    said: dict[tuple[str, str], dict[str, int]] = {}
    met: dict[tuple[str, str], list[tuple[str, str]]] = {}
    n_lines: Counter[tuple[str, str]] = Counter()
    for (session, name, event), count in Counter((line.session, line.track, line.event) for line in rows).items():
        track = session, name
        n_lines[track] += count
        if event is not None:
            said.setdefault(track, {})[event] = count
            met.setdefault((session, event), []).append(track)
    root = {track: track for track in n_lines}

    def find(track: tuple[str, str]) -> tuple[str, str]:
        while root[track] != track:
            track = root[track]
        return track

    for one, other in dict.fromkeys(pair for tracks in met.values() for pair in combinations(tracks, 2)):
        first, second = find(one), find(other)
        if first != second and (
            max(_shared(said[one], said[other], n_lines[one]), _shared(said[other], said[one], n_lines[other])) >= least_shared
        ):
            root[first] = second
    groups: dict[tuple[str, str], list[LineRow]] = {}
    found = {track: find(track) for track in n_lines}
    for line in rows:
        groups.setdefault(found[line.session, line.track], []).append(line)
    return list(groups.values())


def _shared(said: Mapping[str, int], others: Mapping[str, int], n_lines: int) -> float:
    """Which share of somebody's lines was said in the events of somebody else; both as numbers of lines by event."""
    return sum(count for event, count in said.items() if event in others) / n_lines
