"""What the reader learns of corrections: lines of generated talks with later ones that take them back, and with others that do not."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from stages.recall.reader import whether_taken_back
from stages.recall.reading import READ_BEFORE
from tools.fit_examples import told_at_length
from tools.reader_lessons import Read, before_of
from tools.recall_rooms import Room, Said, Told, made_room
from tools.recall_rooms_topics import Topic

_P_AGAIN = 0.5
_LATER = 2
_OTHERS = 2
_TELLING = {"open", "fill", "fact", "fix"}


@dataclass(frozen=True)
class _Pair:
    """What was said, and later, with what was said right before that."""

    line: str
    before: str
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
    befores = [_before(talk, at) for at in later] or [line.text]
    if told.fact.fix is not None:
        fixes = told.lines(room, "fix")
        new = told.value if fixes else draw.choice([value for value in told.fact.v if value != told.value])
        text = draw.choice([fixes[0].text if fixes else told.fact.fix.format(v=new), *(fix.format(v=new) for fix in told.fact.fixes)])
        before = _before(talk, talk.index(fixes[0])) if fixes else draw.choice(befores)
        yield _Pair(line.text, before, text, right=True)
        # Of which line it holds is as much to be learnt as that it takes something back.
        others = [one for one in talk if one is not line and one.role in _TELLING and one not in fixes]
        alike = [one for one in others if one.topic == line.topic and one.role == "fact"]
        for one in (*draw.sample(alike, min(1, len(alike))), *draw.sample(others, min(_OTHERS, len(others)))):
            yield _Pair(one.text, before, text, right=False)
        if told.fact.adds is not None:
            yield _Pair(told.fact.adds, before, text, right=False)
    said = [told.fact.adds] if told.fact.adds is not None else []
    if told.fact.again is not None and draw.random() < _P_AGAIN:
        said.append(told.fact.again.format(v=told.taken_back or told.value))
    for text in said:
        yield _Pair(line.text, draw.choice(befores), text, right=False)
    places = [at for at in later if talk[at].role in _TELLING and talk[at] not in told.lines(room, "fix")]
    for at in draw.sample(places, min(_LATER, len(places))):
        yield _Pair(line.text, _before(talk, at), talk[at].text, right=False)


def _before(talk: Sequence[Said], at: int) -> str:
    return " ".join(other.text for other in talk[max(0, at - READ_BEFORE) : at])


class CorrectionLessons:
    """Rounds of such pairs, `n_rounds` with other rooms each before they come again; what was said before is often left out or exchanged.

    The same round comes out the same.
    """

    def __init__(self, seeds: Sequence[int], known: Sequence[Topic], of: Collection[str], n_rounds: int = 1) -> None:
        rooms = [list(corrections(seed, known, of)) for seed in seeds]
        self._parts = [[pair for room in rooms[first::n_rounds] for pair in room] for first in range(n_rounds)]
        self._befores = [pair.before for part in self._parts for pair in part]

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether the later line takes the other back."""
        draw = random.Random(number)
        pairs = self._parts[number % len(self._parts)]
        read = [(whether_taken_back(pair.line), before_of(pair.before, self._befores, draw), pair.later) for pair in pairs]
        return read, [pair.right for pair in pairs]
