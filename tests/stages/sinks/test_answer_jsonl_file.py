"""Answers to spoken questions, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.packets import SpokenAnswer, SpokenQuestion, Track, nanoseconds
from stages.sinks.answer_jsonl_file import AnswerJsonlFile
from stages.sinks.json_lines import JsonlPathError


def test_each_answer_is_a_row_that_says_who_asked(tmp_path: Path) -> None:
    question = SpokenQuestion(pts_ns=nanoseconds(3.0), duration_ns=nanoseconds(1.5), track=Track(name="t2", azimuth_deg=40.0), text="Who?")
    path = tmp_path / "new" / "answers.jsonl"
    sink = AnswerJsonlFile(str(path))
    sink.start()
    for text in ("Ann.", "Nobody."):
        answer = {"question": "Who?", "answer": text}
        sink.on_answer(SpokenAnswer(pts_ns=question.pts_ns, duration_ns=question.duration_ns, question=question, answer=answer))
    asked = {"start_s": 3.0, "end_s": 4.5, "track": "t2", "azimuth_deg": 40.0}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == [{"question": "Who?", "answer": text, "asked": asked} for text in ("Ann.", "Nobody.")]
    sink.stop()
    sink.stop()


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JsonlPathError, match="cannot be written"):
        AnswerJsonlFile(str(tmp_path)).start()
