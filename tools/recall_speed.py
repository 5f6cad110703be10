"""How long a question takes, part by part, over memories of several sizes, with the extractive answerer: a markdown table.

    python -m tools.recall_speed --data ../shared/data/qmsum --lines 1000 10000 100000

The memories are those of `tools/memory_scale.py`: texts of real meetings, their vectors slightly moved. Questions are encoded for real.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from stages.answer.extractive import Extractive
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.recall.hybrid_recall import HybridRecall
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


def timings(recall: HybridRecall, questions: Sequence[str], n_hours: int) -> dict[str, list[float]]:
    """Milliseconds of each part, by part, of questions that are asked when the last hour has been heard."""
    now = begun(n_hours - 1) + timedelta(hours=1)
    recall.ask(questions[0], now=now)
    told = [recall.ask(question, now=now).timing_ms for question in questions]
    return {part: [entry[part] for entry in told] for part in PARTS}


def table(found: dict[int, dict[str, list[float]]]) -> str:
    """Markdown: p50 / p95 in milliseconds of each part, by the number of lines."""
    lines = [f"| lines | {' | '.join(f'{part}, p50 / p95 ms' for part in PARTS)} |", f"|---:|{'---:|' * len(PARTS)}"]
    for n_lines, parts in found.items():
        cells = [f"{np.percentile(parts[part], 50):.0f} / {np.percentile(parts[part], 95):.0f}" for part in PARTS]
        lines.append(f"| {n_lines} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measure(directory: Path, texts: Texts, encoder: MinilmOnnx, n_lines: int) -> dict[str, list[float]]:
    """Make a memory of so many lines (whole thousands) in a directory, and ask it."""
    n_hours = max(1, n_lines // LINES_PER_HOUR)
    grow(directory, texts, 0, n_hours, "ivf_sq8")
    memory = LongTermMemory(encoder, str(directory), read_only=True)
    memory.start()
    try:
        return timings(HybridRecall(memory, encoder, Extractive(encoder)), [*_KINDS * 3, *texts.questions[::4]], n_hours)
    finally:
        memory.stop()


def main() -> None:
    """Parse options, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="the folder of QMSum's meetings")
    parser.add_argument("--lines", type=int, nargs="+", default=[1000, 10_000, 100_000], help="sizes, in whole thousands")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = embedded(options.data, folder, MinilmOnnx())
        encoder = MinilmOnnx()
        encoder.start()
        try:
            found = {n_lines: measure(folder / str(n_lines), texts, encoder, n_lines) for n_lines in options.lines}
        finally:
            encoder.stop()
    sys.stdout.write(table(found) + "\n")


if __name__ == "__main__":
    main()
