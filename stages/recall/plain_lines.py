"""Lines that are told as they stand, without being judged, and what is read around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.packets import nanoseconds
from stages.answer.corrections import CORRECTED_WITHIN_NS
from stages.memory.rows import LineRow
from stages.recall.lookup import Lookup, Outcome
from stages.recall.material import Found, Material
from stages.recall.scope import Scope

_SAID = 0.9
_BEFORE_NS = nanoseconds(60.0)


def as_said(line: LineRow, talk: tuple[LineRow, ...] = (), context: tuple[LineRow, ...] = ()) -> Found:
    """A line that answers as it stands, with what was said around it."""
    return Found(line, 1.0, _SAID, 1.0, context=context, talk=talk)


def as_they_are(lines: Sequence[LineRow], scope: Scope) -> Outcome | None:
    """Lines that answer as they stand, by start; None for none."""
    told = sorted(lines, key=lambda line: (line.session, line.start_ns, line.id))
    found = tuple(map(as_said, told))
    spans = tuple((line.session, line.start_ns, line.end_ns) for line in told)
    return Outcome(Material(found=found, sessions=scope.sessions), tuple(line.id for line in told), spans=spans) if told else None


def sessions_in_turn(scope: Scope) -> list[tuple[str, ...]]:
    """The sessions to look through until something is found: those of an asked time all at once, else the latest one first."""
    names = tuple(scope.spans)
    return [names] if scope.window is not None else [(name,) for name in reversed(names)]


def spoken_around(lookup: Lookup, lines: Sequence[LineRow]) -> Mapping[str, tuple[LineRow, ...]]:
    """What was said in the conversation of each line before and after it, by id.

    That goes on after a silence: people come back to what they said.
    """
    return lookup.talk_around(lines, _BEFORE_NS, CORRECTED_WITHIN_NS, CORRECTED_WITHIN_NS)
