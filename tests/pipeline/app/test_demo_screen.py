import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.app.demo_screen import arrow, dial, show, span


@pytest.mark.parametrize(("azimuth_deg", "mark"), [(0, "→"), (44, "↗"), (90, "↑"), (181, "←"), (271, "↓"), (350, "→")])
def test_the_arrow_points_where_the_bearing_does(azimuth_deg: float, mark: str) -> None:
    assert arrow(azimuth_deg) == mark


def test_the_dial_marks_the_bearing() -> None:
    assert dial(90, cells=12) == "┬──●──┬──┬──"
    assert dial(None, cells=12) == "┬──┬──┬──┬──"
    assert dial(359, cells=12)[0] == "●"


def test_a_span_lies_at_its_place() -> None:
    assert span(5, 10, 20, cells=8) == "··██····"
    assert span(19.9, 20, 20, cells=8) == "·······█"
    assert span(0, 0, 0, cells=4) == "█···"


def test_the_screen_shows_who_when_why_and_the_answers() -> None:
    out = io.StringIO()
    track: dict[str, Any] = {"id": "t1", "speaker": "speaker-1", "azimuth_deg": 31.0, "speech_s": 12.5, "n_lines": 4}
    silent = {**track, "id": "t9", "speaker": "speaker-9", "n_lines": 0}
    event = {
        "start_s": 3.0,
        "end_s": 9.0,
        "surprise": 1.25,
        "reason": "a new topic [ferry]",
        "tracks": ["t1"],
        "summary": "about the ferry",
    }
    evidence = {
        "session": "s",
        "start_s": 3.0,
        "end_s": 5.0,
        "azimuth_deg": 31.0,
        "speaker": "speaker-1",
        "text": "It leaves at nine.",
        "clip": "clips/x.flac",
        "utterance": "s-t1-00003000",
    }
    answer = {
        "question": "When does it leave?",
        "answer": "At nine.",
        "abstained": False,
        "claims": [{"text": "At nine.", "confidence": 0.9, "evidence": [evidence]}],
        "timing_ms": {"total": 12.3},
    }
    starts = {"s": datetime(2026, 11, 22, tzinfo=UTC)}
    show(Console(file=out, width=140), [track, silent], [event], 20.0, [answer], starts, Path("demo-memory"))
    text = out.getvalue()
    shown = (
        "speaker-1",
        "31° ↗",
        "12.5 s",
        "a new topic [ferry]",
        "When does it leave?",
        "“It leaves at nine.”",
        "demo-memory/clips/x.flac",
    )
    assert [piece for piece in shown if piece not in text] == []
    assert "speaker-9" not in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_cut_on_a_narrow_screen(width: int) -> None:
    out = io.StringIO()
    names = [f"speaker-{index}" for index in range(1, 5)]
    tracks: list[dict[str, Any]] = [
        {"id": f"t{index}", "speaker": name, "azimuth_deg": 88.0 * index, "speech_s": 80.0 * index + 3, "n_lines": 40 + index}
        for index, name in enumerate(names)
    ]
    event = {
        "start_s": 123.4,
        "end_s": 900.0,
        "surprise": 1.25,
        "reason": "a new topic [ferry] after seven seconds of silence",
        "tracks": ["t0", "t1", "t2", "t3"],
        "summary": "about the ferry and donaudampfschifffahrtsgesellschaftskapitaen",
    }
    question = "What did I miss while I was following the conversation about dogs and all of the other things?"
    answer = {"question": question, "answer": "The ferry.", "abstained": False, "claims": [], "timing_ms": {"total": 12.3}}
    show(Console(file=out, width=width), tracks, [event], 900.0, [answer], {}, Path("demo-memory"))
    text = out.getvalue()
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width
    whole = (*names, "88° ↑", "264° ↓", "3.0 s", "4:03", "43", "123.4 s", "speaker-4", "bearing", "spoke")
    assert [piece for piece in whole if piece not in text] == []
    assert "●" in text
