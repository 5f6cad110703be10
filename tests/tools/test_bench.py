from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from pipeline.graph import load_graph
from tools.bench import Timed, long_room, machine, stage_table, table, timed, whole_rows
from tools.bench_live import SILENCE_S, live_config, with_silence
from tools.bench_replay import KEEPER, measure, percentiles_ms, with_keeper

GOLDEN = Path(__file__).parents[1] / "sessions" / "two_talkers.flac"


def test_percentiles_are_in_milliseconds() -> None:
    assert percentiles_ms([]) == {"p50_ms": 0.0, "p95_ms": 0.0, "p99_ms": 0.0}
    assert percentiles_ms([index / 1000 for index in range(101)]) == pytest.approx({"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0})


def test_the_keeper_sees_what_the_recogniser_sees() -> None:
    graph = load_graph("configs/replay.yaml")
    kept = with_keeper(graph, "transcribe")
    assert set(kept.nodes) == {*graph.nodes, KEEPER}
    assert kept.nodes[KEEPER].edges["utterance"].stage == graph.nodes["transcribe"].edges["utterance"].stage
    assert {name: node.settings for name, node in kept.nodes.items() if name != KEEPER} == {n: v.settings for n, v in graph.nodes.items()}


def test_the_live_graph_plays_the_file_in_the_place_of_the_microphones() -> None:
    graph = yaml.safe_load(live_config(GOLDEN, "uma8"))
    room = graph["stages"]["room"]
    assert (room["pipeline"], room["array"]) == (f"filesrc location={GOLDEN} ! decodebin", "uma8")
    load_graph("live", text=live_config(GOLDEN, "uma8"))


def test_recordings_are_made_longer_without_a_change(tmp_path: Path) -> None:
    samples, rate = soundfile.read(GOLDEN, dtype="int16")
    long_room(GOLDEN, tmp_path / "long.flac", 3)
    with_silence(GOLDEN, tmp_path / "silent.flac")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "long.flac", dtype="int16")[0], np.concatenate([samples] * 3))
    silent = soundfile.read(tmp_path / "silent.flac", dtype="int16")[0]
    np.testing.assert_array_equal(silent[: len(samples)], samples)
    assert len(silent) == len(samples) + SILENCE_S * rate
    assert not silent[len(samples) :].any()


def test_a_command_is_timed_with_its_own_memory() -> None:
    small = timed([sys.executable, "-S", "-c", "pass"])
    large = timed([sys.executable, "-S", "-c", "import time; x = bytearray(200_000_000); time.sleep(0.5)"])
    assert 0 < small.wall_s < large.wall_s
    assert small.peak_bytes < 200_000_000 < large.peak_bytes
    assert large.resident_in(9) > 200_000_000
    with pytest.raises(SystemExit, match="exited with 3:\nno luck"):
        timed([sys.executable, "-S", "-c", "import sys; sys.stderr.write('no luck'); sys.exit(3)"])


def test_tables_are_markdown() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n|---|---:|\n| x | 1 |"
    assert "cores" in machine()


@pytest.mark.usefixtures("weights")
def test_a_replay_is_measured(tmp_path: Path) -> None:
    figures = measure(GOLDEN, "uma8", tmp_path / "memory", "configs/replay.yaml")
    assert figures["audio_s"] == pytest.approx(soundfile.info(GOLDEN).duration)
    assert figures["n_utterances"] >= 2
    assert figures["n_lines"] == 2
    assert 0 < figures["alone_s"] < figures["replay_s"] * 2
    names = [row["stage"] for row in figures["stages"]]
    assert {"room", "beam", "transcribe", "remember"} <= set(names)
    assert KEEPER not in names
    assert {row["dropped"] for row in figures["stages"]} == {0}
    transcribed = next(row for row in figures["stages"] if row["stage"] == "transcribe")
    assert transcribed["n_in"] == figures["n_utterances"]
    text = stage_table(figures)
    assert len(text.splitlines()) == len(names) + 2
    assert whole_rows(figures, Timed(10.0, 2**30, []))[-1] == ["peak memory of `echoic replay`", "1024 MiB"]
