"""Which declaration counts at each moment: of those that cover it, the one that began last."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

from stages.memory.attention.attention_row import Attention


@dataclass(frozen=True)
class AttendedSpan:
    """A stretch of time (wall-clock nanoseconds) in which one declaration counts."""

    attention: Attention
    start_at_ns: int
    end_at_ns: int


def timeline(attentions: Iterable[Attention], session: str | None, start_at_ns: int, end_at_ns: int) -> list[AttendedSpan]:
    """What counts between two moments in a session (None: in all), by time; moments for which nothing was declared are left out.

    The later one wins from its start, and of two that begin at once the one that was declared last. Where one ends, the one that it
    interrupted goes on: a call in the middle of a long talk does not end the talk.
    """
    if start_at_ns >= end_at_ns:
        return []
    covering = [
        attention
        for attention in attentions
        if attention.session in (None, session)
        and attention.start_at_ns < end_at_ns
        and (attention.end_at_ns is None or attention.end_at_ns > start_at_ns)
    ]
    covering.sort(key=lambda attention: (attention.start_at_ns, attention.n), reverse=True)
    borders = {start_at_ns, end_at_ns}
    for attention in covering:
        ends = {attention.start_at_ns, end_at_ns if attention.end_at_ns is None else attention.end_at_ns}
        borders |= {moment for moment in ends if start_at_ns < moment < end_at_ns}
    spans: list[AttendedSpan] = []
    ordered = sorted(borders)
    for first, last in itertools.pairwise(ordered):
        counts = next((one for one in covering if one.start_at_ns <= first and (one.end_at_ns is None or one.end_at_ns >= last)), None)
        if counts is None:
            continue
        if spans and spans[-1].attention is counts and spans[-1].end_at_ns == first:
            spans[-1] = replace(spans[-1], end_at_ns=last)
        else:
            spans.append(AttendedSpan(counts, first, last))
    return spans
