"""Which lines answer, with vectors given by hand: the first axis is the asked topic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.packets import Float32Array
from stages.memory.rows import LineRow
from stages.recall.question import parse
from stages.recall.reader import Reader
from stages.recall.search import Ranked
from stages.recall.topic_lines import lines_about
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_scope import MOMENTS

ON = ["it hurts when I chew", "you should see somebody", "the left one is the worst", "mine was pulled last year"]
OFF = ["the train was late", "we stood all the way", "and the heating failed", "it is always like that"]


def talk_of(texts: Sequence[str], first: int, event: str) -> list[LineRow]:
    """Two who take turns; their tracks are `first` and the one after it."""
    return [line_row(text, 4.0 * place, track=f"t{first + place % 2}", event=event) for place, text in enumerate(texts)]


def found_in(
    text: str, talks: Sequence[list[LineRow]], likeness: Sequence[float], only: str | None = None, reader: Reader | None = None
) -> list[str]:
    """What answers, as its texts; every line of a talk is as like the topic as `likeness` says."""
    vectors = {}
    for cosine, talk in zip(likeness, talks, strict=True):
        for line in talk:
            vectors[line.id] = np.zeros(40, dtype=np.float32)
            vectors[line.id][[0, 1 + len(vectors)]] = cosine, np.sqrt(1.0 - cosine**2)

    def encode(texts: Sequence[str]) -> Float32Array:
        return np.eye(1, 40, dtype=np.float32).repeat(len(texts), axis=0)

    lines = tuple(line for talk in talks for line in talk if only in {None, line.speaker})
    ranked = Ranked(lines, {line.id: 0.0 for line in lines}, {}, {}, vectors, tuple(map(tuple, talks)))
    found = lines_about(parse(text, MOMENTS), ranked, encode, reader)
    return [entry.line.text for entry in found]


def test_the_lines_of_the_talk_that_is_about_it_answer_though_no_word_of_it_fell() -> None:
    talks = [talk_of(ON, 1, "one"), talk_of(OFF, 3, "two")]
    assert set(found_in("Who talked about the dentist?", talks, [0.5, 0.1])) == set(ON)
    assert found_in("Who talked about the dentist?", talks, [0.1, 0.1]) == []


def test_of_a_talker_only_their_own_lines_answer() -> None:
    talks = [talk_of(ON, 1, "one"), talk_of(OFF, 3, "two")]
    assert set(found_in("What did speaker-2 say about the dentist?", talks, [0.5, 0.1], "speaker-2")) == {ON[1], ON[3]}
    assert found_in("What did speaker-4 say about the dentist?", talks, [0.5, 0.1], "speaker-4") == []


def test_a_passing_word_answers_only_who_asks_for_mentions() -> None:
    named = ["the dentist says that it is bad", *ON[1:]]
    passing = [*OFF[:3], "I sat beside a dentist"]
    talks = [talk_of(named, 1, "one"), talk_of(passing, 3, "two")]
    assert found_in("Who talked about the dentist?", talks, [0.5, 0.05]) == named[:1]
    assert set(found_in("Did anybody mention the dentist?", talks, [0.5, 0.05])) == {named[0], passing[3]}


def test_a_passing_word_answers_where_nothing_better_is_there() -> None:
    passing = [*OFF[:3], "I sat beside a dentist"]
    assert found_in("Who talked about the dentist?", [talk_of(passing, 3, "two")], [0.05]) == passing[3:]


def test_a_name_must_have_been_said() -> None:
    talks = [talk_of(ON, 1, "one")]
    assert found_in("Who talked about Lisbon?", talks, [0.6]) == []


def test_the_most_telling_line_comes_first() -> None:
    texts = ["which one?", "the dentist pulled the left one on Tuesday and the dentist was kind", "the dentist?"]
    assert found_in("Who talked about the dentist?", [talk_of(texts, 1, "one")], [0.5])[0] == texts[1]


def test_what_all_talks_need_is_encoded_at_once() -> None:
    """Of each talk some other words were said; a pass over the encoder's weights is most of what a text takes."""
    halves = (["the wedding was long", *ON[1:]], ["my ring is lost", *ON[1:]], ["what a cake that was", *ON[1:]])
    talks = [talk_of(half, 1 + 2 * place, str(place)) for place, half in enumerate(halves)]
    batches: list[list[str]] = []

    def encode(texts: Sequence[str]) -> Float32Array:
        batches.append(list(texts))
        return np.eye(1, 40, dtype=np.float32).repeat(len(texts), axis=0)

    lines = tuple(line for talk in talks for line in talk)
    axes = np.eye(40, dtype=np.float32)
    vectors = {line.id: 0.6 * axes[0] + 0.8 * axes[1 + place] for place, line in enumerate(lines)}
    ranked = Ranked(lines, {line.id: 0.0 for line in lines}, {}, {}, vectors, tuple(map(tuple, talks)))
    question = parse("Who talked about the wedding, the ring and the cake?", MOMENTS)
    lines_about(question, ranked, encode)
    first = dict.fromkeys(text for batch in batches[:2] for text in batch)
    assert {f"a conversation about {word}" for word in ("wedding", "ring", "cake")} <= set(first)
    assert {text for batch in batches for text in batch} == set(first)
