"""A memory as an older version left it: rows in the tables of then, not written by the code of now."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from pipeline.packets import NS_PER_S
from stages.memory.memory_settings import MemorySettings
from stages.memory.tables import row_writer, schema
from tests.stages.memory.made import ENCODER, STARTED_AT


def made_older(root: Path, before: str, texts: Sequence[str]) -> list[str]:
    """A memory without the migration `before` and later ones, with an event of one line for each text; the events' ids.

    Each event lasts a second, and begins ten seconds after the one before.
    """
    names = [name for name, _ in schema.MIGRATIONS]
    with patch.object(schema, "MIGRATIONS", schema.MIGRATIONS[: names.index(before)]):
        database = sqlite3.connect(root / "memory.sqlite", isolation_level=None)
        schema.migrate(database, "here")
    started_ns = row_writer.utc_ns(STARTED_AT)
    database.execute(
        "INSERT INTO sessions (id, source, started_at, started_at_ns, duration_ns, array, complete, graph, longest_line_ns)"
        " VALUES ('s1', 'x', ?, ?, 0, 'mono', 0, '', ?)",
        (STARTED_AT.isoformat(), started_ns, NS_PER_S),
    )
    database.execute("INSERT INTO tracks (session, track, speaker) VALUES ('s1', 't1', 'Ann')")
    for place, text in enumerate(texts):
        start_ns, vector = 10 * place * NS_PER_S, ENCODER.encode([text])[0].astype("<f4").tobytes()
        times = (start_ns, start_ns + NS_PER_S, started_ns + start_ns + NS_PER_S)
        line = f"s1-t1-{start_ns // 10**6:08d}"
        cursor = database.execute(
            "INSERT INTO lines (id, session, track, start_ns, end_ns, ended_at_ns, text, words, confidence, language, clip_start_ns)"
            " VALUES (?, 's1', 't1', ?, ?, ?, ?, '[]', 1, 'en', 0)",
            (line, *times, text),
        )
        database.execute("INSERT INTO vectors (n, vector) VALUES (?, ?)", (cursor.lastrowid, vector))
        database.execute(
            "INSERT INTO events (id, session, level, start_ns, end_ns, ended_at_ns, surprise, reason, tracks, summary, vector)"
            " VALUES (?, 's1', 'event', ?, ?, ?, 1.0, 'x', '[\"t1\"]', ?, ?)",
            (f"s1-e{place}", *times, text, vector),
        )
        database.execute("INSERT INTO event_lines (line, event) VALUES (?, ?)", (line, f"s1-e{place}"))
    database.close()
    MemorySettings(ENCODER.name, ENCODER.dimension, "flat").save(root)
    return [f"s1-e{place}" for place in range(len(texts))]
