"""Statements that change the tables of a memory. Every one may be repeated: the second time changes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.packets import Event, Float32Array
from stages.memory.rows import GapRow, LineRow, SessionRow
from stages.memory.tables import line_checksums, provenance
from stages.memory.vectors.vector_codec import as_float32

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NS = 2**63 - 1
# One for all: json.dumps makes another for each line.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_INSERT_LINE = """
INSERT INTO lines (id, session, track, start_ns, end_ns, ended_at_ns, azimuth_deg, elevation_deg, text, words, confidence, language,
                   copy_of, clip, clip_start_ns, heard_ns)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""


def utc_ns(moment: datetime) -> int:
    """Nanoseconds since 1970 in UTC, exact; the moment must carry its UTC offset. One beyond 64 bits is the last that they hold."""
    since = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
    return max(-_MOST_NS, min(since, _MOST_NS))


def add_session(connection: sqlite3.Connection, row: SessionRow) -> None:
    """Make a session; one that is there already stays as it is."""
    connection.execute(
        "INSERT INTO sessions (id, source, started_at, started_at_ns, duration_ns, array, complete, graph, version)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            row.id,
            row.source,
            row.started_at.isoformat(),
            utc_ns(row.started_at),
            row.duration_ns,
            row.array,
            int(row.complete),
            row.graph,
            provenance.version(),
        ),
    )


def drop_empty_session(connection: sqlite3.Connection, session: str) -> None:
    """Take out a session in which nothing was said, with whatever was noted of it. SQLite refuses where it has lines or events."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    for table in tables:
        for key in connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall():
            if key[2] == "sessions" and table not in ("lines", "events"):
                connection.execute(f'DELETE FROM "{table}" WHERE "{key[3]}" = ?', (session,))
    connection.execute("DELETE FROM sessions WHERE id = ?", (session,))


def correct_start(connection: sqlite3.Connection, session: str, started_at: datetime) -> None:
    """Move a session to when it really began, with everything in it."""
    shift = "(SELECT ? - started_at_ns FROM sessions WHERE id = ?)"
    start_ns = utc_ns(started_at)
    for table in ("lines", "events", "sounds", "prototypes"):
        connection.execute(f"UPDATE {table} SET ended_at_ns = ended_at_ns + {shift} WHERE session = ?", (start_ns, session, session))
    connection.execute("UPDATE sessions SET started_at = ?, started_at_ns = ? WHERE id = ?", (started_at.isoformat(), start_ns, session))


def add_lines(
    connection: sqlite3.Connection, session: str, rows: Sequence[LineRow], vectors: Float32Array, audio: Mapping[str, int] | None = None
) -> list[str]:
    """Add lines of one session that are not there yet; the ids of those that were added. `audio` has the CRC-32 of their files, by id."""
    started, longest = connection.execute("SELECT started_at_ns, longest_line_ns FROM sessions WHERE id = ?", (session,)).fetchone()
    cursor = connection.cursor()
    added, blobs = [], []
    for row, vector in zip(rows, vectors, strict=True):
        cursor.execute(
            _INSERT_LINE,
            (
                row.id,
                session,
                row.track,
                row.start_ns,
                row.end_ns,
                started + row.end_ns,
                row.azimuth_deg,
                row.elevation_deg,
                row.text,
                _words(row),
                row.confidence,
                row.language,
                row.copy_of,
                row.clip,
                row.clip_start_ns,
                row.heard_ns,
            ),
        )
        if cursor.rowcount:
            added.append(row)
            blobs.append((cursor.lastrowid, as_float32(vector)))
            longest = max(longest, row.end_ns - row.start_ns)
    connection.executemany("INSERT INTO vectors (n, vector) VALUES (?, ?)", blobs)
    line_checksums.add(connection, {row: blob for row, blob in blobs if row is not None}, audio or {})
    connection.execute("UPDATE sessions SET longest_line_ns = ? WHERE id = ?", (longest, session))
    _name_speakers(connection, session, added)
    return [row.id for row in added]


def name_tracks(connection: sqlite3.Connection, session: str, speakers: Mapping[str, str | None]) -> None:
    """Say who speaks on which track; a name that is there already stays."""
    connection.executemany(
        "INSERT INTO tracks (session, track, speaker) VALUES (?, ?, ?)"
        " ON CONFLICT (session, track) DO UPDATE SET speaker = coalesce(speaker, excluded.speaker)",
        [(session, track, speaker) for track, speaker in speakers.items()],
    )


def add_event(connection: sqlite3.Connection, session: str, event: Event) -> None:
    """Add an event and claim its lines; one with the same name is replaced.

    Whoever asks as of a moment sees it once the packet has ended: `extra["end_ns"]` is when its last words did, `extra["made_by"]`
    says what made it.
    """
    started = connection.execute("SELECT started_at_ns FROM sessions WHERE id = ?", (session,)).fetchone()[0]
    name = f"{session}-{event.name}"
    connection.execute(
        "INSERT INTO events (id, session, level, start_ns, end_ns, ended_at_ns, surprise, reason, tracks, summary, vector, maker)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET level = excluded.level, start_ns = excluded.start_ns,"
        " end_ns = excluded.end_ns, ended_at_ns = excluded.ended_at_ns, surprise = excluded.surprise, reason = excluded.reason,"
        " tracks = excluded.tracks, summary = excluded.summary, vector = excluded.vector,"
        " maker = excluded.maker",
        (
            name,
            session,
            event.level,
            event.pts_ns,
            event.extra.get("end_ns", event.end_ns),
            started + event.end_ns,
            event.surprise,
            event.reason,
            json.dumps(list(event.tracks)),
            event.summary,
            event.embedding.astype("<f4").tobytes(),
            provenance.maker(connection, event.extra.get("made_by", "")),
        ),
    )
    parts = [f"{session}-{part}" for part in event.extra.get("parts", ())]
    if event.level == "day":
        # A day is made of the episodes that its events are in; an episode that goes past midnight is the first day's.
        connection.executemany(
            "UPDATE events SET parent = :day WHERE id = (SELECT coalesce(parent, id) FROM events WHERE id = :part) AND parent IS NULL",
            [{"day": name, "part": part} for part in parts],
        )
    else:
        connection.executemany("UPDATE events SET parent = ? WHERE id = ?", [(name, part) for part in parts])
    if event.level == "event":
        connection.executemany(
            "INSERT INTO event_lines (line, event) VALUES (?, ?) ON CONFLICT (line) DO UPDATE SET event = excluded.event",
            [(f"{session}-{key}", name) for key in event.lines],
        )


def add_gap(connection: sqlite3.Connection, row: GapRow) -> None:
    """Note a stretch that was lost."""
    connection.execute(
        "INSERT INTO gaps (session, start_ns, end_ns, reason) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (row.session, row.start_ns, row.end_ns, row.reason),
    )


def add_positions(connection: sqlite3.Connection, session: str, rows: Sequence[tuple[str, int, float, float | None]]) -> None:
    """Note where tracks were: (track, time_ns, azimuth_deg, elevation_deg)."""
    name_tracks(connection, session, dict.fromkeys(row[0] for row in rows))
    connection.executemany(
        "INSERT INTO positions (session, track, time_ns, azimuth_deg, elevation_deg) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(session, *row) for row in rows],
    )


def set_passed(connection: sqlite3.Connection, session: str, passed_ns: int) -> None:
    """All lines that end before `passed_ns` are stored. It never goes back."""
    connection.execute("UPDATE sessions SET passed_ns = max(passed_ns, ?) WHERE id = ?", (passed_ns, session))


def drop_torn_events(connection: sqlite3.Connection) -> int:
    """Take back events that were stored before all of their lines were, in sessions that were cut short; how many."""
    # CROSS JOIN keeps the order: the few sessions that were cut short come first, however large the memory is.
    torn = """
        SELECT DISTINCT e.id FROM sessions s CROSS JOIN events e ON e.session = s.id CROSS JOIN event_lines m ON m.event = e.id
        WHERE s.complete = 0 AND NOT EXISTS (SELECT 1 FROM lines l WHERE l.id = m.line)
    """
    names = connection.execute(torn).fetchall()
    connection.executemany("DELETE FROM event_lines WHERE event = ?", names)
    connection.executemany("DELETE FROM events WHERE id = ?", names)
    return len(names)


def _words(row: LineRow) -> str:
    return _json([[text, start_ns, end_ns, round(probability, 4)] for text, start_ns, end_ns, probability in row.words])


def _name_speakers(connection: sqlite3.Connection, session: str, rows: Sequence[LineRow]) -> None:
    """Tracks are called by the first name that a line of theirs came with."""
    fresh: dict[str, str | None] = {}
    for row in rows:
        if fresh.get(row.track) is None:
            fresh[row.track] = row.speaker
    name_tracks(connection, session, fresh)
