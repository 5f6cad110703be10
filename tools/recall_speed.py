"""How long a question takes, part by part, over memories of several sizes, with the extractive answerer: a markdown table.

    python -m tools.recall_speed --data ../shared/data/qmsum --lines 1000 10000 100000 1000000
        [--encoder CLASS] [--no-reader] [--folder WHERE]

The memories are those of `tools/memory_scale.py`: texts of real meetings, their vectors slightly moved. Questions are encoded for real.
One memory grows from size to size; a million lines take 3 GB and some minutes to make. Beside the times on the wall stands that of the
processor: a machine that others use too is judged by it. A second table tells the largest memory by kind of question.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from pipeline.process_settings import keep_freed_memory
from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.text_encoder import TextEncoder
from stages.recall.hybrid_recall import HybridRecall
from stages.recall.mpnet_reader import MpnetReader
from stages.recall.reader import Reader
from tools.memory_scale import grow
from tools.memory_scale_lines import LINES_PER_HOUR, Texts, begun, embedded

PARTS = ("parse", "retrieve", "first_words", "answer", "total")
_KINDS = (
    "Who talked about the budget, and where in the room?",
    "What did Ben say about the remote control?",
    "When did they talk about the market?",
    "Did anybody mention the alarm?",
    "How often was the battery mentioned?",
    "What did I miss while I was following the conversation about the budget?",
    "What did I miss in the last five minutes?",
    "Catch me up",
)


@dataclass(frozen=True)
class Told:
    """How long an answer took: milliseconds of each part on the wall, and on the processor as a whole."""

    intent: str
    timing_ms: Mapping[str, float]
    processor_ms: float


def timings(recall: HybridRecall, questions: Sequence[str], n_hours: int) -> list[Told]:
    """How long each of some questions takes that are asked when the last hour has been heard."""
    now = begun(n_hours - 1) + timedelta(hours=1)
    recall.ask(questions[0], now=now)
    told = []
    for question in questions:
        before_s = time.process_time()
        answer = recall.ask(question, now=now)
        told.append(Told(answer.intent, answer.timing_ms, 1e3 * (time.process_time() - before_s)))
    return told


def table(rows: dict[str, list[Told]], first: str) -> str:
    """Markdown: p50 / p95 in milliseconds of each part, a row for each name; `first` is the heading of the names."""
    columns = [*PARTS, "processor"]
    lines = [f"| {first} | {' | '.join(f'{column}, p50 / p95 ms' for column in columns)} |", f"|---:|{'---:|' * len(columns)}"]
    for name, told in rows.items():
        values = [[entry.timing_ms[part] for entry in told] for part in PARTS] + [[entry.processor_ms for entry in told]]
        cells = [f"{np.percentile(column, 50):.0f} / {np.percentile(column, 95):.0f}" for column in values]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def by_kind(told: Sequence[Told]) -> dict[str, list[Told]]:
    """The answers by intent, with their number, the most frequent first."""
    kinds = sorted({entry.intent for entry in told})
    found = {kind: [entry for entry in told if entry.intent == kind] for kind in kinds}
    return {f"{kind} ({len(entries)})": entries for kind, entries in sorted(found.items(), key=lambda pair: -len(pair[1]))}


def measure(directory: Path, texts: Texts, encoder: TextEncoder, reader: Reader | None, had: int, n_lines: int) -> list[Told]:
    """Let a memory of `had` lines grow to so many (whole thousands), and ask it."""
    n_hours = n_lines // LINES_PER_HOUR
    grow(directory, texts, had // LINES_PER_HOUR, n_hours - had // LINES_PER_HOUR, "ivf_sq8")
    memory = LongTermMemory(encoder, str(directory), read_only=True)
    memory.start()
    try:
        recall = HybridRecall(memory, encoder, Extractive(encoder), reader=reader)
        return timings(recall, [*_KINDS * 3, *texts.questions[::4]], n_hours)
    finally:
        memory.stop()


def main() -> None:
    """Parse options, measure, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of QMSum's meetings")
    parser.add_argument("--lines", type=int, nargs="+", default=[1000, 10_000, 100_000], help="sizes, in whole thousands")
    parser.add_argument("--encoder", default="stages.memory.mpnet.Mpnet", help="the class of the text encoder")
    parser.add_argument("--no-reader", action="store_true", help="likeness and words alone tell what answers")
    parser.add_argument("--folder", type=Path, help="where the memory is made and vectors are kept; default: a temporary folder")
    options = parser.parse_args()
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        # As the command sets it for itself; numpy is loaded by now, and reads it only then.
        os.execve(sys.executable, [sys.executable, "-m", "tools.recall_speed", *sys.argv[1:]], {**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    keep_freed_memory()  # as the command does
    sizes = sorted({max(1, size // LINES_PER_HOUR) * LINES_PER_HOUR for size in options.lines})
    found: dict[str, list[Told]] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        encoder: TextEncoder = pkgutil.resolve_name(options.encoder)()
        texts = embedded(options.data, options.folder or Path(name), encoder)
        encoder.start()
        reader = None if options.no_reader else MpnetReader()
        if reader is not None:
            reader.start()
        try:
            for had, n_lines in zip([0, *sizes], sizes, strict=False):
                found[str(n_lines)] = measure(Path(name) / "memory", texts, encoder, reader, had, n_lines)
                sys.stderr.write(f"{n_lines} lines asked, load {os.getloadavg()[0]:.1f}\n")
        finally:
            encoder.stop()
            if reader is not None:
                reader.stop()
    largest = by_kind(found[str(sizes[-1])])
    judged = f"{encoder.name}, {'no' if reader is None else reader.name} reader."
    kinds = f"Of {sizes[-1]} lines, by kind of question:\n\n{table(largest, 'kind')}"
    sys.stdout.write(f"{judged}\n\n{table(found, 'lines')}\n\n{kinds}\n")


if __name__ == "__main__":
    main()
