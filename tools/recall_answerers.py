"""Recall on true transcripts with each answerer: what a language model's wording changes, and how long it takes, as Markdown.

    python -m tools.recall_answerers --folder DIR [--rooms 8] [--first-seed 100000] [--config YAML] [--served GGUF]

The rooms and questions of `tools.recall_rooms_text`, asked with the graph's own answerer replaced by each of them: quotes alone, the
small model of the catalogue in this process, that model or another (`--served`) behind a server of chat completions (llama.cpp's own, on
this machine), and the best of both. Each has the settings that it ships with: the one behind the server is also asked whether what it
said holds, which drops more sentences. Answers are kept in the folder.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from models.weights import path_of
from stages.answer.llama_cpp import LlamaCpp
from tools.recall_rooms import Room
from tools.recall_rooms_questions import Asked
from tools.recall_rooms_score import Verdict
from tools.recall_rooms_table import whole_table
from tools.recall_rooms_text import FIRST_SEED, RecallOfRooms, asked_in_rooms, keep

QUOTES = "extractive"
_CONTEXT_TOKENS = 2048
_THREADS = 2
_DROPPED = "a sentence of the model was dropped"
_LOGS = ("stages.answer.chat_answerer", "stages.answer.best_of")
Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What one way of answering gave: every answer with its verdict, and what was logged of its models."""

    rows: list[tuple[Room, Asked, Json, Verdict]]
    n_dropped: int
    n_failed: int


class _Logged(logging.Handler):
    """Counts the sentences that a model said and its evidence did not, and the answers that a model failed at."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.n_dropped = 0
        self.n_failed = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a sentence that was dropped, or a failure."""
        self.n_dropped += str(record.msg).startswith(_DROPPED)
        self.n_failed += record.levelno >= logging.WARNING


def answerers(base_url: str) -> dict[str, dict[str, Json]]:
    """The resources that answer, by the name of the way; the one called "answerer" is what recall asks."""
    local = {"use": "stages.answer.llama_cpp.LlamaCpp", "encoder": "encoder"}
    served = {"use": "stages.answer.openai_chat.OpenaiChat", "encoder": "encoder", "base_url": base_url, "model": "small"}
    best = {"use": "stages.answer.best_of.BestOf", "first": "near", "second": "far"}
    return {
        QUOTES: {"answerer": {"use": "stages.answer.extractive.Extractive", "encoder": "encoder"}},
        "llama_cpp": {"answerer": local},
        "openai_chat": {"answerer": served},
        "best_of": {"near": local, "far": served, "answerer": best},
    }


def graph_with(config: Path, resources: Mapping[str, Json], path: Path) -> Path:
    """Write a graph whose answerer is another one; `config` calls it "answerer". The file's path."""
    graph = yaml.safe_load(config.read_text(encoding="utf-8"))
    own = {name: node for name, node in graph["resources"].items() if name != "answerer"}
    recall = {name: own.pop(name) for name in list(own) if (own[name] or {}).get("answerer") == "answerer"}
    if not recall:
        raise ValueError(f"{config}: no recall under resources: has answerer: answerer")
    graph["resources"] = {**own, **resources, **recall}
    path.write_text(yaml.safe_dump(graph, sort_keys=False), encoding="utf-8")
    return path


@contextmanager
def served(model: Path) -> Iterator[str]:
    """A server of chat completions over a GGUF model; the address that `base_url` takes."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.n_ctx, parameters.n_parallel = _CONTEXT_TOKENS, 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = _THREADS
    parameters.cpuparams.poll = parameters.cpuparams_batch.poll = 0
    parameters.warmup, parameters.verbosity = False, 0
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"


def asked(config: Path, seeds: Sequence[int], folder: Path) -> Told:
    """All answers of a graph to the questions of some rooms."""
    logs, logged = [logging.getLogger(name) for name in _LOGS], _Logged()
    levels = [log.level for log in logs]
    for log in logs:
        log.addHandler(logged)
        log.setLevel(logging.INFO)
    try:
        with RecallOfRooms(config) as recalls:
            rows = [row for room in asked_in_rooms(recalls, seeds, folder) for row in room]
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.removeHandler(logged)
            log.setLevel(level)
    return Told(rows, logged.n_dropped, logged.n_failed)


def worded(told: Told, quoted: Told) -> tuple[int, int]:
    """How many claims have words that none of the quotes for the same question has, and how many claims there are."""
    others = [
        claim["text"] not in {quote["text"] for quote in plain["claims"]}
        for (*_, answer, _), (*_, plain, _) in zip(told.rows, quoted.rows, strict=True)
        for claim in answer["claims"]
    ]
    return sum(others), len(others)


def table(found: Mapping[str, Told]) -> str:
    """Markdown: for each way of answering how many claims a model worded, what was dropped of it, and how long answers took.

    Dropped and failed is counted over all questions, also those that are asked before another; of the best of two for both models.
    """
    lines = [
        "| answers by | claims in a model's words | sentences dropped | failures | first words, p50 / p95 s | whole answer, p50 / p95 s |"
    ]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for name, told in found.items():
        n, n_all = worded(told, found[QUOTES])
        first, whole = ([row[2]["timing_ms"][part] / 1e3 for row in told.rows] for part in ("first_words", "total"))
        times = (f"{np.percentile(part, 50):.2f} / {np.percentile(part, 95):.2f}" for part in (first, whole))
        lines.append(f"| {name} | {n} of {n_all} | {told.n_dropped} | {told.n_failed} | {' | '.join(times)} |")
    return "\n".join(lines)


def main() -> None:
    """Parse options, ask with every answerer, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where rooms, graphs and answers are kept")
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--config", type=Path, default=Path("configs/replay.yaml"), help="the graph that answers")
    parser.add_argument("--served", type=Path, help="the model behind the server; default: the small one of the catalogue")
    options = parser.parse_args()
    model = options.served or path_of(LlamaCpp.weights[0])
    options.folder.mkdir(parents=True, exist_ok=True)
    seeds = range(options.first_seed, options.first_seed + options.rooms)
    found: dict[str, Told] = {}
    with served(model) as base_url:
        for name, resources in answerers(base_url).items():
            graph = graph_with(options.config, resources, options.folder / f"{name}.yaml")
            found[name] = asked(graph, seeds, options.folder / "rooms")
            sys.stderr.write(f"{name}: {options.rooms} rooms asked\n")
    keep({name: told.rows for name, told in found.items()}, options.folder / "answers")
    verdicts = {name: [verdict for *_, verdict in told.rows] for name, told in found.items()}
    head = f"{options.rooms} rooms, seeds {seeds[0]} to {seeds[-1]}; {LlamaCpp.weights[0]} in this process, {model.name} behind the server"
    sys.stdout.write(f"{head}.\n\n{whole_table(verdicts)}\n\n{table(found)}\n")


if __name__ == "__main__":
    main()
