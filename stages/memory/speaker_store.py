"""Who spoke each line, in the tables of a memory: told from voice and place as lines arrive, settled when the session ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.packets import Float32Array, seconds
from stages.memory.rows import LineRow
from stages.speech.speaker_clusters import LEAST_FOUNDING_S, Choice, Heard, KnownSpeaker, choose, merges, voices_mean

# A line moves the mean voice of its speaker only when it is rather sure whose it is.
_SURE = 0.6
_AT_MOST_SETTLED = 4000
_VOICE_NUMBERS = 256
_MOST_WAYS = 4


@dataclass(frozen=True)
class SpeakerRow:
    """Somebody whom the memory tells apart. `name` is `id` until people give another; `seconds` is how long they spoke."""

    id: str
    name: str
    given: bool
    n_lines: int
    seconds: float
    sessions: tuple[str, ...]


def place(connection: sqlite3.Connection, session: str, rows: Sequence[LineRow], voices: Mapping[str, Float32Array]) -> None:
    """Say who speaks each new line of a session, in the order given, and keep its voice (by line id)."""
    for row in rows:
        if row.copy_of is not None:
            continue
        spoken_s = _spoken_s(row)
        voice = voices.get(row.id)
        if voice is not None:
            connection.execute(
                "INSERT INTO line_voices (line, voice, seconds) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (row.id, _blob(voice), spoken_s)
            )
        choice = choose(Heard(voice, spoken_s, row.track, row.azimuth_deg, row.start_ns), _known(connection, session))
        speaker = choice.speaker or add_speaker(connection, session)
        _say(connection, row.id, Choice(speaker, choice.confidence))
        connection.execute(
            "INSERT INTO speaker_places (session, speaker, track, azimuth_deg, end_ns) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (session, speaker) DO UPDATE SET track = excluded.track, azimuth_deg = excluded.azimuth_deg,"
            " end_ns = max(end_ns, excluded.end_ns)",
            (session, speaker, row.track, row.azimuth_deg, row.end_ns),
        )
        if voice is not None and spoken_s >= LEAST_FOUNDING_S and choice.confidence >= _SURE:
            _learn(connection, speaker, voice, spoken_s)


def settle(connection: sqlite3.Connection, session: str) -> None:
    """What the whole session tells about who spoke, backwards over all of it.

    Speakers whose mean voices turn out to be one become one, lines without a bearing go to the likest voice, and speakers who are
    new in this session are numbered in the order of their first words. What people said (names, lines moved by hand) stands.
    """
    new = "SELECT min(number) FROM speakers WHERE session = ? AND given = 0 AND kept = 0"
    (first,) = connection.execute(new, (session,)).fetchone()
    _merge_alike(connection, session)
    _choose_again(connection, session)
    for speaker in _heard_in(connection, session):
        replace_places(connection, speaker)
    _drop_unheard(connection, session)
    if first is not None:
        _number_anew(connection, session, first)
    for speaker in _heard_in(connection, session):
        recount(connection, speaker)


def add_speaker(connection: sqlite3.Connection, session: str) -> str:
    """Somebody new, under the next number that this memory has not used."""
    (number,) = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM speakers").fetchone()
    taken = {row[0] for row in connection.execute("SELECT DISTINCT speaker FROM tracks WHERE speaker LIKE 'speaker-%'")}
    taken |= {row[0] for row in connection.execute("SELECT name FROM speakers")}
    while f"speaker-{number}" in taken:
        number += 1
    name = f"speaker-{number}"
    connection.execute("INSERT INTO speakers (id, number, name, session) VALUES (?, ?, ?, ?)", (name, number, name, session))
    return name


def speakers(connection: sqlite3.Connection) -> list[SpeakerRow]:
    """Everybody whom the memory tells apart, by number."""
    heard: dict[str, list[tuple[str, int, int]]] = {}
    query = """
        SELECT ls.speaker, l.session, count(*), sum(l.end_ns - l.start_ns) FROM line_speakers ls JOIN lines l ON l.id = ls.line
        JOIN sessions s ON s.id = l.session GROUP BY ls.speaker, l.session ORDER BY s.started_at_ns, l.session
    """
    for speaker, session, n_lines, spoken_ns in connection.execute(query):
        heard.setdefault(speaker, []).append((session, n_lines, spoken_ns))
    return [
        SpeakerRow(
            id=name,
            name=shown,
            given=bool(given),
            n_lines=sum(part[1] for part in heard.get(name, [])),
            seconds=seconds(sum(part[2] for part in heard.get(name, []))),
            sessions=tuple(part[0] for part in heard.get(name, [])),
        )
        for name, shown, given in connection.execute("SELECT id, name, given FROM speakers ORDER BY number")
    ]


def names(connection: sqlite3.Connection, at_ns: int | None = None) -> list[str]:
    """The names of all who spoke until a moment, as reads show them, sorted."""
    query = """
        SELECT DISTINCT coalesce(p.name, t.speaker) FROM lines l LEFT JOIN line_speakers ls ON ls.line = l.id
        LEFT JOIN speakers p ON p.id = ls.speaker LEFT JOIN tracks t ON t.session = l.session AND t.track = l.track
        WHERE l.copy_of IS NULL AND (:at IS NULL OR l.ended_at_ns <= :at)
    """
    return sorted(row[0] for row in connection.execute(query, {"at": at_ns}) if row[0])


def of_tracks(connection: sqlite3.Connection, session: str, at_ns: int | None = None) -> dict[str, str]:
    """Who spoke longest on each track of a session, until a moment; of equals the one with the smaller number."""
    query = """
        SELECT l.track, p.name FROM lines l JOIN line_speakers ls ON ls.line = l.id JOIN speakers p ON p.id = ls.speaker
        WHERE l.session = :session AND l.copy_of IS NULL AND (:at IS NULL OR l.ended_at_ns <= :at)
        GROUP BY l.track, p.id ORDER BY sum(l.end_ns - l.start_ns), p.number DESC
    """
    return dict(connection.execute(query, {"session": session, "at": at_ns}).fetchall())


def merge(connection: sqlite3.Connection, goes: str, into: str, *, by_hand: bool) -> None:
    """Everything of one speaker is the other's from now on, also in the past.

    Merged by hand they keep the voices of both, since people merge what did not sound alike, and their lines stay where they are.
    """
    ways = [row[0] for row in connection.execute("SELECT voice FROM speakers WHERE id IN (?, ?) ORDER BY number", (goes, into)) if row[0]]
    connection.execute(
        "UPDATE line_speakers SET speaker = ?, by_hand = max(by_hand, ?) WHERE speaker IN (?, ?)", (into, int(by_hand), goes, into)
    )
    if by_hand and ways:
        kept = np.concatenate([np.atleast_2d(voice_of(blob)) for blob in ways])[:_MOST_WAYS]
        connection.execute("UPDATE speakers SET voice = ?, kept = 1 WHERE id = ?", (_blob(kept), into))
    connection.execute(
        "INSERT INTO speaker_places (session, speaker, track, azimuth_deg, end_ns)"
        " SELECT session, ?, track, azimuth_deg, end_ns FROM speaker_places WHERE speaker = ?"
        " ON CONFLICT (session, speaker) DO UPDATE SET track = excluded.track, azimuth_deg = excluded.azimuth_deg,"
        " end_ns = excluded.end_ns WHERE excluded.end_ns > end_ns",
        (into, goes),
    )
    connection.execute("DELETE FROM speaker_places WHERE speaker = ?", (goes,))
    connection.execute("DELETE FROM speakers WHERE id = ?", (goes,))
    recount(connection, into)


def replace_places(connection: sqlite3.Connection, speaker: str) -> None:
    """Find anew where a speaker spoke last in each session."""
    connection.execute("DELETE FROM speaker_places WHERE speaker = ?", (speaker,))
    connection.execute(
        "INSERT INTO speaker_places (session, speaker, track, azimuth_deg, end_ns)"
        " SELECT l.session, ls.speaker, l.track, l.azimuth_deg, max(l.end_ns) FROM line_speakers ls JOIN lines l ON l.id = ls.line"
        " WHERE ls.speaker = ? GROUP BY l.session",
        (speaker,),
    )


def recount(connection: sqlite3.Connection, speaker: str) -> None:
    """Make the mean voice of a speaker anew from all lines that are surely theirs."""
    query = """
        SELECT v.voice, v.seconds FROM line_speakers ls JOIN line_voices v ON v.line = ls.line
        WHERE ls.speaker = ? AND v.seconds >= ? AND (ls.confidence >= ? OR ls.by_hand) ORDER BY ls.line
    """
    found = [(voice_of(blob), spoken_s) for blob, spoken_s in connection.execute(query, (speaker, LEAST_FOUNDING_S, _SURE))]
    (blob,) = connection.execute("SELECT voice FROM speakers WHERE id = ?", (speaker,)).fetchone()
    ways = np.atleast_2d(voice_of(blob)) if blob else np.zeros((1, 1), dtype=np.float32)
    nearest = [int(np.argmax(ways @ voice)) if len(ways) > 1 else 0 for voice, _ in found]
    means = []
    for way in range(len(ways)):
        near = [entry for entry, place_ in zip(found, nearest, strict=True) if place_ == way]
        mean = voices_mean([voice for voice, _ in near], [spoken_s for _, spoken_s in near])
        means += [] if mean is None else [mean]
    connection.execute(
        "UPDATE speakers SET voice = ?, seconds = ? WHERE id = ?",
        (_blob(np.stack(means)) if means else None, sum(spoken_s for _, spoken_s in found), speaker),
    )


def voices_of(connection: sqlite3.Connection, speaker: str) -> list[tuple[str, Float32Array]]:
    """The lines of a speaker that have a voice, in the order in which they were stored."""
    query = """
        SELECT ls.line, v.voice FROM line_speakers ls JOIN line_voices v ON v.line = ls.line JOIN lines l ON l.id = ls.line
        WHERE ls.speaker = ? ORDER BY l.n
    """
    return [(line, voice_of(blob)) for line, blob in connection.execute(query, (speaker,))]


def voice_of(blob: bytes) -> Float32Array:
    """A stored voice: float32, shape (256,), or (ways, 256) where there are several."""
    stored = np.frombuffer(blob, dtype="<f4").astype(np.float32)
    return stored.reshape(-1, _VOICE_NUMBERS) if len(stored) > _VOICE_NUMBERS else stored


def _known(connection: sqlite3.Connection, session: str) -> list[KnownSpeaker]:
    query = """
        SELECT p.id, p.voice, s.track, s.azimuth_deg, s.end_ns FROM speakers p
        LEFT JOIN speaker_places s ON s.speaker = p.id AND s.session = ? ORDER BY p.number
    """
    return [
        KnownSpeaker(row[0], None if row[1] is None else voice_of(row[1]), row[2], row[3], row[4])
        for row in connection.execute(query, (session,))
    ]


def _heard_in(connection: sqlite3.Connection, session: str) -> list[str]:
    return [row[0] for row in connection.execute("SELECT speaker FROM speaker_places WHERE session = ? ORDER BY speaker", (session,))]


def _say(connection: sqlite3.Connection, line: str, choice: Choice) -> None:
    connection.execute(
        "INSERT INTO line_speakers (line, speaker, confidence) VALUES (?, ?, ?) ON CONFLICT (line) DO UPDATE"
        " SET speaker = excluded.speaker, confidence = excluded.confidence WHERE by_hand = 0",
        (line, choice.speaker, round(choice.confidence, 4)),
    )


def _learn(connection: sqlite3.Connection, speaker: str, voice: Float32Array, spoken_s: float) -> None:
    blob, had_s = connection.execute("SELECT voice, seconds FROM speakers WHERE id = ?", (speaker,)).fetchone()
    ways = np.zeros((0, _VOICE_NUMBERS), dtype=np.float32) if blob is None else np.atleast_2d(voice_of(blob)).copy()
    if len(ways):
        nearest = int(np.argmax(ways @ voice))
        mean = voices_mean([ways[nearest], voice], [had_s, spoken_s])
        ways[nearest] = ways[nearest] if mean is None else mean
    else:
        ways = voice[None, :]
    connection.execute("UPDATE speakers SET voice = ?, seconds = ? WHERE id = ?", (_blob(ways), had_s + spoken_s, speaker))


def _merge_alike(connection: sqlite3.Connection, session: str) -> None:
    query = """
        SELECT p.id, p.voice, p.seconds, p.given OR p.kept, p.session = :session FROM speakers p
        JOIN speaker_places s ON s.speaker = p.id AND s.session = :session WHERE p.voice IS NOT NULL ORDER BY p.number
    """
    found = connection.execute(query, {"session": session}).fetchall()
    # Whom people named, and whom earlier sessions know, never go into somebody else.
    kept = [row[0] for row in found if row[3] or not row[4]]
    apart = {frozenset((one, other)) for one in kept for other in kept if one != other} | _heard_at_once(connection, session)
    weights = {row[0]: row[2] + (1e9 if row[0] in kept else 0.0) for row in found}
    for goes, into in merges({row[0]: voice_of(row[1]) for row in found}, apart, weights):
        merge(connection, goes, into, by_hand=False)


def _heard_at_once(connection: sqlite3.Connection, session: str) -> set[frozenset[str]]:
    """Pairs of speakers who talked at the same time for a while, each on a track with a bearing."""
    query = """
        SELECT l.start_ns, l.end_ns, ls.speaker FROM lines l JOIN line_speakers ls ON ls.line = l.id
        WHERE l.session = ? AND l.copy_of IS NULL AND l.azimuth_deg IS NOT NULL ORDER BY l.start_ns, l.n
    """
    together: dict[frozenset[str], int] = {}
    still: list[tuple[int, str]] = []
    for start, end, speaker in connection.execute(query, (session,)):
        still = [entry for entry in still if entry[0] > start]
        for other_end, other in still:
            if other != speaker:
                pair = frozenset((speaker, other))
                together[pair] = together.get(pair, 0) + min(end, other_end) - start
        still.append((end, speaker))
    return {pair for pair, time_ns in together.items() if time_ns >= 10**9}


def _choose_again(connection: sqlite3.Connection, session: str) -> None:
    """Lines without a bearing, each against the voices that are known by now; the place stays out of it."""
    query = """
        SELECT l.id, l.track, l.start_ns, v.voice, v.seconds FROM lines l JOIN line_voices v ON v.line = l.id
        JOIN line_speakers ls ON ls.line = l.id
        WHERE l.session = ? AND l.azimuth_deg IS NULL AND ls.by_hand = 0 ORDER BY l.n LIMIT ?
    """
    here = _heard_in(connection, session)
    for speaker in here:
        recount(connection, speaker)
    known = [KnownSpeaker(entry.id, entry.voice) for entry in _known(connection, session) if entry.id in here and entry.voice is not None]
    if len(known) < 2:
        return
    for line, track, start_ns, blob, spoken_s in connection.execute(query, (session, _AT_MOST_SETTLED)).fetchall():
        choice = choose(Heard(voice_of(blob), spoken_s, track, None, start_ns), known)
        if choice.speaker is not None and spoken_s >= LEAST_FOUNDING_S:
            _say(connection, line, choice)


def _drop_unheard(connection: sqlite3.Connection, session: str) -> None:
    """Speakers of this session who have no line any more, unless people named them."""
    gone = """
        SELECT p.id FROM speakers p WHERE p.session = ? AND p.given = 0 AND p.kept = 0
        AND NOT EXISTS (SELECT 1 FROM line_speakers ls WHERE ls.speaker = p.id)
    """
    for (speaker,) in connection.execute(gone, (session,)).fetchall():
        connection.execute("DELETE FROM speaker_places WHERE speaker = ?", (speaker,))
        connection.execute("DELETE FROM speakers WHERE id = ?", (speaker,))


def _number_anew(connection: sqlite3.Connection, session: str, first: int) -> None:
    """New speakers without a given name, heard in this session only, take their numbers in the order of their first words."""
    query = """
        SELECT p.id, p.number FROM speakers p JOIN line_speakers ls ON ls.speaker = p.id JOIN lines l ON l.id = ls.line
        WHERE p.session = :session AND p.given = 0 AND p.kept = 0
        GROUP BY p.id HAVING min(l.session) = :session AND max(l.session) = :session ORDER BY min(l.start_ns), p.number
    """
    found = connection.execute(query, {"session": session}).fetchall()
    if not found:
        return
    fixed = {row[0] for row in connection.execute("SELECT number FROM speakers")} - {number for _, number in found}
    used = {row[0] for row in connection.execute("SELECT DISTINCT speaker FROM tracks WHERE speaker LIKE 'speaker-%'")}
    free = _free_numbers(first, fixed, used)
    numbers = [next(free) for _ in found]
    if numbers == [number for _, number in found]:
        return
    for place_, (speaker, _) in enumerate(found):
        connection.execute(
            "UPDATE speakers SET id = ?, number = ?, name = ? WHERE id = ?", (f"-{place_}", -1 - place_, f"-{place_}", speaker)
        )
    for place_, number in enumerate(numbers):
        name = f"speaker-{number}"
        connection.execute("UPDATE speakers SET id = ?, number = ?, name = ? WHERE id = ?", (name, number, name, f"-{place_}"))


def _free_numbers(first: int, fixed: set[int], used: set[str]) -> Iterator[int]:
    number = first
    while True:
        if number not in fixed and f"speaker-{number}" not in used:
            yield number
        number += 1


def _spoken_s(row: LineRow) -> float:
    return seconds(sum(word.end_ns - word.start_ns for word in row.words)) if row.words else seconds(row.end_ns - row.start_ns)


def _blob(voice: Float32Array) -> bytes:
    return np.ascontiguousarray(voice, dtype="<f4").tobytes()
