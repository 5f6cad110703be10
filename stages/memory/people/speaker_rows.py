"""Who is in a memory, read from its tables: those it has told apart itself, and names that came with imported transcripts."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from pipeline.packets import seconds
from stages.memory.people.given_names import is_automatic

# Every line that somebody spoke, with the speaker that it has of its own, else with the name of its track.
_SPOKEN = """
SELECT w.speaker, CASE WHEN w.line IS NULL THEN t.speaker END AS label, l.session, count(*), sum(l.end_ns - l.start_ns)
FROM lines l JOIN sessions s ON s.id = l.session
LEFT JOIN line_speakers w ON w.line = l.id
LEFT JOIN tracks t ON t.session = l.session AND t.track = l.track
WHERE (w.line IS NOT NULL OR (l.copy_of IS NULL AND t.speaker IS NOT NULL)) AND (:at IS NULL OR l.ended_at_ns <= :at)
GROUP BY w.speaker, label, l.session ORDER BY s.started_at_ns, l.session, label
"""


# Turns of those of whom no word was understood.
_WORDLESS = """
SELECT k.speaker, t.session, sum(min(t.end_ns, coalesce(:at - s.started_at_ns, t.end_ns)) - t.start_ns)
FROM talkers k JOIN talker_turns t ON t.session = k.session AND t.track = k.track AND t.talker = k.talker
JOIN sessions s ON s.id = k.session
WHERE k.speaker IS NOT NULL AND (:at IS NULL OR s.started_at_ns + t.start_ns < :at)
      AND NOT EXISTS (SELECT 1 FROM line_speakers ls JOIN lines l ON l.id = ls.line
                      WHERE ls.speaker = k.speaker AND (:at IS NULL OR l.ended_at_ns <= :at))
GROUP BY k.speaker, t.session ORDER BY s.started_at_ns, t.session
"""


@dataclass(frozen=True)
class SpeakerRow:
    """Somebody whom the memory tells apart, or whose name came with a transcript.

    `name` is `id` until people give another; `seconds` is how long they spoke. Whom the memory did not tell apart itself is
    `imported`: their id is their name, or "speaker-1@SESSION" where the name is such a number, which means somebody else in each session.
    """

    id: str
    name: str
    given: bool
    n_lines: int
    seconds: float
    sessions: tuple[str, ...]
    imported: bool = False


@dataclass
class _Spoken:
    """What somebody said, added up session by session."""

    n_lines: int = 0
    spoken_ns: int = 0
    sessions: dict[str, None] = field(default_factory=dict)

    def add(self, session: str, n_lines: int, spoken_ns: int) -> None:
        self.n_lines += n_lines
        self.spoken_ns += spoken_ns
        self.sessions[session] = None


def speakers(connection: sqlite3.Connection, at_ns: int | None = None) -> list[SpeakerRow]:
    """Everybody: those whom the memory tells apart by number, then imported ones by their first session and name.

    As of a moment those who had spoken by then; who they are and what they are called is told as it is known now.

    Imported lines that bear a name which people gave somebody here are theirs.
    """
    heard = connection.execute("SELECT id, name, given FROM speakers ORDER BY number").fetchall()
    named = {name: speaker for speaker, name, given in heard if given}
    spoken: dict[str, _Spoken] = {speaker: _Spoken() for speaker, _, _ in heard}
    imported: dict[str, str] = {}
    for speaker, label, session, n_lines, spoken_ns in connection.execute(_SPOKEN, {"at": at_ns}):
        if speaker is None:
            speaker = named.get(label) or (f"{label}@{session}" if is_automatic(label) else label)
            if speaker not in spoken:
                imported[speaker] = label
        spoken.setdefault(speaker, _Spoken()).add(session, n_lines, spoken_ns)
    for speaker, session, spoken_ns in connection.execute(_WORDLESS, {"at": at_ns}):
        spoken[speaker].add(session, 0, spoken_ns)
    return [
        *(
            _row(speaker, name, spoken[speaker], given=bool(given))
            for speaker, name, given in heard
            if at_ns is None or spoken[speaker].sessions
        ),
        *(_row(speaker, label, spoken[speaker], given=not is_automatic(label), imported=True) for speaker, label in imported.items()),
    ]


def names(connection: sqlite3.Connection, at_ns: int | None = None) -> list[str]:
    """The names of all who spoke until a moment, as reads show them, sorted; of each name only the first line is looked for."""
    by_voice = """
        SELECT p.name FROM speakers p WHERE EXISTS (
            SELECT 1 FROM line_speakers w CROSS JOIN lines l ON l.id = w.line
            WHERE w.speaker = p.id AND l.copy_of IS NULL AND (:at IS NULL OR l.ended_at_ns <= :at))
    """
    found = {name for (name,) in connection.execute(by_voice, {"at": at_ns}) if name}
    labels = """
        SELECT t.session, t.track, t.speaker FROM tracks t JOIN sessions s ON s.id = t.session
        WHERE t.speaker <> '' AND (:at IS NULL OR s.started_at_ns <= :at) ORDER BY s.started_at_ns
    """
    by_track = """
        SELECT 1 FROM lines l WHERE l.session = ? AND l.track = ? AND l.copy_of IS NULL AND (? IS NULL OR l.ended_at_ns <= ?)
        AND NOT EXISTS (SELECT 1 FROM line_speakers w JOIN speakers p ON p.id = w.speaker WHERE w.line = l.id) LIMIT 1
    """
    for session, track, name in connection.execute(labels, {"at": at_ns}).fetchall():
        if name not in found and connection.execute(by_track, (session, track, at_ns, at_ns)).fetchone() is not None:
            found.add(name)
    return sorted(found)


def name_of(connection: sqlite3.Connection, speaker: str) -> str | None:
    """What somebody with this id is called now; None where nobody has it."""
    found = connection.execute("SELECT name FROM speakers WHERE id = ?", (speaker,)).fetchone()
    return found[0] if found else None


def of_tracks(connection: sqlite3.Connection, session: str, at_ns: int | None = None) -> dict[str, str]:
    """Who spoke longest on each track of a session, until a moment; of equals the one with the smaller number."""
    query = """
        SELECT l.track, p.name FROM lines l JOIN line_speakers ls ON ls.line = l.id JOIN speakers p ON p.id = ls.speaker
        WHERE l.session = :session AND l.copy_of IS NULL AND (:at IS NULL OR l.ended_at_ns <= :at)
        GROUP BY l.track, p.id ORDER BY sum(l.end_ns - l.start_ns), p.number DESC
    """
    return dict(connection.execute(query, {"session": session, "at": at_ns}).fetchall())


def imported_lines(connection: sqlite3.Connection, row: SpeakerRow) -> list[str]:
    """The lines that are somebody's by the imported name of their track alone, in the order in which they were stored."""
    query = """
        SELECT l.id FROM tracks t JOIN lines l ON l.session = t.session AND l.track = t.track
        LEFT JOIN line_speakers w ON w.line = l.id
        WHERE t.speaker = :name AND w.line IS NULL AND l.copy_of IS NULL AND (:session IS NULL OR l.session = :session) ORDER BY l.n
    """
    return [line for (line,) in connection.execute(query, {"name": row.name, "session": None if row.given else row.sessions[0]})]


def _row(speaker: str, name: str, spoken: _Spoken, *, given: bool, imported: bool = False) -> SpeakerRow:
    return SpeakerRow(speaker, name, given, spoken.n_lines, seconds(spoken.spoken_ns), tuple(spoken.sessions), imported)
