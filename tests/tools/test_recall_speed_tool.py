from __future__ import annotations

from tools.recall_speed import PARTS, Told, by_kind, table


def told(intent: str, *times_ms: float) -> list[Told]:
    return [Told(intent, dict.fromkeys(PARTS, time_ms), 10.0 * time_ms) for time_ms in times_ms]


def test_the_table_has_percentiles_of_every_part_and_of_the_processor_by_size() -> None:
    lines = table({"1000": told("what", 1.0, 2.0, 3.0)}, "lines").splitlines()
    assert lines[0].startswith("| lines | parse, p50 / p95 ms |")
    assert lines[-1] == "| 1000 | 2 / 3 | 2 / 3 | 2 / 3 | 2 / 3 | 2 / 3 | 20 / 29 |"


def test_kinds_are_told_by_how_often_they_were_asked() -> None:
    found = by_kind([*told("when", 1.0), *told("what", 2.0, 3.0)])
    assert {kind: [entry.timing_ms["total"] for entry in entries] for kind, entries in found.items()} == {
        "what (2)": [2.0, 3.0],
        "when (1)": [1.0],
    }
    assert list(found) == ["what (2)", "when (1)"]
