"""The rows of an erasure: what a plan means in every table, taken out in one transaction. Given again, it changes nothing more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.recording_erasure import FORGOTTEN
from stages.memory.attention import attention_erasure
from stages.memory.erasing import erasure_events
from stages.memory.erasing.erasure_plan import Plan, Span, overlaps
from stages.memory.links import link_store
from stages.memory.people import speaker_store
from stages.memory.rows import GapRow
from stages.memory.short_term_store import prototype_rows
from stages.memory.sleeping import sleep_findings
from stages.memory.tables import row_writer

_OF_SESSIONS = ("positions", "tracks", "gaps", "talker_turns", "talkers", "speaker_places", "sounds")


def erase(connection: sqlite3.Connection, plan: Plan, dimension: int) -> dict[str, int]:
    """Take everything of a plan out of the tables; how many rows, by table. `dimension` is that of the memory's vectors.

    What was made of erased and other things together is made anew from what stays, or marked to be made anew in sleep.
    """
    counts: dict[str, int] = {}
    rows = list(plan.lines)
    for session in plan.sessions:
        rows += [row[0] for row in connection.execute("SELECT n FROM lines WHERE session = ?", (session,))]
    names = [found[0] for row in rows for found in connection.execute("SELECT id FROM lines WHERE n = ?", (row,))]
    people = _told(connection, "SELECT speaker FROM line_speakers WHERE line = ?", names)
    people |= _told(connection, "SELECT speaker FROM talkers WHERE session = ? AND speaker IS NOT NULL", plan.sessions)
    people |= _told(connection, "SELECT speaker FROM speaker_places WHERE session = ?", plan.sessions)
    people |= set(plan.people)
    changed = erasure_events.touched(connection, names, plan.sessions)
    _add(counts, prototype_rows.erase(connection, names))
    for session in plan.sessions:
        _add(counts, prototype_rows.drop_session(connection, session))
    _delete(connection, counts, "event_lines", "line = ?", [(name,) for name in names])
    for table, column, by in _referring(connection):
        _delete(connection, counts, table, f"{column} = ?", [(value,) for value in (names if by == "id" else rows)])
    _delete(connection, counts, "lines", "n = ?", [(row,) for row in rows])
    people |= _cut_turns(connection, counts, plan)
    _places(connection, counts, plan)
    _sounds(connection, counts, plan)
    for event in erasure_events.erase(connection, changed, plan.sessions, dimension):
        counts[event] = counts.get(event, 0) + 1
    for session in plan.sessions:
        for table in _OF_SESSIONS:
            _delete(connection, counts, table, "session = ?", [(session,)])
    _add(counts, attention_erasure.erase(connection, plan.attentions))
    _people(connection, counts, plan, people)
    _add(counts, attention_erasure.erase(connection, ()))
    _delete(connection, counts, "sessions", "id = ?", [(session,) for session in plan.sessions])
    _groups(connection, counts)
    for session, spans in plan.spans.items():
        if session not in plan.sessions and connection.execute("SELECT 1 FROM sessions WHERE id = ?", (session,)).fetchone():
            for start_ns, end_ns in spans:
                row_writer.add_gap(connection, GapRow(session, start_ns, end_ns, FORGOTTEN))
    # What its index of words held of the lines is in pieces that merge later: only made anew does it forget them now.
    connection.execute("INSERT INTO lines_fts (lines_fts) VALUES ('rebuild')")
    return {table: n for table, n in sorted(counts.items()) if n}


def _referring(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every table that refers to lines, with its column, and what of a line that holds: vectors, voices, speakers, talkers, and more."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return [
        (table, key[3], key[4] or "n")
        for table in tables
        for key in connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
        if key[2] == "lines"
    ]


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for table, count in more.items():
        counts[table] = counts.get(table, 0) + count


def _told(connection: sqlite3.Connection, query: str, names: Iterable[str]) -> set[str]:
    return {row[0] for name in names for row in connection.execute(query, (name,))}


def _delete(connection: sqlite3.Connection, counts: dict[str, int], table: str, where: str, bound: Sequence[tuple[object, ...]]) -> None:
    cursor = connection.executemany(f"DELETE FROM {table} WHERE {where}", bound)
    counts[table] = counts.get(table, 0) + max(cursor.rowcount, 0)


def _cut_turns(connection: sqlite3.Connection, counts: dict[str, int], plan: Plan) -> set[str]:
    """Take spans out of turns. Talkers without any turn go, those who lost some lose their voice; who they were."""
    wanted, tracks = set(plan.talkers), set(plan.tracks)
    people: set[str] = set()
    for session, spans in plan.spans.items():
        query = "SELECT track, talker, start_ns, end_ns FROM talker_turns WHERE session = ? ORDER BY start_ns, track, talker"
        cut: set[tuple[str, int]] = set()
        for track, talker, start_ns, end_ns in connection.execute(query, (session,)).fetchall():
            # A person who is erased loses their turns alone: others on the same microphone keep theirs.
            meant = (session, track, talker) in wanted if plan.talkers else (session, track) in tracks
            if not (plan.everywhere or meant) or not overlaps(spans, start_ns, end_ns):
                continue
            cut.add((track, talker))
            who = (session, track, talker)
            _delete(connection, counts, "talker_turns", "session = ? AND track = ? AND talker = ? AND start_ns = ?", [(*who, start_ns)])
            for begin, end in _rest((start_ns, end_ns), spans):
                connection.execute(
                    "INSERT INTO talker_turns (session, track, talker, start_ns, end_ns) VALUES (?, ?, ?, ?, ?)", (*who, begin, end)
                )
        for track, talker in sorted(cut):
            who = (session, track, talker)
            this = "session = ? AND track = ? AND talker = ?"
            people |= {row[0] for row in connection.execute(f"SELECT speaker FROM talkers WHERE {this} AND speaker IS NOT NULL", who)}
            connection.execute(f"UPDATE talkers SET voice = NULL, seconds = 0 WHERE {this}", who)
            if connection.execute(f"SELECT 1 FROM talker_turns WHERE {this}", who).fetchone() is None:
                _delete(connection, counts, "talkers", this, [who])
    return people


def _rest(turn: Span, spans: Sequence[Span]) -> list[Span]:
    """What of a turn lies outside of spans, which rise and do not overlap."""
    begin, end = turn
    found = []
    for start, stop in spans:
        if start >= end or stop <= begin:
            continue
        if begin < start:
            found.append((begin, start))
        begin = stop
    return [*found, (begin, end)] if begin < end else found


def _places(connection: sqlite3.Connection, counts: dict[str, int], plan: Plan) -> None:
    """Where tracks were in the spans; tracks of which nothing stays; names that go with their people."""
    of_session = "SELECT track FROM tracks WHERE session = ? ORDER BY track"
    for session, spans in plan.spans.items():
        if session in plan.sessions:
            continue
        known = [row[0] for row in connection.execute(of_session, (session,))]
        for track in [name for name in known if plan.everywhere or (session, name) in plan.tracks]:
            where = "session = ? AND track = ? AND time_ns >= ? AND time_ns < ?"
            _delete(connection, counts, "positions", where, [(session, track, start, end) for start, end in spans])
            this = (session, track)
            has_rows = any(
                connection.execute(f"SELECT 1 FROM {table} WHERE session = ? AND track = ? LIMIT 1", this).fetchone()
                for table in ("lines", "positions", "talkers")
            )
            if not has_rows:
                _delete(connection, counts, "tracks", "session = ? AND track = ?", [this])
    connection.executemany("UPDATE tracks SET speaker = NULL WHERE session = ? AND track = ?", plan.names)


def _sounds(connection: sqlite3.Connection, counts: dict[str, int], plan: Plan) -> None:
    for session, spans in plan.spans.items():
        where = "session = ? AND start_ns < ? AND end_ns > ?"
        _delete(connection, counts, "sounds", where, [(session, end, start) for start, end in spans])


def _groups(connection: sqlite3.Connection, counts: dict[str, int]) -> None:
    """Groups of sounds that lost some are made anew from those that stay."""
    query = """
        SELECT g.n, count(x.n), max(x.ended_at_ns) FROM sound_groups g LEFT JOIN sounds x ON x.sound_group = g.n
        GROUP BY g.n HAVING count(x.n) != g.n_heard
    """
    for number, n_heard, last_ns in connection.execute(query).fetchall():
        if not n_heard:
            _delete(connection, counts, "sound_groups", "n = ?", [(number,)])
            continue
        blobs = connection.execute("SELECT vector FROM sounds WHERE sound_group = ? ORDER BY n", (number,))
        mean = np.sum([np.frombuffer(row[0], dtype="<f4").astype(np.float64) for row in blobs], axis=0)
        mean /= max(float(np.linalg.norm(mean)), 1e-12)
        connection.execute(
            "UPDATE sound_groups SET prototype = ?, n_heard = ?, last_heard_ns = ? WHERE n = ?",
            (mean.astype("<f4").tobytes(), n_heard, last_ns, number),
        )


def _people(connection: sqlite3.Connection, counts: dict[str, int], plan: Plan, people: set[str]) -> None:
    """People who go, or of whom nothing stays, leave; of the others voice and places are told anew."""
    gone = []
    for speaker in sorted(people):
        stays = "SELECT 1 FROM line_speakers WHERE speaker = :who UNION ALL SELECT 1 FROM talkers WHERE speaker = :who LIMIT 1"
        if speaker in plan.people or connection.execute(stays, {"who": speaker}).fetchone() is None:
            gone.append(speaker)
    names = _told(connection, "SELECT name FROM speakers WHERE id = ?", gone)
    erasure_events.unname(connection, gone)
    link_store.erase(connection, (), {*gone, *names})
    sleep_findings.erase(connection, (), gone)
    for speaker in gone:
        connection.execute("UPDATE talkers SET speaker = NULL WHERE speaker = ?", (speaker,))
        _delete(connection, counts, "line_speakers", "speaker = ?", [(speaker,)])
        _delete(connection, counts, "speaker_places", "speaker = ?", [(speaker,)])
        _delete(connection, counts, "speakers", "id = ?", [(speaker,)])
    for (speaker,) in connection.execute("SELECT id FROM speakers ORDER BY number").fetchall():
        if speaker in people:
            speaker_store.replace_places(connection, speaker)
            speaker_store.recount(connection, speaker)
    # Somebody may have been heard first in a session that goes.
    first = """
        UPDATE speakers SET session = coalesce(
            (SELECT l.session FROM line_speakers w JOIN lines l ON l.id = w.line WHERE w.speaker = speakers.id ORDER BY l.n LIMIT 1),
            (SELECT k.session FROM talkers k WHERE k.speaker = speakers.id ORDER BY k.session LIMIT 1), session) WHERE session = ?
    """
    connection.executemany(first, [(session,) for session in plan.sessions])
    empty = "DELETE FROM speakers WHERE session = ?"
    connection.executemany(empty, [(session,) for session in plan.sessions])
