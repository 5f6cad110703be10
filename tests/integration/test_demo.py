"""The demo's room, heard and asked as users do it, against what was really said there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jiwer
import pytest
import soundfile

from tests.integration.conftest import asked, echoic, exported

WHERE_DEG = 15.0
WHEN_S = 2.0
MISSED = "What did I miss while I was following the conversation about dogs?"


def apart_deg(a: float, b: float) -> float:
    return abs((a - b + 180.0) % 360.0 - 180.0)


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9' ]+", " ", text.lower()).split())


def spoken(evidence: dict[str, Any], truth: list[dict[str, Any]]) -> dict[str, Any]:
    """The true line that a piece of evidence shows: right about what, where and when, or the test fails."""
    best: tuple[float, dict[str, Any] | None] = (1.0, None)
    for row in truth:
        inside = [
            word["text"]
            for word in row["words"]
            if evidence["start_s"] - WHEN_S <= word["start_s"] and word["end_s"] <= evidence["end_s"] + WHEN_S
        ]
        if inside and apart_deg(row["azimuth_deg"], evidence["azimuth_deg"]) <= WHERE_DEG:
            best = min(best, (jiwer.wer(plain(" ".join(inside)), plain(evidence["text"])), row), key=lambda pair: pair[0])
    wrong, line = best
    assert line is not None
    assert wrong <= 0.4, f"nobody said {evidence['text']!r} at {evidence['azimuth_deg']} degrees, {evidence['start_s']} s"
    return line


def test_every_talker_is_one_track_at_the_right_bearing(demo_memory: Path, demo_truth: list[dict[str, Any]]) -> None:
    tracks = json.loads(echoic("tracks", "--memory", demo_memory, "--json"))
    bearings = sorted({row["azimuth_deg"] for row in demo_truth})
    assert len(tracks) == len(bearings)
    for bearing, track in zip(bearings, sorted(tracks, key=lambda row: float(row["azimuth_deg"])), strict=True):
        assert apart_deg(bearing, track["azimuth_deg"]) <= WHERE_DEG


def test_two_conversations_at_once_are_transcribed(demo_memory: Path, demo_truth: list[dict[str, Any]]) -> None:
    lines = exported(demo_memory)
    for bearing in {row["azimuth_deg"] for row in demo_truth}:
        said = " ".join(row["text"] for row in demo_truth if row["azimuth_deg"] == bearing)
        heard = " ".join(row["text"] for row in lines if apart_deg(row["azimuth_deg"], bearing) <= WHERE_DEG)
        assert jiwer.wer(plain(said), plain(heard)) <= 0.15, bearing


def test_words_lie_inside_their_lines_on_the_session_clock(demo_memory: Path, demo_truth: list[dict[str, Any]]) -> None:
    end_s = max(row["end_s"] for row in demo_truth)
    for row in exported(demo_memory):
        assert 0.0 <= row["start_s"] <= row["words"][0]["start_s"]
        assert row["words"][-1]["end_s"] <= row["end_s"] <= end_s + WHEN_S
        assert [word["start_s"] for word in row["words"]] == sorted(word["start_s"] for word in row["words"])


def test_what_was_missed_is_the_other_conversation(demo_memory: Path, demo_truth: list[dict[str, Any]]) -> None:
    answer = asked(MISSED, demo_memory)
    assert answer["intent"] == "missed"
    assert not answer["abstained"]
    shown = [spoken(evidence, demo_truth) for claim in answer["claims"] for evidence in claim["evidence"]]
    assert {row["azimuth_deg"] for row in shown} == {200.0, 280.0}
    words = " ".join(row["text"] for row in shown).lower()
    for fact in ("ferry", "concert", "heating"):
        assert fact in words + answer["answer"].lower()
    dogs = [span for span in answer["attended"] if span["azimuth_deg"] is not None]
    assert dogs
    assert all(min(apart_deg(bearing, span["azimuth_deg"]) for bearing in (30.0, 100.0)) <= 40.0 for span in dogs)


@pytest.mark.parametrize(
    ("question", "fact", "bearing"),
    [
        ("When and where did somebody talk about the ferry?", "ferry", 200.0),
        ("When will the plumber come?", "thursday", 280.0),
        ("How much will the repair cost?", "300", 280.0),
        ("Where is the key?", "blue box", 280.0),
        ("Who loves his red ball?", "red ball", 100.0),
    ],
)
def test_when_and_where(question: str, fact: str, bearing: float, demo_memory: Path, demo_truth: list[dict[str, Any]]) -> None:
    answer = asked(question, demo_memory)
    first = answer["claims"][0]["evidence"][0]
    assert fact in first["text"].lower().replace("three hundred", "300")
    assert apart_deg(first["azimuth_deg"], bearing) <= WHERE_DEG
    assert spoken(first, demo_truth)["azimuth_deg"] == bearing


@pytest.mark.parametrize(
    "question", ["What did they say about the volcano?", "When does the train to Madrid leave?", "Who won the football match?"]
)
def test_what_nobody_said_is_declined(question: str, demo_memory: Path) -> None:
    answer = asked(question, demo_memory)
    assert answer["abstained"]
    assert answer["claims"] == []
    assert len(answer["retrieved"]) > 0
    assert "nearest thing heard" in answer["answer"]


def test_every_quote_has_a_clip_that_any_tool_can_play(demo_memory: Path) -> None:
    for claim in asked(MISSED, demo_memory)["claims"]:
        for evidence in claim["evidence"]:
            samples, rate = soundfile.read(demo_memory / evidence["clip"])
            assert len(samples) / rate == pytest.approx(evidence["end_s"] - evidence["start_s"], abs=0.5)
            assert samples.std() > 1e-3


def test_as_of_a_moment_nothing_later_is_known(demo_memory: Path) -> None:
    assert asked("When will the plumber come?", demo_memory, "--at", "+30")["abstained"]
    early = asked(MISSED, demo_memory, "--at", "+20")
    assert all(evidence["end_s"] <= 20.0 for claim in early["claims"] for evidence in claim["evidence"])


def test_a_spoken_question_is_the_same_question(demo_memory: Path) -> None:
    from tests.integration.conftest import DEMO

    answer = json.loads(echoic("ask", "--voice", DEMO / "question.flac", "--memory", demo_memory, "--json"))
    assert plain(answer["question"]) == plain(MISSED)
    assert answer["claims"] == asked(MISSED, demo_memory)["claims"]


def test_the_memory_is_whole(demo_memory: Path) -> None:
    assert echoic("doctor", "--memory", demo_memory)
    (session,) = json.loads(echoic("sessions", "--memory", demo_memory, "--json"))
    assert session["complete"]
    assert session["array"] == "uma8"
