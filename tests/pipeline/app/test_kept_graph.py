"""A memory has the graph that it needs from its first moment on, and can be opened where that was lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.app import replay
from pipeline.app.memory_directory import MemoryDirectory
from tests.pipeline.app.command_line import Done

Echoic = Callable[..., Done]
CONFIG = ("--config", "configs/minimal.yaml")


class Killed(BaseException):
    """As much as a test in one process can die."""


def test_a_run_that_dies_while_its_models_load_leaves_a_memory_that_opens(
    echoic: Echoic, mono_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(replay, "keep_graph", dies)
    with pytest.raises(Killed):
        replay.replay_source(str(mono_file), tmp_path / "m", replay.ReplayOptions(config=CONFIG[1]))
    monkeypatch.undo()
    assert MemoryDirectory(tmp_path / "m").is_memory
    assert echoic("sessions", "--memory", tmp_path / "m", "--json").json == []
    assert echoic("replay", mono_file, "--memory", tmp_path / "m").code == 0


def test_a_graph_before_any_memory_is_no_memory_and_is_replaced(echoic: Echoic, mono_file: Path, tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/graph.yaml").write_text("stages: {}\n")
    assert echoic("sessions", "--memory", tmp_path / "m", "--json").json == []
    assert echoic("replay", mono_file, "--memory", tmp_path / "m", *CONFIG).code == 0
    assert "HashedWords" in (tmp_path / "m/graph.yaml").read_text()
    assert echoic("doctor", "--memory", tmp_path / "m").code == 0


def test_a_memory_whose_graph_is_gone_is_opened_with_the_one_that_has_its_encoder(echoic: Echoic, transcript: Path, tmp_path: Path) -> None:
    session = echoic("import", transcript, "--memory", tmp_path / "m", *CONFIG).out.strip()
    (tmp_path / "m/graph.yaml").unlink()
    assert [row["id"] for row in echoic("sessions", "--memory", tmp_path / "m", "--json").json] == [session]
    again = echoic("import", transcript, "--memory", tmp_path / "m")
    assert (again.code, again.out.strip()) == (0, session)


def test_bounds_and_sleep_are_those_of_the_last_run_that_had_some(
    echoic: Echoic, mono_file: Path, transcript: Path, tmp_path: Path
) -> None:
    """A recording that a bound of long ago would take away stays where a later run wants more of it kept."""
    shipped = Path("configs/minimal.yaml").read_text()

    def config(name: str, recordings: str, quiet_s: float) -> Path:
        more = f"  bounds: {{use: stages.memory.bounds.Bounds, recordings_bytes: {recordings}}}\n"
        more += f"  sleeper: {{use: stages.memory.sleeper.Sleeper, quiet_s: {quiet_s}, answerer: answerer}}\n"
        text = shipped.replace("resources:\n", f"resources:\n{more}", 1).replace("index: flat}", "index: flat, bounds: bounds}")
        (tmp_path / name).write_text(text)
        return tmp_path / name

    memory = tmp_path / "m"
    assert echoic("import", transcript, "--memory", memory, "--config", config("small.yaml", "1 kB", 5.0)).code == 0
    assert "1 kB" in (memory / "graph.yaml").read_text()
    assert echoic("replay", mono_file, "--memory", memory, "--config", config("large.yaml", "100 GB", 7.0)).code == 0
    kept = (memory / "graph.yaml").read_text()
    assert "1 kB" not in kept
    assert "quiet_s: 7.0" in kept
    recorded = sorted((memory / "sessions").rglob("*.flac"))
    assert recorded
    assert echoic("consolidate", "--memory", memory).code == 0
    assert sorted((memory / "sessions").rglob("*.flac")) == recorded
    assert echoic("replay", mono_file, "--memory", memory, "--config", "configs/minimal.yaml").code == 0
    assert (memory / "graph.yaml").read_text() == kept
