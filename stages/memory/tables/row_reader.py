"""Questions to the tables of a memory, answered as rows."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.packets import Float32Array
from stages.memory.people import speaker_rows
from stages.memory.rows import EventRow, GapRow, LineRow, PositionRow, SessionRow, TrackRow, WordRow
from stages.memory.sleeping import episode_rows
from stages.memory.vectors import stored_vectors
from stages.memory.vectors.vector_index import REMOVED, Batch

T = TypeVar("T")
_AT_ONCE = 500
_LATEST_LOOKED_AT = 200

_LINES = """
SELECT l.id, l.session, l.track, l.start_ns, l.end_ns, l.azimuth_deg, l.elevation_deg, coalesce(p.name, t.speaker), l.text, l.words,
       l.confidence, l.language, e.id, l.copy_of, l.clip, l.clip_start_ns, l.heard_ns
FROM lines l
JOIN sessions s ON s.id = l.session
LEFT JOIN tracks t ON t.session = l.session AND t.track = l.track
LEFT JOIN line_speakers w ON w.line = l.id
LEFT JOIN speakers p ON p.id = w.speaker
LEFT JOIN event_lines m ON m.line = l.id
LEFT JOIN events e ON e.id = m.event AND (:at IS NULL OR e.ended_at_ns <= :at)
"""

_FIELDS = tuple(field.name for field in fields(LineRow))
_WORDS = _FIELDS.index("words")
_WITHOUT_WORDS = _LINES.replace("l.words", "''")
_WITH_VECTORS = _WITHOUT_WORDS.replace("l.heard_ns", "l.heard_ns, v.vector") + "LEFT JOIN vectors v ON v.n = l.n"
# The last condition follows from the one before; it lets the index by start skip everything before.
_IN_SPAN = """
WHERE (:at IS NULL OR l.ended_at_ns <= :at) AND l.copy_of IS NULL AND l.session = :session
      AND l.start_ns < :end AND l.end_ns > :start AND l.start_ns > :start - s.longest_line_ns - 1
ORDER BY l.start_ns, l.n
"""

_EVENTS = """
SELECT e.id, e.session, e.level, e.start_ns, e.end_ns, e.surprise, e.reason, e.tracks, e.summary,
       coalesce(k.made_by, ''), coalesce(k.version, ''), s.started_at_ns, e.ended_at_ns
FROM events e JOIN sessions s ON s.id = e.session LEFT JOIN makers k ON k.n = e.maker LEFT JOIN growths g ON g.event = e.id
WHERE {} AND (:at IS NULL OR e.ended_at_ns <= :at OR g.begun_at_ns <= :at)
"""


def sessions(connection: sqlite3.Connection, at_ns: int | None = None) -> list[SessionRow]:
    """Every session that had begun by a moment, by start; one that had not ended is as long as what was heard of it."""
    query = """
        SELECT id, source, started_at, duration_ns, array, complete, graph, started_at_ns FROM sessions
        WHERE :at IS NULL OR started_at_ns <= :at ORDER BY started_at_ns, id
    """
    rows = []
    for row in connection.execute(query, {"at": at_ns}).fetchall():
        ended = at_ns is None or (row[5] and row[7] + row[3] <= at_ns)
        rows.append(
            SessionRow(
                id=row[0],
                source=row[1],
                started_at=datetime.fromisoformat(row[2]),
                duration_ns=row[3] if ended else _heard_ns(connection, row[0], row[7], at_ns or 0),
                array=row[4],
                complete=bool(row[5]) and bool(ended),
                graph=row[6],
            )
        )
    return rows


def _heard_ns(connection: sqlite3.Connection, session: str, started_ns: int, at_ns: int) -> int:
    """How far a session had been heard by a moment: to the end of what is stored of it (of lines, the latest to start)."""
    query = """
        SELECT max(end_ns) FROM (
            SELECT end_ns FROM (SELECT end_ns FROM lines WHERE session = :session AND start_ns <= :at - :started
                                AND ended_at_ns <= :at ORDER BY start_ns DESC LIMIT :most)
            UNION ALL SELECT end_ns FROM gaps WHERE session = :session AND end_ns <= :at - :started
            UNION ALL SELECT end_ns FROM sounds WHERE session = :session AND ended_at_ns <= :at
        )
    """
    bound = {"session": session, "at": at_ns, "started": started_ns, "most": _LATEST_LOOKED_AT}
    return int(connection.execute(query, bound).fetchone()[0] or 0)


def lines(
    connection: sqlite3.Connection,
    session: str | None = None,
    ids: Iterable[str] | None = None,
    start_ns: int | None = None,
    end_ns: int | None = None,
    tracks: Iterable[str] | None = None,
    copies: bool = False,
    at_ns: int | None = None,
    words: bool = True,
    most: int | None = None,
) -> list[LineRow]:
    """Lines that overlap a span, by session start and start, the first `most` of those that are not given by `ids`.

    Without `words`, which take most of the time, where they are not needed.
    """
    wanted = None if ids is None else sorted(set(ids))
    rows: list[LineRow] = []
    for part in [None] if wanted is None else _parts(wanted):
        where = ["(:at IS NULL OR l.ended_at_ns <= :at)"]
        bound: dict[str, object] = {"at": at_ns}
        if not copies:
            where.append("l.copy_of IS NULL")
        if session is not None:
            where.append("l.session = :session")
            bound["session"] = session
        if part is not None:
            where.append(_among("l.id", "id", part, bound))
        if end_ns is not None:
            where.append("l.start_ns < :end")
            bound["end"] = end_ns
        if start_ns is not None:
            # The second condition follows from the first; it lets the index by start skip everything before.
            where.append("l.end_ns > :start AND l.start_ns > :start - s.longest_line_ns - 1")
            bound["start"] = start_ns
        if tracks is not None:
            where.append(_among("l.track", "track", sorted(set(tracks)), bound))
        asked = _LINES if words else _WITHOUT_WORDS
        query = f"{asked} WHERE {' AND '.join(where)} ORDER BY s.started_at_ns, l.session, l.start_ns, l.n LIMIT :most"
        bound["most"] = -1 if most is None or part is not None else most
        rows.extend(_line(row) for row in connection.execute(query, bound))
    if wanted is not None and len(wanted) > _AT_ONCE:
        order = {row.id: place for place, row in enumerate(sessions(connection))}
        rows.sort(key=lambda row: (order[row.session], row.start_ns, row.id))
    return rows


def lines_in_spans(
    connection: sqlite3.Connection, spans: Iterable[tuple[str, int, int]], at_ns: int | None, dimension: int | None
) -> tuple[list[LineRow], dict[str, Float32Array]]:
    """Lines (no copies, without their words) that overlap spans of sessions, span by span, by start, each once.

    With a `dimension` also their vectors, float32, shape (dimension,), by line id; zeros for lines whose vectors have faded.
    """
    found: dict[str, tuple[Any, ...]] = {}
    query = (_WITHOUT_WORDS if dimension is None else _WITH_VECTORS) + _IN_SPAN
    for session, start_ns, end_ns in spans:
        for row in connection.execute(query, {"session": session, "start": start_ns, "end": end_ns, "at": at_ns}):
            found.setdefault(row[0], row)
    if dimension is None:
        return [_line(row) for row in found.values()], {}
    read = stored_vectors.by_key(connection, ((name, row[-1]) for name, row in found.items()), dimension)
    faded = np.zeros(dimension, dtype=np.float32)
    return [_line(row) for row in found.values()], {name: read.get(name, faded) for name in found}


def events(connection: sqlite3.Connection, session: str | None, level: str | None, at_ns: int | None) -> list[EventRow]:
    """Events of one level (None: all), by session start and start; as of a moment episodes and days as they stood then."""
    where = "(:session IS NULL OR e.session = :session) AND (:level IS NULL OR e.level = :level)"
    found = connection.execute(_EVENTS.format(where), {"session": session, "level": level, "at": at_ns})
    seen = [
        (started_ns, row) for *of_row, started_ns, ended_ns in found if (row := _as_of(connection, of_row, ended_ns, at_ns)) is not None
    ]
    return [row for _, row in sorted(seen, key=lambda pair: (pair[0], pair[1].session, pair[1].start_ns, pair[1].end_ns, pair[1].id))]


def event(connection: sqlite3.Connection, event_id: str, at_ns: int | None = None) -> EventRow | None:
    """One event of any level, if it was known by a moment; an episode or a day as it stood then."""
    found = connection.execute(_EVENTS.format("e.id = :id"), {"id": event_id, "at": at_ns}).fetchone()
    return _as_of(connection, found[:-2], found[-1], at_ns) if found else None


def tracks(connection: sqlite3.Connection, session: str | None, at_ns: int | None) -> list[TrackRow]:
    """Tracks by session start, and then in the order in which they were first heard."""
    known = """
        SELECT t.session, t.track, t.speaker, s.started_at_ns FROM tracks t JOIN sessions s ON s.id = t.session
        WHERE (:session IS NULL OR t.session = :session)
    """
    spoken = """
        SELECT start_ns, end_ns, azimuth_deg, elevation_deg, copy_of FROM lines
        WHERE session = :session AND track = :track AND (:at IS NULL OR ended_at_ns <= :at)
    """
    placed = """
        SELECT time_ns, azimuth_deg, elevation_deg FROM positions
        WHERE session = :session AND track = :track AND (:at IS NULL OR time_ns + :started <= :at) ORDER BY time_ns
    """
    rows = []
    voices: dict[str, dict[str, str]] = {}
    for name, track, speaker, started in connection.execute(known, {"session": session}).fetchall():
        if name not in voices:
            voices[name] = speaker_rows.of_tracks(connection, name, at_ns)
        bound = {"session": name, "track": track, "at": at_ns, "started": started}
        places = connection.execute(placed, bound).fetchall()
        said = connection.execute(spoken, bound).fetchall()
        own = [row for row in said if row[4] is None]
        times = [row[0] for row in said] + [row[1] for row in said] + [row[0] for row in places]
        if not times:
            continue
        azimuths = [(row[2], row[1] - row[0]) for row in own if row[2] is not None] or [(row[1], 1) for row in places]
        elevations = [row[3] for row in own if row[3] is not None] or [row[2] for row in places if row[2] is not None]
        row = TrackRow(
            session=name,
            track=track,
            speaker=voices[name].get(track, speaker) if own else None,
            azimuth_deg=_mean_azimuth(azimuths),
            elevation_deg=round(math.fsum(elevations) / len(elevations), 3) if elevations else None,
            first_ns=min(times),
            last_ns=max(times),
            speech_ns=sum(row[1] - row[0] for row in own),
            n_lines=len(own),
            positions=tuple((time, azimuth) for time, azimuth, _ in places),
        )
        rows.append((started, name, row.first_ns, track, row))
    return [entry[4] for entry in sorted(rows, key=lambda entry: entry[:4])]


def positions(connection: sqlite3.Connection, session: str, at_ns: int | None = None) -> list[PositionRow]:
    """Where a session's tracks were until a moment, by time and then by name."""
    query = """
        SELECT p.session, p.track, p.time_ns, p.azimuth_deg, p.elevation_deg FROM positions p JOIN sessions s ON s.id = p.session
        WHERE p.session = :session AND (:at IS NULL OR s.started_at_ns + p.time_ns <= :at) ORDER BY p.time_ns, p.track
    """
    return [PositionRow(*row) for row in connection.execute(query, {"session": session, "at": at_ns})]


def gaps(
    connection: sqlite3.Connection, session: str | None, start_ns: int | None, end_ns: int | None, at_ns: int | None = None
) -> list[GapRow]:
    """Gaps that overlap a span and were over by a moment, by session start and start."""
    query = """
        SELECT g.session, g.start_ns, g.end_ns, g.reason FROM gaps g JOIN sessions s ON s.id = g.session
        WHERE (:session IS NULL OR g.session = :session) AND (:start IS NULL OR g.end_ns > :start) AND (:end IS NULL OR g.start_ns < :end)
              AND (:at IS NULL OR s.started_at_ns + g.end_ns <= :at)
        ORDER BY s.started_at_ns, g.session, g.start_ns, g.end_ns
    """
    return [GapRow(*row) for row in connection.execute(query, {"session": session, "start": start_ns, "end": end_ns, "at": at_ns})]


def vectors(connection: sqlite3.Connection, ids: Sequence[str], dimension: int) -> dict[str, Float32Array]:
    """The vectors of lines, float32, shape (dimension,), by line id; zeros for lines whose vectors have faded."""
    found: dict[str, Float32Array] = {}
    for part in _parts(sorted(set(ids))):
        bound: dict[str, object] = {}
        query = f"SELECT l.id, v.vector FROM lines l LEFT JOIN vectors v ON v.n = l.n WHERE {_among('l.id', 'id', part, bound)}"
        pairs = connection.execute(query, bound).fetchall()
        found.update((name, np.zeros(dimension, dtype=np.float32)) for name, _ in pairs)
        found.update(stored_vectors.by_key(connection, pairs, dimension))
    return found


def vector_batches(connection: sqlite3.Connection, after: int, size: int = 8192, dimension: int | None = None) -> Iterator[Batch]:
    """Row numbers and vectors of all lines that are not copies, in rising order, in bounded pieces.

    What is no vector of `dimension` numbers (None: of as many as the first of a piece) is left out: an examination tells it.
    """
    cursor = connection.execute(
        "SELECT v.n, v.vector FROM vectors v JOIN lines l ON l.n = v.n WHERE v.n > ? AND l.copy_of IS NULL ORDER BY v.n", (after,)
    )
    while part := list(islice(cursor, size)):
        places, read = stored_vectors.rounded(connection, [blob for _, blob in part], dimension)
        if len(places):
            yield Batch(np.array([row for row, _ in part], dtype=np.int64)[places], *read)


def vectors_of(connection: sqlite3.Connection, rows: Sequence[int], dimension: int) -> dict[int, Float32Array]:
    """The vectors of rows, float32, shape (dimension,), by row number; rows without one are left out."""
    found: dict[int, Float32Array] = {}
    for part in _parts(sorted(set(rows))):
        query = f"SELECT n, vector FROM vectors WHERE n IN ({','.join(map(str, part))})"
        found.update(stored_vectors.by_key(connection, connection.execute(query).fetchall(), dimension))
    return found


def removals(connection: sqlite3.Connection, after: int) -> tuple[npt.NDArray[np.int64], int]:
    """The rows whose vectors were removed after a removal, int64, and the number of the last removal."""
    found = connection.execute("SELECT serial, n FROM vector_removals WHERE serial > ? ORDER BY serial", (after,)).fetchall()
    return np.array([row for _, row in found], dtype=np.int64), found[-1][0] if found else after


def switched_to(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """The encoder and dimension that the vectors were switched to by `echoic reindex`, or None where they never were."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'reencodings'").fetchone() is None:
        return None
    row = connection.execute("SELECT encoder, dimension FROM reencodings WHERE switched = 1").fetchone()
    return (str(row[0]), int(row[1])) if row else None


def stored_vector(connection: sqlite3.Connection, row: int, dimension: int) -> Batch | None:
    """One row as it stands in the table; REMOVED where it was removed, None where it never was, or cannot be read."""
    found = connection.execute("SELECT vector FROM vectors WHERE n = ?", (row,)).fetchone()
    if found is None:
        return REMOVED if connection.execute("SELECT 1 FROM vector_removals WHERE n = ?", (row,)).fetchone() else None
    places, read = stored_vectors.rounded(connection, [found[0]], dimension)
    return Batch(np.array([row], dtype=np.int64), *read) if len(places) else None


def _line(row: tuple[Any, ...]) -> LineRow:
    """A row of `_LINES`, whose columns stand in the order of the fields, whatever comes behind them."""
    line = object.__new__(LineRow)
    # A question reads a thousand lines, and `__init__` of a frozen class makes a call for each field.
    own = line.__dict__
    own.update(zip(_FIELDS, row, strict=False))
    own["words"] = tuple(WordRow(*word) for word in json.loads(row[_WORDS])) if row[_WORDS] else ()
    return line


def _as_of(connection: sqlite3.Connection, row: Sequence[Any], ended_at_ns: int, at_ns: int | None) -> EventRow | None:
    name, session, level, start, end, surprise, reason, tracks_json, summary, made_by, version = row
    if at_ns is None or level == "event" or episode_rows.stands(ended_at_ns, made_by, at_ns):
        return EventRow(name, session, level, start, end, surprise, reason, tuple(json.loads(tracks_json)), summary, made_by, version)
    seen = episode_rows.as_of(connection, name, at_ns)
    return None if seen is None else seen.row


def _parts(values: Sequence[T]) -> list[Sequence[T]]:
    """Pieces that SQLite takes as parameters at once."""
    return [values[first : first + _AT_ONCE] for first in range(0, len(values), _AT_ONCE)]


def _among(column: str, prefix: str, values: Iterable[str], bound: dict[str, object]) -> str:
    names = []
    for place, value in enumerate(values):
        bound[f"{prefix}{place}"] = value
        names.append(f":{prefix}{place}")
    return f"{column} IN ({', '.join(names)})"


def _mean_azimuth(weighted: Sequence[tuple[float, float]]) -> float | None:
    """The mean direction on the circle, in [0, 360)."""
    if not weighted:
        return None
    x = math.fsum(weight * math.cos(math.radians(azimuth)) for azimuth, weight in weighted)
    y = math.fsum(weight * math.sin(math.radians(azimuth)) for azimuth, weight in weighted)
    return round(math.degrees(math.atan2(y, x)), 3) % 360.0
