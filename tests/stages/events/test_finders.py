from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.packets import Float32Array
from stages.events.boundary_finder import Boundary, BoundaryFinder
from stages.events.change_point_finder import ChangePointFinder
from stages.events.depth_finder import DepthFinder
from stages.events.spoken_line import SpokenLine
from stages.events.surprise_finder import FinderSettings, SurpriseFinder
from stages.events.talk_profile import talk_profile
from tests.stages.events.talks import spoken_line

DIMENSION = 48


def vectors(n_lines: int, topic: int, seed: int) -> Float32Array:
    """Lines around one direction of many."""
    rows = np.random.default_rng(seed).normal(size=(n_lines, DIMENSION)) * 0.08
    rows[:, topic] += 0.8
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows, dtype=np.float32)


def talk(*topics: int, n_each: int = 12, pause_s: dict[int, float] | None = None) -> list[SpokenLine]:
    rows = np.concatenate([vectors(n_each, topic, seed) for seed, topic in enumerate(topics)])
    lines, now_s = [], 0.0
    for place, row in enumerate(rows):
        now_s += (pause_s or {}).get(place, 0.4)
        lines.append(spoken_line(f"{place:04d}", f"t{place % 2}", now_s, now_s + 3.0, row, "some words that say what it is"))
        now_s += 3.0
    return lines


def surprise(gamma: float = 1.3, min_lines: int = 3) -> SurpriseFinder:
    return SurpriseFinder(FinderSettings(gamma, 100, 1, 3, min_lines, 10.0), talk_profile("conversation"))


def found(finder: BoundaryFinder, lines: list[SpokenLine]) -> list[Boundary]:
    return [entry for line in lines for entry in finder.take(line)] + finder.settle()


FINDERS: dict[str, Callable[[], BoundaryFinder]] = {
    "surprise": surprise,
    "depth": lambda: DepthFinder(4, 4, 1.0, 3),
    "change points": lambda: ChangePointFinder(60.0, 12.0, 3, 0.3, 3),
}


@pytest.mark.parametrize("name", list(FINDERS))
def test_topics_that_nobody_could_mistake_are_found_to_a_line(name: str) -> None:
    places = [entry.place for entry in found(FINDERS[name](), talk(0, 1, 2, 0))]
    near = [places[int(np.argmin(np.abs(np.array(places) - true)))] for true in (12, 24, 36)]
    assert np.abs(np.array(near) - [12, 24, 36]).max() <= 1
    assert len(places) <= 5


@pytest.mark.parametrize("name", list(FINDERS))
def test_one_topic_is_left_alone(name: str) -> None:
    assert len(found(FINDERS[name](), talk(0, 0, 0, 0))) <= 3


@pytest.mark.parametrize("name", list(FINDERS))
def test_boundaries_are_told_within_the_declared_lines_and_no_nearer_than_asked(name: str) -> None:
    finder, begin = FINDERS[name](), 0
    for number, line in enumerate(talk(0, 1, 2, 3, 4, n_each=7)):
        for entry in finder.take(line):
            assert 0 <= number + 1 - entry.place <= finder.n_ahead + 1
            assert entry.place - begin >= 3
            assert entry.surprise >= 0.0
            assert entry.reason.startswith("topic changed: ")
            begin = entry.place


def heard(lines: list[SpokenLine], sound_before: int | None = None, gamma: float = 1.3) -> dict[int, str]:
    finder = surprise(gamma)
    told: list[Boundary] = []
    for place, line in enumerate(lines):
        if place == sound_before:
            finder.hear("Doorbell")
        told += finder.take(line)
    return {entry.place: entry.reason for entry in told + finder.settle()}


def test_every_lane_can_be_the_reason() -> None:
    one_topic = talk(0, 0, n_each=15)
    assert 15 not in heard(one_topic, gamma=2.0)
    long_pause = talk(0, 0, n_each=15, pause_s={15: 9.0})
    assert heard(long_pause, gamma=2.0)[15].startswith("silence of 9.0 s: surprise ")
    joined = [replace(line, track="t9") if place >= 15 and place % 2 else line for place, line in enumerate(one_topic)]
    joined[15] = replace(joined[15], track="t9")
    reasons = heard(joined, gamma=0.6)
    assert any(reason.startswith("somebody joined: t9: ") for reason in reasons.values()), reasons
    still = [replace(line, azimuth_deg=30.0) for line in one_topic]
    assert heard(still, gamma=2.0) == heard(one_topic, gamma=2.0)
    moved = [replace(line, azimuth_deg=30.0 if place < 15 else 200.0) for place, line in enumerate(one_topic)]
    reasons = heard(moved, gamma=0.6)
    assert any(" moved by 170 degrees: " in reason and reason.startswith("bearing of t") for reason in reasons.values()), reasons
    reasons = heard(one_topic, sound_before=15, gamma=0.6)
    assert any(reason.startswith("sound: Doorbell: ") for reason in reasons.values()), reasons


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="must be at least 1, found 0, 3, 3 and 100"):
        DepthFinder(0, 3, 1.0, 3)
    with pytest.raises(ValueError, match="least_probability between 0 and 1"):
        ChangePointFinder(40.0, 10.0, 3, 1.5, 3)
    with pytest.raises(ValueError, match="at least 3 dimensions, found 2"):
        ChangePointFinder(40.0, 10.0, 3, 0.5, 3).take(spoken_line("0", "a", 0, 1, np.array([1.0, 0.0], dtype=np.float32)))
