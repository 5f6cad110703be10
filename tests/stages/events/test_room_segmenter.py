from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.packets import nanoseconds
from stages.events.change_point_finder import ChangePointFinder
from stages.events.cutting_segmenter import CuttingSegmenter, Limits
from stages.events.depth_finder import DepthFinder
from stages.events.room_segmenter import RoomSegmenter
from stages.events.segmenter import Segmenter
from stages.events.silence_segmenter import SilenceSegmenter
from stages.events.spoken_line import SpokenLine, Stretch
from stages.events.surprise_segmenter import SurpriseSegmenter, SurpriseSettings
from stages.events.window_segmenter import WindowSegmenter
from tests.stages.events.talks import spoken_line

SETTINGS = SurpriseSettings(gamma=0.3, min_lines=2, max_lines=9, max_s=60.0, silence_s=10.0)
LIMITS = Limits(max_lines=9, max_s=60.0, silence_s=10.0)
MAKERS: dict[str, Callable[[str], Segmenter]] = {
    "surprise": lambda reason: SurpriseSegmenter(SETTINGS, reason),
    "silence": lambda reason: SilenceSegmenter(5.0, 60.0, reason),
    "window": lambda reason: WindowSegmenter(20.0, reason),
}
FINDERS: dict[str, Callable[[str], Segmenter]] = {
    "surprise": MAKERS["surprise"],
    "depth": lambda reason: CuttingSegmenter(DepthFinder(2, 2, 0.3, 2), LIMITS, reason),
    "change points": lambda reason: CuttingSegmenter(ChangePointFinder(20.0, 6.0, 3, 0.2, 2), LIMITS, reason),
}


@st.composite
def talks(draw: st.DrawFn) -> list[SpokenLine]:
    """Up to forty lines of up to four people, in the order of their ends, with pauses and overlaps."""
    lines, time_s = [], 0.0
    for number in range(draw(st.integers(1, 40))):
        time_s += draw(st.sampled_from([0.0, 0.4, 1.0, 3.0, 12.0, 200.0] if number % 7 == 0 else [0.0, 0.4, 1.0, 3.0]))
        length_s = draw(st.sampled_from([0.0, 0.5, 2.0, 6.0, 29.0]))
        topic = draw(st.integers(0, 4))
        vector = np.array([np.cos(topic), np.sin(topic), 0.3, 0.01 * number], dtype=np.float32)
        vector /= np.float32(np.linalg.norm(vector))
        track = f"t{draw(st.integers(1, 4))}"
        lines.append(spoken_line(f"{number:03d}", track, max(0.0, time_s - length_s), time_s, vector))
    return lines


def heard(make: Callable[[str], Segmenter], talk: list[SpokenLine], *, apart: bool = True, told: bool = False) -> list[Stretch]:
    room = RoomSegmenter(make, apart=apart)
    found: list[Stretch] = []
    for place, line in enumerate(talk):
        found += room.take(line)
        next_ns = talk[place + 1].end_ns if place + 1 < len(talk) else line.end_ns
        if told:
            for share in (0.3, 0.7, 1.0):
                found += room.passed(line.end_ns + round(share * (next_ns - line.end_ns)))
    return found + room.end()


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("name", list(MAKERS))
@settings(max_examples=60, deadline=None)
@given(talk=talks())
def test_every_line_is_in_one_stretch_in_order(name: str, apart: bool, talk: list[SpokenLine]) -> None:
    found = heard(MAKERS[name], talk, apart=apart)
    keys = [line.key for stretch in found for line in stretch.lines]
    assert sorted(keys) == [line.key for line in talk]
    assert all(list(stretch.lines) == sorted(stretch.lines, key=lambda line: (line.end_ns, line.key)) for stretch in found)
    known = [stretch.closed_ns for stretch in found]
    assert known == sorted(known)
    assert all(stretch.closed_ns >= stretch.end_ns for stretch in found)
    assert all(stretch.reason and stretch.surprise >= 0.0 for stretch in found)


@pytest.mark.parametrize("name", list(MAKERS))
@settings(max_examples=60, deadline=None)
@given(talk=talks())
def test_when_time_is_told_changes_nothing(name: str, talk: list[SpokenLine]) -> None:
    assert heard(MAKERS[name], talk, told=True) == heard(MAKERS[name], talk)


@pytest.mark.parametrize("name", list(FINDERS))
@settings(max_examples=80, deadline=None)
@given(talk=talks())
def test_bounds_are_kept(name: str, talk: list[SpokenLine]) -> None:
    found = heard(FINDERS[name], talk, apart=False)
    for place, stretch in enumerate(found):
        assert len(stretch.lines) <= SETTINGS.max_lines
        before = stretch.lines[-2].end_ns if len(stretch.lines) > 1 else stretch.start_ns
        assert before - stretch.lines[0].start_ns <= nanoseconds(SETTINGS.max_s)
        pauses = [
            line.start_ns - max(entry.end_ns for entry in stretch.lines[:number]) for number, line in enumerate(stretch.lines) if number
        ]
        assert all(pause < nanoseconds(SETTINGS.silence_s) for pause in pauses)
        if place + 1 < len(found) and any(word in found[place + 1].reason for word in ("surprise", "depth", "change point")):
            assert len(stretch.lines) >= SETTINGS.min_lines


@settings(max_examples=60, deadline=None)
@given(talk=talks())
def test_a_boundary_is_known_soon(talk: list[SpokenLine]) -> None:
    room = RoomSegmenter(MAKERS["surprise"], apart=False)
    for place, line in enumerate(talk):
        for stretch in room.take(line):
            last = max(number for number, entry in enumerate(talk) if entry in stretch.lines)
            assert place - last <= SETTINGS.n_around + SETTINGS.n_moves


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="n_moves must be at least 0 and below n_around"):
        SurpriseSettings(n_moves=3, n_around=3)
    with pytest.raises(ValueError, match="min_lines at least 1 and below max_lines"):
        SurpriseSettings(min_lines=0)
    with pytest.raises(ValueError, match="max_lines must be at least 2, max_s and silence_s above 0; found Limits"):
        Limits(max_lines=1, max_s=60.0, silence_s=10.0)
    with pytest.raises(ValueError, match="silence_s and max_s must be above 0, found 0 and 5"):
        SilenceSegmenter(0, 5)
    with pytest.raises(ValueError, match="window_s must be above 0, found -1"):
        WindowSegmenter(-1)
