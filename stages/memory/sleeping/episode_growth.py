"""Episodes that grow while a session is still running: new events join the episode of their conversation, or begin one."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from stages.memory.sleeping.consolidation import LONGEST_EPISODE_NS, LONGEST_PAUSE_NS, day_span, days, episode_of, episodes, home_of
from stages.memory.sleeping.episode_rows import parts, parts_of_session
from stages.memory.sleeping.sleep import SleepStep
from stages.memory.tables import row_writer

if TYPE_CHECKING:
    from pipeline.packets import Event
    from stages.memory.long_term_memory import LongTermMemory

_ORPHANS = """
SELECT id FROM events INDEXED BY events_to_settle
WHERE session = ? AND level = 'event' AND parent IS NULL ORDER BY ended_at_ns, start_ns, end_ns, id LIMIT ?
"""
_MAY_GROW = """
SELECT id FROM events WHERE session = ? AND level = 'episode' AND start_ns >= ? AND start_ns <= ? AND end_ns >= ? ORDER BY start_ns, id
"""


class GrowEpisodes(SleepStep):
    """Puts each new event of a running session into an episode, in the order in which they were known, as `consolidation.episodes` does.

    Only the events that are new and the few episodes that may still grow are read. Since no event moves one that was known before it,
    it makes no difference when sleep comes.
    """

    name = "episodes"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - an episode is known when its events are
        """Put at most `limit` events into episodes in one transaction; how many were done, 0 when none is left."""
        done = 0
        with memory.findings.database.writing() as connection:
            sessions = connection.execute("SELECT id FROM sessions WHERE complete = 0 ORDER BY started_at_ns, id").fetchall()
            for (session,) in sessions:
                orphans = [row[0] for row in connection.execute(_ORPHANS, (session, limit - done))]
                for orphan in orphans:
                    _settle(connection, session, orphan)
                done += len(orphans)
                if done >= limit:
                    break
        return done


class TellDays(SleepStep):
    """Makes a day of a running session once it is over, so that a session that lasts for weeks has its days too.

    A day is over when everything is stored until half an hour past midnight on the session's own clock, and no event of it waits for an
    episode. An episode that goes past midnight hangs on the first day, but each day tells of the events that began on it. An event of a
    day that was told already has it told anew.
    """

    name = "days"

    def work(self, memory: LongTermMemory, at_ns: int, limit: int) -> int:  # noqa: ARG002 - a day is over when it has been heard
        """Make at most `limit` days in one transaction; how many were done, 0 when none is left."""
        done = 0
        with memory.findings.database.writing() as connection:
            query = "SELECT id, started_at, passed_ns FROM sessions WHERE complete = 0 ORDER BY started_at_ns, id"
            for session, started_at, passed_ns in connection.execute(query).fetchall():
                while done < limit and _tell_day(connection, session, datetime.fromisoformat(started_at), passed_ns):
                    done += 1
        return done


def end_session(connection: sqlite3.Connection, session: str, duration_ns: int) -> None:
    """Bring the episodes and days of a session that has ended into the form that follows from its events.

    What sleep made of them while the session ran stands in that form already, unless it was cut short or never came.
    """
    (started_at,) = connection.execute("SELECT started_at FROM sessions WHERE id = ?", (session,)).fetchone()
    events = parts_of_session(connection, session)
    found = episodes(events) + days(events, datetime.fromisoformat(started_at), duration_ns)
    for event in _leave_unchanged(connection, session, found):
        row_writer.add_event(connection, session, event)


def _tell_day(connection: sqlite3.Connection, session: str, started_at: datetime, passed_ns: int) -> bool:
    """Make the first day of a session that is over and that was not made yet; False where there is none."""
    first = (
        "SELECT start_ns FROM events INDEXED BY events_without_parent WHERE session = ? AND level = ? AND parent IS NULL ORDER BY start_ns"
    )
    episode, orphan = (connection.execute(f"{first} LIMIT 1", (session, level)).fetchone() for level in ("episode", "event"))
    if episode is None:
        return False
    begin_ns, end_ns = day_span(started_at, episode[0])
    if passed_ns < end_ns + LONGEST_EPISODE_NS or (orphan is not None and orphan[0] < end_ns):
        return False
    where = "WHERE e.session = ? AND e.level = 'event' AND e.start_ns >= ? AND e.start_ns < ?"
    found = days(parts(connection, session, where, (session, begin_ns, end_ns)), started_at)
    for day in found:
        row_writer.add_event(connection, session, day)
        # What began on this day is this day's, so that the next call comes to the next day.
        theirs = "session = ? AND level = 'episode' AND parent IS NULL AND start_ns >= ? AND start_ns < ?"
        connection.execute(f"UPDATE events SET parent = ? WHERE {theirs}", (f"{session}-{day.name}", session, begin_ns, end_ns))
    return bool(found)


def _settle(connection: sqlite3.Connection, session: str, orphan: str) -> None:
    (part,) = parts(connection, session, "WHERE e.id = ?", (orphan,))
    span = (session, part.end_ns - LONGEST_EPISODE_NS, part.end_ns + LONGEST_PAUSE_NS, part.start_ns - LONGEST_PAUSE_NS)
    groups, names = [], {}
    for (episode,) in connection.execute(_MAY_GROW, span).fetchall():
        group = parts(connection, session, "WHERE e.parent = ? AND e.level = 'event'", (episode,))
        if group:
            groups.append(group)
            names[id(group)] = episode
    home = home_of(groups, part)
    found = episode_of([part] if home is None else [*home, part])
    if home is not None:
        # An episode keeps its name, also where the event that it was named after has been erased.
        found = replace(found, name=names[id(home)].removeprefix(f"{session}-"))
        # Its day, if that is told already, has to be told anew.
        connection.execute("UPDATE events SET parent = NULL WHERE id = ?", (names[id(home)],))
    row_writer.add_event(connection, session, found)


def _leave_unchanged(connection: sqlite3.Connection, session: str, found: list[Event]) -> list[Event]:
    """Make room for the episodes and days of a session that has ended: those that are to be written.

    What stands there and is the same stays, with all that sleep found out about it; what is none of them any more goes.
    """
    query = """
        SELECT e.id, e.level, e.start_ns, e.end_ns, e.ended_at_ns - s.started_at_ns, e.tracks, e.vector,
               CASE WHEN m.made_by = 'consolidation' THEN e.summary END
        FROM events e JOIN sessions s ON s.id = e.session LEFT JOIN makers m ON m.n = e.maker WHERE e.session = ? AND e.level != 'event'
    """
    had = {row[0]: row for row in connection.execute(query, (session,))}
    wanted = {f"{session}-{event.name}": event for event in found}
    same = {
        name
        for name, event in wanted.items()
        if name in had and had[name][:7] == _row_of(name, event) and had[name][7] in (event.summary, None)
    }
    connection.execute("UPDATE events SET parent = NULL WHERE session = ?", (session,))
    connection.executemany("DELETE FROM events WHERE id = ?", [(name,) for name in sorted(set(had) - set(wanted))])
    for name in sorted(same):
        if wanted[name].level == "episode":
            theirs = [(name, f"{session}-{part}") for part in wanted[name].extra["parts"]]
            connection.executemany("UPDATE events SET parent = ? WHERE id = ?", theirs)
    return [event for event in found if event.level == "day" or f"{session}-{event.name}" not in same]


def _row_of(name: str, event: Event) -> tuple[object, ...]:
    tracks, vector = json.dumps(list(event.tracks)), event.embedding.astype("<f4").tobytes()
    return name, event.level, event.pts_ns, event.extra["end_ns"], event.end_ns, tracks, vector
