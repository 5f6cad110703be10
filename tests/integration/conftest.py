from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pipeline.app.cli import main

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "tools" / "demo"

Echoic = Callable[..., str]


def echoic(*arguments: str | Path) -> str:
    """Run a command as a person would; its standard output. Fails unless it exits with 0."""
    out = io.StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 0, f"echoic {' '.join(map(str, arguments))} exited with {ended.value.code}"
    return out.getvalue()


def asked(question: str, memory: Path, *more: str) -> dict[str, Any]:
    """The answer of `echoic ask --json`."""
    answer: dict[str, Any] = json.loads(echoic("ask", question, "--memory", memory, "--json", *more))
    return answer


def exported(memory: Path, *more: str) -> list[dict[str, Any]]:
    """The lines of the only session of a memory, as `echoic export` gives them."""
    (session,) = json.loads(echoic("sessions", "--memory", memory, "--json"))
    return [json.loads(line) for line in echoic("export", session["id"], "--memory", memory, "--format", "jsonl", *more).splitlines()]


@pytest.fixture(scope="session")
def demo_memory(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's room, heard once through the graph as users run it."""
    del weights
    memory = tmp_path_factory.mktemp("demo") / "memory"
    echoic("replay", DEMO / "room.flac", "--array", "uma8", "--memory", memory)
    return memory


@pytest.fixture(scope="session")
def demo_truth() -> list[dict[str, Any]]:
    """What was really said in the demo's room."""
    return [json.loads(line) for line in (DEMO / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
