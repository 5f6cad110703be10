"""A session that is cut short anywhere has the events of one that was not, and time that passes without words changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.packets import NS_PER_S, Event, Line
from stages.events.fixed_window import FixedWindow
from stages.events.silence_gap import SilenceGap
from stages.events.surprise import Surprise
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory.made import ENCODER, line, session_row

TALK = (
    "the ferry leaves on saturday at half past nine",
    "my dog will come along on the ferry",
    "the ferry is late on saturday",
    "take the ferry at nine on saturday",
    "the budget for the kitchen is eight thousand",
    "paint the kitchen walls in a light green",
    "the kitchen needs a new budget for paint",
    "green paint for the kitchen is in the budget",
    "the minutes of the meeting are in the folder",
    "who writes the minutes of the next meeting",
    "bring the folder to the meeting",
)
STAGES: tuple[tuple[type[Any], dict[str, Any]], ...] = (
    (Surprise, {"gamma": 0.3, "silence_s": 20.0}),
    (SilenceGap, {"silence_s": 20.0}),
    (FixedWindow, {"window_s": 9.0}),
)


def lines() -> list[Line]:
    """A pause of half a minute before the last subject."""
    return [line(text, 3.0 * place + (30.0 if place > 7 else 0.0), 2.0, track=f"t{place % 2}") for place, text in enumerate(TALK)]


def opened(directory: Path) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    memory.begin_session(session_row())
    return memory


def heard(memory: LongTermMemory, make: tuple[type[Any], dict[str, Any]], until: int | None = None) -> None:
    """Let a stage hear the talk from its beginning, as a replay that goes on does, up to a line (None: to the end)."""
    stage = make[0](**make[1], memory=memory)
    stage.start()
    known = {row.id for row in memory.lines("s1")}
    for entry in lines()[:until]:
        if f"s1-{entry.transcript.key}" not in known:
            memory.add_lines("s1", [entry], entry.end_ns)
        store(memory, [emit.packet for emit in stage.on_line(entry)])
    if until is None:
        store(memory, [emit.packet for emit in stage.flush()])


def store(memory: LongTermMemory, events: list[Event]) -> None:
    for found in events:
        memory.add_event("s1", found)


def told(memory: LongTermMemory) -> list[tuple[Any, ...]]:
    """Everything about the events, when each was known included."""
    with memory._database.reading() as connection:
        return [
            tuple(row)
            for row in connection.execute("SELECT id, start_ns, end_ns, ended_at_ns, reason, surprise, summary FROM events ORDER BY id")
        ]


@pytest.mark.parametrize("make", STAGES, ids=lambda make: make[0].__name__)
def test_it_goes_on_as_if_it_had_never_been_cut_short(tmp_path: Path, make: tuple[type[Any], dict[str, Any]]) -> None:
    whole = opened(tmp_path / "whole")
    heard(whole, make)
    wanted = told(whole)
    assert len(wanted) >= 2
    whole.stop()
    for cut in range(1, len(TALK) + 1):
        directory = tmp_path / f"cut-{cut}"
        for until in (cut // 2, cut, None):
            memory = opened(directory)
            heard(memory, make, until)
            memory.stop()
        memory = opened(directory)
        assert told(memory) == wanted, f"cut after {cut} lines"
        memory.stop()


def test_events_that_were_cut_otherwise_stay_as_they_are(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    heard(memory, (FixedWindow, {"window_s": 9.0}), 9)
    before = told(memory)
    heard(memory, (Surprise, {"gamma": 0.3}))
    after = told(memory)
    assert len(before) >= 2
    assert set(before) <= set(after)
    assert all(row.event for row in memory.lines("s1"))
    memory.stop()


@pytest.mark.parametrize("make", STAGES[:2], ids=lambda make: make[0].__name__)
def test_silence_that_was_passed_at_the_end_says_nothing_of_when_an_event_was_known(make: tuple[type[Any], dict[str, Any]]) -> None:
    found = []
    for passed_s in (0.0, 0.4, 3.0):
        stage = make[0](**make[1])
        for entry in lines():
            list(stage.on_line(entry))
        end_ns = lines()[-1].end_ns
        list(stage.on_passed(end_ns + round(passed_s * NS_PER_S)))
        promised = stage.promise(end_ns + round(passed_s * NS_PER_S))
        packets = [emit.packet for emit in stage.flush()]
        assert packets
        assert all(packet.end_ns >= promised for packet in packets)
        found.append([(packet.name, packet.end_ns) for packet in packets])
    assert found[0] == found[1] == found[2]
