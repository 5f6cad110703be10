"""Who spoke each line, in the tables of a memory: told from voice and place as lines arrive, settled when the session ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.packets import Float32Array, seconds
from stages.memory.attention import attention_store
from stages.memory.people.talker_store import follow_lines, keep_talker, speaker_so_far
from stages.memory.rows import LineRow
from stages.speech.speaker_clusters import LEAST_FOUNDING_S, Choice, Heard, KnownSpeaker, choose, merges, voices_mean

# A line moves the mean voice of its speaker only when it is rather sure whose it is.
_SURE = 0.6
_AT_MOST_SETTLED = 4000
VOICE_SIZES = (192, 256)
"""How many numbers a voice may have: those of CAM++, and those of Resemblyzer. Voices of different encoders are never compared."""
# With three ways at most the length of what is stored tells how many numbers each has.
_MOST_WAYS = 3
_MOST_ELSEWHERE = 64


def place(
    connection: sqlite3.Connection,
    session: str,
    rows: Sequence[LineRow],
    voices: Mapping[str, Float32Array],
    talkers: Mapping[str, int] | None = None,
) -> None:
    """Say who speaks each new line of a session, in the order given, and keep its voice and its talker (by line id)."""
    for row in rows:
        if row.copy_of is not None:
            continue
        spoken_s = _spoken_s(row)
        voice = voices.get(row.id)
        if voice is not None:
            connection.execute(
                "INSERT INTO line_voices (line, voice, seconds) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (row.id, _blob(voice), spoken_s)
            )
        talker = (talkers or {}).get(row.id)
        so_far = speaker_so_far(connection, session, row.track, talker)
        keep_talker(connection, row, talker)
        heard = Heard(voice, spoken_s, row.track, row.azimuth_deg, row.start_ns, so_far)
        choice = choose(heard, candidates(connection, session, voice))
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
    follow_lines(connection, unknown=True)
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


def adopt(connection: sqlite3.Connection, lines: Sequence[str], speaker: str | None = None) -> str:
    """Make lines that nobody has yet somebody's, as people said; without `speaker` somebody new's. Whose they are now."""
    if speaker is None:
        (session,) = connection.execute("SELECT session FROM lines WHERE id = ?", (lines[0],)).fetchone()
        speaker = add_speaker(connection, session)
    if lines:
        connection.execute("UPDATE speakers SET kept = 1 WHERE id = ?", (speaker,))
    connection.executemany(
        "INSERT INTO line_speakers (line, speaker, confidence, by_hand) VALUES (?, ?, 1.0, 1)", [(line, speaker) for line in lines]
    )
    return speaker


def merge(connection: sqlite3.Connection, goes: str, into: str, *, by_hand: bool) -> None:
    """Everything of one speaker is the other's from now on, also in the past.

    Merged by hand they keep the voices of both, since people merge what did not sound alike, and their lines stay where they are.
    """
    ways = [row[0] for row in connection.execute("SELECT voice FROM speakers WHERE id IN (?, ?) ORDER BY number", (goes, into)) if row[0]]
    connection.execute(
        "UPDATE line_speakers SET speaker = ?, by_hand = max(by_hand, ?) WHERE speaker IN (?, ?)", (into, int(by_hand), goes, into)
    )
    connection.execute("UPDATE talkers SET speaker = ? WHERE speaker = ?", (into, goes))
    attention_store.follow(connection, goes, into)
    if by_hand and ways:
        kept = np.concatenate(_of_one_size([np.atleast_2d(voice_of(blob)) for blob in ways]))[:_MOST_WAYS]
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
    """Make the mean voice of a speaker anew from all lines that are surely theirs; without any, from their turns."""
    query = """
        SELECT v.voice, v.seconds FROM line_speakers ls JOIN line_voices v ON v.line = ls.line
        WHERE ls.speaker = ? AND v.seconds >= ? AND (ls.confidence >= ? OR ls.by_hand) ORDER BY ls.line
    """
    heard = [(voice_of(blob), spoken_s) for blob, spoken_s in connection.execute(query, (speaker, LEAST_FOUNDING_S, _SURE))]
    if not heard:
        told = "SELECT voice, seconds FROM talkers WHERE speaker = ? AND voice IS NOT NULL ORDER BY session, track, talker"
        heard = [(voice_of(blob), spoken_s) for blob, spoken_s in connection.execute(told, (speaker,))]
    (blob,) = connection.execute("SELECT voice FROM speakers WHERE id = ?", (speaker,)).fetchone()
    ways = np.atleast_2d(voice_of(blob)) if blob else np.zeros((1, 1), dtype=np.float32)
    n_numbers = ways.shape[1] if any(len(voice) == ways.shape[1] for voice, _ in heard) else len(heard[0][0]) if heard else 0
    found = [entry for entry in heard if len(entry[0]) == n_numbers]
    ways = ways if ways.shape[1] == n_numbers else np.zeros((1, n_numbers), dtype=np.float32)
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
    """The lines of a speaker that have a voice, in the order in which they were stored; of two encoders those with more lines."""
    query = """
        SELECT ls.line, v.voice FROM line_speakers ls JOIN line_voices v ON v.line = ls.line JOIN lines l ON l.id = ls.line
        WHERE ls.speaker = ? ORDER BY l.n
    """
    found = [(line, voice_of(blob)) for line, blob in connection.execute(query, (speaker,))]
    n_numbers = max(VOICE_SIZES, key=lambda size: sum(len(voice) == size for _, voice in found))
    return [entry for entry in found if len(entry[1]) == n_numbers]


def voice_of(blob: bytes) -> Float32Array:
    """A stored voice: float32, shape (numbers,), or (ways, numbers) where there are several."""
    stored = np.frombuffer(blob, dtype="<f4").astype(np.float32)
    n_numbers = next((size for size in VOICE_SIZES if len(stored) % size == 0 and len(stored) // size <= _MOST_WAYS), VOICE_SIZES[-1])
    return stored.reshape(-1, n_numbers) if len(stored) > n_numbers else stored


def _of_one_size(voices: Sequence[Float32Array]) -> list[Float32Array]:
    """Those of the encoder that the last one is of."""
    return [voice for voice in voices if voice.shape[-1] == voices[-1].shape[-1]]


def candidates(connection: sqlite3.Connection, session: str, voice: Float32Array | None = None) -> list[KnownSpeaker]:
    """Who may have said a line, by number: who spoke in this session, and, for a line with a voice, whose voice earlier ones know.

    Of those who were not heard in this session only the likest are looked at: the rest cannot be it, and a memory of years knows many.
    """
    query = """
        SELECT p.number, p.id, p.voice, s.track, s.azimuth_deg, s.end_ns FROM speaker_places s JOIN speakers p ON p.id = s.speaker
        WHERE s.session = ?
    """
    found = connection.execute(query, (session,)).fetchall()
    if voice is not None:
        elsewhere = """
            SELECT number, id, voice, NULL, NULL, NULL FROM speakers p WHERE voice IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM speaker_places s WHERE s.session = ? AND s.speaker = p.id) ORDER BY number
        """
        found += _likest(connection.execute(elsewhere, (session,)).fetchall(), voice)
    return [
        KnownSpeaker(speaker, None if blob is None else voice_of(blob), track, azimuth_deg, end_ns)
        for _, speaker, blob, track, azimuth_deg, end_ns in sorted(found, key=lambda row: row[0])
    ]


def _likest(rows: list[Any], voice: Float32Array) -> list[Any]:
    """Those whose voice (the third column) is likest, at most `_MOST_ELSEWHERE`; the first of equals."""
    if len(rows) <= _MOST_ELSEWHERE:
        return rows
    voices = [np.atleast_2d(voice_of(row[2])) for row in rows]
    rows = [row for row, ways in zip(rows, voices, strict=True) if ways.shape[1] == len(voice)]
    voices = [ways for ways in voices if ways.shape[1] == len(voice)]
    if not rows:
        return []
    firsts = np.cumsum([0, *(len(ways) for ways in voices[:-1])])
    likeness = np.maximum.reduceat(np.concatenate(voices) @ voice, firsts)
    return [rows[place_] for place_ in np.argsort(-likeness, kind="stable")[:_MOST_ELSEWHERE]]


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
    ways = np.zeros((0, len(voice)), dtype=np.float32) if blob is None else np.atleast_2d(voice_of(blob)).copy()
    if len(ways) and ways.shape[1] == len(voice):
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
    """Lines without a bearing, each against the voices that are known by now; the place stays out of it.

    Lines of talkers who were told apart have gone where those did (`talker_speakers.py`).
    """
    query = """
        SELECT l.id, l.track, l.start_ns, v.voice, v.seconds FROM lines l JOIN line_voices v ON v.line = l.id
        JOIN line_speakers ls ON ls.line = l.id
        WHERE l.session = ? AND l.azimuth_deg IS NULL AND ls.by_hand = 0
        AND NOT EXISTS (SELECT 1 FROM line_talkers lt JOIN talkers k ON k.session = lt.session AND k.track = lt.track
                        AND k.talker = lt.talker WHERE lt.line = l.id AND k.speaker IS NOT NULL)
        ORDER BY l.n LIMIT ?
    """
    here = _heard_in(connection, session)
    for speaker in here:
        recount(connection, speaker)
    known = [KnownSpeaker(entry.id, entry.voice) for entry in candidates(connection, session) if entry.voice is not None]
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
        AND NOT EXISTS (SELECT 1 FROM talkers k WHERE k.speaker = p.id)
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
