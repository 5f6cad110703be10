"""What was lost of the sessions that a question asks about, merged and told in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.packets import NS_PER_S, nanoseconds
from stages.answer.wording import offset
from stages.memory.rows import GapRow, SessionRow

Span = tuple[str, int, int]
"""A session and two of its times."""

# Pieces of one loss are cut where packets are; between them no sound can have been heard.
_TOUCHING_NS = nanoseconds(0.01)
_SHORT_NS = nanoseconds(2.0)
_NEAR_NS = nanoseconds(60.0)
_MOST_TOLD = 3
_PLAIN_REASONS = {
    "not a number": "samples that were no numbers",
    "dropped": "it came faster than it could be worked on",
    "overrun": "it came faster than it could be recorded",
    "source ended": "the source had ended",
    "retention": "its audio had left before it was heard",
}


def merged_gaps(gaps: Iterable[GapRow]) -> list[GapRow]:
    """Gaps with those of one session and reason that touch or overlap made one; sessions in the order they came, then by start."""
    order: dict[str, int] = {}
    rows = list(gaps)
    for gap in rows:
        order.setdefault(gap.session, len(order))
    merged: list[GapRow] = []
    last: dict[tuple[str, str], int] = {}
    for gap in sorted(rows, key=lambda gap: (order[gap.session], gap.start_ns, gap.end_ns, gap.reason)):
        place = last.get((gap.session, gap.reason))
        if place is not None and gap.start_ns - merged[place].end_ns <= _TOUCHING_NS:
            merged[place] = replace(merged[place], end_ns=max(merged[place].end_ns, gap.end_ns))
        else:
            last[gap.session, gap.reason] = len(merged)
            merged.append(gap)
    return merged


def gaps_inside(gaps: Iterable[GapRow], spans: Iterable[Span]) -> list[GapRow]:
    """The merged gaps, cut to the spans that were asked about."""
    limits: dict[str, list[tuple[int, int]]] = {}
    for session, start_ns, end_ns in merged_spans(spans):
        limits.setdefault(session, []).append((start_ns, end_ns))
    return [
        replace(gap, start_ns=max(gap.start_ns, start_ns), end_ns=min(gap.end_ns, end_ns))
        for gap in merged_gaps(gaps)
        for start_ns, end_ns in limits.get(gap.session, ())
        if gap.start_ns < end_ns and gap.end_ns > start_ns
    ]


def gap_note(gaps: Sequence[GapRow], sessions: Mapping[str, SessionRow], near: Iterable[Span] = ()) -> str:
    """What was lost, in words: the gaps near some spans of time and the longest ones; of the rest how many and how long."""
    spans = list(near)
    told = sorted(gaps, key=lambda gap: (not _is_near(gap, spans), gap.start_ns - gap.end_ns, gap.session, gap.start_ns))[:_MOST_TOLD]
    parts = [_told(gap, named=len(sessions) > 1) for gap in gaps if gap in told]
    rest = [gap for gap in gaps if gap not in told]
    if rest:
        total = _length(sum(gap.end_ns - gap.start_ns for gap in rest))
        stretch = "stretch" if len(rest) == 1 else "stretches"
        parts.append(f"and {len(rest)} more {stretch}, {total}{' in all' if len(rest) > 1 else ''}")
    return f"Not everything was heard: {'; '.join(parts)}."


def merged_spans(spans: Iterable[Span]) -> list[Span]:
    """Spans of sessions without overlaps, in order."""
    merged: list[Span] = []
    for session, start_ns, end_ns in sorted(spans):
        if merged and merged[-1][0] == session and start_ns <= merged[-1][2]:
            merged[-1] = (session, merged[-1][1], max(merged[-1][2], end_ns))
        else:
            merged.append((session, start_ns, end_ns))
    return merged


def _is_near(gap: GapRow, spans: Iterable[Span]) -> bool:
    return any(
        session == gap.session and gap.start_ns - end_ns <= _NEAR_NS and start_ns - gap.end_ns <= _NEAR_NS
        for session, start_ns, end_ns in spans
    )


def _told(gap: GapRow, *, named: bool) -> str:
    length_ns = gap.end_ns - gap.start_ns
    span = (
        f"{offset(gap.start_ns)} to {offset(gap.end_ns)}" if length_ns >= _SHORT_NS else f"{_length(length_ns)} at {offset(gap.start_ns)}"
    )
    session = f" of session {gap.session}" if named else ""
    return f"{span}{session} is missing ({_PLAIN_REASONS.get(gap.reason, gap.reason)})"


def _length(length_ns: int) -> str:
    """A length of time: in milliseconds, in seconds, or in minutes and seconds."""
    if length_ns < NS_PER_S:
        return f"{max(1, round(length_ns / 10**6))} ms"
    if length_ns < 60 * NS_PER_S:
        return f"{f'{length_ns / NS_PER_S:.1f}'.removesuffix('.0')} s"
    minutes, rest = divmod(round(length_ns / NS_PER_S), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
