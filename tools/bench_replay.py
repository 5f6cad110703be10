"""One measured replay, in a process of its own: python -m tools.bench_replay ROOM ARRAY MEMORY CONFIG prints its figures as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from pipeline.app import times
from pipeline.app.graph_choice import for_writing, keep_graph, source_of
from pipeline.app.graph_roles import with_file
from pipeline.app.memory_directory import MemoryDirectory
from pipeline.app.open_memory import live_memory, started
from pipeline.build import Build, build, build_resources
from pipeline.graph import Graph, load_graph
from pipeline.metrics import Metrics, StageFigures
from pipeline.packets import Utterance
from pipeline.runner import Runner
from pipeline.session import create_session
from pipeline.session_info import SessionInfo
from stages.capture.file_source import array_for, probe
from stages.memory.rows import SessionRow
from tools.bench_questions import QUESTIONS
from tools.utterance_keeper import UtteranceKeeper

KEEPER = "benchmark_keeper"
N_ROUNDS = 5


def percentiles_ms(durations_s: list[float]) -> dict[str, float]:
    """p50, p95 and p99 in milliseconds (0 where there is nothing)."""
    values = np.percentile(durations_s, [50, 95, 99]) * 1000 if durations_s else np.zeros(3)
    return dict(zip(("p50_ms", "p95_ms", "p99_ms"), (float(value) for value in values), strict=True))


def with_keeper(graph: Graph, recogniser: str) -> Graph:
    """The graph with one more sink, beside the recogniser: it sees what the recogniser sees."""
    edge = next(iter(graph.nodes[recogniser].edges.values()))
    document = yaml.safe_load(graph.to_yaml())
    document["stages"][KEEPER] = {"use": "tools.utterance_keeper.UtteranceKeeper", "in": {"utterance": f"{edge.stage}.{edge.port}"}}
    return load_graph(graph.where, text=yaml.safe_dump(document, sort_keys=False), extra_roots=("tools",))


def stage_rows(metrics: Metrics) -> list[dict[str, Any]]:
    """What each stage did: name, packets, busy seconds, times per packet, drops."""

    def row(name: str, figures: StageFigures) -> dict[str, Any]:
        dropped = sum(count for edge, count in metrics.dropped.items() if edge.split(".")[0] == name)
        count = {"stage": name, "n_in": figures.n_in, "n_out": figures.n_out, "busy_s": figures.busy_s, "dropped": dropped}
        return {**count, **percentiles_ms(list(figures.durations_s))}

    return [row(name, figures) for name, figures in metrics.stages.items() if name != KEEPER]


def recogniser_alone_s(made: Build, recogniser: str, utterances: list[Utterance]) -> float:
    """How long the recogniser takes for these utterances when nothing else runs; its weights are loaded before."""
    stage: Any = made.stages[recogniser]
    stage.start()
    try:
        begin = time.perf_counter()
        if hasattr(stage, "batch_utterance"):
            for first in range(0, len(utterances), stage.max_batch):
                list(stage.batch_utterance(utterances[first : first + stage.max_batch]))
        else:
            for utterance in utterances:
                list(stage.on_utterance(utterance))
        return time.perf_counter() - begin
    finally:
        stage.stop()


def measure(room: Path, array: str, directory: Path, config: str) -> dict[str, Any]:
    """Replay a recording through a graph into a new memory, then time the recogniser alone and the questions."""
    begin = time.perf_counter()
    memory, session = MemoryDirectory(directory), "benchmark"
    graph, roles = for_writing(load_graph(config), memory, session)
    recogniser = roles.recogniser
    if recogniser is None or roles.recording is None or roles.recall is None:
        raise SystemExit(f"{config}: the benchmark needs a graph with a recogniser, a recording and a recall")
    graph = with_keeper(with_file(graph, source_of(graph, roles), roles.recording, {"path": str(room), "array": array}), recogniser)
    metrics = Metrics()
    with started(build_resources(graph)) as resources:
        long_term = live_memory(resources, roles)
        keep_graph(graph, memory, roles)
        now = times.now()
        long_term.begin_session(SessionRow(session, str(room), now, 0, array, False, graph.to_yaml()))
        create_session(memory.recording(session), SessionInfo(id=session, source=str(room), array=array_for(room, array), started_at=now))
        made = build(graph, resources)
        runner = Runner(made, replay=True, metrics=metrics, own_resources=False)
        runner.start()
        loaded, worked = time.perf_counter(), time.process_time()
        runner.wait()
        done, worked_s = time.perf_counter(), time.process_time() - worked
        audio_s = probe(room).duration_s or 0.0
        long_term.finish_session(session, round(audio_s * 1e9))
        keeper = made.stages[KEEPER]
        utterances = keeper.utterances if isinstance(keeper, UtteranceKeeper) else []
        worked = time.process_time()
        alone_s = recogniser_alone_s(made, recogniser, utterances)
        alone_worked_s = time.process_time() - worked
        recall: Any = resources[roles.recall]
        recall.ask(QUESTIONS[0], now=times.now())
        asked_s = []
        for question in QUESTIONS * N_ROUNDS:
            before = time.perf_counter()
            recall.ask(question, now=times.now())
            asked_s.append(time.perf_counter() - before)
        n_lines = len(long_term.lines(session))
    return {
        "audio_s": audio_s,
        "load_s": loaded - begin,
        "replay_s": done - loaded,
        "replay_cpu_s": worked_s,
        "alone_s": alone_s,
        "alone_cpu_s": alone_worked_s,
        "n_utterances": len(utterances),
        "utterances_s": sum(utterance.duration_ns for utterance in utterances) / 1e9,
        "n_lines": n_lines,
        "ask": percentiles_ms(asked_s),
        "stages": stage_rows(metrics),
    }


if __name__ == "__main__":
    room_path, array_name, memory_path, config_path = sys.argv[1:5]
    sys.stdout.write(json.dumps(measure(Path(room_path), array_name, Path(memory_path), config_path)) + "\n")
