"""Lines grouped to the stretches of conversation that overviews tell of: by topic, or by event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from pipeline.packets import Float32Array, nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answers import Stretch, speaker_of
from stages.recall.gaps import Span
from stages.recall.talks import PAUSE_NS, talks
from stages.recall.topic_parts import centre_of, topic_starts, weights_of
from stages.recall.untranscribed import is_untranscribed

_PAUSE_NS = nanoseconds(20.0)

Vectors = Mapping[str, Float32Array]
"""The vectors of lines by id, float32, shape (dimension,)."""


def stretches_of(lines: Iterable[LineRow]) -> list[Stretch]:
    """Lines grouped by event; lines whose event has not ended yet are grouped by track and pauses."""
    groups: dict[tuple[str, str], list[LineRow]] = {}
    loose: dict[tuple[str, str], list[LineRow]] = {}
    for line in sorted(lines, key=lambda line: (line.session, line.start_ns, line.id)):
        if line.event is not None:
            groups.setdefault((line.session, line.event), []).append(line)
        else:
            loose.setdefault((line.session, line.track), []).append(line)
    parts = list(groups.values())
    for rows in loose.values():
        part: list[LineRow] = []
        for line in rows:
            if part and line.start_ns - part[-1].end_ns > _PAUSE_NS:
                parts.append(part)
                part = []
            part.append(line)
        parts.append(part)
    return by_start(map(stretch_of, parts))


def topic_stretches(lines: Iterable[LineRow], vectors: Vectors) -> list[Stretch]:
    """Lines grouped by conversation and topic, however they were cut into events while they were heard (`talks`, `topic_parts`).

    The event of a stretch is the one that most of its lines are of.
    """
    rows = list(lines)
    if not rows:
        return []
    stacked = np.stack([vectors[line.id] for line in rows])
    weights = weights_of([line.text for line in rows])
    centre = centre_of(stacked, weights)
    places = {line.id: place for place, line in enumerate(rows)}
    made: list[Stretch] = []
    for talk in talks(rows):
        own = [places[line.id] for line in talk]
        if not stacked[own].any():
            # Their vectors have faded.
            made += stretches_of(talk)
            continue
        begun = [place for place, (one, other) in enumerate(pairwise(talk), start=1) if one.event != other.event]
        starts = topic_starts(stacked[own], weights[own], centre, begun)
        made += [stretch_of(talk[first:end]) for first, end in pairwise([0, *starts, len(talk)])]
    return by_start(made)


def stretch_of(rows: Sequence[LineRow]) -> Stretch:
    """A stretch of some lines, which are by start; its event is the one that most of them are of."""
    return Stretch(
        session=rows[0].session,
        start_ns=min(line.start_ns for line in rows),
        end_ns=max(line.end_ns for line in rows),
        event=Counter(line.event for line in rows).most_common(1)[0][0],
        summary=rows[0].text,
        lines=tuple(rows),
    )


def by_start(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in the order in which they began."""
    return sorted(stretches, key=lambda stretch: (stretch.session, stretch.start_ns, stretch.end_ns, stretch.lines[0].id))


def within(stretches: Iterable[Stretch], kept_ids: Collection[str]) -> list[Stretch]:
    """The stretches with those of their lines that are kept, by id; none without any."""
    found = []
    for stretch in stretches:
        kept = tuple(line for line in stretch.lines if line.id in kept_ids)
        if len(kept) == len(stretch.lines):
            found.append(stretch)
        elif kept:
            found.append(
                replace(stretch, lines=kept, start_ns=kept[0].start_ns, end_ns=max(line.end_ns for line in kept), summary=kept[0].text)
            )
    return by_start(found)


def without_copies(stretches: Iterable[Stretch], same_as: Callable[[str], str | None]) -> list[Stretch]:
    """Stretches without those that say the same as an earlier one of them. `same_as` gives the event that an event is a copy of."""
    told: dict[str, str] = {}

    def is_new(event: str) -> bool:
        # An event of several topics is told in several stretches.
        return told.setdefault(same_as(event) or event, event) == event

    return [stretch for stretch in stretches if stretch.event is None or is_new(stretch.event)]


def spans_of(stretches: Iterable[Stretch], pause_ns: int = PAUSE_NS) -> list[Span]:
    """When some stretches were talked in, without silences of more than `pause_ns`; what overlaps counts once."""
    spans: list[Span] = []
    for session, start_ns, end_ns in sorted((line.session, line.start_ns, line.end_ns) for one in stretches for line in one.lines):
        if spans and spans[-1][0] == session and start_ns - spans[-1][2] <= pause_ns:
            spans[-1] = (session, spans[-1][1], max(spans[-1][2], end_ns))
        else:
            spans.append((session, start_ns, end_ns))
    return spans


def longest_of_each(stretches: Iterable[Stretch]) -> dict[str, LineRow]:
    """The longest line of each talker with words, one without where somebody has no other; by name."""
    longest: dict[str, LineRow] = {}
    for line in (line for stretch in stretches for line in stretch.lines):
        other = longest.get(speaker_of(line))
        if other is None or _length(line) > _length(other):
            longest[speaker_of(line)] = line
    return longest


def _length(line: LineRow) -> tuple[bool, int]:
    return not is_untranscribed(line), line.end_ns - line.start_ns
