from __future__ import annotations

from tools.recall_speed import PARTS, table


def test_the_table_has_percentiles_of_every_part_by_size() -> None:
    told = table({1000: {part: [1.0, 2.0, 3.0] for part in PARTS}}).splitlines()
    assert told[-1] == "| 1000 | 2 / 3 | 2 / 3 | 2 / 3 | 2 / 3 | 2 / 3 |"
