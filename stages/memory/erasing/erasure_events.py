"""Events that lose lines: those without any go, the others are told anew from what stays, and so are their episodes and days."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from stages.memory.links import link_store
from stages.memory.sleeping import episode_rows, sleep_findings
from stages.memory.sleeping.consolidation import Part, days, joined
from stages.memory.tables import provenance, row_writer
from stages.memory.vectors import stored_vectors

MADE_BY = "forgetting"


@dataclass(frozen=True)
class Touched:
    """Events that lose lines, and the episodes and days that they are in, by id."""

    events: tuple[str, ...]
    episodes: tuple[str, ...]
    sessions: tuple[str, ...]


def touched(connection: sqlite3.Connection, lines: Iterable[str], sessions: Sequence[str]) -> Touched:
    """What lines are in, before they go. `sessions` go wholly, so nothing of them is told anew."""
    found: dict[str, tuple[str, str | None]] = {}
    query = "SELECT e.id, e.session, e.parent FROM event_lines m JOIN events e ON e.id = m.event WHERE m.line = ?"
    for line in lines:
        found.update((name, (session, parent)) for name, session, parent in connection.execute(query, (line,)) if session not in sessions)
    episodes = {parent for _, parent in found.values() if parent is not None}
    return Touched(tuple(sorted(found)), tuple(sorted(episodes)), tuple(sorted({session for session, _ in found.values()})))


def erase(connection: sqlite3.Connection, changed: Touched, sessions: Sequence[str], dimension: int) -> Iterator[str]:
    """Remove what is empty and tell the rest anew; for each event that goes its level, for each that changes "LEVEL told anew"."""
    for session in sessions:
        names = connection.execute("SELECT id, level FROM events WHERE session = ? ORDER BY id", (session,)).fetchall()
        _forget(connection, [name for name, _ in names])
        connection.execute("DELETE FROM event_lines WHERE event IN (SELECT id FROM events WHERE session = ?)", (session,))
        connection.execute("DELETE FROM events WHERE session = ?", (session,))
        yield from (f"{level}s" for _, level in names)
    _forget(connection, [*changed.events, *changed.episodes])
    for event in changed.events:
        yield from _tell_event(connection, event, dimension)
    for episode in changed.episodes:
        yield from _tell_episode(connection, episode)
    for session in changed.sessions:
        yield from _tell_days(connection, session)
    _forget(connection, [*changed.events, *changed.episodes])


def unname(connection: sqlite3.Connection, speakers: Iterable[str]) -> None:
    """Take back summaries that a model wrote of people who go: they may name them."""
    query = """
        SELECT DISTINCT p.event FROM summary_people p JOIN events e ON e.id = p.event WHERE p.speaker = ? AND e.level = 'episode'
    """
    for speaker in speakers:
        for (episode,) in connection.execute(query, (speaker,)).fetchall():
            list(_tell_episode(connection, episode))
            _forget(connection, [episode])


def _forget(connection: sqlite3.Connection, events: Sequence[str]) -> None:
    """What was found out about events, which sleep finds out anew for those that stay."""
    link_store.erase(connection, events)
    sleep_findings.erase(connection, events)


def _tell_event(connection: sqlite3.Connection, event: str, dimension: int) -> Iterator[str]:
    query = """
        SELECT l.start_ns, l.end_ns, l.track, l.text, v.vector
        FROM event_lines m JOIN lines l ON l.id = m.line LEFT JOIN vectors v ON v.n = l.n
        WHERE m.event = ? ORDER BY l.start_ns, l.n
    """
    rows = connection.execute(query, (event,)).fetchall()
    if not rows:
        if connection.execute("DELETE FROM events WHERE id = ?", (event,)).rowcount:
            yield "events"
        return
    # Not at the top: events are made of what a memory gives back.
    from stages.events.event_stream import summary_of

    vectors = np.zeros((len(rows), dimension), dtype=np.float64)
    for place, vector in stored_vectors.by_key(connection, [(place, row[4]) for place, row in enumerate(rows)], dimension).items():
        vectors[place] = vector
    weights = np.array([max(len(row[3].split()), 1) for row in rows], dtype=np.float64)
    mean = weights @ vectors
    mean /= max(float(np.linalg.norm(mean)), 1e-9)
    connection.execute(
        "UPDATE events SET start_ns = ?, end_ns = ?, tracks = ?, summary = ?, vector = ?, maker = ? WHERE id = ?",
        (
            min(row[0] for row in rows),
            max(row[1] for row in rows),
            json.dumps(sorted({row[2] for row in rows})),
            summary_of([row[3] for row in rows], (vectors @ mean) * weights),
            mean.astype("<f4").tobytes(),
            provenance.maker(connection, MADE_BY),
            event,
        ),
    )
    yield "events told anew"


def _tell_episode(connection: sqlite3.Connection, episode: str) -> Iterator[str]:
    found = connection.execute(
        "SELECT e.session, e.reason, e.ended_at_ns - s.started_at_ns FROM events e JOIN sessions s ON s.id = e.session WHERE e.id = ?",
        (episode,),
    ).fetchone()
    if found is None:
        return
    session, reason, known_ns = found
    # The plus keeps to the index by parent: a session may have many thousands of events.
    group = episode_rows.parts(connection, session, "WHERE e.parent = ? AND +e.session = ? AND e.level = 'event'", (episode, session))
    if not group:
        connection.execute("DELETE FROM events WHERE id = ?", (episode,))
        yield "episodes"
        return
    _store(connection, session, group, ("episode", episode.removeprefix(f"{session}-"), reason, known_ns))
    yield "episodes told anew"


def _tell_days(connection: sqlite3.Connection, session: str) -> Iterator[str]:
    """Every day of a session that there is: which events are of a day follows from their times."""
    query = """
        SELECT e.id, e.ended_at_ns - s.started_at_ns, s.started_at FROM events e JOIN sessions s ON s.id = e.session
        WHERE e.session = ? AND e.level = 'day' ORDER BY e.start_ns, e.id
    """
    rows = connection.execute(query, (session,)).fetchall()
    if not rows:
        return
    parts = episode_rows.parts_of_session(connection, session)
    wanted = {f"{session}-{day.name}": day for day in days(parts, datetime.fromisoformat(rows[0][2]))}
    known = {part.name: part for part in parts}
    for name, known_ns, _ in rows:
        _forget(connection, [name])
        if name not in wanted:
            connection.execute("UPDATE events SET parent = NULL WHERE parent = ?", (name,))
            connection.execute("DELETE FROM events WHERE id = ?", (name,))
            yield "days"
            continue
        day = wanted[name]
        group = [known[part] for part in day.extra["parts"]]
        _store(connection, session, group, ("day", name.removeprefix(f"{session}-"), day.reason, known_ns))
        yield "days told anew"


def _store(connection: sqlite3.Connection, session: str, group: Sequence[Part], told: tuple[str, str, str, int]) -> None:
    event = joined(group, *told)
    row_writer.add_event(connection, session, replace(event, extra={**event.extra, "made_by": MADE_BY}))
