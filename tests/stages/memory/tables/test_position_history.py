"""Where tracks were: thinned, but near enough at any time; and the way out of the memory."""

from __future__ import annotations

import json

import pytest

from pipeline.packets import NS_PER_S, Track, Tracks
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.tables.position_history import PositionHistory
from stages.memory.transcript_files import TranscriptFileError, export_session
from tests.stages.memory.made import ENCODER, session_row

BLOCK_NS = 32_000_000


def _stored(rate_deg_per_s: float, duration_s: float) -> list[dict[str, object]]:
    """A memory's export of one who walks, and of one who sits and sleeps."""
    memory = LongTermMemory(ENCODER)
    memory.start()
    try:
        memory.begin_session(session_row())
        for block in range(round(duration_s * NS_PER_S / BLOCK_NS)):
            at = (340.0 + rate_deg_per_s * (block + 1) * BLOCK_NS / NS_PER_S) % 360.0
            there = (Track(name="t1", azimuth_deg=at, elevation_deg=12.5), Track(name="t2", azimuth_deg=90.0, active=block < 10))
            memory.add_tracks("s1", Tracks(pts_ns=block * BLOCK_NS, duration_ns=BLOCK_NS, tracks=there))
        memory.set_passed("s1", round(duration_s * NS_PER_S))
        with pytest.raises(TranscriptFileError) as caught:
            export_session(memory, "s1", "srt")  # type: ignore[arg-type] # a format that there is none of
        assert str(caught.value) == "export format 'srt' is not known; allowed are jsonl, vtt, rttm, tracks"
        return [json.loads(row) for row in export_session(memory, "s1", "tracks")]
    finally:
        memory.stop()


@pytest.mark.parametrize("rate_deg_per_s", [0.0, 5.0, 30.0, -30.0])
def test_a_walker_is_within_five_degrees_at_any_time(rate_deg_per_s: float) -> None:
    rows = _stored(rate_deg_per_s, 8.0)
    assert [list(row) for row in rows] == [["session", "track", "time_s", "azimuth_deg", "elevation_deg"]] * len(rows)
    assert [row for row in rows if row["track"] == "t2"] == [
        {"session": "s1", "track": "t2", "time_s": 0.032, "azimuth_deg": 90.0, "elevation_deg": None}
    ]
    walked = [(float(str(row["time_s"])), float(str(row["azimuth_deg"]))) for row in rows if row["track"] == "t1"]
    assert [time for time, _ in walked] == sorted(time for time, _ in walked)
    assert len(walked) <= 1 + abs(rate_deg_per_s) * 8.0 / 4.0
    for block in range(250):
        now = (block + 1) * BLOCK_NS / NS_PER_S
        stored = next(place for time, place in reversed(walked) if time <= now + 1e-9)
        truth = 340.0 + rate_deg_per_s * now
        assert abs((stored - truth + 180.0) % 360.0 - 180.0) < 5.0


def test_two_writers_who_store_the_same_places_lose_none_that_came_between() -> None:
    memory = LongTermMemory(ENCODER)
    memory.start()
    memory.begin_session(session_row())
    history, kept = PositionHistory(), []
    for number in range(6):
        there = Track(name="t1", azimuth_deg=30.0 * number)
        history.add(Tracks(pts_ns=number * NS_PER_S, duration_ns=BLOCK_NS, tracks=(there,)))
        if number == 2:
            with memory._database.writing() as connection:
                kept = [history.store(connection, "s1"), history.store(connection, "s1")]
            history.stored(kept[0])
    history.stored(kept[1])
    with memory._database.writing() as connection:
        assert {place[2] for place in history.store(connection, "s1")} == {90.0, 120.0, 150.0}
    memory.stop()
