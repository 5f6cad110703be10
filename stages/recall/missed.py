"""What was attended and what was missed: by stretch, from the lines of the sessions in question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array, nanoseconds
from stages.memory.rows import LineRow
from stages.recall.answers import Stretch, speaker_of
from stages.recall.gaps import Span
from stages.recall.question import Attended
from stages.recall.salience import Vocabulary, importance
from stages.recall.scope import is_near
from stages.recall.stretches import Vectors, by_start, stretch_of
from stages.recall.talks import talks
from stages.recall.terms import forms, stems
from stages.recall.topic_parts import centre_of, centred, weights_of

_LEAST_OVERLAP_NS = nanoseconds(1.5)
_LEAST_OVERLAP_SHARE = 0.5
_BESIDE_NS = nanoseconds(60.0)
_FAIR_PART = 0.1

# How like its topic a stretch must be, by the cosines of its centre and of its best line.
_NEED_BOTH = 0.56
_NEED_OF_BEST = 0.7
_NO_LIKENESS = 0.22

# How like the stretch that is most about the topic another must be: the cosine of what they are about beside what all have in common.
_LIKE_BEST = 0.05


@dataclass(frozen=True)
class FollowedTopic:
    """What was attended, as a query: unit vectors, float32, shape (n, dimension), n 0 without an encoder, and the stems of its words."""

    vectors: Float32Array
    terms: tuple[str, ...]


def attended_by_constraint(lines: Iterable[LineRow], attended: Attended) -> list[Stretch]:
    """The conversations in which the asked speaker, or somebody at the asked bearing, took part, while they were there.

    Nobody speaks all the time: what others of the conversation said up to a minute before and after was followed with them.
    """
    found = []
    for talk in talks(lines):
        own = [line for line in talk if follows(attended, line)]
        if len(own) < max(1, _FAIR_PART * len(talk)):
            continue
        first, last = own[0].start_ns - _BESIDE_NS, max(line.end_ns for line in own) + _BESIDE_NS
        found.append(stretch_of([line for line in talk if line.start_ns < last and line.end_ns > first]))
    return by_start(found)


def follows(attended: Attended, line: LineRow) -> bool:
    """Whether a line comes from the speaker or the bearing that was followed."""
    if attended.speaker is not None and speaker_of(line).lower() != attended.speaker.lower():
        return False
    return attended.azimuth_deg is None or is_near(line.azimuth_deg, attended.azimuth_deg)


def attended_by_topic(stretches: Sequence[Stretch], topic: FollowedTopic, vectors: Vectors) -> list[Stretch]:
    """The stretches that are about a topic, by start; none where nothing was. `vectors` are those of their lines.

    Nobody follows two conversations at once: of two that overlap, the one that is more about it counts. Others than the one that is most
    about it must also be like that one: a word may stand for something else in them.
    """
    scored = sorted(
        ((_aboutness(stretch, topic, vectors), place) for place, stretch in enumerate(stretches)),
        key=lambda entry: (-entry[0], entry[1]),
    )
    if not scored or scored[0][0] <= 0.0:
        return []
    best, first = scored[0]
    chosen = [stretches[first]]
    near = [place for score, place in scored[1:] if score >= _NEED_OF_BEST * best]
    directions = _directions(stretches, vectors) if near and len(topic.vectors) else None
    for place in near:
        stretch = stretches[place]
        if directions is not None and float(directions[place] @ directions[first]) < _LIKE_BEST:
            continue
        if all(set(stretch.tracks) & set(other.tracks) or overlap_ns(stretch, other) < _LEAST_OVERLAP_NS for other in chosen):
            chosen.append(stretch)
    return by_start(chosen)


def _directions(stretches: Sequence[Stretch], vectors: Vectors) -> npt.NDArray[np.float64]:
    """What each stretch is about beside what all of them have in common: unit vectors, float64, shape (n, dimension)."""
    lines = [line for stretch in stretches for line in stretch.lines]
    stacked = np.stack([vectors[line.id] for line in lines])
    weights = weights_of([line.text for line in lines])
    own = centred(stacked, centre_of(stacked, weights)) * weights[:, None]
    ends = np.cumsum([len(stretch.lines) for stretch in stretches])
    sums = np.add.reduceat(own, [0, *ends[:-1]])
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9), dtype=np.float64)


def missed(
    stretches: Sequence[Stretch], attended: Sequence[Stretch], vocabulary: Vocabulary, during: Sequence[Span] | None = None
) -> list[Stretch]:
    """What was said at the same time by people who took no part in what was attended, the most important first.

    A stretch counts with all its lines as soon as enough of it overlapped the attended time: that of `attended`, or `during` (session and
    two of its times, without overlaps) where that is known better.
    """
    times = [(stretch.session, stretch.start_ns, stretch.end_ns) for stretch in attended] if during is None else during
    taken = {line.id for stretch in attended for line in stretch.lines}
    part = _own_tracks(stretches, attended)
    found: list[Stretch] = []
    for stretch in stretches:
        lines = tuple(line for line in stretch.lines if line.id not in taken and (line.session, line.track) not in part)
        if not lines:
            continue
        overlap = sum(max((_inside_ns(line, time) for time in times), default=0) for line in lines)
        spoken = sum(line.end_ns - line.start_ns for line in lines)
        if overlap < min(_LEAST_OVERLAP_NS, _LEAST_OVERLAP_SHARE * spoken):
            continue
        found.append(
            Stretch(
                session=stretch.session,
                start_ns=lines[0].start_ns,
                end_ns=max(line.end_ns for line in lines),
                event=stretch.event,
                summary=stretch.summary,
                lines=lines,
                importance=importance(lines, vocabulary) * (0.5 + 0.5 * min(1.0, overlap / max(1, spoken))),
            )
        )
    return sorted(found, key=lambda stretch: (-stretch.importance, stretch.session, stretch.start_ns, stretch.lines[0].id))


def overlap_ns(one: Stretch | LineRow, other: Stretch | LineRow) -> int:
    """For how long two stretches of one session went on at the same time."""
    return max(0, min(one.end_ns, other.end_ns) - max(one.start_ns, other.start_ns)) if one.session == other.session else 0


def _inside_ns(line: LineRow, time: Span) -> int:
    """For how much of a stretch of time a line lasted."""
    session, start_ns, end_ns = time
    return max(0, min(line.end_ns, end_ns) - max(line.start_ns, start_ns)) if session == line.session else 0


def _own_tracks(stretches: Sequence[Stretch], attended: Sequence[Stretch]) -> set[tuple[str, str]]:
    """The tracks that took part in what was attended: most of what they said in that time belongs to it.

    A stray line that was counted to the wrong event must not hide a whole conversation.
    """
    inside: dict[tuple[str, str], int] = {}
    total: dict[tuple[str, str], int] = {}
    own = {line.id for stretch in attended for line in stretch.lines}
    for stretch in stretches:
        for line in stretch.lines:
            if any(overlap_ns(line, other) for other in attended):
                key = (line.session, line.track)
                total[key] = total.get(key, 0) + line.end_ns - line.start_ns
                inside[key] = inside.get(key, 0) + (line.end_ns - line.start_ns) * (line.id in own)
    return {key for key, spoken in total.items() if 2 * inside[key] >= spoken}


def _aboutness(stretch: Stretch, topic: FollowedTopic, vectors: Vectors) -> float:
    """How much a stretch is about a topic: 0 where it is not at all."""
    said = [stems(line.text) for line in stretch.lines]
    every = frozenset[str]().union(*said)
    held = [forms(term, every) for term in topic.terms]
    named = sum(map(bool, held)) / len(held) if held else 0.0
    asked = frozenset[str]().union(*held)
    share = sum(not asked.isdisjoint(words) for words in said) / len(said)
    if not len(topic.vectors):
        return named * (0.5 + share) if named >= 0.5 else 0.0
    said_vectors = np.stack([vectors[line.id] for line in stretch.lines])
    centre = said_vectors.mean(axis=0)
    centre_cosine = float((topic.vectors @ (centre / max(float(np.linalg.norm(centre)), 1e-9))).max())
    line_cosine = float((said_vectors @ topic.vectors.T).max())
    if named == 1.0 and centre_cosine >= _NO_LIKENESS / 2:
        # Its very name fell, and it is not merely a word in a talk about something else.
        return max(centre_cosine, 0.2) + 0.5 * line_cosine + 0.3 * min(1.0, 2 * share)
    if centre_cosine < _NO_LIKENESS or centre_cosine + line_cosine < _NEED_BOTH:
        return 0.0
    return centre_cosine + 0.5 * line_cosine + 0.3 * named * min(1.0, 2 * share)
