from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.packets import Line, Word
from stages.events.live_lanes import evidence_of
from stages.events.spoken_line import SpokenLine, spoken
from stages.events.surprisal import surprisal_of
from stages.events.surprisal_lane import SurprisalLane
from stages.events.surprise_finder import FinderSettings, SurpriseFinder
from stages.events.surprise_model import Surprise, SurpriseModel
from stages.events.surprise_segmenter import SurpriseSettings
from stages.events.talk_profile import talk_profile
from tests.stages.events.talks import spoken_line
from tests.stages.memory.made import line

EAST = np.eye(3, dtype=np.float32)[0]


def said(nats: float | None, track: str = "a", number: int = 0) -> SpokenLine:
    return replace(spoken_line(f"{number:04d}", track, number * 2.0, number * 2.0 + 1.5, EAST), surprisal_nats=nats)


def test_surprisal_is_the_mean_of_all_words_but_the_first() -> None:
    assert surprisal_of([0.1, 0.5, 0.5, 0.25]) == pytest.approx(4.0 / 3.0 * math.log(2.0))
    assert surprisal_of([0.1, 1.0, 1.0, 1.0]) == 0.0
    # A single word says no more than that it is hardly possible.
    assert surprisal_of([0.9, 1.0, 1.0, 1e-9]) == pytest.approx(math.log(100.0) / 3.0)


@pytest.mark.parametrize(
    "probabilities", [[], [0.5], [0.9, 0.5, 0.4], [1.0] * 9, [0.5] * 9, [0.5, 0.6, 0.7, math.nan], [0.5, 0.50001, 0.5, 0.5]]
)
def test_a_recogniser_without_probabilities_of_words_tells_nothing(probabilities: list[float]) -> None:
    assert surprisal_of(probabilities) is None
    lane = SurprisalLane()
    assert [lane.take(said(surprisal_of(probabilities))) for _ in range(5)] == [0.0] * 5


def test_what_a_memory_rounds_tells_the_same() -> None:
    exact = [0.123456789, 0.98765432, 0.55555555, 0.33333333, 0.71]
    assert surprisal_of(exact) == surprisal_of([round(value, 4) for value in exact])


def test_a_line_brings_the_surprisal_of_its_words() -> None:
    heard = line("five words in a line")
    assert spoken(heard).surprisal_nats is None
    assert spoken(told(heard, [0.5, 0.9, 0.8, 0.9, 0.4])).surprisal_nats == surprisal_of([0.5, 0.9, 0.8, 0.9, 0.4])


def told(heard: Line, probabilities: list[float]) -> Line:
    words = tuple(
        Word(word.text, word.start_ns, word.end_ns, value) for word, value in zip(heard.transcript.words, probabilities, strict=True)
    )
    return replace(heard, transcript=replace(heard.transcript, words=words))


@given(scale=st.floats(0.1, 10.0), seed=st.integers(0, 1000))
def test_each_track_is_judged_by_its_own_lines(scale: float, seed: int) -> None:
    nats = np.random.default_rng(seed).uniform(0.1, 0.5, 12)
    alone, beside = SurprisalLane(), SurprisalLane()
    for value in nats:
        wanted = alone.take(said(float(value)))
        # Another voice in between, and a microphone that makes everything less likely, change nothing.
        beside.take(said(3.0, "b"))
        assert beside.take(said(float(value * scale))) == pytest.approx(wanted)


def test_lines_as_unlikely_as_ever_surprise_by_a_nat_and_others_by_more() -> None:
    lane, rng = SurprisalLane(), np.random.default_rng(4)
    found = [lane.take(said(float(value))) for value in rng.exponential(0.2, 4000)]
    assert found[0] == 0.0
    assert float(np.mean(found[50:])) == pytest.approx(1.0, abs=0.05)
    # -ln P(at least as unlikely) of a predictive distribution that holds is exponential: it exceeds x in exp(-x) of all lines.
    assert float(np.mean(np.array(found[50:]) > 2.0)) == pytest.approx(math.exp(-2.0), abs=0.02)
    assert 4.0 < lane.take(said(2.0)) <= 6.0
    assert lane.take(said(500.0)) == 6.0


def test_few_lines_say_less_than_many() -> None:
    young, old = SurprisalLane(), SurprisalLane()
    young.take(said(0.1))
    for _ in range(20):
        old.take(said(0.1))
    assert 0.0 < young.take(said(0.5)) < 2.0 < old.take(said(0.5))


def test_a_track_is_forgotten_when_many_others_have_spoken() -> None:
    lane = SurprisalLane()
    for number in range(65):
        lane.take(said(0.1, f"t{number}"))
    assert lane.take(said(1.0, "t1")) > 0.0
    assert lane.take(said(1.0, "t0")) == 0.0


def test_unlikely_words_are_a_part_of_the_surprise() -> None:
    found = []
    for last in (0.1, 0.9):
        model = SurpriseModel()
        for number in range(9):
            model.take(said(0.1, number=number))
        found.append(model.take(said(last, number=9)))
    usual, unlikely = found
    assert usual is not None
    assert unlikely is not None
    assert usual.surprisal == pytest.approx(1.0, abs=0.2)
    assert unlikely.surprisal > 3.0
    assert unlikely.total - usual.total == pytest.approx(unlikely.surprisal - usual.surprisal)


def test_unlikely_words_speak_for_a_topic_as_much_as_the_setting_says() -> None:
    surprises = [Surprise(4.0, 0.0, 0.0, 0.0, False, surprisal=nats) for nats in (0.0, 1.0, 6.0)]
    assert [evidence_of(surprise)["surprisal"] for surprise in surprises] == [0.0, 0.0, 0.0]
    # Two exponential densities whose means have that ratio.
    assert [evidence_of(surprise, 2.0)["surprisal"] for surprise in surprises] == pytest.approx([0.0, 0.0, 3.0 - math.log(2.0)])
    assert SurpriseSettings(surprisal_ratio=2.0).surprisal_ratio == 2.0
    for ratio in (0.9, 11.0, math.nan):
        with pytest.raises(ValueError, match=f"surprisal_ratio must be from 1 to 10, found {ratio}"):
            SurpriseSettings(surprisal_ratio=ratio)


def reasons(nats: float | None, ratio: float, gamma: float = 0.8, *, turns: bool = False) -> dict[int, str]:
    """Why topics begin in a talk about one thing (or another from line 20 on), whose line 20 has words of that surprisal."""
    finder = SurpriseFinder(FinderSettings(gamma, 100, 1, 3, 3, 10.0, ratio), talk_profile("conversation"))
    rng, found = np.random.default_rng(2), []
    for number in range(40):
        vector = np.array([0.9, 0.0, *rng.normal(size=46) * 0.08], dtype=np.float32)
        if turns and number >= 20:
            vector[:2] = vector[1::-1]
        usual = 0.1 if nats is not None else None
        heard = replace(said(nats if number == 20 else usual, number=number), vector=vector / np.float32(np.linalg.norm(vector)))
        found += finder.take(heard)
    return {boundary.place: boundary.reason for boundary in found + finder.settle()}


def test_unlikely_words_can_be_why_an_event_begins_but_are_not_unless_asked_for() -> None:
    quiet = reasons(None, 1.0)
    assert 20 not in quiet
    assert reasons(2.0, 1.0).keys() == quiet.keys()
    asked = reasons(2.0, 4.0)
    assert asked[20].startswith("unlikely words of a: surprise "), asked
    assert asked[20].endswith(" nats for unlikely words")


def test_a_boundary_tells_of_unlikely_words_that_did_not_decide() -> None:
    usual, unlikely = reasons(0.1, 1.0, turns=True), reasons(2.0, 1.0, turns=True)
    assert usual[20].startswith("topic changed: surprise ")
    assert not any("unlikely" in reason for reason in usual.values())
    assert unlikely.keys() == usual.keys()
    assert unlikely[20].startswith("topic changed: surprise ")
    assert unlikely[20].endswith(" nats for unlikely words")
