"""Talks in which all of some people took part, and where to look for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from pipeline.packets import nanoseconds
from stages.answer.corrections import CORRECTED_WITHIN_NS
from stages.memory.rows import LineRow
from stages.recall.answers import speaker_of
from stages.recall.lookup import Lookup
from stages.recall.scope import Scope

_MOST_SESSIONS = 16
_MOST_LOOKED_AT = 400
_MOST_OF_ALL = 4
_BEFORE_NS = nanoseconds(60.0)


def took_part(lines: Iterable[LineRow], scope: Scope) -> bool:
    """Whether everybody whom a scope names said one of some lines."""
    return scope.talkers <= {speaker_of(line).lower() for line in lines}


def said_together(lookup: Lookup, lines: Sequence[LineRow], scope: Scope) -> list[LineRow]:
    """The lines of talks in which everybody took part whom a scope names; without an event, who talks with whom is not known."""
    around = lookup.talk_around(lines, _BEFORE_NS, CORRECTED_WITHIN_NS)
    return [line for line in lines if line.event is None or took_part(around.get(line.id, (line,)), scope)]


def sessions_of(lookup: Lookup, scope: Scope) -> Iterator[str]:
    """Of the latest 16 sessions in which anybody was heard whom a scope names the last one, then up to four in which all of them were."""
    theirs = [lookup.memory.rows_among(None, name, at=lookup.at) for name in sorted(scope.talkers)]
    of_anybody, of_all = 0, 0
    for name in islice(reversed(list(scope.spans)), _MOST_LOOKED_AT):
        inside = lookup.memory.rows_among({name: scope.spans[name]}, at=lookup.at)
        # What is too much to be listed is taken to be there.
        heard = [rows is None or inside is None or bool(np.intersect1d(rows, inside).size) for rows in theirs]
        if all(heard) or (any(heard) and not of_anybody):
            yield name
        of_anybody, of_all = of_anybody + any(heard), of_all + all(heard)
        if of_all == _MOST_OF_ALL or of_anybody == _MOST_SESSIONS:
            return
