from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pipeline.packets import NS_PER_S, Event, Line, SoundEvent, seconds
from pipeline.stage import Stage
from pipeline.testing import run_stage
from stages.events.change_point import ChangePoint
from stages.events.event_stream import summary_of
from stages.events.fixed_window import FixedWindow
from stages.events.silence_gap import SilenceGap
from stages.events.surprise import Surprise
from stages.events.surprise_with_sounds import SurpriseWithSounds
from stages.events.talk_profile import TalkKind
from stages.events.text_tiling import TextTiling
from stages.memory.minilm_onnx import MinilmOnnx
from tests.stages.events.talks import CONCERT, DOGS, FERRY, by_end, conversation
from tests.stages.memory.made import line

ROOM = by_end(conversation(DOGS, 0.5), conversation(FERRY, 1.2, turn_s=4.3))


def events(stage: Stage, lines: list[Line] = ROOM) -> list[Event]:
    return [packet for packet in run_stage(stage, {"line": lines})["events"] if isinstance(packet, Event)]


@pytest.mark.parametrize("make", [Surprise, SilenceGap, FixedWindow, TextTiling, ChangePoint])
def test_every_line_has_one_event_and_events_leave_in_order(make: type[Stage]) -> None:
    found = events(make())
    assert sorted(key for event in found for key in event.lines) == sorted(said.transcript.key for said in ROOM)
    assert all(before.end_ns <= after.end_ns for before, after in pairwise(found))
    spans = {said.transcript.key: said for said in ROOM}
    for event in found:
        assert event.name == f"event-{event.lines[0]}"
        assert event.pts_ns == min(spans[key].pts_ns for key in event.lines)
        assert event.extra["end_ns"] == max(spans[key].end_ns for key in event.lines) <= event.end_ns
        assert event.tracks == tuple(sorted({key.rsplit("-", 1)[0] for key in event.lines}))
        assert np.linalg.norm(event.embedding) == pytest.approx(1.0, abs=1e-5)
        assert all(part in " ".join(spans[key].transcript.text for key in event.lines) for part in event.summary.split(" … "))
    again = events(make())
    assert [(event.name, event.lines, event.end_ns, event.reason, event.summary) for event in again] == [
        (event.name, event.lines, event.end_ns, event.reason, event.summary) for event in found
    ]


def test_two_conversations_at_once_are_two_streams_of_events() -> None:
    found = events(Surprise())
    assert {event.tracks for event in found} == {("anna", "ben"), ("clara", "david")}
    assert [event.reason for event in found if event.pts_ns == NS_PER_S // 2] == ["the session begins"]
    assert [event.reason for event in found if event.pts_ns == round(1.2 * NS_PER_S)] == ["another conversation begins"]


def test_a_change_of_topic_ends_an_event() -> None:
    talk = []
    for place, said in enumerate(conversation([*DOGS[:8], *DOGS[:8]], 0.5)):
        vector = np.zeros(384, dtype=np.float32)
        vector[[0 if place < 8 else 1, 2 + place % 3]] = 0.8, 0.6
        talk.append(replace(said, embedding=vector))
    found = events(Surprise(), talk)
    assert [len(event.lines) for event in found] == [8, 8]
    assert found[1].reason.startswith("topic changed: surprise ")
    assert found[1].surprise > 4.0
    for stage, word in ((TextTiling(), "depth"), (ChangePoint(kappa=100.0), "change point with probability")):
        found = events(stage, talk)
        assert [len(event.lines) for event in found] == [8, 8]
        assert found[1].reason.startswith(f"topic changed: {word} ")


def test_a_sound_can_be_why_an_event_begins() -> None:
    talk = conversation([*DOGS, *DOGS, *DOGS], 0.5)
    rung = SoundEvent(
        pts_ns=talk[19].end_ns - NS_PER_S,
        duration_ns=NS_PER_S // 2,
        label="Doorbell",
        score=0.9,
        azimuth_deg=None,
        elevation_deg=None,
        embedding=np.zeros(1024, dtype=np.float32),
    )
    found = run_stage(SurpriseWithSounds(gamma=0.5), {"line": talk, "sound": [rung]})["events"]
    reasons = [event.reason for event in found if isinstance(event, Event)]
    assert any(reason.startswith("sound: Doorbell: ") for reason in reasons), reasons
    quiet = run_stage(SurpriseWithSounds(gamma=0.5), {"line": talk, "sound": []})["events"]
    assert not any(event.reason.startswith("sound") for event in quiet if isinstance(event, Event))


def test_a_setting_that_is_not_given_is_that_of_the_talk() -> None:
    talk = conversation([*DOGS, *FERRY, *DOGS, *FERRY], 0.5)
    kinds: tuple[TalkKind, ...] = ("chat", "conversation", "meeting")
    assert [len(events(Surprise(talk=kind, apart=False), talk)) for kind in kinds] == sorted(
        [len(events(Surprise(talk=kind, apart=False), talk)) for kind in kinds], reverse=True
    )
    with pytest.raises(ValueError, match="n_moves must be at least 0 and below n_around"):
        Surprise(talk="meeting", n_around=2)
    with pytest.raises(ValueError, match="n_block, n_climb, min_lines and n_recent must be at least 1"):
        TextTiling(n_block=0)
    with pytest.raises(ValueError, match="kappa must be above 0"):
        ChangePoint(kappa=-1.0)


@pytest.mark.usefixtures("weights")
def test_topics_of_one_conversation_are_told_apart_beside_another_conversation() -> None:
    encoder = MinilmOnnx()
    encoder.start()
    room = by_end(conversation(DOGS, 0.5), conversation(CONCERT, 1.2, turn_s=4.3))
    heard = [replace(said, embedding=encoder.encode([said.transcript.text])[0].copy()) for said in room]
    places = {said.transcript.key: place for place, said in enumerate(conversation(CONCERT, 1.2, turn_s=4.3))}
    found = [event for event in events(Surprise(), heard) if event.tracks == ("clara", "david")]
    # The ferry, the food and the heating, to a line.
    begins = [places[event.lines[0]] for event in found]
    assert len(begins) == 3
    assert np.abs(np.array(begins) - [0, 6, 10]).max() <= 1
    assert all(event.reason.startswith("topic changed") for event in found[1:])


def test_silence_ends_an_event_and_the_next_says_how_long() -> None:
    talk = conversation(DOGS[:4], 0.0) + conversation(DOGS[4:], 21.3 + 4.1)
    found = events(SilenceGap(silence_s=4.0), talk)
    assert [len(event.lines) for event in found] == [4, 6]
    assert [event.reason for event in found] == ["the session begins", "silence of 8.2 s"]


def test_silence_is_told_without_waiting_for_the_next_line() -> None:
    stage = SilenceGap(silence_s=5.0)
    assert list(stage.on_line(DOGS_ALONE[0])) == []
    end_ns = DOGS_ALONE[0].end_ns
    assert list(stage.on_passed(end_ns + 34 * NS_PER_S)) == []
    (emit,) = stage.on_passed(end_ns + 36 * NS_PER_S)
    assert emit.packet.end_ns == end_ns + 35 * NS_PER_S
    assert list(stage.flush()) == []


DOGS_ALONE = conversation(DOGS, 0.0)


def test_an_event_grows_to_its_bound_only() -> None:
    talk = [line("the same dog again and again", second * 2.0, 1.9) for second in range(60)]
    stages = (
        SilenceGap(max_s=30.0),
        Surprise(max_s=30.0, gamma=50.0),
        TextTiling(max_s=30.0, gamma=50.0),
        ChangePoint(max_s=30.0, least_probability=0.99),
    )
    for stage in stages:
        found = events(stage, talk)
        assert all(seconds(event.extra["end_ns"] - event.pts_ns) <= 32.0 for event in found)
        assert len(found) == 4
        assert found[1].reason == "the event before grew too long"


def test_windows_are_of_one_length() -> None:
    found = events(FixedWindow(window_s=10.0))
    assert [event.end_ns // NS_PER_S for event in found[:-1]] == [10, 20, 30, 40]
    assert found[1].reason == "a new window of 10 s"


def test_copies_belong_to_no_event() -> None:
    leaked = line(DOGS[0][1], 0.5, 4.0, track="clara", copy_of="anna")
    assert [event.lines for event in events(Surprise(), by_end(ROOM, [leaked]))] == [event.lines for event in events(Surprise())]


def test_a_summary_is_made_of_the_speakers_words() -> None:
    texts = ["one one", "two  two", "three", "four", "five"]
    assert summary_of(texts, np.array([0.1, 0.9, 0.2, 0.1, 0.8])) == "two two … five"
    assert summary_of(texts[:2], np.array([0.1, 0.9])) == "two two"
    long = summary_of(["word " * 100], np.array([1.0]))
    assert len(long) <= 240
    assert long.endswith("word …")


def test_the_whole_room_may_be_one_conversation() -> None:
    found = events(Surprise(apart=False, gamma=50.0))
    assert [event.tracks for event in found] == [("anna", "ben", "clara", "david")]
