"""The daemon as a person runs it: the demo's room played in real time through GStreamer, watched and asked from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import soundfile
import yaml

from pipeline.app.failures import WorkError
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import memory_to_read
from tools.bench_questions import QUESTIONS

LOOK_EVERY_S = 0.05
START_S = 120.0
ASK_EVERY_S = 5.0
SLACK_S = 5.0
SILENCE_S = 60.0
"""What follows the recording, so that the daemon can also be asked while nobody speaks."""
N_ROUNDS = 5


@dataclass(frozen=True)
class LiveFigures:
    """What was seen from outside, in seconds; `delays_s` by line: from the end of its last word until it is in the memory."""

    delays_s: list[float]
    asked_live_s: list[float]
    asked_after_s: list[float]
    peak_bytes: int
    stop_s: float


def live_config(room: Path, array: str, config: str = "configs/live.yaml") -> str:
    """The live graph with a file in the place of the microphones, as YAML."""
    graph: dict[str, Any] = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
    source = next(entry for entry in graph["stages"].values() if "in" not in entry)
    source.update(pipeline=f"filesrc location={room.resolve()} ! decodebin", array=array)
    return yaml.safe_dump(graph, sort_keys=False)


def with_silence(room: Path, target: Path) -> None:
    """Write a recording with silence after it."""
    samples, rate = soundfile.read(room, dtype="int16", always_2d=True)
    silence = np.zeros((round(SILENCE_S * rate), samples.shape[1]), dtype=np.int16)
    soundfile.write(target, np.concatenate([samples, silence]), rate, subtype="PCM_16")


def post_ask(url: str, question: str) -> float:
    """How long the daemon takes for a question, connection included. Raises WorkError where it does not answer."""
    address = urlsplit(url)
    begin = time.perf_counter()
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=60)
    try:
        connection.request("POST", "/ask", json.dumps({"question": question}), {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise WorkError(f"{url}/ask answered {response.status}: {body[:200]!r}")
    return time.perf_counter() - begin


def _daemon_url(memory: MemoryDirectory, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        if memory.daemon_file.is_file():
            return str(json.loads(memory.daemon_file.read_text(encoding="utf-8"))["url"])
        time.sleep(LOOK_EVERY_S)
    raise WorkError(f"echoic run did not start within {START_S:g} s (exit {process.poll()}); run it by hand to see why")


def measure_live(echoic: Path, room: Path, array: str, duration_s: float, work: Path) -> LiveFigures:
    """Run the daemon over a recording in real time until everything is heard, asking now and then; then end it with SIGTERM."""
    memory = MemoryDirectory(work / "live")
    config = work / "live.yaml"
    played = work / "live.flac"
    with_silence(room, played)
    config.write_text(live_config(played, array), encoding="utf-8")
    process = subprocess.Popen([echoic, "run", config, "--memory", memory.path, "--port", "0"], stderr=subprocess.DEVNULL)
    try:
        url = _daemon_url(memory, process)
        delays, asked = _watch(memory, url, process, duration_s)
        ended = process.poll() is not None
        after = [] if ended else [post_ask(url, question) for question in QUESTIONS * N_ROUNDS]
        begin = time.perf_counter()
        if not ended:
            process.send_signal(signal.SIGTERM)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return LiveFigures(delays, asked, after, usage.ru_maxrss * 1024, time.perf_counter() - begin)
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def _watch(memory: MemoryDirectory, url: str, process: subprocess.Popen[bytes], duration_s: float) -> tuple[list[float], list[float]]:
    """Look for new lines all the time, and ask a question every five seconds, until the recording must have been heard."""
    seen: dict[str, float] = {}
    asked: list[float] = []
    end = time.monotonic() + START_S
    next_ask = 0.0
    with memory_to_read(memory) as reader:
        while time.monotonic() < end and process.poll() is None:
            found = datetime.now(UTC)
            for line in reader.lines():
                if line.id in seen:
                    continue
                if not seen:
                    end, next_ask = time.monotonic() + duration_s + SLACK_S, time.monotonic() + ASK_EVERY_S
                began = reader.session_row(line.session).started_at
                seen[line.id] = (found - began - timedelta(microseconds=line.end_ns / 1000)).total_seconds()
            if seen and time.monotonic() >= next_ask:
                asked.append(post_ask(url, QUESTIONS[len(asked) % len(QUESTIONS)]))
                next_ask = time.monotonic() + ASK_EVERY_S
            time.sleep(LOOK_EVERY_S)
    if not seen:
        raise WorkError(f"the daemon (exit {process.poll()}) put no line into its memory within {START_S:g} s")
    return list(seen.values()), asked
