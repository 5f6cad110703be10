"""Two replays of one session give the same memories, bit for bit."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.integration.conftest import ROOT, echoic

CLIP = ROOT / "tests" / "sessions" / "two_talkers.flac"


def contents(memory: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, and the bytes of every line's audio."""
    with sqlite3.connect(memory / "memory.sqlite") as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        tables: dict[str, list[tuple[object, ...]]] = {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names
        }
    tables["audio"] = [(str(path.relative_to(memory)), path.read_bytes()) for path in sorted(memory.glob("lines/**/*.flac"))]
    return tables


@pytest.mark.usefixtures("weights")
def test_two_replays_give_the_same_memory_bit_for_bit(tmp_path: Path) -> None:
    made = []
    memory = tmp_path / "memory"
    for _ in range(2):
        echoic("replay", CLIP, "--array", "uma8", "--memory", memory, "--started-at", "2026-11-22T10:00:00+01:00")
        made.append(contents(memory))
        shutil.rmtree(memory)
    assert made[0]["lines"]
    assert made[0]["audio"]
    assert made[0].keys() == made[1].keys()
    for table, rows in made[0].items():
        assert rows == made[1][table], table
