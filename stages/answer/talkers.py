"""Who took part in the part of a conversation in which a topic came up."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.packets import nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.material import Found
from stages.recall.untranscribed import is_untranscribed

_REACH_NS = nanoseconds(15.0)


def talkers(group: Sequence[Found], most: int) -> list[LineRow]:
    """A line of each person who took part, at most `most`, the best found line first.

    `group` are the found lines of one event, the best first. What was said in that event further than 15 s from all of them may be about
    something else. Of each person the line that is nearest to the best one is taken, where one was found that one.
    """
    best = group[0].line
    known = {line.id: line for found in group for line in (*found.conversation, *found.context)}
    near = [
        line
        for line in known.values()
        if line.event == best.event
        and (line.event is not None or line.track == best.track)
        and not is_untranscribed(line)
        and any(line.start_ns - found.line.end_ns <= _REACH_NS and found.line.start_ns - line.end_ns <= _REACH_NS for found in group)
    ]
    near.sort(key=lambda line: (abs(line.start_ns - best.start_ns), line.id))
    by_person: dict[str, LineRow] = {}
    for line in (*(found.line for found in group), *near):
        by_person.setdefault(speaker_of(line), line)
    return list(by_person.values())[:most]
