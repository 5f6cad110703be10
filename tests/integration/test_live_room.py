"""The whole graph as people meet it: the demo's screen, a microphone, Ctrl-C, and the room live through GStreamer."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from pipeline.app.demo import QUESTIONS
from tests.pipeline.app.command_line import ROOT, Process, until

ROOM = ROOT / "tools" / "demo"


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def test_the_demo_shows_who_where_when_and_why_and_hears_the_room_afresh_each_time(tmp_path: Path, weights: Path) -> None:
    assert weights.is_dir()
    for _ in range(2):
        begin = time.monotonic()
        done = Process("demo", "--memory", tmp_path / "demo").end(timeout_s=120)
        assert done.code == 0, done.err
        assert time.monotonic() - begin < 90.0
        assert "replaying room.flac" in done.err
        shown = [*QUESTIONS, "speaker-1", "speaker-4", "the session begins", "another conversation", "play "]
        assert [piece for piece in shown if piece not in done.out] == []
        # The reason is wrapped within its column.
        assert "topic changed: surprise" in done.out
        assert re.search(r"\b[1-9]\d*\.\d\d nats, log odds", done.out)
    assert len(Process("sessions", "--memory", tmp_path / "demo", "--json").end().json) == 1
    events = Process("events", "--memory", tmp_path / "demo", "--json").end().json
    changed = [row for row in events if row["reason"].startswith("topic changed: ")]
    assert len(changed) >= 2
    assert all(row["surprise"] > 0.0 and f"surprise {row['surprise']:.2f} nats" in row["reason"] for row in changed)


def test_a_question_spoken_into_a_microphone(demo_memory: Path) -> None:
    microphone = f"filesrc location={ROOM / 'question.flac'} ! flacparse ! flacdec"
    done = Process("ask", "--voice", "mic", "--mic", microphone, "--memory", demo_memory, "--json").end(timeout_s=120)
    assert done.code == 0, done.err
    assert words(done.json["question"]) == words(QUESTIONS[0])
    assert not done.json["abstained"]


@pytest.mark.parametrize(
    ("microphone", "told"), [("audiotestsrc wave=silence num-buffers=50", "nothing was said within"), ("nosuchsrc", "nosuchsrc")]
)
def test_a_microphone_that_hears_nothing(demo_memory: Path, microphone: str, told: str) -> None:
    done = Process("ask", "--voice", "mic", "--mic", microphone, "--memory", demo_memory).end()
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_interrupted_while_it_understands_a_question(demo_memory: Path) -> None:
    run = Process("ask", "--voice", ROOM / "question.flac", "--memory", demo_memory)
    time.sleep(1.0)
    done = run.signal(signal.SIGINT)
    assert (done.code, done.out) == (130, "")
    assert done.err == "echoic: interrupted\n"


def test_results_that_nobody_reads_to_the_end(demo_memory: Path) -> None:
    command = f"{sys.executable} -m pipeline.app.cli events --memory {demo_memory} --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[", "")


def test_the_room_live_through_gstreamer_while_another_process_asks(tmp_path: Path, weights: Path) -> None:
    assert weights.is_dir()
    samples, rate = soundfile.read(ROOM / "room.flac", frames=14 * 16000)
    soundfile.write(tmp_path / "room.flac", samples, rate)
    config = tmp_path / "live.yaml"
    live = (ROOT / "configs" / "live.yaml").read_text()
    source = f"pipeline: 'filesrc location={tmp_path}/room.flac ! flacparse ! flacdec', array: uma8"
    config.write_text(live.replace('pipeline: "autoaudiosrc", array: mono', source))
    memory = tmp_path / "m"
    run = Process("run", config, "--memory", memory, "--port", 0)
    try:
        until(lambda: (memory / "daemon.json").is_file())

        def answered() -> Any:
            asked = Process("ask", "When does the ferry leave?", "--memory", memory, "--json").end()
            assert asked.code == 0, asked.err
            return None if json.loads(asked.out)["abstained"] else asked.json

        evidence = until(answered, timeout_s=120.0)["claims"][0]["evidence"][0]
        assert abs(evidence["azimuth_deg"] - 280.0) <= 15.0
        assert evidence["start_s"] == pytest.approx(3.3, abs=2.0)
        done = run.end(timeout_s=120)
    finally:
        run.child.kill()
    assert done.code == 0, done.err
    assert "14.0 s heard, all of it in the memory" in done.err
