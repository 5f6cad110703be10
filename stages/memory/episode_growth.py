"""Episodes that grow while a session is still running: new events join the episode of their conversation, or begin one."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from pipeline.packets import NS_PER_S
from stages.memory import row_writer
from stages.memory.consolidation import LONGEST_EPISODE_NS, LONGEST_PAUSE_NS, Part, days, home_of, joined

if TYPE_CHECKING:
    from pipeline.packets import Event
    from stages.memory.long_term_memory import LongTermMemory

_PARTS = """
SELECT e.id, e.start_ns, e.end_ns, e.tracks, e.surprise, e.reason, e.summary, e.vector, avg(l.salience), count(l.n), e.ended_at_ns
FROM events e LEFT JOIN event_lines m ON m.event = e.id LEFT JOIN lines l ON l.id = m.line
"""
_ORPHANS = """
SELECT id FROM events INDEXED BY events_without_parent
WHERE session = ? AND level = 'event' AND parent IS NULL ORDER BY start_ns, end_ns, id LIMIT ?
"""


class GrowEpisodes:
    """Puts each new event of a running session into an episode, by the rule that holds when a session ends (`consolidation.episodes`).

    Only the events that are new and the few episodes that may still grow are read. When the session ends its events are put together
    once more from the beginning, because events of several conversations are not known in the order in which they began; episodes that
    come out the same are left as they are.
    """

    name = "episodes"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - an episode is known when its events are
        """Put at most `limit` events into episodes in one transaction; how many were done, 0 when none is left."""
        done = 0
        with memory.findings.database.writing() as connection:
            sessions = connection.execute("SELECT id, started_at_ns FROM sessions WHERE complete = 0 ORDER BY started_at_ns, id").fetchall()
            for session, started_ns in sessions:
                orphans = [row[0] for row in connection.execute(_ORPHANS, (session, limit - done))]
                for orphan in orphans:
                    _settle(connection, session, started_ns, orphan)
                done += len(orphans)
                if done >= limit:
                    break
        return done


class TellDays:
    """Makes a day of a running session once it is over, so that a session that lasts for weeks has its days too.

    A day is over when everything is stored until half an hour past midnight on the session's own clock, and no event of it waits for an
    episode. An episode that goes past midnight is the first day's.
    """

    name = "days"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - a day is over when it has been heard
        """Make at most `limit` days in one transaction; how many were done, 0 when none is left."""
        done = 0
        with memory.findings.database.writing() as connection:
            query = "SELECT id, started_at, started_at_ns, passed_ns FROM sessions WHERE complete = 0 ORDER BY started_at_ns, id"
            for session, started_at, started_ns, passed_ns in connection.execute(query).fetchall():
                while done < limit and _tell_day(connection, session, datetime.fromisoformat(started_at), started_ns, passed_ns):
                    done += 1
        return done


def _tell_day(connection: sqlite3.Connection, session: str, started_at: datetime, started_ns: int, passed_ns: int) -> bool:
    """Make the first day of a session that is over and that was not made yet; False where there is none."""
    first = (
        "SELECT start_ns FROM events INDEXED BY events_without_parent WHERE session = ? AND level = ? AND parent IS NULL ORDER BY start_ns"
    )
    episode, orphan = (connection.execute(f"{first} LIMIT 1", (session, level)).fetchone() for level in ("episode", "event"))
    if episode is None:
        return False
    begin_ns, end_ns = _day_of(started_at, episode[0])
    if passed_ns < end_ns + LONGEST_EPISODE_NS or (orphan is not None and orphan[0] < end_ns):
        return False
    where = "WHERE e.session = ? AND e.level = 'event' AND e.start_ns >= ? AND e.start_ns < ? GROUP BY e.id"
    entries = _parts(connection, session, where, (session, begin_ns, end_ns))
    if not entries:
        return False
    known_ns = max(moment for _, moment in entries) - started_ns
    for found in days([part for part, _ in entries], started_at, known_ns):
        row_writer.add_event(connection, session, found)
    # What began on this day is this day's, so that the next call comes to the next day.
    day = f"{session}-day-{(started_at + timedelta(microseconds=episode[0] // 1000)).date().isoformat()}"
    theirs = "session = ? AND level = 'episode' AND parent IS NULL AND start_ns >= ? AND start_ns < ?"
    connection.execute(f"UPDATE events SET parent = ? WHERE {theirs}", (day, session, begin_ns, end_ns))
    return True


def _day_of(started_at: datetime, time_ns: int) -> tuple[int, int]:
    """When the calendar day of a session time begins and ends, in session time."""
    moment = started_at + timedelta(microseconds=time_ns // 1000)
    midnight = datetime.combine(moment.date(), time(), started_at.tzinfo)
    begin_ns = (midnight - started_at) // timedelta(microseconds=1) * 1000
    return begin_ns, begin_ns + 86_400 * NS_PER_S


def _settle(connection: sqlite3.Connection, session: str, started_ns: int, orphan: str) -> None:
    (entry,) = _parts(connection, session, "WHERE e.id = ? GROUP BY e.id", (orphan,))
    part, known_at_ns = entry
    query = """
        SELECT id FROM events WHERE session = ? AND level = 'episode' AND start_ns >= ? AND start_ns <= ? AND end_ns >= ?
        ORDER BY start_ns, id
    """
    span = (session, part.start_ns - LONGEST_EPISODE_NS, part.end_ns, part.start_ns - LONGEST_PAUSE_NS)
    groups, known = [], {}
    for (episode,) in connection.execute(query, span).fetchall():
        entries = _parts(
            connection, session, "WHERE e.parent = ? AND e.level = 'event' GROUP BY e.id ORDER BY e.start_ns, e.end_ns, e.id", (episode,)
        )
        if entries:
            groups.append([held for held, _ in entries])
            known[id(groups[-1])] = (episode, max(moment for _, moment in entries))
    home = home_of(groups, part)
    if home is None:
        found = joined([part], "episode", f"episode-{part.name}", part.reason, known_at_ns - started_ns)
    else:
        episode, held_ns = known[id(home)]
        group = sorted([*home, part], key=lambda held: (held.start_ns, held.end_ns, held.name))
        found = joined(group, "episode", episode.removeprefix(f"{session}-"), group[0].reason, max(held_ns, known_at_ns) - started_ns)
    row_writer.add_event(connection, session, found)


def leave_unchanged(connection: sqlite3.Connection, session: str, found: list[Event]) -> list[Event]:
    """Make room for the episodes and days of a session that has ended: those that are to be written.

    What stands there and is the same stays, with all that sleep found out about it; what is none of them any more goes.
    """
    query = """
        SELECT e.id, e.level, e.start_ns, e.end_ns, e.tracks, e.vector, CASE WHEN m.made_by = 'consolidation' THEN e.summary END
        FROM events e LEFT JOIN makers m ON m.n = e.maker WHERE e.session = ? AND e.level != 'event'
    """
    had = {row[0]: row for row in connection.execute(query, (session,))}
    wanted = {f"{session}-{event.name}": event for event in found}
    same = {
        name
        for name, event in wanted.items()
        if name in had and had[name][:6] == _row_of(name, event) and had[name][6] in (event.summary, None)
    }
    connection.execute("UPDATE events SET parent = NULL WHERE session = ?", (session,))
    connection.executemany("DELETE FROM events WHERE id = ?", [(name,) for name in sorted(set(had) - set(wanted))])
    for name in sorted(same):
        parts = [(name, f"{session}-{part}") for part in wanted[name].extra["parts"]]
        if wanted[name].level == "episode":
            connection.executemany("UPDATE events SET parent = ? WHERE id = ?", parts)
    return [event for event in found if event.level == "day" or f"{session}-{event.name}" not in same]


def _row_of(name: str, event: Event) -> tuple[object, ...]:
    tracks, vector = json.dumps(list(event.tracks)), event.embedding.astype("<f4").tobytes()
    return name, event.level, event.pts_ns, event.extra["end_ns"], tracks, vector


def _parts(connection: sqlite3.Connection, session: str, where: str, bound: tuple[object, ...]) -> list[tuple[Part, int]]:
    """Events as consolidation sees them, each with the moment (UTC, nanoseconds) from which on it is known."""
    empty = Part("", 0, 0, (), 0.0, "", "", np.zeros(0, dtype=np.float32), 0.0, 0)
    return [
        (
            replace(
                empty,
                name=row[0].removeprefix(f"{session}-"),
                start_ns=row[1],
                end_ns=row[2],
                tracks=tuple(json.loads(row[3])),
                surprise=row[4],
                reason=row[5],
                summary=row[6],
                vector=np.frombuffer(row[7], dtype="<f4"),
                salience=row[8] or 0.0,
                n_lines=row[9],
            ),
            int(row[10]),
        )
        for row in connection.execute(f"{_PARTS} {where}", bound).fetchall()
    ]
