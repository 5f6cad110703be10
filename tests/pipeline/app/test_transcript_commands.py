import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.app.command_line import Done

Echoic = Callable[..., Done]
CONFIG = ("--config", "configs/minimal.yaml")


@pytest.fixture
def memory(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    """A memory with the transcript in it."""
    assert echoic("import", transcript, "--memory", tmp_path / "m", "--started-at", "2026-11-22T19:00:00+01:00", *CONFIG).code == 0
    return tmp_path / "m"


def session_of(echoic: Echoic, memory: Path) -> str:
    return str(echoic("sessions", "--memory", memory, "--json").json[0]["id"])


def test_sessions_json(echoic: Echoic, memory: Path, transcript: Path) -> None:
    (row,) = echoic("sessions", "--memory", memory, "--json").json
    assert row.pop("id").startswith("talk-")
    assert row == {
        "source": str(transcript),
        "started_at": "2026-11-22T19:00:00+01:00",
        "duration_s": 8.0,
        "array": "none",
        "complete": True,
    }


def test_export_jsonl_keeps_what_was_imported(echoic: Echoic, memory: Path, transcript: Path) -> None:
    session = session_of(echoic, memory)
    done = echoic("export", session, "--memory", memory, "--format", "jsonl")
    rows = [json.loads(line) for line in done.out.splitlines()]
    keys = ["id", "session", "start_s", "end_s", "track", "azimuth_deg", "speaker", "text", "words", "event", "copy_of"]
    assert [list(row) for row in rows] == [keys] * 3
    given = [json.loads(line) for line in transcript.read_text().splitlines()]
    assert [{key: row[key] for key in given[0]} for row in rows] == given
    assert {row["session"] for row in rows} == {session}
    assert all(row["event"] for row in rows)
    assert {row["copy_of"] for row in rows} == {None}


def test_what_was_exported_can_be_imported(echoic: Echoic, memory: Path, tmp_path: Path) -> None:
    done = echoic("export", session_of(echoic, memory), "--memory", memory)
    (tmp_path / "copy.jsonl").write_text(done.out)
    assert echoic("import", tmp_path / "copy.jsonl", "--memory", tmp_path / "m2", *CONFIG).code == 0


def test_export_vtt_and_rttm(echoic: Echoic, memory: Path) -> None:
    session = session_of(echoic, memory)
    vtt = echoic("export", session, "--memory", memory, "--format", "vtt").out
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:03.000\n<v ann>The ferry leaves")
    rttm = echoic("export", session, "--memory", memory, "--format", "rttm").out
    assert rttm.splitlines()[0] == f"SPEAKER {session} 1 0.000 3.000 <NA> <NA> ann <NA> <NA>"


def test_export_of_tracks_and_of_an_unknown_format(echoic: Echoic, memory: Path) -> None:
    session = session_of(echoic, memory)
    done = echoic("export", session, "--memory", memory, "--format", "tracks")
    assert (done.code, done.out) == (0, ""), "an imported transcript has nobody who moves"
    done = echoic("export", session, "--memory", memory, "--format", "srt")
    assert (done.code, done.out) == (2, "")
    assert "--format srt: allowed are jsonl, vtt, rttm, tracks" in done.err


def test_events_json(echoic: Echoic, memory: Path) -> None:
    rows = echoic("events", "--memory", memory, "--json").json
    assert rows
    assert {tuple(row) for row in rows} == {("id", "session", "start_s", "end_s", "surprise", "reason", "tracks", "summary")}
    assert rows[0]["start_s"] == 0.0
    assert set(rows[0]["tracks"]) <= {"t1", "t2"}
    assert echoic("events", "--memory", memory, "--json", "--from", "+100").json == []
    assert echoic("events", "--memory", memory, "--json", "--to", "2026-11-22T19:00:01+01:00").json == rows[:1]


def test_tracks_json(echoic: Echoic, memory: Path) -> None:
    rows = echoic("tracks", "--memory", memory, "--json").json
    assert [(row["speaker"], row["azimuth_deg"], row["speech_s"], row["n_lines"]) for row in rows] == [
        ("ann", 20.0, 5.0, 2),
        ("bob", 120.0, 1.5, 1),
    ]


def test_tables_for_people(echoic: Echoic, memory: Path) -> None:
    assert "complete" in echoic("sessions", "--memory", memory).out
    assert "ann" in echoic("tracks", "--memory", memory).out
    assert "why it began" in echoic("events", "--memory", memory).out
    assert "(none)" in echoic("events", "--memory", memory, "--from", "+100").out


def test_importing_again_does_nothing(echoic: Echoic, memory: Path, transcript: Path) -> None:
    done = echoic("import", transcript, "--memory", memory)
    assert (done.code, done.out.strip()) == (0, session_of(echoic, memory))
    assert "is in the memory already" in done.err
    assert "keeps its start" not in done.err
    other = echoic("import", transcript, "--memory", memory, "--started-at", "2026-11-23T19:00:00+01:00")
    assert (other.code, other.out) == (0, done.out)
    assert "keeps its start, 2026-11-22T19:00:00+01:00; --started-at 2026-11-23T19:00:00+01:00 changes nothing" in other.err
    assert len(echoic("sessions", "--memory", memory, "--json").json) == 1


def test_started_at_defaults_to_the_files_time(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    from datetime import datetime

    assert echoic("import", transcript, "--memory", tmp_path / "m", *CONFIG).code == 0
    (row,) = echoic("sessions", "--memory", tmp_path / "m", "--json").json
    assert datetime.fromisoformat(row["started_at"]).timestamp() == pytest.approx(transcript.stat().st_mtime, abs=1e-3)


def test_an_unknown_session_is_guessed(echoic: Echoic, memory: Path) -> None:
    session = session_of(echoic, memory)
    for command in (["export", session[:-1]], ["events", "--session", session[:-1]], ["tracks", "--session", session[:-1]]):
        done = echoic(*command, "--memory", memory)
        assert (done.code, done.out) == (2, "")
        assert f"session {session[:-1]!r} is not in this memory; did you mean {session!r}?" in done.err


def test_a_transcript_that_cannot_be_read(echoic: Echoic, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"start_s": 0, "end_s": 1, "text": "fine"}\n{"start_s": 2, "end_s": 1, "text": "backwards"}\n')
    done = echoic("import", bad, "--memory", tmp_path / "m", *CONFIG)
    assert done.code == 2
    assert f"{bad}, line 2: end_s 1 is before start_s 2" in done.err
    assert not (tmp_path / "m").exists()
    assert echoic("import", tmp_path / "gone.vtt", "--memory", tmp_path / "m", *CONFIG).code == 2
    assert echoic("import", tmp_path / "talk.docx", "--memory", tmp_path / "m", *CONFIG).code == 2


def test_a_line_that_is_nested_too_deeply_is_told_as_what_it_is(echoic: Echoic, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("[" * 200_000)
    done = echoic("import", bad, "--memory", tmp_path / "m", *CONFIG)
    assert (done.code, done.out) == (2, "")
    assert f"{bad}, line 1: nested too deeply; each line is like" in done.err
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("talk.vtt", "WEBVTT\n\n00:01.000 --> 00:02.500\n<v Ann>The ferry leaves.\n"),
        ("talk.srt", "1\n00:00:01,000 --> 00:00:02,500\nThe ferry leaves.\n"),
    ],
)
def test_captions_are_imported_once(echoic: Echoic, tmp_path: Path, name: str, text: str) -> None:
    assert ".jsonl, .vtt or .srt" in " ".join(echoic("import", "--help").out.split())
    (tmp_path / name).write_text(text)
    first = echoic("import", tmp_path / name, "--memory", tmp_path / "m", *CONFIG)
    assert (first.code, f"{tmp_path / name}: 1 lines of 1, 1 events" in first.err) == (0, True)
    exported = echoic("export", first.out.strip(), "--memory", tmp_path / "m").out
    again = echoic("import", tmp_path / name, "--memory", tmp_path / "m")
    assert (again.code, again.out, "nothing to do" in again.err) == (0, first.out, True)
    assert echoic("export", first.out.strip(), "--memory", tmp_path / "m").out == exported
    assert len(echoic("sessions", "--memory", tmp_path / "m", "--json").json) == 1


def test_an_import_says_how_far_it_is(echoic: Echoic, transcript: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.app import console

    # Lines come every few seconds; a short transcript is over before the first of them.
    monkeypatch.setattr(console, "_PLAIN_EVERY_S", 0.0)
    done = echoic("import", transcript, "--memory", tmp_path / "m", *CONFIG)
    assert (done.code, f"importing {transcript.name}: 3 of 3 lines" in done.err.splitlines()) == (0, True)


@pytest.mark.broken_memory
def test_doctor_finds_a_memory_whole_or_broken(echoic: Echoic, memory: Path) -> None:
    done = echoic("doctor", "--memory", memory)
    assert (done.code, done.out.splitlines()[0]) == (0, f"memory      {memory}: whole")
    database = memory / "memory.sqlite"
    database.write_bytes(b"this is no database, and never was one" * 200)
    for leftover in memory.glob("memory.sqlite-*"):
        leftover.unlink()
    done = echoic("doctor", "--memory", memory)
    assert done.code == 1
    assert "damaged" in done.err
