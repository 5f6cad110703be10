"""Questions to meetings and to generated rooms, with the vectors of all lines among which those stand that answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import LineRow
from stages.memory.text_encoder import TextEncoder
from stages.recall.contiguity import closeness, gaps_s, meanings
from stages.recall.conversations import conversations
from stages.recall.encoder_fits import SearchFit, relevance_fit
from stages.recall.lookup import Lookup
from stages.recall.question_reader import QuestionReader
from stages.recall.relevance import MEANING_AROUND_S, features
from stages.recall.scope import Scope
from stages.recall.search import Searcher, meaning_of, queries_of
from tools.fit_examples import key_of, told_at_length
from tools.recall_meetings import heard, read
from tools.recall_meetings_data import Meeting
from tools.recall_rooms import made_room, written
from tools.recall_rooms_questions import asked_of, now_of
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import Topic

_OVERVIEWS = {"missed", "catch_up", "count", "order"}


@dataclass(frozen=True)
class QueryExample:
    """A question to a memory.

    `meaning` is the question's, not moved by an adapter (float32, shape (dimension,)). `windows` are the vectors of all lines of the
    memory, and of the talk around them at each of the scales (each float32, shape (all lines, dimension)): times `meaning` they are those
    features that `relevance.MEANT` names. The candidates are the lines at `places`; `rest` (float32, shape (lines, len(FEATURES))) are
    their features without these and the meaning of their session, and `right` says which of them answer.
    """

    group: str
    kind: str
    meaning: Float32Array
    windows: tuple[Float32Array, ...]
    places: npt.NDArray[np.int64]
    rest: Float32Array
    right: npt.NDArray[np.bool_]


def unmoved(encoder: TextEncoder) -> SearchFit:
    """What search goes by before a map of questions was learnt for an encoder."""
    return SearchFit(None, relevance_fit(encoder.name))


def from_meetings(meetings: Sequence[Meeting], encoder: TextEncoder) -> Iterator[QueryExample]:
    """Every question to meetings, each in a memory of its own; the group is the series of the meeting."""
    for meeting in meetings:
        with heard([meeting], encoder) as (memory, turn_of):
            searcher, windows = Searcher(memory, encoder, None, unmoved(encoder)), _Windows(memory)
            for question in meeting.questions:
                topic, gist, scope = read(question.text, memory)
                lines = [line.id for line in windows.lines if turn_of[line.session, line.start_ns][1] in question.relevant]
                yield windows.example(searcher, topic, gist, scope, frozenset(lines), meeting.series, "meeting")


def from_rooms(recalls: RecallOfRooms, known: Sequence[Topic], seeds: Sequence[int], folder: Path) -> Iterator[QueryExample]:
    """Every question to rooms on topics of `known` that a few lines answer; the group is the room, the kind that of the question."""
    n_like = Counter(topic.like for topic in known)
    known = [topic if n_like[topic.like] > 1 else _without_group(topic) for topic in known]
    for seed in seeds:
        room = made_room(seed, known=known)
        room = told_at_length(room) if seed % 2 else room
        with recalls.of_room(room, written(room, folder)) as (_, memory):
            searcher, windows = Searcher(memory, recalls.encoder, None, unmoved(recalls.encoder)), _Windows(memory)
            keys = {line.id: key_of(room, line.text, line.start_ns / 1e9) for line in windows.lines}
            for asked in asked_of(room):
                if asked.truth is None or asked.before:
                    continue
                answers = set(asked.truth.lines) or {key for group in asked.truth.topics for key in group}
                reader = QuestionReader(Lookup(memory, recalls.encoder, None), now_of(room), None)
                question = reader.read(asked.text)
                if not answers or not question.topic or question.refusal is not None or question.intent in _OVERVIEWS:
                    continue
                right = frozenset(name for name, key in keys.items() if key in answers)
                scope = reader.scope(question)
                yield windows.example(searcher, question.topic, question.gist, scope, right, f"room {seed}", asked.kind)


def _without_group(topic: Topic) -> Topic:
    """A topic whose group has no other, among those without a group."""
    return topic.model_copy(update={"like": "none"})


class _Windows:
    """The lines of a memory with their vectors, and those of the talk around them in their conversation."""

    def __init__(self, memory: LongTermMemory) -> None:
        self.lines: Sequence[LineRow] = memory.lines(words=False)
        self._places = {line.id: place for place, line in enumerate(self.lines)}
        own = memory.vectors([line.id for line in self.lines])
        around = [np.zeros_like(own) for _ in MEANING_AROUND_S]
        for talk in conversations(self.lines):
            places = [self._places[line.id] for line in talk]
            gaps = gaps_s(talk)
            n_words: Float32Array = np.array([len(line.text.split()) for line in talk], dtype=np.float32)
            for found, scale_s in zip(around, MEANING_AROUND_S, strict=True):
                found[places] = meanings(closeness(gaps, scale_s), own[places], n_words)
        self._windows = (own, *around)

    def example(
        self, searcher: Searcher, topic: str, gist: str, scope: Scope, right: frozenset[str], group: str, kind: str
    ) -> QueryExample:
        """A question, as it is searched for."""
        found = searcher.candidates(topic, gist, scope)
        allowed = [place for place, line in enumerate(found.lines) if scope.allows(line)]
        lines = [found.lines[place] for place in allowed]
        return QueryExample(
            group,
            kind,
            meaning_of(searcher.encode(queries_of(topic, gist))),
            self._windows,
            np.array([self._places[line.id] for line in lines], dtype=np.int64),
            features(replace(found, wanted=replace(found.wanted, meaning=None)))[allowed],
            np.array([line.id in right for line in lines], dtype=np.bool_),
        )
