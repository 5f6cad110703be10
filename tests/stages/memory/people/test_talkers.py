"""Talkers of one microphone in a memory: their turns, who they are, and what people say about it afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Float32Array, Line, TalkerBlock, TalkerVoice, Track, Transcript, Utterance, Word
from pipeline.testing import run_stage
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory, MemoryError_
from stages.memory.remember_talkers import RememberTalkers
from stages.memory.rows import SessionRow
from stages.memory.transcript_files import export_session

ENCODER = HashedWords()
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
MONO = Track(name="t1", azimuth_deg=None, lane=0)
STEP_NS = NS_PER_S // 50


def voice(person: int, variant: int = 0) -> Float32Array:
    """Two variants of one person have a cosine of 0.9, two people one of 0."""
    value = np.zeros(192, dtype=np.float32)
    value[person] = 1.0
    value[100 + 10 * person + variant] = 1 / 3
    return (value / np.linalg.norm(value)).astype(np.float32)


def block(start_s: float, end_s: float, **spans: tuple[float, float]) -> TalkerBlock:
    """Activity from `start_s` to `end_s`; `a7=(from, to)` says when talker 7 speaks, in seconds."""
    pts_ns = round(start_s * NS_PER_S)
    edges_s = start_s + np.arange(round((end_s - start_s) * 50)) / 50
    rows = [(edges_s >= begin - 1e-6) & (edges_s < stop - 1e-6) for begin, stop in spans.values()]
    return TalkerBlock(
        pts_ns=pts_ns,
        duration_ns=round((end_s - start_s) * NS_PER_S),
        track=MONO,
        talkers=tuple(int(name[1:]) for name in spans),
        active=np.array(rows, dtype=bool).reshape(len(rows), len(edges_s)),
        step_ns=STEP_NS,
    )


def told(talker: int, person: int | None, seconds: float = 3.0, at_s: float = 60.0) -> TalkerVoice:
    heard = None if person is None else voice(person, talker % 4)
    return TalkerVoice(pts_ns=round(at_s * NS_PER_S), duration_ns=0, track=MONO, talker=talker, seconds=seconds, voice=heard)


def line(start_s: float, talker: int | None, heard: Float32Array | None = None, seconds: float = 2.0) -> Line:
    start_ns, length_ns = round(start_s * NS_PER_S), round(seconds * NS_PER_S)
    text = f"words at {start_s}"
    utterance = Utterance(pts_ns=start_ns, duration_ns=length_ns, samples=np.zeros(160, dtype=np.float32), sample_rate_hz=16000, track=MONO)
    transcript = Transcript(
        pts_ns=start_ns,
        duration_ns=length_ns,
        utterance=utterance,
        text=text,
        words=(Word(text, start_ns, start_ns + length_ns, 1.0),),
        language="en",
        confidence=1.0,
        voice=heard,
        talker=talker,
    )
    return Line(pts_ns=start_ns, duration_ns=length_ns, transcript=transcript, embedding=ENCODER.encode([text])[0].copy())


@pytest.fixture
def memory() -> Iterator[LongTermMemory]:
    opened = LongTermMemory(ENCODER)
    opened.start()
    opened.begin_session(SessionRow("s1", "s1", START, 0, "mono", complete=False))
    yield opened
    opened.stop()


def hear(memory: LongTermMemory, *packets: TalkerBlock | TalkerVoice | Line) -> None:
    for packet in packets:
        if isinstance(packet, Line):
            memory.add_lines("s1", [packet], packet.end_ns)
        elif isinstance(packet, TalkerBlock):
            memory.talkers.add_block("s1", packet)
        else:
            memory.talkers.add_voice("s1", packet)


def turns(memory: LongTermMemory) -> list[tuple[str | None, float, float]]:
    return [(row.speaker, row.start_ns / NS_PER_S, row.end_ns / NS_PER_S) for row in memory.talkers.turns("s1")]


def test_what_goes_on_from_block_to_block_is_one_turn_and_writing_again_changes_nothing(memory: LongTermMemory) -> None:
    blocks = (block(0, 1, a7=(0.5, 1.0)), block(1, 2, a7=(1.0, 1.4), a9=(1.2, 2.0)), block(2, 3, a9=(2.0, 2.5), a7=(2.8, 3.0)))
    hear(memory, *blocks)
    once = turns(memory)
    assert once == [(None, 0.5, 1.4), (None, 1.2, 2.5), (None, 2.8, 3.0)]
    hear(memory, *blocks)
    assert turns(memory) == once


def test_talkers_with_one_voice_are_one_speaker_also_where_nothing_was_understood(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 9, voice(2)), line(20, 31, None, 0.3))
    hear(memory, block(0, 2, a7=(0, 2)), block(4, 6, a9=(4, 6)), block(20, 21, a31=(20, 20.4)), block(40, 43, a44=(40, 43)))
    hear(memory, told(7, 1), told(9, 2), told(31, 1, 0.4), told(44, 2))
    memory.finish_session("s1", 60 * NS_PER_S)
    assert [row.speaker for row in memory.lines("s1")] == ["speaker-1", "speaker-2", "speaker-1"]
    assert turns(memory) == [("speaker-1", 0, 2), ("speaker-2", 4, 6), ("speaker-1", 20, 20.4), ("speaker-2", 40, 43)]


def test_who_speaks_at_the_same_time_is_somebody_else(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(1, 9, voice(1, 1)))
    hear(memory, block(0, 4, a7=(0, 2), a9=(1, 4)), told(7, 1), told(9, 1))
    memory.finish_session("s1", 60 * NS_PER_S)
    assert len({row.speaker for row in memory.lines("s1")}) == 2
    assert [who for who, _, _ in turns(memory)] == [row.speaker for row in memory.lines("s1")]


def test_somebody_of_whom_no_word_was_understood_is_a_speaker_too(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), block(0, 2, a7=(0, 2)), block(5, 8, a9=(5, 8)), told(7, 1), told(9, 2))
    memory.finish_session("s1", 60 * NS_PER_S)
    assert turns(memory) == [("speaker-1", 0, 2), ("speaker-2", 5, 8)]
    assert {row.id for row in memory.speakers.rows()} == {"speaker-1", "speaker-2"}


def test_without_a_voice_and_without_a_line_nobody_can_tell(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), block(0, 2, a7=(0, 2)), block(5, 6, a9=(5, 5.2)), told(7, 1), told(9, None, 0.0))
    memory.finish_session("s1", 60 * NS_PER_S)
    assert turns(memory) == [("speaker-1", 0, 2), (None, 5, 5.2)]
    assert [row.split()[7] for row in export_session(memory, "s1", "rttm")] == ["speaker-1", "unknown-9"]


def test_while_a_session_runs_a_short_line_goes_with_the_talker_who_spoke_before(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 9, voice(2)), line(8, 7, None, 0.3))
    assert [row.speaker for row in memory.lines("s1")] == ["speaker-1", "speaker-2", "speaker-1"]


def test_a_voice_that_an_earlier_session_knows_keeps_its_name(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), block(0, 2, a7=(0, 2)), told(7, 1))
    memory.finish_session("s1", 10 * NS_PER_S)
    memory.speakers.rename("speaker-1", "Anna")
    memory.begin_session(SessionRow("s2", "s2", START, 0, "mono", complete=False))
    memory.talkers.add_block("s2", block(0, 2, a7=(0, 2)))
    memory.talkers.add_voice("s2", told(7, 1))
    memory.finish_session("s2", 10 * NS_PER_S)
    assert [row.speaker for row in memory.talkers.turns("s2")] == ["Anna"]


def test_correcting_once_corrects_the_turns_as_well(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 9, voice(2)), line(8, 7, voice(1, 1)))
    hear(memory, block(0, 10, a7=(0, 2), a9=(4, 6)), block(10, 12, a7=(10, 12)), told(7, 1), told(9, 2))
    memory.finish_session("s1", 60 * NS_PER_S)
    memory.speakers.rename("speaker-2", "Ben")
    assert [who for who, _, _ in turns(memory)] == ["speaker-1", "Ben", "speaker-1"]
    lines = [row.id for row in memory.lines("s1") if row.speaker == "Ben"]
    memory.speakers.merge("Ben", "speaker-1")
    assert len({who for who, _, _ in turns(memory)}) == 1
    memory.speakers.split(memory.speakers.rows()[0].id, lines)
    assert len({who for who, _, _ in turns(memory)}) == 2
    assert turns(memory)[0][0] == turns(memory)[2][0] != turns(memory)[1][0]


def test_lines_that_people_moved_stay_where_they_put_them(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 7, voice(1, 1)), line(8, 9, voice(2)))
    moved = memory.lines("s1")[1].id
    memory.speakers.split("speaker-1", [moved])
    mine = next(row.speaker for row in memory.lines("s1") if row.id == moved)
    hear(memory, block(0, 10, a7=(0, 6), a9=(8, 10)), told(7, 1), told(9, 2))
    memory.finish_session("s1", 60 * NS_PER_S)
    assert next(row.speaker for row in memory.lines("s1") if row.id == moved) == mine
    assert mine != memory.lines("s1")[0].speaker


def test_rttm_has_the_turns_of_told_talkers_and_the_lines_of_other_tracks(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), block(0, 1, a7=(0, 0.9)), block(1, 2, a7=(1.0, 1.6), a9=(1.3, 2.0)), told(7, 1), told(9, 2))
    beam = line(3, None, voice(5))
    placed = replace(beam.transcript.utterance, track=Track(name="t5", azimuth_deg=80.0))
    hear(memory, replace(beam, transcript=replace(beam.transcript, utterance=placed)))
    memory.finish_session("s1", 60 * NS_PER_S)
    found = [(parts[7], float(parts[3]), float(parts[4])) for parts in (row.split() for row in export_session(memory, "s1", "rttm"))]
    assert found[0][0] == "speaker-1"
    assert [start_s for _, start_s, _ in found] == [0.0, 1.3, 3.0]
    assert [length_s for _, _, length_s in found] == pytest.approx([1.6, 0.7, 2.0])
    assert len({who for who, _, _ in found}) == 3


def test_the_stage_stores_what_it_is_told_and_needs_a_session(memory: LongTermMemory) -> None:
    run_stage(RememberTalkers(memory), {"activity": [block(0, 1), block(1, 2, a7=(1.0, 1.5))], "voices": [told(7, 1)]})
    assert turns(memory) == [(None, 1.0, 1.5)]
    fresh = LongTermMemory(ENCODER)
    fresh.start()
    with pytest.raises(MemoryError_, match="begin_session"):
        RememberTalkers(fresh).start()
    fresh.stop()


def test_a_run_that_goes_on_stores_no_turn_twice_and_its_people_stay_who_they_are(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 9, voice(2)), block(0, 6, a7=(0, 2), a9=(4, 6)), told(7, 1), told(9, 2))
    again = RememberTalkers(memory)
    # The warm-up of the second run: the same sound under other numbers, and then what is new.
    heard_again = [block(3, 6, a30=(4, 6)), block(6, 9, a30=(6, 6.5), a60=(7, 9)), block(9, 10, a60=(9, 9.5))]
    run_stage(again, {"activity": heard_again, "voices": [told(30, 2), told(60, 1)]})
    hear(memory, line(7, 60, voice(1, 1)))
    assert [(start, end) for _, start, end in turns(memory)] == [(0, 2), (4, 6), (6, 6.5), (7, 9.5)]
    memory.finish_session("s1", 20 * NS_PER_S)
    assert [who for who, _, _ in turns(memory)] == ["speaker-1", "speaker-2", "speaker-2", "speaker-1"]
    assert [row.id for row in memory.speakers.rows()] == ["speaker-1", "speaker-2"]


def test_lines_of_talkers_whose_voice_a_crash_took_go_to_the_likest_voice(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 9, voice(2)), line(8, 8, voice(1, 2)))
    hear(memory, block(0, 10, a7=(0, 2), a9=(4, 6), a8=(8, 10)), told(7, 1), told(9, 2))
    memory.finish_session("s1", 20 * NS_PER_S)
    assert [row.speaker for row in memory.lines("s1")] == ["speaker-1", "speaker-2", "speaker-1"]
    assert [who for who, _, _ in turns(memory)] == ["speaker-1", "speaker-2", "speaker-1"]


def test_who_was_merged_by_hand_stays_one_when_the_session_ends(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(4, 9, voice(2)), block(0, 6, a7=(0, 2), a9=(4, 6)), told(7, 1), told(9, 2))
    memory.speakers.merge("speaker-2", "speaker-1")
    memory.finish_session("s1", 20 * NS_PER_S)
    assert {row.speaker for row in memory.lines("s1")} == {"speaker-1"} == {who for who, _, _ in turns(memory)}
    assert [row.id for row in memory.speakers.rows()] == ["speaker-1"]


def test_somebody_without_words_is_listed_with_their_time_and_keeps_their_voice(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), block(0, 2, a7=(0, 2)), block(5, 8, a9=(5, 8)), told(7, 1), told(9, 2))
    memory.finish_session("s1", 60 * NS_PER_S)
    wordless = memory.speakers.rows()[1]
    assert (wordless.n_lines, wordless.seconds, wordless.sessions) == (0, 3.0, ("s1",))
    memory.begin_session(SessionRow("s2", "s2", START, 0, "mono", complete=False))
    memory.add_lines("s2", [line(0, None, voice(2, 3))], 2 * NS_PER_S)
    assert [row.speaker for row in memory.lines("s2")] == ["speaker-2"]


def test_rttm_of_a_session_that_still_runs_has_the_lines(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(20, 9, voice(2)), block(0, 2, a7=(0, 2)), block(20, 22, a9=(20, 20.2)))
    assert [row.split()[3:8:4] for row in export_session(memory, "s1", "rttm")] == [["0.000", "speaker-1"], ["20.000", "speaker-2"]]


def test_rttm_loses_no_line_on_which_no_turn_lies(memory: LongTermMemory) -> None:
    hear(memory, line(0, 7, voice(1)), line(20, None, voice(1, 1)), block(0, 2, a7=(0, 2)), told(7, 1))
    memory.finish_session("s1", 60 * NS_PER_S)
    assert [float(row.split()[3]) for row in export_session(memory, "s1", "rttm")] == [0.0, 20.0]


def test_ten_thousand_turns_and_lines_cost_no_more_each_than_ten(memory: LongTermMemory) -> None:
    def processor_s(first_s: int) -> float:
        began = time.process_time()
        for place in range(100):
            hear(memory, block(first_s + place, first_s + place + 1, **{f"a{place % 5}": (first_s + place, first_s + place + 0.5)}))
        return time.process_time() - began

    few = min(processor_s(0), processor_s(200))
    for start_s in range(1000, 11000, 100):
        processor_s(start_s)
    assert min(processor_s(20000), processor_s(20200), processor_s(20400)) < 3 * few
