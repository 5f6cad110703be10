"""`echoic doctor --memory DIR`: invariants, repairs, use against bounds; beside a writer it only reads."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from stages.memory.tables.database import WriterLock
from tests.pipeline.app.conftest import Echoic

MINIMAL = Path("configs/minimal.yaml").read_text(encoding="utf-8")


@pytest.fixture
def memory(echoic: Echoic, transcript: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "m"
    assert echoic("import", transcript, "--memory", directory, "--config", "configs/minimal.yaml").code == 0
    return directory


def changed(memory: Path, statement: str) -> None:
    with sqlite3.connect(memory / "memory.sqlite") as connection:
        connection.execute(statement)
    connection.close()


def test_a_whole_memory_shows_its_stores(echoic: Echoic, memory: Path) -> None:
    done = echoic("doctor", "--memory", memory)
    assert (done.code, done.out.splitlines()[0]) == (0, f"memory      {memory}: whole")
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.startswith("  ")}
    assert {"clips", "recordings", "line_audio", "index", "database", "disk", "index_ram"} <= set(rows)
    assert rows["database"].split()[1] == "disk"
    assert rows["database"].endswith("no bound")
    # In RAM, while a graph runs: what its own YAML declares.
    assert rows["sensory"].split()[1:] == ["ram", "-", "of", "15.4", "MB"]
    assert rows["short_term"].split()[1:] == ["ram", "-", "of", "262.1", "kB"]


def test_the_ring_is_declared_for_the_channels_of_the_array(echoic: Echoic, memory: Path, tmp_path: Path) -> None:
    graph = tmp_path / "graph.yaml"
    source = "use: stages.capture.file_source.FileSource,"
    graph.write_text(MINIMAL.replace(source, f"{source} array: uma8,").replace("Recording}", "Recording, ring_s: 10.0}"))
    done = echoic("doctor", "--memory", memory, "--config", graph, "--json")
    bounds = {row["store"]: row["bound_bytes"] for row in json.loads(done.out)["stores"]}
    assert bounds["sensory"] == 10 * 16000 * 7 * 4


def test_json_for_scripts(echoic: Echoic, memory: Path) -> None:
    done = echoic("doctor", "--memory", memory, "--json")
    found = json.loads(done.out)
    assert done.code == 0
    assert (found["whole"], found["faults"], found["repairs"], found["only_read"]) == (True, [], [], None)
    sizes = {row["store"]: row["used_bytes"] for row in found["stores"]}
    assert sizes["database"] > 4096
    assert sizes["disk"] == sum(sizes[name] for name in ("clips", "recordings", "line_audio", "index", "database"))


def test_what_is_derived_is_repaired_and_said(echoic: Echoic, memory: Path) -> None:
    changed(memory, "UPDATE lines SET ended_at_ns = ended_at_ns + 5 WHERE n = 1")
    done = echoic("doctor", "--memory", memory)
    assert done.code == 0
    assert "repaired: 1 lines whose moment does not fit their session" in done.out
    assert "repaired" not in echoic("doctor", "--memory", memory).out


@pytest.mark.broken_memory
def test_what_cannot_be_derived_is_exit_1(echoic: Echoic, memory: Path) -> None:
    changed(memory, "UPDATE lines SET words = 'none' WHERE n = 1")
    done = echoic("doctor", "--memory", memory)
    assert done.code == 1
    assert "1 lines whose words are not JSON" in done.out
    assert f"memory {memory} is not whole: 1 faults" in done.err


def test_beside_a_writer_nothing_is_repaired(echoic: Echoic, memory: Path) -> None:
    changed(memory, "UPDATE lines SET ended_at_ns = ended_at_ns + 5 WHERE n = 1")
    lock = WriterLock(memory)
    lock.take()
    done = echoic("doctor", "--memory", memory)
    assert done.code == 1
    assert "another process writes to it, so it was only read and nothing was repaired" in done.out
    assert "1 lines whose moment does not fit their session: " in done.out
    assert "(can be made anew)" in done.out
    lock.release()
    assert echoic("doctor", "--memory", memory).code == 0


@pytest.mark.parametrize(("bound", "code"), [("1000", 1), ("0.1 GB", 0)])
def test_a_broken_bound_is_exit_1(echoic: Echoic, memory: Path, tmp_path: Path, bound: str, code: int) -> None:
    graph = tmp_path / "graph.yaml"
    before = "  memory: {use: stages.memory.long_term_memory.LongTermMemory,"
    assert before in MINIMAL
    declared = f"  bounds: {{use: stages.memory.bounds.Bounds, database_bytes: {bound}, clips_bytes: 1000}}\n{before} bounds: bounds,"
    graph.write_text(MINIMAL.replace(before, declared))
    done = echoic("doctor", "--memory", memory, "--config", graph)
    assert done.code == code, done.err
    row = next(line for line in done.out.splitlines() if line.startswith("  database"))
    assert row.endswith("of 1.0 kB  OVER ITS BOUND" if code else "of 100.0 MB")
    assert ("takes more than it may (database)" in done.err) == bool(code)


def test_json_and_config_are_about_a_memory(echoic: Echoic) -> None:
    assert "doctor --json needs --memory DIR" in echoic("doctor", "--json").err
    assert echoic("doctor", "--config", "configs/minimal.yaml").code == 2


def test_recordings_that_are_gone_and_that_nobody_heard_are_told(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    memory = tmp_path / "m"
    session = echoic("replay", mono_file, "--memory", memory, "--config", "configs/minimal.yaml").out.strip()
    recording = memory / "sessions" / session
    strange = recording.rename(recording.with_name("strange"))
    done = echoic("doctor", "--memory", memory)
    assert done.code == 1
    assert f"            1 sessions whose recording is gone from sessions/: {session}\n" in done.out
    assert (
        "            no fault: 1 recordings under sessions/ that the memory does not know (`echoic replay` hears them): strange\n"
        in done.out
    )
    shutil.copytree(strange, recording)
    done = echoic("doctor", "--memory", memory, "--json")
    assert (done.code, done.json["faults"], len(done.json["notes"])) == (0, [], 1)
