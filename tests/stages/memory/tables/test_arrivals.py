"""What a memory tells a run that goes on: when its lines and sounds were heard, in the order in which they came."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.packets import NS_PER_S, Line, SoundEvent
from pipeline.testing import run_stage
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.remember_sounds import RememberSounds
from tests.stages.memory.made import ENCODER, line, session_row
from tests.stages.memory.made_sounds import sound


def lasting(said: Line, end_s: float) -> Line:
    """A line whose packet ends after its last word."""
    longer = round(end_s * NS_PER_S) - said.pts_ns
    return replace(said, duration_ns=longer, transcript=replace(said.transcript, duration_ns=longer))


def test_lines_come_back_in_the_order_in_which_they_were_heard_and_with_when(tmp_path: Path) -> None:
    said = [
        line("the first to be heard", 2.0, 2.0, track="t2"),
        lasting(line("ended before it, but told with it", 1.0, 1.5, track="t1"), 4.0),
        line("a copy", 2.0, 2.0, track="t3", copy_of="t2"),
        line("the last", 4.5, 1.0, track="t1"),
    ]
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())
    for heard in said:
        memory.add_lines("s1", [heard], heard.end_ns)
    memory.stop()
    memory.start()
    assert list(memory.arrivals("s1").items()) == [
        ("s1-t2-00002000", 4 * NS_PER_S),
        ("s1-t1-00001000", 4 * NS_PER_S),
        ("s1-t1-00004500", 5_500_000_000),
    ]
    assert [(row.end_ns, row.heard_ns) for row in memory.lines("s1")] == [
        (2_500_000_000, 4 * NS_PER_S),
        (4 * NS_PER_S, None),
        (5_500_000_000, None),
    ]
    assert memory.arrivals("another") == {}
    memory.stop()


def test_sounds_are_handed_on_once_they_are_stored_and_each_once() -> None:
    memory = LongTermMemory(ENCODER, "")
    memory.start()
    memory.begin_session(session_row())
    heard: list[SoundEvent] = [sound("Door", 1.0), sound(None, 2.0, seed=1), sound("Music", 4.0, 2.0)]
    stage = RememberSounds(memory)
    stage.start()
    for number, each in enumerate(heard):
        (emit,) = stage.on_sound(each)
        assert emit.packet is each
        assert len(memory.sounds.heard("s1")) == number + 1
    # Those without a class are there before they recur.
    assert memory.sounds.heard("s1") == [(1_500_000_000, "Door"), (2_500_000_000, None), (6 * NS_PER_S, "Music")]
    again = run_stage(RememberSounds(memory), {"sound": [sound("Door", 1.01), *heard[1:], sound("Door", 9.0)]})["remembered"]
    assert [packet.pts_ns for packet in again] == [9 * NS_PER_S]
    assert memory.sounds.heard("another") == []
    memory.stop()
