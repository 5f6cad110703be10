"""Conversations as they went on: which events, and lines without one, follow each other among the same people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow

PAUSE_NS = nanoseconds(30.0)
"""How long a silence ends a conversation."""

_LEAST_COMPANY = 0.25
_FORGET = 0.5
_NEARBY_EVENTS = 2


@dataclass
class _Talk:
    """A conversation so far: its lines, when it was last heard, and who said how much lately (ns by track)."""

    lines: list[LineRow] = field(default_factory=list)
    end_ns: int = 0
    company: dict[str, float] = field(default_factory=dict)

    def add(self, piece: Sequence[LineRow]) -> None:
        self.lines += piece
        self.end_ns = max(self.end_ns, *(line.end_ns for line in piece))
        spoken = _spoken(piece)
        self.company = {
            track: _FORGET * self.company.get(track, 0.0) + spoken.get(track, 0.0) for track in dict.fromkeys([*self.company, *spoken])
        }


def talks(lines: Iterable[LineRow], pause_ns: int = PAUSE_NS) -> list[list[LineRow]]:
    """Conversations, each with its lines by start, by the start of the first.

    An event goes on from the conversation of which it has most of the people, by how much they said lately, unless more than `pause_ns` of
    silence lies between. Who is in an event by a mistake (they say more just before and after, and there with nobody of it) goes with their
    own people. A line without an event goes on where its track was heard last.
    """
    by_session: dict[str, list[LineRow]] = {}
    for line in sorted(lines, key=lambda line: (line.session, line.start_ns, line.id)):
        by_session.setdefault(line.session, []).append(line)
    found = [talk for rows in by_session.values() for talk in _of_session(rows, pause_ns)]
    return sorted(found, key=lambda talk: (talk[0].session, talk[0].start_ns, talk[0].id))


def _of_session(rows: Sequence[LineRow], pause_ns: int) -> list[list[LineRow]]:
    pieces, strays = _pieces(rows)
    made = _chained(pieces, pause_ns)
    for stray in strays:
        tracks = {line.track for line in stray}
        near = [
            (min(abs(line.start_ns - stray[0].start_ns) for line in own), place)
            for place, talk in enumerate(made)
            if (own := [line for line in talk if line.track in tracks])
        ]
        if near:
            made[min(near)[1]] += stray
        else:
            made.append(list(stray))
    return [sorted(talk, key=lambda line: (line.start_ns, line.id)) for talk in made]


def _chained(pieces: Iterable[Sequence[LineRow]], pause_ns: int) -> list[list[LineRow]]:
    """Pieces of talk, which are by start, put together to conversations."""
    made: list[_Talk] = []
    open_talks: list[_Talk] = []
    for piece in pieces:
        start_ns, spoken = piece[0].start_ns, _spoken(piece)
        open_talks = [talk for talk in open_talks if start_ns - talk.end_ns <= pause_ns]
        fits = [(_cosine(talk.company, spoken), -place) for place, talk in enumerate(open_talks)]
        fit, place = max(fits, default=(0.0, 0))
        if fit < _LEAST_COMPANY:
            made.append(talk := _Talk())
            open_talks.append(talk)
        else:
            talk = open_talks[-place]
        talk.add(piece)
    return [talk.lines for talk in made]


def _pieces(rows: Sequence[LineRow]) -> tuple[list[list[LineRow]], list[list[LineRow]]]:
    """The events of one session and its lines without an event, one by one, by start; and what was said in events by mistake."""
    events: dict[str, list[LineRow]] = {}
    pieces: list[list[LineRow]] = []
    strays: list[list[LineRow]] = []
    for line in rows:
        if line.event is None:
            pieces.append([line])
        else:
            events.setdefault(line.event, []).append(line)
    said = {name: Counter(line.track for line in own) for name, own in events.items()}
    order: dict[str, list[str]] = {}
    for name, counts in said.items():
        for track in counts:
            order.setdefault(track, []).append(name)
    for name, own in events.items():
        groups = _companies(name, said, order)
        parts = [[line for line in own if line.track in group] for group in groups]
        pieces.append(parts[0])
        strays += parts[1:]
    return sorted(pieces, key=lambda piece: (piece[0].start_ns, piece[0].id)), strays


def _companies(event: str, said: Mapping[str, Counter[str]], order: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """The tracks of an event that belong together, those with the most lines first.

    Two of them do not where both speak in the two events just before and the two after, never together, and one of them says more there.
    """
    counts = said[event]
    if len(counts) < 3:
        return [frozenset(counts)]
    met: dict[str, set[str]] = {}
    guests = set()
    for track in counts:
        place = order[track].index(event)
        near = [*order[track][max(0, place - _NEARBY_EVENTS) : place], *order[track][place + 1 : place + 1 + _NEARBY_EVENTS]]
        met[track] = {other for name in near for other in said[name]}
        if sum(said[name][track] for name in near) > counts[track]:
            guests.add(track)
    groups = [frozenset({track}) for track in sorted(counts)]
    for one, other in combinations(sorted(counts), 2):
        is_apart = met[one] and met[other] and one not in met[other] and other not in met[one] and guests & {one, other}
        if not is_apart:
            joined = [group for group in groups if group & {one, other}]
            groups = [group for group in groups if not group & {one, other}] + [frozenset().union(*joined)]
    return sorted(groups, key=lambda group: (-sum(counts[track] for track in group), sorted(group)))


def _spoken(lines: Iterable[LineRow]) -> dict[str, float]:
    spoken: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        spoken[line.track] += line.end_ns - line.start_ns
    return spoken


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    product = sum(value * other.get(track, 0.0) for track, value in one.items())
    lengths = [sqrt(sum(value * value for value in spoken.values())) for spoken in (one, other)]
    return product / max(lengths[0] * lengths[1], 1e-9)
