"""The measurement of a memory's size as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.memory_scale_lines import LINES_PER_HOUR

Row = Mapping[str, Any]
_FILTERS = ("no filter", "time", "speaker", "bearing", "at", "time, speaker, bearing, at")


def table(results: Sequence[Row]) -> str:
    """One column for each size. Milliseconds are p50 / p95 on the wall, and in brackets p95 on the processor."""
    lines: list[tuple[str, Callable[[Row], str]]] = [
        ("ingest with index, lines/s (of processor time)", lambda row: f"{row['ingest_per_s']:,.0f} ({row['ingest_per_cpu_s']:,.0f})"),
        ("slowest hour of the ingest (training), s", lambda row: f"{row['slowest_hour_s']:.1f}"),
        ("sleep, for an hour of speech, ms (processor)", lambda row: f"{row['sleep_ms']:.0f} ({row['sleep_cpu_ms']:.0f})"),
        ("open, s; with the first answer", lambda row: f"{row['open_s']:.2f}; {row['open_and_first_answer_s']:.2f}"),
        ("dense, k = 10, ms", lambda row: _latency(row["dense"])),
        ("dense recall@10 against flat", lambda row: f"{row['dense']['recall']:.3f}"),
        ("words, ms", lambda row: _latency(row["words"])),
        ("words, hostile text, ms", lambda row: _latency(row["hostile words"])),
        *((f"hybrid, {name}, ms", lambda row, name=name: _latency(row[name])) for name in _FILTERS),
        ("RAM of a process that asks, MiB", lambda row: f"{row['ram_bytes'] / 2**20:,.0f}"),
        ("disk a line: database + index, bytes", lambda row: f"{row['database_bytes'] / row['lines']:,.0f} + {_index_bytes(row):,.0f}"),
        (f"disk an hour ({LINES_PER_HOUR:,} lines), MiB", lambda row: f"{LINES_PER_HOUR * _line_bytes(row) / 2**20:.2f}"),
        ("next hour, a line, ms (processor)", lambda row: f"{row['next_line_ms']:.2f} ({row['next_line_cpu_ms']:.2f})"),
        ("next hour, a question, ms (processor)", lambda row: f"{row['next_question_ms']:.1f} ({row['next_question_cpu_ms']:.1f})"),
        (
            "next hour on the processor: lines, events, end, sleep, ms",
            lambda row: ", ".join(f"{row[f'next_{what}_cpu_ms']:.0f}" for what in ("lines", "events", "end", "sleep")),
        ),
        ("next hour whole (without questions), s (processor)", lambda row: f"{row['next_hour_s']:.2f} ({row['next_hour_cpu_s']:.2f})"),
        *((f"{kind}: ms; recall@10; build s", lambda row, kind=kind: _baseline(row, kind)) for kind in ("flat", "hnsw", "ivf_pq")),
    ]
    head = "| | " + " | ".join(f"{row['lines']:,} lines" for row in results) + " |\n"
    rule = "|---|" + "---:|" * len(results) + "\n"
    return head + rule + "".join(f"| {name} | " + " | ".join(cell(row) for row in results) + " |\n" for name, cell in lines)


def _latency(value: Row) -> str:
    return f"{value['p50']:.1f} / {value['p95']:.1f} ({value['cpu_p95']:.1f})"


def _index_bytes(row: Row) -> float:
    return float(row["index_bytes"]) / float(row["lines"])


def _line_bytes(row: Row) -> float:
    return float(row["database_bytes"]) / float(row["lines"]) + _index_bytes(row)


def _baseline(row: Row, kind: str) -> str:
    if kind not in row:
        return "not built"
    return f"{_latency(row[kind])}; {row[kind]['recall']:.3f}; {row[kind]['build_s']:.0f}"
