"""The lines that answer a question about what was talked about, from the stretches of talk that are about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from stages.recall.conversations import GOOD_PART, conversations
from stages.recall.english import is_question
from stages.recall.material import Found
from stages.recall.question import Question
from stages.recall.reader import Reader
from stages.recall.search import Ranked, queries_of
from stages.recall.second_opinion import Opinion, TopicOpinion
from stages.recall.support import THRESHOLD
from stages.recall.terms import tokens
from stages.recall.topic_reading import TopicReading
from stages.recall.topic_support import Encode, Judged, Topic, asked_topic, judged, phrase, topic_of
from stages.recall.untranscribed import is_untranscribed

_MOST_STRETCHES = 3
# Set by hand, tried on generated rooms 4000 to 4059. Of the lines in such a run, on rooms 3000 to 3049, 0.93 are of the topic, and 0.8 of
# the topic's lines are in it; what a talker said is looked for a bit further out.
_OF_STRETCH = 0.75
_OF_STRETCH_OF_SPEAKER = 0.65
_ALSO = 0.8
_CONTEXT = 2
_APART_S = 20.0
_OF_BEST = 0.7
_SAID = 0.6
_SAID_IN_LINE = 0.2
_NAMED = 0.25
_UNNAMED = 0.7
_LENGTH = 0.01
_MOST_LENGTH = 12
_QUESTION = 0.08

# Set by hand: of what is played in rooms 2000 to 2007, 16 of 232 lines are of something else, and 11 with this, which loses 3 others.
_OF_BEST_PLAYED = 0.4
_FEW_WORDS = 4
_REFERS = re.compile(
    r"\b(?:it|its|he|she|him|her|his|hers|they|them|their|that|this(?! (?:morning|afternoon|evening|week|month|year)\b)|one|ones|there"
    r"|these|those|so|too)\b",
    re.I,
)
_MENTION = re.compile(r"\bmention|\bcome up\b|\bcame up\b|\bwords?\b", re.I)


def encoded_texts(question: Question) -> list[str]:
    """The texts that are encoded to find the lines of a question, each once."""
    texts = queries_of(question.topic, question.gist)
    return list(dict.fromkeys([*texts, phrase(asked_topic(question))] if question.about_speech else texts))


def lines_about(
    question: Question,
    ranked: Ranked,
    encode: Encode,
    reader: Reader | None = None,
    opinion: Opinion | None = None,
    least: float = THRESHOLD,
    *,
    every: bool = False,
) -> list[Found]:
    """The lines of a search that are about what a question asks, the most telling first; none where nothing that was found is.

    What somebody says counts by the stretch of talk that it stands in, whoever else speaks there. Where that is in doubt, a `reader` that
    knows topics decides with it (`topic_reading.py`), and after that an `opinion` (`second_opinion.py`). `least` is the support from which
    on a stretch counts. `every` keeps all lines of these stretches, whether they have the words or not, up to where something else begins.
    """
    asked = asked_topic(question)
    topic = topic_of(asked, encode([phrase(asked)])[0])
    talks = conversations((line for chain in ranked.chains for line in chain if not is_untranscribed(line)), GOOD_PART)
    own = [np.stack([ranked.vectors[line.id] for line in talk]) for talk in talks]
    stretches = judged(topic, talks, own, ranked.encoder)
    reading, judging = TopicReading(asked, ranked.encoder, reader), TopicOpinion(asked, opinion)
    told = _about(question, topic, stretches, ranked, encode, reading, judging, least, every)
    most = max((support for one in told for support in one.values()), default=0.0)
    # Where one talk is about the topic, another needs to be so more surely.
    told = [{place: support for place, support in one.items() if support >= min(most, _ALSO)} for one in told]
    is_named = any(stretch.said[place].all() for stretch, one in zip(stretches, told, strict=True) for place in one)
    if not is_named or question.order is not None or _MENTION.search(question.text):
        # A passing word is no talk about it, and counts only where it was asked for or nothing better is there.
        told = [{**_saying(question, topic, stretch, ranked), **one} for stretch, one in zip(stretches, told, strict=True)]
    found: list[tuple[float, Found]] = []
    for stretch, one in zip(stretches, told, strict=True):
        telling = _telling(stretch)
        found += [(telling[place], _found(stretch, place, support, ranked)) for place, support in one.items()]
    if not every and any(entry.named == 1.0 for _, entry in found):
        # Where somebody said the very words, lines that are only like them are not needed, and count for less.
        found = [
            (value, replace(entry, support=entry.support * (_UNNAMED + (1.0 - _UNNAMED) * entry.named)))
            for value, entry in found
            if entry.named or question.speaker is not None
        ]
    return [entry for _, entry in sorted(found, key=lambda one: (-one[0], one[1].line.id))]


def _found(stretch: Judged, place: int, support: float, ranked: Ranked) -> Found:
    """A line of a talk as material, with what was said around it in that talk alone."""
    line = stretch.lines[place]
    context = stretch.lines[max(0, place - _CONTEXT) : place + _CONTEXT + 1]
    conversation = tuple(other for other in stretch.lines if other.event == line.event)
    return Found(line, ranked.scores[line.id], support, float(stretch.words[place].mean()), context, conversation)


def _may(question: Question, topic: Topic, stretch: Judged, ranked: Ranked) -> npt.NDArray[np.bool_]:
    """Which lines of a talk may answer: those that the question allows, around which all its names were said; bool, shape (lines,)."""
    names = [place for place, term in enumerate(topic.terms) if term in question.names]
    may: npt.NDArray[np.bool_] = np.array([line.id in ranked.scores for line in stretch.lines]) & stretch.said[:, names].all(axis=1)
    return may


def _about(
    question: Question,
    topic: Topic,
    talks: Sequence[Judged],
    ranked: Ranked,
    encode: Encode,
    reading: TopicReading,
    opinion: TopicOpinion,
    enough: float,
    every: bool,
) -> list[dict[int, float]]:
    """Of each talk the lines of the stretches that are about the topic, by their place in it, with their support."""
    may = [_may(question, topic, talk, ranked) for talk in talks]
    free = [allowed.copy() for allowed in may]
    found: list[dict[int, float]] = [{} for _ in talks]
    share = _OF_STRETCH if question.speaker is None else _OF_STRETCH_OF_SPEAKER
    looked_at = list(range(len(talks)))
    peaks: dict[int, int] = {}

    def following(number: int) -> int | None:
        """The place of the next stretch of a talk, should this one be about the topic."""
        talk = talks[number]
        rest = free[number] & (talk.apart_s(*talk.run(peaks[number], share)) > _APART_S)
        return _peak(talk, rest, reading.least(enough))

    for _ in range(_MOST_STRETCHES):
        least = opinion.least(reading.least(enough))
        peaks = {number: peak for number in looked_at if (peak := _peak(talks[number], free[number], least)) is not None}
        # All talks take a turn together, so that what has to be encoded for them goes through the encoder at once.
        encode([text for number, peak in peaks.items() for text in talks[number].compared(peak, topic)])
        supports = {number: talks[number].support_with_missing(peak, topic, encode) for number, peak in peaks.items()}
        supports = opinion.supports(talks, reading.supports(talks, supports, peaks, following), peaks)
        looked_at = [number for number, support in supports.items() if support >= enough]
        for number in looked_at:
            talk = talks[number]
            first, last = talk.run(peaks[number], share)
            run = [place for place in range(first, last + 1) if may[number][place]]
            kept = _without_strays(talk, run)
            found[number].update(dict.fromkeys(_without_ends(talk, kept) if every else kept, supports[number]))
            free[number] &= talk.apart_s(first, last) > _APART_S
    return found


def _peak(talk: Judged, free: npt.NDArray[np.bool_], least: float) -> int | None:
    """The place of the free line of a talk whose stretch is nearest to the topic; None where its support is under `least`."""
    peak = talk.peak(free)
    return None if peak is None or talk.support[peak] < least else peak


def _saying(question: Question, topic: Topic, stretch: Judged, ranked: Ranked) -> dict[int, float]:
    """The lines of a talk where the very words were said, which is all that such a question asks, by their place, with their support."""
    says = _may(question, topic, stretch, ranked) & stretch.said.all(axis=1) & stretch.words.any(axis=1)
    return {int(place): _SAID + _SAID_IN_LINE * float(stretch.words[place].mean()) for place in np.flatnonzero(says)}


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


def _without_ends(stretch: Judged, run: Sequence[int]) -> list[int]:
    """A run from its first to its last line that is about the topic by itself, and what leads up to these or goes on from them.

    All of it is played: a remark in between belongs to it, "He ran off again" at its end too, but not "The train leaves at five".
    """
    places = sorted(run)
    most = max((float(stretch.cosines[place]) for place in places), default=0.0)
    about = [at for at, place in enumerate(places) if stretch.words[place].any() or stretch.cosines[place] >= _OF_BEST_PLAYED * most]
    if not about:
        return places
    first, last = about[0], about[-1]
    texts = [stretch.lines[place].text for place in places]
    while first > 0 and _goes_on(texts[first - 1], texts[first]):
        first -= 1
    while last < len(places) - 1 and _goes_on(texts[last], texts[last + 1]):
        last += 1
    return places[first : last + 1]


def _goes_on(before: str, text: str) -> bool:
    """Whether a line may rest on the one before it: an answer, a few words, or one that speaks of "it" or "him"."""
    return is_question(before) or _REFERS.search(text) is not None or len(tokens(text)) <= _FEW_WORDS


def _telling(stretch: Judged) -> list[float]:
    """What orders lines: how like the topic they are and how many of its words they have; long lines and statements say more."""
    found = []
    for line, likeness, named in zip(stretch.lines, stretch.likeness.tolist(), stretch.words.mean(axis=1).tolist(), strict=True):
        telling = likeness + _NAMED * named + _LENGTH * min(_MOST_LENGTH, len(line.text.split()))
        found.append(telling - _QUESTION * is_question(line.text))
    return found
