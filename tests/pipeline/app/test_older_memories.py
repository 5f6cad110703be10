"""Memories that the version before made: their graphs load, and their tables are brought up to date by whoever comes first."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipeline.graph import load_graph
from stages.memory.tables import schema
from stages.memory.tables.database import WriterLock
from stages.speech.faster_whisper import FasterWhisper
from tests.pipeline.app.conftest import Echoic

# configs/replay.yaml as it was when voices were Resemblyzer's and lines were cut by them.
REPLAY_BEFORE_TALKERS = Path(__file__).parent / "older_replay.yaml"
OLDER_GRAPH = Path(__file__).parent / "older_graph.yaml"


@pytest.fixture
def older(echoic: Echoic, transcript: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory of two people with the tables of the first version alone."""
    memory = tmp_path / "older"
    assert echoic("import", transcript, "--memory", memory, "--config", "configs/minimal.yaml").code == 0
    made = (memory / "memory.sqlite").rename(tmp_path / "made.sqlite")
    database = sqlite3.connect(memory / "memory.sqlite", isolation_level=None)
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
        schema.migrate(database, "here")
    database.execute("ATTACH ? AS made", (str(made),))
    for table in ("sessions", "lines", "vectors", "events", "event_lines", "tracks", "positions", "gaps"):
        columns = ", ".join(row[1] for row in database.execute(f"PRAGMA main.table_info({table})"))
        database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM made.{table}")
    database.close()
    return memory


def test_a_stored_graph_whose_vocabulary_is_a_text_loads(echoic: Echoic, transcript: Path, tmp_path: Path, weights: Path) -> None:
    assert weights.is_dir()
    settings = load_graph(OLDER_GRAPH).nodes["transcribe"].settings
    assert settings["vocabulary"] == "Siobhan, Project Falcon"
    assert FasterWhisper(**settings).vocabulary == ["Siobhan", "Project Falcon"]
    memory = tmp_path / "memory"
    assert echoic("import", transcript, "--memory", memory, "--config", "tests/pipeline/app/older_replay.yaml").code == 0
    (memory / "graph.yaml").write_text(OLDER_GRAPH.read_text())
    done = echoic("tracks", "--memory", memory, "--json")
    assert (done.code, done.err) == (0, "")
    assert {row["speaker"] for row in done.json} == {"ann", "bob"}


def test_the_graph_before_talkers_were_told_apart_loads(weights: Path) -> None:
    assert weights.is_dir()
    graph = load_graph(REPLAY_BEFORE_TALKERS)
    assert {"turns", "voice"} <= set(graph.nodes)
    assert graph.nodes["turns"].settings["likeness"] == 0.64


@pytest.mark.parametrize("command", [("sounds", "--json"), ("speakers", "--json"), ("tracks", "--json"), ("ask", "Who spoke?", "--json")])
def test_reading_an_older_memory_brings_it_up_to_date(echoic: Echoic, older: Path, command: tuple[str, ...]) -> None:
    done = echoic(*command, "--memory", older)
    assert (done.code, done.err) == (0, "")
    assert isinstance(done.json, list | dict)
    assert echoic("doctor", "--memory", older).code == 0


def test_reading_an_older_memory_while_another_process_writes_is_exit_2(echoic: Echoic, older: Path) -> None:
    lock = WriterLock(older)
    lock.take()
    for command in (("speakers",), ("ask", "Who spoke?")):
        done = echoic(*command, "--memory", older)
        assert (done.code, done.out) == (2, "")
        assert "its tables are of an older version and another process is writing to it; stop it" in done.err
    lock.release()


@pytest.mark.broken_memory
def test_an_older_memory_that_cannot_be_written_to_is_exit_2(echoic: Echoic, older: Path) -> None:
    (older / "writer.lock").unlink()
    (older / "writer.lock").mkdir()
    done = echoic("speakers", "--memory", older)
    assert (done.code, done.out) == (2, "")
    assert f"run `echoic doctor --memory {older}` as somebody who may write there, or read a copy of it" in done.err
