"""Talks that no conversation is, which the segmenters must bear: wrong vectors, wrong clocks, no words, no end."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import NS_PER_S, nanoseconds
from stages.events.change_point_finder import ChangePointFinder
from stages.events.cutting_segmenter import CuttingSegmenter, Limits
from stages.events.depth_finder import DepthFinder
from stages.events.event_stream import event_of
from stages.events.room_segmenter import RoomSegmenter
from stages.events.segmenter import Segmenter
from stages.events.silence_segmenter import SilenceSegmenter
from stages.events.spoken_line import SpokenLine, Stretch
from stages.events.surprise_segmenter import SurpriseSegmenter, SurpriseSettings, settings_for
from stages.events.window_segmenter import WindowSegmenter
from tests.stages.events.talks import spoken_line

LIMITS = Limits(max_lines=40, max_s=600.0, silence_s=30.0)
MAKERS: dict[str, Callable[[str], Segmenter]] = {
    "surprise": lambda reason: SurpriseSegmenter(SurpriseSettings(max_lines=40), reason),
    "meeting": lambda reason: SurpriseSegmenter(replace(settings_for("meeting"), max_lines=40), reason),
    "depth": lambda reason: CuttingSegmenter(DepthFinder(3, 3, 0.5, 3), LIMITS, reason),
    "change points": lambda reason: CuttingSegmenter(ChangePointFinder(40.0, 10.0, 3, 0.3, 3), LIMITS, reason),
    "silence": lambda reason: SilenceSegmenter(5.0, 60.0, reason),
    "window": lambda reason: WindowSegmenter(20.0, reason),
}
TEXTS = ("", " ", "yes", "Okay, what about you?", "and that was it", "你好吗\uff1f", "\x00\x1b[0m", "'; DROP TABLE lines; --")


def vector_of(number: int, dimension: int = 8) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    row = np.random.default_rng(number).normal(size=dimension)
    return (row / np.linalg.norm(row)).astype(np.float32)


@st.composite
def bad_talks(draw: st.DrawFn) -> list[SpokenLine]:
    """Lines whose clock jumps both ways, whose vectors may be anything, whose texts may be empty."""
    lines, now_s = [], 1000.0
    for number in range(draw(st.integers(1, 60))):
        now_s = max(0.0, now_s + draw(st.sampled_from([0.0, 0.3, 2.0, 2.0, 2.0, 40.0, 1e6, -3.0, -900.0])))
        vector = vector_of(number)
        kind = draw(st.integers(0, 9))
        if kind == 0:
            vector[:] = np.nan
        elif kind == 1:
            vector[0] = np.inf
        elif kind == 2:
            vector[:] = 0.0
        line = spoken_line(
            f"{number:03d}", f"t{draw(st.integers(1, 4))}", max(0.0, now_s - 2.0), now_s, vector, draw(st.sampled_from(TEXTS))
        )
        azimuth_deg = draw(st.sampled_from([None, 0.0, 90.0, 359.9]))
        lines.append(replace(line, azimuth_deg=azimuth_deg, confidence=draw(st.sampled_from([1.0, 0.5, 0.0, float("nan"), 7.0]))))
    return lines


@pytest.mark.parametrize("name", list(MAKERS))
@settings(max_examples=15, deadline=None)
@given(talk=bad_talks())
def test_every_line_is_in_one_stretch_whatever_it_is(name: str, talk: list[SpokenLine]) -> None:
    def heard() -> list[Stretch]:
        room = RoomSegmenter(MAKERS[name])
        return [stretch for line in talk for stretch in room.take(line)] + room.end()

    found = heard()
    assert sorted(line.key for stretch in found for line in stretch.lines) == [line.key for line in talk]
    assert all(before.closed_ns <= after.closed_ns for before, after in pairwise(found))
    assert all(np.isfinite(stretch.surprise) and stretch.surprise >= 0.0 and stretch.reason for stretch in found)
    for stretch in found:
        event = event_of(stretch)
        assert np.isfinite(event.embedding).all()
        assert event.duration_ns >= 0
    assert [(s.reason, s.closed_ns, [line.key for line in s.lines]) for s in heard()] == [
        (s.reason, s.closed_ns, [line.key for line in s.lines]) for s in found
    ]


def test_a_vector_that_is_not_finite_is_warned_of_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    room = RoomSegmenter(MAKERS["surprise"])
    broken = spoken_line("007", "t1", 1.0, 2.0, np.full(8, np.nan, dtype=np.float32))
    with caplog.at_level(logging.WARNING, logger="echoic.events"):
        room.take(broken)
    assert "line 007 of t1 has a vector that is not finite" in caplog.text
    (stretch,) = room.end()
    assert not stretch.lines[0].vector.any()


@pytest.mark.parametrize("name", ["surprise", "meeting", "depth", "change points", "silence", "window"])
def test_what_is_kept_does_not_grow_with_the_talk(name: str) -> None:
    segmenter, sizes = MAKERS[name]("the session begins"), []
    told = 0
    for number in range(1200):
        line = spoken_line(f"{number:06d}", f"t{number % 90}", number * 4.0, number * 4.0 + 3.0, vector_of(number % 50), TEXTS[number % 8])
        told += sum(len(stretch.lines) for stretch in segmenter.take(replace(line, azimuth_deg=float(number % 360))))
        segmenter.hear(f"sound {number}")
        if number in {399, 799, 1199}:
            sizes.append(max(1, len(pickle.dumps(segmenter)) - 4096))
    # What is open differs from time to time; nothing adds up.
    assert sizes[2] < 1.3 * max(sizes[:2]) + 20_000
    assert 1200 - told <= 60


def test_a_hundred_thousand_lines_in_one_event() -> None:
    settings = SurpriseSettings(gamma=1e6, max_lines=200_000, max_s=1e9, silence_s=1e9)
    segmenter = SurpriseSegmenter(settings)
    vectors = [vector_of(number, 4) for number in range(16)]
    n_lines = 100_000
    for number in range(n_lines):
        start_ns = number * NS_PER_S
        line = SpokenLine(f"{number:06d}", f"t{number % 2}", start_ns, start_ns + NS_PER_S // 2, "again", vectors[number % 16])
        if number < 3000 or number % 1000 == 0:
            assert segmenter.take(line) == []
        else:
            # The rest is not judged one by one, which would only take time.
            segmenter._open.append(line)
    (stretch,) = segmenter.end(n_lines * NS_PER_S)
    assert len(stretch.lines) == n_lines
    event = event_of(stretch)
    assert len(event.lines) == n_lines
    assert len(event.summary) <= 240
    assert np.linalg.norm(event.embedding) == pytest.approx(1.0, abs=1e-5)


def test_a_clock_that_jumps_ahead_ends_an_event_and_one_that_goes_back_loses_nothing() -> None:
    room = RoomSegmenter(MAKERS["surprise"], apart=False)
    times_s = [*range(10, 40, 4), *range(90_000, 90_020, 4), *range(50, 80, 4)]
    found: list[Stretch] = []
    for number, time_s in enumerate(times_s):
        found += room.take(spoken_line(f"{number:03d}", "t1", time_s, time_s + 3.0, vector_of(1), "the same thing again and again"))
    found += room.end()
    assert [line.key for stretch in found for line in stretch.lines] == [f"{number:03d}" for number in range(len(times_s))]
    assert [stretch.lines[0].key for stretch in found] == ["000", "008"]
    assert found[1].reason == "silence of 89959.0 s"
    assert found[1].closed_ns >= nanoseconds(90_019.0)


def test_people_who_move_between_conversations_take_part_in_both() -> None:
    """Anna talks with Ben, then goes over to Clara and David."""
    talk, now_s = [], 0.0
    for turn in range(60):
        first = ("anna", "ben")[turn % 2] if turn < 30 else ("ben", "ben")[turn % 2]
        other = ("clara", "david")[turn % 2] if turn < 30 else ("clara", "david", "anna")[turn % 3]
        if turn < 30 or turn % 6 == 0:
            talk.append(spoken_line(f"a{turn:03d}", first, now_s, now_s + 4.0, vector_of(1), "we talk about the dog in the snow"))
        talk.append(spoken_line(f"b{turn:03d}", other, now_s + 0.3, now_s + 4.3, vector_of(2), "the ferry leaves at nine on Saturday"))
        now_s += 4.6
    room = RoomSegmenter(MAKERS["surprise"])
    found = [stretch for line in sorted(talk, key=lambda line: (line.end_ns, line.key)) for stretch in room.take(line)] + room.end()
    company = [set(stretch.tracks) for stretch in found if "anna" in stretch.tracks]
    assert any(people <= {"anna", "ben"} for people in company)
    assert any({"anna", "clara"} <= people or {"anna", "david"} <= people for people in company)
    keys = [line.key for stretch in found for line in stretch.lines]
    assert sorted(keys) == sorted(line.key for line in talk)
