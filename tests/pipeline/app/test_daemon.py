"""The live daemon: a file played through a real GStreamer source in real time, while other processes ask."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import soundfile

from pipeline.app.daemon_file import DaemonFile
from pipeline.session import SessionReader
from tests.pipeline.app.command_line import RATE_HZ, Done, Process, burst_starts_s, bursts, http, until

Echoic = Callable[..., Done]
Start = Callable[..., Process]


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """The graph without weights, with a GStreamer source that plays half a minute of bursts in real time."""
    soundfile.write(tmp_path / "room.wav", bursts(10), RATE_HZ, subtype="PCM_16")
    config = tmp_path / "live.yaml"
    source = f"use: stages.capture.gst_source.GstSource, pipeline: 'filesrc location={tmp_path}/room.wav ! wavparse', array: mono"
    text = Path("configs/minimal.yaml").read_text().replace("use: stages.capture.file_source.FileSource", source)
    assert "gst_source" in text
    config.write_text(text)
    return config


def url_of(memory: Path) -> str:
    """Where the daemon listens, once it does."""
    found = until(lambda: (memory / "daemon.json").is_file() and json.loads((memory / "daemon.json").read_text()))
    return str(found["url"])


def health(url: str) -> dict[str, Any]:
    status, body = http(f"{url}/healthz")
    assert status == (200 if body["status"] == "ok" else 503)
    return dict(body)


def heard(url: str, seconds: float) -> dict[str, Any]:
    """Wait until so much has been heard."""

    def there() -> dict[str, Any] | None:
        body = health(url)
        return body if body["heard_until_s"] >= seconds else None

    return dict(until(there))


def test_it_answers_while_it_hears_and_ends_with_everything_in_memory(echoic: Echoic, process: Start, live: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    run = process("run", live, "--memory", memory, "--port", 0)
    url = url_of(memory)
    state = heard(url, 5.0)
    assert state["pid"] == run.child.pid
    assert state["lag_s"] < 2.0
    assert all(state["stages"].values())
    began = datetime.fromisoformat(state["heard_until"]) - timedelta(seconds=state["heard_until_s"])
    assert abs(datetime.now().astimezone() - began).total_seconds() == pytest.approx(state["recorded_s"], abs=1.0)

    asked = process("ask", "What was said?", "--memory", memory, "--json").end()
    assert asked.code == 0, asked.err
    assert asked.json["claims"][0]["evidence"][0]["session"] == state["session"]
    assert http(f"{url}/ask", {"question": "What was said?"})[1]["claims"] == asked.json["claims"]

    status, metrics = http(f"{url}/metrics")
    assert status == 200
    assert 'echoic_packets_total{stage="remember"}' in metrics
    assert "echoic_lag_seconds" in metrics
    ram = dict(re.findall(r'echoic_store_bytes\{store="(sensory|short_term)"\} (\S+)', metrics))
    bounds = dict(re.findall(r'echoic_store_bound_bytes\{store="(sensory|short_term)"\} (\S+)', metrics))
    assert {name: float(n_bytes) for name, n_bytes in bounds.items()} == {"sensory": 30 * 16000 * 4, "short_term": 262144}
    assert all(0 < float(ram[name]) <= float(bounds[name]) for name in ("sensory", "short_term"))
    (session,) = http(f"{url}/sessions")[1]
    assert (session["id"], session["complete"], session["array"]) == (state["session"], False, "mono")
    assert http(f"{url}/tracks")[1][0]["speaker"] == "speaker-1"
    assert http(f"{url}/events?session={session['id']}")[0] == 200
    assert [http(f"{url}/{what}?at=%2B0")[1] for what in ("events", "tracks")] == [[], []]
    assert http(f"{url}/tracks?at=2199-01-01T00:00:00Z")[1][0]["speaker"] == "speaker-1"
    assert http(f"{url}/sessions?at=1999-01-01T00:00:00Z") == (200, [])
    assert http(f"{url}/sessions?at=yesterday")[0] == 400

    recorded_s = health(url)["recorded_s"]
    done = run.signal(signal.SIGTERM)
    assert (done.code, done.out) == (0, "")
    assert "Traceback" not in done.err
    assert not (memory / "daemon.json").exists()
    (row,) = echoic("sessions", "--memory", memory, "--json").json
    assert row["complete"]
    assert row["duration_s"] >= recorded_s
    lines = [json.loads(line) for line in echoic("export", session["id"], "--memory", memory).out.splitlines()]
    assert [line["start_s"] for line in lines] == pytest.approx(burst_starts_s(len(lines)), abs=0.2)
    assert len(lines) >= sum(start_s + 0.5 < recorded_s for start_s in burst_starts_s(10))
    assert echoic("doctor", "--memory", memory).code == 0
    replayed = echoic("replay", session["id"], "--memory", memory, "--again")
    assert replayed.code == 0, replayed.err
    again = [json.loads(line) for line in echoic("export", replayed.out.strip(), "--memory", memory).out.splitlines()]
    assert [(line["start_s"], line["end_s"], line["track"]) for line in again] == [
        (line["start_s"], line["end_s"], line["track"]) for line in lines
    ]


def test_the_api_refuses_what_it_cannot_serve(process: Start, live: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    run = process("run", live, "--memory", memory, "--port", 0)
    url = url_of(memory)
    heard(url, 0.1)
    question = {"question": "What was said?"}
    for body, told in [
        (b"{", "the body is not JSON"),
        ([], 'the body must be JSON such as {"question"'),
        ({"question": 5}, 'the body must be JSON such as {"question"'),
        ({"question": " "}, "ask in words"),
        ({**question, "at": 5}, '"at" and "session" must be text'),
        ({**question, "at": "noon"}, "at: found 'noon'; give a time as ISO 8601"),
        ({**question, "at": "0001-01-01T00:00:00"}, "the year must be from 1900 to 2199"),
        (b'{"question": "\\ud800"}', "half of a surrogate pair"),
        (b"[" * 60_000, "the body is nested too deeply"),
        ({**question, "at": "+1", "session": "x"}, "session 'x' is not in this memory"),
        ({**question, "top": 5}, "the body has top; allowed are question, at, session, raw, facing"),
        (b"x" * 70_000, "the body has 70000 bytes; at most 65536 are allowed"),
    ]:
        status, answer = http(f"{url}/ask", body)
        assert (status, told in answer["error"]) == (400, True), answer
    assert http(f"{url}/events?level=week") == (400, {"error": "level is 'week'; allowed are event, episode, day"})
    assert http(f"{url}/tracks?session=x")[0] == 400
    assert http(f"{url}/nothing")[0] == 404
    assert http(f"{url}/ask")[0] == 405
    assert http(f"{url}/sessions", headers={"Host": "attacker.example"})[0] == 400
    asked = process("ask", "What was said?", "--memory", memory, "--at", "noon").end()
    assert (asked.code, asked.out) == (2, "")
    assert "at: found 'noon'" in asked.err
    done = run.signal(signal.SIGINT)
    assert done.code == 0
    assert "Traceback" not in done.err


def test_a_memory_has_one_daemon(echoic: Echoic, process: Start, live: Path, mono_file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    run = process("run", live, "--memory", memory, "--port", 0)
    url = url_of(memory)
    for refused in (
        echoic("run", live, "--memory", memory, "--port", 0),
        echoic("replay", mono_file, "--memory", memory),
    ):
        assert (refused.code, refused.out) == (2, "")
        assert f"process {run.child.pid} is writing to it and a memory has one writer" in refused.err
    port = url.rpartition(":")[2]
    taken = echoic("run", live, "--memory", tmp_path / "other", "--port", port)
    assert (taken.code, taken.out) == (2, "")
    assert f"--port {port}: cannot listen on 127.0.0.1:{port} (Address already in use); give another with --port, or 0 for any" in taken.err
    assert health(url)["pid"] == run.child.pid
    assert echoic("doctor", "--memory", memory).code == 0
    assert run.signal(signal.SIGINT).code == 0


def test_killed_in_the_middle_it_loses_no_memory_and_at_most_a_second_of_sound(
    echoic: Echoic, process: Start, live: Path, tmp_path: Path
) -> None:
    memory = tmp_path / "m"
    run = process("run", live, "--memory", memory, "--port", 0)
    url = url_of(memory)
    state = heard(url, 8.0)
    killed_at = time.time()
    run.signal(signal.SIGKILL)
    session = state["session"]
    with SessionReader(memory / "sessions" / session) as reader:
        began = reader.info.started_at.timestamp()
        assert killed_at - began - reader.duration_ns / 1e9 < 1.0
        recorded_s = reader.duration_ns / 1e9
    stored = echoic("export", session, "--memory", memory).out.splitlines()
    assert len(stored) >= 2
    asked = echoic("ask", "What was said?", "--memory", memory, "--json")
    assert asked.code == 0
    assert not asked.json["abstained"]

    again = process("run", live, "--memory", memory, "--port", 0)
    until(lambda: (memory / "daemon.json").is_file() and json.loads((memory / "daemon.json").read_text())["pid"] == again.child.pid)
    heard(url_of(memory), 1.0)
    done = again.signal(signal.SIGINT)
    assert done.code == 0, done.err
    assert f"session {session} was cut short at {recorded_s:.1f} s; hearing it from " in done.err
    first, second = echoic("sessions", "--memory", memory, "--json").json
    assert (first["id"], first["complete"], first["duration_s"]) == (session, True, pytest.approx(recorded_s, abs=0.001))
    assert second["complete"]
    lines = echoic("export", session, "--memory", memory).out.splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert [json.loads(line)["id"] for line in stored] == ids[: len(stored)]
    starts = [json.loads(line)["start_s"] for line in lines]
    assert starts == pytest.approx(burst_starts_s(len(starts)), abs=0.2)
    assert len(starts) >= sum(start_s + 0.5 < recorded_s for start_s in burst_starts_s(10))
    assert echoic("doctor", "--memory", memory).code == 0


def test_a_source_that_ends_ends_the_daemon_in_order(echoic: Echoic, process: Start, live: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "room.wav", bursts(2), RATE_HZ, subtype="PCM_16")
    done = process("run", live, "--memory", tmp_path / "m", "--port", 0).end()
    assert done.code == 0, done.err
    assert "6.0 s heard, all of it in the memory" in done.err
    (row,) = echoic("sessions", "--memory", tmp_path / "m", "--json").json
    assert (row["complete"], row["duration_s"]) == (True, 6.0)


def test_a_source_that_dies_in_the_middle(echoic: Echoic, process: Start, live: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    text = live.read_text()
    live.write_text(text.replace("wavparse'", "wavparse ! identity sleep-time=50000 error-after=40'"))
    done = process("run", live, "--memory", memory, "--port", 0).end()
    assert (done.code, done.out) == (1, "")
    assert "stage 'room' failed" in done.err
    assert "Traceback" not in done.err
    assert not (memory / "daemon.json").exists()
    (row,) = echoic("sessions", "--memory", memory, "--json").json
    assert not row["complete"]
    with SessionReader(memory / "sessions" / row["id"]) as reader:
        recorded_s = reader.duration_ns / 1e9
    assert recorded_s > 4.0
    assert echoic("doctor", "--memory", memory).code == 0
    soundfile.write(tmp_path / "room.wav", bursts(1), RATE_HZ, subtype="PCM_16")
    live.write_text(text)
    again = process("run", live, "--memory", memory, "--port", 0).end()
    assert again.code == 0, again.err
    assert f"session {row['id']} was cut short at {recorded_s:.1f} s" in again.err
    first, second = echoic("sessions", "--memory", memory, "--json").json
    assert (first["complete"], second["complete"]) == (True, True)
    lines = echoic("export", row["id"], "--memory", memory).out.splitlines()
    assert len(lines) == sum(start_s + 1.0 < recorded_s for start_s in burst_starts_s(10))


@pytest.mark.broken_memory
def test_a_recording_that_cannot_be_recovered_does_not_stop_the_daemon(echoic: Echoic, process: Start, live: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    run = process("run", live, "--memory", memory, "--port", 0)
    session = heard(url_of(memory), 1.0)["session"]
    run.signal(signal.SIGKILL)
    (audio,) = (memory / "sessions" / session / "audio").iterdir()
    audio.unlink()
    audio.mkdir()
    soundfile.write(tmp_path / "room.wav", bursts(1), RATE_HZ, subtype="PCM_16")
    done = process("run", live, "--memory", memory, "--port", 0).end()
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    rows = echoic("sessions", "--memory", memory, "--json").json
    assert rows[-1]["complete"]
    assert rows[-1]["id"] != session


def test_a_source_that_cannot_be_opened(echoic: Echoic, live: Path, tmp_path: Path) -> None:
    live.write_text(live.read_text().replace("filesrc location=", "filesrcx location="))
    done = echoic("run", live, "--memory", tmp_path / "m", "--port", 0)
    assert done.code == 2, done.err
    assert "filesrcx" in done.err
    assert "Traceback" not in done.err
    assert echoic("sessions", "--memory", tmp_path / "m", "--json").json == []
    assert not list((tmp_path / "m" / "sessions").iterdir())


def test_a_source_that_opens_nothing_leaves_no_session(echoic: Echoic, live: Path, tmp_path: Path) -> None:
    (tmp_path / "room.wav").unlink()
    done = echoic("run", live, "--memory", tmp_path / "m", "--port", 0)
    assert (done.code, done.out) == (2, ""), done.err
    assert "room.wav" in done.err
    assert "goes on from where the memory stands" not in done.err
    assert echoic("sessions", "--memory", tmp_path / "m", "--json").json == []
    assert not list((tmp_path / "m" / "sessions").iterdir())
    assert echoic("doctor", "--memory", tmp_path / "m").code == 0


def test_a_graph_without_recording_is_refused(echoic: Echoic, live: Path, tmp_path: Path) -> None:
    lines = [line for line in live.read_text().replace(", recording: recording", "").splitlines() if "recording:" not in line]
    live.write_text("\n".join(lines))
    done = echoic("run", live, "--memory", tmp_path / "m")
    assert (done.code, done.out) == (2, "")
    assert "a live graph needs one source of sound, and under resources: recording:" in done.err
    assert not (tmp_path / "m").exists()


def test_a_file_that_a_dead_daemon_left_counts_for_nothing(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    from pipeline.app.daemon_file import running_daemon
    from pipeline.app.memory_directory import MemoryDirectory

    memory = MemoryDirectory(tmp_path / "m")
    assert echoic("import", transcript, "--memory", memory.path, "--config", "configs/minimal.yaml").code == 0
    for pid in (2**22 + 5, os.getpid()):
        DaemonFile(pid, "http://127.0.0.1:9").write(memory)
        assert running_daemon(memory) is None
        assert echoic("ask", "When does the ferry leave?", "--memory", memory.path).code == 0
    memory.daemon_file.write_text("{")
    assert running_daemon(memory) is None
