"""Questions for facts to generated rooms, with the lines that were found for each: what the judges of facts are fitted on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stages.recall.fact_features import features
from stages.recall.fact_support import judged_lines
from stages.recall.lookup import Lookup
from stages.recall.question_reader import QuestionReader
from stages.recall.reading import asked_before
from tools.recall_rooms import Room, Said, made_room, written
from tools.recall_rooms_questions import Asked, asked_of, now_of
from tools.recall_rooms_text import RecallOfRooms
from tools.recall_rooms_topics import Topic

KINDS = {"fact", "fact, other words", "fact corrected", "when said", "fact of no such topic", "fact never told"}
_P_ASKED = 0.4
_P_BARE = 0.3
_REMARKS = (
    "Oh, really?", "Yes.", "No, not yet.", "That is good to know.", "By the way.", "Wow.", "I am not sure.", "Well, let me think.", "Ouch.",
    "What do you think?", "We will see.", "It is always the same.", "You know how it is.", "Can you believe it?", "I told you so.", "Hm.",
)  # fmt: skip
Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """Lines found for a question: `rows` of shape (n, n_features), `right` where a line answers, `related` where it is of the answer.

    `question` and `lines` are the texts that a reader reads: each line with what was asked before it. `also` ask for the same, `near` for
    what nothing answers.
    """

    topic: str
    kind: str
    question: str
    lines: tuple[tuple[str, str], ...]
    rows: Rows
    right: npt.NDArray[np.bool_]
    related: npt.NDArray[np.bool_]
    also: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


def examples(recalls: RecallOfRooms, known: Sequence[Topic], seeds: Sequence[int], folder: Path) -> Iterator[Example]:
    """Every question for a fact to the rooms of some seeds, on topics of `known`."""
    topic_of = {ask: topic.name for topic in known for fact in topic.facts for ask in (*fact.ask, fact.that)}
    fact_of = {ask: fact for topic in known for fact in topic.facts for ask in fact.ask}
    for seed in seeds:
        room = made_room(seed, known=known)
        room = told_at_length(room) if seed % 2 else room
        with recalls.of_room(room, written(room, folder)) as (_, memory):
            for asked in asked_of(room):
                lookup = Lookup(memory, recalls.encoder, None)
                reader = QuestionReader(lookup, now_of(room), None)
                question = reader.read(asked.text)
                if asked.kind not in KINDS or question.refusal is not None or question.about_speech:
                    continue
                ranked = lookup.searcher.search(question.topic, question.gist, reader.scope(question))
                lines = judged_lines(ranked)
                keys = [key_of(room, line.text, line.start_ns / 1e9) for line in lines]
                right, related = _labels(asked, keys)
                texts = tuple((asked_before(ranked, line), line.text) for line in lines)
                rows = features(question, ranked, lines)
                example = Example(_topic_of(asked, topic_of), asked.kind, question.text, texts, rows, right, related)
                if (fact := fact_of.get(asked.text)) is not None:
                    also = tuple(ask for ask in (*fact.ask, *fact.also) if ask != asked.text)
                    example = replace(example, also=also, near=fact.near)
                yield example


def told_at_length(room: Room) -> Room:
    """The room as people talk who don't keep to one whole sentence a line.

    Half of the lines have a remark before or behind what was said, on the same topic or on nothing; some facts are asked for in the room
    as the questions do it, and some are told in a word or two.
    """
    draw = random.Random(room.seed)
    remarks = {topic.name: topic.fill for part in room.topics for topic in part}
    told = {(fact.topic.name, fact.place): fact for fact in room.told}
    said, is_asked = [], False
    for line in sorted(room.said, key=lambda line: (line.conversation, line.start_s)):
        text, fact = line.text, told.get((line.topic, -1 if line.fact is None else line.fact))
        if fact is not None and line.role == "lead" and draw.random() < _P_ASKED:
            text = draw.choice(fact.fact.ask)
        elif fact is not None and line.role == "fact" and is_asked and draw.random() < _P_BARE:
            value = fact.taken_back or fact.value
            text = f"{value[0].upper()}{value[1:]}."
        is_asked = line.role == "lead"
        other = draw.choice((draw.choice(remarks[line.topic]), draw.choice(_REMARKS)))
        said.append(replace(line, text=draw.choice((text, text, f"{other} {text}", f"{text} {other}"))))
    return replace(room, said=tuple(sorted(said, key=lambda line: (line.end_s, line.key))))


def _topic_of(asked: Asked, topic_of: Mapping[str, str]) -> str:
    """The topic of a question, or of what "When did Anna say what the tooth had cost?" asks for."""
    said = asked.text.partition(" say ")[2].removesuffix("?") if asked.kind == "when said" else asked.text
    return topic_of[said]


def key_of(room: Room, text: str, start_s: float) -> str:
    """The key of the line of a room that has a text, of those with this text the one that starts nearest to a time."""

    def distance(line: Said) -> tuple[bool, float]:
        return line.text != text, abs(line.start_s - start_s)

    return min(room.said, key=distance).key


def _labels(asked: Asked, keys: Sequence[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    truth = asked.truth
    right = [truth is not None and key in truth.lines for key in keys]
    related = [truth is not None and key in truth.related and key not in truth.lines for key in keys]
    return np.array(right, dtype=np.bool_), np.array(related, dtype=np.bool_)
