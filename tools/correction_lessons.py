"""What the reader learns of corrections: lines of generated talks with later ones that take them back, and with others that do not."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from stages.recall.reader import whether_taken_back
from tools.fit_examples import told_at_length
from tools.reader_lessons import Read
from tools.recall_rooms import Room, Told, made_room
from tools.recall_rooms_topics import Topic

_P_AGAIN = 0.5
_LATER = 2
_OTHERS = 2
_TELLING = {"open", "fill", "fact", "fix"}


@dataclass(frozen=True)
class _Pair:
    """What was said, and what was said later."""

    line: str
    later: str
    right: bool


def corrections(seed: int, known: Sequence[Topic], of: Collection[str]) -> Iterator[_Pair]:
    """The pairs of one room on topics of `known`, those about topics named in `of`."""
    room = made_room(seed, known=known)
    room = told_at_length(room) if seed % 2 else room
    draw = random.Random(seed)
    for told in room.told:
        if told.topic.name in of:
            yield from _of_fact(room, told, draw)


def _of_fact(room: Room, told: Told, draw: random.Random) -> Iterator[_Pair]:
    """Every fact is taken back here: by its line in the room, or by one that could have been said there."""
    (line,) = told.lines(room, "fact")
    talk = sorted((other for other in room.said if other.conversation == line.conversation), key=lambda other: other.start_s)
    later = range(talk.index(line) + 1, len(talk))
    if told.fact.fix is not None:
        fixes = told.lines(room, "fix")
        new = told.value if fixes else draw.choice([value for value in told.fact.v if value != told.value])
        text = draw.choice([fixes[0].text if fixes else told.fact.fix.format(v=new), *(fix.format(v=new) for fix in told.fact.fixes)])
        yield _Pair(line.text, text, right=True)
        # Of which line it holds is as much to be learnt as that it takes something back.
        others = [one for one in talk if one is not line and one.role in _TELLING and one not in fixes]
        alike = [one for one in others if one.topic == line.topic and one.role == "fact"]
        for one in (*draw.sample(alike, min(1, len(alike))), *draw.sample(others, min(_OTHERS, len(others)))):
            yield _Pair(one.text, text, right=False)
        if told.fact.adds is not None:
            yield _Pair(told.fact.adds, text, right=False)
    said = [told.fact.adds] if told.fact.adds is not None else []
    if told.fact.again is not None and draw.random() < _P_AGAIN:
        said.append(told.fact.again.format(v=told.taken_back or told.value))
    for text in said:
        yield _Pair(line.text, text, right=False)
    places = [at for at in later if talk[at].role in _TELLING and talk[at] not in told.lines(room, "fix")]
    for at in draw.sample(places, min(_LATER, len(places))):
        yield _Pair(line.text, talk[at].text, right=False)


class CorrectionLessons:
    """Rounds of some of such pairs, `n_rounds` with other rooms each before they come again. The same round comes out the same."""

    def __init__(self, seeds: Sequence[int], known: Sequence[Topic], of: Collection[str], n_rounds: int = 1, n_each: int = 10_000) -> None:
        rooms = [list(corrections(seed, known, of)) for seed in seeds]
        self._parts = [[pair for room in rooms[first::n_rounds] for pair in room] for first in range(n_rounds)]
        self._n_each = n_each

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether the later line takes the other back."""
        pairs = self._parts[number % len(self._parts)]
        places = sorted(random.Random(number).sample(range(len(pairs)), min(self._n_each, len(pairs))))
        drawn = [pairs[place] for place in places]
        return [(whether_taken_back(pair.line), "", pair.later) for pair in drawn], [pair.right for pair in drawn]
