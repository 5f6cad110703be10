"""Questions to a large memory, in a process of its own: latencies, recall, RAM and the time to open, as JSON."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args
from zlib import crc32

import numpy as np

from pipeline.packets import Float32Array, nanoseconds
from stages.memory.long_term_memory import LongTermMemory
from stages.memory.minilm_onnx import MinilmOnnx
from stages.memory.tables import row_reader
from stages.memory.tables.database import Database
from stages.memory.text_encoder import TextEncoder
from stages.memory.vectors.vector_index import Batch, IndexKind, VectorIndex, make_index
from stages.recall.scope import Scope
from stages.recall.search import Searcher
from stages.recall.time_phrase import Window
from tools.memory_scale_lines import LINES_PER_HOUR, Texts, begun, embedded

_K = 10
_HOSTILE = (
    'NEAR("meeting" "project", 3) AND text:budget* OR NOT ^remote',
    "'; DROP TABLE lines; --  \x00\x01 \x7f \ud800 the the the",
    "yeah okay so um right well I mean you know",
    "会议 讨论 الاجتماع совещание réunion συνάντηση" * 20,
    " ".join(f"word{number} meeting" for number in range(2000)),
)


class Known(TextEncoder):
    """Vectors that were made in advance, by text (some line's for any other text): embedding is not what is measured."""

    def __init__(self, texts: Texts) -> None:
        self.name = texts.encoder
        self.dimension = texts.line_vectors.shape[1]
        self._vectors = dict(zip(texts.questions, texts.question_vectors, strict=True))
        self._others = texts.line_vectors

    def encode(self, texts: Sequence[str]) -> Float32Array:
        """Float32, shape (len(texts), dimension)."""
        return np.stack([self._vectors.get(text, self._others[crc32(text.encode()) % len(self._others)]) for text in texts])


def scopes(memory: LongTermMemory, n_hours: int) -> dict[str, tuple[Scope, datetime | None]]:
    """The filters that questions are asked with, by name, each with its moment: about the middle of the memory."""
    sessions = {row.id: row for row in memory.sessions()}
    spans = {name: (0, nanoseconds(3600.0)) for name in sessions}
    middle = n_hours // 2
    start = begun(middle)
    window = Window(start=start, end=start + timedelta(hours=1), phrase="in that hour")
    hour = {name: span for name, span in spans.items() if sessions[name].started_at == start}
    everything = Scope(spans=spans, sessions=sessions)
    return {
        "no filter": (everything, None),
        "time": (Scope(spans=hour, sessions=sessions, window=window), None),
        "speaker": (Scope(spans=spans, sessions=sessions, speaker="Ben"), None),
        "bearing": (Scope(spans=spans, sessions=sessions, azimuth_deg=100.0), None),
        "at": (everything, start),
        "time, speaker, bearing, at": (
            Scope(spans=hour, sessions=sessions, window=window, speaker="Ben", azimuth_deg=100.0),
            start + timedelta(minutes=40),
        ),
    }


def ask_all(memory: LongTermMemory, encoder: TextEncoder, questions: Iterable[str], n_hours: int) -> None:
    """Whole hybrid retrievals without a filter."""
    scope, at = scopes(memory, n_hours)["no filter"]
    for question in questions:
        ask(memory, encoder, question, scope, at)


def ask(memory: LongTermMemory, encoder: TextEncoder, question: str, scope: Scope, at: datetime | None) -> None:
    """One hybrid retrieval: by meaning, by words, filtered, with neighbours."""
    Searcher(memory, encoder, at).search(question, question, scope)


def timed(calls: Iterable[Callable[[], Any]]) -> dict[str, float]:
    """Milliseconds of calls: p50 and p95 on the wall, p95 on the processor."""
    wall, cpu = [], []
    for call in calls:
        began, used = time.perf_counter(), time.thread_time()
        call()
        wall.append(1e3 * (time.perf_counter() - began))
        cpu.append(1e3 * (time.thread_time() - used))
    return {"p50": float(np.percentile(wall, 50)), "p95": float(np.percentile(wall, 95)), "cpu_p95": float(np.percentile(cpu, 95))}


def ram_bytes() -> int:
    """What this process holds in RAM."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))


def measure(directory: Path, texts: Texts, n_hours: int, baselines: Sequence[IndexKind]) -> dict[str, Any]:
    """Everything that is asked of one memory."""
    encoder = Known(texts)
    vectors = texts.question_vectors
    before = ram_bytes()
    memory = LongTermMemory(encoder, str(directory), read_only=True)
    began = time.perf_counter()
    memory.start()
    result: dict[str, Any] = {"open_s": time.perf_counter() - began}
    memory.search_dense(vectors[0], _K)
    result["open_and_first_answer_s"] = time.perf_counter() - began
    hits = [memory.search_dense(vector, _K) for vector in vectors]
    result["dense"] = timed(partial(memory.search_dense, vector, _K) for vector in vectors)
    result["words"] = timed(partial(memory.search_words, text, 200) for text in texts.questions)
    result["hostile words"] = timed(partial(memory.search_words, text, 200) for text in _HOSTILE * 4)
    for name, (scope, at) in scopes(memory, n_hours).items():
        result[name] = timed(partial(ask, memory, encoder, text, scope, at) for text in texts.questions)
    result["ram_bytes"] = ram_bytes() - before
    memory.stop()
    exact: list[set[int]] = []
    for kind in baselines:
        index, built_s = _built(directory, kind, encoder.dimension)
        found = [{row for row, _ in index.search(vector, _K)} for vector in vectors]
        exact = exact or found
        result[kind] = timed(partial(index.search, vector, _K) for vector in vectors)
        result[kind]["recall"] = _recall(found, exact)
        result[kind]["build_s"] = built_s
        result[kind]["ram_bytes"] = ram_bytes() - before
        del index
    result["dense"]["recall"] = _recall([_rows(directory, [hit.line for hit in found]) for found in hits], exact)
    return result


def _built(directory: Path, kind: IndexKind, dimension: int) -> tuple[VectorIndex, float]:
    index = make_index(None, kind, dimension)
    index.open(dict[int, Batch]().get)
    began = time.perf_counter()
    database = Database(directory / "memory.sqlite", read_only=True)
    database.open()
    with database.reading() as connection:
        for batch in row_reader.vector_batches(connection, 0):
            index.catch_up(iter([batch]))
            index.tend()
    database.close()
    return index, time.perf_counter() - began


def _rows(directory: Path, names: list[str]) -> set[int]:
    database = Database(directory / "memory.sqlite", read_only=True)
    database.open()
    with database.reading() as connection:
        marks = ",".join("?" * len(names))
        found = {row[0] for row in connection.execute(f"SELECT n FROM lines WHERE id IN ({marks})", names)}
    database.close()
    return found


def _recall(found: list[set[int]], exact: list[set[int]]) -> float:
    return float(np.mean([len(mine & best) / max(len(best), 1) for mine, best in zip(found, exact, strict=True)]))


def main() -> None:
    """Parse options, measure, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--hours", type=int, required=True)
    parser.add_argument("--baselines", nargs="+", choices=get_args(IndexKind), default=["flat"])
    options = parser.parse_args()
    texts = embedded(options.texts, options.folder, MinilmOnnx())
    result = measure(options.memory, texts, options.hours, options.baselines)
    sys.stdout.write(json.dumps({**result, "hours": options.hours, "lines_per_hour": LINES_PER_HOUR}))


if __name__ == "__main__":
    main()
