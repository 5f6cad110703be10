"""The stores of a memory in what the daemon says of itself."""

from __future__ import annotations

from pathlib import Path

from pipeline.app.health import Health
from pipeline.packets import NS_PER_S
from stages.memory.bounds import Bounds
from stages.memory.disk.keep_bounds import KeepBounds
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory.made import ENCODER, line, session_row


def test_stores_and_their_bounds_stand_in_the_metrics(tmp_path: Path) -> None:
    health = Health()
    assert health.report()["over_bounds"] == []
    assert b"echoic_store_bytes{" not in health.metrics_text()
    memory = LongTermMemory(ENCODER, str(tmp_path), bounds=Bounds(line_audio_bytes=100, database_bytes="1 GB"))
    memory.start()
    memory.begin_session(session_row())
    memory.add_lines("s1", [line("ferry", 1)], NS_PER_S)
    health.watches(memory.space.figures)
    memory.space.used()
    text = health.metrics_text().decode()
    assert 'echoic_store_bound_bytes{store="database"} 1e+09' in text
    assert 'echoic_store_bytes{store="line_audio"} 0.0' not in text
    assert health.report()["over_bounds"] == ["line_audio"]
    step = KeepBounds()
    assert step.work(memory, 0, 10) == 1
    assert step.work(memory, 0, 10) == 0
    assert health.report()["over_bounds"] == []
    memory.stop()
