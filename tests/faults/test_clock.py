"""The wall clock is set back, between sessions and within one: order, ids and what could be known at a moment stay right."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.app.session_ids import new_live_id
from pipeline.packets import NS_PER_S, AudioBlock, Gap
from pipeline.session import SessionReader
from stages.capture.gst_source import GstSource
from stages.capture.recording import Recording
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import SessionRow
from tests.faults.light_room import LightRoom
from tests.faults.warm_process import run
from tests.stages.memory.made import ENCODER, event, line

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def opened(directory: Path) -> LongTermMemory:
    memory = LongTermMemory(ENCODER, str(directory))
    memory.start()
    return memory


def session(memory: LongTermMemory, name: str, started_at: datetime, *words: str) -> None:
    """A session in which each word is said for a second, two seconds apart."""
    memory.begin_session(SessionRow(name, "mic", started_at, 0, "mono", False))
    lines = [line(word, 2.0 * place, 1.0) for place, word in enumerate(words)]
    for entry in lines:
        memory.add_lines(name, [entry], entry.end_ns)
    memory.add_event(name, event(f"event-{name}", lines))
    memory.finish_session(name, 2 * len(words) * NS_PER_S)


def said(memory: LongTermMemory, at: datetime) -> list[str]:
    return [row.text for row in memory.lines(at=at)]


def test_a_session_after_the_clock_was_set_back_stands_before_and_keeps_its_own_id(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    known: list[str] = []
    # Heard in this order: the clock goes back by an hour, and then again to the very second of the first session.
    for started_at, words in ((NOON, ("ferry", "dog")), (NOON - timedelta(hours=1), ("kitchen", "budget")), (NOON, ("train", "folder"))):
        known.append(new_live_id(started_at, known))
        session(memory, known[-1], started_at, *words)
    assert known == ["20261122-120000", "20261122-110000", "20261122-120000-2"]
    for _ in range(2):
        assert [row.id for row in memory.sessions()] == ["20261122-110000", "20261122-120000", "20261122-120000-2"]
        before_noon = NOON - timedelta(minutes=30)
        assert said(memory, before_noon) == ["kitchen", "budget"]
        assert {hit.line for hit in memory.search_words("ferry kitchen train", 9, before_noon)} == {"20261122-110000-t1-00000000"}
        assert {hit.line.rpartition("-t1")[0] for hit in memory.search_dense(ENCODER.encode(["ferry"])[0], 9, before_noon)} == {
            "20261122-110000"
        }
        # Half of the two sessions of noon has been said.
        assert said(memory, NOON + timedelta(seconds=1.5)) == ["kitchen", "budget", "ferry", "train"]
        assert len(said(memory, NOON + timedelta(hours=1))) == 6
        assert [row.session for row in memory.events(at=NOON)] == ["20261122-110000"]
        assert memory.check() == []
        memory.stop()
        memory = opened(tmp_path)
    memory.stop()


@pytest.mark.parametrize("shift", [timedelta(hours=-5), timedelta(days=40)])
def test_a_start_that_turns_out_to_be_another_moves_everything_of_the_session(tmp_path: Path, shift: timedelta) -> None:
    """The clock is set between the beginning of a session and its first sample."""
    memory = opened(tmp_path)
    memory.begin_session(SessionRow("live", "mic", NOON, 0, "mono", False))
    spoken = line("ferry", 1.0)
    memory.add_lines("live", [spoken], spoken.end_ns)
    memory.add_event("live", event("event-1", [spoken]))
    memory.correct_start("live", NOON + shift)
    later = line("dog", 4.0)
    memory.add_lines("live", [later], later.end_ns)
    memory.finish_session("live", 6 * NS_PER_S)
    began = NOON + shift
    assert memory.session_row("live").started_at == began
    assert [said(memory, began + timedelta(seconds=seconds)) for seconds in (1, 2, 5)] == [[], ["ferry"], ["ferry", "dog"]]
    assert memory.events(at=began + timedelta(seconds=2))[0].session == "live"
    assert memory.events(at=began) == []
    assert memory.check() == []
    memory.stop()


def test_a_clock_that_jumps_while_a_room_is_recorded_moves_nothing_within_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at the wall clock is an hour earlier than the one before; the session's own clock knows nothing of it."""
    looks: list[datetime] = []

    def jumping() -> datetime:
        looks.append(NOON - timedelta(hours=len(looks)))
        return looks[-1]

    monkeypatch.setattr("stages.capture.gst_source.wall_clock", jumping)
    sound = (0.1 * np.sin(np.arange(32000) * 0.05)).astype(np.float32)
    soundfile.write(tmp_path / "room.wav", sound, 16000, subtype="PCM_16")
    recording = Recording(str(tmp_path / "live"))
    source = GstSource(f"filesrc location={tmp_path}/room.wav ! wavparse", "mono", recording)
    source.start()
    packets = [emit.packet for emit in source.packets()]
    blocks = [packet for packet in packets if isinstance(packet, AudioBlock)]
    assert not [packet for packet in packets if isinstance(packet, Gap)]
    assert [block.pts_ns for block in blocks] == sorted(block.pts_ns for block in blocks)
    assert blocks[-1].end_ns == 2 * NS_PER_S
    recording.stop()
    with SessionReader(tmp_path / "live") as reader:
        assert reader.duration_ns == 2 * NS_PER_S
        assert reader.gaps == ()
        assert min(looks) - timedelta(seconds=1) <= reader.info.started_at <= max(looks)


def test_what_was_heard_in_the_future_is_not_known_yet(room: LightRoom, tmp_path: Path) -> None:
    """The clock stood years ahead when one transcript was taken in, and right for the other."""
    memory = ("--memory", tmp_path / "m")
    config = ("--config", room.config)
    ahead = run(tmp_path / "out", "import", room.transcript, *memory, *config, "--started-at", "2031-01-01T10:00:00+00:00")
    right = run(tmp_path / "out", "import", room.other_transcript, *memory, *config, "--started-at", "2026-11-22T10:00:00+00:00")
    assert (ahead.code, right.code) == (0, 0), ahead.err + right.err

    def asked(at: str) -> dict[str, Any]:
        done = run(tmp_path / "out", "ask", "When does the ferry leave?", *memory, "--json", "--at", at)
        assert done.code == 0, done.err
        return dict(json.loads(done.out))

    def sessions_of(answer: dict[str, Any]) -> set[str]:
        return {str(evidence["session"]) for claim in answer["claims"] for evidence in claim["evidence"]}

    assert asked("2026-11-22T09:00:00+00:00")["abstained"]
    before, after = asked("2026-11-23T00:00:00+00:00"), asked("2031-01-02T00:00:00+00:00")
    assert sessions_of(before) == {right.out.strip()}
    assert not any(line.startswith(ahead.out.strip()) for line in before["retrieved"])
    # Both say the same: which of them is quoted is of no account here.
    assert any(line.startswith(ahead.out.strip()) for line in after["retrieved"])
    listed = json.loads(run(tmp_path / "out", "sessions", *memory, "--json").out)
    assert [row["id"] for row in listed] == [right.out.strip(), ahead.out.strip()]
    assert run(tmp_path / "out", "doctor", *memory).code == 0
