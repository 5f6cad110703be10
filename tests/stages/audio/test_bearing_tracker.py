from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.geometry import ArrayGeometry, load_array
from pipeline.packets import AudioBlock, Direction, Directions, Track, Tracks
from pipeline.testing import audio_blocks, run_stage
from stages.audio.bearing_tracker import BearingTracker
from stages.audio.fixed_bearings import FixedBearings, FixedBearingsError
from stages.memory.hashed_words import HashedWords
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.rows import SessionRow

UMA8 = load_array("uma8")
Heard = list[tuple[float, float]]


def _tracks(stage: BearingTracker | FixedBearings, heard: list[Heard], array: ArrayGeometry = UMA8) -> list[Tracks]:
    """Run over blocks of 32 ms in each of which these bearings (azimuth, power) are heard."""
    blocks: list[AudioBlock] = audio_blocks(np.zeros((array.n_channels, 512 * len(heard)), dtype=np.float32), array)
    directions = [
        Directions(
            pts_ns=block.pts_ns, duration_ns=block.duration_ns, directions=tuple(Direction(azimuth, 10.0, power) for azimuth, power in now)
        )
        for block, now in zip(blocks, heard, strict=True)
    ]
    packets = run_stage(stage, {"audio": blocks, "directions": directions})["tracks"]
    assert [(packet.pts_ns, packet.end_ns) for packet in packets] == [(block.pts_ns, block.end_ns) for block in blocks]
    return [packet for packet in packets if isinstance(packet, Tracks)]


def test_talkers_are_named_in_the_order_in_which_they_first_speak() -> None:
    turns: list[Heard] = [[(200.0, 0.2)]] * 30 + [[(30.0, 0.2)]] * 30
    tracks = _tracks(BearingTracker(), turns)
    assert tracks[0].tracks == ()
    (first, second) = tracks[-1].tracks
    assert (first.name, round(first.azimuth_deg or 0.0), first.elevation_deg) == ("t1", 200, 10.0)
    assert (second.name, round(second.azimuth_deg or 0.0)) == ("t2", 30)
    born_s = [next(packet.end_ns for packet in tracks if any(t.name == name for t in packet.tracks)) / 1e9 for name in ("t1", "t2")]
    assert born_s[0] < 0.2
    assert born_s[1] - 30 * 0.032 < 0.2


def test_a_track_sleeps_and_wakes() -> None:
    turns: list[Heard] = [[(200.0, 0.2)]] * 20 + [[]] * 60 + [[(205.0, 0.2)]] * 20
    tracks = _tracks(BearingTracker(sleep_after_s=0.8), turns)
    active = [packet.tracks[0].active for packet in tracks if packet.tracks]
    assert active[0]
    assert not tracks[79].tracks[0].active
    assert tracks[-1].tracks[0].active
    assert {track.name for packet in tracks for track in packet.tracks} == {"t1"}


def test_a_line_keeps_its_ends_apart() -> None:
    turns: list[Heard] = [[(2.0, 0.2)]] * 20 + [[(179.0, 0.2)]] * 20
    assert len(_tracks(BearingTracker(), turns, load_array("linear8"))[-1].tracks) == 2


@pytest.mark.parametrize("stage", [BearingTracker(), FixedBearings()], ids=["bearing_tracker", "fixed_bearings"])
def test_without_bearing_each_channel_is_a_track_for_ever(stage: BearingTracker | FixedBearings) -> None:
    tracks = _tracks(stage, [[]] * 5, load_array("two_lanes"))
    expected = (Track(name="t1", azimuth_deg=None, lane=0), Track(name="t2", azimuth_deg=None, lane=1))
    assert all(packet.tracks == expected for packet in tracks)


def test_a_resumed_session_goes_on_with_its_names() -> None:
    memory = LongTermMemory(HashedWords())
    memory.start()
    try:
        started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
        memory.begin_session(SessionRow("s1", "room.flac", started, 0, "uma8", complete=False))
        there = (Track("t1", 200.0, 10.0), Track("t2", 30.0, 10.0))
        memory.add_tracks("s1", Tracks(pts_ns=0, duration_ns=10**9, tracks=there))
        memory.set_passed("s1", 10**9)
        resumed = _tracks(BearingTracker(memory=memory), [[(202.0, 0.2)]] * 20 + [[(120.0, 0.2)]] * 20)
    finally:
        memory.stop()
    assert [(track.name, track.active) for track in resumed[0].tracks] == [("t1", False), ("t2", False)]
    assert [(track.name, track.active) for track in resumed[19].tracks] == [("t1", True), ("t2", False)]
    assert [track.name for track in resumed[-1].tracks] == ["t1", "t2", "t3"]


def test_fixed_bearings_are_there_from_the_start_and_active_when_heard() -> None:
    tracks = _tracks(FixedBearings(azimuths_deg=(40.0, 160.0)), [[]] * 5 + [[(170.0, 0.3), (300.0, 0.2)]] * 5 + [[]] * 40)
    assert [(track.name, track.azimuth_deg, track.active) for track in tracks[0].tracks] == [("t1", 40.0, False), ("t2", 160.0, False)]
    assert [track.active for track in tracks[8].tracks] == [False, True]
    assert [track.active for track in tracks[-1].tracks] == [False, False]


def test_bearings_that_cannot_be() -> None:
    with pytest.raises(FixedBearingsError) as caught:
        FixedBearings(azimuths_deg=())
    assert str(caught.value) == "azimuths_deg must be one or more bearings from 0 up to (not including) 360, found []"
    with pytest.raises(FixedBearingsError) as caught:
        FixedBearings(azimuths_deg=(10.0, 360.0))
    assert str(caught.value) == "azimuths_deg must be one or more bearings from 0 up to (not including) 360, found [10.0, 360.0]"
    with pytest.raises(FixedBearingsError) as caught:
        _tracks(FixedBearings(azimuths_deg=(270.0,)), [[]], load_array("linear8"))
    assert str(caught.value) == "azimuths_deg has 270, but the array linear8 is a line: bearings from 0 to 180"
