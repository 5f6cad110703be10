from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.packets import NS_PER_S, Line
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.repeats import Repeats
from tests.stages.memory.made import ENCODER, line, session_row

MS = 10**6


def waited(said: Line, until_s: float) -> Line:
    """The line in a packet that lasts longer than its words."""
    duration_ns = round(until_s * NS_PER_S) - said.pts_ns
    return replace(said, duration_ns=duration_ns, transcript=replace(said.transcript, duration_ns=duration_ns))


@pytest.fixture
def memory() -> LongTermMemory:
    made = LongTermMemory(ENCODER)
    made.start()
    made.begin_session(session_row())
    return made


@pytest.mark.parametrize("shift_ms", [-20, 0, 1, 20])
def test_a_short_line_whose_packet_lasted_longer_is_known_again(memory: LongTermMemory, shift_ms: int) -> None:
    said = waited(line("yes", 4.7, 0.3), 5.5)
    memory.add_lines("s1", [said], 0)
    again = waited(line("yes", 4.7 + shift_ms / 1000, 0.3), 5.5)
    assert Repeats.of(memory, "s1").has(again)


def test_what_came_after_the_last_stored_words_is_new(memory: LongTermMemory) -> None:
    memory.add_lines("s1", [waited(line("yes", 4.7, 0.3), 5.5)], 0)
    assert not Repeats.of(memory, "s1").has(waited(line("of course", 5.05, 0.4), 5.5))
    assert not Repeats.of(memory, "s1").has(line("yes", 4.7, 0.3, track="t2"))
