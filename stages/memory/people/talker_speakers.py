"""Which speaker each talker of a session is: told when the session ends, from all their voices and lines."""

from __future__ import annotations

import sqlite3
from collections import defaultdict

import numpy as np

from pipeline.packets import Float32Array, nanoseconds
from stages.memory.people.speaker_store import add_speaker
from stages.memory.people.speaker_store import voice_of as speaker_voice_of
from stages.memory.people.talker_store import Key, voice_of
from stages.speech.speaker_clusters import Heard, KnownSpeaker, choose
from stages.speech.talker_groups import HeardTalker, grouped

_AT_ONCE_NS = nanoseconds(0.2)
_FOUNDING_S = 0.5

Spoken = dict[tuple[str, bool], int]
"""Nanoseconds by speaker and whether people said that it is them."""


def settle_talkers(connection: sqlite3.Connection, session: str) -> None:
    """Say for all talkers of a session who they are, and let their lines follow, except those that people moved.

    Talkers with like voices are one person. That is who spoke most of their lines; where that is already another group, or there is no
    line, whoever of all known sounds like them, or somebody new. Where people said whose most of the lines are, that holds.
    """
    spoken = lines_of(connection, session)
    taken: set[str] = set()
    groups = groups_of(connection, session)
    for group in sorted(groups, key=lambda group: -sum(sum(spoken.get(key, {}).values()) for key in group)):
        speaker = _who(connection, session, group, spoken, taken)
        if speaker is not None:
            taken.add(speaker)
            set_speaker(connection, session, group, speaker)


def _who(connection: sqlite3.Connection, session: str, group: list[Key], spoken: dict[Key, Spoken], taken: set[str]) -> str | None:
    totals: dict[str, int] = defaultdict(int)
    by_hand: dict[str, int] = defaultdict(int)
    for key in group:
        for (speaker, is_by_hand), spoken_ns in spoken.get(key, {}).items():
            totals[speaker] += spoken_ns
            by_hand[speaker] += spoken_ns if is_by_hand else 0
    if totals and 2 * sum(by_hand.values()) >= sum(totals.values()):
        return max(sorted(by_hand), key=lambda name: by_hand[name])
    for speaker in sorted(totals, key=lambda name: (-totals[name], name)):
        if speaker not in taken:
            return speaker
    voice, alone_s = mean_voice(connection, session, group)
    found = connection.execute("SELECT id, voice FROM speakers WHERE voice IS NOT NULL ORDER BY number").fetchall()
    known = [KnownSpeaker(name, speaker_voice_of(blob)) for name, blob in found if name not in taken]
    choice = choose(Heard(voice, alone_s, group[0][0], None, 0), known)
    if choice.speaker is not None or (alone_s < _FOUNDING_S and not totals):
        return choice.speaker
    speaker = add_speaker(connection, session)
    connection.execute("UPDATE speakers SET voice = ?, seconds = ? WHERE id = ?", (voice.astype("<f4").tobytes(), alone_s, speaker))
    return speaker


def groups_of(connection: sqlite3.Connection, session: str) -> list[list[Key]]:
    """The talkers of a session by person, as their voices tell; who has no voice is in none."""
    found = connection.execute(
        "SELECT track, talker, seconds, voice FROM talkers WHERE session = ? ORDER BY talker, track", (session,)
    ).fetchall()
    keys: list[Key] = [(track, talker) for track, talker, _, _ in found]
    place = {key: number for number, key in enumerate(keys)}
    apart = {(place[one], place[other]) for one, other in _at_once(connection, session) if one in place and other in place}
    labels = grouped([HeardTalker(voice_of(blob), spoken_s) for _, _, spoken_s, blob in found], apart)
    groups: dict[int, list[Key]] = defaultdict(list)
    for key, label in zip(keys, labels, strict=True):
        if label is not None:
            groups[label].append(key)
    return [groups[label] for label in sorted(groups)]


def lines_of(connection: sqlite3.Connection, session: str) -> dict[Key, Spoken]:
    """How long each speaker speaks in the lines of each talker, in nanoseconds, and whether people said so."""
    query = """
        SELECT lt.track, lt.talker, ls.speaker, ls.by_hand, sum(l.end_ns - l.start_ns) FROM line_talkers lt JOIN lines l ON l.id = lt.line
        JOIN line_speakers ls ON ls.line = lt.line WHERE lt.session = ? GROUP BY lt.track, lt.talker, ls.speaker, ls.by_hand
        ORDER BY ls.speaker
    """
    spoken: dict[Key, Spoken] = defaultdict(dict)
    for track, talker, speaker, by_hand, spoken_ns in connection.execute(query, (session,)):
        spoken[track, talker][speaker, bool(by_hand)] = spoken_ns
    return spoken


def set_speaker(connection: sqlite3.Connection, session: str, group: list[Key], speaker: str) -> None:
    """A group of talkers is one speaker, and so are their lines, except those that people moved."""
    for track, talker in group:
        connection.execute(
            "UPDATE talkers SET speaker = ? WHERE session = ? AND track = ? AND talker = ?", (speaker, session, track, talker)
        )
        connection.execute(
            "UPDATE line_speakers SET speaker = ? WHERE by_hand = 0"
            " AND line IN (SELECT line FROM line_talkers WHERE session = ? AND track = ? AND talker = ?)",
            (speaker, session, track, talker),
        )


def mean_voice(connection: sqlite3.Connection, session: str, group: list[Key]) -> tuple[Float32Array, float]:
    """The mean voice of a group, weighed by how long each was heard alone, of unit length; and how long that was in all."""
    total, seconds_ = None, 0.0
    for track, talker in group:
        spoken_s, blob = connection.execute(
            "SELECT seconds, voice FROM talkers WHERE session = ? AND track = ? AND talker = ?", (session, track, talker)
        ).fetchone()
        voice = voice_of(blob)
        if voice is not None:
            weighed = voice.astype(np.float64) * max(spoken_s, 1e-3)
            total = weighed if total is None else total + weighed
            seconds_ += spoken_s
    if total is None:
        raise ValueError(f"session {session}: none of the talkers {group} has a voice")
    return (total / np.linalg.norm(total)).astype(np.float32), seconds_


def _at_once(connection: sqlite3.Connection, session: str) -> set[tuple[Key, Key]]:
    """Pairs of talkers who spoke at the same time on one track, for a fifth of a second or more in all."""
    query = "SELECT track, talker, start_ns, end_ns FROM talker_turns WHERE session = ? ORDER BY track, start_ns, talker"
    together: dict[tuple[Key, Key], int] = defaultdict(int)
    still: list[tuple[Key, int]] = []
    for track, talker, start_ns, end_ns in connection.execute(query, (session,)):
        key = (track, talker)
        still = [(other, other_end) for other, other_end in still if other[0] == track and other_end > start_ns]
        for other, other_end in still:
            if other != key:
                pair = (min(key, other), max(key, other))
                together[pair] += min(end_ns, other_end) - start_ns
        still.append((key, end_ns))
    return {pair for pair, time_ns in together.items() if time_ns >= _AT_ONCE_NS}
