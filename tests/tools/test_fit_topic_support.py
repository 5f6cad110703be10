"""The fit of the weights by which recall tells what a talk is about."""

from __future__ import annotations

import numpy as np

from stages.memory.hashed_words import HashedWords
from stages.recall.topic_support import FEATURES, phrase
from tests.stages.recall.line_rows import line_row
from tools.fit_topic_support import Example, asked, examples_of, fit_of, fitted, level, logits, rates, report
from tools.recall_rooms import made_room
from tools.recall_rooms_topics import topics


def _examples(n: int = 200) -> list[Example]:
    """Of questions that can be answered the first feature is high, of others low, with noise; the rest is noise."""
    generator = np.random.default_rng(3)
    names = [topic.name for topic in topics()]
    found = []
    for number in range(n):
        features = generator.normal(0.0, 1.0, len(FEATURES))
        is_right = number % 2 == 0
        features[0] += 4.0 if is_right else 0.0
        found.append(Example(number, names[number % len(names)], 0, False, features, is_right, is_right))
    return found


def test_the_fit_finds_the_feature_that_tells() -> None:
    examples = _examples()
    features, right = np.stack([one.features for one in examples]), np.array([one.right for one in examples])
    weights = fitted(features, right)
    assert weights[1] > 5 * np.abs(weights[2:]).max()
    assert np.mean((logits(weights, features) > 0) == right) > 0.95


def test_the_level_lets_one_in_twenty_of_the_others_pass() -> None:
    examples = _examples(400)
    weights = np.array([0.0, 1.0, *[0.0] * (len(FEATURES) - 1)])
    counts = rates(weights, level(weights, examples), examples)
    assert counts["who talked, name", "false"] == (10, 200)
    assert counts["who talked, name", "right"][0] > 150


def test_a_room_is_asked_about_topics_that_were_talked_about_and_others() -> None:
    room = made_room(7)
    here = {topic.name for part in room.topics for topic in part}
    wanted = list(asked(room))
    assert {topic for topic, _, speaker, _ in wanted if speaker is not None} == here
    assert {topic for topic, *_ in wanted} > here


def test_examples_say_whether_the_nearest_stretch_is_of_the_topic() -> None:
    room = made_room(7)
    encoder = HashedWords()
    lines = [
        line_row(said.text, said.start_s, track=said.speaker, speaker=said.speaker, event=f"{said.conversation} {said.topic}")
        for said in room.said
    ]
    vectors = dict(zip((line.id for line in lines), encoder.encode([line.text for line in lines]), strict=True))
    names = {name: encoder.encode([phrase(name)])[0] for topic in topics() for name in topic.about}
    examples = examples_of(room, lines, vectors, names)
    here = {topic.name for part in room.topics for topic in part}
    assert {one.topic for one in examples if one.right} == here
    assert all(one.topic in here for one in examples if one.answerable)
    assert "who talked, name: right " in report(examples)
    assert fit_of(examples).names == FEATURES
