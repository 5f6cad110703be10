"""What somebody followed, told from their own voice: the talks that they took part in, and whom they took turns with.

People who talk with each other take turns: one begins soon after the other has ended, and they seldom speak at once, while those of
another conversation begin at any time and speak over them (S. Basu, Conversational Scene Analysis, MIT 2002, tells conversations apart by
how well the times of speech of two people fit into each other). Here as a plain score of a pair within half a minute and the ones before
and after it:

    answers / turns - 2 overlap

`answers` counts changes of turn between the two, each by how short its pause was (1 at none, 0 at `_LONGEST_PAUSE_NS`), `turns` the turns
of the one with fewer, and `overlap` is the share of the shorter speech of the two that both spoke at once. Weight, reach and the two
limits were chosen on 80 random rooms of a minute, half of them with three people in the asker's own talk, with two others talking all the
time: of what the asker's one partner said all is found, of that of two partners 88 %, and of what the strangers said at most 0.7 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answers import Stretch, speaker_of

MY_NAMES = frozenset({"me", "i", "myself"})
"""What the speaker is called, case aside, who is the one who asks: `echoic speakers rename speaker-1 me`."""

_CELL_NS = nanoseconds(30.0)
_BESIDE_NS = nanoseconds(30.0)
_LONGEST_PAUSE_NS = nanoseconds(2.0)
_LONGEST_CUT_IN_NS = nanoseconds(0.5)
_LEAST_SCORE = 0.4
_WEIGHT_OF_OVERLAP = 2.0
_NEED_OF_BEST = 0.5
_FAIR_PART = 0.2

Turn = tuple[int, int]


def is_mine(line: LineRow) -> bool:
    """Whether the one who asks said it."""
    return speaker_of(line).casefold() in MY_NAMES


def followed_by_voice(stretches: Sequence[Stretch]) -> list[Stretch]:
    """What the one who asks followed, by start; none where they did not speak.

    Events that they share with others, with a fair part of the lines (a fifth), count wholly. The other turns are told half a minute at a
    time: theirs, with those of whom they took turns with, or theirs alone where nobody answered.
    """
    shared = [stretch for stretch in stretches if _is_shared(stretch)]
    taken = {line.id for stretch in shared for line in stretch.lines}
    free = [line for stretch in stretches for line in stretch.lines if line.id not in taken]
    followed = [*shared, *_by_turns(free)]
    return sorted(followed, key=lambda stretch: (stretch.session, stretch.start_ns, stretch.end_ns, stretch.lines[0].id))


def turn_score(mine: Sequence[Turn], theirs: Sequence[Turn]) -> float:
    """How well two people's turns (start and end, by start) fit into each other: about 1 for a dialogue, below 0 for strangers."""
    if not mine or not theirs:
        return 0.0
    answers = sum(_answered(one, other) for one in mine for other in theirs)
    overlap = sum(max(0, min(one[1], other[1]) - max(one[0], other[0])) for one in mine for other in theirs)
    shorter = min(sum(end - start for start, end in turns) for turns in (mine, theirs))
    return min(1.0, answers / min(len(mine), len(theirs))) - _WEIGHT_OF_OVERLAP * overlap / max(1, shorter)


def _is_shared(stretch: Stretch) -> bool:
    mine = sum(is_mine(line) for line in stretch.lines)
    return stretch.event is not None and 0 < mine < len(stretch.lines) and mine >= _FAIR_PART * len(stretch.lines)


def _by_turns(lines: Sequence[LineRow]) -> list[Stretch]:
    """Stretches of turns that belong together, half a minute or more; neighbours with the same people are one."""
    cells: dict[tuple[str, int], list[LineRow]] = {}
    for line in lines:
        if is_mine(line):
            cells.setdefault((line.session, line.start_ns // _CELL_NS), []).append(line)
    made: list[tuple[int, frozenset[str], list[LineRow]]] = []
    for (session, cell), mine in sorted(cells.items()):
        start_ns, end_ns = cell * _CELL_NS, (cell + 1) * _CELL_NS
        near = [line for line in lines if line.session == session and _reaches(line, start_ns - _BESIDE_NS, end_ns + _BESIDE_NS)]
        partners = _partners(near)
        own = [*mine, *(line for line in near if line.track in partners and not is_mine(line) and start_ns <= line.start_ns < end_ns)]
        if made and made[-1][2][0].session == session and made[-1][0] == cell - 1 and made[-1][1] == partners:
            made[-1] = (cell, partners, [*made[-1][2], *own])
        else:
            made.append((cell, partners, own))
    return [_stretch(own) for _, _, own in made]


def _partners(lines: Sequence[LineRow]) -> frozenset[str]:
    """The tracks with whom the turns of the one who asks alternate: the best, and those at least half as good."""
    mine = _turns(line for line in lines if is_mine(line))
    others = {line.track for line in lines if not is_mine(line)}
    scores = {track: turn_score(mine, _turns(line for line in lines if line.track == track and not is_mine(line))) for track in others}
    least = max(_LEAST_SCORE, _NEED_OF_BEST * max(scores.values(), default=0.0))
    return frozenset(track for track, score in scores.items() if score >= least)


def _turns(lines: Iterable[LineRow]) -> list[Turn]:
    """Lines of one person as turns: what goes on after less than a short pause is one."""
    turns: list[Turn] = []
    for start_ns, end_ns in sorted((line.start_ns, line.end_ns) for line in lines):
        if turns and start_ns - turns[-1][1] < _LONGEST_CUT_IN_NS:
            turns[-1] = (turns[-1][0], max(end_ns, turns[-1][1]))
        else:
            turns.append((start_ns, end_ns))
    return turns


def _answered(one: Turn, other: Turn) -> float:
    """How promptly one turn followed the other, 0 to 1, whichever came first."""
    first, second = (one, other) if one[0] <= other[0] else (other, one)
    pause = second[0] - first[1]
    if not -_LONGEST_CUT_IN_NS <= pause <= _LONGEST_PAUSE_NS:
        return 0.0
    return 1.0 - max(0, pause) / _LONGEST_PAUSE_NS


def _reaches(line: LineRow, start_ns: int, end_ns: int) -> bool:
    return line.start_ns < end_ns and line.end_ns > start_ns


def _stretch(lines: Iterable[LineRow]) -> Stretch:
    rows = sorted(lines, key=lambda line: (line.start_ns, line.id))
    return Stretch(rows[0].session, rows[0].start_ns, max(line.end_ns for line in rows), None, rows[0].text, tuple(rows))
