"""Reading whether a talk is about a topic: who is asked, what is read, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.recall import topic_reading
from stages.recall.encoder_fits import ReadingFit, TopicFit, topic_reading_fit
from stages.recall.mpnet_reader import MpnetReader
from stages.recall.reader import Reader
from stages.recall.topic_reading import MOST_READ, TopicReading, log_odds, told_around
from stages.recall.topic_support import FEATURES, Judged
from tests.stages.recall.line_rows import line_row
from tests.stages.recall.test_topic_lines import OFF, ON, found_in, talk_of

FIT = ReadingFit((-2.0, 2.0), topic_reading.WEIGHED, (0.5, 1.0), 0.0)


class Listener(Reader):
    """Says of what it reads that it is about the topic where one word is in it, and remembers what it was asked."""

    name = "listener"
    knows_topics = True

    def __init__(self, word: str = "tooth", logit: float = 3.0) -> None:
        self._word = word
        self._logit = logit
        self.read: list[tuple[str, str]] = []

    def start(self) -> None:
        """Nothing to load."""

    def stop(self) -> None:
        """Nothing to let go of."""

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """The logit, or less by as much."""
        self.read += [(question, text) for _, text in lines]
        return np.array([self._logit if self._word in text else -self._logit for _, text in lines], dtype=np.float32)


class Counted(Listener):
    """A listener that also counts how many stretches are read each time."""

    def __init__(self, listener: Listener, calls: list[int]) -> None:
        super().__init__()
        self._listener = listener
        self._calls = calls

    def scores(self, question: str, lines: Sequence[tuple[str, str]]) -> Float32Array:
        """Those of the other listener."""
        self._calls.append(len(lines))
        return self._listener.scores(question, lines)


class Deaf(Listener):
    """A reader of one's own, which was taught no topics."""

    knows_topics = False


@pytest.fixture(autouse=True)
def fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_reading, "topic_reading_fit", lambda _encoder, _reader: FIT)


def stretch(*texts: str) -> Judged:
    n = len(texts)
    nothing = np.zeros((n, 1), dtype=np.float32)
    lines = tuple(line_row(text, 3.0 * place, event="e1") for place, text in enumerate(texts))
    fit = TopicFit(FEATURES, (0.0,) * len(FEATURES), 0.0)
    return Judged(lines, nothing, np.zeros((n, len(FEATURES)), dtype=np.float32), nothing[:, 0], nothing[:, 0], nothing, nothing, fit)


def test_where_a_talk_is_in_doubt_the_reader_decides_with_what_was_known() -> None:
    talks = [stretch("my tooth hurts"), stretch("the train was late"), stretch("nothing of it"), stretch("all of it")]
    reader = Listener()
    found = TopicReading("the dentist", "", reader).supports(talks, {0: 0.4, 1: 0.6, 2: 0.01, 3: 0.99}, dict.fromkeys(range(4), 0))
    assert found[0] == pytest.approx(1.0 / (1.0 + np.exp(-(0.5 * np.log(0.4 / 0.6) + 3.0))))
    assert found[1] < 0.1
    assert (found[2], found[3]) == (0.01, 0.99)
    assert sorted(reader.read) == [
        ("Did they talk about the dentist?", "my tooth hurts"),
        ("Did they talk about the dentist?", "the train was late"),
    ]


def test_the_likeliest_talks_are_read_and_no_more_of_them_for_one_question() -> None:
    talks = [stretch(f"tooth {number}") for number in range(6)]
    reader = Listener()
    reading = TopicReading("the dentist", "", reader)
    supports = {number: 0.3 + 0.05 * number for number in range(6)}
    found = reading.supports(talks, supports, dict.fromkeys(range(6), 0))
    assert {text for _, text in reader.read} == {f"tooth {number}" for number in range(6 - MOST_READ, 6)}
    assert len(reader.read) == MOST_READ
    assert {number: found[number] for number in range(6 - MOST_READ)} == {number: supports[number] for number in range(6 - MOST_READ)}
    assert reading.supports(talks, supports, dict.fromkeys(range(6), 0)) == supports
    assert len(reader.read) == MOST_READ


def test_what_follows_is_read_beside_a_single_stretch_and_not_again_when_its_turn_comes() -> None:
    talks = [stretch("my tooth hurts", "the train was late", "that tooth again"), stretch("all of it")]
    for ahead, n_calls in (({0: 2}, 1), ({}, 2)):
        reader = Listener()
        calls: list[int] = []
        reading = TopicReading("the dentist", "", Counted(reader, calls))
        first = reading.supports(talks, {0: 0.4, 1: 0.99}, {0: 0, 1: 0}, ahead.get)
        assert first[0] > 0.9
        assert reading.supports(talks, {0: 0.3}, {0: 2})[0] > 0.8
        assert reading.supports(talks, {0: 0.3}, {0: 1})[0] == 0.3
        assert len(calls) == n_calls
        assert sum(calls) == MOST_READ


def test_what_follows_is_not_read_ahead_where_none_more_would_be_read() -> None:
    talks = [stretch("my tooth hurts", "that tooth again"), stretch("another tooth")]
    reader = Listener()
    TopicReading("the dentist", "", reader).supports(talks, {0: 0.4, 1: 0.4}, {0: 0, 1: 0}, {0: 1, 1: 0}.get)
    assert len(reader.read) == MOST_READ
    assert ("Did they talk about the dentist?", "that tooth again my tooth hurts") not in reader.read


def test_nobody_is_asked_who_was_not_taught_topics_or_is_not_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    talks, deaf = [stretch("my tooth hurts")], Deaf()
    for reading in (TopicReading("the dentist", "", deaf), TopicReading("the dentist", "", None)):
        assert reading.supports(talks, {0: 0.4}, {0: 0}) == {0: 0.4}
        assert reading.least(0.5) == 0.5
    monkeypatch.setattr(topic_reading, "topic_reading_fit", lambda _encoder, _reader: None)
    listener = Listener()
    assert TopicReading("the dentist", "", listener).supports(talks, {0: 0.4}, {0: 0}) == {0: 0.4}
    assert deaf.read == listener.read == []


def test_what_may_be_raised_is_looked_at() -> None:
    reading = TopicReading("the dentist", "", Listener())
    assert reading.least(0.5) == pytest.approx(1.0 / (1.0 + np.exp(2.0)))
    reading.supports([stretch("tooth")] * MOST_READ, dict.fromkeys(range(MOST_READ), 0.4), dict.fromkeys(range(MOST_READ), 0))
    assert reading.least(0.5) == 0.5


def test_a_long_talk_is_read_from_its_nearest_lines_outwards() -> None:
    talk = stretch(*"abcdefg")
    assert told_around(talk, 3) == "d e c f b"
    assert told_around(talk, 0) == "a b c"
    assert told_around(talk, 6) == "g f e"


@pytest.mark.parametrize("support", [0.0, 1.0, 0.3])
def test_log_odds_are_numbers(support: float) -> None:
    assert np.isfinite(log_odds(support))
    assert np.sign(log_odds(support)) == np.sign(support - 0.5)


def test_a_fit_that_is_not_there_is_none_and_one_that_ships_is_read() -> None:
    assert topic_reading_fit("all-mpnet-base-v2", "of-nobody") is None
    shipped = topic_reading_fit("all-mpnet-base-v2", MpnetReader.name)
    assert shipped is not None
    assert shipped.names == topic_reading.WEIGHED
    assert min(shipped.weights) > 0.0


@pytest.mark.parametrize(("cosine", "word", "without", "found"), [(0.25, "nobody says this", ON, []), (0.2, "chew", [], ON)])
def test_the_reader_may_take_a_talk_away_and_bring_one(cosine: float, word: str, without: list[str], found: list[str]) -> None:
    talks = [talk_of(ON, 1, "one"), talk_of(OFF, 3, "two")]
    assert set(found_in("Who talked about the dentist?", talks, [cosine, 0.05])) == set(without)
    assert set(found_in("Who talked about the dentist?", talks, [cosine, 0.05], reader=Listener(word))) == set(found)
