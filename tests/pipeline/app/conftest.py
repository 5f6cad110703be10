"""The command line as a person meets it, and small recordings for it to hear."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile

from pipeline.app.cli import main
from tests.pipeline.app.command_line import RATE_HZ, Done, Process, bursts

Echoic = Callable[..., Done]


@pytest.fixture
def echoic(capsys: pytest.CaptureFixture[str]) -> Echoic:
    """Run a command in this process."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(int(stopped.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def mono_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bursts in twelve seconds, one channel."""
    path = tmp_path_factory.mktemp("recordings") / "bursts.flac"
    soundfile.write(path, bursts(4), RATE_HZ)
    return path


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    """Two people about a ferry and a dog."""
    path = tmp_path / "talk.jsonl"
    rows = [
        {"start_s": 0.0, "end_s": 3.0, "speaker": "ann", "azimuth_deg": 20, "text": "The ferry leaves on Saturday at half past nine."},
        {"start_s": 3.5, "end_s": 5.0, "speaker": "bob", "azimuth_deg": 120, "text": "Then we meet at the old lighthouse."},
        {"start_s": 6.0, "end_s": 8.0, "speaker": "ann", "azimuth_deg": 20, "text": "My dog will come along on the ferry."},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    """Start commands in processes of their own; none outlives the test."""
    started: list[Process] = []

    def start(*arguments: object) -> Process:
        started.append(Process(*arguments))
        return started[-1]

    yield start
    for entry in started:
        if entry.child.poll() is None:
            entry.child.kill()
        entry.child.communicate()
