"""Sessions, events and tracks of a memory, as JSON for scripts and as tables for people."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.app import times
from pipeline.app.console import result_json, say, shown
from pipeline.app.failures import CallerError
from pipeline.app.memory_directory import directory_to_read
from pipeline.app.open_memory import known_session, memory_to_read, moment_of, start_of, started
from pipeline.packets import seconds
from stages.memory.rows import EventRow, SessionRow, TrackRow

if TYPE_CHECKING:
    from stages.memory.long_term_memory import LongTermMemory

_FILE_WIDTH = 200
LEVELS = ("event", "episode", "day")
MOST_ABOUT = 20
SESSION_COLUMNS = {
    "id": "session",
    "started_at": "started at",
    "duration_s": "length",
    "array": "array",
    "complete": "complete",
    "source": "source",
}
EVENT_COLUMNS = {
    "id": "event",
    "start_s": "from",
    "end_s": "to",
    "surprise": "surprise",
    "tracks": "tracks",
    "reason": "why it began",
    "summary": "summary",
}
TRACK_COLUMNS = {
    "session": "session",
    "id": "track",
    "speaker": "speaker",
    "azimuth_deg": "bearing",
    "start_s": "from",
    "end_s": "to",
    "speech_s": "spoke",
    "n_lines": "lines",
}


def session_json(row: SessionRow) -> dict[str, Any]:
    """One session as `sessions --json` lists it."""
    return {
        "id": row.id,
        "source": row.source,
        "started_at": row.started_at.isoformat(),
        "duration_s": seconds(row.duration_ns),
        "array": row.array,
        "complete": row.complete,
    }


def event_json(row: EventRow) -> dict[str, Any]:
    """One event as `events --json` lists it."""
    return {
        "id": row.id,
        "session": row.session,
        "start_s": seconds(row.start_ns),
        "end_s": seconds(row.end_ns),
        "surprise": row.surprise,
        "reason": row.reason,
        "tracks": list(row.tracks),
        "summary": row.summary,
    }


def track_json(row: TrackRow) -> dict[str, Any]:
    """One track as `tracks --json` lists it."""
    return {
        "id": row.track,
        "session": row.session,
        "speaker": row.speaker,
        "azimuth_deg": row.azimuth_deg,
        "elevation_deg": row.elevation_deg,
        "start_s": seconds(row.first_ns),
        "end_s": seconds(row.last_ns),
        "speech_s": seconds(row.speech_ns),
        "n_lines": row.n_lines,
        "positions": [{"at_s": seconds(time_ns), "azimuth_deg": azimuth_deg} for time_ns, azimuth_deg in row.positions],
    }


def sessions(memory: LongTermMemory, at: datetime | None = None) -> list[dict[str, Any]]:
    """Every session, by its start; one that is not complete is as long as what was heard of it so far, or by a moment."""
    if at is not None:
        return [session_json(row) for row in memory.sessions(at=at)]
    rows = [row if row.complete else replace(row, duration_ns=max(row.duration_ns, memory.passed_ns(row.id))) for row in memory.sessions()]
    return [session_json(row) for row in sorted(rows, key=lambda row: (row.started_at, row.id))]


def events(
    memory: LongTermMemory,
    session: str | None,
    level: str,
    begin: datetime | None = None,
    end: datetime | None = None,
    at: datetime | None = None,
) -> list[dict[str, Any]]:
    """The events of a session (none: of all), those that overlap `begin` to `end` where these are given; as of a moment those of then."""
    starts = {row.id: row for row in memory.sessions()}
    return [event_json(row) for row in memory.events(session, level=level, at=at) if _overlaps(row, starts, begin, end)]


def events_about(
    memory: LongTermMemory,
    about: str,
    most: int,
    session: str | None,
    level: str,
    begin: datetime | None = None,
    end: datetime | None = None,
    at: datetime | None = None,
) -> list[dict[str, Any]]:
    """At most `most` events of those that `events` lists, nearest in meaning to a text first. The memory's encoder must be started."""
    vector = memory.encoder.encode([about])[0]
    is_limited = session is not None or begin is not None or end is not None
    rows = {row["id"]: row for row in events(memory, session, level, begin, end, at)} if is_limited else None
    found = [granule.id for granule in memory.granules.search(vector, most, level, at, among=rows)]
    return [event_json(memory.event(name, at=at)) if rows is None else rows[name] for name in found]


def events_linked(
    memory: LongTermMemory,
    event: str,
    session: str | None,
    begin: datetime | None = None,
    end: datetime | None = None,
    at: datetime | None = None,
) -> list[dict[str, Any]]:
    """The events that one is linked to, the most strongly linked first; of a session and a time, where these are given."""
    starts = {row.id: row for row in memory.sessions()}
    rows = [memory.event(linked.event, at=at) for linked in memory.links.of(event, at)]
    return [event_json(row) for row in rows if (session is None or row.session == session) and _overlaps(row, starts, begin, end)]


def tracks(memory: LongTermMemory, session: str | None, at: datetime | None = None) -> list[dict[str, Any]]:
    """The tracks of a session (none: of all), as of a moment as far as they had been heard."""
    return [track_json(row) for row in memory.tracks(session, at=at)]


def print_sessions(memory: Path, as_json: bool, at: str | None = None) -> None:
    """`echoic sessions`. Raises CallerError."""
    with memory_to_read(directory_to_read(memory)) as opened:
        print_rows(sessions(opened, moment_of(opened, at, None)), as_json, SESSION_COLUMNS)


def print_events(
    memory: Path,
    session: str | None,
    level: str,
    begin: str | None,
    end: str | None,
    as_json: bool,
    about: str | None = None,
    linked: str | None = None,
    most: int = MOST_ABOUT,
    at: str | None = None,
) -> None:
    """`echoic events`. Raises CallerError."""
    if level not in LEVELS:
        raise CallerError(f"--level {level}: allowed are {', '.join(LEVELS)}")
    if about is not None and linked is not None:
        raise CallerError("events takes either --about TEXT or --linked EVENT: each of them says in which order events are listed")
    if about is not None and not about.strip():
        raise CallerError("--about: the text is empty; give words, such as --about 'the ferry'")
    if linked is not None and level != "event":
        raise CallerError(f"--linked with --level {level}: only events are linked, so leave --level out")
    if most < 1:
        raise CallerError(f"--most {most}: at least 1")
    with memory_to_read(directory_to_read(memory)) as opened:
        chosen = known_session(opened, session) if session else None
        first = times.parse_moment(begin, "--from", lambda: start_of(opened, session)) if begin else None
        last = times.parse_moment(end, "--to", lambda: start_of(opened, session)) if end else None
        moment = moment_of(opened, at, chosen)
        if about is not None:
            with started({"encoder": opened.encoder}):
                rows = events_about(opened, about, most, chosen, level, first, last, moment)
        elif linked is not None:
            rows = events_linked(opened, linked, chosen, first, last, moment)[:most]
            if waiting := opened.links.n_due():
                say(f"{waiting} events wait to be linked; they are in the next sleep (`echoic consolidate --memory {memory}`)")
        else:
            rows = events(opened, chosen, level, first, last, moment)
        columns = EVENT_COLUMNS
        found = {} if as_json else _findings(opened, [row["id"] for row in rows], moment)
        if found:
            rows = [{**row, "found": found.get(row["id"])} for row in rows]
            columns = {**columns, "found": "found in sleep"}
        print_rows(rows, as_json, columns)


def _findings(memory: LongTermMemory, names: list[str], at: datetime | None) -> dict[str, str]:
    """What sleep found out about some events, in words, by id: what an episode is about, and of which event another is a copy."""
    originals = {name: memory.findings.same_as(name, at=at) for name in names}
    copies = {name: f"says the same as {original}" for name, original in originals.items() if original is not None}
    return {**memory.findings.topics(names, at=at), **copies}


def print_tracks(memory: Path, session: str | None, as_json: bool, at: str | None = None) -> None:
    """`echoic tracks`. Raises CallerError."""
    with memory_to_read(directory_to_read(memory)) as opened:
        chosen = known_session(opened, session) if session else None
        print_rows(tracks(opened, chosen, moment_of(opened, at, chosen)), as_json, TRACK_COLUMNS)


def print_rows(rows: list[dict[str, Any]], as_json: bool, columns: dict[str, str]) -> None:
    """Rows as JSON, or as a table with the columns {key: heading}."""
    if as_json:
        result_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(key, row[key]) for key in columns))
    console = Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
    console.print(table) if rows else console.print("(none)")


def _overlaps(row: EventRow, starts: dict[str, SessionRow], begin: datetime | None, end: datetime | None) -> bool:
    return (begin is None or starts[row.session].moment(row.end_ns) > begin) and (
        end is None or starts[row.session].moment(row.start_ns) < end
    )


def _cell(key: str, value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if key == "surprise":
            return f"{value:.2f}"
        return f"{value:.0f}°" if key.endswith("_deg") else times.duration(value)
    return escape(shown(", ".join(value) if isinstance(value, list) else str(value)))
