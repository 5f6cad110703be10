import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.pipeline.app.command_line import RATE_HZ, Done, Process, bursts, http, until

Echoic = Callable[..., Done]
Start = Callable[..., Process]
CONFIG = ("--config", "configs/minimal.yaml")


@pytest.fixture
def imported(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "m"
    assert echoic("import", transcript, "--memory", directory, "--started-at", "2026-11-22T19:00:00+01:00", *CONFIG).code == 0
    return directory


def test_it_says_what_was_done_and_has_nothing_to_do_then(echoic: Echoic, imported: Path) -> None:
    before = [echoic("events", "--memory", imported, "--level", level, "--json").json for level in ("event", "episode", "day")]
    done = echoic("consolidate", "--memory", imported)
    assert done.code == 0, done.err
    told = dict(line.split(": ") for line in done.out.splitlines())
    assert int(told["topics"]) == len(before[1]) >= 1
    assert int(told["duplicates"]) == len(before[0])
    again = echoic("consolidate", "--memory", imported, "--json")
    assert again.json["finished"] is True
    assert set(again.json["done"].values()) == {0}
    after = [echoic("events", "--memory", imported, "--level", level, "--json").json for level in ("event", "episode", "day")]
    assert after == before
    assert echoic("doctor", "--memory", imported).code == 0


def test_a_directory_without_a_memory_is_refused(echoic: Echoic, tmp_path: Path) -> None:
    done = echoic("consolidate", "--memory", tmp_path)
    assert (done.code, "nothing was heard in it yet" in done.err) == (2, True)


def test_another_writer_that_is_no_daemon_is_named(echoic: Echoic, imported: Path) -> None:
    from stages.memory.tables.database import WriterLock

    lock = WriterLock(imported)
    lock.take()
    try:
        done = echoic("consolidate", "--memory", imported)
    finally:
        lock.release()
    assert (done.code, done.out) == (2, "")
    assert f"process {os.getpid()} is writing to it and a memory has one writer" in done.err


def test_ctrl_c_ends_it_and_it_goes_on(echoic: Echoic, imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stages.memory.sleeping.topic_step import NameTopics

    work = NameTopics.work

    def interrupted(*arguments: Any) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return work(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(NameTopics, "work", interrupted)
        done = echoic("consolidate", "--memory", imported, "--json")
    assert done.code == 130
    assert "which are kept; the same command goes on from there" in done.err
    assert (done.json["finished"], "links" in done.json["done"]) == (False, False)
    assert echoic("consolidate", "--memory", imported, "--json").json["finished"] is True
    assert echoic("doctor", "--memory", imported).code == 0


def test_a_daemon_does_it_for_others_and_by_itself_when_it_is_quiet(echoic: Echoic, process: Start, tmp_path: Path) -> None:
    """Two bursts, a pause that ends an event, another burst and then quiet: the daemon sleeps while it listens."""
    memory, config = tmp_path / "m", tmp_path / "live.yaml"
    quiet = np.zeros(15 * RATE_HZ, dtype=np.float32)
    room = np.concatenate([bursts(2), quiet[: 5 * RATE_HZ], bursts(1), quiet])
    soundfile.write(tmp_path / "room.wav", room, RATE_HZ, subtype="PCM_16")
    source = f"use: stages.capture.gst_source.GstSource, pipeline: 'filesrc location={tmp_path}/room.wav ! wavparse', array: mono"
    text = Path("configs/minimal.yaml").read_text().replace("use: stages.capture.file_source.FileSource", source)
    config.write_text(text.replace("resources:\n", "resources:\n  sleeper: {use: stages.memory.sleeper.Sleeper, quiet_s: 2.0}\n", 1))
    assert "sleeper:" in config.read_text()
    run = process("run", config, "--memory", memory, "--port", 0)
    url = until(lambda: (memory / "daemon.json").is_file() and json.loads((memory / "daemon.json").read_text()))["url"]
    status, round_ = http(f"{url}/consolidate", {})
    assert (status, round_["finished"]) == (200, True)
    until(lambda: http(f"{url}/events?level=episode")[1])
    assert http(f"{url}/sessions")[1][0]["complete"] is False
    done = echoic("consolidate", "--memory", memory, "--json")
    assert done.code == 0, done.err
    assert f"the daemon (process {run.child.pid}) holds this memory and does it" in done.err
    assert done.json["finished"] is True
    assert http(f"{url}/consolidate")[0] == 405
    assert http(f"{url}/healthz")[1]["status"] == "ok"
    ended = run.signal(signal.SIGINT)
    assert ended.code == 0, ended.err
    assert "Traceback" not in ended.err
    assert "given up" not in ended.err
    assert echoic("doctor", "--memory", memory).code == 0
