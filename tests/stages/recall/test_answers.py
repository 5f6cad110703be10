from __future__ import annotations

import json

import pytest

from stages.memory.rows import GapRow
from stages.recall.answers import Answer, Claim, Evidence, Stretch, mean_azimuth
from tests.stages.recall.line_rows import line_row


def test_the_json_of_an_answer_has_the_documented_shape() -> None:
    line = line_row("The bus leaves soon", 12.4, azimuth_deg=209.96)
    answer = Answer(
        question="When does the bus leave?",
        intent="when",
        abstained=False,
        text="At 0:12 ...",
        claims=(Claim("At 0:12 ...", 0.93456, (Evidence.of(line),)),),
        retrieved=(line.id,),
        gaps=(GapRow("s", 10**9, 2 * 10**9, "overrun"),),
        timing_ms={"parse": 1.04, "retrieve": 4.0, "answer": 2.0, "total": 7.04},
    )
    assert json.loads(json.dumps(answer.to_json())) == {
        "question": "When does the bus leave?",
        "intent": "when",
        "abstained": False,
        "answer": "At 0:12 ...",
        "claims": [
            {
                "text": "At 0:12 ...",
                "confidence": 0.935,
                "evidence": [
                    {
                        "utterance": "s-t1-00012400",
                        "session": "s",
                        "start_s": 12.4,
                        "end_s": 14.0,
                        "azimuth_deg": 210.0,
                        "speaker": "speaker-1",
                        "text": "The bus leaves soon",
                        "clip": None,
                    }
                ],
            }
        ],
        "attended": [],
        "missed": [],
        "retrieved": ["s-t1-00012400"],
        "gaps": [{"session": "s", "start_s": 1.0, "end_s": 2.0, "reason": "overrun"}],
        "timing_ms": {"parse": 1.0, "retrieve": 4.0, "answer": 2.0, "total": 7.0},
    }


def test_at_most_fifty_lines_are_listed() -> None:
    answer = Answer("q", "what", True, "no", retrieved=tuple(str(n) for n in range(80)))
    assert answer.to_json()["retrieved"] == [str(n) for n in range(50)]


def test_a_stretch_tells_the_bearing_of_the_one_who_spoke_most() -> None:
    lines = (
        line_row("Short one", 0.0, track="t2", azimuth_deg=359.98),
        line_row("This is a much longer line", 1.0, track="t1", azimuth_deg=90.0),
        line_row("No bearing here", 4.0, track="t3", azimuth_deg=None),
    )
    stretch = Stretch("s", 0, lines[-1].end_ns, "s-e1", "a talk", lines)
    assert stretch.tracks == ("t1", "t3", "t2")
    shown = stretch.to_json()
    assert shown["azimuth_deg"] == 90.0
    assert shown["azimuths_deg"] == [90.0, None, 0.0]
    assert shown["end_s"] == 5.2


def test_a_mean_bearing_goes_around_the_circle_and_counts_duration() -> None:
    around = [line_row("one two", 0.0, azimuth_deg=350.0), line_row("one two", 1.0, azimuth_deg=10.0)]
    assert mean_azimuth(around) == pytest.approx(0.0, abs=1e-6) or mean_azimuth(around) == pytest.approx(360.0, abs=1e-6)
    longer = [line_row("one two three", 0.0, azimuth_deg=80.0), line_row("one", 2.0, azimuth_deg=100.0)]
    assert mean_azimuth(longer) == pytest.approx(84.9, abs=0.1)
    assert mean_azimuth([line_row("one", azimuth_deg=None)]) is None
    assert mean_azimuth([]) is None
