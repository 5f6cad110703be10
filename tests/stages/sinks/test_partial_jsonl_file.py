"""What is written of somebody who still speaks: alone, and in a replay with the recogniser."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.app.cli import main
from pipeline.app.failures import exit_code
from pipeline.packets import NS_PER_S, PartialTranscript, Track
from pipeline.testing import run_stage
from stages.sinks.json_lines import JsonlFileError, JsonlPathError
from stages.sinks.partial_jsonl_file import PartialJsonlFile

README = Path("stages/speech/README.md")
FULL_DISK = Path("/dev/full")


def partial(text: str, stable_text: str, end_s: int) -> PartialTranscript:
    track = Track(name="t1", azimuth_deg=10.0)
    return PartialTranscript(pts_ns=NS_PER_S, duration_ns=(end_s - 1) * NS_PER_S, track=track, text=text, stable_text=stable_text)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_partial_transcript_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "captions.jsonl"
    run_stage(PartialJsonlFile(str(path)), {"partial": [partial("das grün", "", 2), partial("das grüne Haus", "das", 3)]})
    assert "grün" in path.read_text(encoding="utf-8")
    assert rows(path) == [
        {"start_s": 1.0, "end_s": 2.0, "track": "t1", "azimuth_deg": 10.0, "text": "das grün", "stable_text": ""},
        {"start_s": 1.0, "end_s": 3.0, "track": "t1", "azimuth_deg": 10.0, "text": "das grüne Haus", "stable_text": "das"},
    ]


def test_a_row_can_be_read_as_soon_as_it_is_written(tmp_path: Path) -> None:
    stage = PartialJsonlFile(str(tmp_path / "captions.jsonl"))
    stage.start()
    stage.on_partial(partial("hello", "", 2))
    assert [row["text"] for row in rows(tmp_path / "captions.jsonl")] == ["hello"]
    stage.start()
    assert rows(tmp_path / "captions.jsonl") == []
    stage.stop()
    assert stage.on_partial(partial("nobody reads this", "", 2)) == ()
    assert rows(tmp_path / "captions.jsonl") == []


def test_a_path_or_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(JsonlPathError) as caught:
        PartialJsonlFile(str(tmp_path)).start()
    assert str(caught.value) == f"{tmp_path}: cannot be written (Is a directory); give another path"
    assert exit_code(caught.value) == 2
    if not FULL_DISK.exists():
        pytest.skip("no disk that is always full")
    full = PartialJsonlFile(str(FULL_DISK))
    full.start()
    with pytest.raises(JsonlFileError, match=r"/dev/full: cannot be written .*; make room on the disk") as failed:
        full.on_partial(partial("hello", "", 2))
    assert exit_code(failed.value) == 1


def graph_of_the_readme(captions: Path) -> str:
    """The graph without weights, with the lines that the README of the speech stages gives for captions."""
    text = Path("configs/minimal.yaml").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```yaml\n(  utter: .*?\n)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "path: captions.jsonl" in lines
    text = text.replace("energy_vad.EnergyVad", "silero_vad.SileroVad").replace(
        "wordless.Wordless", "faster_whisper.FasterWhisper, n_threads: 1"
    )
    text, n_replaced = re.subn(r"(?m)^  utter: .*\n", lambda _: lines.replace("path: captions.jsonl", f"path: '{captions}'"), text)
    assert n_replaced == 1
    return text


@pytest.mark.usefixtures("weights")
def test_a_replay_writes_what_is_said_while_it_is_said(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    speech, rate_hz = soundfile.read(shared / "data/speech/jfk.flac", dtype="float32")
    clip = np.concatenate([np.zeros(rate_hz // 2, np.float32), speech[round(5.2 * rate_hz) :], np.zeros(rate_hz, np.float32)])
    soundfile.write(tmp_path / "room.flac", clip, rate_hz)
    captions, memory = tmp_path / "captions.jsonl", str(tmp_path / "m")
    (tmp_path / "graph.yaml").write_text(graph_of_the_readme(captions), encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["replay", str(tmp_path / "room.flac"), "--memory", memory, "--config", str(tmp_path / "graph.yaml"), "--no-copy"])
    assert (stopped.value.code or 0) == 0
    session = capsys.readouterr().out.strip()
    with pytest.raises(SystemExit):
        main(["export", session, "--memory", memory])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = rows(captions)
    assert len(found) >= 3
    assert found[0]["end_s"] <= 3.0, "while they speak"
    for earlier, later in pairwise(found):
        assert later["end_s"] > earlier["end_s"]
        if later["start_s"] == earlier["start_s"]:
            assert later["stable_text"].startswith(earlier["stable_text"])
            assert later["text"].startswith(later["stable_text"])
    assert any("country can do for you" in row["stable_text"] for row in found)
    for row in found:
        assert any(
            line["track"] == row["track"]
            and line["start_s"] < row["end_s"]
            and line["end_s"] > row["start_s"]
            and "country" in line["text"]
            for line in lines
        ), "the final line is on the same track, over the same time"
