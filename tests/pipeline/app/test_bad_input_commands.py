"""Hostile text through import, ask, search and export: it is text everywhere, and no terminal obeys it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pipeline.app.conftest import Echoic
from tests.stages.memory.test_bad_input import HOSTILE, SCRIPTS

CONFIG = ("--config", "configs/minimal.yaml")
# What a terminal would obey, or what would begin a new line of its own.
OBEYED = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x2029)]


def spoken(path: Path, text: str) -> Path:
    rows = [
        {"start_s": 0.0, "end_s": 3.0, "speaker": "ann", "text": "The ferry leaves on Saturday at half past nine."},
        {"start_s": 3.5, "end_s": 5.0, "speaker": text[:40], "text": text, "words": [{"text": text, "start_s": 3.5, "end_s": 5.0}]},
        {"start_s": 6.0, "end_s": 8.0, "speaker": "ann", "text": "My dog will come along on the ferry."},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["sql", "fts", "control", "script 4"])
def test_hostile_text_goes_in_and_comes_out_as_text(echoic: Echoic, tmp_path: Path, name: str) -> None:
    text = HOSTILE[name] if name in HOSTILE else SCRIPTS[int(name[-1])]
    memory = tmp_path / "m"
    done = echoic("import", spoken(tmp_path / "talk.jsonl", text), "--memory", memory, *CONFIG)
    assert done.code == 0, done.err
    session = echoic("sessions", "--memory", memory, "--json").json[0]["id"]
    exported = [json.loads(row) for row in echoic("export", session, "--memory", memory, "--format", "jsonl").out.splitlines()]
    kept = [row["text"] for row in exported]
    assert text.strip() in kept or not text.strip()
    asked = text[:2000].strip()
    found = echoic("ask", asked, "--memory", memory, "--json")
    assert found.code == (0 if any(character.isalnum() for character in asked) else 2), found.err
    shown = [
        echoic("ask", "What did I miss?", "--memory", memory),
        echoic("ask", "Who said something about the ferry?", "--memory", memory),
        echoic("events", "--memory", memory),
        echoic("speakers", "--memory", memory),
        echoic("export", session, "--memory", memory, "--format", "vtt"),
        echoic("export", session, "--memory", memory, "--format", "rttm"),
        echoic("speakers", "--memory", memory, "--json"),
    ]
    for done in shown:
        assert done.code == 0, done.err
        assert not [character for character in OBEYED if character in done.out + done.err]
    # What was exported comes back the same, in either form.
    for form in ("jsonl", "vtt"):
        path = tmp_path / f"again.{form}"
        path.write_text(echoic("export", session, "--memory", memory, "--format", form).out, encoding="utf-8")
        again = tmp_path / f"again-{form}"
        assert echoic("import", path, "--memory", again, *CONFIG).code == 0
        other = echoic("sessions", "--memory", again, "--json").json[0]["id"]
        rows = [json.loads(row) for row in echoic("export", other, "--memory", again, "--format", "jsonl").out.splitlines()]
        assert len(rows) == len(exported)
        if form == "jsonl":
            assert [row["text"] for row in rows] == kept
    assert echoic("doctor", "--memory", memory).code == 0


def test_half_a_character_and_times_beyond_all_clocks_are_told_with_their_line(echoic: Echoic, tmp_path: Path) -> None:
    path = tmp_path / "talk.jsonl"
    for row, told in (
        ('{"start_s": 0, "end_s": 1, "text": "a\\ud800b"}', "line 1: text or speaker has half a surrogate pair"),
        ('{"start_s": 0, "end_s": 1e12, "text": "a"}', "line 1: end_s must be at most 1000000000 seconds (31 years); found"),
    ):
        path.write_text(row)
        done = echoic("import", path, "--memory", tmp_path / "m", *CONFIG)
        assert (done.code, (tmp_path / "m").exists()) == (2, False)
        assert told in done.err
    caption = tmp_path / "talk.vtt"
    caption.write_text("WEBVTT\n\n99999999:00:00.000 --> 99999999:00:01.000\nx\n")
    done = echoic("import", caption, "--memory", tmp_path / "m", *CONFIG)
    assert (done.code, "is more than 31 years after the beginning" in done.err) == (2, True)


@pytest.mark.usefixtures("weights")
def test_another_encoder_is_refused_with_the_way_out(echoic: Echoic, tmp_path: Path) -> None:
    path = spoken(tmp_path / "talk.jsonl", "x")
    memory = tmp_path / "m"
    assert echoic("import", path, "--memory", memory, *CONFIG).code == 0
    for command in (("import", path), ("ask", "What about the ferry?")):
        done = echoic(*command, "--memory", memory, "--config", "configs/replay.yaml")
        assert done.code == 2
        assert f"echoic reindex --memory {memory} --config CONFIG" in done.err
