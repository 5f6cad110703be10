"""What stands in a memory says what made it, and with which version."""

from __future__ import annotations

import importlib.metadata
import sqlite3
from pathlib import Path

import pytest

from pipeline.packets import NS_PER_S
from pipeline.testing import run_stage
from stages.events.fixed_window import FixedWindow
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.remember_events import RememberEvents
from stages.memory.tables import provenance
from tests.stages.memory.made import ENCODER, line, session_row
from tests.stages.memory.made_older import made_older

VERSION = importlib.metadata.version("echoic")


def test_events_say_which_stage_made_them_and_sessions_which_version_heard_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    memory.begin_session(session_row())
    lines = [line(f"words of line{place}", 10.0 * place, audio_s=0.0) for place in range(4)]
    memory.add_lines("s1", lines, 40 * NS_PER_S)
    events = run_stage(FixedWindow(window_s=15.0), {"line": lines})["events"]
    run_stage(RememberEvents(memory), {"event": events})
    assert {(row.made_by, row.version) for row in memory.events()} == {("FixedWindow", VERSION)}
    with monkeypatch.context() as later:
        later.setattr(provenance, "version", lambda: "99.1")
        memory.finish_session("s1", 40 * NS_PER_S)
    assert {(row.level, row.made_by, row.version) for row in memory.events(level=None)} == {
        ("event", "FixedWindow", VERSION),
        ("episode", "consolidation", "99.1"),
        ("day", "consolidation", "99.1"),
    }
    assert memory.event(memory.events()[0].id).made_by == "FixedWindow"
    assert memory.check() == []
    memory.stop()
    with sqlite3.connect(tmp_path / "memory.sqlite") as connection:
        assert connection.execute("SELECT version FROM sessions").fetchall() == [(VERSION,)]
        assert connection.execute("SELECT count(*) FROM makers").fetchone() == (2,), "each maker stands once"
    connection.close()


def test_what_an_older_version_made_has_no_maker(tmp_path: Path) -> None:
    made_older(tmp_path, "2026-11 makers", ["hello"])
    memory = LongTermMemory(ENCODER, str(tmp_path))
    memory.start()
    assert [(row.made_by, row.version) for row in memory.events()] == [("", "")]
    memory.stop()


def test_where_echoic_is_not_installed_the_version_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    with monkeypatch.context() as patched:
        patched.setattr(importlib.metadata, "version", absent)
        assert provenance.version.__wrapped__() == "unknown"
