"""What the reader learns of topics: stretches of generated talks, and whether they are about what is asked."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.recall.conversations import GOOD_PART, conversations
from stages.recall.reader import whether_about
from stages.recall.topic_reading import told_around
from stages.recall.topic_support import judged, phrase, topic_of
from tools.fit_examples import told_at_length
from tools.fit_topic_support import topic_of_line
from tools.reader_lessons import Read
from tools.recall_rooms import Room, made_room, written
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import Topic

_HARD = 8
_OTHERS = 3
_NEAR = 5
_TOGETHER = 16
_LEAST_SUPPORT = 0.02
"""What is less is not in doubt, and needs no more texts encoded."""


@dataclass(frozen=True)
class TopicStretch:
    """The stretch of one talk that is nearest to a name of a topic: what was said there, and how surely it is about it without reading.

    `question` numbers the questions; of those with one number at most one stretch a talk is there. `heard` says whether anybody talked
    about the topic in that room.
    """

    question: int
    topic: str
    name: str
    text: str
    support: float
    right: bool
    heard: bool


def topic_stretches(
    recalls: RecallOfRooms, known: Sequence[Topic], seeds: Sequence[int], folder: Path, of: Collection[str] | None = None
) -> Iterator[TopicStretch]:
    """Every room is asked about topics by both of their names: its own, and others, most of them near to what was said.

    With `of` it is asked about all topics of these names, whether anybody talked about them or not.
    """
    names = [(topic, name) for topic in known if of is None or topic.name in of for name in topic.about]
    parts = [[phrase(name) for _, name in names[first : first + _TOGETHER]] for first in range(0, len(names), _TOGETHER)]
    vectors = np.concatenate([recalls.encoder.encode_together(part) for part in parts])
    for seed in seeds:
        room = made_room(seed, known=known)
        room = told_at_length(room) if seed % 2 else room
        with recalls.of_room(room, written(room, folder)) as (_, memory):
            lines = memory.lines(memory.sessions()[0].id, words=False)
            by_id = dict(zip((line.id for line in lines), memory.vectors([line.id for line in lines]), strict=True))
        talks = conversations(lines, GOOD_PART)
        own = [np.stack([by_id[line.id] for line in talk]) for talk in talks]
        heard = {topic.name for part in room.topics for topic in part}
        for number in _asked(room, names, heard, own, vectors) if of is None else _apart(room, names, heard):
            topic, name = names[number]
            asked = topic_of(name, vectors[number])
            for stretch in judged(asked, talks, own, recalls.encoder.name):
                place = stretch.peak([True] * len(stretch.lines))
                if place is not None:
                    support = float(stretch.support[place])
                    if support >= _LEAST_SUPPORT:
                        support = stretch.support_with_missing(place, asked, recalls.encoder.encode_together)
                    right = topic_of_line(stretch.lines[place], room) == topic.name
                    text = told_around(stretch, place)
                    yield TopicStretch(len(names) * seed + number, topic.name, name, text, support, right, topic.name in heard)


def _asked(
    room: Room, names: Sequence[tuple[Topic, str]], heard: set[str], own: Sequence[Float32Array], vectors: Float32Array
) -> list[int]:
    """The numbers of the names that a room is asked about: those of its topics, some near to what was said there, and a few others."""
    senses = {topic.sense for part in room.topics for topic in part if topic.sense}
    likeness = np.max([_nearness(lines @ vectors.T) for lines in own], axis=0)
    others = [
        int(number)
        for number in np.argsort(-likeness, kind="stable")
        if names[number][0].name not in heard and names[number][0].sense not in senses
    ]
    present = [number for number, (topic, _) in enumerate(names) if topic.name in heard]
    return [*present, *others[:_HARD], *random.Random(room.seed).sample(others, _OTHERS)]


def _apart(room: Room, names: Sequence[tuple[Topic, str]], heard: set[str]) -> list[int]:
    """The numbers of the names of which it is clear whether a room talked about them: not those that mean something else there."""
    senses = {topic.sense for part in room.topics for topic in part if topic.sense}
    return [number for number, (topic, _) in enumerate(names) if topic.name in heard or topic.sense not in senses]


def _nearness(cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """How near a talk comes to each name, by its best line and its best five lines in a row; cosines of shape (lines, names)."""
    rows = np.concatenate([np.zeros((1, cosines.shape[1])), np.cumsum(cosines, axis=0)])
    length = min(_NEAR, len(cosines))
    found: npt.NDArray[np.float64] = cosines.max(axis=0) + ((rows[length:] - rows[:-length]) / length).max(axis=0)
    return found


class TopicLessons:
    """Rounds of some of these stretches. The same round comes out the same."""

    def __init__(self, stretches: Sequence[TopicStretch], n_each: int) -> None:
        self._stretches = list(stretches)
        self._n_each = min(n_each, len(self._stretches))

    def round(self, number: int) -> tuple[list[Read], list[bool]]:
        """What is read in one round, and whether it is about what is asked."""
        drawn = random.Random(number).sample(self._stretches, self._n_each)
        return [(whether_about(one.name), "", one.text) for one in drawn], [one.right for one in drawn]
