"""The lines that answer a question about what was talked about, from the stretches of talk that are about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pipeline.packets import Float32Array
from stages.recall.material import Found
from stages.recall.question import Question
from stages.recall.search import Ranked
from stages.recall.support import THRESHOLD
from stages.recall.terms import coverage, stems
from stages.recall.topic_support import Judged, Topic, asked_topic, judged, talks_in, topic_of

_MOST_STRETCHES = 3
_APART_S = 20.0
_OF_BEST = 0.7
_SAID = 0.6
_SAID_IN_LINE = 0.2
_NAMED = 0.25
_UNNAMED = 0.7
_LENGTH = 0.01
_MOST_LENGTH = 12
_QUESTION = 0.08

Encode = Callable[[Sequence[str]], Float32Array]
"""The vectors of texts, float32, shape (texts, dimension)."""


def lines_about(question: Question, ranked: Ranked, encode: Encode, vectors_of: Encode) -> list[Found]:
    """The lines of a search that are about what a question asks, the most telling first; none where nothing that was found is.

    `vectors_of` gives the vectors of lines by id. What somebody says counts by the stretch of talk that it stands in, whoever else
    speaks there.
    """
    asked = asked_topic(question)
    topic = topic_of(asked, encode([f"a conversation about {asked}"])[0])
    talks = talks_in(ranked.chains)
    found: list[tuple[float, Found]] = []
    for stretch in judged(topic, talks, [vectors_of([line.id for line in talk]) for talk in talks]):
        telling = _telling(stretch)
        for place, support in _told(question, topic, stretch, ranked).items():
            line = stretch.lines[place]
            named = float(stretch.words[place].mean())
            entry = Found(line, ranked.scores[line.id], support, named, ranked.context(line), ranked.stretch(line))
            found.append((telling[place], entry))
    if any(entry.named == 1.0 for _, entry in found):
        # Where somebody said the very words, lines that are only like them are not needed, and count for less.
        found = [
            (value, replace(entry, support=entry.support * (_UNNAMED + (1.0 - _UNNAMED) * entry.named)))
            for value, entry in found
            if entry.named or _is_near_named(entry, topic)
        ]
    return [entry for _, entry in sorted(found, key=lambda one: (-one[0], one[1].line.id))]


def _told(question: Question, topic: Topic, stretch: Judged, ranked: Ranked) -> dict[int, float]:
    """The lines of a talk that answer, by their place in it, with their support."""
    names = [place for place, term in enumerate(topic.terms) if term in question.names]
    may = np.array([line.id in ranked.scores for line in stretch.lines]) & stretch.said[:, names].all(axis=1)
    support, found = stretch.support, dict[int, float]()
    free = may.copy()
    for _ in range(_MOST_STRETCHES):
        peak = stretch.peak(free)
        if peak is None or support[peak] < THRESHOLD:
            break
        first, last = stretch.run(peak)
        run = [place for place in range(first, last + 1) if may[place]]
        found.update(dict.fromkeys(_without_strays(stretch, run), float(support[peak])))
        free &= stretch.apart_s(first, last) > _APART_S
    for place in np.flatnonzero(may & stretch.said.all(axis=1) & stretch.words.any(axis=1)):
        # The very words were said here, which is all that such a question asks.
        found[int(place)] = max(found.get(int(place), 0.0), _SAID + _SAID_IN_LINE * float(stretch.words[place].mean()))
    return found


def _without_strays(stretch: Judged, run: Sequence[int]) -> list[int]:
    """A run without what lies in another event and has no line that is about the topic by itself: there, something else has begun."""
    most = max(float(stretch.cosines[place]) for place in run)
    events: dict[str | None, list[int]] = {}
    for place in run:
        events.setdefault(stretch.lines[place].event, []).append(place)
    return [
        place
        for places in events.values()
        for place in places
        if any(stretch.cosines[other] >= _OF_BEST * most or stretch.words[other].any() for other in places)
    ]


def _telling(stretch: Judged) -> list[float]:
    """What orders lines: how like the topic they are and how many of its words they have; long lines and statements say more."""
    found = []
    for line, likeness, words in zip(stretch.lines, stretch.likeness, stretch.words, strict=True):
        telling = float(likeness) + _NAMED * float(words.mean()) + _LENGTH * min(_MOST_LENGTH, len(line.text.split()))
        found.append(telling - _QUESTION * line.text.rstrip().endswith("?"))
    return found


def _is_near_named(entry: Found, topic: Topic) -> bool:
    return any(coverage(topic.terms, stems(line.text)) > 0.0 for line in entry.context)
