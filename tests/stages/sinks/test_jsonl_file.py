from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.testing import run_stage
from stages.sinks.json_lines import JsonlPathError
from stages.sinks.jsonl_file import JsonlFile
from tests.stages.memory.made import line


def test_lines_are_written_in_the_form_of_an_export(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lines.jsonl"
    lines = [line("the dog 犬 barks", 1.25, 0.5), line("the dog barks", 1.25, 0.5, track="t2", copy_of="t1")]
    run_stage(JsonlFile(str(path)), {"line": lines})
    (row,) = [json.loads(entry) for entry in path.read_text().splitlines()]
    assert row == {
        "id": "t1-00001250",
        "session": None,
        "start_s": 1.25,
        "end_s": 1.75,
        "track": "t1",
        "azimuth_deg": 10.0,
        "speaker": None,
        "text": "the dog 犬 barks",
        "words": [
            {"text": word, "start_s": 1.25 + 0.125 * place, "end_s": 1.375 + 0.125 * place}
            for place, word in enumerate(["the", "dog", "犬", "barks"])
        ],
        "event": None,
        "copy_of": None,
    }


def test_copies_are_written_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    run_stage(JsonlFile(str(path), copies=True), {"line": [line("a", 1, copy_of="t2")]})
    assert json.loads(path.read_text())["copy_of"] == "t2"


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    stage = JsonlFile(str(tmp_path))
    with pytest.raises(JsonlPathError) as caught:
        stage.start()
    assert str(caught.value) == f"{tmp_path}: cannot be written (Is a directory); give another path"
    stage.stop()
