from __future__ import annotations

import pytest

from pipeline.packets import NS_PER_S, Gap, Track, Tracks
from pipeline.stage import END_NS
from pipeline.testing import run_stage
from stages.events.surprise import Surprise
from stages.memory.line_encoder import LineEncoder
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.remember import Remember
from stages.memory.remember_events import RememberEvents
from tests.stages.memory.made import ENCODER, event, line, session_row

WORDS = ["one", "two", "three", "four", "five", "six", "seven"]
TALK = [line(text, 4.0 * place, 2.0, track=f"t{1 + place % 2}") for place, text in enumerate(WORDS)]


@pytest.fixture
def memory() -> LongTermMemory:
    made = LongTermMemory(ENCODER)
    made.start()
    made.begin_session(session_row())
    return made


def test_transcripts_get_the_vector_of_their_words() -> None:
    (said,) = run_stage(LineEncoder(ENCODER), {"transcript": [TALK[0].transcript]})["lines"]
    assert (said.pts_ns, said.end_ns) == (TALK[0].pts_ns, TALK[0].end_ns)
    assert (said.embedding == ENCODER.encode(["one"])[0]).all()  # type: ignore[attr-defined] # a Line


def test_lines_tracks_and_gaps_are_remembered(memory: LongTermMemory) -> None:
    tracks = [Tracks(pts_ns=0, duration_ns=NS_PER_S, tracks=(Track(name="t1", azimuth_deg=33.0),))]
    gap = Gap(pts_ns=NS_PER_S, duration_ns=NS_PER_S, reason="overrun")
    run_stage(Remember(memory), {"line": TALK, "tracks": [*tracks, gap]})
    assert [row.text for row in memory.lines("s1")] == ["one", "two", "three", "four", "five", "six", "seven"]
    assert memory.tracks("s1")[0].positions == ((NS_PER_S, 33.0),)
    assert [(row.start_ns, row.end_ns, row.reason) for row in memory.gaps("s1")] == [(NS_PER_S, 2 * NS_PER_S, "overrun")]
    assert memory.passed_ns("s1") == TALK[-1].end_ns
    assert memory.check() == []


def test_short_term_memory_leaves_salience_behind(memory: LongTermMemory) -> None:
    talk = [*TALK[:3], line("one again", 60.0), line("one more time one", 70.0)]
    run_stage(Remember(memory, short_term_capacity=2), {"line": talk})
    salience = memory.salience("s1")
    assert len(salience) == 5
    assert max(salience, key=lambda name: salience[name]) in {"s1-t1-00000000", "s1-t1-00060000"}
    assert all(0.0 <= value <= 1.0 for value in salience.values())


def test_the_position_is_committed_in_silence_too(memory: LongTermMemory) -> None:
    stage = Remember(memory, commit_every_s=2.0)
    stage.start()
    stage.on_line(TALK[0])
    told = []
    for second in (2.5, 3.9, 4.1, 5.0, 6.2):
        list(stage.on_passed(round(second * NS_PER_S)))
        told.append(memory.passed_ns("s1") / NS_PER_S)
    assert told == [2.0, 2.0, 4.1, 4.1, 6.2]
    list(stage.on_passed(END_NS))
    list(stage.flush())
    assert memory.passed_ns("s1") == round(6.2 * NS_PER_S)


def test_a_session_that_was_cut_short_goes_on_without_doubling(memory: LongTermMemory) -> None:
    run_stage(Remember(memory), {"line": TALK[:4]})
    heard_again = [*TALK[:3], line("four", 12.03, 1.95, track="t2"), *TALK[4:]]
    run_stage(Remember(memory), {"line": heard_again})
    assert [row.text for row in memory.lines("s1")] == ["one", "two", "three", "four", "five", "six", "seven"]


def test_events_find_their_lines_after_a_crash(memory: LongTermMemory) -> None:
    whole = run_stage(Surprise(min_lines=1, silence_s=1.5), {"line": TALK})["events"]
    run_stage(Remember(memory), {"line": TALK[:4]})
    first_part = Surprise(min_lines=1, silence_s=1.5, memory=memory)
    first_part.start()
    # The first run is cut short: what was open is not told.
    run_stage(RememberEvents(memory), {"event": [emit.packet for said in TALK[:4] for emit in first_part.on_line(said)]})
    run_stage(Remember(memory), {"line": TALK})
    again = run_stage(Surprise(min_lines=1, silence_s=1.5, memory=memory), {"line": TALK})["events"]
    run_stage(RememberEvents(memory), {"event": again})
    assert [row.start_ns for row in memory.events("s1")] == [found.pts_ns for found in whole]
    assert all(row.event is not None for row in memory.lines("s1"))
    assert memory.check() == []


def test_nothing_is_remembered_without_a_session() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    for stage in (Remember(memory), RememberEvents(memory)):
        with pytest.raises(MemoryError_, match="nothing can be remembered yet: begin_session says which session it is"):
            stage.start()
    memory.stop()


def test_events_are_remembered(memory: LongTermMemory) -> None:
    run_stage(RememberEvents(memory), {"event": [event("event-1", TALK[:2])]})
    assert memory.event("s1-event-1").summary == "one"
