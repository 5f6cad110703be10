"""How a memory behaves as it grows: ingest, retrieval, recall, RAM, disk, opening and the cost of the next hour at each size.

    python -m tools.memory_scale --texts QMSUM --folder WHERE --sizes 10000,100000,1000000

prints a Markdown table. One memory grows from size to size; what is asked runs in a process of its own, whose RAM is counted.
Embedding is left out: vectors are made in advance. At every size half of the lines are old enough for their vectors to be recompressed, so
that each further hour lets one more hour grow old, as it is in any memory that has been listening for longer than that. Times are
wall-clock and, beside them, of the processor: a machine that others use too is judged by the latter.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from pipeline.packets import NS_PER_S, Event, Float32Array
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.rows import LineRow, SessionRow
from stages.memory.sleeping.sleep import sleep
from stages.memory.sleeping.sleep_steps import Ageing, sleep_steps
from stages.memory.tables.row_writer import utc_ns
from stages.memory.vectors.vector_index import IndexKind
from tools.memory_scale_lines import LINES_PER_HOUR, Texts, begun, embedded, session_lines
from tools.memory_scale_questions import Known, ask_all

_LINES_PER_EVENT = 40
_HOURS_PER_SLEEP = 10
_NEXT_QUESTIONS = 20
_BASELINES: tuple[IndexKind, ...] = ("flat", "ivf_pq", "hnsw")


@dataclass
class Clock:
    """Wall-clock and processor time since it was made, in seconds."""

    def __post_init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Seconds on the wall and on the processor."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def events_of(session: str, rows: Sequence[LineRow], vectors: Float32Array) -> list[Event]:
    """Events of 40 lines each."""
    return [
        Event(
            pts_ns=part[0].start_ns,
            duration_ns=part[-1].end_ns - part[0].start_ns,
            name=f"e{first:05d}",
            lines=tuple(row.id.removeprefix(f"{session}-") for row in part),
            tracks=tuple(sorted({row.track for row in part})),
            reason="topic changed",
            surprise=2.0,
            summary=part[0].text,
            embedding=vectors[first].copy(),
        )
        for first in range(0, len(rows), _LINES_PER_EVENT)
        for part in [rows[first : first + _LINES_PER_EVENT]]
    ]


def store_hour(memory: LongTermMemory, texts: Texts, number: int) -> tuple[float, float]:
    """Put an hour into a memory as an import does: what that took."""
    session, rows, vectors = session_lines(texts, number)
    events = events_of(session, rows, vectors)
    clock = Clock()
    memory.begin_session(SessionRow(session, "made", begun(number), 3600 * NS_PER_S, "none", complete=False))
    memory.add_rows(session, rows, vectors, rows[-1].end_ns)
    memory.add_events(session, events)
    memory.tend_index()
    memory.finish_session(session, 3600 * NS_PER_S)
    return clock.read()


def slept(memory: LongTermMemory, number: int, n_hours: int) -> tuple[float, float]:
    """Sleep until nothing is left to do, in the hour after an hour, in a memory that grows to so many hours: what that took."""
    clock = Clock()
    old = (begun(n_hours) - begun(0)) / 2
    sleep(memory, sleep_steps(ageing=Ageing(recompress_after_days=old / timedelta(days=1))), utc_ns(begun(number) + timedelta(hours=1)))
    return clock.read()


def grow(directory: Path, texts: Texts, first: int, n_hours: int, index: IndexKind) -> dict[str, float]:
    """Add hours to a memory; lines a second, the slowest hour, and milliseconds to consolidate one."""
    memory = LongTermMemory(Known(texts), str(directory), index=index)
    memory.start()
    stored, asleep = [], []
    for number in range(first, first + n_hours):
        stored.append(store_hour(memory, texts, number))
        if number % _HOURS_PER_SLEEP == _HOURS_PER_SLEEP - 1 or number == first + n_hours - 1:
            asleep.append(slept(memory, number, first + n_hours))
        if number % 100 == 99:
            sys.stderr.write(f"{number + 1} hours\n")
    memory.stop()
    n_lines = n_hours * LINES_PER_HOUR
    return {
        "ingest_per_s": n_lines / sum(wall for wall, _ in stored),
        "ingest_per_cpu_s": n_lines / sum(cpu for _, cpu in stored),
        "slowest_hour_s": max(wall for wall, _ in stored),
        "sleep_ms": 1e3 * sum(wall for wall, _ in asleep) / n_hours,
        "sleep_cpu_ms": 1e3 * sum(cpu for _, cpu in asleep) / n_hours,
    }


def next_hour(directory: Path, texts: Texts, number: int, index: IndexKind) -> dict[str, float]:
    """One more hour, line by line as it is heard, with its events and its sleep, and questions in between: what each took."""
    session, rows, vectors = session_lines(texts, number)
    events = events_of(session, rows, vectors)
    memory = LongTermMemory(Known(texts), str(directory), index=index)
    memory.start()
    ask_all(memory, Known(texts), texts.questions[:3], number)
    memory.granules.search(vectors[0], 1, "event")
    memory.begin_session(SessionRow(session, "made", begun(number), 0, "none", complete=False))
    spent = {"lines": [0.0, 0.0], "events": [0.0, 0.0], "questions": [0.0, 0.0], "end": [0.0, 0.0], "sleep": [0.0, 0.0]}

    def counted(what: str, clock: Clock) -> None:
        for place, seconds in enumerate(clock.read()):
            spent[what][place] += seconds

    every = len(rows) // _NEXT_QUESTIONS
    for place, row in enumerate(rows):
        clock = Clock()
        memory.add_rows(session, [row], vectors[place : place + 1], row.end_ns)
        counted("lines", clock)
        if place % _LINES_PER_EVENT == _LINES_PER_EVENT - 1:
            clock = Clock()
            memory.add_event(session, events[place // _LINES_PER_EVENT])
            counted("events", clock)
        if place % every == every - 1:
            clock = Clock()
            ask_all(memory, Known(texts), [texts.questions[place // every]], number)
            counted("questions", clock)
    clock = Clock()
    memory.finish_session(session, 3600 * NS_PER_S)
    counted("end", clock)
    for place, seconds in enumerate(slept(memory, number, number)):
        spent["sleep"][place] += seconds
    memory.stop()
    kept = [spent[what] for what in ("lines", "events", "end", "sleep")]
    return {f"next_{what}_cpu_ms": 1e3 * cpu for what, (_, cpu) in spent.items()} | {
        "next_hour_s": sum(wall for wall, _ in kept),
        "next_hour_cpu_s": sum(cpu for _, cpu in kept),
        "next_line_ms": 1e3 * spent["lines"][0] / len(rows),
        "next_line_cpu_ms": 1e3 * spent["lines"][1] / len(rows),
        "next_question_ms": 1e3 * spent["questions"][0] / _NEXT_QUESTIONS,
        "next_question_cpu_ms": 1e3 * spent["questions"][1] / _NEXT_QUESTIONS,
    }


def disk_bytes(directory: Path) -> dict[str, int]:
    """Bytes of the database and of the index."""
    sizes = {path: path.stat().st_size for path in directory.rglob("*") if path.is_file()}
    return {
        "database_bytes": sum(size for path, size in sizes.items() if path.name.startswith("memory.sqlite")),
        "index_bytes": sum(size for path, size in sizes.items() if path.parent.name == "index"),
    }


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Grow a memory from size to size and measure it at each."""
    texts = embedded(options.texts, options.folder, MinilmOnnx())
    directory = options.folder / "scale-memory"
    shutil.rmtree(directory, ignore_errors=True)
    results: list[dict[str, Any]] = []
    n_hours = 0
    try:
        for size in options.sizes:
            wanted = size // LINES_PER_HOUR
            row: dict[str, Any] = {"lines": size, **grow(directory, texts, n_hours, wanted - n_hours, options.index)}
            n_hours = wanted
            row |= disk_bytes(directory)
            command = [sys.executable, "-m", "tools.memory_scale_questions", "--texts", str(options.texts), "--folder", str(options.folder)]
            command += ["--memory", str(directory), "--hours", str(n_hours), "--baselines", *_baselines(options, size)]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            row |= json.loads(told.stdout)
            row |= next_hour(directory, texts, n_hours, options.index)
            n_hours += 1
            results.append(row)
            sys.stderr.write(f"{json.dumps(row)}\n")
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    return results


def _baselines(options: argparse.Namespace, size: int) -> list[IndexKind]:
    return [kind for kind in _BASELINES if kind != "hnsw" or size <= options.hnsw_most]


def main() -> None:
    """Parse options, measure, print."""
    from tools.memory_scale_table import table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, required=True, help="the folder of QMSum's meetings (.json)")
    parser.add_argument("--folder", type=Path, required=True, help="where vectors are cached and the memory is made: 4 GB a million lines")
    parser.add_argument("--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--index", choices=get_args(IndexKind), default="ivf_sq8", help="the kind of index of the memory")
    parser.add_argument("--hnsw-most", type=int, default=100_000, help="build HNSW for comparison up to this size: a ms a line")
    parser.add_argument("--keep", action="store_true", help="leave the memory there")
    options = parser.parse_args()
    sys.stdout.write(table(measure(options)))


if __name__ == "__main__":
    main()
